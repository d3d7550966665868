//! Paths to handlers. Every route of the API passes [`authorize`](crate::authorize::authorize).

use crate::authorize::{authorize, method_not_allowed, not_found};
use crate::resource::client::elsewhere;
use crate::resource::{
    accounts, administrators, archive, audit, backup, calls, client, contacts, devices, domains, edges, groups,
    history, import, numbers, plan, policies, presence, registrations, server, sessions, tests, topology, trace, users,
};
use crate::{Web, assets, autodiscover, client_versions, page, secure, sip};
use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{get, post, put};
use lyceum_api::PREFIX;

impl Web {
    /// Everything that HTTPS serves: the API, the page of the one-time link, the web client, and SIP over WebSocket.
    pub fn router(&self) -> Router {
        Router::new()
            .nest(PREFIX, self.api())
            .route("/first/{token}", get(page::show).post(page::submit))
            .route("/client-versions", get(client_versions::slash))
            .route("/client-versions/", get(client_versions::show))
            .route("/plan", get(assets::plan))
            .route("/plan/", get(assets::plan_slash))
            .route("/client", get(assets::slash))
            .route("/client/", get(assets::index))
            .route("/client/{*path}", get(assets::file))
            .route(elsewhere::START, get(elsewhere::begin))
            .route(elsewhere::BACK, get(elsewhere::back))
            .route("/ws", get(sip::upgrade))
            .route("/", get(autodiscover::root))
            .route("/.well-known/lyceum", get(autodiscover::show))
            .route("/autodiscover", get(autodiscover::show))
            .route("/autodiscover/", get(autodiscover::show))
            .route("/autodiscover/autodiscoverservice.svc/root", get(autodiscover::show))
            .route("/Autodiscover/AutodiscoverService.svc/root", get(autodiscover::show))
            .method_not_allowed_fallback(method_not_allowed)
            .fallback(not_found)
            .layer(map_response(secure::headers))
            .with_state(self.clone())
    }

    /// What the local socket serves: the API.
    pub fn local_router(&self) -> Router {
        Router::new()
            .nest(PREFIX, self.api())
            .method_not_allowed_fallback(method_not_allowed)
            .fallback(not_found)
            .layer(map_response(secure::headers))
            .with_state(self.clone())
    }

    /// What a plain HTTP listener serves: SIP over WebSocket, behind a proxy that has TLS.
    pub fn websocket_router(&self) -> Router {
        Router::new()
            .route("/ws", get(sip::upgrade))
            .route("/", get(sip::upgrade))
            .fallback(not_found)
            .layer(map_response(secure::headers))
            .with_state(self.clone())
    }

    /// What a loopback listener for Prometheus serves: `/metrics`, without a session.
    pub fn metrics_router(&self) -> Router {
        Router::new().route("/metrics", get(server::metrics)).fallback(not_found).with_state(self.clone())
    }

    fn api(&self) -> Router<Web> {
        Router::new()
            .merge(self.accounts())
            .merge(self.settings())
            .merge(self.records())
            .merge(self.running())
            .merge(self.pages())
            .route_layer(from_fn_with_state(self.clone(), authorize))
    }

    fn accounts(&self) -> Router<Web> {
        Router::new()
            .route("/session", get(sessions::get).post(sessions::new).delete(sessions::end))
            .route("/session/first", post(sessions::first))
            .route("/accounts", get(accounts::status))
            .route("/accounts/test", post(accounts::test))
            .route("/accounts/sync", post(accounts::sync))
            .route("/accounts/secrets/{name}", put(accounts::set_secret).delete(accounts::remove_secret))
            .route("/administrators", get(administrators::list).post(administrators::new))
            .route("/administrators/one-time-url", post(administrators::one_time_url))
            .route("/administrators/{name}", axum::routing::patch(administrators::set).delete(administrators::remove))
            .route("/users", get(users::list).post(users::new))
            .route("/users/import", post(import::import))
            .route("/users/{address}", get(users::get).patch(users::set).delete(users::remove))
            .route("/users/{address}/enable", post(users::enable))
            .route("/users/{address}/disable", post(users::disable))
            .route("/users/{address}/effective-policy", get(users::effective))
            .route("/users/{address}/messages", get(history::list))
            .route("/users/{address}/presence", get(presence::get).patch(presence::set))
            .route("/users/{address}/watchers", get(presence::watchers))
            .route("/users/{address}/calendar", get(client::calendar::of_user))
            .route("/users/{address}/contacts", get(contacts::list))
            .route("/users/{address}/contacts/{contact}", put(contacts::put).delete(contacts::remove))
            .route("/users/{address}/relationships", get(contacts::relationships))
            .route("/users/{address}/relationships/{who}", put(contacts::relate).delete(contacts::unrelate))
            .route("/numbers", get(numbers::list))
            .route("/numbers/{number}", get(numbers::get).put(numbers::set).delete(numbers::remove))
            .route("/groups", get(groups::list).post(groups::new))
            .route("/groups/{address}", get(groups::get).patch(groups::set).delete(groups::remove))
            .route("/devices", get(devices::list))
            .route("/devices/{mac}", get(devices::get).put(devices::set).delete(devices::remove))
    }

    fn pages(&self) -> Router<Web> {
        use client::{calendar, calls, contacts, conversations, files, groups, photos, presence, search, session};
        Router::new()
            .route("/client/sign-in", get(session::ways))
            .route("/client/session", post(session::new).delete(session::end))
            .route("/client/session/refresh", post(session::refresh))
            .route("/client/provisioning", get(session::provisioning))
            .route("/client/presence", get(presence::get).put(presence::set))
            .route("/client/presence/activity", put(presence::activity))
            .route("/client/calls", get(calls::list))
            .route("/client/calendar", get(calendar::get).put(calendar::set).delete(calendar::remove))
            .route("/client/calendar/file", put(calendar::upload))
            .route("/client/contacts", get(contacts::get).put(contacts::replace))
            .route("/client/contacts/entries", post(contacts::add))
            .route("/client/contacts/entries/{address}", axum::routing::delete(contacts::remove))
            .route("/client/relationships/{address}", put(contacts::relate))
            .route("/client/conversations", get(conversations::list).post(conversations::new))
            .route("/client/conversations/{id}/messages", get(conversations::messages))
            .route("/client/conversations/{id}/read", post(conversations::read))
            .route("/client/photo", put(photos::set).delete(photos::remove))
            .route("/client/photos/{address}", get(photos::get))
            .route("/client/files", get(files::list).post(files::send))
            .route("/client/files/{id}", get(files::fetch).delete(files::decline))
            .route("/client/search", get(search::search))
            .route("/client/groups/{address}", get(groups::get))
    }

    fn settings(&self) -> Router<Web> {
        Router::new()
            .route("/domains", get(domains::list).post(domains::new))
            .route("/domains/{name}", axum::routing::patch(domains::set).delete(domains::remove))
            .route("/policies", get(policies::list))
            .route("/policies/{kind}", get(policies::list_of))
            .route("/policies/{kind}/grant", post(policies::grant))
            .route("/policies/{kind}/{scope}", get(policies::get).patch(policies::set).delete(policies::remove))
            .route("/plan", post(plan::figures))
            .route("/plan/report", post(plan::written))
            .route("/topology", put(topology::publish).get(topology::get))
            .route("/topology/validate", post(topology::validate))
            .route("/topology/diff", post(topology::diff))
            .route("/topology/rollback", post(topology::rollback))
            .route("/topology/versions", get(topology::versions))
            .route("/topology/versions/{version}", get(topology::version))
    }

    fn records(&self) -> Router<Web> {
        Router::new()
            .route("/registrations", get(registrations::list))
            .route("/calls", get(calls::list))
            .route("/calls/{id}", get(calls::get))
            .route("/archive", get(archive::list))
            .route("/archive/exported", post(archive::exported))
            .route("/archive/purge", post(archive::purge))
            .route("/trace", get(trace::status))
            .route("/trace/start", post(trace::start))
            .route("/trace/stop", post(trace::stop))
            .route("/trace/messages", get(trace::search))
            .route("/trace/calls/{id}", get(trace::show))
            .route("/audit", get(audit::list))
    }

    fn running(&self) -> Router<Web> {
        Router::new()
            .route("/health", get(server::health))
            .route("/openapi.json", get(server::openapi))
            .route("/status", get(server::status))
            .route("/metrics", get(server::metrics))
            .route("/certificates/reload", post(server::reload_certificates))
            .route("/edges", get(edges::list))
            .route("/edges/tokens", post(edges::token))
            .route("/edges/{name}", axum::routing::delete(edges::remove))
            .route("/backup", get(backup::status).post(backup::start))
            .route("/tests/registration", post(tests::registration))
            .route("/tests/call", post(tests::call))
            .route("/tests/presence", post(tests::presence))
            .route("/tests/im", post(tests::im))
    }
}
