//! The order of the questions, and which of them concern an organisation: a function of the replies.

use std::sync::LazyLock;

use super::Reply;
use crate::drivers::{Requirement, requirements};
use crate::figures::rows;
use crate::file::{Field, MAX_LINKS, MAX_PERSONAS, MAX_SITES, fields};

/// A row of the order.
struct Row {
    group: &'static str,
    field: &'static Field,
    detail: bool,
    when: &'static str,
}

/// A group of questions, all about one table of the file.
struct Group {
    name: &'static str,
    section: &'static str,
    main: Vec<Row>,
    detail: Vec<Row>,
}

/// Where the interview stands: group, number of the table where there are several, and what is asked there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    group: usize,
    item: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Is there another one?
    Another,
    /// A question that everybody is asked.
    Main(usize),
    /// Shall details be asked?
    Details,
    /// A detail.
    Detail(usize),
}

impl Place {
    /// The number of the table, where there are several.
    pub(super) fn item(self) -> usize {
        self.item
    }
}

fn groups() -> &'static [Group] {
    static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(|| {
        let mut groups: Vec<Group> = Vec::new();
        for row in rows(include_str!("../../data/interview.csv")) {
            let field = fields().iter().find(|field| format!("{}.{}", field.section, field.key) == row[1]);
            let field = field.expect("interview.csv names fields of fields.csv");
            let row = Row { group: &row[0], field, detail: row[2] == "detail", when: &row[3] };
            if groups.last().is_none_or(|group| group.section != field.section) {
                groups.push(Group { name: row.group, section: field.section, main: Vec::new(), detail: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                if row.detail { &mut group.detail } else { &mut group.main }.push(row);
            }
        }
        groups
    });
    &GROUPS
}

/// The way through the questions after some replies.
pub(super) struct Course<'i> {
    pub replies: &'i [Reply],
}

impl Course<'_> {
    /// Whether a table may come many times.
    pub(super) fn is_list(section: &str) -> bool {
        matches!(section, "site" | "link" | "persona")
    }

    /// What is asked next.
    pub(super) fn next(&self) -> Option<Place> {
        let mut place = match self.replies.last() {
            None => self.begin(0)?,
            Some(last) => self.after(last.place, last.literal.as_deref() == Some("true"))?,
        };
        while !self.concerns(place) {
            place = self.after(place, false)?;
        }
        Some(place)
    }

    fn begin(&self, group: usize) -> Option<Place> {
        let section = groups().get(group)?.section;
        // There is one site at least.
        let stage = if Self::is_list(section) && section != "site" { Stage::Another } else { Stage::Main(0) };
        Some(Place { group, item: 0, stage })
    }

    fn after(&self, place: Place, yes: bool) -> Option<Place> {
        let group = groups().get(place.group)?;
        let at = |stage| Some(Place { stage, ..place });
        match place.stage {
            Stage::Another if yes => at(Stage::Main(0)),
            Stage::Another => self.begin(place.group + 1),
            Stage::Main(number) if number + 1 < group.main.len() => at(Stage::Main(number + 1)),
            Stage::Main(_) => at(Stage::Details),
            Stage::Details if yes => at(Stage::Detail(0)),
            Stage::Detail(number) if number + 1 < group.detail.len() => at(Stage::Detail(number + 1)),
            Stage::Details | Stage::Detail(_) if Self::is_list(group.section) => {
                Some(Place { item: place.item + 1, stage: Stage::Another, ..place })
            }
            Stage::Details | Stage::Detail(_) => self.begin(place.group + 1),
        }
    }

    fn row(&self, place: Place) -> Option<&'static Row> {
        let group = groups().get(place.group)?;
        match place.stage {
            Stage::Main(number) => group.main.get(number),
            Stage::Detail(number) => group.detail.get(number),
            Stage::Another | Stage::Details => None,
        }
    }

    fn concerns(&self, place: Place) -> bool {
        let group = &groups()[place.group];
        match place.stage {
            Stage::Another => {
                let most = match group.section {
                    "site" => MAX_SITES,
                    "link" => MAX_LINKS,
                    _ => MAX_PERSONAS,
                };
                let somewhere = group.section != "link" || self.sites() > 1 || self.flag("access.edge");
                place.item < most && somewhere
            }
            Stage::Details => group.detail.iter().any(|row| self.holds(row, place.item)),
            Stage::Main(_) | Stage::Detail(_) => self.row(place).is_some_and(|row| self.holds(row, place.item)),
        }
    }

    fn holds(&self, row: &Row, item: usize) -> bool {
        let central = |site: usize| self.literal("site.hub", site).is_none();
        match row.when {
            "" => true,
            "earlier-central" => (0..item).any(central),
            "branch" => !central(item),
            "central" => central(item),
            "recovery" => {
                let paired = |site: usize| self.literal("site.pair", site).is_some();
                let taken = |site: usize| {
                    let name = self.literal("site.name", site);
                    (0..item).any(|other| self.literal("site.pair", other) == name)
                };
                let free = |site: usize| central(site) && !paired(site) && !taken(site);
                self.flag("availability.recovery") && central(item) && (0..item).any(free)
            }
            "personas" => self.literal("persona.name", 0).is_some(),
            flag => self.flag(flag),
        }
    }

    fn sites(&self) -> usize {
        let named = |reply: &&Reply| self.field(reply.place).is_some_and(|f| f.section == "site" && f.key == "name");
        self.replies.iter().filter(named).count()
    }

    /// What was answered to `field` at table `item`.
    fn literal(&self, field: &str, item: usize) -> Option<&str> {
        let (section, key) = field.split_once('.')?;
        let of_this = |reply: &&Reply| {
            let known = self.field(reply.place);
            reply.place.item == item && known.is_some_and(|known| known.section == section && known.key == key)
        };
        self.replies.iter().rev().find(of_this)?.literal.as_deref()
    }

    /// Whether `field` is on: as answered, else as assumed.
    fn flag(&self, field: &str) -> bool {
        let assumed = || {
            let known = fields().iter().find(|known| format!("{}.{}", known.section, known.key) == field);
            known.map_or("", |known| known.default)
        };
        self.literal(field, 0).unwrap_or_else(assumed) == "true"
    }

    /// The field that is asked for; nothing where it is asked whether to ask.
    pub(super) fn field(&self, place: Place) -> Option<&'static Field> {
        self.row(place).map(|row| row.field)
    }

    /// What the drivers of the business ask of `field`.
    pub(super) fn because(&self, field: &Field, place: Place) -> Vec<&'static Requirement> {
        let name = format!("{}.{}", field.section, field.key);
        if place.item > 0 || Self::is_list(field.section) {
            return Vec::new();
        }
        let asked = requirements().iter().filter(|row| row.field == name);
        asked.filter(|row| self.literal(&format!("drivers.{}", row.driver), 0) == Some("true")).collect()
    }

    /// What is assumed without an answer.
    pub(super) fn assumed(&self, field: &Field, place: Place) -> Option<String> {
        if field.section == "site" && field.key == "name" && place.item == 0 {
            return Some("Main".to_owned());
        }
        (!field.default.is_empty()).then(|| field.default.to_owned())
    }

    pub(super) fn group(&self, place: Place) -> &'static str {
        groups()[place.group].name
    }

    pub(super) fn id(&self, place: Place) -> String {
        let group = &groups()[place.group];
        let item = if Self::is_list(group.section) { format!("[{}]", place.item) } else { String::new() };
        match (place.stage, self.row(place)) {
            (Stage::Another, _) => format!("another.{}{item}", group.section),
            (_, Some(row)) => format!("{}{item}.{}", group.section, row.field.key),
            (_, None) => format!("details.{}{item}", group.section),
        }
    }

    /// The words that ask whether to ask.
    pub(super) fn gate_text(&self, place: Place) -> String {
        let group = &groups()[place.group];
        let more = group.detail.iter().filter(|row| self.holds(row, place.item)).count();
        let plural = if more == 1 { "question" } else { "questions" };
        match (place.stage, group.section, place.item) {
            (Stage::Another, "site", _) => "Is there another site?".to_owned(),
            (Stage::Another, "link", 0) => "Is there a link between sites or to the internet to describe?".to_owned(),
            (Stage::Another, "link", _) => "Is there another link?".to_owned(),
            (Stage::Another, _, 0) => "Are there kinds of users who differ from Lync's user model?".to_owned(),
            (Stage::Another, _, _) => "Is there another kind of users?".to_owned(),
            _ => format!("{}: shall {more} more {plural} be asked? (else Lync's defaults are assumed)", group.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_asked_once() {
        let rows = groups().iter().flat_map(|group| group.main.iter().chain(&group.detail));
        let mut asked: Vec<(&str, &str)> = rows.map(|row| (row.field.section, row.field.key)).collect();
        asked.sort_unstable();
        let mut all: Vec<(&str, &str)> = fields().iter().map(|field| (field.section, field.key)).collect();
        all.sort_unstable();
        assert_eq!(asked, all);
    }

    #[test]
    fn every_condition_is_known() {
        let words = ["", "earlier-central", "branch", "central", "recovery", "personas"];
        for row in groups().iter().flat_map(|group| group.main.iter().chain(&group.detail)) {
            let flag = fields().iter().any(|field| format!("{}.{}", field.section, field.key) == row.when);
            assert!(flag || words.contains(&row.when), "{}", row.when);
        }
    }
}
