//! Contact lists: versions, bounds, and who is asked about.

use lyceum_topology::PresencePolicy;
use lyceum_users::contacts::{
    ContactEntry, ContactGroup, ContactList, ContactRefusal, MAX_GROUPS, MAX_KNOWN_WATCHERS, MAX_RELATIONSHIPS, Rule,
    WatcherNote, Who,
};
use lyceum_users::presence::Relationship;
use lyceum_users::{Group, Journal, facet_kind};

const ANA: &str = "ana@example.org";

struct World {
    group: Group,
    journal: Journal,
    policy: PresencePolicy,
}

impl Default for World {
    fn default() -> Self {
        World { group: Group::new(3), journal: Journal::new(), policy: PresencePolicy::default() }
    }
}

impl World {
    fn replace(&mut self, list: ContactList, based_on: u64) -> Result<ContactList, ContactRefusal> {
        list.replace(ANA, based_on, &self.policy, &mut self.group, &mut self.journal).map(|(list, _)| list)
    }

    fn edit(
        &mut self,
        edit: impl FnOnce(&mut ContactList) -> Result<(), ContactRefusal>,
    ) -> Result<ContactList, ContactRefusal> {
        ContactList::edit(ANA, &self.policy, &mut self.group, &mut self.journal, edit).map(|(list, _)| list)
    }

    fn stored(&self) -> ContactList {
        ContactList::load(&self.group, ANA).unwrap()
    }
}

fn contact(address: &str, groups: &[u32]) -> ContactEntry {
    ContactEntry { address: address.into(), display_name: None, groups: groups.to_vec(), favourite: false }
}

fn group(id: u32, name: &str) -> ContactGroup {
    ContactGroup { id, name: name.into(), distribution_group: None }
}

fn contacts(count: usize) -> Vec<ContactEntry> {
    (0..count).map(|n| contact(&format!("user{n}@example.org"), &[])).collect()
}

#[test]
fn a_list_is_kept_as_it_was_given_under_the_next_version() {
    let mut world = World::default();
    let list = ContactList {
        version: 99,
        groups: vec![
            group(1, "Friends"),
            ContactGroup { distribution_group: Some("all@example.org".into()), ..group(7, "All") },
        ],
        contacts: vec![
            ContactEntry { display_name: Some("Bob".into()), favourite: true, ..contact("bob@example.org", &[7, 1]) },
            contact("carol@example.org", &[]),
        ],
        relationships: vec![Rule {
            who: Who::parse("@partner.example").unwrap(),
            relationship: Relationship::Workgroup,
        }],
        privacy_mode: Some(false),
        ..ContactList::default()
    };
    let kept = world.replace(list.clone(), 0).unwrap();
    assert_eq!(kept, ContactList { version: 1, ..list });
    assert_eq!(world.stored(), kept);
    assert_eq!(ContactList::load(&world.group, "bob@example.org"), Ok(ContactList::default()));
    assert!(ContactList::remove(ANA, &mut world.group, &mut world.journal).is_some());
    assert_eq!(world.stored(), ContactList::default());
}

#[test]
fn two_devices_do_not_undo_each_others_changes() {
    let mut world = World::default();
    let first = world.replace(ContactList { contacts: contacts(1), ..ContactList::default() }, 0).unwrap();
    let conflict = world.replace(ContactList::default(), 0);
    assert_eq!(conflict, Err(ContactRefusal::VersionConflict { current: 1 }));
    assert_eq!(world.stored(), first);
    assert_eq!(world.replace(ContactList::default(), 1).unwrap().version, 2);
}

#[test]
fn a_list_that_cannot_be_is_refused_with_what_is_wrong() {
    let groups = (1..=MAX_GROUPS as u32 + 1).map(|id| group(id, &format!("g{id}"))).collect();
    let distribution =
        |id: u32| ContactGroup { distribution_group: Some("a@b".into()), ..group(id, &format!("g{id}")) };
    let rules = |count: usize| {
        let who = (0..count).map(|n| Who::Address(format!("u{n}@a")));
        who.map(|who| Rule { who, relationship: Relationship::Blocked }).collect()
    };
    let list = ContactList::default;
    let duplicate = |what: &str| ContactRefusal::Duplicate { what: what.into() };
    let too_many = |what, limit| ContactRefusal::TooMany { what, limit };
    let bad = |address: &str| ContactRefusal::BadAddress { address: address.into() };
    let long = "x".repeat(257);
    for (list, refusal) in [
        (ContactList { contacts: contacts(251), ..list() }, too_many("contacts", 250)),
        (ContactList { groups, ..list() }, too_many("groups", MAX_GROUPS)),
        (ContactList { groups: (1..12).map(distribution).collect(), ..list() }, too_many("distribution groups", 10)),
        (
            ContactList { relationships: rules(MAX_RELATIONSHIPS + 1), ..list() },
            too_many("relationships", MAX_RELATIONSHIPS),
        ),
        (ContactList { contacts: vec![contact("a@b", &[]), contact("a@b", &[])], ..list() }, duplicate("a@b")),
        (ContactList { relationships: [rules(1), rules(1)].concat(), ..list() }, duplicate("u0@a")),
        (ContactList { groups: vec![group(0, "zero")], ..list() }, duplicate("group 0 \"zero\"")),
        (ContactList { groups: vec![group(1, "a"), group(2, "a")], ..list() }, duplicate("group 2 \"a\"")),
        (ContactList { contacts: vec![contact("Bob@example.org", &[])], ..list() }, bad("Bob@example.org")),
        (ContactList { contacts: vec![contact("@example.org", &[])], ..list() }, bad("@example.org")),
        (ContactList { contacts: vec![contact("bob", &[])], ..list() }, bad("bob")),
        (
            ContactList { contacts: vec![contact("a@b", &[5])], ..list() },
            ContactRefusal::UnknownGroup { address: "a@b".into(), group: 5 },
        ),
        (
            ContactList { groups: vec![group(1, "a")], contacts: vec![contact("a@b", &[1, 1])], ..list() },
            duplicate("a group of a@b"),
        ),
        (ContactList { groups: vec![group(1, " ")], ..list() }, ContactRefusal::BadName { name: " ".into() }),
        (ContactList { groups: vec![group(1, "a\nb")], ..list() }, ContactRefusal::BadName { name: "a\nb".into() }),
        (ContactList { groups: vec![group(1, &long)], ..list() }, ContactRefusal::BadName { name: long[..40].into() }),
    ] {
        let mut world = World::default();
        assert_eq!(world.replace(list, 0), Err(refusal));
        assert_eq!(world.group.facet_count(facet_kind::CONTACTS), 0);
    }
}

#[test]
fn who_is_over_a_limit_that_was_lowered_may_still_remove() {
    let mut world = World::default();
    let list = world.replace(ContactList { contacts: contacts(200), ..ContactList::default() }, 0).unwrap();
    world.policy.max_contacts = 100;
    let grown = world.edit(|list| list.put_contact(contact("one@example.org", &[])));
    assert_eq!(grown, Err(ContactRefusal::TooMany { what: "contacts", limit: 100 }));
    assert_eq!(world.edit(|list| list.remove_contact("user5@example.org")).unwrap().contacts.len(), 199);
    assert_eq!(list.contacts.len(), 200);
    world.policy.max_contacts = 1_000;
    assert!(world.edit(|list| list.put_contact(contact("one@example.org", &[]))).is_ok());
}

#[test]
fn one_contact_is_added_changed_and_removed() {
    let mut world = World::default();
    world.edit(|list| list.put_contact(contact("Bob@Example.org", &[]))).unwrap();
    let named = ContactEntry { display_name: Some("Bob".into()), ..contact("bob@example.org", &[]) };
    let list = world.edit(|list| list.put_contact(named.clone())).unwrap();
    assert_eq!((list.version, list.contacts), (2, vec![named]));
    let missing = world.edit(|list| list.remove_contact("carol@example.org"));
    assert_eq!(missing, Err(ContactRefusal::NotFound { address: "carol@example.org".into() }));
    assert_eq!(world.stored().version, 2, "a refusal writes nothing");
    assert!(world.edit(|list| list.remove_contact("BOB@example.org")).unwrap().contacts.is_empty());
}

#[test]
fn new_watchers_are_asked_about_once_and_only_so_many() {
    let mut world = World::default();
    world.policy.max_prompted_subscriber = 2;
    let policy = world.policy.clone();
    let mut list = ContactList::default();
    list.put_contact(contact("friend@example.org", &[])).unwrap();
    list.relate(Who::parse("eve@example.org").unwrap(), Some(Relationship::Blocked));
    for (watcher, note) in [
        ("friend@example.org", WatcherNote::Known),
        ("EVE@example.org", WatcherNote::Known),
        ("dan@example.org", WatcherNote::New),
        ("Dan@example.org", WatcherNote::Known),
        ("fay@example.org", WatcherNote::New),
        ("gil@example.org", WatcherNote::Full),
    ] {
        assert_eq!(list.note_watcher(watcher, &policy), note, "{watcher}");
    }
    assert!(list.acknowledge_watcher("dan@example.org"));
    assert!(!list.acknowledge_watcher("dan@example.org"));
    assert_eq!(list.note_watcher("dan@example.org", &policy), WatcherNote::Known);
    list.put_contact(contact("fay@example.org", &[])).unwrap();
    assert!(list.pending_watchers.is_empty(), "who is added is answered for");
    assert_eq!(list.note_watcher("gil@example.org", &policy), WatcherNote::New);
    list.relate(Who::parse("gil@example.org").unwrap(), Some(Relationship::Workgroup));
    assert!(list.pending_watchers.is_empty(), "and so is who was given a relationship");
    for n in 0..=MAX_KNOWN_WATCHERS {
        list.note_watcher(&format!("w{n}@example.org"), &policy);
        list.acknowledge_watcher(&format!("w{n}@example.org"));
    }
    assert_eq!(list.known_watchers.len(), MAX_KNOWN_WATCHERS);
}

#[test]
fn a_client_cannot_change_who_waits() {
    let mut world = World::default();
    let policy = world.policy.clone();
    world
        .edit(|list| {
            list.note_watcher("dan@example.org", &policy);
            Ok(())
        })
        .unwrap();
    let sent = r#"{"version":1,"groups":[],"contacts":[{"address":"bob@example.org"}],"relationships":[],"pending_watchers":["x@y"]}"#;
    let list: ContactList = serde_json::from_str(sent).unwrap();
    let kept = world.replace(list, 1).unwrap();
    assert_eq!(kept.pending_watchers, ["dan@example.org"]);
    let shown = serde_json::to_value(&kept).unwrap();
    assert_eq!(
        shown,
        serde_json::json!({
            "version": 2,
            "groups": [],
            "contacts": [{"address": "bob@example.org", "groups": [], "favourite": false}],
            "relationships": [],
            "pending_watchers": ["dan@example.org"],
        })
    );
}

#[test]
fn relationships_are_written_as_words_and_domains_with_an_at() {
    let text =
        r#"[{"who":"@Partner.example","relationship":"friends-and-family"},{"who":"a@b","relationship":"blocked"}]"#;
    let rules: Vec<Rule> = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&rules).unwrap(), text.to_lowercase());
    for wrong in ["a", "@", "a@", "a@b@c", "a b@c", ""] {
        assert_eq!(Who::parse(wrong), None, "{wrong}");
        let text = format!(r#"{{"who":{wrong:?},"relationship":"blocked"}}"#);
        assert!(serde_json::from_str::<Rule>(&text).unwrap_err().to_string().contains("write user@domain"));
    }
}

#[test]
fn a_list_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let mut world = World::default();
    world.group.put_facet(facet_kind::CONTACTS, ANA.as_bytes(), &[9, 0], &mut world.journal).unwrap();
    assert!(ContactList::load(&world.group, ANA).is_err());
    assert_eq!(world.replace(ContactList::default(), 0), Err(ContactRefusal::Damaged));
}

#[test]
fn the_largest_list_that_policy_can_allow_fits_its_record() {
    let mut world = World::default();
    world.policy.max_contacts = 1_000;
    let contacts = (0..1_000).map(|n| ContactEntry {
        display_name: Some(format!("Somebody with quite a long name {n}")),
        favourite: true,
        ..contact(&format!("firstname.lastname{n}@department.example.org"), &[1, 2, 3])
    });
    let groups = (1..=MAX_GROUPS as u32).map(|id| group(id, &format!("A group of people {id}"))).collect();
    let list = ContactList { contacts: contacts.collect(), groups, ..ContactList::default() };
    let kept = world.replace(list, 0).unwrap();
    assert_eq!(world.stored(), kept);
}
