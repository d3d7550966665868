//! The way of media: nothing here allocates or copies a payload.

use std::net::SocketAddr;
use std::ops::Range;

use super::{Now, RelayId, Server, Step};
use crate::Client;
use crate::attribute::{ADDRESS_MAX, read_address, write_address};
use crate::channel::{CHANNEL_HEADER, channel_data};
use crate::message::{COOKIE, Class, HEADER, Message, Method, kind};

/// Room before the payload that [`Server::from_peer`] writes headers into: that of a Data indication from an IPv6 peer.
pub const HEADROOM: usize = HEADER + 4 + ADDRESS_MAX + 4;
/// Room after it, for padding.
pub const TAILROOM: usize = 3;

impl Server {
    /// ChannelData of a client. What belongs to no allocation and no channel of it is dropped in silence.
    pub(super) fn channel_data(&mut self, now: Now, client: &Client, packet: &[u8]) -> Step {
        let Some((number, payload)) = channel_data(packet) else { return Step::Nothing };
        let second = now.second();
        let Some((relay, allocation)) = self.table.by_client(client) else { return Step::Nothing };
        let Some(peer) = allocation.peer_of(number, second) else { return Step::Nothing };
        if allocation.expires <= second {
            return Step::Nothing;
        }
        let within = allocation.up.take(self.quotas.port_kbps, now.micros(), payload.len())
            && self.users.get(allocation.user).up.take(self.quotas.user_kbps, now.micros(), payload.len());
        self.pass(within, relay, peer, payload)
    }

    /// Send indication (RFC 8656 §11.2); what is not permitted is dropped in silence.
    pub(super) fn send_indication(&mut self, now: Now, client: &Client, message: &Message<'_>) -> Step {
        let (Some(peer), Some(data)) = (message.value(kind::XOR_PEER_ADDRESS), message.find(kind::DATA)) else {
            return Step::Nothing;
        };
        let Some(peer) = read_address(peer, message.transaction()) else { return Step::Nothing };
        let known = [kind::XOR_PEER_ADDRESS, kind::DATA];
        // DONT-FRAGMENT among others: who cannot do it must not send (RFC 8656 §11.2).
        if !super::request::unknown(message, &known).is_empty() {
            return Step::Nothing;
        }
        let Some((relay, allocation)) = self.table.by_client(client) else { return Step::Nothing };
        if allocation.expires <= now.second() || !allocation.permits(peer.ip(), now.second()) {
            return Step::Nothing;
        }
        if !self.peers.allow(peer) {
            self.totals.forbidden += 1;
            return Step::Nothing;
        }
        let payload = data.at + 4..data.at + 4 + data.value.len();
        let within = allocation.up.take(self.quotas.port_kbps, now.micros(), payload.len())
            && self.users.get(allocation.user).up.take(self.quotas.user_kbps, now.micros(), payload.len());
        self.pass(within, relay, peer, payload)
    }

    fn pass(&mut self, within: bool, relay: RelayId, peer: SocketAddr, payload: Range<usize>) -> Step {
        if !within {
            self.totals.over_quota += 1;
            return Step::Nothing;
        }
        self.totals.packets_up += 1;
        self.totals.bytes += payload.len() as u64;
        Step::Relay { relay, peer, payload }
    }

    /// A packet of a peer at a relay port. `payload` lies in `buffer` with [`HEADROOM`] before and [`TAILROOM`] behind it;
    /// the header is written there. Gives the client and the bytes that go to it.
    pub fn from_peer(
        &mut self,
        now: Now,
        relay: RelayId,
        peer: SocketAddr,
        buffer: &mut [u8],
        payload: Range<usize>,
    ) -> Option<(Client, Range<usize>)> {
        if payload.start < HEADROOM || payload.end + TAILROOM > buffer.len() {
            return None;
        }
        let (second, length) = (now.second(), payload.len());
        let allocation = self.table.get(relay)?;
        let channel = allocation.channel_of(peer, second);
        if allocation.expires <= second || (channel.is_none() && !allocation.permits(peer.ip(), second)) {
            return None;
        }
        let within = allocation.down.take(self.quotas.port_kbps, now.micros(), length)
            && self.users.get(allocation.user).down.take(self.quotas.user_kbps, now.micros(), length);
        if !within {
            self.totals.over_quota += 1;
            return None;
        }
        let client = allocation.client;
        let wrapped = match channel {
            Some(number) => channel_message(number, client.is_stream(), buffer, payload)?,
            None => {
                self.indications = self.indications.wrapping_add(1);
                data_indication(self.indications, peer, buffer, payload)?
            }
        };
        self.totals.packets_down += 1;
        self.totals.bytes += length as u64;
        Some((client, wrapped))
    }
}

/// Writes the header of a ChannelData message; over streams it is padded (RFC 8656 §12.5).
fn channel_message(number: u16, padded: bool, buffer: &mut [u8], payload: Range<usize>) -> Option<Range<usize>> {
    let start = payload.start - CHANNEL_HEADER;
    buffer[start..start + 2].copy_from_slice(&number.to_be_bytes());
    buffer[start + 2..payload.start].copy_from_slice(&u16::try_from(payload.len()).ok()?.to_be_bytes());
    let end = if padded { pad(buffer, &payload) } else { payload.end };
    Some(start..end)
}

/// Writes a Data indication around the payload (RFC 8656 §11.3).
fn data_indication(count: u64, peer: SocketAddr, buffer: &mut [u8], payload: Range<usize>) -> Option<Range<usize>> {
    let mut transaction = [0; 12];
    transaction[4..].copy_from_slice(&count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let mut address = [0; ADDRESS_MAX];
    let address_length = write_address(peer, transaction, &mut address);
    let end = pad(buffer, &payload);
    let start = payload.start - 4 - address_length - 4 - HEADER;
    let length = u16::try_from(end - start - HEADER).ok()?;
    let mut at = start;
    let mut put = |bytes: &[u8]| {
        buffer[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(&Method::Data.with(Class::Indication).to_be_bytes());
    put(&length.to_be_bytes());
    put(&COOKIE.to_be_bytes());
    put(&transaction);
    put(&kind::XOR_PEER_ADDRESS.to_be_bytes());
    put(&(address_length as u16).to_be_bytes());
    put(&address[..address_length]);
    put(&kind::DATA.to_be_bytes());
    put(&u16::try_from(payload.len()).ok()?.to_be_bytes());
    Some(start..end)
}

/// Zeroes the padding behind a payload; gives its end.
fn pad(buffer: &mut [u8], payload: &Range<usize>) -> usize {
    let end = payload.start + payload.len().next_multiple_of(4);
    buffer[payload.end..end].fill(0);
    end
}
