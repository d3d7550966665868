//! What a plan file may say, and what is said about a wrong one.

use super::*;

fn problems(text: &str) -> Vec<String> {
    Plan::read(text).expect_err("a wrong file").0.iter().map(Problem::to_string).collect()
}

fn read(text: &str) -> Plan {
    Plan::read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn an_empty_file_is_one_site_of_lyncs_default_size_and_all_is_assumed() {
    let plan = read("");
    assert_eq!(plan.sites.len(), 1);
    assert_eq!((plan.sites[0].name.as_str(), *plan.sites[0].users), ("Main", 80_000));
    assert_eq!(plan.assumed().count(), plan.answers.len());
    assert_eq!(*plan.voice.share, 0.6);
    assert_eq!(plan.organisation.server_domain.value, "contoso.com");
}

#[test]
fn an_answer_carries_its_line_and_the_rest_its_source() {
    let plan = read("[voice]\n\nbypass = 80\n");
    assert_eq!(plan.voice.bypass, Answer { value: 0.8, origin: Origin::Given(3) });
    assert_eq!(plan.voice.minutes, Answer { value: 3.0, origin: Origin::Assumed("L13:user-models") });
}

#[test]
fn every_fault_is_named_at_once_with_line_field_and_what_was_expected() {
    let text = "[organisation]\nsip_domains = [\"contoso\"]\n[meetings]\nshare = 101\nlarge = \"huge\"\n[[site]]\nusers = -1\n[servers]\nx = 1\n[[link]]\nfrom = \"A\"\nto = \"internet\"\n";
    assert_eq!(
        problems(text),
        [
            "line 2: organisation.sip_domains: found array [\"contoso\"]; expected a list of DNS names, like [\"contoso.com\"]",
            "line 4: meetings.share: found integer 101; expected a number of percent from 0 to 100",
            "line 5: meetings.large: found string \"huge\"; expected one of \"none\", \"shared\", \"dedicated\"",
            "line 6: site 1.name: found site 1 without name; expected words in quotes",
            "line 7: site 1.users: found integer -1; expected a whole number from 0 to 10,000,000 users",
            "line 8: servers: found a table that means nothing here; expected one of access, archiving, availability, chat, drivers, exchange, hardware, link, meetings, mobility, model, monitoring, network, organisation, persona, site, voice, vpn",
            "line 10: link \"A\".mbps: found link \"A\" without mbps; expected a number from 0.001 to 1,000,000 Mbps",
            "line 11: link \"A\".from: found \"A\"; expected the name of a site",
        ]
    );
}

#[test]
fn what_is_no_toml_is_named_with_its_line() {
    let found = problems("[voice]\nshare = \n[meetings\n");
    assert!(found[0].starts_with("line 2: found text that is not TOML"), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("line 3:")), "{found:?}");
}

#[test]
fn sites_refer_to_each_other_by_name() {
    let plan = read(
        "[[site]]\nname = \"A\"\npair = \"B\"\nusers = 10\n[[site]]\nname = \"B\"\n[[site]]\nname = \"C\"\nhub = \"A\"\n\
         personas = { sales = 5 }\n[[persona]]\nname = \"sales\"\n[[link]]\nfrom = \"C\"\nto = \"A\"\nmbps = 10\n\
         [[link]]\nfrom = \"A\"\nto = \"internet\"\nmbps = 100.5\n",
    );
    assert_eq!((plan.sites[0].pair, plan.sites[2].hub), (Some(1), Some(0)));
    assert_eq!((*plan.sites[2].users, &plan.sites[2].personas), (5, &vec![(0, 5)]));
    assert_eq!((plan.links[0].from, plan.links[0].to, plan.links[1].to), (2, Some(0), None));
    assert_eq!(*plan.sites[0].signed_in, 8.0);
}

#[test]
fn references_that_lead_nowhere_or_in_circles_are_faults() {
    let site = |name: &str, rest: &str| format!("[[site]]\nname = \"{name}\"\n{rest}\n");
    let cases = [
        (site("A", "hub = \"B\""), "site \"A\".hub: found \"B\"; expected the name of a site: A"),
        (site("A", "hub = \"A\""), "site \"A\".hub: found \"A\", which is no central site"),
        (site("A", "pair = \"A\""), "site \"A\".pair: found the site itself"),
        (site("A", "") + &site("A", ""), "site.name: found \"A\" a second time"),
        (site("internet", ""), "site.name: found \"internet\"; expected another name"),
        (site("A", "") + &site("B", "hub = \"A\"\npair = \"A\""), "site \"B\".pair: found a pair of a branch"),
        (
            site("A", "pair = \"B\"") + &site("B", "pair = \"C\"") + &site("C", ""),
            "site \"A\".pair: found \"B\", which is paired with another",
        ),
        (
            site("A", "pair = \"C\"") + &site("B", "pair = \"C\"") + &site("C", ""),
            "site \"B\".pair: found \"C\", which \"A\" named before",
        ),
        (
            site("A", "users = 5\nsigned_in = 6"),
            "site \"A\".signed_in: found 6 users; expected at most the 5 that are enabled",
        ),
        (site("A", "personas = { x = 1 }"), "site \"A\".personas: found \"x\"; expected the name of a [[persona]]"),
        (
            "[network]\npeer_codec = \"MP3\"\n".to_owned(),
            "network.peer_codec: found \"MP3\"; expected one of RTAudio WB",
        ),
        (
            "[[persona]]\nname = \"x\"\npeer_audio = 60\nmeeting_audio = 60\n".to_owned(),
            "persona \"x\": found 120 % of them in a call at once",
        ),
    ];
    for (text, expected) in cases {
        let found = problems(&text);
        assert!(found.iter().any(|line| line.contains(expected)), "{text}: {found:?}");
    }
}

#[test]
fn without_voice_its_applications_are_off() {
    let plan = read("[voice]\nenabled = false\n");
    assert!(!*plan.voice.response_group && !*plan.voice.call_park && !*plan.voice.announcements);
}

#[test]
fn the_template_is_a_plan_that_says_nothing_and_shows_every_question() {
    let text = template();
    assert_eq!(read(&text).assumed().count(), read("").assumed().count());
    for field in fields() {
        assert!(text.contains(&format!("# {} = ", field.key)), "{}", field.key);
    }
}

#[test]
fn the_template_with_its_marks_taken_away_is_read() {
    let uncommented: Vec<String> = template()
        .lines()
        .filter_map(|line| line.strip_prefix("# ").or(Some(line)))
        .filter(|line| {
            (line.starts_with('[') && line.ends_with(']'))
                || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        })
        .map(|line| match line {
            "name = \"\"" => "name = \"A\"".to_owned(),
            "from = \"\"" => "from = \"A\"".to_owned(),
            "to = \"\"" => "to = \"internet\"".to_owned(),
            "personas = { office = 100 }" => "personas = { A = 100 }".to_owned(),
            "hub = \"\"" | "pair = \"\"" | "peer_codec = \"\"" | "meeting_codec = \"\"" | "pstn_codec = \"\"" => {
                String::new()
            }
            line => line.to_owned(),
        })
        .collect();
    let plan = read(&uncommented.join("\n"));
    assert!(plan.answers.iter().filter(|answer| answer.origin.is_given()).count() > 80);
}

#[test]
fn bounds_hold() {
    assert!(problems(&"#".repeat(MAX_FILE_BYTES + 1))[0].contains("bytes"));
    let sites: String = (0..=MAX_SITES).map(|number| format!("[[site]]\nname = \"{number}\"\n")).collect();
    assert!(problems(&sites)[0].contains("at most 1000"));
    assert_eq!(problems(&"[[link]]\n".repeat(500)).len(), section::MAX_PROBLEMS);
}
