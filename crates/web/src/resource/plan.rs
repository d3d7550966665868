//! `/plan`: what follows from a plan file. Nothing is stored, and nothing that runs is looked at.

use crate::Web;
use crate::extract::{Params, PlanFile};
use crate::refused::Refused;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use lyceum_api::plan::{PictureName, PlanFigures, PlannedAnswer, PlannedLink, PlannedPicture, PlannedServers};
use lyceum_api::{FieldProblem, Refusal};
use lyceum_plan::bandwidth::{LinkDemand, Verdict};
use lyceum_plan::document::to_topology;
use lyceum_plan::report::{Extras, report};
use lyceum_plan::{Plan, Results, picture};
use lyceum_topology::Document;

/// Problems that an answer lists.
const PROBLEMS_MOST: usize = 100;

/// `?picture=`.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Wanted {
    picture: Option<String>,
}

/// `?format=`.
#[derive(Debug, serde::Deserialize)]
pub struct Output {
    format: String,
}

/// `POST /plan`.
pub async fn figures(
    State(web): State<Web>,
    Params(wanted): Params<Wanted>,
    PlanFile(text): PlanFile,
) -> Result<Json<PlanFigures>, Refused> {
    web.planning(move || Ok(of(&Results::of(&read(&text)?), wanted.picture.as_deref()))).await.map(Json)
}

/// `POST /plan/report`.
pub async fn written(
    State(web): State<Web>,
    Params(wanted): Params<Output>,
    PlanFile(text): PlanFile,
) -> Result<Response, Refused> {
    let (kind, name, bytes) = web.planning(move || write(&read(&text)?, &wanted.format)).await?;
    let mut response = bytes.into_response();
    // It is a file for the person who asked: no browser shows it as a page of ours.
    let disposition = HeaderValue::from_static(name);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

fn read(text: &str) -> Result<Plan, Refused> {
    Plan::read(text).map_err(|problems| {
        let count = problems.0.len();
        let list = problems.0.into_iter().take(PROBLEMS_MOST).map(|problem| FieldProblem {
            path: problem.field.clone(),
            code: "plan-field".to_owned(),
            what: format!("line {}: {}", problem.line, problem.found),
            fix: format!("expected {}", problem.expected),
        });
        let what = format!("the plan has {count} {}", if count == 1 { "fault" } else { "faults" });
        Refused::new(Refusal::PlanInvalid, what, "plan").with(list.collect())
    })
}

fn of(results: &Results<'_>, wanted: Option<&str>) -> PlanFigures {
    let drawn = picture::pictures(results);
    let shown = drawn.iter().find(|picture| picture.id == wanted.unwrap_or("topology"));
    let servers = results.capacity.sites.iter().flat_map(|site| {
        site.roles.iter().map(|role| PlannedServers {
            site: site.name.clone(),
            role: role.role.name().to_owned(),
            servers: role.servers.value as u64,
            working: role.servers.working.clone(),
        })
    });
    PlanFigures {
        users: results.plan.sites.iter().map(|site| *site.users).sum(),
        servers: servers.collect(),
        links: results.bandwidth.links.iter().map(link).collect(),
        notes: notes(results),
        answers: results.plan.answers.iter().map(answer).collect(),
        picture: shown.map(|picture| PlannedPicture {
            id: picture.id.clone(),
            title: picture.title.clone(),
            svg: picture.svg(),
        }),
        pictures: drawn.into_iter().map(|picture| PictureName { id: picture.id, title: picture.title }).collect(),
    }
}

fn answer(answered: &lyceum_plan::Answered) -> PlannedAnswer {
    PlannedAnswer { field: answered.field.clone(), value: answered.value.clone(), assumed: !answered.origin.is_given() }
}

fn link(link: &LinkDemand) -> PlannedLink {
    let [there_mbps, back_mbps] = [0, 1].map(|way: usize| link.directions[way].planned_kbps / 1000.0);
    let verdict = match link.verdict {
        Verdict::Fits => "fits",
        Verdict::Critical => "critical",
        Verdict::OverShare => "over-share",
        Verdict::OverSpeed => "over-speed",
        Verdict::NoSpeed => "no-speed",
    };
    PlannedLink {
        from: link.from.clone(),
        to: link.to.clone(),
        mbps: link.mbps,
        there_mbps,
        back_mbps,
        needed_mbps: link.needed_mbps.value,
        verdict: verdict.to_owned(),
    }
}

fn notes(results: &Results<'_>) -> Vec<String> {
    let of_sites = results.capacity.sites.iter();
    let of_sites = of_sites.flat_map(|site| site.warnings.iter().map(|warning| format!("{}: {warning}", site.name)));
    let problems = results.deployment.problems.iter().cloned();
    of_sites.chain(results.bandwidth.warnings.iter().cloned()).chain(problems).collect()
}

/// Media type, name of the file, content.
type Written = (&'static str, &'static str, Vec<u8>);

fn write(plan: &Plan, format: &str) -> Result<Written, Refused> {
    const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let results = Results::of(plan);
    let whole = || report(&results, &Extras::default());
    Ok(match format {
        "html" => ("text/html; charset=utf-8", "attachment; filename=\"plan.html\"", whole().html().into_bytes()),
        "xlsx" => (XLSX, "attachment; filename=\"plan.xlsx\"", whole().workbook()),
        "topology" => {
            let made = to_topology(plan, &results.deployment, &Document::default())
                .map_err(|problems| super::documents::invalid(&problems))?;
            ("application/yaml", "attachment; filename=\"topology.yaml\"", made.to_yaml().into_bytes())
        }
        other => {
            let what = format!("'{}' is no format", other.escape_debug());
            return Err(Refused::new(Refusal::RequestMalformed, what, "format").fix("write html, xlsx or topology"));
        }
    })
}
