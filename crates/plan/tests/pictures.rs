//! What pictures show, and that they stay pictures whatever a site is called.

mod support;

use lyceum_plan::capacity::Role;
use lyceum_plan::picture::{MAX_SITES_DRAWN, Picture, pictures};
use lyceum_plan::{Plan, Results};
use support::{Element, HOSTILE_READ, elements, many_sites, three_sites};

fn plan(text: &str) -> Plan {
    Plan::read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn drawn(text: &str) -> Vec<Picture> {
    pictures(&Results::of(&plan(text)))
}

fn of<'p>(pictures: &'p [Picture], id: &str) -> &'p Picture {
    pictures.iter().find(|picture| picture.id == id).unwrap_or_else(|| panic!("no picture {id}"))
}

fn words(picture: &Picture) -> Vec<String> {
    elements(&picture.svg()).into_iter().filter(|element| element.name == "text").map(|element| element.text).collect()
}

fn says(picture: &Picture, text: &str) -> bool {
    words(picture).iter().any(|words| words.contains(text))
}

#[test]
fn a_hostile_name_is_words_in_every_picture() {
    let pictures = drawn(&three_sites());
    let known = ["svg", "style", "title", "desc", "rect", "polyline", "polygon", "text", "g"];
    let attributes = [
        "xmlns",
        "viewBox",
        "width",
        "height",
        "role",
        "class",
        "x",
        "y",
        "rx",
        "points",
        "stroke-width",
        "stroke-linejoin",
        "transform",
    ];
    let mut all: Vec<Element> = Vec::new();
    for picture in &pictures {
        all.extend(elements(&picture.svg()));
    }
    for element in &all {
        assert!(known.contains(&element.name.as_str()), "{element:?}");
        assert!(element.attributes.iter().all(|(name, _)| attributes.contains(&name.as_str())), "{element:?}");
    }
    assert!(all.iter().any(|element| element.text.contains(HOSTILE_READ)), "the whole name stands somewhere");
}

#[test]
fn every_shape_stays_inside_its_picture() {
    for text in [String::new(), three_sites(), many_sites(60, 900)] {
        for picture in drawn(&text) {
            let all = elements(&picture.svg());
            let (width, height) = (all[0].number("width"), all[0].number("height"));
            for element in &all[1..] {
                let (x, y) = (element.number("x"), element.number("y"));
                assert!((0.0..=width).contains(&x) && (0.0..=height).contains(&y), "{}: {element:?}", picture.id);
                if element.name == "rect" && element.attribute("width") != Some("100%") {
                    let right = x + element.number("width");
                    assert!(right <= width + 0.1 && y + element.number("height") <= height + 0.1, "{element:?}");
                }
                for point in element.attribute("points").unwrap_or_default().split_whitespace() {
                    let (x, y) = point.split_once(',').expect("a point is two numbers");
                    let (x, y): (f64, f64) = (x.parse().expect("a number"), y.parse().expect("a number"));
                    assert!((0.0..=width).contains(&x) && (0.0..=height).contains(&y), "{}: {element:?}", picture.id);
                }
            }
        }
    }
}

#[test]
fn the_topology_shows_sites_users_servers_and_the_speed_of_links() {
    let pictures = drawn(&three_sites());
    let topology = of(&pictures, "topology");
    for text in ["London", "Paris", "30,000 users", "paired with Paris", "622 Mbps", "2 Mbps, needs", "Internet"] {
        assert!(says(topology, text), "{text}: {:?}", words(topology));
    }
    let plan = plan(&three_sites());
    let servers = Results::of(&plan).capacity.servers();
    assert!(says(topology, &format!("3 sites, 50,000 users, {servers} servers")));
}

#[test]
fn a_site_shows_each_pool_with_its_servers_and_addresses() {
    let (plan, pictures) = (plan(&three_sites()), drawn(&three_sites()));
    let results = Results::of(&plan);
    let picture = of(&pictures, "site-london");
    for pool in results.deployment.pools.iter().filter(|pool| pool.site == 0) {
        assert!(says(picture, &format!("{} {}", pool.hosts.len(), pool.role.name())));
        assert!(says(picture, &pool.fqdn));
        for address in results.deployment.addresses(pool).take(1) {
            assert!(says(picture, &address.to_string()));
        }
    }
}

#[test]
fn an_edge_has_one_arrow_for_each_flow_that_touches_it() {
    let (plan, pictures) = (plan(&three_sites()), drawn(&three_sites()));
    let results = Results::of(&plan);
    let touches = |names: &str| names.split('+').any(|name| name.starts_with("edge-"));
    let flows = results.filter.flows.iter().filter(|flow| touches(flow.from) || touches(flow.to)).count();
    for pool in results.deployment.pools_of(Role::Edge) {
        let picture = of(&pictures, &format!("edge-{}", results.deployment.places[pool.site].slug));
        let heads = elements(&picture.svg()).iter().filter(|element| element.name == "polygon").count();
        assert_eq!(heads, flows);
        for text in ["TCP 443", "UDP 3478", "TCP 5061", "Access Edge", "Inner interface"] {
            assert!(says(picture, text), "{text}");
        }
        let public = results.deployment.hosts[pool.hosts[0]].public.expect("an Edge server has public addresses");
        assert!(public.iter().all(|address| says(picture, &address.to_string())));
    }
}

#[test]
fn links_show_their_traffic_in_each_direction_with_the_verdict() {
    let (plan, pictures) = (plan(&three_sites()), drawn(&three_sites()));
    let results = Results::of(&plan);
    let links = of(&pictures, "links");
    for link in &results.bandwidth.links {
        assert!(says(links, link.verdict.words()));
        for way in &link.directions {
            let mbps = (way.planned_kbps / 100.0).round() / 10.0;
            assert!(words(links).iter().any(|text| text.starts_with(&format!("{mbps} Mbps, "))), "{mbps}");
        }
    }
}

#[test]
fn pictures_of_a_thousand_sites_are_bounded_and_say_what_is_left_out() {
    let pictures = drawn(&many_sites(1000, 100));
    assert!(pictures.len() <= 2 + 2 * MAX_SITES_DRAWN);
    assert!(pictures.iter().all(|picture| picture.element.len() < 1 << 20));
    assert!(says(of(&pictures, "topology"), "more central sites"));
    assert!(says(of(&pictures, "links"), "fullest of"));
}

#[test]
fn one_style_sheet_has_day_night_and_paper() {
    let pictures = drawn("");
    assert!(pictures.iter().all(|picture| !picture.element.contains("<style>")));
    assert!(pictures[0].svg().contains("@media screen and (prefers-color-scheme:dark)"));
}
