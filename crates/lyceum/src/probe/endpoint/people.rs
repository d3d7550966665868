//! What a test endpoint does besides calling: it watches, publishes, and sends and receives messages.

use std::time::{Duration, Instant};

use lyceum_sip::{Message, Method, Name, NameAddr, ResponseBuilder};

use super::{Ask, Endpoint, ProbeError, expect_ok, with};

/// How long subscriptions and publications of a test live, should it not end them itself: the least of the policy.
const LIFE: u32 = 1200;

/// A subscription that stands.
pub struct Watch {
    call_id: String,
    /// The server's end, with its tag.
    remote: String,
    target: String,
}

impl Endpoint {
    /// Watches the presence of `target`.
    pub fn subscribe(&mut self, target: &str) -> Result<Watch, ProbeError> {
        let call_id = format!("watch-{}-{}", self.name, self.cseq);
        let answer = self.ask(&watching(target.to_owned(), format!("<{target}>"), LIFE), &call_id)?;
        expect_ok("SUBSCRIBE", &answer)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        with(&answer, |message| {
            let contact = message.value(Name::Contact).and_then(|value| NameAddr::parse(value).ok())?;
            Some(Watch { call_id, remote: text(message.value(Name::To)?), target: text(contact.uri) })
        })
        .ok_or(ProbeError::Broken("the server"))
    }

    /// Ends it.
    pub fn unsubscribe(&mut self, watch: &Watch) -> Result<(), ProbeError> {
        let answer = self.ask(&watching(watch.target.clone(), watch.remote.clone(), 0), &watch.call_id)?;
        expect_ok("SUBSCRIBE", &answer)
    }

    /// Publishes that this endpoint's user is busy; gives the entity tag.
    pub fn publish_busy(&mut self) -> Result<String, ProbeError> {
        let body = format!(
            "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
             xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:r=\"urn:ietf:params:xml:ns:pidf:rpid\" \
             entity=\"{}\"><tuple id=\"t\"><status><basic>open</basic></status></tuple><dm:person id=\"p\">\
             <r:activities><r:busy/></r:activities></dm:person></presence>",
            self.uri()
        );
        let answer = self.publish(LIFE, Some(("application/pidf+xml", body)), None)?;
        with(&answer, |message| Some(String::from_utf8_lossy(message.value(Name::SipEtag)?).into_owned()))
            .ok_or(ProbeError::Broken("the server"))
    }

    /// Takes back what was published.
    pub fn unpublish(&mut self, tag: String) -> Result<(), ProbeError> {
        self.publish(0, None, Some(tag)).map(|_| ())
    }

    fn publish(
        &mut self,
        expires: u32,
        body: Option<(&'static str, String)>,
        tag: Option<String>,
    ) -> Result<Vec<u8>, ProbeError> {
        let mut headers = vec![("Event", "presence".to_owned())];
        headers.extend(tag.map(|tag| ("SIP-If-Match", tag)));
        let to = format!("<{}>", self.uri());
        let ask = Ask { method: Method::Publish, uri: self.uri(), to, expires: Some(expires), headers, body };
        let answer = self.ask(&ask, &format!("publish-{}-{}", self.name, self.cseq))?;
        expect_ok("PUBLISH", &answer)?;
        Ok(answer)
    }

    /// Sends a message.
    pub fn message(&mut self, target: &str, text: &str) -> Result<(), ProbeError> {
        let body = Some(("text/plain", text.to_owned()));
        let (uri, to) = (target.to_owned(), format!("<{target}>"));
        let ask = Ask { method: Method::Message, uri, to, expires: None, headers: Vec::new(), body };
        let answer = self.ask(&ask, &format!("message-{}-{}", self.name, self.cseq))?;
        expect_ok("MESSAGE", &answer)
    }

    /// Waits for a request whose body has this text in it, and answers whatever of that method comes before.
    pub fn hear(&mut self, method: Method, text: &str, within: Duration) -> Result<(), ProbeError> {
        let end = Instant::now() + within;
        while let Some(bytes) = self.next_until(end)? {
            let mut ok = Vec::new();
            let found = with(&bytes, |message| {
                if !message.is_request() || message.method() != method {
                    return None;
                }
                answer(message, self.local.port(), &mut ok);
                Some(message.body().windows(text.len()).any(|part| part == text.as_bytes()))
            });
            if found.is_some() {
                self.socket.send_to(&ok, self.server)?;
            }
            if found == Some(true) {
                return Ok(());
            }
        }
        Err(ProbeError::Late(within))
    }

    /// The next message: first those that came while another was waited for.
    fn next_until(&mut self, end: Instant) -> Result<Option<Vec<u8>>, ProbeError> {
        match self.early.pop_front() {
            Some(bytes) => Ok(Some(bytes)),
            None => self.receive_until(end),
        }
    }
}

fn watching(uri: String, to: String, expires: u32) -> Ask {
    let headers = vec![("Event", "presence".to_owned()), ("Accept", "application/pidf+xml".to_owned())];
    Ask { method: Method::Subscribe, uri, to, expires: Some(expires), headers, body: None }
}

fn answer(message: &Message<'_>, port: u16, ok: &mut Vec<u8>) {
    let tag = format!("t{port}");
    let mut builder = ResponseBuilder::new(message, 200, "OK");
    if message.method() == Method::Message {
        builder.to_tag(tag.as_bytes());
    }
    builder.write(ok);
}
