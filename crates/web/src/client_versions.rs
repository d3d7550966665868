//! `/client-versions/`: what a user does whose phone or program is too old. No script, nothing from elsewhere.
//!
//! Answers to REGISTER link here when the policy `client_version` names no other page.

use crate::page::{FOOT, escaped, head};
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

/// Of a client's name so many letters are shown.
const CLIENT_MOST: usize = 120;

/// What the link says.
#[derive(Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    action: String,
    #[serde(default)]
    client: String,
}

/// The texts of one language.
struct Texts {
    language: &'static str,
    title: &'static str,
    blocked: &'static str,
    warned: &'static str,
    yours: &'static str,
    todo: [&'static str; 3],
    page: &'static str,
}

static ENGLISH: Texts = Texts {
    language: "en",
    title: "Please update your client",
    blocked: "Your phone or program is not allowed to sign in here in this version.",
    warned: "Your phone or program still signs in, but soon it may not in this version.",
    yours: "It calls itself",
    todo: [
        "Update it: on a computer or mobile, to the newest version of its maker; on a desk phone, its firmware.",
        "Then sign in again. Your contacts, messages and settings are kept on the server.",
        "If there is no newer version, ask your administrator. The error code is LYS0056.",
    ],
    page: "Until then you can use the page in your browser",
};

static GERMAN: Texts = Texts {
    language: "de",
    title: "Bitte aktualisieren Sie Ihr Programm",
    blocked: "Ihr Telefon oder Programm darf sich in dieser Version hier nicht anmelden.",
    warned: "Ihr Telefon oder Programm meldet sich noch an, in dieser Version aber vielleicht bald nicht mehr.",
    yours: "Es nennt sich",
    todo: [
        "Aktualisieren Sie es: auf Computer oder Mobilgerät auf die neueste Version des Herstellers, beim Tischtelefon die Firmware.",
        "Melden Sie sich dann neu an. Kontakte, Nachrichten und Einstellungen liegen auf dem Server.",
        "Gibt es keine neuere Version, fragen Sie Ihren Administrator. Der Fehlercode ist LYS0056.",
    ],
    page: "Bis dahin können Sie die Seite im Browser benutzen",
};

/// `GET /client-versions`.
pub async fn slash() -> Redirect {
    Redirect::permanent("/client-versions/")
}

/// `GET /client-versions/`.
pub async fn show(uri: Uri, headers: HeaderMap) -> Response {
    // Whoever mangled the link still reads what to do.
    let asked = Query::<Asked>::try_from_uri(&uri).map(|Query(asked)| asked).unwrap_or_default();
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let texts = texts(accepted);
    let mut response = Html(written(texts, &asked)).into_response();
    let fixed: [(HeaderName, &'static str); 2] =
        [(header::CONTENT_LANGUAGE, texts.language), (header::VARY, "Accept-Language")];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The language of the two that the reader likes better; English when neither is named.
fn texts(accepted: &str) -> &'static Texts {
    let weight = |language: &str| {
        let weights = accepted.split(',').filter_map(|item| {
            let (range, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let primary = range.trim().split('-').next()?;
            primary.eq_ignore_ascii_case(language).then(|| weight.trim().strip_prefix("q=")?.parse::<f32>().ok())?
        });
        weights.fold(0.0, f32::max)
    };
    if weight("de") > weight("en") { &GERMAN } else { &ENGLISH }
}

fn written(texts: &Texts, asked: &Asked) -> String {
    let lead = if asked.action == "warn" { texts.warned } else { texts.blocked };
    let client: String = asked.client.chars().filter(|c| !c.is_control()).take(CLIENT_MOST).collect();
    let yours = match client.trim() {
        "" => String::new(),
        client => format!("<p>{}: <code>{}</code></p>", texts.yours, escaped(client)),
    };
    let todo: String = texts.todo.iter().map(|step| format!("<li>{step}</li>")).collect();
    format!(
        "{}<h1>{}</h1><p>{lead}</p>{yours}<ol>{todo}</ol><p>{}: <a href=\"/client/\">Lyceum</a></p>{FOOT}",
        head(texts.language),
        texts.title,
        texts.page
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_the_browser_likes_better() {
        for (accepted, language) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("en-GB,en;q=0.9,de;q=0.8", "en"),
            ("fr,de;q=0.5,en;q=0.3", "de"),
            ("fr", "en"),
            ("de;q=0", "en"),
            ("DE", "de"),
            (";;,q=,de;q=x", "en"),
        ] {
            assert_eq!(texts(accepted).language, language, "{accepted}");
        }
    }

    #[test]
    fn what_a_client_calls_itself_is_text_on_the_page() {
        let asked = Asked { action: "block".into(), client: "Acme/1 <script>alert(1)</script>".into() };
        let page = written(&GERMAN, &asked);
        assert!(page.contains("Acme/1 &lt;script&gt;") && !page.contains("<script"), "{page}");
        assert!(page.contains("<html lang=\"de\">") && page.contains(GERMAN.blocked) && !page.contains(GERMAN.warned));
        let asked = Asked { action: "warn".into(), client: "x".repeat(5_000) };
        let page = written(&ENGLISH, &asked);
        assert!(page.contains(ENGLISH.warned) && page.len() < 3_000, "{}", page.len());
    }
}
