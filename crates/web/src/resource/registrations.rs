//! `/registrations`.

use crate::Web;
use crate::extract::Params;
use crate::refused::Refused;
use axum::Json;
use axum::extract::State;
use lyceum_api::Page;
use lyceum_api::registration::{Registration, RegistrationQuery};

/// `GET /registrations`.
pub async fn list(
    State(web): State<Web>,
    Params(query): Params<RegistrationQuery>,
) -> Result<Json<Page<Registration>>, Refused> {
    let live = web.options().live.clone();
    web.blocking(move || Ok(live.registrations(&query)?)).await.map(Json)
}
