//! Names for the workers: asks the resolver and posts the answer back.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use lyceum_front_end::calls::{Located, Lookup};
use lyceum_front_end::executor::{Post, ResolveFn};
use lyceum_net::{Resolver, ResolverOptions, WorkerHandle};
use lyceum_sip::Uri;
use lyceum_sip::locate::Search;

/// The node's resolver.
pub fn resolver(runtime: &tokio::runtime::Runtime) -> Result<Resolver> {
    Resolver::new(runtime.handle().clone(), ResolverOptions::default()).map_err(|error| anyhow!("{error}"))
}

/// What a worker calls to have a name looked up.
pub fn ask(resolver: Resolver, worker: WorkerHandle<Post>) -> ResolveFn {
    Box::new(move |query, lookup| {
        let answer = worker.clone();
        let deliver = move |result: Result<Vec<Located>, String>| {
            answer.post(Post::Resolved { query, answer: result }).ok();
        };
        let name: Arc<str> = lookup.host.as_str().into();
        let text = uri_of(&lookup);
        let search = match Uri::parse(text.as_bytes()).map(|uri| Search::new(&uri, &Default::default())) {
            Ok(Ok(search)) => search,
            _ => return deliver(Err(format!("{} cannot be located", lookup.host))),
        };
        let host = lookup.host.clone();
        let late = worker.clone();
        let started = resolver.start(search, move |found| {
            deliver(match found {
                Ok(targets) => Ok(targets
                    .into_iter()
                    .map(|target| Located {
                        transport: target.transport,
                        addr: target.address,
                        name: Arc::clone(&name),
                    })
                    .collect()),
                Err(error) => Err(format!("{host}: {error}")),
            });
        });
        if let Err(error) = started {
            late.post(Post::Resolved { query, answer: Err(error.to_string()) }).ok();
        }
    })
}

fn uri_of(lookup: &Lookup) -> String {
    let mut text = String::from(if lookup.secure { "sips:" } else { "sip:" });
    text.push_str(&lookup.host);
    if let Some(port) = lookup.port {
        text.push_str(&format!(":{port}"));
    }
    if let Some(transport) = lookup.transport {
        let param = if lookup.secure { "tcp" } else { transport.uri_param() };
        text.push_str(&format!(";transport={param}"));
    }
    text
}
