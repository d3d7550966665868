use super::*;

fn subscription(presentity: &'static str, list: bool) -> Subscription<'static> {
    Subscription {
        package: EventPackage::Presence,
        presentity,
        watcher: "ana@example.org",
        list,
        expires: WallTime(60_000),
        reserved: 1_000,
        remote_cseq: 1,
        call_id: b"c",
        local: b"l",
        remote: b"r",
        target: b"t",
        routes: b"",
        flow: b"",
        event_id: b"",
    }
}

#[test]
fn news_while_one_is_under_way_is_told_once_afterwards() {
    let mut watches = Watches::default();
    let slot = watches.put([1; 16], 0, &subscription("bob@example.org", false));
    watches.touch("bob@example.org");
    watches.touch("bob@example.org");
    assert_eq!(watches.next_ready(Time(0)), Some(slot));
    watches.sent(Time(0), slot);
    watches.touch("bob@example.org");
    watches.touch("bob@example.org");
    assert_eq!(watches.next_ready(Time(1)), None);
    watches.answered(slot);
    assert_eq!(watches.next_ready(Time(2)), Some(slot));
    watches.sent(Time(2), slot);
    watches.answered(slot);
    assert_eq!(watches.next_ready(Time(3)), None);
}

#[test]
fn who_never_answers_does_not_hold_up_the_others() {
    let mut watches = Watches::default();
    for at in 0..NOTIFIES_UNDER_WAY + 1 {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&at.to_le_bytes());
        let slot = watches.put(key, 0, &subscription("bob@example.org", false));
        watches.enqueue(slot);
    }
    while let Some(slot) = watches.next_ready(Time(0)) {
        watches.sent(Time(0), slot);
    }
    assert_eq!(watches.waiting(), 1);
    assert!(watches.next_ready(Time(0) + SLOW).is_some(), "slow ones no longer count");
}

#[test]
fn a_list_hears_of_its_members_alone() {
    let mut watches = Watches::default();
    let slot = watches.put([1; 16], 0, &subscription("ana@example.org", true));
    watches.set_members(slot, vec!["bob@example.org".into(), "eve@example.org".into()], None);
    if let Some(list) = watches.lists.get_mut(&slot) {
        (list.full, list.news) = (false, Vec::new());
    }
    watches.touch("eve@example.org");
    watches.touch("eve@example.org");
    assert_eq!(watches.lists[&slot].news, [1]);
    watches.set_members(slot, vec!["bob@example.org".into()], None);
    assert!(watches.of("eve@example.org").is_empty());
    watches.remove(slot);
    assert!(watches.is_empty() && watches.by_presentity.is_empty());
}

#[test]
fn what_has_run_out_gets_a_last_notify() {
    let mut watches = Watches::default();
    let slot = watches.put([1; 16], 0, &subscription("bob@example.org", false));
    watches.end_expired(WallTime(59_999));
    assert_eq!(watches.next_ready(Time(0)), None);
    watches.end_expired(WallTime(60_000));
    assert_eq!(watches.next_ready(Time(0)), Some(slot));
    assert_eq!(watches.get(slot).and_then(|watch| watch.end), Some(End::Timeout));
}
