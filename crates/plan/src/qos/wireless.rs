//! Wi-Fi and Ethernet priorities: from the mark to the user priority and the access category.

use std::fmt::Write;

use lyceum_topology::qos::Dscp;

use super::Class;

/// User priority (802.1p) and access category that a mark is to have (RFC 8325 §4.3; figures, table C, rows WMM).
pub(super) fn category(dscp: Dscp) -> (u8, &'static str) {
    match dscp.value() {
        44 | 46 => (6, "AC_VO"),
        24..=42 => (4, "AC_VI"),
        48..=63 => (7, "AC_VO"),
        8 | 9 => (1, "AC_BK"),
        _ => (0, "AC_BE"),
    }
}

/// What the top three bits make of a mark, as Windows and many access points do when nobody tells them.
fn untold(dscp: Dscp) -> (u8, &'static str) {
    let priority = dscp.value() >> 3;
    let access = match priority {
        1 | 2 => "AC_BK",
        0 | 3 => "AC_BE",
        4 | 5 => "AC_VI",
        _ => "AC_VO",
    };
    (priority, access)
}

/// What to set on access points and controllers.
pub(super) fn wmm(classes: &[Class]) -> String {
    let mut text = String::from(
        "Wi-Fi: WMM on, and the mark mapped to the user priority in both directions (RFC 8325)\n\n\
         modality     DSCP        802.1p  category  without a mapping\n",
    );
    for class in classes {
        let ((priority, access), (untold, worse)) = (category(class.row.dscp), untold(class.row.dscp));
        let _ = writeln!(
            text,
            "{:<12} {:<11} {priority}       {access}     {untold} {worse}{}",
            class.name(),
            class.row.dscp.to_string(),
            if worse == access { "" } else { "   <- wrong queue" }
        );
    }
    text.push_str(
        "\nTo the air: the access point maps the DSCP, not its top three bits; 46 would else go out as video.\n\
         From the air: the access point keeps the DSCP of the client, or sets it from the user priority by the same table.\n\
         On the wire: the switch port of the access point trusts DSCP.\n",
    );
    text
}
