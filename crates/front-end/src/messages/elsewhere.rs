//! Messages that are forwarded and never kept: policy, filter and archive hold for them too.

use lyceum_net::Outbox;
use lyceum_sip::Name;
use lyceum_sip::transaction::ServerId;
use lyceum_topology::Snapshot;

use super::letter::{Kind, PLAIN, kind_of};
use super::take::Taken;
use crate::calls::admit::Admitted;
use crate::core::Core;
use crate::inbound::Inbound;
use crate::refusal::Refusal;

impl Core {
    /// A message that the proxy forwards: to a number, to another domain, within a dialog. It cannot be changed on its
    /// way, so what the filter would change is refused. In critical mode it waits for the archive and is forwarded then.
    pub(super) fn take_elsewhere(
        &mut self,
        inbound: &Inbound<'_>,
        server: ServerId,
        admitted: &Admitted<'_>,
        (snapshot, archived): (&Snapshot, bool),
        out: &mut Outbox,
    ) -> Taken {
        let message = inbound.message;
        if self.leads_nowhere(admitted, snapshot) {
            return Taken::Forward(None);
        }
        let said = (message.value(Name::ContentType).unwrap_or(PLAIN), message.body());
        let (sender, other) = self.ends(inbound, admitted, snapshot);
        let refusal = match self.may_pass(inbound, &admitted.sender, &sender, said, snapshot) {
            Ok(None) => None,
            Ok(Some(_)) => Some(Refusal::MessageFiltered),
            Err(refusal) => Some(refusal),
        };
        if let Some(refusal) = refusal {
            self.refuse_event(inbound, server, refusal, &[], out);
            return Taken::Done;
        }
        let people = (sender.as_str(), &[other.as_str()][..]);
        if kind_of(said.0, said.1) == Kind::Words
            && !archived
            && self.archive(inbound, server, &admitted.sender, people, said, snapshot, out)
        {
            return Taken::Done;
        }
        Taken::Forward(None)
    }
}
