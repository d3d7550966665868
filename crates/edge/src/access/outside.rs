//! From users outside to the pool, and the pool's answers back.

use lyceum_net::{Arrival, Destination, Outbox};
use lyceum_sip::header::route::Hop;
use lyceum_sip::proxy::{hops_left, wants_record_route};
use lyceum_sip::time::Now;
use lyceum_sip::{Message, Method, Name, Splice};

use super::engine::{Access, Inbound};
use super::marks::{Leads, Way};
use super::refusal::Refusal;
use super::{OUTSIDE_HEADER, REQUESTS_PER_SECOND, strip};

/// What is written on a request from outside.
pub(super) struct Outside<'a> {
    /// What the pool is told of the sender.
    pub(super) who: &'a str,
    /// Where requests of its dialogs come back to.
    pub(super) leads: Leads,
    /// Our port that it came to, as others write it.
    pub(super) at: &'a str,
    pub(super) is_client: bool,
}

impl Access {
    pub(super) fn client_asks(&mut self, inbound: &Inbound<'_>, out: &mut Outbox) {
        let source = inbound.arrival.remote.ip();
        if !self.sources.admits(inbound.now.mono, source, REQUESTS_PER_SECOND) {
            return self.refuse(inbound, Refusal::TooFast, out);
        }
        match self.own_route(&inbound.message) {
            // The mark may be of an earlier flow: phones reconnect. What it leads to from here is always the pool.
            Ok(None | Some(Leads::Client(_))) => {}
            Ok(Some(Leads::Partner(_))) | Err(()) => return self.refuse(inbound, Refusal::NotOurToken, out),
        }
        let at = self.remote.clone();
        let leads = Leads::Client(inbound.arrival.flow);
        self.hand_to_pool(inbound, &Outside { who: "remote", leads, at: &at, is_client: true }, out);
    }

    /// What the first Route says when it is one of ours: nothing but our name, or a mark. `Err` for a mark that is not ours.
    pub(super) fn own_route(&self, message: &Message<'_>) -> Result<Option<Leads>, ()> {
        let Some(raw) = message.values(Name::Route).next() else { return Ok(None) };
        let hop = Hop::parse(raw).map_err(|_| ())?;
        if !self.is_us(&hop.uri) || hop.uri.user().is_none() {
            return Ok(None);
        }
        self.marks.leads(&hop.uri).map(Some).ok_or(())
    }

    /// Whether the first Route is ours and so consumed here.
    pub(super) fn is_first_route_ours(&self, message: &Message<'_>) -> bool {
        let first = message.values(Name::Route).next();
        first.is_some_and(|raw| Hop::parse(raw).is_ok_and(|hop| self.is_us(&hop.uri)))
    }

    /// Hands a request from outside to the pool.
    pub(super) fn hand_to_pool(&mut self, inbound: &Inbound<'_>, outside: &Outside<'_>, out: &mut Outbox) {
        let message = inbound.message;
        let Ok(hops) = hops_left(&message) else { return self.refuse(inbound, Refusal::TooManyHops, out) };
        let Some(pool) = self.link.flow() else { return self.refuse(inbound, Refusal::LinkDown, out) };
        let (flow, remote) = (inbound.arrival.flow, inbound.arrival.remote);
        let branch = self.marks.branch(&Way::Outside(flow), self.marks.transaction(&message));
        let via = via_line(outside.at, &branch);
        let who = format!("{OUTSIDE_HEADER}: {}", outside.who);
        let hops = hops.to_string();
        let sips = message.parsed_request_uri().is_ok_and(|uri| uri.is_secure());
        let path = (message.method() == Method::Register)
            .then(|| self.marks.route_line("Path: ", outside.at, &outside.leads, ";ob", false));
        let record = wants_record_route(&message)
            .then(|| self.marks.route_line("Record-Route: ", outside.at, &outside.leads, "", sips));
        let mut splice = Splice::new(message);
        splice.set_top_via_params(Some(remote.ip()), Some(remote.port()));
        strip::from_outside(&mut splice, outside.is_client);
        if self.is_first_route_ours(&message) {
            splice.remove_first_value(Name::Route);
        }
        splice.replace(Name::MaxForwards, hops.as_bytes());
        for line in [&path, &record].into_iter().flatten() {
            splice.prepend(line);
        }
        splice.append(who.as_bytes()).prepend(&via);
        self.write(&splice, &Destination::Flow(pool), 0, out);
    }

    /// An answer from outside to a request of the pool.
    pub(super) fn answer_pool(&mut self, message: &Message<'_>, out: &mut Outbox) {
        let Some(pool) = self.link.flow() else { return };
        let mut splice = Splice::new(*message);
        strip::from_outside(&mut splice, false);
        splice.remove_first_value(Name::Via);
        self.write(&splice, &Destination::Flow(pool), 0, out);
    }

    /// An answer of the pool: to ourselves, or to who asked.
    pub(super) fn answer_of_pool(&mut self, now: Now, arrival: &Arrival<'_>, message: &Message<'_>, out: &mut Outbox) {
        if let Some(body) = self.link.answered(now.mono, arrival, message) {
            if !body.is_empty() {
                self.news(body);
            }
            return;
        }
        let Ok(via) = message.top_via() else { return };
        let Some(Way::Outside(flow)) = self.marks.way(via.branch) else { return };
        let mut splice = Splice::new(*message);
        strip::to_outside(&mut splice);
        splice.remove_first_value(Name::Via);
        self.write(&splice, &Destination::Flow(flow), 0, out);
    }

    /// What the pool says of the topology.
    fn news(&mut self, body: &[u8]) {
        match serde_json::from_slice(body) {
            Ok(cut) if self.cut != cut => {
                self.cut = cut;
                tracing::info!(domains = self.cut.domains.len(), "topology of the pool taken");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "what the pool says of the topology cannot be read"),
        }
    }

    pub(super) fn write(&mut self, splice: &Splice<'_>, to: &Destination, ticket: u64, out: &mut Outbox) {
        out.send(to, ticket, |buffer| splice.write(buffer));
    }
}

/// Our Via on a request.
pub(super) fn via_line(at: &str, branch: &[u8]) -> Vec<u8> {
    let mut via = Vec::with_capacity(128);
    via.extend_from_slice(b"Via: SIP/2.0/TLS ");
    via.extend_from_slice(at.as_bytes());
    via.extend_from_slice(b";branch=");
    via.extend_from_slice(branch);
    via
}
