//! The web client below `/client/`: files built from `web/client`, embedded in the binary.
//!
//! A file whose name carries its hash may be kept for ever; the page itself is asked for anew each time and answered
//! with 304 while it is the same. A build without the client serves a page that says how to get it.

use crate::authorize::not_found;
use crate::{Refused, Web};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

include!(concat!(env!("OUT_DIR"), "/client.rs"));

/// One file and its compressed forms.
pub struct Asset {
    /// Below `/client/`.
    path: &'static str,
    /// Its entity tag, in quotes.
    tag: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// Files below it are named after their content.
const HASHED: &str = "assets/";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// What a page may ask the browser for: what calls need, for itself alone.
const PERMISSIONS: &str = "microphone=(self), camera=(self), display-capture=(self), speaker-selection=(self)";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Lyceum</title></head><body><main>\
<h1>The web client is not in this build</h1>\
<p>It is built from <code>web/</code> with Node 18 or newer before the server is:</p>\
<pre>cd web &amp;&amp; npm ci &amp;&amp; npm run build &amp;&amp; cd .. &amp;&amp; cargo build</pre>\
<p><code>cargo xtask run</code> does both.</p></main></body></html>";

/// `GET /client`.
pub async fn slash() -> Redirect {
    Redirect::permanent("/client/")
}

/// `GET /client/`.
pub async fn index(State(web): State<Web>, headers: HeaderMap) -> Response {
    page(CLIENT, &headers, &policy(&web.options().base_url))
}

/// `GET /plan`.
pub async fn plan(State(web): State<Web>, headers: HeaderMap) -> Response {
    page_called("plan.html", CLIENT, &headers, &policy(&web.options().base_url))
}

/// `GET /plan/`.
pub async fn plan_slash() -> Redirect {
    Redirect::permanent("/plan")
}

/// `GET /client/{path}`.
pub async fn file(
    State(web): State<Web>,
    Path(path): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    if path == "index.html" {
        return Ok(page(CLIENT, &headers, &policy(&web.options().base_url)));
    }
    match find(CLIENT, &path) {
        Some(asset) => Ok(answer(asset, &headers)),
        None => Err(not_found(method, uri).await),
    }
}

fn find<'a>(assets: &'a [Asset], path: &str) -> Option<&'a Asset> {
    assets.iter().find(|asset| asset.path == path)
}

fn page(assets: &[Asset], headers: &HeaderMap, policy: &str) -> Response {
    page_called("index.html", assets, headers, policy)
}

fn page_called(name: &str, assets: &[Asset], headers: &HeaderMap, policy: &str) -> Response {
    let Some(index) = find(assets, name) else {
        return (StatusCode::NOT_IMPLEMENTED, Html(NOT_BUILT)).into_response();
    };
    let mut response = answer(index, headers);
    // The host in it comes from the node's own settings; what is no header value gives no policy but the strict one.
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let own = HeaderName::from_static("cross-origin-opener-policy");
    response.headers_mut().insert(own, HeaderValue::from_static("same-origin"));
    let permissions = HeaderName::from_static("permissions-policy");
    response.headers_mut().insert(permissions, HeaderValue::from_static(PERMISSIONS));
    response
}

/// Scripts and styles from here alone and none inline; connections to this host alone, its other ports included for
/// SIP over WebSocket; no text becomes script or markup but through the client's one named door.
fn policy(base_url: &str) -> String {
    let host = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    // A literal IPv6 address has no form in a policy; 'self' speaks for it.
    let sockets = if host.is_empty() || host.contains('[') { String::new() } else { format!(" wss://{host}:*") };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'{sockets}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types lyceum"
    )
}

fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    let (body, encoding) = chosen(asset, headers);
    let same = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let mut response = if same.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == asset.tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let keep = if asset.path.starts_with(HASHED) { FOR_EVER } else { ASK_AGAIN };
    let fixed = [
        (header::CONTENT_TYPE, media_type(asset.path)),
        (header::CACHE_CONTROL, keep),
        (header::VARY, "Accept-Encoding"),
        (header::ETAG, asset.tag),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The smallest form that the browser takes.
fn chosen(asset: &Asset, headers: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
    let takes = |wanted: &str| {
        let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
        lists.flat_map(|list| list.split(',')).any(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            name.trim().eq_ignore_ascii_case(wanted) && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    };
    match (asset.brotli, asset.gzip) {
        (Some(packed), _) if takes("br") => (packed, Some("br")),
        (_, Some(packed)) if takes("gzip") => (packed, Some("gzip")),
        _ => (asset.plain, None),
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "webmanifest") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static BUILT: &[Asset] = &[
        Asset { path: "index.html", tag: "\"1\"", plain: b"<html>", brotli: None, gzip: None },
        Asset { path: "assets/a-1.js", tag: "\"2\"", plain: b"plain", brotli: Some(b"br"), gzip: Some(b"gz") },
    ];

    fn asking(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    #[test]
    fn the_smallest_form_that_the_browser_takes() {
        let table = [
            ("", "plain", ""),
            ("gzip, deflate", "gz", "gzip"),
            ("gzip, br", "br", "br"),
            ("br;q=0, gzip;q=0.5", "gz", "gzip"),
            ("identity", "plain", ""),
        ];
        for (accepted, body, encoding) in table {
            let headers = if accepted.is_empty() { asking(&[]) } else { asking(&[("accept-encoding", accepted)]) };
            let (found, how) = chosen(&BUILT[1], &headers);
            assert_eq!((found, how.unwrap_or("")), (body.as_bytes(), encoding), "{accepted}");
        }
    }

    #[test]
    fn hashed_files_are_kept_and_the_page_is_asked_for_again() {
        let script = answer(&BUILT[1], &asking(&[]));
        assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
        let page = page(BUILT, &asking(&[]), &policy("https://sip.example.org:8443"));
        assert_eq!((page.status(), header(&page, "cache-control")), (StatusCode::OK, "no-cache"));
        assert_eq!(header(&page, "vary"), "Accept-Encoding");
        for device in ["microphone=(self)", "camera=(self)", "display-capture=(self)", "speaker-selection=(self)"] {
            assert!(header(&page, "permissions-policy").contains(device), "{device}");
        }
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        for (tags, status) in [("\"1\"", 304), ("\"0\", \"1\"", 304), ("\"0\"", 200)] {
            let page = page(BUILT, &asking(&[("if-none-match", tags)]), "");
            assert_eq!(page.status().as_u16(), status, "{tags}");
        }
    }

    #[test]
    fn the_policy_allows_nothing_inline_and_sockets_to_this_host_alone() {
        let policy = policy("https://sip.example.org:8443");
        assert!(policy.contains("script-src 'self';") && policy.contains("style-src 'self';"), "{policy}");
        assert!(policy.contains("connect-src 'self' wss://sip.example.org:*;"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("data:"), "{policy}");
        assert!(super::policy("https://[::1]:8443").contains("connect-src 'self';"));
    }

    #[test]
    fn a_build_without_the_client_says_how_to_get_it() {
        let page = page(&[], &asking(&[]), "");
        assert_eq!(page.status(), StatusCode::NOT_IMPLEMENTED);
        assert!(NOT_BUILT.contains("npm ci"));
    }
}
