//! The tables of `tests/presence`, row by row.

#[path = "support/person.rs"]
mod person;
#[path = "support/table.rs"]
mod table;

use lyceum_sip::time::WallTime;
use lyceum_topology::PresencePolicy;
use lyceum_users::contacts::{ContactEntry, ContactList, Who};
use lyceum_users::presence::calendar::BusyKind;
use lyceum_users::presence::{
    Card, ChoiceIntent, Facts, Number, NumberKind, Presentities, Reach, Relationship, Standing, UserChoice, View,
    reach, view,
};
use person::{NOON, Person, later, minutes, pidf};
use table::{Row, number, quoted, said, tables};

#[test]
fn aggregation_is_as_the_table_says() {
    let mut cases = 0;
    for (heading, rows) in tables(include_str!("presence/aggregation.md")) {
        for row in rows {
            let state = Person::of(&row).state(NOON);
            let seen = (state.activity.as_str(), u64::from(state.availability.0));
            assert_eq!(seen, (&*row["seen as"], number(&row["number"])), "{heading}: {}", row["case"]);
            if row.contains_key("note") {
                let texts = (state.note.as_deref(), state.label.as_deref());
                assert_eq!(texts, (said(&row, "note"), said(&row, "label")), "{heading}: {}", row["case"]);
            }
            cases += 1;
        }
    }
    assert!(cases >= 80, "{cases} cases");
}

fn card() -> Card<'static> {
    let number = |kind, number| Number { kind, number };
    Card {
        display_name: "Ana Alva",
        mail: "ana@example.org",
        title: "Engineer",
        company: "Contoso",
        department: "Research",
        office: "4.12",
        numbers: vec![
            number(NumberKind::Work, "+1"),
            number(NumberKind::Mobile, "+2"),
            number(NumberKind::Home, "+3"),
            number(NumberKind::Other, "+4"),
        ],
        photo: true,
    }
}

/// What a view shows under the words of the table.
fn shown(view: &View<'_>, what: &str) -> String {
    let ago = |at: WallTime| format!("{} min ago", (NOON.0 - at.0) / 60_000);
    let text = match what {
        "number" => view.availability.map(|a| a.0.to_string()),
        "seen as" => view.activity.map(|a| a.as_str().to_owned()),
        "note" => view.note.map(str::to_owned),
        "label" => view.label.map(str::to_owned),
        "out of office" => view.out_of_office.map(str::to_owned),
        "last used" => view.last_active.map(ago),
        "since" => view.since.map(ago),
        "devices" => Some(view.devices.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")),
        "busy until" => view.busy_until.map(|at| format!("in {} min", (at.0 - NOON.0) / 60_000)),
        "meeting" => {
            view.meeting.map(|m| format!("{} in {}", m.subject.as_deref().unwrap(), m.location.as_deref().unwrap()))
        }
        "name" => Some(view.card.display_name.to_owned()),
        "mail" => Some(view.card.mail.to_owned()),
        "title" => Some(view.card.title.to_owned()),
        "company" => Some(view.card.company.to_owned()),
        "department" => Some(view.card.department.to_owned()),
        "office" => Some(view.card.office.to_owned()),
        "picture" => view.card.photo.then(|| "yes".to_owned()),
        "numbers" => Some(view.card.numbers.iter().map(|n| n.number).collect::<Vec<_>>().join(", ")),
        other => panic!("nothing called {other:?}"),
    };
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| "–".to_owned())
}

#[test]
fn privacy_is_as_the_tables_say() {
    let columns = [
        ("blocked", Standing::from(Relationship::Blocked)),
        ("external", Relationship::External.into()),
        ("colleagues", Relationship::Colleagues.into()),
        ("workgroup", Relationship::Workgroup.into()),
        ("friends and family", Relationship::FriendsAndFamily.into()),
        ("not a contact", Standing { relationship: Relationship::Colleagues, hidden: true }),
    ];
    let mut cells = 0;
    let mut person: Option<Person> = None;
    for (heading, rows) in tables(include_str!("presence/privacy.md")) {
        if rows[0].contains_key("Ana") {
            person = Some(Person::of(&rows.iter().map(|row| (row["Ana"].clone(), row[""].clone())).collect::<Row>()));
            continue;
        }
        let Some(person) = person.as_ref().filter(|_| rows[0].contains_key("what")) else { continue };
        let (state, card) = (person.state(NOON), card());
        for row in rows {
            for (column, standing) in columns {
                let seen = match &*row["what"] {
                    "may reach her" => match reach(&state, standing.relationship) {
                        Reach::Allowed => "allowed".to_owned(),
                        Reach::Blocked => "blocked".to_owned(),
                        Reach::DoNotDisturb => "do not disturb".to_owned(),
                    },
                    what => shown(&view(&state, &card, standing), what),
                };
                assert_eq!(seen, row[column], "{heading}: {} for {column}", row["what"]);
                cells += 1;
            }
        }
    }
    assert!(cells >= 150, "{cells} cells");
}

#[test]
fn a_watcher_is_what_the_table_says() {
    let mut list = ContactList::default();
    let contact =
        |address: &str| ContactEntry { address: address.into(), display_name: None, groups: vec![], favourite: false };
    list.put_contact(contact("carol@example.org")).unwrap();
    for (who, relationship) in [
        ("bob@example.org", Relationship::Workgroup),
        ("@partner.example", Relationship::Colleagues),
        ("eve@partner.example", Relationship::Blocked),
    ] {
        list.relate(Who::parse(who).unwrap(), Some(relationship));
    }
    let state = Person::of(&[("signed in".to_owned(), "1".to_owned())].into()).state(NOON);
    let tables = tables(include_str!("presence/privacy.md"));
    let (_, rows) = tables.iter().find(|(_, rows)| rows[0].contains_key("watcher")).unwrap();
    for row in rows {
        let policy = PresencePolicy { privacy_mode: row["privacy mode"] == "on", ..PresencePolicy::default() };
        let standing = list.standing_of(&row["watcher"], row["our organisation"] == "yes", &policy);
        let sees = view(&state, &card(), standing).availability == Some(state.availability);
        let seen = (standing.relationship.as_str(), if sees { "yes" } else { "no" });
        assert_eq!(seen, (&*row["relationship"], &*row["sees presence"]), "{} {}", row["watcher"], row["privacy mode"]);
    }
    assert_eq!(rows.len(), 12);
}

/// What happened to Ana; whether watchers were told at once.
fn happens(ana: &mut Person, now: WallTime, what: &str) -> bool {
    let facts = ana.facts;
    let (words, text) = quoted(what);
    match words {
        "the phone signs in" => ana.set_facts(now, Facts { registered: 1, ..facts }),
        "the phone signs out" => ana.set_facts(now, Facts { registered: 0, ..facts }),
        "the page signs in and is used" => {
            let told = ana.set_facts(now, Facts { registered: 2, ..facts });
            ana.used(now, "page", 0) | told
        }
        "the page is used" => ana.used(now, "page", 0),
        "the page tells that it was not used since 08:56" => ana.used(now, "page", 14 * 60),
        "a call begins" => ana.set_facts(now, Facts { calls: 1, ..facts }),
        "the call ends" => ana.set_facts(now, Facts { calls: 0, ..facts }),
        "the appointment begins" => ana.appointment(now, BusyKind::Busy, now, later(now, 30)),
        "Ana chooses do-not-disturb for 60 minutes" => {
            let choice = Some((UserChoice::DoNotDisturb, None, Some(later(now, 60))));
            ana.choose(now, &ChoiceIntent { choice, ..ChoiceIntent::default() })
        }
        "the softphone publishes busy for 20 minutes" => {
            let body = pidf("open", &["busy"], None, None, false);
            ana.publish(now, "softphone", &body, Some(1_200), None).unwrap().changed
        }
        "the server restarts" => {
            ana.restart(now);
            // Devices come back and report.
            ana.used(now, "page", 4 * 60);
            false
        }
        "Ana writes the note" => ana.choose(now, &ChoiceIntent { note: text, ..ChoiceIntent::default() }),
        other => panic!("nothing like {other:?}"),
    }
}

#[test]
fn a_day_goes_as_the_table_says() {
    let mut ana = Person::default();
    let midnight = minutes(NOON, 12 * 60);
    let tables = tables(include_str!("presence/day.md"));
    let rows = &tables[0].1;
    assert_eq!(rows.len(), 32);
    let mut minute = 0;
    for row in rows {
        let (hours, rest) = row["time"].split_once(':').unwrap();
        let until = number(hours) * 60 + number(rest);
        // Between the rows nothing may be told.
        while minute < until {
            minute += 1;
            let told = ana.sweep(later(midnight, minute));
            let here = minute == until && said(row, "what happens").is_none();
            assert!(!told || here, "told at minute {minute}, before {}", row["time"]);
            assert!(!here || told == (row["told"] == "yes"), "{}", row["time"]);
        }
        let now = later(midnight, minute);
        if let Some(what) = said(row, "what happens") {
            let told = happens(&mut ana, now, what);
            assert_eq!(told, row["told"] == "yes", "{} {what}", row["time"]);
        }
        let state = ana.state(now);
        let seen = (state.activity.as_str(), u64::from(state.availability.0));
        assert_eq!(seen, (&*row["seen as"], number(&row["number"])), "{}", row["time"]);
    }
    assert!(ana.all.next_change().is_none_or(|at| at > later(midnight, minute)));
    let stored = Presentities::document(&ana.group, person::ANA);
    assert_eq!(stored.note.as_deref(), Some("Lunch"));
    assert!(stored.publications.is_empty(), "what ended is not kept");
}
