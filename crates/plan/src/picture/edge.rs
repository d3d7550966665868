//! One Edge pool: its services with their addresses in the middle, each flow as an arrow from or to outside at the left and
//! from or to inside at the right.

use std::net::Ipv4Addr;

use super::Picture;
use super::canvas::{Canvas, SMALL, TEXT};
use crate::deployment::{Deployment, Flow, Pool};
use crate::results::Results;

const WIDTH: f64 = 1060.0;
const MARGIN: f64 = 24.0;
/// Where the Edge begins and how wide it is.
const EDGE: (f64, f64) = (408.0, 244.0);
const ROW: f64 = 34.0;
const HEAD: f64 = 44.0;
/// Flows drawn at one side of a service; what is beyond is counted.
const MAX_FLOWS: usize = 16;

/// The three services outside, with their public addresses: those of a balancer, else of each server.
pub(super) fn services(deployment: &Deployment, pool: &Pool) -> [(&'static str, Vec<Ipv4Addr>); 3] {
    let addresses = |service: usize| match pool.public_vip {
        Some(vip) => vec![vip[service]],
        None => pool.hosts.iter().filter_map(|&host| Some(deployment.hosts[host].public?[service])).collect(),
    };
    [("Access Edge", addresses(0)), ("Web Conferencing Edge", addresses(1)), ("A/V Edge", addresses(2))]
}

/// At most `most` addresses, and how many more there are.
pub(super) fn listed(addresses: &[Ipv4Addr], most: usize) -> String {
    let shown: Vec<String> = addresses.iter().take(most).map(ToString::to_string).collect();
    match addresses.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Draws one Edge pool.
pub(super) fn draw(results: &Results<'_>, pool: &Pool) -> Picture {
    let (deployment, place) = (&results.deployment, &results.deployment.places[pool.site]);
    let mut canvas = Canvas::new(WIDTH);
    let title = format!("Edge {}", place.name);
    canvas.fitted("h", (MARGIN, 34.0), &format!("Edge of {}: {}", place.name, pool.fqdn), 17.0, WIDTH - 2.0 * MARGIN);
    canvas.text("b", (MARGIN, 62.0), "Outside");
    canvas.text("b e", (WIDTH - MARGIN, 62.0), "Inside");
    let names = ["edge-access", "edge-webconf", "edge-av"];
    let mut y = 76.0;
    for ((name, addresses), group) in services(deployment, pool).into_iter().zip(names) {
        let flows: Vec<&Flow> = results.filter.flows.iter().filter(|flow| touches(flow, group)).collect();
        y = service(&mut canvas, y, name, &listed(&addresses, 2), &flows, group);
    }
    let inner: Vec<Ipv4Addr> = pool.vip.into_iter().chain(deployment.addresses(pool)).collect();
    let flows: Vec<&Flow> = results.filter.flows.iter().filter(|flow| touches(flow, "edge-internal")).collect();
    y = service(&mut canvas, y, "Inner interface", &listed(&inner, 2), &flows, "edge-internal");
    let translated = match *results.plan.access.nat {
        true => "Public addresses are translated to the servers' own (NAT).",
        false => "Public addresses stand on the servers themselves.",
    };
    canvas.text("s m", (MARGIN, y + 4.0), translated);
    let description =
        "Every flow from or to the Edge with protocol, port and purpose; the head of an arrow is where it goes.";
    Picture { id: format!("edge-{}", place.slug), element: canvas.finish(y + 18.0, &title, description), title }
}

fn touches(flow: &Flow, group: &str) -> bool {
    [flow.from, flow.to].into_iter().flat_map(|names| names.split('+')).any(|name| name == group)
}

/// A service with its flows, those of the inner interface at the right; gives where the next one begins.
fn service(canvas: &mut Canvas, y: f64, name: &str, addresses: &str, flows: &[&Flow], group: &str) -> f64 {
    let hidden = flows.len().saturating_sub(MAX_FLOWS);
    let flows = &flows[..flows.len() - hidden];
    let height = HEAD.max(flows.len() as f64 * ROW) + if hidden > 0 { 16.0 } else { 0.0 } + 8.0;
    let room = EDGE.1 - 20.0;
    canvas.card("main", (EDGE.0, y), (EDGE.1, height));
    canvas.text("b", (EDGE.0 + 10.0, y + 22.0), name);
    canvas.fitted("s m", (EDGE.0 + 10.0, y + 38.0), addresses, SMALL, room);
    let inside = group == "edge-internal";
    let (near, far, words) = match inside {
        true => (EDGE.0 + EDGE.1, EDGE.0 + EDGE.1 + 118.0, EDGE.0 + EDGE.1 + 126.0),
        false => (EDGE.0, EDGE.0 - 118.0, EDGE.0 - 126.0),
    };
    let room = if inside { WIDTH - MARGIN - words } else { words - MARGIN };
    let anchor = if inside { "" } else { "e" };
    for (number, flow) in flows.iter().enumerate() {
        let middle = y + 4.0 + number as f64 * ROW + ROW / 2.0;
        let outwards = flow.from.split('+').any(|name| name == group);
        let (from, to) = if outwards { (near, far) } else { (far, near) };
        let line = middle + 5.0;
        canvas.arrow(from, to, line);
        let text = format!("{} {}", flow.protocol(), flow.ports);
        canvas.fitted("s c", ((near + far) / 2.0, line - 5.0), &text, SMALL, 112.0);
        let other = if outwards { flow.destination_end } else { flow.source_end };
        let other = if other == "any" { "anywhere" } else { other };
        canvas.fitted(anchor, (words, middle), other, TEXT, room);
        let purpose = format!("{}: {}", flow.application, flow.purpose);
        canvas.fitted(&format!("s m {anchor}"), (words, middle + 13.0), &purpose, SMALL, room);
    }
    if hidden > 0 {
        canvas.text("s m", (EDGE.0 + 10.0, y + height - 8.0), &format!("and {hidden} more: see the table Firewall"));
    }
    y + height + 12.0
}
