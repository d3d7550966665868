//! Any bytes as a URI: parts lie in order inside it, it is equivalent to itself, equivalence
//! goes both ways, and its parts rebuild it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lyceum_sip::uri::{escape_user, tel::Telephone, unescape, urn};
use lyceum_sip::{NameAddr, Scheme, Uri, Via};

fuzz_target!(|bytes: &[u8]| {
    let (first, second) = match bytes.iter().position(|&b| b == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, bytes),
    };
    let _ = (NameAddr::parse(first), Via::parse(first));
    let Ok(uri) = Uri::parse(first) else {
        return;
    };
    assert!(uri.equivalent(&uri), "a URI is itself");
    let _ = (uri.transport(), uri.is_loose_route(), urn::is_emergency(&uri), Telephone::of(&uri));
    if matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) {
        rebuild(&uri);
    }
    if let Ok(other) = Uri::parse(second) {
        assert_eq!(uri.equivalent(&other), other.equivalent(&uri), "equivalence is symmetric");
    }
    if let Some(user) = uri.user_unescaped() {
        let mut escaped = Vec::new();
        escape_user(&mut escaped, &user);
        assert_eq!(unescape(&escaped), user, "escaping and back");
    }
});

fn rebuild(uri: &Uri<'_>) {
    let mut out = uri.raw()[..uri.raw().len() - uri.opaque().len()].to_vec();
    if let Some(user) = uri.user() {
        out.extend_from_slice(user);
        if let Some(password) = uri.password() {
            out.push(b':');
            out.extend_from_slice(password);
        }
        out.push(b'@');
    }
    out.extend_from_slice(uri.host().to_string().as_bytes());
    if let Some(port) = uri.port() {
        out.extend_from_slice(format!(":{port}").as_bytes());
    }
    out.extend_from_slice(uri.params().raw());
    if let Some(headers) = uri.headers() {
        out.push(b'?');
        out.extend_from_slice(headers);
    }
    let again = Uri::parse(&out).expect("a rebuilt URI parses");
    assert!(uri.equivalent(&again), "{:?} {:?}", String::from_utf8_lossy(uri.raw()), String::from_utf8_lossy(&out));
}
