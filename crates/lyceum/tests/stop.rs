//! What was answered before a stop is there after it.

mod support;

use lyceum_store::{EpochPolicy, HistoryQuery, MasterKey, Options, Store};
use support::{Scratch, Server, done, str};

#[test]
fn a_message_that_was_answered_before_the_stop_is_in_the_history() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.0, &["--domain", "stop.test"]);
    done(&["test", "im", "--data", str(&scratch.0)]);
    assert!(server.stop().success());
    let key = MasterKey::read(&scratch.path("key/master.key")).unwrap();
    let options = Options { owner: "test".into(), epochs: EpochPolicy::Keep };
    let store = Store::open(&scratch.path("data"), key, &options).unwrap();
    for user in ["lyceum-test-1@stop.test", "lyceum-test-2@stop.test"] {
        let found = store.history(&HistoryQuery { user: user.into(), ..HistoryQuery::default() }).unwrap();
        assert_eq!(found.messages.len(), 1, "{user}");
    }
}
