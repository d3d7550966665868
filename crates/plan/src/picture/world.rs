//! All sites: the internet at the left, central sites in the middle with the links between them, branches at the right.

use super::Picture;
use super::canvas::{Canvas, SMALL, TEXT};
use super::measure;
use crate::bandwidth::{LinkDemand, Verdict};
use crate::results::Results;
use crate::table::grouped;

/// Central sites drawn; the biggest ones, where there are more.
const MAX_CENTRALS: usize = 24;
/// Branches drawn of one central site; those whose links lack most, then the biggest ones.
const MAX_BRANCHES: usize = 40;
/// Branches of a central site that get a line each; where there are more, they share one.
const SINGLE_LINES: usize = 8;
/// Links between central sites with a level label; where there are more, labels stand upright.
const LEVEL_LANES: usize = 3;

const CENTRAL: (f64, f64) = (292.0, 104.0);
const BRANCH: (f64, f64) = (204.0, 46.0);
const INTERNET: f64 = 36.0;
const MARGIN: f64 = 24.0;

/// A central site with its place.
struct Central {
    site: usize,
    top: f64,
    branches: Vec<usize>,
    hidden: usize,
    height: f64,
}

/// A link that is drawn beside the sites, from one height to another.
struct Lane<'r> {
    link: &'r LinkDemand,
    from: f64,
    to: f64,
    lane: usize,
}

/// How a link is drawn: class of its line, class of its words.
pub(super) fn classes(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Fits => ("ok", "fok"),
        Verdict::Critical => ("near", "fnear"),
        Verdict::OverShare | Verdict::OverSpeed => ("over", "fover"),
        Verdict::NoSpeed => ("none", "fnone"),
    }
}

/// `20 Mbps`, `needs 31 Mbps`.
pub(super) fn speed(link: &LinkDemand) -> String {
    let needed = || grouped((link.needed_mbps.value * 10.0).ceil() / 10.0);
    match (link.mbps, link.verdict) {
        (Some(mbps), Verdict::OverShare | Verdict::OverSpeed) => {
            format!("{} Mbps, needs {}", grouped(mbps), needed())
        }
        (Some(mbps), _) => format!("{} Mbps", grouped(mbps)),
        (None, _) => format!("needs {} Mbps", needed()),
    }
}

fn thick(link: &LinkDemand) -> f64 {
    (1.5 + link.mbps.unwrap_or(1.0).max(1.0).log10() * 0.8).min(5.0)
}

/// Draws all sites.
pub(super) fn draw(results: &Results<'_>) -> Picture {
    let (centrals, hidden) = place(results);
    let lanes = lanes(results, &centrals);
    let count = lanes.iter().map(|lane| lane.lane + 1).max().unwrap_or(0);
    let level = count <= LEVEL_LANES;
    let step = if level { 112.0 } else { 22.0 };
    let internet_label = 148.0;
    let left = MARGIN + INTERNET + internet_label + count as f64 * step + 12.0;
    let branch_left = left + CENTRAL.0 + 176.0;
    let columns = if centrals.iter().any(|central| central.branches.len() > SINGLE_LINES) { 2.0 } else { 1.0 };
    let any_branch = centrals.iter().any(|central| !central.branches.is_empty());
    let right = if any_branch { branch_left + columns * (BRANCH.0 + 10.0) + 4.0 } else { left + CENTRAL.0 };
    let mut canvas = Canvas::new((right + MARGIN).max(640.0));
    let bottom = centrals.last().map_or(100.0, |last| last.top + last.height);
    canvas.text("h", (MARGIN, 34.0), &title(results));
    internet(&mut canvas, results, &centrals, left, bottom);
    for lane in &lanes {
        let x = left - 14.0 - (lane.lane as f64 + 0.5) * step;
        let (class, _) = classes(lane.link.verdict);
        let points = [(left, lane.from), (x, lane.from), (x, lane.to), (left, lane.to)];
        canvas.line(class, thick(lane.link), &points);
    }
    for lane in &lanes {
        let x = left - 14.0 - (lane.lane as f64 + 0.5) * step;
        let text = measure::fit(&speed(lane.link), SMALL, if level { step } else { (lane.to - lane.from).abs() - 8.0 });
        canvas.label(classes(lane.link.verdict).1, (x, (lane.from + lane.to) / 2.0), &text, !level);
    }
    for central in &centrals {
        card(&mut canvas, results, central, left);
        branches(&mut canvas, results, central, left + CENTRAL.0, branch_left);
    }
    let end = foot(&mut canvas, results, hidden, bottom + 12.0);
    let description = "Sites as boxes with their users and servers; lines are links with their speed.";
    Picture {
        id: "topology".to_owned(),
        title: "Topology".to_owned(),
        element: canvas.finish(end, "Topology", description),
    }
}

fn title(results: &Results<'_>) -> String {
    let sites = &results.plan.sites;
    let users: u64 = sites.iter().map(|site| *site.users).sum();
    let name = measure::fit(&results.plan.organisation.name, 17.0, 300.0);
    let plural = if sites.len() == 1 { "site" } else { "sites" };
    format!(
        "{name}: {} {plural}, {} users, {} servers",
        grouped(sites.len() as f64),
        grouped(users as f64),
        grouped(results.capacity.servers() as f64)
    )
}

/// Central sites from top to bottom with the branches that are drawn, and how many central sites are not.
fn place(results: &Results<'_>) -> (Vec<Central>, usize) {
    let sites = &results.plan.sites;
    let mut numbers: Vec<usize> = results.plan.centrals().map(|(number, _)| number).collect();
    let all = numbers.len();
    if all > MAX_CENTRALS {
        numbers.sort_by_key(|&number| std::cmp::Reverse(*sites[number].users));
        numbers.truncate(MAX_CENTRALS);
        numbers.sort_unstable();
    }
    let mut top = 56.0;
    let hidden = all - numbers.len();
    let centrals = numbers
        .into_iter()
        .map(|site| {
            let mut branches: Vec<usize> = (0..sites.len()).filter(|&other| sites[other].hub == Some(site)).collect();
            let found = branches.len();
            if found > MAX_BRANCHES {
                let lack = |branch: usize| link_of(results, branch, site).and_then(|link| link.lack_kbps.as_ref());
                branches.sort_by(|&a, &b| {
                    let key = |site: usize| (lack(site).map_or(0.0, |figure| figure.value), *sites[site].users as f64);
                    key(b).partial_cmp(&key(a)).unwrap_or(std::cmp::Ordering::Equal)
                });
                branches.truncate(MAX_BRANCHES);
                branches.sort_unstable();
            }
            let rows = if branches.len() > SINGLE_LINES { branches.len().div_ceil(2) } else { branches.len() };
            let note = if found > branches.len() || branches.len() > SINGLE_LINES { 22.0 } else { 0.0 };
            let height = (rows as f64 * (BRANCH.1 + 10.0) + note).max(CENTRAL.1 + 14.0);
            let central = Central { site, top, hidden: found - branches.len(), branches, height };
            top += height + 16.0;
            central
        })
        .collect();
    (centrals, hidden)
}

fn link_of<'r>(results: &'r Results<'_>, a: usize, b: usize) -> Option<&'r LinkDemand> {
    let (a, b) = (results.plan.sites[a].name.as_str(), results.plan.sites[b].name.as_str());
    let links = &results.bandwidth.links;
    links.iter().find(|link| (link.from == a && link.to == b) || (link.from == b && link.to == a))
}

/// Links between central sites, each in the first lane that is free over its height.
fn lanes<'r>(results: &'r Results<'_>, centrals: &[Central]) -> Vec<Lane<'r>> {
    let at = |name: &str| centrals.iter().position(|central| results.plan.sites[central.site].name.as_str() == name);
    let mut ends = vec![0usize; centrals.len()];
    let mut pairs: Vec<(usize, usize, &LinkDemand)> = results
        .bandwidth
        .links
        .iter()
        .filter_map(|link| Some((at(&link.from)?, at(&link.to)?, link)))
        .map(|(a, b, link)| (a.min(b), a.max(b), link))
        .collect();
    pairs.sort_by_key(|(a, b, _)| (b - a, *a));
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut lanes = Vec::new();
    for (a, b, link) in pairs {
        let mut height = |central: usize| {
            ends[central] += 1;
            centrals[central].top + 34.0 + (ends[central] as f64 * 10.0).min(CENTRAL.1 - 40.0)
        };
        let (from, to) = (height(a), height(b));
        let free = |lane: &Vec<(f64, f64)>| lane.iter().all(|(top, bottom)| to + 6.0 < *top || from > *bottom + 6.0);
        let lane = taken.iter().position(free).unwrap_or(taken.len());
        if lane == taken.len() {
            taken.push(Vec::new());
        }
        taken[lane].push((from, to));
        lanes.push(Lane { link, from, to, lane });
    }
    lanes
}

/// The internet with a line to each central site that has one.
fn internet(canvas: &mut Canvas, results: &Results<'_>, centrals: &[Central], left: f64, bottom: f64) {
    let names =
        |link: &LinkDemand, site: usize| link.to == "internet" && link.from == results.plan.sites[site].name.as_str();
    let links: Vec<(&LinkDemand, f64)> = centrals
        .iter()
        .flat_map(|central| {
            let links = results.bandwidth.links.iter().filter(|link| names(link, central.site));
            links.take(2).enumerate().map(|(number, link)| (link, central.top + 16.0 + number as f64 * 12.0))
        })
        .collect();
    if links.is_empty() {
        return;
    }
    canvas.bar("card", (MARGIN, 56.0), (INTERNET, bottom - 56.0), 18.0);
    canvas.label("b", (MARGIN + INTERNET / 2.0, (56.0 + bottom) / 2.0), "Internet", true);
    for (link, y) in &links {
        canvas.line(classes(link.verdict).0, thick(link), &[(MARGIN + INTERNET, *y), (left, *y)]);
    }
    for (link, y) in links {
        let text = measure::fit(&speed(link), SMALL, 140.0);
        let middle = MARGIN + INTERNET + 8.0 + measure::width(&text, SMALL) / 2.0 + 4.0;
        canvas.label(classes(link.verdict).1, (middle, y), &text, false);
    }
}

fn users(results: &Results<'_>, site: usize) -> String {
    format!("{} users", grouped(*results.plan.sites[site].users as f64))
}

fn card(canvas: &mut Canvas, results: &Results<'_>, central: &Central, x: f64) {
    let (site, y) = (&results.plan.sites[central.site], central.top);
    let room = CENTRAL.0 - 24.0;
    canvas.card("main", (x, y), CENTRAL);
    canvas.fitted("b", (x + 12.0, y + 22.0), &site.name, TEXT + 1.0, room);
    let capacity = &results.capacity.sites[central.site];
    let signed = grouped(site.signed_in.round());
    canvas.fitted(
        "m",
        (x + 12.0, y + 40.0),
        &format!("{}, {signed} signed in", users(results, central.site)),
        TEXT,
        room,
    );
    let roles: Vec<String> =
        capacity.roles.iter().map(|role| format!("{} {}", role.servers.value, role.role.name())).collect();
    let mut lines = wrap(&roles, room, 3);
    let paired = results.plan.sites.iter().position(|other| other.pair == Some(central.site)).or(site.pair);
    if let Some(pair) = paired {
        lines.truncate(2);
        lines.push(format!("paired with {}", results.plan.sites[pair].name.as_str()));
    }
    for (number, line) in lines.iter().enumerate() {
        canvas.fitted("s", (x + 12.0, y + 58.0 + number as f64 * 16.0), line, SMALL, room);
    }
}

/// Words in lines of at most `room`; the last of `most` lines takes all that is left.
fn wrap(words: &[String], room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last() {
            Some(line) if lines.len() == most || measure::width(&format!("{line}, {word}"), SMALL) <= room => {
                let joined = format!("{line}, {word}");
                lines.pop();
                lines.push(joined);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines
}

/// The branches of one central site: a line to each, or one to all of them.
fn branches(canvas: &mut Canvas, results: &Results<'_>, central: &Central, from: f64, x: f64) {
    let single = central.branches.len() <= SINGLE_LINES;
    let (step, trunk) = (BRANCH.1 + 10.0, from + 16.0);
    let middle = central.top + CENTRAL.1 / 2.0;
    if !single {
        canvas.line("", 1.5, &[(from, middle), (x - 8.0, middle)]);
        let rows = central.branches.len().div_ceil(2) as f64;
        canvas.card("band", (x - 8.0, central.top - 6.0), (2.0 * (BRANCH.0 + 10.0) + 6.0, rows * step + 26.0));
    }
    for (number, &branch) in central.branches.iter().enumerate() {
        let link = link_of(results, branch, central.site);
        let (column, row) = if single { (0, number) } else { (number % 2, number / 2) };
        let (left, top) = (x + column as f64 * (BRANCH.0 + 10.0), central.top + row as f64 * step);
        let (line, words) = link.map_or(("none", "fnone"), |link| classes(link.verdict));
        let y = top + BRANCH.1 / 2.0;
        if single {
            canvas.line(line, link.map_or(1.5, thick), &[(from, middle), (trunk, middle), (trunk, y), (left, y)]);
        }
        canvas.card("card", (left, top), BRANCH);
        canvas.fitted("b", (left + 10.0, top + 19.0), &results.plan.sites[branch].name, TEXT, BRANCH.0 - 20.0);
        let servers: f64 = results.capacity.sites[branch].roles.iter().map(|role| role.servers.value).sum();
        let mut about = users(results, branch);
        if servers > 0.0 {
            about.push_str(&format!(", {servers} {}", if servers == 1.0 { "server" } else { "servers" }));
        }
        if let (Some(link), false) = (link, single) {
            about = format!("{}, {}", users(results, branch), speed(link));
        }
        let class = if single { "s m" } else { words };
        canvas.fitted(&format!("s {class}"), (left + 10.0, top + 36.0), &about, SMALL, BRANCH.0 - 20.0);
        if let (Some(link), true) = (link, single) {
            let text = measure::fit(&speed(link), SMALL, x - trunk - 16.0);
            canvas.label(words, ((trunk + x) / 2.0, y), &text, false);
        }
    }
    if central.hidden > 0 {
        let y = central.top + central.height - 8.0;
        canvas.text("s m", (x, y), &format!("and {} more branches: see the table of links", central.hidden));
    }
}

/// What lines mean, links that are not drawn, and sites that are not.
fn foot(canvas: &mut Canvas, results: &Results<'_>, hidden: usize, mut y: f64) -> f64 {
    let marks = [
        ("ok", "fits"),
        ("near", "critical: close to its policy"),
        ("over", "red: above its share"),
        ("none", "no speed given"),
    ];
    let mut x = MARGIN;
    y += 14.0;
    for (class, words) in marks {
        canvas.line(class, 3.0, &[(x, y - 4.0), (x + 24.0, y - 4.0)]);
        canvas.text("s m", (x + 30.0, y), words);
        x += 46.0 + measure::width(words, SMALL);
    }
    let sites = &results.plan.sites;
    let hub = |name: &str| sites.iter().find(|site| site.name.as_str() == name).map(|site| site.hub);
    let crossing = |link: &&LinkDemand| {
        let (from, to) = (hub(&link.from), hub(&link.to));
        match (from, to) {
            (Some(Some(a)), Some(None)) => sites[a].name.as_str() != link.to,
            (Some(None), Some(Some(b))) => sites[b].name.as_str() != link.from,
            (Some(Some(_)), _) => true,
            _ => false,
        }
    };
    let others: Vec<String> = results
        .bandwidth
        .links
        .iter()
        .filter(crossing)
        .map(|link| format!("{} to {}: {}", link.from, link.to, speed(link)))
        .collect();
    let mut notes: Vec<String> = others.iter().take(6).map(|text| format!("also {text}")).collect();
    if others.len() > 6 {
        notes.push(format!("and {} more links of branches: see the table of links", others.len() - 6));
    }
    if hidden > 0 {
        notes.push(format!("and {hidden} more central sites: see the table of servers"));
    }
    for note in notes {
        y += 18.0;
        canvas.fitted("s m", (MARGIN, y), &note, SMALL, 592.0);
    }
    y + 18.0
}
