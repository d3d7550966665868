//! REGISTER: authenticate, authorise, hand to the user's routing group, and hold the 200 until it is durable.

use std::sync::Arc;

use lyceum_net::{Flow, Outbox};
use lyceum_sip::digest::{Kind, NonceUse};
use lyceum_sip::outbound::Registration;
use lyceum_sip::time::Now;
use lyceum_sip::token::bearer;
use lyceum_sip::{Contact, Message, Name, NameAddr, ResponseBuilder, Scheme, Uri, outbound};
use lyceum_topology::{Snapshot, UserRecord, routing_group};
use lyceum_users::{Binding, ContactIntent, Contacts, Outcome, RegisterIntent, RegisterRefusal, hash64};

use crate::core::Core;
use crate::core::names::Ourselves;
use crate::core::reply::Challenge;
use crate::gruu::Minter;
use crate::inbound::{Inbound, Outside};
use crate::pipeline::authenticate::{Authenticated, Authenticator, Facts};
use crate::pipeline::client_version::{self, ClientVerdict};
use crate::refusal::Refusal;

/// Contacts looked at in one REGISTER; more are refused by the registrar.
const CONTACTS: usize = lyceum_users::MAX_CONTACTS + 1;
/// Option tags that REGISTER may require.
const KNOWN_OPTIONS: [&str; 3] = ["path", "outbound", "gruu"];

impl Core {
    /// Handles one REGISTER without a transaction.
    pub(crate) fn register(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        self.metrics.registers.inc();
        let message = inbound.message;
        if matches!(inbound.outside, Some(Outside::Federated(_))) {
            return self.refuse(inbound, Refusal::NotForPartners, out);
        }
        let Some((aor_user, domain)) = address_of_record(&message, &self.snapshot) else {
            return self.refuse(inbound, Refusal::NotServed, out);
        };
        // RFC 3261 §10.2: the Request-URI names the registrar, nobody else and nobody there.
        match message.parsed_request_uri() {
            Ok(uri) if uri.user().is_some() => return self.refuse(inbound, Refusal::Malformed, out),
            Ok(uri) if !self.is_us(&uri) => return self.refuse(inbound, Refusal::NotFound, out),
            Ok(_) => {}
            Err(_) => return self.refuse(inbound, Refusal::Malformed, out),
        }
        let snapshot = Arc::clone(&self.snapshot);
        let Some(realm) = snapshot.our_domain(domain) else {
            return self.refuse(inbound, Refusal::NotServed, out);
        };
        let authenticated = self.authenticate(inbound, Kind::Www, realm.as_str(), &snapshot, out);
        let Some((user, repeated)) = authenticated else { return };
        if !names(&user, aor_user, realm.as_str()) {
            return self.refuse(inbound, Refusal::NotYourRegistration, out);
        }
        if !is_from_user(&message, &user) {
            return self.refuse(inbound, Refusal::NotYourIdentity, out);
        }
        if inbound.outside.is_some() && !snapshot.external_access_policy(&user).allow_remote {
            return self.refuse(inbound, Refusal::ExternalForbidden, out);
        }
        let unknown = unknown_options(&message, Name::Require, &KNOWN_OPTIONS);
        if !unknown.is_empty() {
            return self.refuse_with(inbound, Refusal::UnknownRequire, &[("Unsupported", &unknown)], out);
        }
        let policy = snapshot.client_version_policy(&user);
        let warning = match client_version::judge(policy, &self.pages, user.address.domain(), &message) {
            ClientVerdict::Welcome => Vec::new(),
            ClientVerdict::Warned(line) => line,
            ClientVerdict::Blocked(link) => {
                let header = [("Error-Info", &link[..])];
                let headers = if link.is_empty() { &[][..] } else { &header[..] };
                return self.refuse_with(inbound, Refusal::ClientBlocked, headers, out);
            }
        };
        self.bind(inbound, (&user, repeated), &warning, &snapshot, out);
    }

    /// Challenges or refuses by itself and gives `None`, or gives the user who proved who he is, and whether the proof has
    /// been used before (REGISTER only; it has no transaction).
    pub(crate) fn authenticate(
        &mut self,
        inbound: &Inbound<'_>,
        kind: Kind,
        realm: &str,
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) -> Option<(Arc<UserRecord>, bool)> {
        let policy = &snapshot.pool(&self.pool).authentication;
        let source = inbound.source();
        let (groups, now) = (&self.groups, inbound.now);
        let known_here = |user: &UserRecord| {
            let aor = user.address.as_str();
            let mut bindings = groups[usize::from(routing_group(aor))].bindings(now, aor);
            bindings.any(|binding| is_from(&binding, source))
        };
        let ourselves = Ourselves { snapshot, listeners: &self.listeners, names: &self.own_names };
        let is_server = |uri: &Uri<'_>| ourselves.is(uri);
        let is_device_here = |user: &UserRecord, device: u64| {
            let aor = user.address.as_str();
            let mut bindings = groups[usize::from(routing_group(aor))].bindings(now, aor);
            bindings.any(|binding| {
                binding.instance().is_some_and(|instance| bearer::device(instance) == device)
                    && Flow::decode(binding.flow()) == Some(inbound.arrival.flow)
            })
        };
        let is_secure = inbound.arrival.transport.is_secure();
        let (is_server, known_here) = (&is_server, &known_here);
        let facts =
            Facts { now, source, kind, realm, is_server, is_secure, is_device_here: &is_device_here, known_here };
        let mut authenticator = Authenticator {
            snapshot,
            secrets: &self.credentials,
            nonces: &mut self.nonces,
            lockout: &mut self.lockout,
            limits: self.limits,
            bearers: &self.bearers,
            ends: &self.signed.ends,
            policy,
        };
        match authenticator.check(&inbound.message, &facts) {
            // A repetition meets its transaction before it comes here: this one is a replay, or as late as one.
            Authenticated::User { repeated: true, .. } if kind == Kind::Proxy => {
                self.ask(inbound, (kind, realm, true), snapshot, out);
                None
            }
            Authenticated::User { user, repeated, device } => {
                self.signed.note(inbound.arrival.flow, user.id, device);
                Some((user, repeated))
            }
            Authenticated::Challenge { stale } => {
                self.ask(inbound, (kind, realm, stale), snapshot, out);
                None
            }
            Authenticated::Refused { refusal, until } => {
                let seconds = until.map(|until| (until - now.mono).as_secs().max(1).to_string());
                let header = seconds.as_ref().map(|seconds| ("Retry-After", seconds.as_bytes()));
                self.refuse_with(inbound, refusal, header.as_slice(), out);
                None
            }
        }
    }

    /// Credentials in a request that its dialog let in: their count is spent as if they had been asked for.
    pub(crate) fn spend_credentials(&mut self, inbound: &Inbound<'_>, snapshot: &Snapshot) {
        if inbound.message.value(Name::ProxyAuthorization).is_none() {
            return;
        }
        let (kind, source) = (Kind::Proxy, inbound.source());
        let policy = &snapshot.pool(&self.pool).authentication;
        let mut authenticator = Authenticator {
            snapshot,
            secrets: &self.credentials,
            nonces: &mut self.nonces,
            lockout: &mut self.lockout,
            limits: self.limits,
            bearers: &self.bearers,
            ends: &self.signed.ends,
            policy,
        };
        authenticator.spend(&inbound.message, NonceUse { kind, source }, inbound.now.wall);
    }

    /// Challenges with what is offered to this client; with `stale` only the nonce was at fault.
    fn ask(&mut self, inbound: &Inbound<'_>, what: (Kind, &str, bool), snapshot: &Snapshot, out: &mut Outbox) {
        let (kind, realm, stale) = what;
        let agent = inbound.message.value(Name::UserAgent).unwrap_or_default();
        let offered = snapshot.pool(&self.pool).authentication.offered(agent);
        self.challenge(inbound, &Challenge { kind, realm, offered, stale }, out);
    }

    fn bind(
        &mut self,
        inbound: &Inbound<'_>,
        (user, repeated): (&UserRecord, bool),
        warning: &[u8],
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) {
        let message = inbound.message;
        let mut contacts: [ContactIntent<'_>; CONTACTS] = [ContactIntent::new(b""); CONTACTS];
        let list = match read_contacts(&message, &mut contacts, &self.ourselves()) {
            Ok(list) => list,
            Err(refusal) => return self.refuse(inbound, refusal, out),
        };
        let path = joined(&message, Name::Path);
        let registration = match outbound::registration(&message) {
            Ok(registration) => registration,
            Err(refused) if refused.status == 439 => return self.refuse(inbound, Refusal::FirstHopLacksOutbound, out),
            Err(_) => return self.refuse(inbound, Refusal::BadContacts, out),
        };
        let contact = match list {
            Contacts::List([first, ..]) => first.uri,
            _ => &[],
        };
        let flow = inbound.flow_to(contact).encode();
        let aor = user.address.as_str();
        let mut intent = RegisterIntent::new(aor, user.id, list);
        intent.expires = message.expires();
        intent.call_id = message.call_id();
        intent.cseq = message.cseq().number;
        intent.path = &path;
        intent.user_agent = message.value(Name::UserAgent).unwrap_or_default();
        intent.flow = &flow;
        intent.transport = inbound.arrival.transport;
        intent.repeated = repeated;
        let branch = message.top_via().map(|via| via.branch).unwrap_or_default();
        intent.branch_hash = hash64(branch);
        let policy = snapshot.registrar_policy(user);
        let away = self.store_is_away(inbound.now);
        let at = usize::from(routing_group(aor));
        let is_full = self.metrics.addresses.value() >= i64::from(snapshot.registrar_policy(user).max_users);
        if is_full && self.groups[at].bindings(inbound.now, aor).next().is_none() {
            return self.refuse_for_load(inbound, Refusal::RegistrarFull, out);
        }
        let before = self.groups[at].bindings(inbound.now, aor).count();
        if !away && before >= policy.max_endpoints as usize {
            self.release_closed(aor);
        }
        let group = &mut self.groups[at];
        let outcome = match away {
            false => group.register(inbound.now, policy, &intent, &mut self.journal),
            true => group.register_without_store(inbound.now, &intent, &self.journal),
        };
        match outcome {
            Ok(outcome) => {
                let mut lines = std::mem::take(&mut self.scratch);
                lines.clear();
                let serial = self.random.bits() as u32;
                let gruu = Minter::new(&self.gruus, &message, user, serial);
                write_bindings(&outcome, inbound.now, &path, &gruu, &mut lines);
                // RFC 5626 §6: said where this REGISTER was treated so.
                if registration == Registration::Outbound {
                    lines.extend_from_slice(b"Require: outbound\r\n");
                }
                lines.extend_from_slice(warning);
                let wait_for = outcome.wait_for;
                let signed = outcome.bindings.clone().count() != before;
                self.note_listening(inbound);
                self.answer_registration(inbound, wait_for, &lines, out);
                self.scratch = lines;
                if signed {
                    self.facts_changed_after(wait_for, inbound.now, aor);
                }
                self.devices_came(aor, wait_for);
            }
            Err(RegisterRefusal::Replayed) => {
                self.ask(inbound, (Kind::Www, user.address.domain(), true), snapshot, out);
            }
            Err(refusal) => self.refuse_registration(inbound, refusal, out),
        }
    }

    /// The 200: at once when nothing new must be durable first.
    fn answer_registration(&mut self, inbound: &Inbound<'_>, wait_for: Option<u64>, lines: &[u8], out: &mut Outbox) {
        let Some(seq) = wait_for.filter(|seq| *seq > self.withheld.committed()) else {
            return self.answer_lines(inbound, 200, "OK", lines, out);
        };
        let remote = inbound.arrival.remote;
        let tag = self.stateless_tag(&inbound.message);
        let mut builder = ResponseBuilder::new(&inbound.message, 200, "OK");
        builder.received(remote.ip(), remote.port()).to_tag(&tag).lines(lines);
        self.withheld.hold(seq, inbound.reply_to(), |buffer| builder.write(buffer));
    }

    fn refuse_registration(&mut self, inbound: &Inbound<'_>, refusal: RegisterRefusal, out: &mut Outbox) {
        match refusal {
            RegisterRefusal::IntervalTooBrief { min } => {
                let min = min.to_string();
                self.refuse_with(inbound, Refusal::IntervalTooBrief, &[("Min-Expires", min.as_bytes())], out);
            }
            RegisterRefusal::TooManyEndpoints { .. } => self.refuse(inbound, Refusal::TooManyEndpoints, out),
            RegisterRefusal::OutOfOrder | RegisterRefusal::Replayed => self.refuse(inbound, Refusal::OutOfOrder, out),
            RegisterRefusal::InvalidWildcard | RegisterRefusal::TooLarge { .. } => {
                self.refuse(inbound, Refusal::BadContacts, out);
            }
            RegisterRefusal::StoreAway => self.refuse_for_load(inbound, Refusal::StoreAway, out),
        }
    }
}

/// Is the binding reached at this address?
fn is_from(binding: &Binding<'_>, source: std::net::IpAddr) -> bool {
    matches!(Flow::decode(binding.flow()), Some(Flow::Datagram { remote, .. }) if remote.ip() == source)
}

/// User part and domain of To.
fn address_of_record<'a>(message: &Message<'a>, snapshot: &Snapshot) -> Option<(&'a [u8], &'a [u8])> {
    let to: NameAddr<'a> = message.to().ok()?;
    let uri = to.parsed_uri().ok()?;
    if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) || !snapshot.is_our_domain(uri.host_text()) {
        return None;
    }
    Some((uri.user()?, uri.host_text()))
}

/// Does the address of record name this user? Escapes are resolved, letter case of the user part counts as Lync had it: not.
fn names(user: &UserRecord, aor_user: &[u8], domain: &str) -> bool {
    let (name, its_domain) = (user.address.user(), user.address.domain());
    its_domain.eq_ignore_ascii_case(domain)
        && (aor_user.eq_ignore_ascii_case(name.as_bytes())
            || lyceum_sip::uri::unescape(aor_user).eq_ignore_ascii_case(name.as_bytes()))
}

/// Is From the user, too? Nobody registers for another here.
fn is_from_user(message: &Message<'_>, user: &UserRecord) -> bool {
    let Ok(from) = message.from() else { return false };
    let Ok(uri) = from.parsed_uri() else { return false };
    uri.user().is_some_and(|part| std::str::from_utf8(uri.host_text()).is_ok_and(|host| names(user, part, host)))
}

/// The options that a header asks for and that are not known here, comma joined; empty when there are none.
pub(crate) fn unknown_options(message: &Message<'_>, name: Name, known: &[&str]) -> Vec<u8> {
    if message.field(name).is_none() {
        return Vec::new();
    }
    let is_unknown = |tag: &&[u8]| !known.iter().any(|known| tag.eq_ignore_ascii_case(known.as_bytes()));
    message.values(name).filter(is_unknown).collect::<Vec<_>>().join(&b", "[..])
}

fn read_contacts<'a, 's>(
    message: &Message<'a>,
    into: &'s mut [ContactIntent<'a>; CONTACTS],
    ourselves: &Ourselves<'_>,
) -> Result<Contacts<'s>, Refusal>
where
    'a: 's,
{
    let mut count = 0;
    let mut star = false;
    for contact in message.contacts() {
        match contact.map_err(|_| Refusal::BadContacts)? {
            Contact::Star => star = true,
            contact @ Contact::Addr(address) => {
                let slot = into.get_mut(count).ok_or(Refusal::BadContacts)?;
                let uri = Uri::parse(address.uri).map_err(|_| Refusal::BadContacts)?;
                // What cannot be a target, or leads back to us, is no endpoint.
                if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) || ourselves.is_reached_by(&uri) {
                    return Err(Refusal::BadContacts);
                }
                *slot = ContactIntent::new(address.uri);
                slot.expires = contact.expires();
                slot.q = contact.q();
                slot.reg_id = contact.reg_id();
                slot.instance = address.param("+sip.instance").map(bare_instance);
                count += 1;
            }
        }
    }
    match (star, count) {
        (true, 0) => Ok(Contacts::Star),
        (true, _) => Err(Refusal::BadContacts),
        (false, count) => Ok(Contacts::List(&into[..count])),
    }
}

/// `"<urn:uuid:…>"` without its quotes and angle brackets.
fn bare_instance(value: &[u8]) -> &[u8] {
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let value = value.strip_suffix(b"\"").unwrap_or(value);
    let value = value.strip_prefix(b"<").unwrap_or(value);
    value.strip_suffix(b">").unwrap_or(value)
}

fn joined(message: &Message<'_>, name: Name) -> Vec<u8> {
    if message.field(name).is_none() {
        return Vec::new(); // no allocation
    }
    message.values(name).collect::<Vec<_>>().join(&b", "[..])
}

/// The header lines of the 200: every binding with the time it has left (RFC 3261 §10.3 step 8), Path echoed (RFC 3327).
fn write_bindings(outcome: &Outcome<'_>, now: Now, path: &[u8], gruu: &Minter<'_>, lines: &mut Vec<u8>) {
    for binding in outcome.bindings.clone() {
        lines.extend_from_slice(b"Contact: <");
        lines.extend_from_slice(binding.uri());
        lines.extend_from_slice(b">;expires=");
        write_number(binding.expires_in(now.wall), lines);
        if binding.q() != 1000 {
            lines.extend_from_slice(format!(";q=0.{:03}", binding.q()).as_bytes());
        }
        if let Some(instance) = binding.instance() {
            lines.extend_from_slice(b";+sip.instance=\"<");
            lines.extend_from_slice(instance);
            lines.extend_from_slice(b">\"");
            gruu.write(&binding, lines);
        }
        if let Some(reg_id) = binding.reg_id() {
            lines.extend_from_slice(b";reg-id=");
            write_number(reg_id, lines);
        }
        if !binding.params().is_empty() {
            lines.push(b';');
            lines.extend_from_slice(binding.params());
        }
        lines.extend_from_slice(b"\r\n");
    }
    if !path.is_empty() {
        lines.extend_from_slice(b"Path: ");
        lines.extend_from_slice(path);
        lines.extend_from_slice(b"\r\n");
    }
    lines.extend_from_slice(b"Supported: path, outbound, gruu\r\n");
}

fn write_number(mut value: u32, out: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_is_taken_bare() {
        assert_eq!(bare_instance(b"\"<urn:uuid:1>\""), b"urn:uuid:1");
        assert_eq!(bare_instance(b"x"), b"x");
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for value in [0, 7, 10, 600, u32::MAX] {
            let mut out = Vec::new();
            write_number(value, &mut out);
            assert_eq!(out, value.to_string().as_bytes());
        }
    }
}
