//! Messages that are forwarded and never kept: policy, filter and archive hold for them too.

use lyceum_net::Outbox;
use lyceum_sip::Message;
use lyceum_sip::transaction::ServerId;
use lyceum_topology::policy::ArchiveDuty;
use lyceum_topology::{Snapshot, routing_group};

use super::letter::{Kind, kind_of, sender_of};
use super::take::Taken;
use crate::calls::admit::Sender;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::refusal::Refusal;

impl Core {
    /// A message that the proxy forwards: to one device by its GRUU, to a number, to another domain, within a dialog.
    /// Policy, filter and archive hold for it too. It cannot be changed or kept on its way, so what would have to be is
    /// refused.
    pub(crate) fn take_elsewhere(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        who: &Sender,
        snapshot: &Snapshot,
        out: &mut Outbox,
    ) -> Taken {
        let message = inbound.message;
        let refusal = match self.may_pass(inbound, who, snapshot) {
            Ok(None) => None,
            Ok(Some(_)) => Some(Refusal::MessageFiltered),
            Err(refusal) => Some(refusal),
        };
        let sender = sender_of(who, &message);
        let other = to_address(&message).unwrap_or_default();
        let duty = match kind_of(&message) {
            Kind::Words => self.archive_duty(&sender, &[&other], snapshot),
            Kind::Typing | Kind::Notice => ArchiveDuty::None,
        };
        let refusal = refusal.or((duty == ArchiveDuty::ArchiveOrRefuse).then_some(Refusal::ArchiveAway));
        if let Some(refusal) = refusal {
            self.refuse_event(inbound, server, refusal, &[], out);
            return Taken::Done;
        }
        if duty == ArchiveDuty::Archive {
            let id = self.next_message_id(inbound.now, usize::from(routing_group(&sender)));
            let row = self.archive_row(inbound.now, &message, (&sender, &[&other]), id);
            self.messages.history.push(row);
        }
        Taken::Forward(None)
    }
}

/// The address in To.
fn to_address(message: &Message<'_>) -> Option<String> {
    let uri = message.to().ok()?.parsed_uri().ok()?;
    let user = uri.user_unescaped()?;
    let address = format!("{}@{}", std::str::from_utf8(&user).ok()?, std::str::from_utf8(uri.host_text()).ok()?);
    Some(address.to_ascii_lowercase())
}
