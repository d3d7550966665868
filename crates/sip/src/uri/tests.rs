use super::*;

fn uri(text: &str) -> Uri<'_> {
    Uri::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn parts_of_a_sip_uri() {
    let u = uri("sips:alice:secret@[2001:db8::1]:5062;transport=tcp;lr?Subject=a%20b&x=");
    assert_eq!((u.scheme(), u.user(), u.password()), (Scheme::Sips, Some(&b"alice"[..]), Some(&b"secret"[..])));
    assert_eq!((u.host().ip(), u.port()), ("2001:db8::1".parse().ok(), Some(5062)));
    assert_eq!((u.param("Transport"), u.is_loose_route()), (Some(&b"tcp"[..]), true));
    assert_eq!((u.transport(), u.headers()), (Some(Transport::Tls), Some(&b"Subject=a%20b&x="[..])));
}

#[test]
fn unusual_user_parts_are_read() {
    let u = uri("sip:user;par=u%40example.net@example.com");
    assert_eq!(u.user(), Some(&b"user;par=u%40example.net"[..]));
    assert_eq!(u.host(), Host::Name(b"example.com"));
    let u = uri(
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
    );
    assert_eq!(u.password(), Some(&b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"[..]));
    assert!(uri("sip:cal%6Cer@h;%6C%72;n%61me=v%61lue%25%34%31").is_loose_route());
    assert_eq!(uri("sip:%00@h").user_unescaped().as_deref(), Some(&b"\0"[..]));
}

#[test]
fn broken_uris_are_refused() {
    let table = [
        ("", UriError::Scheme),
        ("user", UriError::Scheme),
        ("1sip:a", UriError::Scheme),
        ("sip:", UriError::Host),
        ("sip:@h", UriError::User),
        ("sip:a b@h", UriError::User),
        ("sip:a%4@h", UriError::User),
        ("sip:2001:db8::10", UriError::Host),
        ("sip:a:db8::10", UriError::Port),
        ("sip:a@h:65536", UriError::Port),
        ("sip:a@h:", UriError::Port),
        ("sip:[::1", UriError::Host),
        ("sip:user@[2001:db8:::1]", UriError::Host),
        ("sip:a@h;", UriError::Params),
        ("sip:a@h;; lr", UriError::Params),
        ("sip:a@h; lr", UriError::Params),
        ("sip:a@h?x", UriError::Headers),
        ("isbn:", UriError::Opaque),
        ("isbn:1 2", UriError::Opaque),
    ];
    for (text, expected) in table {
        assert_eq!(Uri::parse(text.as_bytes()), Err(expected), "{text}");
    }
}

// The examples of RFC 3261 §19.1.4.
#[test]
fn equivalence_follows_the_rfc() {
    let same = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0::1]"),
        ("sip:a@h;transport=tcp;transport=udp", "sip:a@h;transport=tcp"),
        ("urn:service:sos", "urn:SERVICE:sos"),
        ("tel:+1-2", "tel:+12"),
    ];
    for (a, b) in same {
        assert!(uri(a).equivalent(&uri(b)), "{a} {b}");
        assert!(uri(b).equivalent(&uri(a)), "{b} {a}");
    }
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:%00@h", "sip:%00%00@h"),
        ("sip:h", "sip:a@h"),
        ("x:a", "y:a"),
    ];
    for (a, b) in different {
        assert!(!uri(a).equivalent(&uri(b)), "{a} {b}");
        assert!(!uri(b).equivalent(&uri(a)), "{b} {a}");
    }
}
