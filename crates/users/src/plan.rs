//! The general case of a REGISTER: the new list of bindings, or why there is none. Pure.

use crate::bytes::hash64;
use crate::intent::{ContactIntent, Contacts, RegisterIntent};
use crate::matching::{same_binding, same_device};
use crate::record::{Binding, Stamp};
use crate::refusal::{Field, RegisterRefusal};
use crate::{MAX_CONTACTS, MAX_FLOW, MAX_INSTANCE, MAX_PARAMS, MAX_PATH, MAX_URI, MAX_USER_AGENT};
use lyceum_sip::time::{Now, WallTime};
use lyceum_topology::RegistrarPolicy;

/// What a REGISTER comes to.
pub(crate) enum Plan<'a> {
    /// The bindings as they shall be, best first.
    Change(Vec<Binding<'a>>),
    /// A query, a removal of nothing, or a retransmission.
    Same { retransmission: bool },
}

/// Refuses what is over its bound; part of admission, before any state is looked at.
pub(crate) fn check_bounds(intent: &RegisterIntent<'_>) -> Result<(), RegisterRefusal> {
    let bounded = |len: usize, max: usize, field: Field| {
        if len > max { Err(RegisterRefusal::TooLarge { field }) } else { Ok(()) }
    };
    bounded(intent.path.len(), MAX_PATH, Field::Path)?;
    bounded(intent.flow.len(), MAX_FLOW, Field::Flow)?;
    let Contacts::List(contacts) = intent.contacts else { return Ok(()) };
    bounded(contacts.len(), MAX_CONTACTS, Field::Contacts)?;
    for contact in contacts {
        bounded(contact.uri.len(), MAX_URI, Field::Uri)?;
        bounded(contact.instance.map_or(0, <[u8]>::len), MAX_INSTANCE, Field::Instance)?;
        bounded(contact.params.len(), MAX_PARAMS, Field::Params)?;
    }
    Ok(())
}

/// The interval granted, in seconds; 0 removes (RFC 3261 §10.3 step 7).
pub(crate) fn granted(
    contact: &ContactIntent<'_>,
    intent: &RegisterIntent<'_>,
    policy: &RegistrarPolicy,
) -> Result<u32, RegisterRefusal> {
    match contact.expires.or(intent.expires) {
        None => Ok(policy.default_expires),
        Some(0) => Ok(0),
        Some(asked) if asked < policy.min_expires => Err(RegisterRefusal::IntervalTooBrief { min: policy.min_expires }),
        Some(asked) => Ok(asked.min(policy.max_expires)),
    }
}

/// The binding that a contact asks for.
pub(crate) fn binding_of<'a>(
    contact: &ContactIntent<'a>,
    intent: &RegisterIntent<'a>,
    granted: u32,
    now: WallTime,
) -> Binding<'a> {
    let agent = intent.user_agent;
    Binding {
        stamp: Stamp {
            expires: WallTime(now.0 + u64::from(granted) * 1000),
            granted,
            cseq: intent.cseq,
            call: hash64(intent.call_id),
            branch: intent.branch_hash,
        },
        q: contact.q.min(1000),
        transport: intent.transport,
        uri: contact.uri,
        flow: intent.flow,
        instance: contact.instance,
        reg_id: contact.reg_id,
        path: intent.path,
        user_agent: &agent[..agent.len().min(MAX_USER_AGENT)],
        params: contact.params,
    }
}

/// Where a REGISTER stands in the order of its Call-ID.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Newer,
    Retransmission,
    Older,
}

/// RFC 3261 §10.3 step 7: only within one Call-ID does CSeq tell the order.
pub(crate) fn order(stored: &Stamp, intent: &RegisterIntent<'_>, call: u64) -> Order {
    if stored.call != call || intent.cseq > stored.cseq {
        Order::Newer
    } else if intent.cseq == stored.cseq && intent.branch_hash == stored.branch {
        Order::Retransmission
    } else {
        Order::Older
    }
}

struct Slot<'a> {
    binding: Binding<'a>,
    /// Made or renewed by this REGISTER.
    fresh: bool,
    /// Was there before.
    old: bool,
}

/// Applies all contacts or none.
pub(crate) fn plan<'a>(
    now: Now,
    policy: &RegistrarPolicy,
    intent: &RegisterIntent<'a>,
    live: impl Iterator<Item = Binding<'a>>,
) -> Result<Plan<'a>, RegisterRefusal> {
    let mut slots: Vec<Slot<'a>> = live.map(|binding| Slot { binding, fresh: false, old: true }).collect();
    let contacts = match intent.contacts {
        Contacts::Star => return star(intent, &slots),
        Contacts::List([]) => return Ok(Plan::Same { retransmission: false }),
        Contacts::List(contacts) => contacts,
    };
    let call = hash64(intent.call_id);
    let mut touched = false;
    for contact in contacts {
        let granted = granted(contact, intent, policy)?;
        let named = slots.iter().any(|s| same_binding(&s.binding, contact));
        let mut kept = None;
        let mut index = 0;
        while index < slots.len() {
            let slot = &slots[index];
            let matches = if named {
                same_binding(&slot.binding, contact)
            } else {
                !slot.fresh && same_device(&slot.binding, contact, intent)
            };
            if !matches {
                index += 1;
                continue;
            }
            if !slot.fresh {
                match order(&slot.binding.stamp, intent, call) {
                    Order::Newer => {}
                    Order::Retransmission => return Ok(Plan::Same { retransmission: true }),
                    Order::Older => return Err(RegisterRefusal::OutOfOrder),
                }
            }
            touched = true;
            if granted == 0 || kept.is_some() {
                slots.remove(index);
            } else {
                kept = Some(index);
                index += 1;
            }
        }
        if granted == 0 {
            continue;
        }
        touched = true;
        let binding = binding_of(contact, intent, granted, now.wall);
        match kept {
            Some(index) => {
                slots[index].binding = binding;
                slots[index].fresh = true;
            }
            None => slots.push(Slot { binding, fresh: true, old: false }),
        }
    }
    if !touched {
        return Ok(Plan::Same { retransmission: false });
    }
    finish(policy, slots)
}

fn star<'a>(intent: &RegisterIntent<'a>, slots: &[Slot<'a>]) -> Result<Plan<'a>, RegisterRefusal> {
    if intent.expires != Some(0) {
        return Err(RegisterRefusal::InvalidWildcard);
    }
    if slots.is_empty() {
        return Ok(Plan::Same { retransmission: false });
    }
    let call = hash64(intent.call_id);
    // The bindings exist, so this is no retransmission of a removal that was carried out.
    if slots.iter().any(|s| order(&s.binding.stamp, intent, call) != Order::Newer) {
        return Err(RegisterRefusal::OutOfOrder);
    }
    Ok(Plan::Change(Vec::new()))
}

fn finish<'a>(policy: &RegistrarPolicy, mut slots: Vec<Slot<'a>>) -> Result<Plan<'a>, RegisterRefusal> {
    // A limit lowered later ends no endpoint that is there; it only admits no further one.
    if slots.len() > policy.max_endpoints as usize && slots.iter().any(|s| !s.old) {
        return Err(RegisterRefusal::TooManyEndpoints { limit: policy.max_endpoints });
    }
    slots.sort_by_key(|s| std::cmp::Reverse(s.binding.q));
    Ok(Plan::Change(slots.into_iter().map(|s| s.binding).collect()))
}
