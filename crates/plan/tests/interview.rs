//! The interview as somebody lives through it who knows the business and not the file.

use lyceum_plan::drivers::fulfilments;
use lyceum_plan::interview::{Interview, MAX_REPLIES};
use lyceum_plan::{Plan, fields};
use proptest::prelude::*;

/// Answers the questions whose ids are named, skips the others, and gives the ids that were asked.
fn hold(interview: &mut Interview, answers: &[(&str, &str)]) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(question) = interview.question() {
        match answers.iter().find(|(id, _)| *id == question.id) {
            Some((_, answer)) => interview.answer(answer).unwrap_or_else(|refusal| panic!("{refusal}")),
            None => interview.skip().unwrap_or_else(|refusal| panic!("{refusal}")),
        }
        asked.push(question.id);
    }
    asked
}

fn read(text: &str) -> Plan {
    Plan::read(text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

const THREE: &[(&str, &str)] = &[
    ("drivers.continuity", "yes"),
    ("drivers.teams", "y"),
    ("organisation.name", "Contoso \"West\""),
    ("organisation.sip_domains", "contoso.com fabrikam.com"),
    ("another.persona[0]", "yes"),
    ("persona[0].name", "office"),
    ("persona[0].peer_audio", "5 %"),
    ("site[0].name", "London"),
    ("site[0].users", "30,000"),
    ("site[0].personas", "office = 1200"),
    ("another.site[1]", "yes"),
    ("site[1].name", "Paris"),
    ("site[1].users", "15000"),
    ("site[1].pair", "London"),
    ("another.site[2]", "yes"),
    ("site[2].name", "Leeds"),
    ("site[2].users", "800"),
    ("site[2].hub", "London"),
    ("site[2].pstn", "local"),
    ("another.link[0]", "yes"),
    ("link[0].from", "Leeds"),
    ("link[0].to", "London"),
    ("link[0].mbps", "20 Mbps"),
    ("details.voice", "yes"),
    ("voice.bypass", "80"),
    ("voice.hyper_threading", "no"),
];

#[test]
fn skipping_everything_leaves_lyncs_defaults_and_marks_them_assumed() {
    let mut interview = Interview::new();
    hold(&mut interview, &[]);
    let plan = read(&interview.file());
    let given: Vec<&str> = plan.answers.iter().filter(|a| a.origin.is_given()).map(|a| a.field.as_str()).collect();
    assert_eq!(given, ["site \"Main\".name"]);
    assert_eq!(plan.sites.len(), 1);
    assert_eq!(*plan.sites[0].users, 80_000);
}

#[test]
fn answers_become_a_plan_of_sites_roles_and_links() {
    let mut interview = Interview::new();
    hold(&mut interview, THREE);
    let plan = read(&interview.file());
    assert_eq!(plan.organisation.name.value, "Contoso \"West\"");
    assert_eq!(plan.organisation.sip_domains.value, ["contoso.com", "fabrikam.com"]);
    let sites: Vec<(&str, u64, Option<usize>, Option<usize>)> =
        plan.sites.iter().map(|site| (site.name.as_str(), *site.users, site.hub, site.pair)).collect();
    assert_eq!(
        sites,
        [("London", 30_000, None, None), ("Paris", 15_000, None, Some(0)), ("Leeds", 800, Some(0), None)]
    );
    assert_eq!(plan.sites[0].personas, [(0, 1200)]);
    assert_eq!((plan.links[0].from, plan.links[0].to, *plan.links[0].mbps), (2, Some(0), 20.0));
    assert_eq!(*plan.voice.bypass, 0.8);
    assert!(!*plan.voice.hyper_threading);
    assert!(plan.voice.minutes.is_assumed());
}

#[test]
fn drivers_become_requirements_and_requirements_the_answers_that_are_proposed() {
    let mut interview = Interview::new();
    interview.answer("no").expect("travel");
    interview.skip().expect("external meetings");
    while interview.question().is_some_and(|question| question.id != "drivers.continuity") {
        interview.skip().expect("a driver");
    }
    interview.answer("yes").expect("continuity");
    while interview.question().is_some_and(|question| question.id != "availability.recovery") {
        interview.skip().expect("a question");
    }
    let question = interview.question().expect("recovery");
    assert_eq!(question.skipped.as_deref(), Some("true"));
    assert_eq!(question.because, ["The loss of a site is survived"]);
    interview.skip().expect("recovery");
    assert!(interview.file().contains("# The loss of a site is survived (drivers.continuity)\nrecovery = true\n"));
    hold(&mut interview, &[]);
    let plan = read(&interview.file());
    assert!(*plan.availability.recovery);
    assert!(fulfilments(&plan).iter().all(|found| found.fulfilled));
}

#[test]
fn a_wrong_answer_says_what_was_expected_and_the_question_stays() {
    let mut interview = Interview::new();
    let cases = [
        ("drivers.travel", "perhaps", "found \"perhaps\"; expected yes or no"),
        (
            "organisation.sip_domains",
            "contoso",
            "found \"contoso\"; expected a list of DNS names, like [\"contoso.com\"]",
        ),
        ("model.concurrency", "101", "found \"101\"; expected a number of percent from 0 to 100"),
        ("site[0].users", "many", "found \"many\"; expected a whole number from 0 to 10,000,000 users"),
        ("site[0].personas", "sales = 3", "found \"sales = 3\"; expected the name of a [[persona]]: office"),
        ("site[1].name", "London", "found \"London\"; expected a name of its own for each site"),
        ("site[1].pair", "Rome", "found \"Rome\"; expected the name of a site: London, Paris"),
        ("site[2].hub", "Leeds", "found \"Leeds\"; expected a site that has no hub itself"),
        ("link[0].mbps", "0", "found \"0\"; expected a number from 0.001 to 1,000,000 Mbps"),
        (
            "voice.gateways",
            "10.0.0.256",
            "found \"10.0.0.256\"; expected a list of IPv4 addresses, like [\"192.0.2.1\"]",
        ),
    ];
    let mut met = 0;
    while let Some(question) = interview.question() {
        if let Some((id, wrong, said)) = cases.iter().find(|(id, ..)| *id == question.id) {
            let refusal = interview.answer(wrong).expect_err(wrong);
            assert_eq!(refusal.to_string(), format!("{id}: {said}"));
            assert_eq!(interview.question().as_ref(), Some(&question));
            met += 1;
        }
        match THREE.iter().find(|(id, _)| *id == question.id) {
            Some((_, answer)) => interview.answer(answer).unwrap_or_else(|refusal| panic!("{refusal}")),
            None => interview.skip().unwrap_or_else(|refusal| panic!("{refusal}")),
        }
    }
    assert_eq!(met, cases.len());
}

#[test]
fn a_kind_of_users_that_is_busier_than_it_can_be_is_refused_at_once() {
    let mut interview = Interview::new();
    while interview.question().is_some_and(|question| question.id != "another.persona[0]") {
        interview.skip().expect("a question");
    }
    for answer in ["yes", "office", "", "60", "0"] {
        if answer.is_empty() { interview.skip() } else { interview.answer(answer) }.expect("an answer");
    }
    let refusal = interview.answer("60").expect_err("120 percent of them in calls");
    assert_eq!(refusal.expected, "peer_audio, pstn_audio and meeting_audio together at most 100");
}

#[test]
fn what_must_be_answered_cannot_be_skipped() {
    let mut interview = Interview::new();
    while interview.question().is_some_and(|question| question.id != "another.site[1]") {
        interview.skip().expect("a question");
    }
    interview.answer("yes").expect("another site");
    let question = interview.question().expect("its name");
    assert!(question.required && question.skipped.is_none());
    assert_eq!(interview.skip().expect_err("no name").id, "site[1].name");
}

#[test]
fn back_forgets_one_answer_and_asks_again() {
    let mut interview = Interview::new();
    assert!(!interview.back());
    interview.answer("yes").expect("travel");
    let before = interview.clone();
    interview.answer("yes").expect("meetings");
    assert!(interview.back());
    assert_eq!(interview, before);
    assert_eq!(interview.question().expect("again").id, "drivers.external_meetings");
}

#[test]
fn what_does_not_concern_an_organisation_is_not_asked() {
    let asked =
        hold(&mut Interview::new(), &[("voice.enabled", "no"), ("access.edge", "no"), ("details.meetings", "yes")]);
    assert!(!asked.iter().any(|id| id.starts_with("voice.") && id != "voice.enabled"));
    assert!(
        !asked.iter().any(|id| id == "details.voice" || id == "access.remote_share" || id.starts_with("another.link"))
    );
    assert!(asked.iter().any(|id| id == "meetings.audio_less"));
    assert!(!asked.iter().any(|id| id == "site[0].hub" || id == "site[0].survivable"));
    let asked = hold(&mut Interview::new(), THREE);
    assert!(asked.contains(&"site[2].survivable".to_owned()) && !asked.contains(&"site[1].survivable".to_owned()));
}

#[test]
fn an_interview_is_its_replies() {
    let mut interview = Interview::new();
    hold(&mut interview, THREE);
    let again = Interview::replay(interview.replies()).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(again, interview);
    assert_eq!(again.file(), interview.file());
}

#[test]
fn an_interview_without_end_ends() {
    let mut interview = Interview::new();
    let mut sites = 0;
    while let Some(question) = interview.question() {
        let name = format!("Site {sites}");
        match question.id.as_str() {
            id if id.starts_with("another.site") => interview.answer("yes"),
            id if id.starts_with("site[") && id.ends_with(".name") => {
                sites += 1;
                interview.answer(&name)
            }
            _ => interview.skip(),
        }
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    }
    assert_eq!(interview.replies().count(), MAX_REPLIES);
    assert!(interview.answer("yes").is_err() && interview.skip().is_err());
    assert_eq!(read(&interview.file()).sites.len(), sites);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_typed_the_file_can_be_read(
        typed in proptest::collection::vec("yes|no|[0-9]{1,3}|London|Paris|contoso\\.com|10\\.1\\.0\\.0/24|internet|\\PC{0,12}", 150)
    ) {
        let mut interview = Interview::new();
        let mut typed = typed.iter().cycle().take(600);
        while let Some(question) = interview.question() {
            let taken = typed.next().is_some_and(|text| interview.answer(text).is_ok());
            if !taken && interview.skip().is_err() {
                // A name of its own, a place that exists, a speed.
                let asked = interview.replies().count();
                let fallback = [format!("Name {asked}"), "internet".to_owned(), "10".to_owned(), "Main".to_owned()];
                if !fallback.iter().any(|answer| interview.answer(answer).is_ok()) {
                    // The first site is called something else; nothing else can stand here.
                    prop_assert!(question.id.starts_with("link["), "{}", question.id);
                    prop_assert!(interview.back() && interview.back());
                    interview.skip().ok();
                }
            }
        }
        let plan = Plan::read(&interview.file());
        prop_assert!(plan.is_ok(), "{:?}\n{}", plan.err(), interview.file());
    }
}

#[test]
fn questions_carry_their_words_and_sources() {
    let question = Interview::new().question().expect("the first");
    let field = &fields()[0];
    assert_eq!((question.text.as_str(), question.source), (field.question, field.source));
    assert_eq!((question.group, question.asked, question.required), ("Business drivers", 0, false));
}
