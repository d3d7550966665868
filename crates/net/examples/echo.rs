//! Answers every request with 200: the floor of what receiving, answering and sending costs.
//!
//! `cargo run --release -p lyceum-net --example echo -- 127.0.0.1:5060 [workers] [rest in µs]`
//! prints one JSON line with the address and the pid, and runs until its standard input closes.

use std::io::Read;
use std::time::Duration;

use lyceum_net::{Arrival, Coalesce, Engine, Flow, ListenerOptions, Load, Options, Outbox};
use lyceum_sip::{Index, Limits, Message, Method, Now, ResponseBuilder, Time, Transport, parse};

#[derive(Default)]
struct Echo {
    index: Index,
    limits: Limits,
}

impl Engine for Echo {
    type Post = ();

    fn message(&mut self, _: Now, arrival: Arrival<'_>, out: &mut Outbox) {
        if parse(arrival.bytes, &mut self.index, &self.limits).is_err() {
            return;
        }
        let message = Message::new(arrival.bytes, &self.index);
        if message.is_request() && message.method() != Method::Ack {
            out.send(&arrival.flow.into(), 0, |bytes| {
                ResponseBuilder::new(&message, 200, "OK")
                    .to_tag(b"echo")
                    .received(arrival.remote.ip(), arrival.remote.port())
                    .write(bytes);
            });
        }
    }

    fn flow_closed(&mut self, _: Now, _: Flow, _: &mut Outbox) {}
    fn send_failed(&mut self, _: Now, _: u64, _: &mut Outbox) {}
    fn posted(&mut self, _: Now, (): (), _: &mut Outbox) {}
    fn timeout(&mut self, _: Now, _: &mut Outbox) {}
    fn next_timeout(&self) -> Option<Time> {
        None
    }
    fn settle(&mut self, _: Now, _: Load, _: &mut Outbox) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let addr = arguments.next().unwrap_or_else(|| "127.0.0.1:0".into()).parse()?;
    let workers = arguments.next().map_or(Ok(1), |n| n.parse())?;
    let rest = arguments.next().map_or(Ok(2000), |n| n.parse())?;
    let tcp = ListenerOptions { port_of: Some(0), ..ListenerOptions::new(Transport::Tcp, addr).inside(true) };
    let options = Options {
        workers,
        listeners: vec![ListenerOptions::new(Transport::Udp, addr).inside(true), tcp],
        coalesce: Coalesce { rest: Duration::from_micros(rest), ..Coalesce::default() },
        ..Options::default()
    };
    let running = options.build()?.start(|_| Echo::default())?;
    let addr = running.handle().listeners()[0].addr;
    println!("{{\"sip\":\"{addr}\",\"pid\":{}}}", std::process::id());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    eprintln!("{:?}", running.handle().totals());
    running.drain(Duration::from_secs(1));
    Ok(())
}
