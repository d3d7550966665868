use std::sync::Arc;

use lyceum_net::{Bounds, FlowEnded, ForeignFlow, Listener, Options, Refused};
use lyceum_sip::Transport;
use tokio::runtime::{Builder, Runtime};

use crate::support::{Event, Rig, loopback, options};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn listener(rig: &Rig) -> Arc<Listener> {
    rig.handle.foreign_listener(Transport::Wss, "127.0.0.1:443".parse().unwrap(), Some("web.example.org:443"), false)
}

fn open(rig: &Rig) -> Result<ForeignFlow, Refused> {
    let addr = "127.0.0.1:443".parse().unwrap();
    rig.handle.open_foreign(&listener(rig), addr, "192.0.2.1:50000".parse().unwrap(), None)
}

#[test]
fn messages_pass_both_ways() {
    let rig = Rig::start(options([loopback(Transport::Udp)]));
    let ForeignFlow { input, mut output } = open(&rig).unwrap();
    runtime().block_on(async {
        input.push(b"REGISTER and so on".to_vec()).await.unwrap();
        assert_eq!(output.next().await.unwrap(), b"REGISTER and so on");
        input.push(b"\r\n\r\n".to_vec()).await.unwrap();
        assert_eq!(output.next().await.unwrap(), b"\r\n");
    });
    let seen = rig.message();
    assert_eq!((seen.transport, seen.remote), (Transport::Wss, "192.0.2.1:50000".parse().unwrap()));
    // The engine can send by itself, too.
    rig.send(seen.flow.into(), 0, b"INVITE");
    runtime().block_on(async { assert_eq!(output.next().await.unwrap(), b"INVITE") });
    drop(input);
    assert_eq!(rig.next(), Event::Closed(seen.flow));
    runtime().block_on(async { assert_eq!(output.next().await, None) });
    rig.stop();
}

#[test]
fn the_engine_can_end_it() {
    let rig = Rig::start(options([loopback(Transport::Udp)]));
    let ForeignFlow { input, mut output } = open(&rig).unwrap();
    runtime().block_on(async {
        input.push(b"hello".to_vec()).await.unwrap();
        let flow = rig.message().flow;
        rig.order(move |out| {
            out.send(&flow.into(), 0, |b| b.extend_from_slice(b"bye"));
            out.close(flow);
        });
        assert_eq!(output.next().await.unwrap(), b"hello");
        assert_eq!(output.next().await.unwrap(), b"bye");
        assert_eq!(output.next().await, None);
        assert_eq!(rig.next(), Event::Closed(flow));
        assert_eq!(input.push(b"too late".to_vec()).await, Err(FlowEnded));
    });
    rig.stop();
}

#[test]
fn a_browser_that_does_not_read_is_let_go() {
    let bounds = Bounds { foreign_out: 4, ..Bounds::default() };
    let rig = Rig::with(Options { bounds, ..options([loopback(Transport::Udp)]) }, false);
    let ForeignFlow { input, output } = open(&rig).unwrap();
    runtime().block_on(input.push(b"hello".to_vec())).unwrap();
    let flow = rig.message().flow;
    rig.order(move |out| {
        for ticket in 1..=5 {
            out.send(&flow.into(), ticket, |b| b.push(b'x'));
        }
    });
    assert_eq!([rig.next(), rig.next()], [Event::Failed(5), Event::Closed(flow)]);
    drop(output);
    rig.stop();
}

#[test]
fn a_flood_waits_for_the_worker() {
    let bounds = Bounds { foreign_in: 3000, ..Bounds::default() };
    let rig = Rig::with(Options { bounds, ..options([loopback(Transport::Udp)]) }, false);
    let ForeignFlow { input, output: _output } = open(&rig).unwrap();
    runtime().block_on(async {
        for _ in 0..100 {
            input.push(vec![b'x'; 1000]).await.unwrap();
        }
    });
    for _ in 0..100 {
        rig.message();
    }
    rig.stop();
}

#[test]
fn foreign_flows_are_counted_like_others() {
    let bounds = Bounds { connections_per_source: 1, ..Bounds::default() };
    let rig = Rig::start(Options { bounds, ..options([loopback(Transport::Udp)]) });
    let first = open(&rig).unwrap();
    assert_eq!(open(&rig).err(), Some(Refused::SourceFull));
    drop(first);
    rig.stop();
}

#[test]
fn drain_ends_it() {
    let rig = Rig::start(options([loopback(Transport::Udp)]));
    let ForeignFlow { input, mut output } = open(&rig).unwrap();
    rig.stop();
    runtime().block_on(async {
        assert_eq!(output.next().await, None);
        assert_eq!(input.push(b"hello".to_vec()).await, Err(FlowEnded));
    });
}
