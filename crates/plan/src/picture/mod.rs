//! Pictures of a plan, drawn by us as SVG: all sites and their links, each site, each Edge, and what the links carry.
//!
//! A picture is text: no face, no renderer and no script is needed to make it. Light, dark and paper come from one style
//! sheet. Every picture has a largest size; what does not fit is counted, and stands in the tables.

mod canvas;
mod edge;
mod link;
mod measure;
mod site;
mod world;

use serde::Serialize;

pub(crate) use canvas::STYLE;

use crate::capacity::Role;
use crate::results::Results;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// What files and links call it: `topology`, `site-london`, `edge-london`, `links`.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The `svg` element without its style sheet, for a page that has [`style`] once.
    pub element: String,
}

impl Picture {
    /// A file of its own.
    pub fn svg(&self) -> String {
        let at = self.element.find('>').map_or(0, |at| at + 1);
        let (opening, rest) = self.element.split_at(at);
        format!("{opening}\n<style>{STYLE}</style>{rest}")
    }
}

/// The style sheet of all pictures.
pub fn style() -> &'static str {
    STYLE
}

/// Sites and Edges with a picture of their own; the biggest ones, where there are more.
pub const MAX_SITES_DRAWN: usize = 60;

/// All pictures of a plan: the whole, its links, each central site, each Edge.
pub fn pictures(results: &Results<'_>) -> Vec<Picture> {
    let mut drawn = vec![world::draw(results), link::draw(results)];
    drawn.extend(sites(results).into_iter().map(|number| site::draw(results, number)));
    let edges = results.deployment.pools_of(Role::Edge).take(MAX_SITES_DRAWN);
    drawn.extend(edges.map(|pool| edge::draw(results, pool)));
    drawn
}

/// The sites that are drawn, in the plan's order: central ones first, then branches with servers, by users.
fn sites(results: &Results<'_>) -> Vec<usize> {
    let all = &results.plan.sites;
    let mut found: Vec<usize> = (0..all.len()).filter(|&site| !results.capacity.sites[site].roles.is_empty()).collect();
    found.sort_by_key(|&site| (all[site].hub.is_some(), std::cmp::Reverse(*all[site].users), site));
    found.truncate(MAX_SITES_DRAWN);
    found.sort_unstable();
    found
}
