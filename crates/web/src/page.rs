//! The page of the one-time link: a plain form, nothing from elsewhere, no scripts.

use crate::Web;
use crate::authorize::check_origin;
use crate::extract::{Form, Name};
use crate::peer::Peer;
use crate::refused::Refused;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use lyceum_api::Secret;
use lyceum_api::session::FirstSignIn;
use serde::Deserialize;

const HEAD: &str = "<head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Lyceum</title><style>\
:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}\
label{display:block;margin:1rem 0 .25rem}input{width:100%;box-sizing:border-box;font:inherit;padding:.5rem}\
button{margin-top:1.5rem;font:inherit;padding:.5rem 1.25rem}.problem{border-left:.25rem solid #c00;padding-left:.75rem}\
</style></head><body><main>";
/// The end of a page.
pub(crate) const FOOT: &str = "</main></body></html>";

/// The begin of a page in that language, up to its content.
pub(crate) fn head(language: &str) -> String {
    format!("<!doctype html><html lang=\"{language}\">{HEAD}")
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Filled {
    name: String,
    password: Secret,
    again: Secret,
}

/// `GET /first/{token}`: the form. Looking at it does not use the link up: mail programs look at links too.
pub async fn show(Name(_token): Name) -> Html<String> {
    form("", None)
}

/// `POST /first/{token}`: makes the administrator.
pub async fn submit(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Name(token): Name,
    Form(filled): Form<Filled>,
) -> Response {
    if let Err(refused) = check_origin(&headers, Some(&peer), &web.options().allowed_origins) {
        return refusal(&filled.name, &refused);
    }
    if filled.password != filled.again {
        let page = form(&filled.name, Some("The two passwords differ."));
        return (StatusCode::UNPROCESSABLE_ENTITY, page).into_response();
    }
    let first = FirstSignIn { token: Secret::new(token), name: filled.name.clone(), password: filled.password };
    match web.first_administrator(first, &peer).await {
        Ok(()) => Html(format!(
            "{}<h1>Welcome, {}</h1><p>You may administer this server now. Sign in with your name and password, \
             or use the <code>lyceum</code> command on the server itself.</p>{FOOT}",
            head("en"),
            escaped(&filled.name)
        ))
        .into_response(),
        Err(refused) => refusal(&filled.name, &refused),
    }
}

fn refusal(name: &str, refused: &Refused) -> Response {
    let problem = refused.problem();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, form(name, Some(&format!("{}: {}", problem.what, problem.fix)))).into_response()
}

fn form(name: &str, problem: Option<&str>) -> Html<String> {
    let problem =
        problem.map_or_else(String::new, |text| format!("<p class=\"problem\" role=\"alert\">{}</p>", escaped(text)));
    Html(format!(
        "{}<h1>First administrator</h1><p>This link works once. Choose how you want to sign in.</p>{problem}\
         <form method=\"post\" autocomplete=\"off\">\
         <label for=\"name\">Name</label>\
         <input id=\"name\" name=\"name\" value=\"{}\" required autofocus autocomplete=\"username\">\
         <label for=\"password\">Password, 12 characters or more</label>\
         <input id=\"password\" name=\"password\" type=\"password\" minlength=\"12\" required autocomplete=\"new-password\">\
         <label for=\"again\">Password once more</label>\
         <input id=\"again\" name=\"again\" type=\"password\" minlength=\"12\" required autocomplete=\"new-password\">\
         <button>Make me administrator</button></form>{FOOT}",
        head("en"),
        escaped(name)
    ))
}

/// Text as it stands in a page.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_person_typed_is_text_on_the_page() {
        let page = super::form("<script>\"'&", Some("<b>")).0;
        assert!(page.contains("value=\"&lt;script&gt;&quot;&#39;&amp;\""));
        assert!(!page.contains("<script") && !page.contains("<b>"));
        assert!(!page.contains("http"), "nothing from elsewhere");
    }
}
