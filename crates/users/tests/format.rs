//! Presence bodies: what clients send is read, what we write reads back.

use lyceum_sip::time::WallTime;
use lyceum_users::format::multipart::{self, MAX_PARTS, MultipartError};
use lyceum_users::format::pidf::{Basic, MAX_NOTE, Pidf};
use lyceum_users::format::resource_lists::{self, CopyControl, ListError};
use lyceum_users::format::rlmi::{self, List, Resource, ResourceState};
use lyceum_users::format::rpid::{RpidActivity, UserInput};
use lyceum_users::format::winfo::{self, Extent, Watcher, WatcherEvent, WatcherStatus};
use lyceum_users::format::xml::{self, XmlError};
use proptest::prelude::*;

const HEAD: &str = "<?xml version='1.0' encoding='UTF-8'?><presence xmlns='urn:ietf:params:xml:ns:pidf' \
    xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' \
    entity='sip:ana@example.org'>";

fn pidf(inner: &str) -> Pidf {
    Pidf::read(format!("{HEAD}{inner}</presence>").as_bytes(), 25 << 10).unwrap()
}

#[test]
fn a_document_with_person_and_tuple_is_read() {
    let read = pidf(
        "<tuple id='x'><status><basic>open</basic></status><dm:deviceID>urn:uuid:1</dm:deviceID>\
         <contact priority='0.8'>sip:ana@192.0.2.1</contact><note>tuple</note>\
         <timestamp>2026-11-21T10:00:00Z</timestamp></tuple>\
         <dm:person id='p'><rpid:activities><rpid:on-the-phone/><rpid:x-unknown/><rpid:other>Gardening</rpid:other>\
         </rpid:activities><rpid:user-input idle-threshold='600' last-input='2026-11-21T09:50:00Z'>idle\
         </rpid:user-input><dm:note> at work </dm:note></dm:person>",
    );
    assert_eq!(
        (read.entity.as_str(), read.basic(), read.device()),
        ("sip:ana@example.org", Basic::Open, Some("urn:uuid:1"))
    );
    assert_eq!(read.note.as_deref(), Some("at work"), "the person's before the tuple's");
    let activities = read.activities.unwrap();
    assert_eq!(activities.all, [RpidActivity::OnThePhone, RpidActivity::Other]);
    assert_eq!(activities.other.as_deref(), Some("Gardening"));
    let last_input = lyceum_users::format::datetime::read("2026-11-21T09:50:00Z");
    assert_eq!(read.user_input, Some(UserInput { idle: true, last_input }));
    assert_eq!(read.tuples[0].contact.as_deref(), Some("sip:ana@192.0.2.1"));
}

#[test]
fn open_is_who_says_so_anywhere_and_who_says_nothing() {
    let tuple = |basic: &str| format!("<tuple id='{basic}'><status><basic>{basic}</basic></status></tuple>");
    assert_eq!(pidf(&(tuple("closed") + &tuple("open"))).basic(), Basic::Open);
    assert_eq!(pidf(&tuple("closed")).basic(), Basic::Closed);
    assert_eq!(pidf("<tuple id='a'><status/></tuple>").basic(), Basic::Open);
    assert_eq!(pidf("").basic(), Basic::Open);
    // What baresip writes for a state that it has no word for.
    assert_eq!(pidf(&tuple("?")).basic(), Basic::Open);
    assert_eq!(pidf(&(tuple("unkown") + &tuple("closed"))).basic(), Basic::Closed);
}

#[test]
fn activities_in_the_status_of_a_tuple_are_read_as_older_clients_write_them() {
    let read = pidf(
        "<tuple id='a'><status><basic>open</basic><rpid:activities><rpid:busy/></rpid:activities></status></tuple>",
    );
    assert_eq!(read.activities.unwrap().all, [RpidActivity::Busy]);
}

#[test]
fn documents_that_make_no_sense_are_refused() {
    let of = |text: &str| Pidf::read(text.as_bytes(), 25 << 10).unwrap_err();
    assert_eq!(of("<presence xmlns='urn:ietf:params:xml:ns:pidf'/>"), XmlError::Invalid { what: "entity" });
    assert_eq!(of(&format!("{HEAD}<tuple/></presence>")), XmlError::Invalid { what: "tuple id" });
    assert_eq!(of(&format!("{HEAD}{}", " ".repeat(25 << 10))), XmlError::TooLarge { limit: 25 << 10 });
}

#[test]
fn a_long_note_is_cut_at_a_character() {
    let read = pidf(&format!("<note>{}</note>", "ü".repeat(MAX_NOTE)));
    assert_eq!(read.note.unwrap().len(), MAX_NOTE);
    let read = pidf(&format!("<note>x{}</note>", "ü".repeat(MAX_NOTE)));
    assert_eq!(read.note.unwrap().len(), MAX_NOTE - 1);
}

#[test]
fn a_watcher_list_is_written_with_its_version_and_extent() {
    let watcher = Watcher {
        id: "w1",
        uri: "sip:bob&co@example.org",
        display_name: Some("Bob <B>"),
        status: WatcherStatus::Pending,
        event: WatcherEvent::Subscribe,
        subscribed: Some(12),
        expires: None,
    };
    let mut out = Vec::new();
    winfo::write(7, Extent::Partial, "sip:ana@example.org", "presence", [watcher], &mut out);
    let root = xml::read(&out, 4_096, xml::WATCHERINFO, "watcherinfo").unwrap();
    assert_eq!((root.attribute("version"), root.attribute("state")), (Some("7"), Some("partial")));
    let list = root.child(xml::WATCHERINFO, "watcher-list").unwrap();
    assert_eq!(
        (list.attribute("resource"), list.attribute("package")),
        (Some("sip:ana@example.org"), Some("presence"))
    );
    let read = list.child(xml::WATCHERINFO, "watcher").unwrap();
    assert_eq!((read.trimmed(), read.attribute("display-name")), ("sip:bob&co@example.org", Some("Bob <B>")));
    let facts = ["id", "status", "event", "duration-subscribed", "expiration"].map(|name| read.attribute(name));
    assert_eq!(facts, [Some("w1"), Some("pending"), Some("subscribe"), Some("12"), None]);
}

#[test]
fn a_list_notification_names_every_resource_and_carries_the_active_ones() {
    let active = |body| ResourceState::Active { content_type: "application/pidf+xml", body };
    let resource = |uri, state| Resource { uri, name: Some("Some <one>"), instance: "1", state };
    let resources = [
        resource("sip:b@example.org", active(&b"<b/>"[..])),
        resource("sip:c@example.org", ResourceState::Terminated { reason: "rejected" }),
        resource("sip:d@example.org", active(&b""[..])),
        resource("sip:e@example.org", ResourceState::Pending),
    ];
    let list = List { uri: "sip:ana@example.org;list=contacts", version: 3, extent: Extent::Full, boundary: "x7" };
    let mut out = Vec::new();
    rlmi::write(list, &resources, &mut out);
    assert!(out.starts_with(b"--x7\r\n"));
    let kind = rlmi::content_type("x7");
    assert_eq!(multipart::boundary_of(&kind), Some("x7"));
    let parts = multipart::read(&out, "x7").unwrap();
    let bodies: Vec<&[u8]> = parts[1..].iter().map(|part| part.body).collect();
    assert_eq!(bodies, [&b"<b/>"[..], b""]);
    assert!(kind.contains(&format!("start=\"{}\"", parts[0].header("content-id").unwrap())));
    let root = xml::read(parts[0].body, 4_096, xml::RLMI, "list").unwrap();
    assert_eq!((root.attribute("fullState"), root.attribute("version")), (Some("true"), Some("3")));
    let instances: Vec<_> = root.children.iter().map(|r| r.child(xml::RLMI, "instance").unwrap()).collect();
    let states: Vec<_> = instances.iter().map(|i| (i.attribute("state").unwrap(), i.attribute("reason"))).collect();
    assert_eq!(states, [("active", None), ("terminated", Some("rejected")), ("active", None), ("pending", None)]);
    for (instance, part) in [(0, 1), (2, 2)] {
        let id = format!("<{}>", instances[instance].attribute("cid").unwrap());
        assert_eq!(parts[part].header("Content-ID"), Some(&*id));
    }
}

const LISTS: &str = "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists' \
    xmlns:cp='urn:ietf:params:xml:ns:copycontrol'><list name='a'>\
    <entry uri='sip:b@example.org' cp:copyControl='to'><display-name>Bob</display-name></entry>\
    <list><entry uri='sip:c@example.org' cp:copyControl='bcc'/><entry uri='sip:b@example.org'/></list></list></resource-lists>";

#[test]
fn recipients_are_read_from_a_document_and_from_a_part() {
    let (alone, rest) = resource_lists::of_request("application/resource-lists+xml", LISTS.as_bytes()).unwrap();
    assert!(rest.is_empty());
    let seen: Vec<_> = alone.iter().map(|e| (e.uri.as_str(), e.display_name.as_deref(), e.copy_control)).collect();
    assert_eq!(
        seen,
        [("sip:b@example.org", Some("Bob"), CopyControl::To), ("sip:c@example.org", None, CopyControl::Bcc)]
    );
    let body = format!(
        "preamble\r\n--b1\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b1\r\nContent-Type: \
         application/resource-lists+xml\r\nContent-Disposition: recipient-list\r\n\r\n{LISTS}\r\n--b1--\r\nepilogue"
    );
    let (list, rest) = resource_lists::of_request("Multipart/Mixed; boundary=\"b1\"", body.as_bytes()).unwrap();
    assert_eq!(list, alone);
    assert_eq!((rest.len(), rest[0].content_type(), rest[0].body), (1, Some("text/plain"), &b"Hello"[..]));
}

#[test]
fn lists_that_cannot_be_used_are_refused() {
    let list = |inner: &str| {
        let text = format!(
            "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'><list>{inner}</list></resource-lists>"
        );
        resource_lists::read(text.as_bytes()).unwrap_err()
    };
    assert_eq!(list("<external anchor='http://192.0.2.1/x'/>"), ListError::External);
    assert_eq!(list("<entry/>"), ListError::Xml(XmlError::Invalid { what: "entry uri" }));
    let many: String = (0..=resource_lists::MAX_ENTRIES).map(|n| format!("<entry uri='sip:{n}@a'/>")).collect();
    assert_eq!(list(&many), ListError::TooMany);
    let of = |kind: &str, body: &[u8]| resource_lists::of_request(kind, body).unwrap_err();
    assert_eq!(of("text/plain", b""), ListError::NoList);
    assert_eq!(of("multipart/mixed", b""), ListError::NoList);
    assert_eq!(of("multipart/mixed;boundary=a", b"--a\r\n\r\nx"), ListError::Multipart(MultipartError::Unfinished));
    assert_eq!(of("multipart/mixed;boundary=a", b"--a\r\n\r\nx\r\n--a--"), ListError::NoList);
    let parts = "--a\r\n\r\nx\r\n".repeat(MAX_PARTS + 1) + "--a--";
    assert_eq!(of("multipart/mixed;boundary=a", parts.as_bytes()), ListError::Multipart(MultipartError::TooMany));
    let long = format!("multipart/mixed;boundary={}", "a".repeat(71));
    assert_eq!(of(&long, b""), ListError::Multipart(MultipartError::Boundary));
}

proptest! {
    #[test]
    fn any_bytes_are_survived_by_every_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400), boundary in "[a-z]{0,4}") {
        let _ = Pidf::read(&bytes, 300);
        let _ = resource_lists::read(&bytes);
        let _ = multipart::read(&bytes, &boundary);
        let window = lyceum_users::presence::calendar::Window { from: WallTime(0), to: WallTime(1 << 40), floating_offset: 0 };
        let _ = lyceum_users::presence::calendar::read(&bytes, window);
    }

    #[test]
    fn any_markup_is_survived(pieces in proptest::collection::vec(piece(), 0..40)) {
        let text = format!("{HEAD}{}</presence>", pieces.concat());
        if let Ok(read) = Pidf::read(text.as_bytes(), 25 << 10) {
            prop_assert_eq!(read.entity, "sip:ana@example.org");
            prop_assert!(read.note.is_none_or(|note| note.len() <= MAX_NOTE));
        }
    }

    #[test]
    fn parts_come_back_whatever_is_in_them(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..8)) {
        let mut out = Vec::new();
        let mut parts = multipart::Multipart::new("b0undary", &mut out);
        for body in &bodies {
            parts.begin("application/octet-stream", None);
            parts.body().extend_from_slice(body);
        }
        parts.end();
        let read: Vec<Vec<u8>> = multipart::read(&out, "b0undary").unwrap().iter().map(|part| part.body.to_vec()).collect();
        prop_assert_eq!(read, bodies);
    }

    #[test]
    fn moments_are_written_as_they_are_read(seconds in 0u64..253_402_300_800) {
        let mut out = Vec::new();
        lyceum_users::format::datetime::write_utc(&mut out, WallTime(seconds * 1000));
        let text = String::from_utf8(out).unwrap();
        prop_assert_eq!(lyceum_users::format::datetime::read(&text), Some(WallTime(seconds * 1000)));
    }
}

fn piece() -> impl Strategy<Value = String> {
    let words = [
        "<tuple id='a'>",
        "</tuple>",
        "<status>",
        "</status>",
        "<basic>open</basic>",
        "<basic>closed</basic>",
        "<dm:person>",
        "</dm:person>",
        "<rpid:activities>",
        "</rpid:activities>",
        "<rpid:busy/>",
        "<rpid:other>x</rpid:other>",
        "<note>&amp;</note>",
        "&lt;",
        "&bogus;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?pi?>",
        "<p:state xmlns:p='urn:lyceum:presence' availability='99999'/>",
        "<rpid:user-input last-input='2026-11-21T09:50:00Z'>idle</rpid:user-input>",
        "<!DOCTYPE a>",
        " ",
    ];
    prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => "[ -~]{0,8}",
    ]
}
