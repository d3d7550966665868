//! One allocation: its relay port, whom it permits, its channels.

use std::net::{IpAddr, SocketAddr};

use super::users::UserId;
use super::{CHANNELS_MAX, ConnectionId, Now, PERMISSIONS_MAX};
use crate::Client;
use crate::quota::Bucket;

/// How long a permission lasts (RFC 8656 §9).
const PERMISSION_SECONDS: u64 = 300;
/// How long a channel lasts (RFC 8656 §12).
const CHANNEL_SECONDS: u64 = 600;

/// A channel.
#[derive(Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    expires: u64,
}

/// An address that may send to the client.
#[derive(Debug)]
struct Permission {
    address: IpAddr,
    expires: u64,
}

/// What stands against a new permission or channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unfit {
    /// There are [`PERMISSIONS_MAX`] or [`CHANNELS_MAX`] already.
    Full,
    /// The number or the peer is bound otherwise.
    Bound,
}

/// An allocation. Times are seconds of the driver's clock.
#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) client: Client,
    pub(crate) relay: SocketAddr,
    pub(crate) user: UserId,
    pub(crate) expires: u64,
    /// The entry of the table's queue of ends that counts.
    pub(crate) scheduled: u64,
    /// The request that made it: when repeated it is answered again.
    pub(crate) transaction: [u8; 12],
    pub(crate) up: Bucket,
    pub(crate) down: Bucket,
    channels: Vec<Channel>,
    /// Who may send datagrams.
    permissions: Vec<Permission>,
    /// Present where peers are connected with; then there are neither channels nor permissions for datagrams, so that the
    /// way of datagrams has nothing to ask.
    pub(crate) tcp: Option<Box<Tcp>>,
}

/// What an allocation of a TCP port has besides (RFC 6062).
#[derive(Debug, Default)]
pub(crate) struct Tcp {
    /// Who may connect.
    permissions: Vec<Permission>,
    /// Those that stand or are being made.
    pub(crate) connections: Vec<ConnectionId>,
}

impl Allocation {
    pub(crate) fn new(
        now: Now,
        client: Client,
        relay: SocketAddr,
        user: UserId,
        transaction: [u8; 12],
        expires: u64,
    ) -> Allocation {
        Allocation {
            client,
            relay,
            user,
            expires,
            scheduled: expires,
            transaction,
            up: Bucket::new(now.micros()),
            down: Bucket::new(now.micros()),
            channels: Vec::new(),
            permissions: Vec::new(),
            tcp: None,
        }
    }

    /// Where a channel leads.
    pub(crate) fn peer_of(&self, number: u16, second: u64) -> Option<SocketAddr> {
        let found = self.channels.iter().find(|channel| channel.number == number)?;
        (found.expires > second).then_some(found.peer)
    }

    /// The channel of a peer.
    pub(crate) fn channel_of(&self, peer: SocketAddr, second: u64) -> Option<u16> {
        let found = self.channels.iter().find(|channel| channel.peer == peer)?;
        (found.expires > second).then_some(found.number)
    }

    /// Whether an address may send datagrams to the client, and it to them.
    pub(crate) fn permits(&self, address: IpAddr, second: u64) -> bool {
        self.permissions.iter().any(|permission| permission.address == address && permission.expires > second)
    }

    /// Whether an address may connect to the TCP port.
    pub(crate) fn admits(&self, address: IpAddr, second: u64) -> bool {
        let held = |permission: &Permission| permission.address == address && permission.expires > second;
        self.tcp.as_ref().is_some_and(|tcp| tcp.permissions.iter().any(held))
    }

    fn permissions(&mut self) -> &mut Vec<Permission> {
        match &mut self.tcp {
            Some(tcp) => &mut tcp.permissions,
            None => &mut self.permissions,
        }
    }

    /// Permits an address, from now on for its time.
    pub(crate) fn permit(&mut self, address: IpAddr, second: u64) -> Result<(), Unfit> {
        let expires = second + PERMISSION_SECONDS;
        let permissions = self.permissions();
        if let Some(found) = permissions.iter_mut().find(|permission| permission.address == address) {
            found.expires = expires;
            return Ok(());
        }
        permissions.retain(|permission| permission.expires > second);
        if permissions.len() >= PERMISSIONS_MAX {
            return Err(Unfit::Full);
        }
        permissions.push(Permission { address, expires });
        Ok(())
    }

    /// Whether those of these addresses that are not permitted yet would fit.
    pub(crate) fn has_room_for(&mut self, addresses: &[IpAddr], second: u64) -> bool {
        let permissions = self.permissions();
        permissions.retain(|permission| permission.expires > second);
        let known = |address: &&IpAddr| permissions.iter().any(|permission| permission.address == **address);
        let new = addresses.iter().filter(|address| !known(address)).count();
        permissions.len() + new <= PERMISSIONS_MAX
    }

    /// Binds a number to a peer, or refreshes that, and permits the peer's address (RFC 8656 §12.2).
    pub(crate) fn bind(&mut self, number: u16, peer: SocketAddr, second: u64) -> Result<(), Unfit> {
        let expires = second + CHANNEL_SECONDS;
        self.channels.retain(|channel| channel.expires > second);
        let full = self.channels.len() >= CHANNELS_MAX;
        let clash = self.channels.iter().position(|channel| channel.number == number || channel.peer == peer);
        match clash {
            Some(at) if self.channels[at].number == number && self.channels[at].peer == peer => {
                self.permit(peer.ip(), second)?;
                self.channels[at].expires = expires;
                Ok(())
            }
            Some(_) => Err(Unfit::Bound),
            None if full => Err(Unfit::Full),
            None => {
                self.permit(peer.ip(), second)?;
                self.channels.push(Channel { number, peer, expires });
                Ok(())
            }
        }
    }
}
