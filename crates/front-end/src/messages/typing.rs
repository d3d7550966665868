//! Who is typing in a conversation of several: told to the devices that are signed in, kept for nobody.

use lyceum_net::{Flow, Outbox};
use lyceum_sip::transaction::Outgoing;
use lyceum_sip::{Message, Method, Name, RequestBuilder};
use lyceum_topology::{Snapshot, routing_group};
use lyceum_users::Binding;
use lyceum_users::messages::{DeviceKey, MessageId};
use lyceum_users::presence::Reach;

use crate::calls::forward::sent_by;
use crate::core::Core;
use crate::inbound::Inbound;

/// In larger conversations nobody is told who types.
const MEMBERS_MOST: usize = 50;
/// Marks a client transaction whose answer means nothing: that of a delivery which is never under way.
const NOBODY_WAITS: u64 = super::deliver::MARK | u32::MAX as u64;

impl Core {
    /// Tells everybody else of a conversation that somebody is typing.
    pub(super) fn tell_typing(
        &mut self,
        inbound: &Inbound<'_>,
        sender: &str,
        (id, members): &(String, Vec<String>),
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) {
        if members.len() > MEMBERS_MOST || !members.iter().any(|member| member == sender) {
            return;
        }
        let name = self.next_message_id(inbound.now, usize::from(routing_group(sender)));
        for member in members.iter().filter(|member| *member != sender) {
            let user = member.split_once('@').and_then(|(user, at)| snapshot.user(user.as_bytes(), at.as_bytes()));
            let Some(user) = user.filter(|user| user.enabled) else { continue };
            if self.reach(inbound.now, snapshot, user, sender) == Reach::Allowed {
                self.tell_devices(inbound, member, id, name);
            }
        }
        self.flush_transactions(inbound.now, out);
    }

    fn tell_devices(&mut self, inbound: &Inbound<'_>, member: &str, id: &str, name: MessageId) {
        let bindings = self.groups[usize::from(routing_group(member))].bindings(inbound.now, member);
        let copies: Vec<(Vec<u8>, Vec<u8>, Flow, bool)> =
            bindings.filter_map(|binding| self.typing_copy(&inbound.message, &binding, (member, id, name))).collect();
        for (branch, bytes, flow, reliable) in copies {
            let request = Outgoing {
                method: b"MESSAGE",
                branch: &branch,
                bytes: &bytes,
                reliable,
                peer: flow.into(),
                user: NOBODY_WAITS,
            };
            // With the table full, one knows a little later that somebody is typing.
            let _ = self.transactions.send(inbound.now.mono, request);
        }
    }

    fn typing_copy(
        &self,
        message: &Message<'_>,
        binding: &Binding<'_>,
        (member, id, name): (&str, &str, MessageId),
    ) -> Option<(Vec<u8>, Vec<u8>, Flow, bool)> {
        let (flow, transport) = (Flow::decode(binding.flow())?, binding.transport());
        let listener = self.listener_of(&flow, transport)?;
        let branch = self.branch_of(member, DeviceKey::of(binding.instance(), binding.uri()), name);
        let mut via = Vec::with_capacity(96);
        lyceum_sip::proxy::via_line(&mut via, &sent_by(listener, transport), &branch);
        let mut builder = RequestBuilder::new(Method::Message, binding.uri());
        builder.via(via.strip_prefix(b"Via: ").unwrap_or(&via));
        if !binding.path().is_empty() {
            builder.route(binding.path());
        }
        builder.from(message.value(Name::From)?).to(message.value(Name::To)?);
        builder.call_id(message.call_id()).cseq(message.cseq().number);
        builder.header("Conversation-ID", id.as_bytes());
        builder.body(message.value(Name::ContentType)?, message.body());
        let mut bytes = Vec::with_capacity(message.body().len() + 1024);
        builder.write(&mut bytes);
        Some((branch, bytes, flow, transport.is_reliable()))
    }
}
