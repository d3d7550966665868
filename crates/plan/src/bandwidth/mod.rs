//! The bandwidth calculator: what each link carries in each direction by modality, what it lacks, and what to admit.

mod graph;
mod link;
mod modality;
mod people;
mod report;

pub use link::{Admission, Direction, Flow, LinkDemand, Verdict};
pub use modality::{Modality, Rate, Rates};
pub use people::Busy;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::figures::{Choice, choice, limit};
use crate::file::Plan;

/// What all links carry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bandwidth {
    /// What one stream of each kind takes.
    pub rates: Rates,
    /// Each link: those of the plan, then those that it does not name.
    pub links: Vec<LinkDemand>,
    /// Planned kbps by modality over all links and directions.
    pub totals: BTreeMap<Modality, f64>,
    /// What to think about.
    pub warnings: Vec<String>,
    /// Where sources disagree, and what was used.
    pub choices: Vec<&'static Choice>,
}

/// What the links of `plan` carry.
pub fn bandwidth(plan: &Plan) -> Bandwidth {
    let rates = Rates::of(plan);
    let mut graph = graph::Graph::new(plan);
    graph.fill();
    let links: Vec<LinkDemand> = graph.edges.iter().map(|edge| link::judge(plan, &rates, edge)).collect();
    let mut totals = BTreeMap::new();
    for flow in links.iter().flat_map(|link| &link.directions).flat_map(|direction| &direction.flows) {
        *totals.entry(flow.modality).or_insert(0.0) += flow.planned.value;
    }
    let choices = ["demand-or-maximum", "calls-or-personas", "rtcp", "presence-kbps"];
    Bandwidth { rates, warnings: warnings(plan), links, totals, choices: choices.map(choice).to_vec() }
}

fn warnings(plan: &Plan) -> Vec<String> {
    let mut found = people::talkative(plan);
    let centrals = plan.centrals().count();
    let branches = plan.sites.len() - centrals;
    for (count, id, what) in
        [(centrals, "site.central-most", "central sites"), (branches, "site.branch-most", "branches")]
    {
        let most = limit(id).value;
        if count as f64 > most {
            found.push(format!(
                "{count} {what} are more than the {most} that Lync's calculator took; they are reckoned all the same"
            ));
        }
    }
    found
}
