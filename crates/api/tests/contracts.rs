//! What is committed says what the code does: the OpenAPI text, and one page per refusal.

use lyceum_api::{Refusal, openapi};
use std::path::PathBuf;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn the_committed_openapi_text_is_current() {
    let file = docs().join("reference/openapi.json");
    let text = openapi::text();
    if std::env::var_os("LYCEUM_BLESS").is_some() {
        std::fs::write(&file, &text).expect("docs/reference is writable");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "docs/reference/openapi.json is stale: LYCEUM_BLESS=1 cargo test -p lyceum-api");
}

#[test]
fn every_refusal_has_a_page_that_names_it() {
    for refusal in Refusal::ALL {
        let file = docs().join(format!("errors/{}.md", refusal.code()));
        let page = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(page.starts_with(&format!("# {}\n", refusal.code())), "{} is missing or misnamed", file.display());
        assert!(page.contains("## What to do"), "{} does not say what to do", file.display());
    }
}
