//! The web client's files over the whole router.

use crate::support::{Server, remote, send};
use axum::body::Body;
use axum::http::Request;

async fn get(path: &str) -> crate::support::Answer {
    let server = Server::new();
    let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
    send(server.web.router(), remote(), request).await
}

#[tokio::test]
async fn the_page_is_served_without_a_session_and_runs_nothing_inline() {
    let page = get("/client/").await;
    // Without the client's build the same place says how to build it.
    assert!([200, 501].contains(&page.status.as_u16()), "{}", page.status);
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src 'unsafe"), "{policy}");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert!(!page.text.contains("<script>"), "{}", page.text);
}

#[tokio::test]
async fn the_folder_has_one_address_and_other_files_are_not_there() {
    let folder = get("/client").await;
    assert_eq!((folder.status.as_u16(), &folder.headers["location"]), (308, &"/client/".parse().expect("a value")));
    for path in ["/client/none.js", "/client/../etc/passwd", "/client/assets/%2e%2e/%2e%2e/x", "/client/assets/"] {
        assert_eq!(get(path).await.refused(), (404, "route-not-found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn who_has_an_old_client_reads_what_to_do_in_english_or_german() {
    let server = Server::new();
    let path = "/client-versions/?action=block&client=Acme%2F1.9%20%3Cb%3E";
    for (accepted, language, words) in [("", "en", "not allowed to sign in"), ("de-DE", "de", "nicht anmelden")] {
        let request = Request::builder().uri(path).header("accept-language", accepted);
        let page = send(server.web.router(), remote(), request.body(Body::empty()).expect("a request")).await;
        assert_eq!(
            (page.status.as_u16(), &page.headers["content-language"]),
            (200, &language.parse().expect("a value"))
        );
        assert!(page.text.contains(words) && page.text.contains("Acme/1.9 &lt;b&gt;"), "{}", page.text);
        assert!(!page.text.contains("<script") && !page.text.contains("http"), "{}", page.text);
    }
    assert_eq!(get("/client-versions").await.headers["location"], "/client-versions/");
    assert_eq!(get("/client-versions/?action=a&action=b").await.status.as_u16(), 200, "a broken link still helps");
}

#[tokio::test]
async fn the_root_leads_browsers_to_the_page_and_clients_to_the_pool() {
    let server = Server::new();
    let root = get("/").await;
    assert_eq!((root.status.as_u16(), &root.headers["location"]), (307, &"/client/".parse().expect("a value")));
    for (path, host) in [
        ("/", "lyncdiscover.example.org"),
        ("/", "LyncDiscoverInternal.example.org:443"),
        ("/autodiscover", "sip.example.org"),
        ("/autodiscover/", "sip.example.org"),
        ("/autodiscover/autodiscoverservice.svc/root?originalDomain=example.org", "lyncdiscover.example.org"),
        ("/Autodiscover/AutodiscoverService.svc/root", "lyncdiscover.example.org"),
        ("/.well-known/lyceum", "sip.example.org"),
    ] {
        let request = Request::builder().uri(path).header("host", host).body(Body::empty()).expect("a request");
        let pool = send(server.web.router(), remote(), request).await.ok();
        assert_eq!(pool["client"], "https://sip.example.org/client/", "{host}{path}");
        assert_eq!(pool["api"], "https://sip.example.org/api/v1", "{host}{path}");
    }
}
