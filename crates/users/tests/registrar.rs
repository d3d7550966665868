//! The registrar's rules, one test each.

mod support;

use lyceum_sip::Transport;
use lyceum_topology::UserId;
use lyceum_users::{ContactIntent, Contacts, Effect, Field, Journal, MAX_URI, RegisterIntent, RegisterRefusal};
use support::{ANA, Bench, at, contact, intent, seen};

const A: &str = "sip:ana@192.0.2.1:5060";
const B: &str = "sip:ana@192.0.2.2:5060";

#[test]
fn a_binding_is_a_target_until_it_ends() {
    let mut bench = Bench::default();
    assert_eq!(bench.register(at(0), "c", 1, &[contact(A)]), Ok(Effect::Changed));
    assert_eq!(bench.uris(at(599)), [A]);
    assert!(bench.uris(at(600)).is_empty(), "the default of 600 s is over");
}

#[test]
fn the_interval_granted_follows_the_policy() {
    for (asked, header, granted) in [
        (None, None, Ok(600)),
        (None, Some(400), Ok(400)),
        (Some(500), Some(400), Ok(500)),
        (Some(300), None, Ok(300)),
        (Some(7200), None, Ok(900)),
        (Some(299), None, Err(RegisterRefusal::IntervalTooBrief { min: 300 })),
        (None, Some(1), Err(RegisterRefusal::IntervalTooBrief { min: 300 })),
    ] {
        let mut bench = Bench::default();
        let contacts = [ContactIntent { expires: asked, ..contact(A) }];
        let mut register = intent("c", 1, Contacts::List(&contacts));
        register.expires = header;
        let answer = bench.send(at(0), &register);
        let left = bench.group.bindings(at(0), ANA).next().map(|b| b.expires_in(at(0).wall));
        assert_eq!(answer.map(|_| left.unwrap_or(0)), granted, "{asked:?} {header:?}");
    }
}

#[test]
fn a_query_changes_and_writes_nothing() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact(A)]).unwrap();
    bench.journal.take();
    assert_eq!(bench.register(at(1), "c", 2, &[]), Ok(Effect::Unchanged));
    assert!(bench.journal.is_empty());
}

#[test]
fn a_retransmission_is_answered_alike_and_writes_nothing() {
    let mut bench = Bench::default();
    for contacts in [&[contact(A)][..], &[contact(A), contact(B)]] {
        let mut bench2 = Bench::default();
        bench2.register(at(0), "c", 1, contacts).unwrap();
        bench2.journal.take();
        let before = seen(&bench2.group, at(1));
        assert_eq!(bench2.register(at(1), "c", 1, contacts), Ok(Effect::Retransmission));
        assert_eq!(seen(&bench2.group, at(1)), before);
        assert!(bench2.journal.is_empty());
    }
    // The answer still waits for the block that is on its way.
    bench.register(at(0), "c", 1, &[contact(A)]).unwrap();
    let (seq, _) = bench.journal.take().unwrap();
    let contacts = [contact(A)];
    let again = intent("c", 1, Contacts::List(&contacts));
    let outcome = bench.group.register(at(0), &bench.policy, &again, &mut bench.journal).unwrap();
    assert_eq!(outcome.wait_for, Some(seq));
    bench.journal.committed(seq);
    let outcome = bench.group.register(at(0), &bench.policy, &again, &mut bench.journal).unwrap();
    assert_eq!(outcome.wait_for, None);
}

#[test]
fn an_older_register_of_the_same_call_id_is_refused_whole() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 5, &[contact(A)]).unwrap();
    let before = seen(&bench.group, at(0));
    for contacts in [&[contact(A)][..], &[contact(B), contact(A)]] {
        assert_eq!(bench.register(at(1), "c", 4, contacts), Err(RegisterRefusal::OutOfOrder));
        assert_eq!(seen(&bench.group, at(1)), before, "all contacts or none");
    }
    assert_eq!(bench.register(at(1), "another", 1, &[contact(A)]), Ok(Effect::Changed), "a new Call-ID starts anew");
}

#[test]
fn the_same_cseq_by_another_branch_is_out_of_order() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 5, &[contact(A)]).unwrap();
    let contacts = [contact(A)];
    let mut register = intent("c", 5, Contacts::List(&contacts));
    register.branch_hash ^= 1;
    assert_eq!(bench.send(at(1), &register), Err(RegisterRefusal::OutOfOrder));
}

#[test]
fn expires_zero_removes_one_binding_and_a_wildcard_all() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact(A), contact(B)]).unwrap();
    let gone = ContactIntent { expires: Some(0), ..contact(A) };
    assert_eq!(bench.register(at(1), "c", 2, &[gone]), Ok(Effect::Changed));
    assert_eq!(bench.uris(at(1)), [B]);
    assert_eq!(bench.register(at(1), "c", 3, &[gone]), Ok(Effect::Unchanged), "removing what is not there");
    let mut star = intent("c", 4, Contacts::Star);
    assert_eq!(bench.send(at(1), &star), Err(RegisterRefusal::InvalidWildcard));
    star.expires = Some(600);
    assert_eq!(bench.send(at(1), &star), Err(RegisterRefusal::InvalidWildcard));
    star.expires = Some(0);
    assert_eq!(bench.send(at(1), &star), Ok(Effect::Changed));
    assert!(bench.uris(at(1)).is_empty());
    assert_eq!(bench.group.addresses(), 0);
    assert_eq!(bench.send(at(1), &star), Ok(Effect::Unchanged), "a retransmitted removal");
}

#[test]
fn an_old_wildcard_removes_nothing() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 9, &[contact(A)]).unwrap();
    let mut star = intent("c", 8, Contacts::Star);
    star.expires = Some(0);
    assert_eq!(bench.send(at(1), &star), Err(RegisterRefusal::OutOfOrder));
    assert_eq!(bench.uris(at(1)), [A]);
}

#[test]
fn the_ninth_endpoint_is_refused_and_the_eight_stay() {
    let mut bench = Bench::default();
    let uris: Vec<String> = (0..9).map(|i| format!("sip:ana@192.0.2.{i}")).collect();
    for (i, uri) in uris[..8].iter().enumerate() {
        bench.register(at(0), &format!("call {i}"), 1, &[contact(uri)]).unwrap();
    }
    assert_eq!(
        bench.register(at(1), "call 8", 1, &[contact(&uris[8])]),
        Err(RegisterRefusal::TooManyEndpoints { limit: 8 })
    );
    assert_eq!(bench.uris(at(1)).len(), 8);
    assert_eq!(bench.register(at(2), "call 3", 2, &[contact(&uris[3])]), Ok(Effect::Changed), "a refresh passes");
    bench.policy.max_endpoints = 4;
    let refresh = ContactIntent { q: 500, ..contact(&uris[3]) };
    assert_eq!(bench.register(at(3), "call 3", 3, &[refresh]), Ok(Effect::Changed), "under a lowered limit too");
    assert_eq!(
        bench.register(at(700), "call 8", 2, &[contact(&uris[8])]),
        Ok(Effect::Changed),
        "ended ones do not count"
    );
}

#[test]
fn targets_come_in_order_of_preference() {
    let mut bench = Bench::default();
    let with_q = |uri, q| ContactIntent { q, ..contact(uri) };
    let c = "sip:ana@192.0.2.3";
    bench.register(at(0), "c", 1, &[with_q(A, 100), with_q(B, 900), with_q(c, 900)]).unwrap();
    assert_eq!(bench.uris(at(0)), [B, c, A]);
    bench.register(at(1), "c", 2, &[with_q(A, 1000)]).unwrap();
    assert_eq!(bench.uris(at(1)), [A, B, c]);
}

#[test]
fn contacts_are_compared_as_uris() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact("sip:ana@Phone.Example.org;transport=tcp")]).unwrap();
    bench.register(at(1), "c", 2, &[contact("sip:%61na@phone.example.org;transport=TCP")]).unwrap();
    assert_eq!(bench.uris(at(1)), ["sip:%61na@phone.example.org;transport=TCP"]);
    bench.register(at(2), "c", 3, &[contact("sip:ANA@phone.example.org;transport=TCP")]).unwrap();
    assert_eq!(bench.uris(at(2)).len(), 2, "the user part keeps its letter case");
}

#[test]
fn an_outbound_device_replaces_its_flow_by_instance_and_reg_id() {
    let mut bench = Bench::default();
    let device = |uri, reg_id| ContactIntent { instance: Some(b"urn:uuid:1"), reg_id: Some(reg_id), ..contact(uri) };
    bench.register(at(0), "c", 1, &[device(A, 1)]).unwrap();
    bench.register(at(0), "d", 1, &[device(B, 2)]).unwrap();
    assert_eq!(bench.uris(at(0)), [A, B], "two flows of one device");
    let moved = "sip:ana@198.51.100.9:1024";
    bench.register(at(1), "e", 1, &[device(moved, 1)]).unwrap();
    assert_eq!(bench.uris(at(1)), [moved, B]);
}

#[test]
fn a_restarted_device_replaces_its_old_self() {
    let mut bench = Bench::default();
    let device = |uri| ContactIntent { instance: Some(b"urn:uuid:1"), ..contact(uri) };
    bench.register(at(0), "c", 1, &[device(A)]).unwrap();
    bench.register(at(1), "after restart", 1, &[device(B)]).unwrap();
    assert_eq!(bench.uris(at(1)), [B]);
    let contacts = [device(A)];
    let mut by_tls = intent("tls", 1, Contacts::List(&contacts));
    by_tls.transport = Transport::Tls;
    bench.send(at(2), &by_tls).unwrap();
    assert_eq!(bench.uris(at(2)), [B, A], "by another transport it is another endpoint");
    bench.register(at(3), "both", 1, &[device(A), device(B)]).unwrap();
    assert_eq!(bench.uris(at(3)).len(), 2, "one REGISTER may bind one device twice");
}

#[test]
fn what_a_contact_brought_is_kept() {
    let mut bench = Bench::default();
    let contacts =
        [ContactIntent { instance: Some(b"urn:uuid:1"), reg_id: Some(3), q: 250, params: b";+sip.ice", ..contact(A) }];
    let mut register = intent("c", 7, Contacts::List(&contacts));
    register.path = b"<sip:edge.example.org;lr;ob>";
    register.user_agent = b"Phone/1.0";
    register.transport = Transport::Wss;
    bench.send(at(0), &register).unwrap();
    let b = bench.group.bindings(at(10), ANA).next().unwrap();
    assert_eq!(
        (b.uri(), b.flow(), b.path(), b.instance(), b.reg_id(), b.q(), b.user_agent(), b.params(), b.transport()),
        (
            A.as_bytes(),
            &b"udp/1"[..],
            &b"<sip:edge.example.org;lr;ob>"[..],
            Some(&b"urn:uuid:1"[..]),
            Some(3),
            250,
            &b"Phone/1.0"[..],
            &b";+sip.ice"[..],
            Transport::Wss
        )
    );
    assert_eq!((b.expires_in(at(10).wall), b.refreshed_at(), b.cseq()), (590, at(0).wall, 7));
}

#[test]
fn what_is_too_long_is_refused() {
    let long = format!("sip:{}@example.org", "a".repeat(MAX_URI));
    let mut bench = Bench::default();
    assert_eq!(bench.register(at(0), "c", 1, &[contact(&long)]), Err(RegisterRefusal::TooLarge { field: Field::Uri }));
}

#[test]
fn expiry_frees_and_tells_what_ended() {
    let mut bench = Bench::default();
    let long = ContactIntent { expires: Some(900), ..contact(B) };
    bench.register(at(0), "c", 1, &[contact(A), long]).unwrap();
    assert_eq!(bench.group.next_expiry(), Some(at(600).wall));
    let mut ended = Vec::new();
    bench.group.expire(at(599), |_, _, b| ended.push(b.uri().to_vec()));
    assert!(ended.is_empty());
    bench.group.expire(at(600), |aor, user, b| {
        assert_eq!((aor, user), (ANA, UserId(1)));
        ended.push(b.uri().to_vec());
    });
    assert_eq!(ended, [A.as_bytes()]);
    assert_eq!((bench.group.addresses(), bench.group.binding_count()), (1, 1));
    bench.group.expire(at(900), |_, _, _| {});
    assert_eq!((bench.group.addresses(), bench.group.binding_count(), bench.group.next_expiry()), (0, 0, None));
}

#[test]
fn a_lost_flow_ends_its_bindings_and_a_removed_user_all() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact(A), contact(B)]).unwrap();
    let removed = bench.group.retain(ANA, &mut bench.journal, |b| b.uri() != A.as_bytes());
    assert_eq!((removed, bench.uris(at(0))), (1, vec![B.to_owned()]));
    assert!(bench.group.remove_user(ANA, &mut bench.journal));
    assert!(!bench.group.remove_user(ANA, &mut bench.journal));
    assert_eq!(bench.group.addresses(), 0);
}

#[test]
fn without_the_store_only_a_refresh_is_answered_and_promises_no_more_than_is_stored() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact(A)]).unwrap();
    let (known, unknown) = ([contact(A)], [contact(B)]);
    let refresh = intent("c", 2, Contacts::List(&known));
    bench.journal.take();
    bench.journal.committed(1);
    let outcome = bench.group.register_without_store(at(500), &refresh, &bench.journal).unwrap();
    assert_eq!(outcome.wait_for, None);
    assert_eq!(outcome.bindings.map(|b| b.expires_in(at(500).wall)).collect::<Vec<_>>(), [100]);
    let journal = Journal::new();
    let away = |intent: &RegisterIntent<'_>| bench.group.register_without_store(at(500), intent, &journal).err();
    assert_eq!(away(&intent("c", 2, Contacts::List(&unknown))), Some(RegisterRefusal::StoreAway));
    assert_eq!(away(&intent("c", 2, Contacts::Star)), Some(RegisterRefusal::StoreAway));
    let mut moved = refresh;
    moved.flow = b"udp/2";
    assert_eq!(away(&moved), Some(RegisterRefusal::StoreAway), "a new flow is a new fact");
    let mut gone = refresh;
    gone.expires = Some(0);
    assert_eq!(away(&gone), Some(RegisterRefusal::StoreAway));
    let mut shorter = refresh;
    shorter.expires = Some(99);
    assert_eq!(away(&shorter), Some(RegisterRefusal::StoreAway), "less than what is left is a new fact");
    shorter.expires = Some(100);
    assert_eq!(away(&shorter), None);
}

/// Found by `sim`: a late copy of a REGISTER brought a removed binding back.
#[test]
fn a_replay_changes_nothing_and_a_repetition_is_answered() {
    let mut bench = Bench::default();
    let contacts = [contact(A)];
    let first = intent("c", 1, Contacts::List(&contacts));
    let mut copy = first;
    copy.repeated = true;
    assert_eq!(bench.send(at(0), &first), Ok(Effect::Changed));
    assert_eq!(bench.send(at(1), &copy), Ok(Effect::Retransmission));
    let mut newer = intent("c", 2, Contacts::List(&contacts));
    newer.repeated = true;
    assert_eq!(bench.send(at(2), &newer), Err(RegisterRefusal::Replayed));
    let mut removal = intent("c", 3, Contacts::List(&contacts));
    removal.expires = Some(0);
    assert_eq!(bench.send(at(3), &removal), Ok(Effect::Changed));
    assert_eq!(bench.send(at(4), &copy), Err(RegisterRefusal::Replayed));
    removal.repeated = true;
    assert_eq!(bench.send(at(5), &removal), Ok(Effect::Unchanged));
    assert_eq!(bench.uris(at(5)), Vec::<String>::new());
}

/// Found by `sim`, seed 5: while one REGISTER tries the store again, its repetition was told of the new expiry at once.
#[test]
fn without_the_store_an_answer_waits_for_what_is_on_trial() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact(A)]).unwrap();
    bench.journal.take();
    bench.journal.committed(1);
    bench.register(at(500), "c", 2, &[contact(A)]).unwrap();
    let known = [contact(A)];
    let repeated = intent("c", 2, Contacts::List(&known));
    let outcome = bench.group.register_without_store(at(500), &repeated, &bench.journal).unwrap();
    assert_eq!(outcome.wait_for, Some(bench.journal.seq()));
}

#[test]
fn a_refused_block_leaves_what_the_store_holds() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact(A)]).unwrap();
    let (first, _) = bench.journal.take().unwrap();
    bench.journal.committed(first);
    let stored = seen(&bench.group, at(1));
    bench.register(at(1), "c", 2, &[contact(A)]).unwrap();
    bench.register(at(1), "d", 1, &[contact(B)]).unwrap();
    let (second, block) = bench.journal.take().unwrap();
    assert_eq!(block.generation(), 0);
    bench.group.remove_user(ANA, &mut bench.journal);
    let (third, _) = bench.journal.take().unwrap();
    for undo in bench.journal.failed(second).unwrap() {
        bench.group.undo(undo);
    }
    assert_eq!(seen(&bench.group, at(1)), stored);
    assert!(bench.journal.failed(third).is_none(), "the later block was undone with the earlier");
    bench.register(at(2), "c", 3, &[contact(A)]).unwrap();
    assert_eq!(bench.journal.take().unwrap().1.generation(), 1);
}

#[test]
fn a_block_handed_back_undoes_only_itself() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact(A)]).unwrap();
    bench.journal.take().unwrap();
    let on_its_way = seen(&bench.group, at(0));
    bench.register(at(1), "c", 2, &[contact(A), contact(B)]).unwrap();
    let (seq, _) = bench.journal.take().unwrap();
    for undo in bench.journal.handed_back(seq) {
        bench.group.undo(undo);
    }
    assert_eq!(seen(&bench.group, at(0)), on_its_way);
    assert_eq!(bench.journal.unsettled(), 1);
}
