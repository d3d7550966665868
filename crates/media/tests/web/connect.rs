//! Two ends come to each other, over any network, and again after a restart.

use lyceum_media::bridge::DtlsKeys;
use lyceum_media::web::{Credentials, WebEvent};

use crate::net::{End, FAIR, Net, RIGHT, Weather, at};

fn keys(end: &End) -> DtlsKeys {
    let keys = end.events.iter().find_map(|event| match event {
        WebEvent::Keys(keys) => Some(keys.clone()),
        _ => None,
    });
    keys.expect("the handshake is through")
}

#[test]
fn two_ends_connect_and_have_each_others_keys() {
    let mut net = Net::new(FAIR, 1);
    net.agree();
    assert!(net.connect(2_000));
    let (left, right) = (keys(&net.ends[0]), keys(&net.ends[1]));
    assert_eq!((&left.suite, &left.send, &left.receive), (&right.suite, &right.receive, &right.send));
    assert_ne!(left.send, left.receive);
    assert_eq!(net.ends[0].events.last(), Some(&WebEvent::Connected));
}

#[test]
fn loss_copies_and_disorder_only_take_time() {
    for seed in 1..100 {
        let mut net = Net::new(Weather { loss: 10, doubled: 10, swapped: 20 }, seed);
        net.agree();
        assert!(net.connect(30_000), "seed {seed}");
        assert_eq!(keys(&net.ends[0]).send, keys(&net.ends[1]).receive, "seed {seed}");
    }
}

#[test]
fn both_controlling_come_to_one_role() {
    let mut net = Net::new(FAIR, 3);
    let [left, mut right] = net.remotes();
    right.controlling = true;
    net.ends[0].transport.agree(net.now, left);
    net.ends[1].transport.agree(net.now, right);
    assert!(net.connect(3_000));
}

#[test]
fn consent_that_ends_is_told_and_comes_back() {
    let mut net = Net::new(FAIR, 4);
    net.agree();
    assert!(net.connect(2_000));
    net.weather.loss = 100;
    net.run(30_000);
    assert_eq!(net.ends[0].events.last(), Some(&WebEvent::Disconnected));
    assert_eq!(net.ends[0].transport.path(), None, "nothing is sent without consent");
    let before = net.ends[0].sent.len();
    net.run(60_000);
    assert!(net.ends[0].sent.len() - before < 40, "and no flood of checks either");
}

#[test]
fn ice_restarts_under_running_media() {
    let mut net = Net::new(FAIR, 5);
    net.agree();
    assert!(net.connect(2_000));
    let own = Credentials::new(&[77; 24]);
    net.ends[0].transport.restart_ice(own.clone());
    net.ends[0].credentials = own;
    net.run(500);
    assert!(net.ends.iter().all(End::is_connected), "an offer alone changes nothing");
    // The other end moves to another network while it answers.
    net.ends[1].credentials = Credentials::new(&[78; 24]);
    net.ends[1].transport.restart_ice(net.ends[1].credentials.clone());
    let [left, right] = net.remotes();
    net.ends[1].transport.agree(net.now, right);
    net.run(5);
    net.ends[0].transport.agree(net.now, left);
    assert!(net.ends.iter().all(End::is_connected), "media goes on while checks are made anew");
    net.run(2_000);
    assert_eq!(net.ends[0].transport.path().map(|(_, remote)| remote), Some(at(RIGHT)));
    assert!(!net.ends[0].events.contains(&WebEvent::Disconnected));
    let handshakes = |end: &End| end.events.iter().filter(|event| matches!(event, WebEvent::Keys(_))).count();
    assert_eq!((handshakes(&net.ends[0]), handshakes(&net.ends[1])), (1, 1), "the keys stay");
    net.run(60_000);
    assert!(net.ends.iter().all(End::is_connected), "and the new path has consent of its own");
}
