//! Who proved who they are on which connection: what is to be cut when they may not any more.
//!
//! | event | then |
//! |---|---|
//! | a request on a connection is somebody's | noted, with the device of the token if it came with one |
//! | the connection closes | forgotten |
//! | the user is gone, or has another password | every connection of theirs is cut |
//! | the page of a device signed out | its connections are cut |

use std::collections::HashMap;

use lyceum_net::Flow;
use lyceum_sip::token::ends::Ends;
use lyceum_topology::UserId;

/// Users noted of one connection, as of a proxy that carries many; later ones are not noted.
const USERS_OF_A_FLOW: usize = 64;

/// Somebody on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signed {
    user: UserId,
    /// What the token was given to; `None` with a password.
    device: Option<u64>,
}

/// Who is on which connection. Datagrams have none to be cut.
#[derive(Debug, Default)]
pub(crate) struct SignedFlows {
    users: HashMap<Flow, Vec<Signed>>,
    flows: HashMap<UserId, Vec<Flow>>,
    /// Tokens that ended before their time.
    pub(crate) ends: Ends,
}

impl SignedFlows {
    /// A request on this connection is this user's.
    pub(crate) fn note(&mut self, flow: Flow, user: UserId, device: Option<u64>) {
        // A link carries many, and stays.
        if !matches!(flow, Flow::Stream { .. }) || flow.link().is_some() {
            return;
        }
        let signed = Signed { user, device };
        let users = self.users.entry(flow).or_default();
        if users.contains(&signed) || users.len() >= USERS_OF_A_FLOW {
            return;
        }
        let is_new = !users.iter().any(|one| one.user == user);
        users.push(signed);
        if is_new {
            self.flows.entry(user).or_default().push(flow);
        }
    }

    /// The connection is closed.
    pub(crate) fn closed(&mut self, flow: Flow) {
        for Signed { user, .. } in self.users.remove(&flow).unwrap_or_default() {
            if let Some(flows) = self.flows.get_mut(&user) {
                flows.retain(|one| *one != flow);
                if flows.is_empty() {
                    self.flows.remove(&user);
                }
            }
        }
    }

    /// The connections of a user; with a device those on which its token was shown.
    pub(crate) fn of(&self, user: UserId, device: Option<u64>) -> Vec<Flow> {
        let fits = |one: &Signed| one.user == user && (device.is_none() || one.device == device);
        let flows = self.flows.get(&user).into_iter().flatten().copied();
        flows.filter(|flow| self.users.get(flow).is_some_and(|users| users.iter().any(fits))).collect()
    }

    /// Whether a connection is open, as far as anybody proved who they are on it.
    pub(crate) fn is_open(&self, flow: Flow) -> bool {
        self.users.contains_key(&flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(index: u32) -> Flow {
        Flow::Stream { worker: 0, index, generation: 1 }
    }

    #[test]
    fn connections_are_found_by_user_and_device_until_they_close() {
        let (anna, ben) = (UserId(1), UserId(2));
        let mut signed = SignedFlows::default();
        for (at, user, device) in [(1, anna, Some(7)), (1, anna, Some(7)), (2, anna, None), (3, ben, Some(7))] {
            signed.note(flow(at), user, device);
        }
        assert_eq!(signed.of(anna, None), [flow(1), flow(2)]);
        assert_eq!(signed.of(anna, Some(7)), [flow(1)]);
        assert_eq!(signed.of(anna, Some(8)), []);
        signed.closed(flow(1));
        assert!(!signed.is_open(flow(1)) && signed.is_open(flow(2)));
        signed.closed(flow(2));
        assert_eq!(signed.of(anna, None), []);
        signed.closed(flow(3));
        assert_eq!((signed.users.len(), signed.flows.len()), (0, 0));
    }

    #[test]
    fn one_connection_holds_so_many_users() {
        let mut signed = SignedFlows::default();
        for user in 0..100 {
            signed.note(flow(1), UserId(user), None);
        }
        assert_eq!((signed.flows.len(), signed.of(UserId(99), None).len()), (USERS_OF_A_FLOW, 0));
    }
}
