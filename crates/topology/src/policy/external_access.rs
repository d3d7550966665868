//! Who may use and be reached from outside. Everything is off until an administrator says otherwise, as Lync had it.

use super::Clash;

policy! {
    /// Who may use and be reached from outside.
    pub struct ExternalAccessPolicy / ExternalAccessSettings, ExternalAccess, clashes clashes;

    /// Whether the user may sign in from outside, through the Access Edge.
    allow_remote: bool = false,
        source "Lync EnableOutsideAccess False";
    /// Whether the user and people of other organisations reach each other.
    allow_federation: bool = false,
        source "off like remote access; Lync's EnableFederationAccess was True behind a switch that was off";
    /// Whether the user and people of public providers reach each other (`federation.allowed` with `public`).
    allow_public: bool = false,
        source "Lync EnablePublicCloudAccess False";
}

fn clashes(_: &ExternalAccessPolicy) -> Vec<Clash> {
    Vec::new()
}
