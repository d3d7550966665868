//! Requests outside a dialog, with the digest answer that they need.

use lyceum_sip::digest::{self, Kind, Login, Signed};
use lyceum_sip::transaction::{ClientId, Outgoing};
use lyceum_sip::{Message, Method, Name, RequestBuilder};

use super::{Context, Device, Use};
use crate::organisation::{PASSWORD, address};

/// Challenges answered in one undertaking before something must be wrong.
pub const TRIES: u8 = 6;

/// A request outside a dialog, as often as it must be sent.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: Method,
    pub uri: String,
    pub to: String,
    pub call_id: String,
    pub from_tag: String,
    pub cseq: u32,
    pub contact: Option<String>,
    pub expires: Option<u32>,
    pub tries: u8,
}

/// A challenge kept for the next request.
#[derive(Debug)]
struct Kept {
    value: Vec<u8>,
    count: u32,
}

/// Challenges of the registrar and of the proxy.
#[derive(Debug, Default)]
pub struct Wallet {
    www: Option<Kept>,
    proxy: Option<Kept>,
}

impl Wallet {
    fn slot(&mut self, method: Method) -> (&mut Option<Kept>, Kind) {
        match method {
            Method::Register => (&mut self.www, Kind::Www),
            _ => (&mut self.proxy, Kind::Proxy),
        }
    }

    /// Keeps the challenge of a 401 or 407; false when there is none that can be answered.
    pub fn challenged(&mut self, method: Method, response: &Message<'_>) -> bool {
        let (slot, kind) = self.slot(method);
        let name = if kind == Kind::Www { Name::WwwAuthenticate } else { Name::ProxyAuthenticate };
        let values = response.fields().filter(|field| field.name == name).map(|field| field.value);
        let best = values.filter_map(|value| Some((digest::Challenge::parse(value)?.algorithm, value))).max();
        *slot = best.map(|(_, value)| Kept { value: value.to_vec(), count: 0 });
        slot.is_some()
    }

    /// Forgets all, as a device does that starts anew.
    pub fn clear(&mut self) {
        *self = Wallet::default();
    }
}

impl Device {
    /// A Via of ours with a new branch.
    pub(super) fn via(&mut self) -> (Vec<u8>, Vec<u8>) {
        let number = self.next_number();
        let branch = format!("z9hG4bKd{}x{number}", self.id);
        let via = format!("SIP/2.0/{} {};rport;branch={branch}", self.transport.via_token(), self.address);
        self.branches.insert(branch.clone().into_bytes());
        (via.into_bytes(), branch.into_bytes())
    }

    /// Our Contact URI.
    pub(super) fn contact_uri(&self) -> String {
        let transport = if self.transport.is_reliable() { ";transport=tcp" } else { "" };
        format!("sip:u{}@{}{transport}", self.user, self.address)
    }

    /// Begins an undertaking to `to`.
    pub(super) fn new_ask(&mut self, method: Method, to: String) -> Ask {
        let number = self.next_number();
        let call_id = format!("d{}c{number}", self.id);
        let from_tag = format!("d{}x{number}", self.id);
        Ask { method, uri: to.clone(), to, call_id, from_tag, cseq: 0, contact: None, expires: None, tries: 0 }
    }

    /// Sends it once more, with credentials if there is a challenge to answer.
    pub(super) fn send_ask(&mut self, ask: &mut Ask, what: Use, ctx: &mut Context<'_>) -> Option<(ClientId, Vec<u8>)> {
        ask.cseq += 1;
        ask.tries += 1;
        let proof = self.proof(ask, ctx);
        let (via, branch) = self.via();
        let from = format!("<sip:{}>;tag={}", address(self.user), ask.from_tag);
        let to = format!("<{}>", ask.to);
        let expires = ask.expires.map(|seconds| seconds.to_string());
        let mut builder = RequestBuilder::new(ask.method, ask.uri.as_bytes());
        builder.via(&via).from(from.as_bytes()).to(to.as_bytes()).call_id(ask.call_id.as_bytes()).cseq(ask.cseq);
        builder.header("User-Agent", self.agent.as_bytes());
        if let Some(contact) = &ask.contact {
            builder.contact(contact.as_bytes());
        }
        if let Some(expires) = &expires {
            builder.header("Expires", expires.as_bytes());
        }
        if let Some((header, value)) = &proof {
            builder.header(header, value);
        }
        match ask.method {
            Method::Invite => drop(builder.body(b"application/sdp", b"v=0\r\n")),
            Method::Message => drop(builder.body(b"text/plain", b"hello")),
            _ => {}
        }
        let mut bytes = Vec::with_capacity(600);
        builder.write(&mut bytes);
        Some((self.begin(ask.method, &branch, &bytes, what, ctx)?, branch))
    }

    /// Begins a client transaction.
    pub(super) fn begin(
        &mut self,
        method: Method,
        branch: &[u8],
        bytes: &[u8],
        what: Use,
        ctx: &mut Context<'_>,
    ) -> Option<ClientId> {
        let user = self.next_number();
        self.uses.insert(user, what);
        let method = method.as_str().as_bytes();
        let reliable = self.transport.is_reliable();
        self.table.send(ctx.now.mono, Outgoing { method, branch, bytes, reliable, peer: (), user }).ok()
    }

    fn proof(&mut self, ask: &Ask, ctx: &mut Context<'_>) -> Option<(&'static str, Vec<u8>)> {
        // Some endpoints use a nonce again, some never do.
        let again = self.agent.starts_with("Desk");
        let (slot, kind) = self.wallet.slot(ask.method);
        let kept = slot.as_mut().filter(|kept| again || kept.count == 0)?;
        kept.count += 1;
        let challenge = digest::Challenge::parse(&kept.value)?;
        let user = format!("u{}", self.user);
        let login = Login { username: user.as_bytes(), password: PASSWORD.as_bytes() };
        let signed = Signed { method: ask.method.as_str().as_bytes(), uri: ask.uri.as_bytes(), body: b"" };
        let cnonce = format!("{:016x}", ctx.dice.bits());
        let mut value = Vec::new();
        digest::respond(&mut value, &challenge, &login, &signed, kept.count, cnonce.as_bytes())?;
        Some((kind.answer_header(), value))
    }
}
