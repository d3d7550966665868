//! An inventory of equipment and clients against the list of what was qualified, with what replacing would cost.

use std::collections::BTreeMap;

use serde::Serialize;

use super::sheet::{Faults, Row, Sheet};
use crate::figures::{rows, rule};
use crate::table::{Table, row};

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// On the list.
    Qualified,
    /// On the list under a condition that somebody has to look at.
    Conditional,
    /// Not on the list: a vendor's word is not enough.
    NotListed,
    /// On the list of what does not work.
    Unsupported,
}

impl Standing {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Standing::Qualified => "qualified",
            Standing::Conditional => "under a condition",
            Standing::NotListed => "not on the list",
            Standing::Unsupported => "not supported",
        }
    }

    /// Whether it has to be replaced.
    pub fn replace(self) -> bool {
        matches!(self, Standing::NotListed | Standing::Unsupported)
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualifiedRow {
    /// `phone`, `gateway`, `client-os` …
    pub category: &'static str,
    /// Who makes it, or `any`.
    pub vendor: &'static str,
    /// What it is, or `any`.
    pub product: &'static str,
    /// Versions it holds for: one, a range, or all.
    pub versions: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What to know besides.
    pub note: &'static str,
    /// What to take instead.
    pub replacement: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// The list of what was qualified.
pub fn qualified() -> &'static [QualifiedRow] {
    static LIST: std::sync::LazyLock<Vec<QualifiedRow>> = std::sync::LazyLock::new(|| {
        let list = rows(include_str!("../../data/qualified.csv"));
        list.map(|row| QualifiedRow {
            category: &row[0],
            vendor: &row[1],
            product: &row[2],
            versions: &row[3],
            standing: match row[4].as_str() {
                "qualified" => Standing::Qualified,
                "conditional" => Standing::Conditional,
                "unsupported" => Standing::Unsupported,
                other => panic!("qualified.csv: no such standing: {other}"),
            },
            note: &row[5],
            replacement: &row[6],
            source: &row[7],
        })
        .collect()
    });
    &LIST
}

/// One row of an inventory, judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Where the file has it.
    pub line: usize,
    /// The site, where the file says it.
    pub site: String,
    /// `phone`, `gateway`, `client-os` …
    pub category: String,
    /// Who makes it.
    pub vendor: String,
    /// What it is.
    pub product: String,
    /// Its version.
    pub version: String,
    /// How many.
    pub count: u64,
    /// What one new one costs.
    pub unit_cost: f64,
    /// How it stands.
    pub standing: Standing,
    /// Why, and what to take instead.
    pub advice: String,
    /// What replacing costs.
    pub cost: f64,
    /// Who says so.
    pub source: &'static str,
}

/// An inventory, judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inventory {
    /// Each row.
    pub items: Vec<Item>,
    /// Things by standing.
    pub counts: BTreeMap<Standing, u64>,
    /// What replacing costs, by category.
    pub costs: BTreeMap<String, f64>,
    /// What replacing costs in all.
    pub cost: f64,
    /// Rows to be replaced without a cost.
    pub without_cost: usize,
}

/// Reads and judges an inventory.
///
/// Columns: `category`, `product`, and where they are known `vendor`, `version`, `count` (1), `unit_cost` (0), `site`.
pub fn judge_inventory(text: &str) -> Result<Inventory, Faults> {
    let items = Sheet::read(text, &["category", "product"])?.rows(read)?;
    let (mut counts, mut costs) = (BTreeMap::new(), BTreeMap::new());
    for item in &items {
        *counts.entry(item.standing).or_insert(0) += item.count;
        *costs.entry(item.category.clone()).or_insert(0.0) += item.cost;
    }
    let cost = items.iter().map(|item| item.cost).sum();
    let without_cost = items.iter().filter(|item| item.standing.replace() && item.unit_cost == 0.0).count();
    Ok(Inventory { items, counts, costs, cost, without_cost })
}

fn read(row: &mut Row<'_>) -> Option<Item> {
    let (category, product) = (row.word("category"), row.word("product"));
    let count = row.number("count", 0.0, 1e7, "pieces");
    let unit_cost = row.number("unit_cost", 0.0, 1e9, "of money");
    let (category, product) = (category?.to_lowercase().replace([' ', '_'], "-"), product?);
    let categories: std::collections::BTreeSet<&str> = qualified().iter().map(|row| row.category).collect();
    if !categories.contains(category.as_str()) {
        let known: Vec<&str> = categories.into_iter().collect();
        row.fault("category", &format!("one of {}", known.join(", ")));
        return None;
    }
    let count = count.ok()?.unwrap_or(1.0) as u64;
    let unit_cost = unit_cost.ok()?.unwrap_or(0.0);
    let (vendor, version) = (row.text("vendor").to_owned(), row.text("version").to_owned());
    let found = find(&category, &vendor, &product, &version);
    // A product of which only some versions are listed is judged once its version is known.
    let unknown = version.is_empty()
        && found.is_none()
        && qualified().iter().any(|row| row.category == category && row.product.eq_ignore_ascii_case(&product));
    let standing = found.map_or(if unknown { Standing::Conditional } else { Standing::NotListed }, |row| row.standing);
    let advice = match found {
        None if unknown => "give its version: some are on the list and some are not".to_owned(),
        Some(row) if row.replacement.is_empty() => row.note.to_owned(),
        Some(row) if row.note.is_empty() => format!("take {}", row.replacement),
        Some(row) => format!("{}; take {}", row.note, row.replacement),
        None => "not on the list for this version: a vendor's word is not enough".to_owned(),
    };
    let cost = if standing.replace() { count as f64 * unit_cost } else { 0.0 };
    let source = found.map_or(rule("inventory.listed").source, |row| row.source);
    Some(Item {
        line: row.line(),
        site: row.text("site").to_owned(),
        category,
        vendor,
        product,
        version,
        count,
        unit_cost,
        standing,
        advice,
        cost,
        source,
    })
}

/// The row that says most about a thing: its own product before any product.
fn find(category: &str, vendor: &str, product: &str, version: &str) -> Option<&'static QualifiedRow> {
    let same = |ours: &str, theirs: &str| ours.eq_ignore_ascii_case(theirs);
    let of = |row: &&QualifiedRow| {
        row.category == category
            && (row.vendor == "any" || vendor.is_empty() || same(row.vendor, vendor))
            && (row.product == "any" || same(row.product, product))
    };
    let mut found: Vec<&QualifiedRow> =
        qualified().iter().filter(of).filter(|row| holds(row.versions, version)).collect();
    found.sort_by_key(|row| (row.product == "any", row.vendor == "any", row.versions.is_empty()));
    found.first().copied()
}

/// Whether `version` is in `versions`: all, a word, a number, or numbers from - to. An unknown one is in none but all,
/// unless there is nothing else to go by.
fn holds(versions: &str, version: &str) -> bool {
    if versions.is_empty() {
        return true;
    }
    let Some((from, to)) = versions.split_once('-') else {
        return versions.eq_ignore_ascii_case(version) || begins(version, versions);
    };
    let Some(version) = numbers(version) else { return false };
    let from = numbers(from).unwrap_or_default();
    let upto = numbers(to).is_none_or(|to| version[..version.len().min(to.len())] <= to[..]);
    // 4 is 4.0.
    let mut padded = version.clone();
    padded.resize(version.len().max(from.len()), 0);
    padded >= from && upto
}

/// Whether `version` is `whole` or a part of it: 10.9.5 of 10.9.
fn begins(version: &str, whole: &str) -> bool {
    match (numbers(version), numbers(whole)) {
        (Some(version), Some(whole)) => version.starts_with(&whole),
        _ => false,
    }
}

fn numbers(version: &str) -> Option<Vec<u32>> {
    version.trim().split('.').map(|part| part.parse().ok()).collect()
}

impl Inventory {
    /// Every row with its judgement, and costs by category.
    pub fn tables(&self) -> Vec<Table> {
        let columns = [
            "site",
            "category",
            "vendor",
            "product",
            "version",
            "count",
            "standing",
            "advice",
            "unit cost",
            "cost",
            "source",
            "line",
        ];
        let mut items = Table::new("Equipment and clients", &columns);
        for item in &self.items {
            items.rows.push(row![
                &item.site,
                &item.category,
                &item.vendor,
                &item.product,
                &item.version,
                item.count,
                item.standing.words(),
                &item.advice,
                item.unit_cost,
                item.cost,
                item.source,
                item.line,
            ]);
        }
        if self.without_cost > 0 {
            items.notes.push(format!("{} rows are to be replaced and have no unit_cost", self.without_cost));
        }
        let mut costs = Table::new("Cost of replacing", &["category", "cost"]);
        costs.rows.extend(self.costs.iter().map(|(category, cost)| row![category, *cost]));
        costs.rows.push(row!["all", self.cost]);
        vec![items, costs]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_words_numbers_and_ranges() {
        let cases = [
            ("", "anything", true),
            ("SP1", "sp1", true),
            ("SP1", "RTM", false),
            ("9-11", "10", true),
            ("9-11", "11.0.9600", true),
            ("9-11", "8", false),
            ("9-11", "12", false),
            ("7-", "7.1", true),
            ("7-", "6.1.6", false),
            ("4.0-", "4", true),
            ("10.9", "10.9.5", true),
            ("10.9", "10.90", false),
            ("10.5.8-10.8", "10.8.5", true),
            ("10.5.8-10.8", "10.5.7", false),
            ("9-11", "", false),
        ];
        for (versions, version, expected) in cases {
            assert_eq!(holds(versions, version), expected, "{versions} {version}");
        }
    }
}
