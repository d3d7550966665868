//! Histories: what each person finds of what was written.

mod support;

use lyceum_sip::time::WallTime;
use lyceum_store::{ConversationId, HistoryQuery, Mark, MessageEntry, MessageRef, NewMessage, Store};
use lyceum_users::messages::{MessageId, OwnedText};
use support::messages::*;
use support::open;

#[test]
fn each_person_has_what_concerns_them_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(
        &store,
        &[
            message(1_000, ANNA, &[BOB], "one"),
            message(2_000, BOB, &[ANNA], "two"),
            message(3_000, ANNA, &[BOB, CARLA], "three"),
            message(4_000, PARTNER, &[ANNA], "FOUR"),
            message(5_000, PARTNER, &["jim@partner.example"], "not ours"),
        ],
    );
    let pair = ConversationId::of([BOB, ANNA]);
    for (query, found) in [
        (of(ANNA), &["FOUR", "three", "two", "one"][..]),
        (of(BOB), &["three", "two", "one"]),
        (of(CARLA), &["three"]),
        (of(PARTNER), &[]),
        (HistoryQuery { peer: Some(BOB.into()), ..of(ANNA) }, &["three", "two", "one"]),
        (HistoryQuery { peer: Some(PARTNER.into()), ..of(ANNA) }, &["FOUR"]),
        (HistoryQuery { conversation: Some(pair), ..of(ANNA) }, &["two", "one"]),
        (HistoryQuery { conversation: Some(pair), ..of(CARLA) }, &[]),
        (HistoryQuery { from: Some(WallTime(2_000)), to: Some(WallTime(4_000)), ..of(ANNA) }, &["three", "two"]),
        (HistoryQuery { text: Some("four".into()), ..of(ANNA) }, &["FOUR"]),
        (HistoryQuery { limit: 1, ..of(ANNA) }, &["FOUR"]),
        (HistoryQuery { before: Some(id(2_000)), ..of(ANNA) }, &["one"]),
    ] {
        assert_eq!(texts(&store, &query), found, "{query:?}");
    }
}

#[test]
fn pages_meet_without_gap_or_repetition() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let all: Vec<NewMessage> = (1..=25).map(|n| message(n * 1_000, ANNA, &[BOB], &format!("text {n}"))).collect();
    add(&store, &all);
    for text in [None, Some("text".to_owned())] {
        let (mut before, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = store.history(&HistoryQuery { before, limit: 10, text: text.clone(), ..of(BOB) }).unwrap();
            seen.extend(page.messages.into_iter().map(|row| row.id));
            pages += 1;
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let wanted: Vec<MessageId> = all.iter().rev().map(|message| message.id).collect();
        assert_eq!((seen, pages), (wanted, 3));
    }
}

#[test]
fn a_message_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let first = message(1_000, ANNA, &[BOB], "first");
    add(&store, &[first.clone(), NewMessage { body: OwnedText(b"other".to_vec()), ..first }]);
    assert_eq!(texts(&store, &of(BOB)), ["first"]);
}

#[test]
fn marks_are_set_once_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(&store, &[message(1_000, ANNA, &[BOB, PARTNER], "one"), message(2_000, ANNA, &[BOB, PARTNER], "two")]);
    let room = ConversationId::of([ANNA, BOB, PARTNER]);
    assert_eq!((store.unread(BOB).unwrap(), store.unread(ANNA).unwrap(), store.unread(PARTNER).unwrap()), (2, 0, 0));
    let mark =
        |message, user: &str, mark, at| MessageEntry::Mark { message, user: user.into(), mark, at: WallTime(at) };
    let wire = |wire: &str, sender: &str| MessageRef::Wire { wire_id: wire.into(), sender: sender.into() };
    store
        .append_messages(&[
            mark(wire("wire-1000", ANNA), PARTNER, Mark::Read, 5_000),
            mark(wire("wire-1000", ANNA), PARTNER, Mark::Delivered, 6_000),
            mark(wire("wire-1000", BOB), BOB, Mark::Read, 7_000),
            mark(MessageRef::Id { id: id(2_000), sender: ANNA.into() }, BOB, Mark::Delivered, 8_000),
            mark(MessageRef::Id { id: id(9_000), sender: ANNA.into() }, BOB, Mark::Delivered, 8_000),
            mark(MessageRef::Id { id: id(2_000), sender: ANNA.into() }, ANNA, Mark::Read, 8_000),
        ])
        .unwrap();
    let seen = |store: &Store| -> Vec<String> {
        let rows = store.history(&of(ANNA)).unwrap().messages;
        let people = rows.iter().flat_map(|row| &row.recipients);
        people.map(|p| format!("{} {:?} {:?}", p.address, p.delivered.map(|t| t.0), p.read.map(|t| t.0))).collect()
    };
    assert_eq!(
        seen(&store),
        [
            "bob@example.org Some(8000) None",
            "pat@partner.example None None",
            "bob@example.org None None",
            "pat@partner.example Some(5000) Some(5000)",
        ]
    );
    let read = |upto| MessageEntry::ReadUpTo { user: BOB.into(), conversation: room, upto, at: WallTime(9_000) };
    store.append_messages(&[read(id(1_000))]).unwrap();
    assert_eq!(store.unread(BOB).unwrap(), 1);
    store.append_messages(&[read(id(2_000)), read(id(2_000))]).unwrap();
    assert_eq!(store.unread(BOB).unwrap(), 0);
    assert_eq!(seen(&store)[0], "bob@example.org Some(8000) Some(9000)");
}

#[test]
fn nobody_reads_what_is_not_there_yet() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    add(&store, &[message(2_000, ANNA, &[BOB], "one")]);
    let pair = ConversationId::of([ANNA, BOB]);
    let read = |conversation, upto| MessageEntry::ReadUpTo { user: BOB.into(), conversation, upto, at: WallTime(5) };
    let (last, elsewhere) = (MessageId([0xff; 16]), ConversationId([9; 16]));
    store.append_messages(&[read(pair, last), read(elsewhere, last)]).unwrap();
    // One later, one with an earlier name, one in what was no conversation.
    add(
        &store,
        &[
            message(3_000, ANNA, &[BOB], "two"),
            message(1_000, ANNA, &[BOB], "late"),
            NewMessage { conversation: Some(elsewhere), ..message(4_000, ANNA, &[BOB], "three") },
        ],
    );
    for turn in ["from the journal", "folded", "after a restart", "folded once more"] {
        match turn {
            "after a restart" => {
                drop(store);
                store = open(dir.path());
            }
            "folded" => fold(&store),
            "folded once more" => {
                add(&store, &[message(2_500, PARTNER, &["jim@partner.example"], "not ours")]);
                add(&store, &[message(500, ANNA, &[CARLA], "other")]);
                fold(&store);
            }
            _ => {}
        }
        let rows = store.history(&of(BOB)).unwrap().messages;
        let unread: Vec<(u64, bool)> = rows.iter().map(|row| (row.id.time().0, row.unread)).collect();
        assert_eq!(unread, [(4_000, true), (3_000, true), (2_000, false), (1_000, true)], "{turn}");
        assert_eq!(store.unread(BOB).unwrap(), 3, "{turn}");
    }
}

#[test]
fn much_that_is_not_asked_for_ends_a_page_early() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(&store, &[message(1_000, ANNA, &[CARLA], "long ago")]);
    let many: Vec<NewMessage> = (0..20_000).map(|n| message(2_000 + n, ANNA, &[BOB], "x")).collect();
    add(&store, &many);
    for folded in [false, true] {
        if folded {
            fold(&store);
        }
        let asked = HistoryQuery { peer: Some(CARLA.into()), ..of(ANNA) };
        let first = store.history(&asked).unwrap();
        assert_eq!((first.messages.len(), first.next), (0, Some(id(2_000))));
        assert_eq!(texts(&store, &HistoryQuery { before: first.next, ..asked }), ["long ago"]);
        let list = store.conversations(ANNA, 0).unwrap();
        let last: Vec<_> = list.iter().map(|c| c.last.as_ref().map(|row| row.id)).collect();
        assert_eq!(last, [Some(id(21_999)), Some(id(1_000))]);
        let unknown = HistoryQuery { conversation: Some(ConversationId([5; 16])), ..of(ANNA) };
        let page = store.history(&unknown).unwrap();
        assert_eq!((page.messages.len(), page.next), (0, None), "who is not in it is told so at once");
    }
}

#[test]
fn notices_of_unknown_messages_are_looked_for_within_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let many: Vec<NewMessage> = (0..2_000).map(|n| message(1_000 + n, ANNA, &[BOB, CARLA], &"x".repeat(900))).collect();
    add(&store, &many);
    fold(&store);
    drop(store);
    let store = open(dir.path());
    let notice = |wire: &str, user: &str| MessageEntry::Mark {
        message: MessageRef::Wire { wire_id: wire.into(), sender: ANNA.into() },
        user: user.into(),
        mark: Mark::Read,
        at: WallTime(9_000),
    };
    let mut batch: Vec<MessageEntry> = (0..100).map(|n| notice(&format!("junk-{n}"), CARLA)).collect();
    batch.extend([notice("wire-2999", CARLA), notice("wire-2999", BOB)]);
    store.append_messages(&batch).unwrap();
    let read = |store: &Store| {
        let last = store.history(&HistoryQuery { limit: 1, ..of(ANNA) }).unwrap().messages.remove(0);
        last.recipients.iter().map(|one| one.read.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(read(&store), [true, false], "Carla's junk used up what is done for Carla, not what is done for Bob");
    store.append_messages(&[notice("wire-2999", CARLA)]).unwrap();
    assert_eq!(read(&store), [true, true]);
}

#[test]
fn a_notice_finds_what_is_in_the_journal_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let waiting: Vec<NewMessage> = (0..1_000).map(|n| message(1_000 + n, ANNA, &[BOB], "waiting")).collect();
    add(&store, &waiting);
    drop(store);
    let store = open(dir.path());
    let notices: Vec<MessageEntry> = (0..1_000)
        .map(|n| MessageEntry::Mark {
            message: MessageRef::Wire { wire_id: format!("wire-{}", 1_000 + n).into(), sender: ANNA.into() },
            user: BOB.into(),
            mark: Mark::Read,
            at: WallTime(9_000),
        })
        .collect();
    store.append_messages(&notices).unwrap();
    assert_eq!(store.unread(BOB).unwrap(), 0);
}

#[test]
fn conversations_are_listed_latest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let room = ConversationId([7; 16]);
    add(
        &store,
        &[
            message(1_000, ANNA, &[BOB], "one"),
            NewMessage {
                conversation: Some(room),
                subject: Some("Lunch".into()),
                ..message(2_000, BOB, &[ANNA, CARLA], "two")
            },
            message(3_000, BOB, &[ANNA], "three"),
        ],
    );
    let list = store.conversations(ANNA, 0).unwrap();
    let short: Vec<_> =
        list.iter().map(|c| (c.subject.as_deref(), c.members.len(), c.unread, c.last.as_ref().unwrap().id)).collect();
    assert_eq!(short, [(None, 2, 1, id(3_000)), (Some("Lunch"), 3, 1, id(2_000))]);
    assert_eq!(list[0].id, ConversationId::of([BOB, "ANNA@example.org", ANNA]));
    assert_eq!(store.conversation(CARLA, room).unwrap().unwrap().members, [ANNA, BOB, CARLA]);
    assert_eq!(store.conversation(CARLA, list[0].id).unwrap(), None, "not hers");
    assert_eq!(store.conversations(ANNA, 1).unwrap().len(), 1);
}

#[test]
fn a_purge_takes_from_each_what_their_policy_says_and_the_last_takes_the_message() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let old: Vec<NewMessage> = (0..1_500).map(|n| message(DAY_MS + n, ANNA, &[BOB, PARTNER], "old")).collect();
    add(&store, &old);
    add(&store, &[message(9 * DAY_MS, ANNA, &[BOB], "new")]);
    let keep = |user: &str| (user == BOB).then_some(WallTime(5 * DAY_MS));
    assert_eq!(store.purge_history(keep, || true).unwrap(), 1_500);
    assert_eq!(texts(&store, &of(BOB)), ["new"]);
    assert_eq!(texts(&store, &of(ANNA)).len(), 500, "one page");
    assert_eq!(store.conversations(BOB, 0).unwrap().len(), 1);
    assert_eq!(store.purge_history(|_| Some(WallTime(5 * DAY_MS)), || true).unwrap(), 1_500);
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    let count =
        |table: &str| db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get::<_, u32>(0)).unwrap();
    assert_eq!(["history_segment", "history_journal"].map(count), [2, 0], "one message left, of two people");
    assert_eq!(store.purge_history(|_| Some(WallTime(99 * DAY_MS)), || false).unwrap(), 0, "it was told to stop");
    assert_eq!(store.forget_history(ANNA, || true).unwrap(), 1);
    assert_eq!(texts(&store, &of(BOB)), ["new"], "what others keep stays");
}

/// Brings the journal into segments.
fn fold(store: &Store) {
    assert_eq!(store.purge_history(|_| None, || true).unwrap(), 0);
}

#[test]
fn what_is_asked_is_answered_alike_from_journal_and_segments_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let long = "x".repeat(700);
    let room = ConversationId([7; 16]);
    let read = |upto, at| MessageEntry::ReadUpTo {
        user: BOB.into(),
        conversation: ConversationId::of([ANNA, BOB]),
        upto,
        at: WallTime(at),
    };
    let mut seen = Vec::new();
    for turn in 0..6u64 {
        let base = 1_000_000 * (turn + 1);
        // Names that are given a little earlier come a little later, across the borders of segments too.
        let order = (0..40).map(|n| base + n * 10).chain([base - 5, base - 999_000]);
        let texts: Vec<NewMessage> = order.map(|at| message(at, ANNA, &[BOB], &format!("{at} {long}"))).collect();
        add(&store, &texts);
        add(&store, &[NewMessage { conversation: Some(room), ..message(base + 500, BOB, &[ANNA, CARLA], "room") }]);
        let wire = MessageRef::Wire { wire_id: format!("wire-{}", base + 10).into(), sender: ANNA.into() };
        let mark =
            |message| MessageEntry::Mark { message, user: BOB.into(), mark: Mark::Delivered, at: WallTime(base) };
        let earlier = MessageRef::Id { id: id(1_000_020), sender: ANNA.into() };
        store.append_messages(&[mark(wire), mark(earlier), read(id(base - 500_000), base + 1)]).unwrap();
        let answers = |store: &Store| {
            let mut rows = Vec::new();
            let mut query = HistoryQuery { limit: 33, ..of(ANNA) };
            loop {
                let page = store.history(&query).unwrap();
                rows.extend(page.messages);
                query.before = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            let lists = [ANNA, BOB, CARLA].map(|user| store.conversations(user, 0).unwrap());
            (rows, lists, [ANNA, BOB, CARLA].map(|user| store.unread(user).unwrap()))
        };
        let before = answers(&store);
        assert!(before.0.is_sorted_by(|one, other| one.id > other.id));
        assert_eq!(before.0.len() as u64, 43 * (turn + 1));
        // Of 42 of this turn, the one with an early name passes for read; all of the turns before are read.
        assert_eq!(before.2, [turn as u32 + 1, 41, turn as u32 + 1], "turn {turn}");
        match turn % 3 {
            0 => fold(&store),
            1 => {
                drop(store);
                store = open(dir.path());
            }
            _ => {}
        }
        assert!(answers(&store) == before, "turn {turn}");
        seen = before.0;
    }
    let delivered = |at: u64| seen.iter().find(|row| row.id == id(at)).unwrap().recipients[0].delivered;
    assert_eq!(delivered(1_000_010), Some(WallTime(1_000_000)));
    assert_eq!(delivered(1_000_020), Some(WallTime(1_000_000)), "the first mark counts");
    fold(&store);
    assert_eq!(store.forget_history(BOB, || true).unwrap(), 43 * 6);
    drop(store);
    let store = open(dir.path());
    assert_eq!((texts(&store, &of(BOB)).len(), store.unread(BOB).unwrap()), (0, 0), "forgotten for good");
    assert_eq!(texts(&store, &of(ANNA)).len(), 43 * 6);
}

#[test]
fn a_history_removed_before_it_was_folded_does_not_come_back_with_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add(&store, &[message(1_000, ANNA, &[BOB], "one")]);
    assert_eq!(store.forget_history(BOB, || true).unwrap(), 1);
    add(&store, &[message(2_000, ANNA, &[BOB], "two")]);
    drop(store);
    let store = open(dir.path());
    assert_eq!((texts(&store, &of(BOB)), texts(&store, &of(ANNA)).len()), (vec!["two".to_owned()], 2));
    fold(&store);
    assert_eq!(texts(&store, &of(BOB)), ["two"]);
}

#[test]
fn a_person_with_very_many_lines_is_folded_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for batch in 0..41u64 {
        let texts: Vec<NewMessage> = (0..100).map(|n| message(1_000 + batch * 100 + n, ANNA, &[BOB], "x")).collect();
        add(&store, &texts);
    }
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    let people = |user: &str| -> u32 {
        db.query_row("SELECT count(*) FROM history_segment WHERE user = ?1", [user], |row| row.get(0)).unwrap()
    };
    assert!(people(ANNA) > 5 && people(BOB) > 5);
    let mut query = HistoryQuery { text: Some("x".into()), ..of(BOB) };
    let mut count = 0;
    loop {
        let page = store.history(&query).unwrap();
        count += page.messages.len();
        query.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(
        (count, store.unread(BOB).unwrap()),
        (4_100, 1_000),
        "unread messages beyond a thousand are not counted"
    );
}

#[test]
fn a_history_of_the_first_schema_is_carried_over() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let db = rusqlite::Connection::open(dir.path().join("messages.db")).unwrap();
    db.execute_batch(
        "DELETE FROM schema_step WHERE version = 2; PRAGMA user_version = 1;
         DROP TABLE history_journal; DROP TABLE history_segment; DROP TABLE history_person;
         CREATE TABLE conversation (id BLOB NOT NULL PRIMARY KEY, members TEXT, subject TEXT, began INTEGER, epoch INTEGER);
         CREATE TABLE message (seq INTEGER PRIMARY KEY, id BLOB, conversation BLOB, sender TEXT, wire_id TEXT,
                               content_type TEXT, body BLOB, epoch INTEGER);
         CREATE TABLE participant (user TEXT, id BLOB, conversation BLOB, role INTEGER, kept INTEGER,
                                   delivered INTEGER, read INTEGER, epoch INTEGER);
         CREATE TABLE thread (user TEXT);",
    )
    .unwrap();
    let (first, room) = (id(1_000).0, ConversationId([7; 16]).0);
    db.execute("INSERT INTO conversation VALUES (?1, '[]', 'Lunch', 1, 1)", [room]).unwrap();
    db.execute("INSERT INTO message VALUES (1, ?1, ?2, ?3, 'w', 'text/plain', x'6869', 1)", (first, room, ANNA))
        .unwrap();
    for (user, role, kept, delivered) in [(ANNA, 0, 1, None), (BOB, 1, 1, Some(5)), (PARTNER, 1, 0, None)] {
        db.execute(
            "INSERT INTO participant VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, 1)",
            (user, first, room, role, kept, delivered),
        )
        .unwrap();
    }
    drop(db);
    let store = open(dir.path());
    let list = store.conversations(BOB, 0).unwrap();
    assert_eq!((list[0].subject.as_deref(), list[0].unread, list[0].members.len()), (Some("Lunch"), 1, 3));
    let last = list[0].last.clone().unwrap();
    assert_eq!((last.recipients[0].delivered, last.body), (Some(WallTime(5)), OwnedText(b"hi".to_vec())));
    assert_eq!((texts(&store, &of(ANNA)), texts(&store, &of(PARTNER))), (vec!["hi".to_owned()], vec![]));
}
