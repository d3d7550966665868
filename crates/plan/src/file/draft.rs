//! A plan file as tables of written answers, to be changed and written again.

use toml::de::{DeTable, DeValue};

use super::{LISTS, Plan, Problems};

/// A table of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DraftTable {
    pub section: String,
    /// Keys and their answers, as TOML.
    pub answers: Vec<(String, String)>,
}

/// A file that can be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Draft {
    pub tables: Vec<DraftTable>,
}

impl DraftTable {
    pub(crate) fn new(section: &str) -> DraftTable {
        DraftTable { section: section.to_owned(), answers: Vec::new() }
    }

    /// The answer to `key`, as TOML.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.answers.iter().find(|(known, _)| known == key).map(|(_, answer)| answer.as_str())
    }

    /// Answers `key`, instead of what was answered before.
    pub(crate) fn set(&mut self, key: &str, answer: String) {
        match self.answers.iter_mut().find(|(known, _)| known == key) {
            Some((_, before)) => *before = answer,
            None => self.answers.push((key.to_owned(), answer)),
        }
    }

    /// Forgets the answer to `key`.
    pub(crate) fn forget(&mut self, key: &str) {
        self.answers.retain(|(known, _)| known != key);
    }
}

impl Draft {
    /// The answers of a plan file that has no fault.
    pub(crate) fn read(text: &str) -> Result<Draft, Problems> {
        Plan::read(text)?;
        let (root, _) = DeTable::parse_recoverable(text);
        let mut draft = Draft::default();
        for (name, value) in root.get_ref().iter() {
            match value.get_ref() {
                DeValue::Table(table) => draft.tables.push(draft_table(name.get_ref(), table)),
                DeValue::Array(items) => {
                    let tables = items.iter().filter_map(|item| item.get_ref().as_table());
                    draft.tables.extend(tables.map(|table| draft_table(name.get_ref(), table)));
                }
                _ => {}
            }
        }
        Ok(draft)
    }

    /// The table `[section]`, made where there is none.
    pub(crate) fn table(&mut self, section: &str) -> &mut DraftTable {
        let at = self.tables.iter().position(|table| table.section == section).unwrap_or(self.tables.len());
        if at == self.tables.len() {
            self.tables.push(DraftTable::new(section));
        }
        &mut self.tables[at]
    }

    /// The file; tables that say nothing are left out.
    pub(crate) fn text(&self, head: &str) -> String {
        let mut out = format!("# {head}\n");
        for table in self.tables.iter().filter(|table| !table.answers.is_empty()) {
            let section = &table.section;
            out.push_str(&match LISTS.contains(&section.as_str()) {
                true => format!("\n[[{section}]]\n"),
                false => format!("\n[{section}]\n"),
            });
            for (key, answer) in &table.answers {
                out.push_str(&format!("{key} = {answer}\n"));
            }
        }
        out
    }
}

fn draft_table(section: &str, table: &DeTable<'_>) -> DraftTable {
    // The table that is read is sorted by key; people look for the name first.
    let mut answers: Vec<(String, String)> =
        table.iter().map(|(key, value)| (key.get_ref().to_string(), literal(value.get_ref()))).collect();
    answers.sort_by_key(|(key, _)| key != "name");
    DraftTable { section: section.to_owned(), answers }
}

/// A value, whole, as the file writes it.
fn literal(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Array(items) => {
            format!("[{}]", items.iter().map(|item| literal(item.get_ref())).collect::<Vec<_>>().join(", "))
        }
        DeValue::Table(table) => {
            let rows =
                table.iter().map(|(key, value)| format!("{} = {}", quoted(key.get_ref()), literal(value.get_ref())));
            format!("{{ {} }}", rows.collect::<Vec<_>>().join(", "))
        }
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| number.to_string(), |n| n.to_string())
        }
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
    }
}

/// A string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if character.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_read_and_written_says_the_same() {
        let text = "[voice]\nbypass = 6_5\ngateways = [\"10.0.0.1\"]\n[[persona]]\nname = \"a \\\"b\\\"\"\n[[site]]\nusers = 0x10\n\
                    name = \"Zürich\\\\\"\npersonas = { 'a \"b\"' = 5 }\n[[site]]\nname = \"B\"\n";
        let draft = Draft::read(text).expect("a plan");
        let again = draft.text("again");
        let (before, after) = (Plan::read(text).expect("a plan"), Plan::read(&again).expect("the same plan"));
        let answers =
            |plan: &Plan| plan.answers.iter().map(|a| (a.field.clone(), a.origin.is_given())).collect::<Vec<_>>();
        assert_eq!(answers(&before), answers(&after));
        assert_eq!(before.sites[0].name.value, after.sites[0].name.value);
        assert_eq!((*after.sites[0].users, after.sites[0].personas.clone()), (16, vec![(0, 5)]));
        assert_eq!(*after.voice.bypass, 0.65);
        assert_eq!(Draft::read(&again).expect("a plan").text("again"), again);
    }
}
