//! What follows from a plan file: figures, pictures, reports; faults at their fields.

use crate::support::{Answer, Server, remote, send};
use axum::body::Body;
use axum::http::Request;
use lyceum_web::peer::Peer;

const PLAN: &str = "[organisation]\nsip_domains = [\"example.org\"]\n[[site]]\nname = \"London\"\nusers = 30000\n\
                    [[site]]\nname = \"Leeds\"\nhub = \"London\"\nusers = 800\n[[link]]\nfrom = \"Leeds\"\nto = \"London\"\nmbps = 20\n";

fn request(path: &str, kind: &str, body: &str) -> Request<Body> {
    let request = Request::builder().method("POST").uri(format!("/api/v1{path}")).header("content-type", kind);
    request.body(Body::from(body.to_owned())).expect("a request")
}

async fn asked(server: &Server, path: &str, body: &str) -> Answer {
    let peer = Peer::Local { user: "root".into(), trusted: true };
    send(server.web.local_router(), peer, request(path, "application/toml", body)).await
}

#[tokio::test]
async fn a_plan_comes_to_servers_links_and_a_picture() {
    let server = Server::new();
    let figures = asked(&server, "/plan", PLAN).await.ok();
    assert_eq!(figures["users"], 30800);
    let servers = figures["servers"].as_array().expect("a list");
    let front_ends = servers.iter().find(|row| row["site"] == "London" && row["role"] == "Front End");
    assert_eq!(front_ends.expect("London has some")["servers"], 5);
    let link = &figures["links"][0];
    assert_eq!((&link["from"], &link["mbps"], &link["verdict"]), (&"Leeds".into(), &20.0.into(), &"over-share".into()));
    assert_eq!(figures["picture"]["id"], "topology");
    assert!(figures["picture"]["svg"].as_str().is_some_and(|svg| svg.starts_with("<svg ") && svg.contains("Leeds")));
    let answers = figures["answers"].as_array().expect("a list");
    let minutes = answers.iter().find(|answer| answer["field"] == "voice.minutes").expect("it is asked");
    assert_eq!((&minutes["value"], &minutes["assumed"]), (&"3".into(), &true.into()));
    let links = asked(&server, "/plan?picture=links", PLAN).await.ok();
    assert_eq!(links["picture"]["id"], "links");
    assert!(asked(&server, "/plan?picture=nothing", PLAN).await.ok()["picture"].is_null());
}

#[tokio::test]
async fn every_fault_of_a_plan_names_its_field() {
    let server = Server::new();
    let answer =
        asked(&server, "/plan", "[voice]\nminutes = \"three\"\n[[site]]\nname = \"London\"\nusers = -1\n").await;
    let problems = answer.body["problems"].as_array().expect("a list").clone();
    assert_eq!(answer.refused(), (422, "plan-invalid".to_owned()));
    let fields: Vec<&str> = problems.iter().filter_map(|problem| problem["path"].as_str()).collect();
    assert_eq!(fields, ["voice.minutes", "site \"London\".users"]);
    assert_eq!(problems[0]["fix"], "expected a number from 0 to 600 min");
}

#[tokio::test]
async fn a_report_is_a_file_to_take_along() {
    let server = Server::new();
    for (format, begin, name) in [("html", "<!DOCTYPE html>", "plan.html"), ("topology", "version:", "topology.yaml")] {
        let answer = asked(&server, &format!("/plan/report?format={format}"), PLAN).await;
        assert_eq!(answer.headers["content-disposition"], format!("attachment; filename=\"{name}\""), "{format}");
        assert!(answer.status.is_success() && answer.text.contains(begin), "{format}: {:.200}", answer.text);
    }
    assert_eq!(asked(&server, "/plan/report?format=doc", PLAN).await.refused(), (400, "request-malformed".to_owned()));
    assert_eq!(asked(&server, "/plan/report?format=html", "x").await.refused(), (422, "plan-invalid".to_owned()));
}

#[tokio::test]
async fn a_plan_is_toml_of_bounded_size() {
    let server = Server::new();
    let root = || Peer::Local { user: "root".into(), trusted: true };
    let json = send(server.web.local_router(), root(), request("/plan", "application/json", "{}")).await;
    assert_eq!(json.refused(), (415, "media-type-unknown".to_owned()));
    let large = "#".repeat((1 << 20) + 1);
    assert_eq!(asked(&server, "/plan", &large).await.refused(), (413, "request-too-large".to_owned()));
}

#[tokio::test]
async fn the_page_is_served_and_its_figures_are_not_for_strangers() {
    let server = Server::new();
    let page = Request::builder().uri("/plan").body(Body::empty()).expect("a request");
    let page = send(server.web.router(), remote(), page).await;
    // A build without the pages says so.
    assert!(matches!(page.status.as_u16(), 200 | 501), "{}", page.status);
    assert!(page.headers["content-security-policy"].to_str().is_ok_and(|policy| !policy.contains("unsafe-eval")));
    let stranger = send(server.web.router(), remote(), request("/plan", "application/toml", PLAN)).await;
    assert_eq!(stranger.refused(), (401, "session-required".to_owned()));
}
