//! Whose media are alike: decided for each device that a call goes to, before anybody answers.

use lyceum_front_end::calls::bridging::NewCall;
use lyceum_mediation::call::{Party, Protection};
use lyceum_sip::Transport;

/// What is decided.
#[derive(PartialEq, Eq, Debug)]
pub enum Likeness {
    /// Media goes as the parties say.
    Alike,
    /// It goes through us.
    Unlike(Party, Party),
}

/// How media is spoken of in a description, without reading all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Speech {
    /// ICE and DTLS.
    Web,
    /// SRTP by keys, nothing else.
    Sdes,
    /// Plain RTP, or keys for who wants them.
    Rtp,
}

/// A browser's transport.
fn is_web(transport: Transport) -> bool {
    matches!(transport, Transport::Ws | Transport::Wss)
}

/// | caller offers | target | media | if it refuses that (415, 488) |
/// |---|---|---|---|
/// | WebRTC | registered over WebSocket | direct | – |
/// | WebRTC | phone or server over TLS | bridged, keys for who wants them | bridged, SRTP alone |
/// | WebRTC | phone or server | bridged, plain | – |
/// | RTP or SRTP | registered over WebSocket | bridged | – |
/// | SRTP alone | phone whose signalling is plain | bridged, plain | – |
/// | SRTP alone | phone or server over TLS | direct | bridged, plain |
/// | anything else | phone or server over TLS | direct | bridged, SRTP alone |
/// | anything else | phone or server | direct | – |
///
/// A target that is no device of ours (a gateway, another server) is taken for a phone.
pub fn likeness(call: &NewCall<'_>) -> Likeness {
    let caller = speech(call.invite.body(), call.caller_transport);
    let callee_is_web = is_web(call.callee_transport);
    let caller_party = |speech| match speech {
        Speech::Web => Party::browser(Some(call.caller_host)),
        Speech::Sdes => Party::phone(Protection::Required, Some(call.caller_host)),
        Speech::Rtp => Party::phone(Protection::Optional, Some(call.caller_host)),
    };
    let phone = |protection| Party::phone(protection, call.callee_host);
    let secure = call.callee_transport == Transport::Tls;
    let callee = match (caller, callee_is_web) {
        (Speech::Web, true) => return Likeness::Alike,
        (_, true) => Party::browser(call.callee_host),
        (Speech::Web, false) if secure && call.refused => phone(Protection::Required),
        (Speech::Web, false) if secure => phone(Protection::Optional),
        (Speech::Web, false) => phone(Protection::Plain),
        (Speech::Sdes, false) if !secure && call.to_endpoint || secure && call.refused => phone(Protection::Plain),
        (Speech::Rtp, false) if secure && call.refused => phone(Protection::Required),
        (_, false) => return Likeness::Alike,
    };
    Likeness::Unlike(caller_party(caller), callee)
}

fn speech(body: &[u8], transport: Transport) -> Speech {
    let has = |what: &[u8]| body.windows(what.len()).any(|window| window == what);
    match () {
        () if body.is_empty() && is_web(transport) => Speech::Web,
        () if has(b"UDP/TLS/RTP/SAVP") => Speech::Web,
        () if has(b" RTP/SAVP") && has(b"a=fingerprint:") => Speech::Web,
        () if has(b" RTP/SAVP") => Speech::Sdes,
        () => Speech::Rtp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_mediation::media::LegKind;
    use lyceum_sip::{Index, Limits, Message, parse};

    fn decided(offer: &str, from: Transport, to: Transport, refused: bool) -> String {
        let text = format!("INVITE sip:b@x SIP/2.0\r\nContent-Length: {}\r\n\r\n{offer}", offer.len());
        let mut index = Index::new();
        let _ = parse(text.as_bytes(), &mut index, &Limits::default());
        let invite = Message::new(text.as_bytes(), &index);
        let call = NewCall {
            invite: &invite,
            caller_transport: from,
            caller_host: [192, 0, 2, 1].into(),
            callee_transport: to,
            callee_host: None,
            callee_device: None,
            to_endpoint: true,
            refused,
        };
        let name = |party: Party| match (party.kind, party.protection) {
            (LegKind::Web, _) => "browser".to_owned(),
            (LegKind::Rtp, protection) => format!("{protection:?}"),
        };
        match likeness(&call) {
            Likeness::Alike => "direct".to_owned(),
            Likeness::Unlike(caller, callee) => format!("{} to {}", name(caller), name(callee)),
        }
    }

    #[test]
    fn table_of_likeness() {
        let (web, sdes, rtp) = ("m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=audio 9 RTP/SAVP 8", "m=audio 9 RTP/AVP 8");
        let old = "m=audio 9 RTP/SAVPF 111\r\na=fingerprint:sha-256 00";
        for (offer, from, to, expected) in [
            (web, Transport::Wss, Transport::Ws, "direct"),
            (web, Transport::Wss, Transport::Udp, "browser to Plain"),
            (web, Transport::Wss, Transport::Tls, "browser to Optional"),
            (old, Transport::Wss, Transport::Tcp, "browser to Plain"),
            ("", Transport::Wss, Transport::Udp, "browser to Plain"),
            (rtp, Transport::Udp, Transport::Wss, "Optional to browser"),
            (sdes, Transport::Tls, Transport::Wss, "Required to browser"),
            (sdes, Transport::Tls, Transport::Udp, "Required to Plain"),
            (sdes, Transport::Tls, Transport::Tls, "direct"),
            (rtp, Transport::Udp, Transport::Tls, "direct"),
            ("", Transport::Udp, Transport::Udp, "direct"),
        ] {
            assert_eq!(decided(offer, from, to, false), expected, "{offer} from {from:?} to {to:?}");
        }
    }

    #[test]
    fn who_refuses_the_first_offer_gets_another() {
        let (web, rtp) = ("m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=audio 9 RTP/AVP 8");
        assert_eq!(decided(web, Transport::Wss, Transport::Tls, true), "browser to Required");
        assert_eq!(decided(rtp, Transport::Udp, Transport::Tls, true), "Optional to Required");
        assert_eq!(decided("m=audio 9 RTP/SAVP 8", Transport::Tls, Transport::Tls, true), "Required to Plain");
        for alone in [(web, Transport::Wss), (rtp, Transport::Udp)] {
            let (first, second) =
                (decided(alone.0, alone.1, Transport::Udp, false), decided(alone.0, alone.1, Transport::Udp, true));
            assert_eq!(first, second, "there is no other offer for {}", alone.0);
        }
    }
}
