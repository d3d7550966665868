//! The bandwidth calculator against the published rows and against sums made by hand.

use lyceum_plan::Plan;
use lyceum_plan::bandwidth::*;
use lyceum_plan::figures::{codecs, modes, rules};

fn read(text: &str) -> Plan {
    Plan::read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn one(number: f64) -> String {
    format!("{number:.1}")
}

/// L13:network-bandwidth-requirements-for-media-traffic, -call-admission-control and derived: how each row is built.
#[test]
fn every_codec_row_follows_from_its_payload() {
    let mut rows = 0;
    for codec in codecs() {
        let (Some(payload), Some(with_ip), Some(full)) = (codec.payload, codec.with_ip, codec.full) else { continue };
        rows += 1;
        let conference = codec.scenario.contains("conference") && !codec.scenario.contains("PSTN");
        let headers = if conference { 15.6 } else { 12.0 };
        let stereo = codec.name.contains("stereo");
        let fec = full + if stereo { 64.0 } else { payload };
        assert_eq!(one(payload + 16.0), one(with_ip), "{}", codec.name);
        assert_eq!(one(with_ip + headers), one(full), "{}", codec.name);
        assert_eq!(Some(one(fec)), codec.full_fec.map(one), "{}", codec.name);
        assert_eq!(Some(one(full + 5.0)), codec.plan.map(one), "{}", codec.name);
        assert_eq!(Some(one(fec + 5.0)), codec.plan_fec.map(one), "{}", codec.name);
        if let (Some(plain), Some(corrected)) = (codec.admission, codec.admission_fec) {
            assert_eq!((one(full + 10.0), one(fec + 10.0)), (one(plain), one(corrected)), "{}", codec.name);
        }
        if let (Some(activity), Some(typical)) = (codec.activity, codec.typical) {
            assert_eq!(one(full * activity + 5.0), one(typical), "{} {}", codec.name, codec.scenario);
        }
    }
    assert_eq!(rows, 7);
}

/// L13:network-bandwidth-requirements-for-media-traffic: the codec rows, as they are published.
#[test]
fn codec_rows_as_published() {
    let row = |name: &str, scenario: &str| {
        let codec = codecs().iter().find(|c| c.short() == name && c.scenario.contains(scenario)).expect("a row");
        [codec.payload, codec.full, codec.plan, codec.plan_fec, codec.typical, codec.admission, codec.admission_fec]
            .map(Option::unwrap)
    };
    assert_eq!(row("RTAudio WB", "P2P"), [29.0, 57.0, 62.0, 91.0, 39.8, 67.0, 96.0]);
    assert_eq!(row("RTAudio NB", "P2P"), [11.8, 39.8, 44.8, 56.6, 29.3, 49.8, 61.6]);
    assert_eq!(row("RTAudio NB", "PSTN"), [11.8, 39.8, 44.8, 56.6, 30.9, 49.8, 61.6]);
    assert_eq!(row("G.722", "conference"), [64.0, 95.6, 100.6, 164.6, 46.1, 105.6, 169.6]);
    assert_eq!(row("G.711", "PSTN"), [64.0, 92.0, 97.0, 161.0, 64.8, 102.0, 166.0]);
    assert_eq!(row("Siren", "conference"), [16.0, 47.6, 52.6, 68.6, 25.5, 57.6, 73.6]);
}

/// L13:defining-your-requirements-for-call-admission-control: the three ways to provision, and the codec behind each.
#[test]
fn modes_are_the_codecs_rounded() {
    for mode in modes() {
        let scenario = if mode.scenario == "peer" {
            "P2P"
        } else if mode.scenario == "meeting" {
            "conference"
        } else {
            "PSTN"
        };
        for (column, (kbps, name)) in mode.kbps.into_iter().zip(mode.codec).enumerate() {
            let codec = codecs().iter().find(|c| c.short() == name && c.scenario.contains(scenario)).expect("a row");
            let rate = if column == 2 { codec.plan_fec } else { codec.plan };
            assert_eq!(Some(kbps), rate.map(f64::round), "{} {name}", mode.scenario);
        }
    }
}

/// L13:network-bandwidth-requirements-for-media-traffic: maxima of video are payload and RTCP of 10 or 15 kbps.
#[test]
fn video_streams_as_published() {
    let rates = Rates::of(&read(""));
    let both = |rate: Rate| (rate.typical, rate.maximum);
    assert_eq!(both(rates.peer_video), (460.0, 4000.0 + 10.0));
    assert_eq!(both(rates.meeting_video_receive), (260.0, 8000.0 + 15.0));
    assert_eq!(both(rates.meeting_video_send), (270.0, 8000.0 + 15.0));
}

/// L13:defining-your-requirements-for-call-admission-control: quantity 45/53/45, balanced 62/101/97, quality 91/165/161.
#[test]
fn a_plan_provisions_for_quantity_balance_or_quality() {
    let planned = |text: &str| {
        let rates = Rates::of(&read(text));
        [rates.peer_audio.planned, rates.meeting_audio.planned, rates.pstn_audio.planned]
    };
    assert_eq!(planned("[network]\naudio = \"quantity\""), [45.0, 53.0, 45.0]);
    assert_eq!(planned(""), [62.0, 101.0, 97.0]);
    assert_eq!(planned("[network]\naudio = \"quality\""), [91.0, 165.0, 161.0]);
    assert_eq!(planned("[network]\nfec = true"), [91.0, 164.6, 161.0]);
    assert_eq!(planned("[network]\npeer_codec = \"G.722 stereo\"\nmeeting_codec = \"Siren\""), [164.6, 52.6, 97.0]);
}

/// A hub with 900 users and a branch with 100, all inside, all signed in.
fn branch(speed: u32, persona: &str) -> Plan {
    read(&format!(
        "[model]\nconcurrency = 100\n[access]\nremote_share = 0\nedge = false\n[voice]\nshare = 0\n[meetings]\nenabled = false\n\
         [[site]]\nname = \"Hub\"\nusers = 900\npersonas = {{ p = 900 }}\n\
         [[site]]\nname = \"Branch\"\nhub = \"Hub\"\nusers = 100\npersonas = {{ p = 100 }}\n\
         [[link]]\nfrom = \"Branch\"\nto = \"Hub\"\nmbps = {speed}\n[[persona]]\nname = \"p\"\n{persona}\n"
    ))
}

fn flow(link: &LinkDemand, way: usize, modality: Modality) -> (f64, f64) {
    let found = link.directions[way].flows.iter().find(|flow| flow.modality == modality);
    let tidy = |number: f64| (number * 1e6).round() / 1e6;
    found.map_or((0.0, 0.0), |flow| (tidy(flow.streams), flow.planned.value))
}

/// derived (recommended formula): users x concurrency x share that leaves the site x stream.
#[test]
fn demand_is_users_times_concurrency_times_stream() {
    let plan = branch(10, "peer_audio = 10\nmeeting_audio = 5\npstn_audio = 4\nmeeting_video = 2\nsharing = 4\n");
    let found = bandwidth(&plan);
    let link = &found.links[0];
    // Of 10 people in calls, nine tenths of the colleagues are at the hub, and nine of its 90 call here.
    assert_eq!(flow(link, 0, Modality::PeerAudio), (9.0, 9.0 * 62.0));
    assert_eq!(flow(link, 1, Modality::PeerAudio), (9.0, 9.0 * 62.0));
    assert_eq!(flow(link, 0, Modality::MeetingAudio), (5.0, 5.0 * 101.0));
    assert_eq!(flow(link, 1, Modality::PstnAudio), (4.0, 4.0 * 97.0));
    assert_eq!(flow(link, 0, Modality::MeetingVideo), (2.0, 2.0 * 270.0));
    assert_eq!(flow(link, 1, Modality::MeetingVideo), (2.0, 2.0 * 260.0));
    let shared = flow(link, 0, Modality::Sharing).0 + flow(link, 1, Modality::Sharing).0;
    assert_eq!((one(shared), one(flow(link, 0, Modality::Sharing).0)), ("4.0".into(), "0.9".into()));
    assert_eq!(one(flow(link, 0, Modality::Signalling).1), one(100.0 * 1.9 * 1.3));
}

/// derived: calls and minutes give erlang, and Erlang B the calls at once.
#[test]
fn calls_and_minutes_are_reckoned_by_erlang_b() {
    // 100 users x 2 calls x 3 minutes = 10 erlang; at 1 % blocking that is 18 lines.
    let plan = branch(10, "pstn_calls = 2\nminutes = 3\n");
    assert_eq!(flow(&bandwidth(&plan).links[0], 0, Modality::PstnAudio), (18.0, 18.0 * 97.0));
}

/// IGN5: local breakout keeps the PSTN off the WAN.
#[test]
fn local_breakout_keeps_the_pstn_off_the_link() {
    let mut plan = branch(10, "pstn_audio = 10\n");
    plan.sites[1].pstn.value = lyceum_plan::Breakout::Local;
    assert_eq!(flow(&bandwidth(&plan).links[0], 0, Modality::PstnAudio), (0.0, 0.0));
}

/// IGN5: red above 30 % of the link; the plan may say another share.
#[test]
fn a_link_is_red_above_its_share() {
    // 10 calls at most use 9 x 62 = 558 kbps and 247 of signalling: 805 kbps.
    let at = |speed: u32| {
        let link = bandwidth(&branch(speed, "peer_audio = 10\n")).links[0].clone();
        (link.verdict, link.lack_kbps.map(|figure| figure.value.round()), link.needed_mbps.value)
    };
    assert_eq!(at(3).0, Verdict::Fits);
    assert_eq!((at(2).0, at(2).1), (Verdict::OverShare, Some(205.0)));
    assert_eq!(format!("{:.3}", at(2).2), "2.683");
    let tiny = bandwidth(&branch(1, "peer_audio = 40\n"));
    assert_eq!(tiny.links[0].verdict, Verdict::OverSpeed);
}

/// L13:create-bandwidth-policy-profiles: the profiles for 5, 10, 25 and 50 Mbps allow 40 % audio and 28 % video.
#[test]
fn policies_are_capped_as_the_sample_profiles() {
    for (mbps, audio, video) in
        [(5, 2000.0, 1400.0), (10, 4000.0, 2800.0), (25, 10_000.0, 7000.0), (50, 20_000.0, 14_000.0)]
    {
        let mut plan = branch(mbps, "peer_audio = 100\npeer_video = 100\n");
        plan.sites.iter_mut().for_each(|site| {
            site.signed_in.value *= 10.0;
            site.users.value *= 10;
            site.personas[0].1 *= 10;
        });
        let policy = bandwidth(&plan).links[0].admission.clone();
        assert_eq!((policy.audio_limit.value, policy.video_limit.value), (audio, video), "{mbps}");
        assert_eq!((policy.audio_session.value, policy.video_session.value), (175.0, 700.0));
        assert!(policy.audio_refused_kbps > 0.0 && policy.video_refused_kbps > 0.0);
    }
}

/// derived: calls x session, with room so that the policy is used to at most 90 %.
#[test]
fn a_policy_admits_what_is_wanted_and_a_tenth_more() {
    let policy = bandwidth(&branch(10, "peer_audio = 10\n")).links[0].admission.clone();
    // 9 calls of 67 kbps (the admission value of RTAudio WB) are 603 kbps.
    assert_eq!((policy.audio_limit.value, policy.audio_refused_kbps), (670.0, 0.0));
}

/// derived (recommended formula): people outside load the internet link, and the WAN again towards a branch.
#[test]
fn people_outside_load_the_internet_link() {
    let text = "[model]\nconcurrency = 100\n[access]\nremote_share = 50\n[voice]\nshare = 0\n[meetings]\nenabled = false\n\
         [[site]]\nname = \"Hub\"\nusers = 100\npersonas = { p = 100 }\n\
         [[link]]\nfrom = \"Hub\"\nto = \"internet\"\nmbps = 100\n[[persona]]\nname = \"p\"\nmeeting_audio = 10\n";
    let found = bandwidth(&read(text));
    assert_eq!(found.links.len(), 1);
    assert_eq!(flow(&found.links[0], 0, Modality::MeetingAudio), (5.0, 505.0));
    assert_eq!(flow(&found.links[0], 1, Modality::MeetingAudio), (5.0, 505.0));
}

#[test]
fn a_link_that_the_plan_does_not_name_is_reckoned_without_a_speed() {
    let found =
        bandwidth(&read("[[site]]\nname = \"A\"\n[[site]]\nname = \"B\"\nhub = \"A\"\n[[site]]\nname = \"C\"\n"));
    let ends: Vec<(&str, &str, Verdict)> =
        found.links.iter().map(|l| (l.from.as_str(), l.to.as_str(), l.verdict)).collect();
    let expected = [("C", "A"), ("B", "A"), ("A", "internet"), ("C", "internet")];
    assert_eq!(ends, expected.map(|(from, to)| (from, to, Verdict::NoSpeed)));
}

#[test]
fn traffic_between_two_branches_counts_on_both_links() {
    let site = |name: &str, rest: &str| format!("[[site]]\nname = \"{name}\"\n{rest}\n");
    let text = "[model]\nconcurrency = 100\n[access]\nedge = false\n[voice]\nshare = 0\n[meetings]\nenabled = false\n"
        .to_owned()
        + &site("Hub", "users = 0")
        + &site("B", "hub = \"Hub\"\nusers = 100\npersonas = { p = 100 }")
        + &site("C", "hub = \"Hub\"\nusers = 100\npersonas = { p = 100 }")
        + "[[persona]]\nname = \"p\"\npeer_audio = 10\naway_share = 30\n";
    let found = bandwidth(&read(&text));
    for link in &found.links {
        assert_eq!(
            (flow(link, 0, Modality::PeerAudio).0, flow(link, 1, Modality::PeerAudio).0),
            (3.0, 3.0),
            "{}",
            link.from
        );
    }
}

#[test]
fn a_persona_that_talks_all_day_is_noticed() {
    assert_eq!(bandwidth(&branch(10, "peer_audio = 21\n")).warnings.len(), 1);
    assert!(bandwidth(&branch(10, "peer_audio = 20\n")).warnings.is_empty());
}

#[test]
fn two_hundred_sites_and_a_million_endpoints_are_reckoned() {
    let mut text = String::new();
    for number in 0..200 {
        text.push_str(&format!("[[site]]\nname = \"s{number}\"\nusers = 3300\n"));
        if number >= 10 {
            text.push_str(&format!(
                "hub = \"s{0}\"\n[[link]]\nfrom = \"s{number}\"\nto = \"s{0}\"\nmbps = 100\n",
                number % 10
            ));
        }
    }
    let plan = read(&text);
    let endpoints: f64 =
        lyceum_plan::capacity::capacity(&plan).sites[..10].iter().map(|site| site.load.endpoints.value).sum();
    assert_eq!(endpoints.round(), 1_003_200.0);
    let found = bandwidth(&plan);
    assert_eq!(found.links.len(), 190 + 9 + 10);
    assert!(found.links.iter().all(|link| link.directions[0].planned_kbps > 0.0));
}

#[test]
fn tables_have_as_many_cells_as_columns_and_rules_that_are_written_down() {
    let found = bandwidth(&branch(10, "peer_audio = 10\npstn_calls = 1\nminutes = 2"));
    for table in found.tables() {
        assert!(!table.rows.is_empty(), "{}", table.title);
        assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.title);
    }
    for flow in found.links.iter().flat_map(|link| &link.directions).flat_map(|direction| &direction.flows) {
        assert!(rules().iter().any(|rule| rule.id == flow.planned.rule));
    }
}
