//! PUBLISH, the person's own settings, and what survives what.

#[path = "support/person.rs"]
mod person;
#[path = "support/table.rs"]
#[allow(dead_code, reason = "used by the tables")]
mod table;

use lyceum_users::format::pidf::Pidf;
use lyceum_users::format::xml::XmlError;
use lyceum_users::presence::{
    Activity, Availability, Card, ChoiceIntent, ChoiceRefusal, Document, ETag, Facts, MAX_DEVICES, MAX_LABEL, MAX_NOTE,
    MAX_PUBLICATIONS, Presentities, Presentity, PublishIntent, PublishRefusal, Relationship, Standing, UserChoice,
    own_view, view,
};
use lyceum_users::{EntryError, Group, Undone, facet_kind};
use person::{ANA, NOON, Person, later, pidf};

fn busy() -> String {
    pidf("open", &["busy"], None, None, false)
}

fn signed_in() -> Person {
    let mut ana = Person::default();
    ana.set_facts(NOON, Facts { registered: 1, ..Facts::default() });
    ana
}

#[test]
fn the_interval_granted_follows_the_policy() {
    for (asked, granted) in [
        (None, Ok(28_800)),
        (Some(1_200), Ok(1_200)),
        (Some(3_600), Ok(3_600)),
        (Some(100_000), Ok(43_200)),
        (Some(1_199), Ok(1_199)),
        (Some(60), Ok(60)),
        (Some(59), Err(PublishRefusal::IntervalTooBrief { min: 1_200 })),
        (Some(1), Err(PublishRefusal::IntervalTooBrief { min: 1_200 })),
        (Some(0), Ok(0)),
    ] {
        let published = signed_in().publish(NOON, "", &busy(), asked, None);
        assert_eq!(published.map(|p| p.expires), granted, "{asked:?}");
    }
}

#[test]
fn every_publish_gets_another_tag_and_only_the_last_one_counts() {
    let mut ana = signed_in();
    let first = ana.publish(NOON, "", &busy(), None, None).unwrap();
    assert!(first.changed && first.wait_for.is_some());
    // A refresh has no body.
    let refreshed = ana.publish(later(NOON, 1), "", "", None, Some(&first.etag.to_string())).unwrap();
    assert_ne!(refreshed.etag, first.etag);
    assert!(!refreshed.changed, "nobody is told of a refresh");
    let stale = ana.publish(later(NOON, 1), "", "", None, Some(&first.etag.to_string()));
    assert_eq!(stale, Err(PublishRefusal::ConditionalRequestFailed));
    let away = pidf("open", &["away"], None, None, false);
    let modified = ana.publish(later(NOON, 2), "", &away, None, Some(&refreshed.etag.to_string())).unwrap();
    assert!(modified.changed);
    assert_eq!(ana.state(later(NOON, 2)).activity, Activity::Away);
    let removed = ana.publish(later(NOON, 3), "", "", Some(0), Some(&modified.etag.to_string())).unwrap();
    assert!(removed.changed);
    assert_eq!(ana.state(later(NOON, 3)).activity, Activity::Available);
    let gone = ana.publish(later(NOON, 3), "", "", Some(0), Some(&modified.etag.to_string()));
    assert_eq!(gone, Err(PublishRefusal::ConditionalRequestFailed));
}

#[test]
fn a_refusal_changes_and_writes_nothing() {
    let mut ana = signed_in();
    let tag = ana.publish(NOON, "", &busy(), None, None).unwrap().etag.to_string();
    ana.journal.take();
    let before = Presentities::document(&ana.group, ANA);
    let good = busy();
    let doctype = "<!DOCTYPE presence [<!ENTITY a 'x'>]><presence>&a;</presence>";
    let large = pidf("open", &[], None, Some(&"x".repeat(25 << 10)), false);
    let cases: &[(&[u8], &str, Option<&str>, Option<u32>, u16)] = &[
        (b"application/pidf+xml", &good, Some("0123456789abcdef"), None, 412),
        (b"application/pidf+xml", &good, Some("not a tag of ours"), None, 412),
        (b"application/pidf+xml", &good, Some(&tag), Some(59), 423),
        (b"application/pidf+xml", "", None, None, 400),
        (b"application/pidf+xml", "<presence", None, None, 400),
        (b"application/pidf+xml", doctype, None, None, 400),
        (b"application/pidf+xml", &large, None, None, 413),
        (b"text/plain", "hello", Some(&tag), None, 415),
        (b"application/cpim-pidf+xml", &good, None, None, 415),
    ];
    for (kind, body, if_match, expires, status) in cases {
        let intent = PublishIntent {
            if_match: if_match.map(str::as_bytes),
            expires: *expires,
            content_type: kind,
            body: body.as_bytes(),
            source: None,
            device: None,
            kind: Default::default(),
            fresh: 99,
        };
        let presentity = Presentity { aor: ANA, now: NOON, policy: &ana.policy };
        let refusal = ana.all.publish(presentity, &intent, &mut ana.group, &mut ana.journal).unwrap_err();
        assert_eq!(refusal.status(), *status, "{refusal}");
        assert_eq!(Presentities::document(&ana.group, ANA), before);
        assert!(ana.journal.is_empty(), "{refusal}");
    }
    let refusal = ana.publish(NOON, "", doctype, None, None).unwrap_err();
    assert_eq!(refusal, PublishRefusal::Body(XmlError::DocumentType));
}

#[test]
fn a_publication_ends_by_itself_and_its_tag_with_it() {
    let mut ana = signed_in();
    let tag = ana.publish(NOON, "", &busy(), Some(1_200), None).unwrap().etag;
    assert!(!ana.sweep(later(NOON, 19)));
    let refresh = ana.publish(later(NOON, 20), "", "", None, Some(&tag.to_string()));
    assert_eq!(refresh, Err(PublishRefusal::ConditionalRequestFailed), "even before it is swept");
    assert_eq!(ana.all.next_change(), Some(later(NOON, 20)));
    assert!(ana.sweep(later(NOON, 20)));
    assert_eq!(ana.state(later(NOON, 20)).activity, Activity::Available);
    assert_eq!(ana.group.facet_count(facet_kind::PRESENCE), 0, "nothing is left to remember");
}

#[test]
fn a_device_that_begins_anew_takes_the_place_of_its_old_self() {
    let mut ana = signed_in();
    ana.publish(NOON, "phone", &pidf("open", &["away"], None, None, false), None, None).unwrap();
    ana.publish(later(NOON, 1), "phone", &busy(), None, None).unwrap();
    ana.publish(later(NOON, 1), "softphone", &busy(), None, None).unwrap();
    assert_eq!(Presentities::document(&ana.group, ANA).publications.len(), 2);
    // Devices without a name cannot be told apart: of too many the oldest gives way.
    for minute in 2..40 {
        ana.publish(later(NOON, minute), "", &busy(), None, None).unwrap();
    }
    let left = Presentities::document(&ana.group, ANA).publications;
    assert_eq!(left.len(), MAX_PUBLICATIONS);
    assert!(left.iter().all(|publication| publication.received >= later(NOON, 24)));
}

#[test]
fn two_tags_are_never_the_same_even_if_the_random_bits_are() {
    let mut ana = signed_in();
    let body = busy();
    let mut tags: Vec<ETag> = Vec::new();
    for _ in 0..3 {
        let intent = PublishIntent {
            if_match: None,
            expires: None,
            content_type: b"Application/PIDF+xml",
            body: body.as_bytes(),
            source: None,
            device: None,
            kind: Default::default(),
            fresh: 7,
        };
        let presentity = Presentity { aor: ANA, now: NOON, policy: &ana.policy };
        tags.push(ana.all.publish(presentity, &intent, &mut ana.group, &mut ana.journal).unwrap().etag);
    }
    assert_eq!(tags, [ETag(7), ETag(8), ETag(9)]);
    assert_eq!(tags[0].to_string(), "0000000000000007");
    for text in ["", "7", "000000000000000G", "00000000000000AB", "00000000000000007", "+000000000000007"] {
        assert_eq!(ETag::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn what_the_store_refused_did_not_happen() {
    let mut ana = signed_in();
    ana.publish(NOON, "", &busy(), None, None).unwrap();
    let (seq, _) = ana.journal.take().unwrap();
    ana.journal.committed(seq);
    let before = ana.state(NOON);
    ana.choose(NOON, &ChoiceIntent { choice: Some((UserChoice::DoNotDisturb, None, None)), ..ChoiceIntent::default() });
    ana.publish(NOON, "", &busy(), None, None).unwrap();
    let (seq, _) = ana.journal.take().unwrap();
    let mut told = false;
    for undo in ana.journal.failed(seq).unwrap() {
        let touched = ana.group.undo(undo).and_then(Undone::facet).unwrap();
        assert_eq!((touched.kind, &*touched.key), (facet_kind::PRESENCE, ANA.as_bytes()));
        let presentity = Presentity { aor: ANA, now: NOON, policy: &ana.policy };
        told |= ana.all.reconsider(presentity, &ana.group);
    }
    assert!(told, "watchers who were told of do not disturb are told otherwise");
    assert_eq!(ana.state(NOON), before);
}

#[test]
fn what_an_administrator_sets_makes_nobody_active() {
    let mut ana = signed_in();
    let busy = ChoiceIntent { choice: Some((UserChoice::Busy, None, None)), ..ChoiceIntent::default() };
    let before = ana.state(later(NOON, 20)).last_active;
    ana.choose(later(NOON, 20), &ChoiceIntent { by_administrator: true, ..busy.clone() });
    assert_eq!(ana.state(later(NOON, 20)).last_active, before);
    ana.choose(later(NOON, 21), &busy);
    assert_eq!(ana.state(later(NOON, 21)).last_active, Some(later(NOON, 21)));
}

#[test]
fn what_a_person_sets_is_bounded_and_asked_of_the_policy() {
    let mut ana = signed_in();
    let choice = |choice, label| ChoiceIntent { choice: Some((choice, label, None)), ..ChoiceIntent::default() };
    let (long, letters) = ("x".repeat(MAX_NOTE + 1), "ü".repeat(MAX_LABEL + 1));
    let mut refused = |intent: &ChoiceIntent<'_>| {
        let presentity = Presentity { aor: ANA, now: NOON, policy: &ana.policy };
        ana.all.choose(presentity, intent, &mut ana.group, &mut ana.journal).unwrap_err()
    };
    let note = ChoiceIntent { note: Some(&long), ..ChoiceIntent::default() };
    assert_eq!(refused(&note), ChoiceRefusal::TooLong { what: "note", limit: MAX_NOTE });
    let oof = ChoiceIntent { out_of_office: Some((&long, None)), ..ChoiceIntent::default() };
    let odd = ChoiceIntent { note: Some("a\u{7}b"), ..ChoiceIntent::default() };
    assert_eq!(refused(&odd), ChoiceRefusal::ControlCharacters { what: "note" });
    assert_eq!(refused(&oof), ChoiceRefusal::TooLong { what: "out-of-office note", limit: MAX_NOTE });
    let label = refused(&choice(UserChoice::Busy, Some(&letters)));
    assert_eq!(label, ChoiceRefusal::TooLong { what: "label", limit: MAX_LABEL });
    assert_eq!(refused(&choice(UserChoice::Away, Some("Gone"))), ChoiceRefusal::LabelNotAllowed);
    ana.policy.appear_offline = false;
    let presentity = Presentity { aor: ANA, now: NOON, policy: &ana.policy };
    let offline = choice(UserChoice::AppearOffline, None);
    let refusal = ana.all.choose(presentity, &offline, &mut ana.group, &mut ana.journal);
    assert_eq!(refusal, Err(ChoiceRefusal::AppearOfflineNotAllowed));
    assert!(Presentities::document(&ana.group, ANA).is_empty());
}

#[test]
fn what_was_set_is_taken_back() {
    let mut ana = signed_in();
    let set = ChoiceIntent {
        choice: Some((UserChoice::Busy, Some("Lab"), None)),
        note: Some("Back at 3"),
        out_of_office: Some(("Away", None)),
        ..ChoiceIntent::default()
    };
    assert!(ana.choose(NOON, &set));
    let clear = ChoiceIntent {
        choice: Some((UserChoice::Automatic, None, None)),
        note: Some(""),
        out_of_office: Some(("", None)),
        ..ChoiceIntent::default()
    };
    assert!(ana.choose(later(NOON, 1), &clear));
    let left = Presentities::document(&ana.group, ANA);
    assert_eq!(left, Document { last_active: Some(later(NOON, 1)), ..Document::default() });
}

#[test]
fn a_note_set_while_nobody_is_signed_in_is_told_and_so_is_its_end() {
    let mut ana = Person::default();
    let note = |note| ChoiceIntent { note: Some(note), ..ChoiceIntent::default() };
    assert!(ana.choose(NOON, &note("On leave")));
    assert!(ana.all.is_empty(), "nothing is kept live of somebody who is not there");
    assert!(!ana.choose(NOON, &note("On leave")));
    assert!(ana.choose(NOON, &note("")));
}

#[test]
fn the_moment_at_which_somebody_left_is_remembered() {
    let mut ana = signed_in();
    ana.publish(NOON, "PC", &busy(), None, None).unwrap();
    ana.used(later(NOON, 30), "PC", 60);
    ana.set_facts(later(NOON, 31), Facts::default());
    ana.restart(later(NOON, 40));
    assert_eq!(ana.state(later(NOON, 40)).last_active, Some(later(NOON, 29)));
    // Of somebody who never used presence nothing is written.
    let mut bob = Person::default();
    bob.set_facts(NOON, Facts { registered: 1, ..Facts::default() });
    bob.set_facts(NOON, Facts::default());
    assert!(bob.journal.is_empty() && bob.all.is_empty());
}

#[test]
fn devices_are_followed_up_to_a_number_and_forgotten_on_request() {
    let mut ana = signed_in();
    let presentity = Presentity { aor: ANA, now: NOON, policy: &ana.policy };
    for device in 0..MAX_DEVICES + 5 {
        ana.all.used(presentity, &format!("device{device}"), Default::default(), 1_000 - device as u32, &ana.group);
    }
    assert_eq!(ana.all.state(presentity, &ana.group).devices.len(), MAX_DEVICES);
    assert_eq!(ana.all.state(presentity, &ana.group).activity, Activity::Away);
    ana.used(NOON, "page", 0);
    assert_eq!(ana.state(NOON).activity, Activity::Available);
    let presentity = Presentity { aor: ANA, now: NOON, policy: &ana.policy };
    assert!(ana.all.forget_device(presentity, "page", &ana.group));
    assert_eq!(ana.state(NOON).activity, Activity::Away);
}

#[test]
fn a_removed_user_leaves_nothing() {
    let mut ana = signed_in();
    ana.publish(NOON, "", &busy(), None, None).unwrap();
    assert!(ana.all.remove(ANA, &mut ana.group, &mut ana.journal).is_some());
    assert!(ana.all.is_empty());
    assert_eq!(ana.group.facet_count(facet_kind::PRESENCE), 0);
    assert_eq!(ana.all.remove(ANA, &mut ana.group, &mut ana.journal), None);
}

#[test]
fn a_record_of_a_newer_server_is_not_taken_for_an_empty_one() {
    let mut group = Group::new(3);
    let mut journal = lyceum_users::Journal::new();
    group.put_facet(facet_kind::PRESENCE, ANA.as_bytes(), &[2, 0], &mut journal).unwrap();
    let policy = lyceum_topology::PresencePolicy::default();
    let error = Presentities::load(NOON, &group, |_| &policy).err().unwrap();
    assert!(error.to_string().contains(ANA) && error.to_string().contains("newer server"));
    assert!(EntryError::Version(9).to_string().contains("newer server"));
}

#[test]
fn what_we_write_is_read_by_us_and_by_clients_that_know_rpid_alone() {
    let mut ana = signed_in();
    ana.choose(
        NOON,
        &ChoiceIntent {
            choice: Some((UserChoice::Busy, Some("Lab & <office>"), None)),
            note: Some("Back \"at\" 3"),
            ..ChoiceIntent::default()
        },
    );
    ana.set_facts(NOON, Facts { registered: 1, calls: 1, in_meeting: false });
    let state = ana.state(NOON);
    let card = Card { display_name: "Ana <A>", ..Card::default() };
    let document = |view: &lyceum_users::presence::View<'_>| {
        let mut out = Vec::new();
        view.pidf("sip:ana@example.org", &mut out);
        (Pidf::read(&out, 25 << 10).unwrap(), String::from_utf8(out).unwrap())
    };
    let (read, text) = document(&view(&state, &card, Relationship::Colleagues.into()));
    assert_eq!((read.availability, read.own_activity.as_deref()), (Some(Availability::BUSY.0), Some("on-the-phone")));
    let activities = read.activities.unwrap();
    assert_eq!(Activity::of(&activities), Some(Activity::OnThePhone));
    assert_eq!(activities.other.as_deref(), Some("Lab & <office>"));
    assert_eq!(read.note.as_deref(), Some("Back \"at\" 3"));
    assert_eq!(read.tuples[0].contact.as_deref(), Some("sip:ana@example.org"));
    assert!(text.contains("since=\"2026-") && !text.contains("choice="), "{text}");
    assert!(
        text.contains("<basic>open</basic>") && text.contains("<rpid:on-the-phone/>"),
        "as baresip wants it: {text}"
    );
    let (_, own) = document(&own_view(&state, &card));
    assert!(own.contains("choice=\"busy\""));
    let (blocked, text) = document(&view(&state, &card, Relationship::Blocked.into()));
    assert_eq!(
        (blocked.basic(), blocked.note, blocked.activities),
        (lyceum_users::format::pidf::Basic::Closed, None, None)
    );
    assert!(text.contains("Ana &lt;A&gt;"));
    let hidden = Standing { relationship: Relationship::Colleagues, hidden: true };
    let (hidden, _) = document(&view(&state, &card, hidden));
    assert_eq!((hidden.tuples[0].basic, hidden.availability), (None, None), "not even whether she is there");
}

#[test]
fn what_stands_alone_lasts_until_it_ends_and_through_a_restart() {
    let mut ana = Person::default();
    let first = ana.publish(NOON, "agent", &busy(), Some(3_600), None).unwrap();
    assert!(first.changed);
    ana.set_facts(later(NOON, 1), Facts { registered: 1, ..Facts::default() });
    assert!(!ana.set_facts(later(NOON, 2), Facts::default()), "the phone came and went, the program stays");
    ana.restart(later(NOON, 3));
    assert_eq!(ana.state(later(NOON, 3)).activity, Activity::Busy);
    let renewed = ana.publish(later(NOON, 30), "", "", Some(3_600), Some(&first.etag.to_string())).unwrap();
    assert!(!renewed.changed);
    assert_eq!(ana.state(later(NOON, 89)).activity, Activity::Busy);
    assert!(ana.sweep(later(NOON, 90)));
    assert_eq!(ana.state(later(NOON, 90)).activity, Activity::Offline);
}

#[test]
fn a_refresh_decides_again_only_when_nobody_is_signed_in() {
    let mut ana = signed_in();
    let first = ana.publish(NOON, "softphone", &busy(), Some(3_600), None).unwrap();
    assert!(ana.set_facts(later(NOON, 1), Facts::default()), "it ends with the last device");
    let again = ana.publish(later(NOON, 2), "softphone", "", Some(3_600), Some(&first.etag.to_string())).unwrap();
    assert!(again.changed, "who still publishes is there");
    ana.set_facts(later(NOON, 3), Facts { registered: 1, ..Facts::default() });
    let tag = again.etag.to_string();
    ana.publish(later(NOON, 4), "softphone", &busy(), Some(3_600), Some(&tag)).unwrap();
    assert!(ana.set_facts(later(NOON, 5), Facts::default()), "a whole state sent while signed in goes with the device");
}

#[test]
fn a_device_without_a_name_is_known_by_where_it_publishes_from_and_its_tuple() {
    let mut ana = signed_in();
    let mut publish = |source: &str, tuple: &str, basic: &str, fresh: u64| {
        let body = pidf(basic, &[], None, None, false).replace("id='t'", &format!("id='{tuple}'"));
        let intent = PublishIntent {
            if_match: None,
            expires: None,
            content_type: b"application/pidf+xml",
            body: body.as_bytes(),
            device: None,
            source: Some(source),
            kind: lyceum_users::presence::DeviceKind::Unknown,
            fresh,
        };
        let presentity = Presentity { aor: ANA, now: NOON, policy: &ana.policy };
        ana.all.publish(presentity, &intent, &mut ana.group, &mut ana.journal).unwrap();
        Presentities::document(&ana.group, ANA).publications.len()
    };
    assert_eq!(publish("udp 192.0.2.1:5060", "t4109", "open", 1), 1);
    assert_eq!(publish("udp 192.0.2.1:5060", "t4109", "closed", 2), 1, "it began anew");
    assert_eq!(publish("udp 192.0.2.1:5060", "door", "open", 3), 2, "another tuple");
    assert_eq!(publish("udp 192.0.2.2:5060", "t4109", "open", 4), 3, "another place");
}
