//! The directory: one record at a time, sharing everything else.

mod common;

use common::{many, user};
use lyceum_topology::directory::SHARDS;
use lyceum_topology::{
    AddressOfRecord, Conflict, DeviceRecord, Directory, LineUri, MacAddress, NumberRecord, UserId, UserRecord,
};
use proptest::prelude::*;

fn line(text: &str) -> LineUri {
    LineUri::parse(text).unwrap()
}

#[test]
fn a_user_is_found_by_address_parts_id_and_number() {
    let mut anna = user(7, "anna@contoso.com", "p");
    anna.numbers = [line("+49301;ext=5"), line("+49302")].into();
    let directory = Directory::default().with(anna).unwrap();
    let id = |user: Option<&std::sync::Arc<UserRecord>>| user.map(|user| user.id.0);
    assert_eq!(id(directory.get(&AddressOfRecord::parse("ANNA@contoso.com").unwrap())), Some(7));
    assert_eq!(id(directory.find(b"%61nna", b"CONTOSO.com")), Some(7));
    assert_eq!(id(directory.by_id(UserId(7))), Some(7));
    assert_eq!(id(directory.by_number(line("tel:+49-302"))), Some(7));
    assert_eq!(id(directory.by_number(line("+49301"))), None);
    assert_eq!(id(directory.find(b"ben", b"contoso.com")), None);
}

#[test]
fn an_address_or_number_belongs_to_one_user() {
    let mut anna = user(1, "anna@contoso.com", "p");
    anna.numbers = [line("+49301")].into();
    let directory = Directory::default().with(anna).unwrap();
    let taken = directory.with(user(2, "Anna@contoso.com", "p")).unwrap_err();
    assert!(matches!(&taken, Conflict::AddressTaken { by: UserId(1), .. }));
    let mut ben = user(2, "ben@contoso.com", "p");
    ben.numbers = [line("+49301")].into();
    let taken = directory.with(ben.clone()).unwrap_err();
    assert_eq!(taken.to_string(), "The number already belongs to anna@contoso.com.");
    let problem = taken.problem(&ben);
    assert_eq!((problem.code, problem.path.as_str()), ("LYT0029", "users.\"ben@contoso.com\".numbers"));
    assert_eq!(directory.len(), 1);
}

#[test]
fn a_replaced_user_leaves_nothing_behind() {
    let mut anna = user(1, "anna@contoso.com", "p");
    anna.numbers = [line("+49301")].into();
    let directory = Directory::default().with(anna).unwrap().with(user(1, "anna.b@contoso.com", "q")).unwrap();
    assert!(directory.find(b"anna", b"contoso.com").is_none());
    assert!(directory.by_number(line("+49301")).is_none());
    assert_eq!(directory.by_id(UserId(1)).unwrap().pool(), "q");
    assert!(directory.without(UserId(1)).is_empty());
}

#[test]
fn a_one_user_change_copies_a_few_shards_of_thousands() {
    let before = many(20_000);
    let mut changed = (**before.by_id(UserId(4711)).unwrap()).clone();
    changed.display_name = Some("New Name".into());
    let after = before.with(changed).unwrap();
    // One shard each of addresses, numbers in the store, and telephone numbers.
    assert_eq!(after.shards_copied_since(&before), 3);
    assert_eq!(before.by_id(UserId(4711)).unwrap().display_name.as_deref(), Some("User Number 4711"));
    assert_eq!(after.by_id(UserId(4711)).unwrap().display_name.as_deref(), Some("New Name"));
    // A new address moves the user from one shard to another, and no more.
    let after = before.with(user(4711, "moved@contoso.com", "berlin1")).unwrap();
    assert!(after.shards_copied_since(&before) <= 4);
}

#[test]
fn shards_are_evenly_filled() {
    let directory = many(20_000);
    let touched = Directory::default().shards_copied_since(&directory);
    assert!(touched > 3 * SHARDS * 99 / 100, "{touched} of {} shards used", 3 * SHARDS);
}

#[test]
fn users_alike_share_their_assignment() {
    let directory = many(1_000);
    let mut assignments: Vec<*const _> = directory.users().map(|user| std::ptr::from_ref(user.assignment())).collect();
    assignments.sort_unstable();
    assignments.dedup();
    assert_eq!(assignments.len(), 2);
}

#[test]
fn a_record_is_small() {
    assert!(size_of::<UserRecord>() <= 96, "{} bytes", size_of::<UserRecord>());
}

#[test]
fn records_read_and_write_as_json() {
    let text = r#"{"id":1,"address":"anna@contoso.com","display_name":"Anna","enabled":true,"pool":"p","grants":{"registrar":"Executives"},"numbers":["tel:+49301;ext=05"],"mail":"a@b.c","title":"Engineer","department":"Research"}"#;
    let anna: UserRecord = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&anna).unwrap(), text);
    assert!(serde_json::from_str::<UserRecord>(r#"{"id":1,"address":"anna@contoso.com","pasword":"x"}"#).is_err());
    assert!(!format!("{anna:?}").contains("4930"), "a number printed itself: {anna:?}");
}

#[test]
fn numbers_and_devices_are_records_too() {
    let mut directory = Directory::default();
    directory.insert_number(NumberRecord { number: line("+49301"), site: None, reserved: true, note: None });
    directory.insert_number(NumberRecord {
        number: line("+49301"),
        site: Some("Berlin".into()),
        reserved: false,
        note: None,
    });
    let mac = MacAddress::parse("000b82123456").unwrap();
    directory.insert_device(DeviceRecord {
        mac,
        model: Some("GXP2140".into()),
        user: Some(UserId(1)),
        site: None,
        note: None,
    });
    assert_eq!(directory.numbers().count(), 1);
    assert_eq!(directory.number(line("+49301")).unwrap().site.as_deref(), Some("Berlin"));
    assert_eq!(directory.device(mac).unwrap().user, Some(UserId(1)));
    assert!(directory.remove_device(mac).is_some() && directory.device(mac).is_none());
    assert!(directory.remove_number(line("+49301")).is_some() && directory.numbers().next().is_none());
}

#[derive(Debug, Clone)]
enum Step {
    Put(u32, u8, u8),
    Remove(u32),
}

proptest! {
    /// The directory behaves as a plain map of users whose addresses and numbers are unique.
    #[test]
    fn it_behaves_as_a_map(steps in prop::collection::vec(prop_oneof![
        (0_u32..20, 0_u8..25, 0_u8..25).prop_map(|(id, address, number)| Step::Put(id, address, number)),
        (0_u32..20).prop_map(Step::Remove)], 0..80)) {
        let mut directory = Directory::default();
        let mut model = std::collections::BTreeMap::new();
        for step in steps {
            match step {
                Step::Put(id, address, number) => {
                    let mut record = user(id, &format!("u{address}@contoso.com"), "p");
                    record.numbers = [line(&format!("+491{number:02}"))].into();
                    let free = model.iter().all(|(other, parts)| *other == id || { let (a, n) = *parts; a != address && n != number });
                    prop_assert_eq!(directory.insert(record).is_ok(), free);
                    if free { model.insert(id, (address, number)); }
                }
                Step::Remove(id) => prop_assert_eq!(directory.remove(UserId(id)).is_some(), model.remove(&id).is_some()),
            }
            prop_assert_eq!(directory.len(), model.len());
        }
        for address in 0..25_u8 {
            let expected = model.iter().find(|(_, parts)| parts.0 == address).map(|(id, _)| *id);
            prop_assert_eq!(directory.find(format!("U{address}").as_bytes(), b"contoso.com").map(|user| user.id.0), expected);
        }
        prop_assert_eq!(directory.users().count(), model.len());
    }
}
