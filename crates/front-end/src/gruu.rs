//! GRUUs in the answer to a REGISTER (RFC 5627): the public one is the address with the instance.

use lyceum_sip::{Message, Name};
use lyceum_topology::UserRecord;

use crate::keys::Keys;

/// Writes the GRUU parameters of bindings, for a client that asked with `Supported: gruu`.
pub struct Minter<'a> {
    address: Option<&'a str>,
}

impl<'a> Minter<'a> {
    /// For the answer to this REGISTER.
    pub fn new(_keys: &Keys, message: &Message<'_>, user: &'a UserRecord) -> Self {
        let wanted = message.has_option(Name::Supported, "gruu");
        Minter { address: wanted.then(|| user.address.as_str()) }
    }

    /// Appends `;pub-gruu="…"` for an instance.
    pub fn write(&self, instance: &[u8], out: &mut Vec<u8>) {
        if let Some(address) = self.address {
            out.extend_from_slice(b";pub-gruu=\"sip:");
            out.extend_from_slice(address.as_bytes());
            out.extend_from_slice(b";gr=");
            out.extend_from_slice(instance);
            out.push(b'"');
        }
    }
}
