//! From the tree of a TOML file to a [`Plan`].

use toml::de::{DeTable, DeValue};

use super::answer::{Answer, Origin};
use super::check::{self, NamedLink, NamedSite};
use super::field::fields;
use super::model::*;
use super::section::{Notes, Section};
use super::{MAX_LINKS, MAX_PERSONAS, MAX_SITES, section, tables};

/// Reads all tables; what is wrong is in the notes.
pub(super) fn plan<'t>(notes: &mut Notes<'t>, root: &DeTable<'t>) -> Plan {
    let drivers = drivers(section(notes, root, "drivers"));
    let organisation = organisation(section(notes, root, "organisation"));
    let model = model(section(notes, root, "model"));
    let access = access(section(notes, root, "access"));
    let network = network(section(notes, root, "network"));
    let mut plan = Plan {
        organisation,
        voice: voice(section(notes, root, "voice")),
        meetings: meetings(section(notes, root, "meetings")),
        mobility: mobility(section(notes, root, "mobility")),
        chat: chat(section(notes, root, "chat")),
        archiving: archiving(section(notes, root, "archiving")),
        monitoring: monitoring(section(notes, root, "monitoring")),
        availability: availability(section(notes, root, "availability")),
        hardware: hardware(section(notes, root, "hardware")),
        exchange: exchange(section(notes, root, "exchange")),
        vpn: vpn(section(notes, root, "vpn")),
        personas: personas(notes, root),
        sites: Vec::new(),
        links: Vec::new(),
        answers: Vec::new(),
        drivers,
        model,
        access,
        network,
    };
    check::domains(notes, &plan);
    let named = sites(notes, root, &plan);
    let links = links(notes, root, &plan);
    plan.sites = check::sites(notes, named, &plan.personas, *plan.model.concurrency);
    plan.links = check::links(notes, links, &plan.sites);
    check::codecs(notes, &plan.network);
    plan.answers = std::mem::take(&mut notes.answers);
    plan
}

fn drivers(mut s: Section<'_, '_>) -> Vec<(&'static str, Answer<bool>)> {
    let all = fields().iter().filter(|field| field.section == "drivers");
    all.map(|field| (field.key, s.flag(field.key))).collect()
}

fn organisation(mut s: Section<'_, '_>) -> Organisation {
    let (name, sip_domains) = (s.text("name"), s.domains("sip_domains"));
    let first = sip_domains.first().cloned().unwrap_or_default();
    let server_domain = s.optional_text("server_domain");
    let server_domain = server_domain
        .unwrap_or(Answer { value: first, origin: Origin::Assumed("L13:dns-requirements-for-front-end-pools") });
    Organisation { name, sip_domains, server_domain }
}

fn model(mut s: Section<'_, '_>) -> Model {
    Model {
        concurrency: s.share("concurrency"),
        endpoints_with_mobility: s.number("endpoints_with_mobility"),
        endpoints_without_mobility: s.number("endpoints_without_mobility"),
    }
}

fn access(mut s: Section<'_, '_>) -> Access {
    Access {
        edge: s.flag("edge"),
        director: s.flag("director"),
        remote_share: s.share("remote_share"),
        load_balancing: s.choice("load_balancing"),
        nat: s.flag("nat"),
        federation: s.flag("federation"),
        legacy_partners: s.flag("legacy_partners"),
        xmpp: s.flag("xmpp"),
        phones: s.flag("phones"),
        tcp_sign_in: s.flag("tcp_sign_in"),
        simple_urls: s.choice("simple_urls"),
        admin_url: s.flag("admin_url"),
    }
}

/// Without Enterprise Voice there is no response group, no park, no pickup and no announcement
/// (L13:create-the-initial-topology-design).
fn voice(mut s: Section<'_, '_>) -> Voice {
    let enabled = s.flag("enabled");
    let on = *enabled;
    let part = |s: &mut Section<'_, '_>, key: &str| s.flag(key).map(|flag| flag && on);
    let response_group = part(&mut s, "response_group");
    let call_park = part(&mut s, "call_park");
    let group_pickup = part(&mut s, "group_pickup");
    let announcements = part(&mut s, "announcements");
    let emergency = part(&mut s, "emergency");
    Voice {
        enabled,
        share: s.share("share"),
        pstn_share: s.share("pstn_share"),
        calls_busy_hour: s.number("calls_busy_hour"),
        minutes: s.number("minutes"),
        bypass: s.share("bypass"),
        blocking: s.share("blocking"),
        usage: s.choice("usage"),
        mediation: s.choice("mediation"),
        hyper_threading: s.flag("hyper_threading"),
        response_group,
        call_park,
        group_pickup,
        announcements,
        admission: s.flag("admission"),
        emergency,
        gateways: s.addresses("gateways"),
    }
}

fn meetings(mut s: Section<'_, '_>) -> Meetings {
    Meetings {
        enabled: s.flag("enabled"),
        share: s.share("share"),
        size: s.number("size"),
        web_share: s.share("web_share"),
        app_sharing: s.share("app_sharing"),
        video: s.share("video"),
        data: s.share("data"),
        audio_less: s.share("audio_less"),
        dial_in: s.flag("dial_in"),
        dial_in_only: s.share("dial_in_only"),
        large: s.choice("large"),
        office_web_apps: s.flag("office_web_apps"),
    }
}

fn mobility(mut s: Section<'_, '_>) -> Mobility {
    Mobility { enabled: s.flag("enabled"), share: s.share("share"), push: s.flag("push") }
}

fn chat(mut s: Section<'_, '_>) -> Chat {
    Chat { enabled: s.flag("enabled"), share: s.share("share") }
}

fn archiving(mut s: Section<'_, '_>) -> Archiving {
    Archiving { enabled: s.flag("enabled"), days: s.count("days") }
}

fn monitoring(mut s: Section<'_, '_>) -> Monitoring {
    Monitoring { enabled: s.flag("enabled"), cdr_days: s.count("cdr_days"), qoe_days: s.count("qoe_days") }
}

fn availability(mut s: Section<'_, '_>) -> Availability {
    Availability { high: s.flag("high"), recovery: s.flag("recovery") }
}

fn hardware(mut s: Section<'_, '_>) -> Hardware {
    Hardware { cores: s.count("cores"), mhz: s.count("mhz") }
}

fn network(mut s: Section<'_, '_>) -> NetworkUse {
    NetworkUse {
        audio: s.choice("audio"),
        peer_codec: s.optional_text("peer_codec"),
        meeting_codec: s.optional_text("meeting_codec"),
        pstn_codec: s.optional_text("pstn_codec"),
        fec: s.flag("fec"),
        realtime_share: s.share("realtime_share"),
        audio_cap: s.share("audio_cap"),
        video_cap: s.share("video_cap"),
    }
}

fn exchange(mut s: Section<'_, '_>) -> Exchange {
    Exchange { enabled: s.flag("enabled"), address: s.addresses("address") }
}

fn vpn(mut s: Section<'_, '_>) -> Vpn {
    let missing = Answer { value: Vec::new(), origin: Origin::Assumed("") };
    Vpn {
        enabled: s.flag("enabled"),
        client_networks: s.networks("client_networks").unwrap_or(missing.clone()),
        corporate_networks: s.networks("corporate_networks").unwrap_or(missing),
        media_ports: s.ports("media_ports"),
        connection: s.text("connection"),
    }
}

/// Each `[[name]]` as a section that calls itself by its `key`, at most `limit` of them.
fn each<'t, T>(
    notes: &mut Notes<'t>,
    root: &DeTable<'t>,
    (name, key, limit): (&'static str, &str, usize),
    read: impl Fn(Section<'_, '_>) -> T,
) -> Vec<T> {
    let found = tables(root, name);
    if found.len() > limit {
        let line = notes.line(found[limit].1);
        notes.problem(line, name, &format!("{} of them", found.len()), format!("at most {limit}"));
    }
    let shown = |number: usize, table: &DeTable<'_>| match table.get(key).map(|value| value.get_ref()) {
        Some(DeValue::String(text)) if text.chars().count() <= 200 => format!("{name} \"{text}\""),
        _ => format!("{name} {}", number + 1),
    };
    let sections = found.into_iter().take(limit).enumerate();
    sections.map(|(number, found)| read(Section::new(notes, name, shown(number, found.0), Some(found)))).collect()
}

fn personas<'t>(notes: &mut Notes<'t>, root: &DeTable<'t>) -> Vec<Persona> {
    let read = |mut s: Section<'_, '_>| Persona {
        name: s.text("name"),
        remote_share: s.optional_share("remote_share"),
        away_share: s.optional_share("away_share"),
        peer_audio: s.share("peer_audio"),
        peer_video: s.share("peer_video"),
        pstn_audio: s.share("pstn_audio"),
        meeting_audio: s.share("meeting_audio"),
        meeting_video: s.share("meeting_video"),
        sharing: s.share("sharing"),
        data: s.share("data"),
        peer_calls: s.number("peer_calls"),
        pstn_calls: s.number("pstn_calls"),
        minutes: s.number("minutes"),
    };
    let personas = each(notes, root, ("persona", "name", MAX_PERSONAS), read);
    check::personas(notes, &personas);
    personas
}

/// Sites as written. A file without any gets one, of Lync's default size.
fn sites<'t>(notes: &mut Notes<'t>, root: &DeTable<'t>, plan: &Plan) -> Vec<NamedSite> {
    let remote = &plan.access.remote_share;
    let read = |mut s: Section<'_, '_>| {
        let line = s.line();
        let users = s.count("users");
        let signed_in = s.optional_count("signed_in").map(|answer| answer.map(|users| users as f64));
        let named = (s.text("name"), s.optional_text("hub"), s.optional_text("pair"), s.users_by_name("personas"));
        let site = Site {
            name: named.0,
            hub: None,
            users,
            // A site that does not say it gets it from its users, once those are known.
            signed_in: signed_in.unwrap_or(Answer { value: f64::NAN, origin: Origin::Assumed("L13:user-models") }),
            remote_share: s.optional_share("remote_share").unwrap_or(remote.clone()),
            edition: s.choice("edition"),
            pair: None,
            pstn: s.choice("pstn"),
            survivable: s.flag("survivable"),
            network: s.network("network"),
            perimeter: s.network("perimeter"),
            public: s.network("public"),
            clients: s.networks("clients"),
            personas: Vec::new(),
        };
        NamedSite { site, line, hub: named.1, pair: named.2, personas: named.3 }
    };
    let mut sites = each(notes, root, ("site", "name", MAX_SITES), read);
    if sites.is_empty() && root.get("site").is_none() {
        let section = Section::new(notes, "site", "site \"Main\"".to_owned(), None);
        sites.push(read_silent(section, read));
    }
    sites
}

/// A site that nobody wrote is no fault for lack of a name.
fn read_silent(section: Section<'_, '_>, read: impl Fn(Section<'_, '_>) -> NamedSite) -> NamedSite {
    let mut named = section.forgiving(read);
    named.site.name =
        Answer { value: "Main".to_owned(), origin: Origin::Assumed("L13:create-the-initial-topology-design") };
    named
}

fn links<'t>(notes: &mut Notes<'t>, root: &DeTable<'t>, plan: &Plan) -> Vec<NamedLink> {
    let share = &plan.network.realtime_share;
    let read = |mut s: Section<'_, '_>| NamedLink {
        line: s.line(),
        from: s.text("from"),
        to: s.text("to"),
        mbps: s.number("mbps"),
        realtime_share: s.optional_share("realtime_share").unwrap_or(share.clone()),
    };
    each(notes, root, ("link", "from", MAX_LINKS), read)
}
