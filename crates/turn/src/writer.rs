//! Writes messages.

use std::net::SocketAddr;

use crate::attribute::{ADDRESS_MAX, write_address};
use crate::integrity::{Key, fingerprint, sealed};
use crate::message::{COOKIE, Class, HEADER, Method, kind};

/// Appends one message to a buffer, attribute by attribute; the length in its header is right after each.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    transaction: [u8; 12],
}

impl<'a> Writer<'a> {
    /// Begins a message.
    pub fn new(out: &'a mut Vec<u8>, method: Method, class: Class, transaction: [u8; 12]) -> Writer<'a> {
        let start = out.len();
        out.extend_from_slice(&method.with(class).to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&COOKIE.to_be_bytes());
        out.extend_from_slice(&transaction);
        Writer { out, start, transaction }
    }

    /// Appends an attribute; a value beyond 65,535 bytes is cut there, as no message can carry it.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let value = &value[..value.len().min(usize::from(u16::MAX))];
        self.out.extend_from_slice(&kind.to_be_bytes());
        self.out.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.out.extend_from_slice(value);
        let padding = value.len().next_multiple_of(4) - value.len();
        self.out.extend_from_slice(&[0; 3][..padding]);
        self.count(0);
        self
    }

    /// Appends an exclusive-or'ed address.
    pub fn address(&mut self, kind: u16, address: SocketAddr) -> &mut Self {
        let mut room = [0; ADDRESS_MAX];
        let length = write_address(address, self.transaction, &mut room);
        self.attribute(kind, &room[..length])
    }

    /// Appends ERROR-CODE.
    pub fn error(&mut self, code: u16, reason: &str) -> &mut Self {
        let mut value = vec![0, 0, (code / 100) as u8, (code % 100) as u8];
        value.extend_from_slice(reason.as_bytes());
        self.attribute(kind::ERROR_CODE, &value)
    }

    /// Appends MESSAGE-INTEGRITY over what stands.
    pub fn integrity(&mut self, key: &Key) -> &mut Self {
        let seal = sealed(key, &self.out[self.start..]);
        self.attribute(kind::MESSAGE_INTEGRITY, &seal)
    }

    /// Appends FINGERPRINT: the last attribute.
    pub fn fingerprint(&mut self) -> &mut Self {
        self.count(8);
        let sum = fingerprint(&self.out[self.start..]);
        self.attribute(kind::FINGERPRINT, &sum.to_be_bytes())
    }

    /// Writes the length, with `more` bytes that follow.
    fn count(&mut self, more: usize) {
        let length = (self.out.len() - self.start - HEADER + more) as u16;
        self.out[self.start + 2..self.start + 4].copy_from_slice(&length.to_be_bytes());
    }
}
