//! GRUUs in the answer to a REGISTER (RFC 5627): a public one that is the address with the instance, and a temporary one
//! that tells nothing of the user.

use lyceum_sip::gruu::{Gruus, TemporaryGruu};
use lyceum_sip::{Message, Name};
use lyceum_topology::UserRecord;
use lyceum_users::Binding;

/// Writes the GRUU parameters of bindings, for a client that asked with `Supported: gruu`.
pub struct Minter<'a> {
    wanted: Option<(&'a Gruus, &'a UserRecord)>,
    serial: u32,
}

impl<'a> Minter<'a> {
    /// For the answer to this REGISTER; `serial` is random and makes the temporary GRUU unlike earlier ones.
    pub fn new(gruus: &'a Gruus, message: &Message<'_>, user: &'a UserRecord, serial: u32) -> Self {
        let wanted = message.has_option(Name::Supported, "gruu");
        Minter { wanted: wanted.then_some((gruus, user)), serial }
    }

    /// Appends `;pub-gruu="…";temp-gruu="…"` for a binding with an instance.
    pub fn write(&self, binding: &Binding<'_>, out: &mut Vec<u8>) {
        let (Some((gruus, user)), Some(instance)) = (self.wanted, binding.instance()) else { return };
        let address = format!("sip:{}", user.address.as_str());
        out.extend_from_slice(b";pub-gruu=\"");
        gruus.public(address.as_bytes(), instance, out);
        out.extend_from_slice(b"\";temp-gruu=\"");
        let instance = gruus.instance_mark(instance);
        let temporary = TemporaryGruu { user: user.id.0, instance, call: binding.call_mark(), serial: self.serial };
        gruus.temporary(&temporary, user.address.domain().as_bytes(), out);
        out.push(b'"');
    }
}

/// Does a temporary GRUU still count? It ends when its device registers with another Call-ID, or not at all (RFC 5627
/// §5.1, §5.3); a device with several flows has it for all of them.
pub fn is_valid<'b>(gruus: &Gruus, what: &TemporaryGruu, bindings: impl Iterator<Item = Binding<'b>>) -> bool {
    let mut of_device = bindings
        .filter(|binding| binding.instance().is_some_and(|instance| gruus.instance_mark(instance) == what.instance));
    of_device.any(|binding| binding.call_mark() == what.call)
}
