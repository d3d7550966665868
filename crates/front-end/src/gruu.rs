//! GRUUs in the answer to a REGISTER (RFC 5627): a public one that is the address with the instance, and a temporary one
//! that tells nothing of the user.

use lyceum_sip::gruu::{Gruus, TemporaryGruu};
use lyceum_sip::{Message, Name};
use lyceum_topology::UserRecord;

/// Writes the GRUU parameters of bindings, for a client that asked with `Supported: gruu`.
pub struct Minter<'a> {
    wanted: Option<(&'a Gruus, &'a UserRecord)>,
    call: u64,
    serial: u32,
}

impl<'a> Minter<'a> {
    /// For the answer to this REGISTER; `serial` is random and makes the temporary GRUU unlike earlier ones.
    pub fn new(gruus: &'a Gruus, message: &Message<'_>, user: &'a UserRecord, serial: u32) -> Self {
        let wanted = message.has_option(Name::Supported, "gruu");
        let call = if wanted { gruus.call_mark(message.call_id()) } else { 0 };
        Minter { wanted: wanted.then_some((gruus, user)), call, serial }
    }

    /// Appends `;pub-gruu="…";temp-gruu="…"` for an instance.
    pub fn write(&self, instance: &[u8], out: &mut Vec<u8>) {
        let Some((gruus, user)) = self.wanted else { return };
        let address = format!("sip:{}", user.address.as_str());
        out.extend_from_slice(b";pub-gruu=\"");
        gruus.public(address.as_bytes(), instance, out);
        out.extend_from_slice(b"\";temp-gruu=\"");
        let instance = gruus.instance_mark(instance);
        let temporary = TemporaryGruu { user: user.id.0, instance, call: self.call, serial: self.serial };
        gruus.temporary(&temporary, user.address.domain().as_bytes(), out);
        out.push(b'"');
    }
}
