//! A plan file with every question as a comment, for somebody who begins with an empty page.

use super::field::{Field, Kind, fields};

/// A file that says nothing and shows everything: each key commented out with what is assumed and who says so.
pub fn template() -> String {
    let mut out = String::from(
        "# A plan. What is commented out is not answered yet: the value shown is what is assumed.\n\
         # [[site]], [[link]] and [[persona]] may come as often as needed.\n",
    );
    let mut section = "";
    for field in fields() {
        if field.section != section {
            section = field.section;
            let list = super::LISTS.contains(&section);
            out.push_str(&if list { format!("\n# [[{section}]]\n") } else { format!("\n[{section}]\n") });
        }
        out.push_str(&format!(
            "# {} ({}; {})\n# {} = {}\n",
            field.question,
            field.expected(),
            field.source,
            field.key,
            shown(field)
        ));
    }
    out
}

fn shown(field: &Field) -> String {
    let list = |text: &str| format!("[\"{text}\"]");
    match (field.kind, field.default) {
        (Kind::Flag | Kind::Percent | Kind::Number | Kind::Count, "") => "100".to_owned(),
        (Kind::Flag | Kind::Percent | Kind::Number | Kind::Count, default) => default.to_owned(),
        (Kind::Domains, default) => list(default),
        (Kind::Networks, "") => list("10.1.0.0/16"),
        (Kind::Networks, default) => list(default),
        (Kind::Addresses, _) => list("192.0.2.1"),
        (Kind::Network, _) => "\"10.1.0.0/24\"".to_owned(),
        (Kind::Domain, "") => "\"contoso.local\"".to_owned(),
        (Kind::Table, _) => "{ office = 100 }".to_owned(),
        (_, default) => format!("\"{default}\""),
    }
}
