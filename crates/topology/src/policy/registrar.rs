//! How long and from how many endpoints users register (Lync: `Set-CsRegistrarConfiguration`).

use super::Clash;

policy! {
    /// How long and from how many endpoints a user registers.
    pub struct RegistrarPolicy / RegistrarSettings, Registrar, clashes clashes;

    /// The shortest lifetime granted; a shorter wish is refused with 423 and this value.
    min_expires: u32 = 300, unit "s", range 10 ..= 86_400,
        source "Lync MinEndpointExpiration 300";
    /// The lifetime of a binding that asks for none.
    default_expires: u32 = 600, unit "s", range 10 ..= 86_400,
        source "Lync DefaultEndpointExpiration 600";
    /// The longest lifetime granted; a longer wish is shortened to it.
    max_expires: u32 = 900, unit "s", range 10 ..= 86_400,
        source "Lync MaxEndpointExpiration 900";
    /// How many endpoints one user may be signed in at.
    max_endpoints: u32 = 8, unit "endpoints", range 1 ..= 64,
        source "Lync MaxEndpointsPerUser 8, range 1-64";
    /// How many users one pool's registrar takes. Lync stops at 12,000 because each registrar kept its
    /// users in a local SQL Server; a binding costs us some hundred bytes, and one node is tested with
    /// 100,000 users.
    max_users: u32 = 100_000, unit "users", range 1 ..= 1_000_000, pool_wide true,
        source "Lync MaxUserCount 12,000 (2,000-100,000), raised to what one node is measured with";
}

fn clashes(policy: &RegistrarPolicy) -> Vec<Clash> {
    let mut clashes = Vec::new();
    let RegistrarPolicy { min_expires: min, default_expires: default, max_expires: max, .. } = *policy;
    if min > max {
        clashes.push(Clash {
            fields: &["min_expires", "max_expires"],
            what: format!("min_expires ({min} s) is above max_expires ({max} s), so no lifetime could be granted."),
            fix: "Lower min_expires or raise max_expires.",
        });
    } else if !(min..=max).contains(&default) {
        clashes.push(Clash {
            fields: &["min_expires", "default_expires", "max_expires"],
            what: format!(
                "default_expires ({default} s) is not between min_expires ({min} s) and max_expires ({max} s)."
            ),
            fix: "Put default_expires between the two.",
        });
    }
    clashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_lyncs() {
        let policy = RegistrarPolicy::default();
        assert_eq!(
            (policy.min_expires, policy.default_expires, policy.max_expires, policy.max_endpoints),
            (300, 600, 900, 8)
        );
    }
}
