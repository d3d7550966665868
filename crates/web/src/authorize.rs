//! Who may call what: every request passes here before its handler, and what is not in the table of routes
//! is refused.

use crate::Web;
use crate::extract::BodyBound;
use crate::peer::Peer;
use crate::refused::Refused;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use lyceum_api::route::{Access, Route};
use lyceum_api::{PREFIX, Refusal, Timestamp};

/// Name of the session cookie; the prefix makes browsers demand Secure, Path=/ and no Domain.
pub const COOKIE: &str = "__Host-lyceum";
/// Header of the CSRF token.
pub const CSRF: &str = "x-csrf-token";

/// The administrator of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Name, `local:USER` on the local socket.
    pub name: String,
    /// Whether the local socket vouches.
    pub local: bool,
    /// When the session ends.
    pub expires: Option<Timestamp>,
}

/// The session token of a request, for sign-out.
#[derive(Clone)]
pub struct SessionToken(pub String);

/// Middleware of every route of the API.
pub async fn authorize(State(web): State<Web>, mut request: Request, next: Next) -> Result<Response, Refused> {
    let path = request.extensions().get::<MatchedPath>().map(|m| m.as_str().to_owned());
    let route = path
        .as_deref()
        .and_then(|p| p.strip_prefix(PREFIX))
        .and_then(|p| Route::find(request.method().as_str(), p))
        .ok_or_else(|| unknown(&request))?;
    let peer = request.extensions().get::<Peer>().cloned();
    check_origin(request.headers(), peer.as_ref(), &web.options().allowed_origins)?;
    request.extensions_mut().insert(BodyBound::of(route));
    if route.access == Access::User {
        let mut user = web.signed_in_user(request.headers())?;
        // Content takes as long as it takes, and has places of its own.
        let is_content =
            matches!((route.method, route.path), ("POST", "/client/files") | ("GET", "/client/files/{id}"));
        let mut place = None;
        if !is_content {
            place = Some(web.places().take(user.user.id).await?);
            // The wait may have been long.
            user = web.signed_in_user(request.headers())?;
        }
        let _place = place;
        request.extensions_mut().insert(user);
        return Ok(next.run(request).await);
    } else if route.access != Access::Open {
        let (actor, token) = actor(&web, request.headers(), peer.as_ref()).await?;
        if route.access == Access::Local && !actor.local {
            return Err(Refused::new(Refusal::LocalOnly, "this works on the server itself only", route.path));
        }
        request.extensions_mut().insert(actor);
        if let Some(token) = token {
            request.extensions_mut().insert(token);
        }
    }
    Ok(next.run(request).await)
}

fn unknown(request: &Request) -> Refused {
    let place = request.uri().path().to_owned();
    Refused::new(Refusal::RouteNotFound, format!("there is no {} {place}", request.method()), place)
}

/// A page of another site must not use the administrator's browser.
pub(crate) fn check_origin(headers: &HeaderMap, peer: Option<&Peer>, allowed: &[String]) -> Result<(), Refused> {
    let refused = |what: String| Err(Refused::new(Refusal::OriginRefused, what, "Origin"));
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site") {
        return refused("the request comes from a page of another site".to_owned());
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let text = origin.to_str().unwrap_or("?");
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let scheme = match peer {
        Some(Peer::Remote { secure: false, .. }) => "http",
        _ => "https",
    };
    let own = text.eq_ignore_ascii_case(&format!("{scheme}://{host}"));
    if origins.next().is_none() && (own || allowed.iter().any(|a| a.eq_ignore_ascii_case(text))) {
        return Ok(());
    }
    refused(format!("the request comes from a page of {text}"))
}

async fn actor(web: &Web, headers: &HeaderMap, peer: Option<&Peer>) -> Result<(Actor, Option<SessionToken>), Refused> {
    match peer {
        Some(Peer::Local { user, trusted: true }) => {
            return Ok((Actor { name: format!("local:{user}"), local: true, expires: None }, None));
        }
        Some(Peer::Local { user, trusted: false }) => {
            let what = format!("user {user} may not administer this server");
            return Err(Refused::new(Refusal::SessionRequired, what, "local socket")
                .fix("run the command as root or as the user the server runs as"));
        }
        _ => {}
    }
    let bearer = bearer(headers);
    let cookie = if bearer.is_none() { cookie(headers) } else { None };
    let csrf = match (&cookie, headers.get(CSRF).and_then(|v| v.to_str().ok())) {
        (Some(_), None) => {
            let what = "the session cookie came without its CSRF token";
            return Err(Refused::new(Refusal::CsrfTokenMissing, what, CSRF));
        }
        (Some(_), Some(csrf)) => Some(csrf.to_owned()),
        (None, _) => None,
    };
    let Some(token) = bearer.or(cookie) else {
        return Err(Refused::new(
            Refusal::SessionRequired,
            "this call needs an administrator's session",
            "Authorization",
        ));
    };
    let found = {
        let (web, token) = (web.clone(), token.clone());
        web.clone().blocking(move || web.session(&token, csrf.as_deref())).await?
    };
    Ok((Actor { name: found.name, local: false, expires: found.expires }, Some(SessionToken(token))))
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, v)| v.to_owned())
}

/// Answer to a method that a path does not have.
pub async fn method_not_allowed(method: Method, uri: axum::http::Uri) -> Refused {
    Refused::new(Refusal::MethodNotAllowed, format!("{} has no {method}", uri.path()), uri.path())
}

/// Answer to a path that does not exist.
pub async fn not_found(method: Method, uri: axum::http::Uri) -> Refused {
    Refused::new(Refusal::RouteNotFound, format!("there is no {method} {}", uri.path()), uri.path())
}

#[cfg(test)]
mod tests {
    use super::{check_origin, cookie};
    use axum::http::HeaderMap;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn only_our_own_pages_have_our_origin() {
        let host = ("host", "sip.example.org:443");
        for (pairs, good) in [
            (vec![host], true),
            (vec![host, ("origin", "https://sip.example.org:443")], true),
            (vec![host, ("origin", "http://sip.example.org:443")], false),
            (vec![host, ("origin", "https://evil.example")], false),
            (vec![host, ("origin", "null")], false),
            (vec![host, ("origin", "https://panel.example.org")], true),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("origin", "https://sip.example.org:443"), ("origin", "https://evil.example")], false),
        ] {
            let allowed = ["https://panel.example.org".to_owned()];
            assert_eq!(check_origin(&headers(&pairs), None, &allowed).is_ok(), good, "{pairs:?}");
        }
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let found = cookie(&headers(&[("cookie", "a=1; __Host-lyceum=token; b=2")]));
        assert_eq!(found.as_deref(), Some("token"));
        assert_eq!(cookie(&headers(&[("cookie", "x__Host-lyceum=token")])), None);
    }
}
