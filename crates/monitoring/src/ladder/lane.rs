//! The columns of a ladder.

use crate::decision::Wire;
use crate::head::{Head, address};
use crate::trace::{Direction, TraceEntry};
use serde::Serialize;
use std::net::SocketAddr;

/// Somebody who sends and receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// What to call it: the user part of an address, or an address. `Lyceum` is the server.
    pub name: String,
    /// Where it is; the server has many addresses, and none here.
    pub address: Option<SocketAddr>,
    /// What carries its messages.
    pub transport: Option<Wire>,
}

impl Lane {
    /// The name with the address, for sentences.
    pub fn who(&self) -> String {
        // A connection on which nothing came has no address to name.
        match self.address.filter(|address| !address.ip().is_unspecified()) {
            Some(address) if self.name != address.to_string() => format!("{} ({address})", self.name),
            Some(address) => address.to_string(),
            None => self.name.clone(),
        }
    }
}

/// The lanes as they are found: the server is the second, after the one who spoke first.
#[derive(Default)]
pub(super) struct Lanes(Vec<Lane>);

/// The server's place among the lanes.
pub(super) const SERVER: usize = 1;

impl Lanes {
    /// The lane of the other party of this message.
    pub(super) fn peer(&mut self, entry: &TraceEntry, head: &Head<'_>) -> usize {
        if let Some(at) = self.0.iter().position(|lane| lane.address == Some(entry.remote)) {
            if self.0[at].name == entry.remote.to_string() {
                self.0[at].name = name(entry, head);
            }
            return at;
        }
        let lane = Lane { name: name(entry, head), address: Some(entry.remote), transport: Some(entry.transport) };
        self.0.push(lane);
        if self.0.len() == 1 {
            self.0.push(Lane { name: "Lyceum".to_owned(), address: None, transport: None });
            return 0;
        }
        self.0.len() - 1
    }

    pub(super) fn finish(self) -> Vec<Lane> {
        self.0
    }
}

/// What the first message with a party says of its name.
fn name(entry: &TraceEntry, head: &Head<'_>) -> String {
    let own = match (entry.direction, head.is_request()) {
        (Direction::Received, true) => address(head.from),
        (Direction::Sent, true) => match address(head.request_uri()).split_once('@') {
            Some(_) => address(head.request_uri()),
            None => address(head.to),
        },
        // Mid-call, the first thing seen may be an answer: it comes from the To side, or goes to the From side.
        (Direction::Received, false) => address(head.to),
        (Direction::Sent, false) => address(head.from),
    };
    let user = own.split_once('@').map_or(own, |(user, _)| user);
    match user {
        "" => entry.remote.to_string(),
        // A call to an outside number: who is on the line there is not the number itself.
        _ if user.starts_with('+') && entry.direction == Direction::Sent && head.is_request() => "next hop".to_owned(),
        user => user.to_owned(),
    }
}
