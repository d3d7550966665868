//! Presence and messages between the test endpoints, step by step.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lyceum_sip::Method;

use super::endpoint::{Account, Endpoint, ProbeError};

/// One step and how it went.
#[derive(Clone, Debug)]
pub struct Step {
    /// What was done.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// What was seen, or what went wrong.
    pub outcome: Result<String, String>,
}

/// The steps so far; the first that failed is the last.
#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn add<T>(
        &mut self,
        name: &'static str,
        seen: &str,
        act: impl FnOnce() -> Result<T, ProbeError>,
    ) -> Result<T, Stopped> {
        let begun = Instant::now();
        let result = act();
        self.put(name, seen, begun.elapsed(), result)
    }

    fn put<T>(
        &mut self,
        name: &'static str,
        seen: &str,
        took: Duration,
        result: Result<T, ProbeError>,
    ) -> Result<T, Stopped> {
        let outcome = result.as_ref().map(|_| seen.to_owned()).map_err(ToString::to_string);
        self.0.push(Step { name, took, outcome });
        result.map_err(|_| Stopped)
    }
}

/// A step failed; the steps say which and why.
struct Stopped;

/// The first watches the second, who publishes; the change has to arrive in time.
pub fn presence(server: SocketAddr, watcher: &Account, watched: &Account, within: Duration) -> Vec<Step> {
    let mut steps = Steps::default();
    // What stopped it stands in the steps.
    if let Ok(mut pair) = sign_in(&mut steps, server, [watcher, watched]) {
        watch(&mut steps, &mut pair, within).ok();
        sign_out(&mut steps, &mut pair);
    }
    steps.0
}

/// The first writes to the second; the message has to arrive in time.
pub fn message(server: SocketAddr, sender: &Account, recipient: &Account, within: Duration) -> Vec<Step> {
    let mut steps = Steps::default();
    if let Ok(mut pair) = sign_in(&mut steps, server, [sender, recipient]) {
        write(&mut steps, &mut pair, within).ok();
        sign_out(&mut steps, &mut pair);
    }
    steps.0
}

fn sign_in(steps: &mut Steps, server: SocketAddr, accounts: [&Account; 2]) -> Result<[Endpoint; 2], Stopped> {
    steps.add("sign both in", "200 OK", || {
        let mut pair = [Endpoint::open(server, accounts[0])?, Endpoint::open(server, accounts[1])?];
        for endpoint in &mut pair {
            endpoint.register(300)?;
        }
        Ok(pair)
    })
}

fn sign_out(steps: &mut Steps, pair: &mut [Endpoint; 2]) {
    let out = steps.add("sign both out", "200 OK", || pair.iter_mut().try_for_each(|one| one.register(0).map(|_| ())));
    // The steps tell.
    out.ok();
}

/// One endpoint acts while the other listens; each with the time since they began.
fn at_once<T: Send>(
    act: impl FnOnce() -> Result<T, ProbeError>,
    hear: impl FnOnce() -> Result<(), ProbeError> + Send,
) -> ((Duration, Result<T, ProbeError>), (Duration, Result<(), ProbeError>)) {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let hearing = scope.spawn(move || {
            let heard = hear();
            (begun.elapsed(), heard)
        });
        let done = act();
        let took = begun.elapsed();
        let broken = |_| (begun.elapsed(), Err(ProbeError::Broken("the listening endpoint")));
        ((took, done), hearing.join().unwrap_or_else(broken))
    })
}

fn watch(steps: &mut Steps, [watcher, watched]: &mut [Endpoint; 2], within: Duration) -> Result<(), Stopped> {
    let target = watched.uri();
    let watch = steps.add("subscribe", "200 OK", || watcher.subscribe(&target))?;
    let seen = steps.add("the state now arrives", "NOTIFY", || watcher.hear(Method::Notify, "presence", within));
    let changed = seen.and_then(|()| publish(steps, watcher, watched, within));
    let ended = steps.add("unsubscribe", "200 OK", || watcher.unsubscribe(&watch));
    changed.and(ended)
}

fn publish(steps: &mut Steps, watcher: &mut Endpoint, watched: &mut Endpoint, within: Duration) -> Result<(), Stopped> {
    let ((took, published), (heard_after, heard)) =
        at_once(|| watched.publish_busy(), || watcher.hear(Method::Notify, "busy", within));
    let tag = steps.put("publish busy", "200 OK", took, published)?;
    let heard = steps.put("the change arrives", "NOTIFY with busy", heard_after, heard);
    let undone = steps.add("take it back", "200 OK", || watched.unpublish(tag));
    heard.and(undone)
}

fn write(steps: &mut Steps, [sender, recipient]: &mut [Endpoint; 2], within: Duration) -> Result<(), Stopped> {
    // Of this test and no other: what an earlier one left behind may come first.
    let text = format!("Lyceum test message {}-{}", sender.local().port(), recipient.local().port());
    let target = recipient.uri();
    let ((took, sent), (heard_after, heard)) =
        at_once(|| sender.message(&target, &text), || recipient.hear(Method::Message, &text, within));
    steps.put("send a message", "200 OK", took, sent)?;
    steps.put("it arrives", "MESSAGE with the same text", heard_after, heard)
}
