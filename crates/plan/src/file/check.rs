//! What one table says about another: hubs, pairs, ends of links, personas.

use std::collections::BTreeMap;

use super::answer::{Answer, Origin};
use super::model::{Link, NetworkUse, Persona, Plan, Site};
use super::section::Notes;
use crate::figures;

/// A site whose references are still names.
pub(super) struct NamedSite {
    pub site: Site,
    pub line: usize,
    pub hub: Option<Answer<String>>,
    pub pair: Option<Answer<String>>,
    pub personas: Vec<(String, Answer<u64>)>,
}

/// A link whose ends are still names.
pub(super) struct NamedLink {
    pub line: usize,
    pub from: Answer<String>,
    pub to: Answer<String>,
    pub mbps: Answer<f64>,
    pub realtime_share: Answer<f64>,
}

/// How a link says that it ends at the internet.
const INTERNET: &str = "internet";

pub(super) fn domains(notes: &mut Notes<'_>, plan: &Plan) {
    let domains = &plan.organisation.sip_domains;
    for (number, domain) in domains.iter().enumerate() {
        if domains[..number].contains(domain) {
            let line = domains.line().unwrap_or(1);
            notes.problem(line, "organisation.sip_domains", &format!("\"{domain}\" twice"), "each domain once");
        }
    }
}

pub(super) fn codecs(notes: &mut Notes<'_>, network: &NetworkUse) {
    let asked = [
        ("peer_codec", &network.peer_codec),
        ("meeting_codec", &network.meeting_codec),
        ("pstn_codec", &network.pstn_codec),
    ];
    for (key, answer) in asked {
        let Some(answer) = answer else { continue };
        if figures::codecs().iter().all(|codec| codec.short() != answer.value && codec.name != answer.value) {
            let known: Vec<&str> = figures::codecs().iter().map(|codec| codec.short()).collect();
            let expected = format!("one of {}", known.join(", "));
            let line = answer.line().unwrap_or(1);
            notes.problem(line, format!("network.{key}"), &format!("\"{}\"", answer.value), expected);
        }
    }
}

pub(super) fn personas(notes: &mut Notes<'_>, personas: &[Persona]) {
    for (number, persona) in personas.iter().enumerate() {
        let line = persona.name.line().unwrap_or(1);
        if personas[..number].iter().any(|other| other.name.value == persona.name.value) {
            let found = format!("\"{}\" a second time", persona.name.value);
            notes.problem(line, "persona.name", &found, "a name of its own for each persona");
        }
        let busy = *persona.peer_audio + *persona.pstn_audio + *persona.meeting_audio;
        if busy > 1.0 {
            let found = format!("{:.0} % of them in a call at once", busy * 100.0);
            let name = format!("persona \"{}\"", persona.name.value);
            notes.problem(line, name, &found, "peer_audio, pstn_audio and meeting_audio together at most 100");
        }
    }
}

/// The site called `name`, else a fault.
fn find(
    notes: &mut Notes<'_>,
    numbers: &BTreeMap<String, usize>,
    field: String,
    answer: &Answer<String>,
    line: usize,
) -> Option<usize> {
    let found = numbers.get(&answer.value).copied();
    // An empty name is one that could not be read; its fault is noted already.
    if found.is_none() && !answer.value.is_empty() {
        let names: Vec<&str> = numbers.keys().take(20).map(String::as_str).collect();
        let expected = format!("the name of a site: {}", names.join(", "));
        let expected = expected.trim_end_matches(": ");
        notes.problem(answer.line().unwrap_or(line), field, &format!("\"{}\"", answer.value), expected);
    }
    found
}

/// Sites with their hubs, pairs and personas as numbers.
pub(super) fn sites(notes: &mut Notes<'_>, named: Vec<NamedSite>, personas: &[Persona], concurrency: f64) -> Vec<Site> {
    let numbers = numbers(notes, &named);
    let mut sites = Vec::with_capacity(named.len());
    for named in named {
        let NamedSite { mut site, line, hub, pair, personas: users } = named;
        let name = format!("site \"{}\"", site.name.value);
        site.hub = hub.as_ref().and_then(|hub| find(notes, &numbers, format!("{name}.hub"), hub, line));
        site.pair = pair.as_ref().and_then(|pair| find(notes, &numbers, format!("{name}.pair"), pair, line));
        for (persona, users) in users {
            match personas.iter().position(|known| known.name.value == persona) {
                Some(number) => site.personas.push((number, users.value)),
                None => {
                    let known: Vec<&str> = personas.iter().map(|known| known.name.value.as_str()).collect();
                    let expected = format!("the name of a [[persona]]: {}", known.join(", "));
                    notes.problem(
                        users.line().unwrap_or(line),
                        format!("{name}.personas"),
                        &format!("\"{persona}\""),
                        expected,
                    );
                }
            }
        }
        let of_personas: u64 = site.personas.iter().map(|(_, users)| users).sum();
        if site.users.is_assumed() && of_personas > 0 {
            site.users = Answer { value: of_personas, origin: Origin::Given(line) };
        } else if of_personas > site.users.value {
            let found = format!("{of_personas} users of personas");
            notes.problem(
                line,
                format!("{name}.personas"),
                &found,
                format!("at most the site's {} users", site.users.value),
            );
        }
        if site.signed_in.is_nan() {
            site.signed_in.value = site.users.value as f64 * concurrency;
        } else if *site.signed_in > site.users.value as f64 {
            let at = site.signed_in.line().unwrap_or(line);
            let found = format!("{} users", *site.signed_in);
            notes.problem(
                at,
                format!("{name}.signed_in"),
                &found,
                format!("at most the {} that are enabled", site.users.value),
            );
        }
        sites.push(site);
    }
    relations(notes, &sites);
    sites
}

fn numbers(notes: &mut Notes<'_>, named: &[NamedSite]) -> BTreeMap<String, usize> {
    let mut numbers = BTreeMap::new();
    for (number, NamedSite { site, line, .. }) in named.iter().enumerate() {
        let name = &site.name.value;
        if name.eq_ignore_ascii_case(INTERNET) {
            notes.problem(*line, "site.name", &format!("\"{name}\""), "another name: this one means the internet");
        }
        if !name.is_empty() && numbers.insert(name.clone(), number).is_some() {
            notes.problem(*line, "site.name", &format!("\"{name}\" a second time"), "a name of its own for each site");
        }
    }
    numbers
}

fn relations(notes: &mut Notes<'_>, sites: &[Site]) {
    for (number, site) in sites.iter().enumerate() {
        let (name, line) = (format!("site \"{}\"", site.name.value), site.name.line().unwrap_or(1));
        if let Some(hub) = site.hub {
            if hub == number || sites[hub].hub.is_some() {
                let found = format!("\"{}\", which is no central site", sites[hub].name.value);
                notes.problem(line, format!("{name}.hub"), &found, "a site that has no hub itself");
            }
            if site.pair.is_some() {
                notes.problem(line, format!("{name}.pair"), "a pair of a branch", "pair at central sites only");
            }
        }
        let Some(pair) = site.pair else { continue };
        if pair == number {
            notes.problem(line, format!("{name}.pair"), "the site itself", "another central site");
        } else if sites[pair].hub.is_some() {
            notes.problem(line, format!("{name}.pair"), "a branch", "a central site");
        } else if sites[pair].pair.is_some_and(|other| other != number) {
            let found = format!("\"{}\", which is paired with another", sites[pair].name.value);
            notes.problem(
                line,
                format!("{name}.pair"),
                &found,
                "two sites that name each other, or one that names a free one",
            );
        } else if let Some(other) = sites[..number].iter().find(|other| other.pair == Some(pair))
            && sites[pair].pair != Some(number)
        {
            let found = format!("\"{}\", which \"{}\" named before", sites[pair].name.value, other.name.value);
            notes.problem(line, format!("{name}.pair"), &found, "a site that is in no other pair");
        }
    }
}

/// Links with their ends as numbers.
pub(super) fn links(notes: &mut Notes<'_>, named: Vec<NamedLink>, sites: &[Site]) -> Vec<Link> {
    let numbers: BTreeMap<String, usize> =
        sites.iter().enumerate().map(|(number, site)| (site.name.value.clone(), number)).collect();
    let mut links = Vec::with_capacity(named.len());
    for NamedLink { line, from, to, mbps, realtime_share } in named {
        let name = format!("link \"{}\"", from.value);
        let begin = find(notes, &numbers, format!("{name}.from"), &from, line);
        let internet = to.value.eq_ignore_ascii_case(INTERNET);
        let end = if internet { None } else { find(notes, &numbers, format!("{name}.to"), &to, line) };
        let Some(from) = begin else { continue };
        if end == Some(from) {
            notes.problem(line, format!("{name}.to"), "the site itself", "another site, or \"internet\"");
        }
        if internet || end.is_some() {
            links.push(Link { from, to: end, mbps, realtime_share, line });
        }
    }
    links
}
