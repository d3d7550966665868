//! What follows from a plan file: nothing of it is stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Servers, links and pictures of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanFigures {
    /// Enabled users of all sites.
    pub users: u64,
    /// Servers of each role at each site.
    pub servers: Vec<PlannedServers>,
    /// Each link, those that the plan does not name last.
    pub links: Vec<PlannedLink>,
    /// What somebody should look at, a sentence each.
    pub notes: Vec<String>,
    /// Every question with its answer.
    pub answers: Vec<PlannedAnswer>,
    /// The pictures there are.
    pub pictures: Vec<PictureName>,
    /// The one that was asked for; the topology when absent.
    pub picture: Option<PlannedPicture>,
}

/// Servers of one role at one site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlannedServers {
    /// The site.
    pub site: String,
    /// The role, in Lync's words.
    pub role: String,
    /// How many.
    pub servers: u64,
    /// How the number was worked out.
    pub working: String,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlannedLink {
    /// Where it begins.
    pub from: String,
    /// Where it ends: a site or `internet`.
    pub to: String,
    /// Its speed, where the plan gives it.
    pub mbps: Option<f64>,
    /// What it carries from its beginning to its end, in Mbps.
    pub there_mbps: f64,
    /// What it carries back, in Mbps.
    pub back_mbps: f64,
    /// What it would have to be.
    pub needed_mbps: f64,
    /// `fits`, `critical`, `over-share`, `over-speed` or `no-speed`.
    pub verdict: String,
}

/// One question with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedAnswer {
    /// Where it stands in the file.
    pub field: String,
    /// The answer, as the file would write it.
    pub value: String,
    /// Whether the file is silent about it.
    pub assumed: bool,
}

/// What a picture is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PictureName {
    /// What a request calls it: `topology`, `links`, `site-london`.
    pub id: String,
    /// What it shows.
    pub title: String,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedPicture {
    /// What a request calls it.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// SVG, with its style sheet.
    pub svg: String,
}
