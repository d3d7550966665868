//! Next hops one after another: those of a static route, and what DNS makes of a name (RFC 3263 §4.3).

use std::net::SocketAddr;

use lyceum_monitoring::DecisionStep;
use lyceum_net::Outbox;
use lyceum_sip::time::Now;
use lyceum_sip::{Message, Transport};
use lyceum_topology::NextHop;

use super::admit::Admitted;
use super::context::{Context, ContextId, Hop};
use super::forward::Opened;
use super::hops::Way;
use super::targets::Targets;
use super::{LOOKUPS, Located, Lookup, Resolved, WaitingName};
use crate::core::{Core, Effect};
use crate::refusal::Refusal;
use crate::trace::wire_of;

/// One hop to try.
#[derive(Clone, Debug)]
pub enum Step {
    /// An address.
    Hop(Hop),
    /// A name, and the port on which the topology says that its host listens on TCP, too.
    Name(Lookup, Option<u16>),
}

impl Core {
    /// The hops of a static route in the order to try them, drawn by priority and weight.
    pub(super) fn static_hops(&mut self, hops: &[NextHop], mut steps: Option<&mut Vec<DecisionStep>>) -> Targets {
        let mut order = Vec::new();
        let route = lyceum_topology::StaticRoute {
            name: String::new(),
            description: String::new(),
            matches: lyceum_topology::RouteMatch::UriPrefix { prefix: String::new() },
            next_hops: hops.to_vec(),
        };
        route.order(|most| self.random.up_to(most), &mut order);
        let mut list = Vec::new();
        for hop in order.iter().filter_map(|at| hops.get(*at)) {
            let way = self.way_to_hop(hop);
            if let Some(steps) = steps.as_deref_mut() {
                let address = match &way {
                    Some(Way::Hop(Hop { to: lyceum_net::Destination::Address { addr, transport, .. }, .. })) => {
                        Some((*addr, wire_of(*transport)))
                    }
                    _ => None,
                };
                let transport = address.map_or(wire_of(hop.transport.into()), |(_, wire)| wire);
                steps.push(DecisionStep::NextHop {
                    host: hop.host.clone(),
                    address: address.map(|(addr, _)| addr),
                    transport,
                });
            }
            let stream_port = super::large::stream_port(hops, hop);
            match way {
                Some(Way::Hop(mut next)) => {
                    next.stream = next.remote().zip(stream_port).map(|(addr, port)| SocketAddr::new(addr.ip(), port));
                    if steps.is_some() {
                        next.record = Some(Self::record_of_hop(&hop.host, &next));
                    }
                    list.push(Step::Hop(next));
                }
                Some(Way::Name(name)) => list.push(Step::Name(name, stream_port)),
                None => {}
            }
        }
        if list.is_empty() { Targets::Refuse(Refusal::NextHopDown) } else { Targets::Serial(list) }
    }

    #[expect(clippy::too_many_arguments, reason = "the request under way is one value in seven parts that live apart")]
    pub(super) fn begin_serial<'p>(
        &mut self,
        now: Now,
        id: ContextId,
        context: &mut Context,
        list: Vec<Step>,
        message: &Message<'p>,
        admitted: &Admitted<'p>,
        out: &mut Outbox,
    ) {
        let mut steps = list.into_iter();
        match steps.next() {
            Some(Step::Hop(hop)) => {
                context.later = steps.collect();
                if !context.later.is_empty() {
                    context.responses.expect_more();
                }
                if let Some(branch) = context.responses.branch() {
                    self.begin_branch(now, Opened { id, branch }, context, hop, message, admitted);
                }
                self.drain_context(now, id, context, None, out);
            }
            Some(Step::Name(name, stream_port)) => {
                context.later = steps.collect();
                self.look_up(now, context, name, WaitingName { context: id, stream_port });
            }
            None => self.refuse_context(now, context, Refusal::NextHopDown),
        }
    }

    /// Goes on to the next hop; a name is looked up first.
    pub(super) fn next_hop(&mut self, now: Now, id: ContextId, context: &mut Context) {
        if context.later.is_empty() {
            return context.responses.no_more();
        }
        match context.later.remove(0) {
            Step::Hop(hop) => {
                self.begin_later(now, id, context, hop);
                // Only now: with nothing under way the best answer so far would go out.
                if context.later.is_empty() {
                    context.responses.no_more();
                }
            }
            Step::Name(name, stream_port) => {
                self.look_up(now, context, name, WaitingName { context: id, stream_port });
            }
        }
    }

    fn look_up(&mut self, now: Now, context: &mut Context, target: Lookup, waiting: WaitingName) {
        if self.calls.lookups.len() >= LOOKUPS {
            return self.refuse_context(now, context, Refusal::NoRoom);
        }
        context.waiting_for_name = true;
        let query = self.calls.next_lookup;
        self.calls.next_lookup += 1;
        self.calls.lookups.insert(query, waiting);
        self.effects.push_back(Effect::Resolve { query, target });
    }

    /// The hops to what DNS named; one by UDP knows where the same host listens on TCP.
    fn located_hops(&self, list: &[Located], stream_port: Option<u16>) -> Vec<Hop> {
        let stream = |located: &Located| {
            let named =
                list.iter().find(|other| other.transport == Transport::Tcp && other.addr.ip() == located.addr.ip());
            named.map(|other| other.addr).or(stream_port.map(|port| SocketAddr::new(located.addr.ip(), port)))
        };
        let hop = |located: &Located| {
            let mut hop = self.hop_to_address(located)?;
            hop.stream = stream(located).filter(|_| located.transport == Transport::Udp);
            Some(hop)
        };
        list.iter().filter_map(hop).collect()
    }

    /// A name was looked up: the request goes on.
    pub fn resolved(&mut self, now: Now, query: u64, answer: Resolved, out: &mut Outbox) {
        let Some(waiting) = self.calls.lookups.remove(&query) else { return };
        let Some(mut context) = self.calls.contexts.take(waiting.context) else { return };
        context.waiting_for_name = false;
        match &answer {
            Ok(list) => {
                let hops = self.located_hops(list, waiting.stream_port);
                context.later.splice(0..0, hops.into_iter().map(Step::Hop));
            }
            Err(error) => tracing::warn!(%error, "next hop does not resolve"),
        }
        if context.later.is_empty() && context.branches.is_empty() {
            self.refuse_context(now, &mut context, Refusal::NextHopUnknown);
        } else if !context.cancelled {
            context.responses.expect_more();
            self.next_hop(now, waiting.context, &mut context);
            self.drain_context(now, waiting.context, &mut context, None, out);
        }
        self.calls.contexts.put_back(waiting.context, context);
        self.flush_transactions(now, out);
    }
}
