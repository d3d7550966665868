//! One site: what stands outside, in the perimeter, among the servers and at the desks, in bands from top to bottom.

use super::Picture;
use super::canvas::{Canvas, SMALL, TEXT};
use crate::capacity::Role;
use crate::deployment::{Deployment, Pool};
use crate::results::Results;
use crate::table::grouped;

const WIDTH: f64 = 860.0;
const MARGIN: f64 = 24.0;
const COLUMNS: usize = 3;
const CARD: (f64, f64) = (256.0, 92.0);
const GAP: f64 = 10.0;
/// Pools drawn in one band; what is beyond is counted.
const MAX_CARDS: usize = 30;
/// Servers drawn as a small box each.
const MAX_BOXES: usize = 12;

/// A card of a band.
struct Card {
    class: &'static str,
    head: String,
    servers: usize,
    lines: Vec<String>,
}

/// Draws site `number`.
pub(super) fn draw(results: &Results<'_>, number: usize) -> Picture {
    let (deployment, site) = (&results.deployment, &results.plan.sites[number]);
    let place = &deployment.places[number];
    let mut canvas = Canvas::new(WIDTH);
    let kind = if site.hub.is_some() { "branch" } else { "central site" };
    let heading = format!("{kind}, {} users", grouped(*site.users as f64));
    let title = format!("Site {}", site.name.as_str());
    canvas.fitted("h", (MARGIN, 34.0), &format!("{}: {heading}", site.name.as_str()), 17.0, WIDTH - 2.0 * MARGIN);
    let mut y = 52.0;
    let perimeter = |role: Role| matches!(role, Role::Edge | Role::ReverseProxy);
    let pools: Vec<&Pool> = deployment.pools.iter().filter(|pool| pool.site == number).collect();
    let (outer, inner): (Vec<&Pool>, Vec<&Pool>) = pools.into_iter().partition(|pool| perimeter(pool.role));
    let load = |pool: &Pool| {
        let roles = &results.capacity.sites[number].roles;
        let role = roles.iter().find(|role| role.role == pool.role)?;
        role.load_each.as_ref().map(|figure| figure.value)
    };
    let outside = outside(results, number);
    if !outside.is_empty() {
        y = band(&mut canvas, y, "Internet", &place.public.to_string(), outside);
    }
    let cards =
        |pools: &[&Pool]| -> Vec<Card> { pools.iter().map(|pool| card(deployment, pool, load(pool))).collect() };
    if !outer.is_empty() {
        y = band(&mut canvas, y, "Perimeter", &place.perimeter.to_string(), cards(&outer));
    }
    if !inner.is_empty() {
        y = band(&mut canvas, y, "Servers", &place.network.to_string(), cards(&inner));
    }
    let networks: Vec<String> = place.clients.iter().take(4).map(ToString::to_string).collect();
    y = band(&mut canvas, y, "People", &networks.join(", "), people(results, number));
    if place.assumed {
        canvas.text("s m", (MARGIN, y + 8.0), "Networks are assumed, wholly or in part: the plan does not name them.");
        y += 20.0;
    }
    let description =
        "The networks of the site from the internet at the top to its people at the bottom, with the pools in each.";
    Picture { id: format!("site-{}", place.slug), element: canvas.finish(y + 8.0, &title, description), title }
}

/// A band with its name, its network and its cards; gives where the next one begins.
fn band(canvas: &mut Canvas, y: f64, name: &str, network: &str, mut cards: Vec<Card>) -> f64 {
    let hidden = cards.len().saturating_sub(MAX_CARDS);
    cards.truncate(MAX_CARDS);
    let lines = cards.iter().map(|card| card.lines.len()).max().unwrap_or(0);
    let card_height = 34.0 + lines as f64 * 15.0 + if cards.iter().any(|card| card.servers > 0) { 16.0 } else { 0.0 };
    let rows = cards.len().div_ceil(COLUMNS) as f64;
    let height = 34.0 + rows * (card_height + GAP) + if hidden > 0 { 18.0 } else { 0.0 };
    canvas.card("band", (MARGIN, y), (WIDTH - 2.0 * MARGIN, height));
    canvas.text("b", (MARGIN + 12.0, y + 21.0), name);
    canvas.text("s m e", (WIDTH - MARGIN - 12.0, y + 21.0), network);
    for (number, card) in cards.iter().enumerate() {
        let x = MARGIN + 12.0 + (number % COLUMNS) as f64 * (CARD.0 + GAP);
        let top = y + 32.0 + (number / COLUMNS) as f64 * (card_height + GAP);
        draw_card(canvas, (x, top), card_height, card);
    }
    if hidden > 0 {
        canvas.text("s m", (MARGIN + 12.0, y + height - 10.0), &format!("and {hidden} more: see the table of servers"));
    }
    y + height + 12.0
}

fn draw_card(canvas: &mut Canvas, (x, y): (f64, f64), height: f64, card: &Card) {
    let room = CARD.0 - 20.0;
    canvas.card(card.class, (x, y), (CARD.0, height));
    canvas.fitted("b", (x + 10.0, y + 20.0), &card.head, TEXT, room);
    let mut line = y + 37.0;
    for text in &card.lines {
        canvas.fitted("s m", (x + 10.0, line), text, SMALL, room);
        line += 15.0;
    }
    for server in 0..card.servers.min(MAX_BOXES) {
        canvas.bar("k0", (x + 10.0 + server as f64 * 16.0, line - 7.0), (12.0, 9.0), 2.0);
    }
    if card.servers > MAX_BOXES {
        canvas.text("s m", (x + 14.0 + MAX_BOXES as f64 * 16.0, line + 1.0), &format!("+{}", card.servers - MAX_BOXES));
    }
}

fn card(deployment: &Deployment, pool: &Pool, load: Option<f64>) -> Card {
    let addresses: Vec<String> = deployment.addresses(pool).map(|address| address.to_string()).collect();
    let range = match addresses.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, .., last] => format!("{first} to {last}"),
    };
    let mut lines = vec![pool.fqdn.clone(), range];
    if let Some(vip) = pool.vip {
        lines.push(format!("load balancer {vip}"));
    }
    if let Some(load) = load {
        lines.push(format!("each {} % full", grouped(load.round())));
    }
    let class = if matches!(pool.role, Role::FrontEnd | Role::StandardEdition) { "main" } else { "card" };
    Card { class, head: format!("{} {}", pool.hosts.len(), pool.role.name()), servers: pool.hosts.len(), lines }
}

/// What stands outside: public addresses by name.
fn outside(results: &Results<'_>, number: usize) -> Vec<Card> {
    let deployment = &results.deployment;
    let edges = deployment.pools_of(Role::Edge).filter(|pool| pool.site == number);
    let mut cards: Vec<Card> = edges
        .flat_map(|pool| super::edge::services(deployment, pool))
        .map(|(name, addresses)| Card {
            class: "card",
            head: name.to_owned(),
            servers: 0,
            lines: vec![super::edge::listed(&addresses, 2)],
        })
        .collect();
    if let Some(proxy) = deployment.places[number].proxy {
        let lines = vec![proxy.to_string()];
        cards.push(Card { class: "card", head: "Reverse proxy".to_owned(), servers: 0, lines });
    }
    cards
}

/// Its people, those outside, and its branches.
fn people(results: &Results<'_>, number: usize) -> Vec<Card> {
    let (plan, site) = (results.plan, &results.plan.sites[number]);
    let signed = site.signed_in.value;
    let outside = signed * *site.remote_share;
    let plain = |head: String, line: String| Card { class: "card", head, servers: 0, lines: vec![line] };
    let mut cards = vec![plain(
        format!("{} at their desks", grouped((signed - outside).round())),
        format!("{} endpoints each", grouped(plan.endpoints_per_user())),
    )];
    if *plan.access.edge {
        let share = grouped((*site.remote_share * 1000.0).round() / 10.0);
        cards.push(plain(format!("{} outside", grouped(outside.round())), format!("{share} % of those signed in")));
    }
    let branches: Vec<&crate::Site> = plan.sites.iter().filter(|branch| branch.hub == Some(number)).collect();
    if !branches.is_empty() {
        let users: u64 = branches.iter().map(|branch| *branch.users).sum();
        let plural = if branches.len() == 1 { "branch" } else { "branches" };
        cards.push(plain(format!("{} {plural}", branches.len()), format!("{} users", grouped(users as f64))));
    }
    cards
}
