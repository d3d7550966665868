//! `/tests`: synthetic transactions.

use crate::Web;
use crate::extract::Payload;
use crate::refused::Refused;
use axum::Json;
use axum::extract::State;
use lyceum_api::Refusal;
use lyceum_api::probe::{ProbeRequest, ProbeResult};

/// Longest call of a test, in milliseconds.
const TALK_MOST: u64 = 30_000;
/// Longest wait for what is to arrive, in milliseconds.
const WITHIN_MOST: u64 = 30_000;

/// `POST /tests/registration`.
pub async fn registration(
    State(web): State<Web>,
    Payload(request): Payload<ProbeRequest>,
) -> Result<Json<ProbeResult>, Refused> {
    check(&request)?;
    let tests = web.options().tests.clone();
    web.blocking(move || Ok(tests.registration(&request)?)).await.map(Json)
}

/// `POST /tests/call`.
pub async fn call(
    State(web): State<Web>,
    Payload(request): Payload<ProbeRequest>,
) -> Result<Json<ProbeResult>, Refused> {
    check(&request)?;
    let tests = web.options().tests.clone();
    web.blocking(move || Ok(tests.call(&request)?)).await.map(Json)
}

/// `POST /tests/presence`.
pub async fn presence(
    State(web): State<Web>,
    Payload(request): Payload<ProbeRequest>,
) -> Result<Json<ProbeResult>, Refused> {
    check(&request)?;
    let tests = web.options().tests.clone();
    web.blocking(move || Ok(tests.presence(&request)?)).await.map(Json)
}

/// `POST /tests/im`.
pub async fn im(State(web): State<Web>, Payload(request): Payload<ProbeRequest>) -> Result<Json<ProbeResult>, Refused> {
    check(&request)?;
    let tests = web.options().tests.clone();
    web.blocking(move || Ok(tests.im(&request)?)).await.map(Json)
}

fn check(request: &ProbeRequest) -> Result<(), Refused> {
    if let Some(transport) = &request.transport
        && !["udp", "tcp", "tls"].contains(&transport.as_str())
    {
        let what = format!("'{transport}' is not udp, tcp or tls");
        return Err(Refused::new(Refusal::RequestMalformed, what, "transport"));
    }
    if request.talk_ms.is_some_and(|ms| ms > TALK_MOST) {
        return Err(Refused::new(Refusal::RequestMalformed, format!("at most {TALK_MOST}"), "talk_ms"));
    }
    if request.within_ms.is_some_and(|ms| !(1..=WITHIN_MOST).contains(&ms)) {
        return Err(Refused::new(Refusal::RequestMalformed, format!("1 to {WITHIN_MOST}"), "within_ms"));
    }
    Ok(())
}
