//! Flow records by HTTP: posted in order, in batches, with patience that ends.

use std::sync::Arc;
use std::time::Duration;

use lyceum_accounts::http::Http;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Batches that may wait; beyond it the newest are lost and counted.
const QUEUE: usize = 64;
/// Tries of one batch.
const TRIES: u32 = 4;
/// Between the first two; it doubles.
const PAUSE: Duration = Duration::from_secs(1);

/// Where records are posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook(String);

impl Webhook {
    /// Reads an address: `https://`, or `http://` for a listener on this machine or inside.
    pub fn parse(text: &str) -> Result<Webhook, String> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        match rest.filter(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace)) {
            Some(_) => Ok(Webhook(text.to_owned())),
            None => Err(format!("\"{text}\" is no address of a web server")),
        }
    }
}

/// Takes batches.
pub struct Poster {
    batches: Sender<(String, usize)>,
}

impl Poster {
    /// Posts to a webhook from now on.
    pub fn start(runtime: &tokio::runtime::Runtime, webhook: &Webhook) -> Result<Poster, String> {
        let http = Http::new(None).map_err(|fault| fault.to_string())?;
        let (batches, waiting) = channel(QUEUE);
        runtime.spawn(run(http, Arc::from(webhook.0.as_str()), waiting));
        Ok(Poster { batches })
    }

    /// Hands a batch over; never waits.
    pub fn post(&self, batch: String, records: usize) {
        if self.batches.try_send((batch, records)).is_err() {
            tracing::error!(records, "flow records are not posted: the webhook is behind by {QUEUE} batches");
        }
    }
}

async fn run(http: Http, url: Arc<str>, mut waiting: Receiver<(String, usize)>) {
    while let Some((batch, records)) = waiting.recv().await {
        let mut pause = PAUSE;
        for attempt in 1..=TRIES {
            let why = match http.post_json(&url, batch.clone()).await {
                Ok(status) if (200..300).contains(&status) => break,
                Ok(status) => format!("it answers {status}"),
                Err(why) => why,
            };
            if attempt == TRIES {
                tracing::error!(%why, records, url = %url, "flow records are not posted; correct media.flow_webhook or its server");
                break;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_servers_are_posted_to() {
        assert!(Webhook::parse("https://sdn.example.org/flows").is_ok());
        assert!(Webhook::parse("http://127.0.0.1:8000/").is_ok());
        for wrong in ["", "sdn.example.org", "ftp://x", "https://", "https:///x", "https://a b"] {
            assert!(Webhook::parse(wrong).is_err(), "{wrong}");
        }
    }
}
