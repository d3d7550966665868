//! What is said, as templates.

use std::net::SocketAddr;

use crate::template::Template;

const HEAD: &str = "Via: SIP/2.0/UDP {local};branch=z9hG4bKl{run}{branch};rport
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag={id}
";

const REGISTER: &str = "REGISTER sip:{domain} SIP/2.0
{head}To: <sip:{user}@{domain}>
Call-ID: {id}-{run}@load
CSeq: {cseq} REGISTER
Contact: <sip:{user}@{contact}>
Expires: {expires}
User-Agent: load
{auth}Content-Length: 0

";

const OPTIONS: &str = "OPTIONS sip:{domain} SIP/2.0
{head}To: <sip:{domain}>
Call-ID: {id}-{run}@load
CSeq: {cseq} OPTIONS
Accept: application/sdp
{auth}Content-Length: 0

";

const MESSAGE: &str = "MESSAGE sip:{peer}@{domain} SIP/2.0
{head}To: <sip:{peer}@{domain}>
Call-ID: {id}-{run}@load
CSeq: {cseq} MESSAGE
User-Agent: load
{auth}Content-Type: text/plain
Content-Length: 72

hello, this is a short instant message of ordinary length, nothing more.";

const INVITE: &str = "INVITE sip:{peer}@{domain} SIP/2.0
{head}To: <sip:{peer}@{domain}>
Call-ID: {id}-{run}@load
CSeq: {cseq} INVITE
Contact: <sip:{user}@{local}>
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS
User-Agent: load
{auth}Content-Type: application/sdp
Content-Length: {length}

{offer}";

const IN_DIALOG: &str = "{method} {target} SIP/2.0
{head}{routes}To: {to}
Call-ID: {id}-{run}@load
CSeq: {cseq} {method}
Content-Length: 0

";

/// RFC 3261 §17.1.1.3: the ACK of a refusal goes where the INVITE went, under its branch.
const ACK_REFUSAL: &str = "ACK sip:{peer}@{domain} SIP/2.0
{head}To: {to}
Call-ID: {id}-{run}@load
CSeq: {cseq} ACK
Content-Length: 0

";

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

/// The called end's description.
pub const ANSWER: &[u8] = b"v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40002 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

/// Every request that is sent.
#[derive(Debug)]
pub struct Messages {
    /// REGISTER of one contact: the called end's address.
    pub register: Template,
    /// OPTIONS to the server itself.
    pub options: Template,
    /// MESSAGE to another user.
    pub message: Template,
    /// INVITE of another user.
    pub invite: Template,
    /// ACK of a 2xx.
    pub ack: Template,
    /// BYE by the caller.
    pub bye: Template,
    /// ACK of any other final answer to INVITE.
    pub ack_refusal: Template,
    /// What branches begin with and Call-IDs carry: the run.
    pub marker: Vec<u8>,
    /// The Contact of the called end.
    pub contact: Vec<u8>,
}

impl Messages {
    /// For a run with this name between the server and these two ends.
    #[must_use]
    pub fn new(domain: &str, run: &str, caller: SocketAddr, called: SocketAddr, expires: u32) -> Messages {
        let (local, contact, expires) = (caller.to_string(), called.to_string(), expires.to_string());
        let length = OFFER.len().to_string();
        let make = |text: &str, method: &str| {
            let fixed = [
                ("head", HEAD),
                ("domain", domain),
                ("run", run),
                ("local", &local),
                ("contact", &contact),
                ("expires", &expires),
                ("length", &length),
                ("offer", OFFER),
                ("method", method),
            ];
            Template::new(text, &fixed)
        };
        Messages {
            register: make(REGISTER, ""),
            options: make(OPTIONS, ""),
            message: make(MESSAGE, ""),
            invite: make(INVITE, ""),
            ack: make(IN_DIALOG, "ACK"),
            bye: make(IN_DIALOG, "BYE"),
            ack_refusal: make(ACK_REFUSAL, ""),
            marker: format!("z9hG4bKl{run}").into_bytes(),
            contact: format!("<sip:called@{contact}>").into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Field, Fields};
    use lyceum_sip::{Index, Limits, Message, parse};

    #[test]
    fn every_message_is_sound() {
        let here = SocketAddr::from(([127, 0, 0, 1], 5070));
        let messages = Messages::new("bench.test", "0badcafe", here, here, 3600);
        let mut fields = Fields::default();
        fields.set(Field::User, b"u1").set(Field::Peer, b"u2").set(Field::Id, b"1").set(Field::Branch, b"1");
        fields.set(Field::Cseq, b"1").set(Field::Target, b"sip:a@127.0.0.1").set(Field::To, b"<sip:u2@bench.test>");
        let all = [
            &messages.register,
            &messages.options,
            &messages.message,
            &messages.invite,
            &messages.ack,
            &messages.bye,
            &messages.ack_refusal,
        ];
        for template in all {
            let mut out = Vec::new();
            template.write(&fields, &mut out);
            let mut index = Index::new();
            let used = parse(&out, &mut index, &Limits::default()).expect("readable");
            assert_eq!(used, out.len(), "{}", String::from_utf8_lossy(&out));
            Message::new(&out, &index).validate().expect("sound");
            let text = String::from_utf8_lossy(&out);
            assert!(!text.contains('{') && !text.replace("\r\n", "").contains('\n'), "{text}");
        }
    }
}
