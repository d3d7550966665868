//! Was the digest made for this request? RFC 7616 §3.4.6: otherwise what a phone signed for one request could be used
//! for another.

use crate::uri::{Scheme, Uri};

/// Does the `uri` of digest credentials mean the Request-URI?
///
/// Phones sign what they mean, not always what they send: parameters, headers and a port that stands in one of the two
/// only make no difference. `is_server` says whether a URI means this server; without a user part it counts for any
/// request, because SIPp and old phones sign the proxy that they send to.
#[must_use]
pub fn signs(signed: &[u8], request_uri: &[u8], is_server: impl FnOnce(&Uri<'_>) -> bool) -> bool {
    if signed == request_uri {
        return true;
    }
    let (Ok(signed), Ok(asked)) = (Uri::parse(signed), Uri::parse(request_uri)) else { return false };
    signed.equivalent(&asked) || means(&signed, &asked) || signed.user().is_none() && is_server(&signed)
}

/// The same user at the same host.
fn means(signed: &Uri<'_>, asked: &Uri<'_>) -> bool {
    let sip = |uri: &Uri<'_>| matches!(uri.scheme(), Scheme::Sip | Scheme::Sips);
    sip(signed)
        && sip(asked)
        && signed.user_unescaped() == asked.user_unescaped()
        && signed.host().equivalent(&asked.host())
        && (signed.port().is_none() || asked.port().is_none() || signed.port() == asked.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_means_what_is_asked_for() {
        for (signed, asked, means) in [
            ("sip:bob@a.b", "sip:bob@a.b", true),
            ("sip:bob@A.B", "sip:bob@a.b", true),
            ("sip:%62ob@a.b", "sip:bob@a.b", true),
            ("sip:bob@a.b", "sip:bob@a.b;transport=tcp", true),
            ("sip:bob@a.b:5060;ob", "sip:bob@a.b", true),
            ("sips:a.b", "sip:a.b", true),
            ("sip:a.b", "sip:a.b:5070;transport=tls", true),
            ("sip:192.0.2.1:5060", "sip:bob@a.b", true),
            ("sip:192.0.2.1:5060", "tel:+4930", true),
            ("tel:+49-30", "tel:+4930", true),
            ("sip:bob@192.0.2.1:5060", "sip:bob@a.b", false),
            ("sip:carol@a.b", "sip:bob@a.b", false),
            ("sip:a.b", "sip:bob@a.b", false),
            ("sip:bob@a.b", "sip:a.b", false),
            ("sip:bob@x.b", "sip:bob@a.b", false),
            ("sip:bob@a.b:5060", "sip:bob@a.b:5070", false),
            ("tel:+4930", "sip:bob@a.b", false),
            ("", "sip:bob@a.b", false),
        ] {
            let server = |uri: &Uri<'_>| uri.host_text() == b"192.0.2.1";
            assert_eq!(signs(signed.as_bytes(), asked.as_bytes(), server), means, "{signed} for {asked}");
        }
    }
}
