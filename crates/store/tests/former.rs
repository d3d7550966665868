//! An address that gets a new holder: what the former one left is forgotten before the new one is in force.

mod support;

use lyceum_sip::digest::Ha1;
use lyceum_sip::time::WallTime;
use lyceum_store::{AccountChange, ImportUser, NewTransfer, Store, TransferState};
use lyceum_topology::accounts::{Account, Standing};
use lyceum_topology::{AddressOfRecord, UserId, UserRecord};
use support::messages::*;
use support::{by, open};

fn user(address: &str) -> UserRecord {
    UserRecord::new(UserId(0), AddressOfRecord::parse(address).unwrap(), "pool1")
}

fn in_force(store: &Store) -> Vec<String> {
    store.directory().unwrap().users.iter().map(|user| user.address.to_string()).collect()
}

/// A picture of one by one.
const PHOTO: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0crc!\0\0\0\0IENDcrc!";

/// Gives somebody a history, a photo, and a file in each direction.
fn live(store: &Store, whose: &str) {
    add(store, &[message(1_000, whose, &[BOB], "one"), message(2_000, BOB, &[whose], "two")]);
    store.photo_put(whose, PHOTO, 1_024, WallTime(1)).unwrap();
    for (at, sender, recipient) in [(3_000, whose, BOB), (4_000, BOB, whose)] {
        let new = NewTransfer {
            id: id(at),
            sender: sender.into(),
            recipient: recipient.into(),
            name: "plan.pdf".into(),
            content_type: "application/pdf".into(),
            size: 4,
            blob: store.blob_put(&mut &at.to_string().as_bytes()[..]).unwrap(),
            expires: WallTime(9_000),
            most_stored: 1_024,
            state: TransferState::Offered,
        };
        store.transfer_add(&new).unwrap();
    }
}

/// Messages, photos and files that somebody finds.
fn finds(store: &Store, whose: &str) -> (usize, bool, usize) {
    let files = store.transfers(whose, None, 0).unwrap().len();
    (texts(store, &of(whose)).len(), store.photo(whose).unwrap().is_some(), files)
}

/// Removes anna, of whom everything stays.
fn leave(store: &Store) {
    let id = store.directory().unwrap().users.iter().find(|user| user.address.as_str() == ANNA).unwrap().id;
    store.user_remove(id, by("test")).unwrap();
    assert_eq!(store.former().unwrap(), [""; 0], "nothing is forgotten for nobody");
    assert_eq!(finds(store, ANNA), (2, true, 2), "who was removed by mistake has lost nothing");
}

#[test]
fn who_gets_a_former_users_address_is_in_force_when_everything_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for address in [ANNA, BOB] {
        store.user_put(user(address), None, by("test")).unwrap();
    }
    live(&store, ANNA);
    leave(&store);
    let mut again = store.user_put(user(ANNA), None, by("test")).unwrap();
    assert_eq!((store.former().unwrap(), in_force(&store)), (vec![ANNA.to_owned()], vec![BOB.to_owned()]));
    // The server ends before anything is forgotten.
    drop(store);
    let store = open(dir.path());
    assert_eq!((store.former().unwrap(), in_force(&store)), (vec![ANNA.to_owned()], vec![BOB.to_owned()]));
    store.forget_former(ANNA).unwrap();
    assert_eq!((store.former().unwrap(), in_force(&store).len()), (vec![], 2));
    assert_eq!(finds(&store, ANNA), (0, false, 0));
    assert_eq!(finds(&store, BOB), (2, false, 0), "what others have stays, but files that nobody offers");
    assert_eq!((store.conversations(ANNA, 0).unwrap(), store.unread(ANNA).unwrap()), (vec![], 0));
    // The new one's own data is nobody else's.
    live(&store, ANNA);
    again.display_name = Some("Anna".into());
    store.user_put(again, None, by("test")).unwrap();
    assert_eq!((store.former().unwrap().len(), finds(&store, ANNA).0), (0, 2));
}

#[test]
fn it_is_noted_for_every_way_to_make_a_user() {
    let account = Account { user: UserId(0), id: "7".into(), dn: "uid=anna".into(), standing: Standing::Present };
    for way in ["import", "directory server"] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        store.user_put(user(ANNA), None, by("test")).unwrap();
        live(&store, ANNA);
        leave(&store);
        match way {
            "import" => {
                let list =
                    [ImportUser { record: user(ANNA), secret: None }, ImportUser { record: user(BOB), secret: None }];
                store.import_users(list, by("test"), |_| {}).unwrap();
            }
            _ => {
                let new = |who: &str, id: &str| {
                    let account = Account { id: id.into(), ..account.clone() };
                    AccountChange::New(user(who), Ha1::of(b"a", b"b", b"c"), account)
                };
                store.put_accounts(vec![new(ANNA, "1"), new(BOB, "2")], by("test")).unwrap();
            }
        }
        assert_eq!((store.former().unwrap(), in_force(&store)), (vec![ANNA.to_owned()], vec![BOB.to_owned()]), "{way}");
    }
}

#[test]
fn who_was_removed_before_this_was_noted_counts_as_former() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for address in [ANNA, BOB] {
        store.user_put(user(address), None, by("test")).unwrap();
    }
    live(&store, ANNA);
    leave(&store);
    drop(store);
    rusqlite::Connection::open(dir.path().join("lyceum.db"))
        .unwrap()
        .execute_batch(
            "DELETE FROM schema_step WHERE version >= 5; PRAGMA user_version = 4;
             DROP TABLE address_holder; DROP TABLE address_former; DROP TABLE edge;",
        )
        .unwrap();
    let store = open(dir.path());
    assert_eq!((store.former().unwrap(), in_force(&store)), (vec![], vec![BOB.to_owned()]));
    store.user_put(user(ANNA), None, by("test")).unwrap();
    store.user_put(user(CARLA), None, by("test")).unwrap();
    assert_eq!(store.former().unwrap(), [ANNA]);
}
