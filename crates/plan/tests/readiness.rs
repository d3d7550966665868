//! Rollout readiness, scored from answers and facts.

use std::collections::BTreeMap;

use lyceum_plan::Plan;
use lyceum_plan::bandwidth::bandwidth;
use lyceum_plan::readiness::*;
use lyceum_plan::survey::{judge_inventory, judge_wifi};

fn all(answer: &str) -> BTreeMap<&'static str, (Reply, String)> {
    let rows: String = questions().iter().map(|question| format!("{},{answer},\n", question.id)).collect();
    read_answers(&format!("id,answer,note\n{rows}")).unwrap_or_else(|faults| panic!("{faults}"))
}

/// SEED2 section 2: the kit goes from scope over trial, pilot and rollout to the run state.
#[test]
fn the_phases_of_the_kit_in_order() {
    let phases: Vec<&str> =
        readiness(&BTreeMap::new(), &BTreeMap::new()).phases.iter().map(|phase| phase.name).collect();
    let expected =
        ["project scope", "proof of concept", "pilot rollout validation", "enterprise rollout validation", "run state"];
    assert_eq!(phases, expected);
}

#[test]
fn nothing_answered_is_nothing_reached_and_all_yes_is_ready() {
    let none = readiness(&BTreeMap::new(), &BTreeMap::new());
    assert!(none.phases.iter().all(|phase| phase.percent == 0.0 && phase.answered == 0 && !phase.ready));
    assert_eq!(none.next, Some("project scope"));
    let done = readiness(&all("yes"), &BTreeMap::new());
    assert!(done.phases.iter().chain(&done.areas).all(|score| score.percent == 100.0 && score.ready));
    assert_eq!(done.next, None);
    let half = readiness(&all("partly"), &BTreeMap::new());
    assert!(half.phases.iter().all(|phase| phase.percent == 50.0 && !phase.ready));
}

#[test]
fn a_phase_without_one_of_its_musts_is_not_ready() {
    let mut answers = all("yes");
    answers.insert("stakeholders", (Reply::Partly, String::new()));
    let found = readiness(&answers, &BTreeMap::new());
    let scope = &found.phases[0];
    assert!(scope.percent > READY_PERCENT && !scope.ready);
    assert_eq!((scope.missing.as_slice(), found.next), (&["stakeholders"][..], Some("project scope")));
    answers = all("yes");
    answers.insert("sponsor", (Reply::No, String::new()));
    assert!(readiness(&answers, &BTreeMap::new()).phases[0].ready);
}

/// L13:poster-lync-call-quality-methodology: under 2 % poor streams between servers, 5 % at sites, above 3.6 for devices.
#[test]
fn a_fact_answers_whatever_a_person_wrote() {
    let reply = |fact: &'static str, value: f64, id: &str| {
        let found = readiness(&all("yes"), &BTreeMap::from([(fact, value)]));
        found.answers.iter().find(|answer| answer.question.id == id).expect("a question").reply
    };
    for (fact, good, bad, id) in [
        ("poor-server-streams", 1.9, 2.0, "pilot-quality"),
        ("poor-site-streams", 4.9, 5.0, "pilot-last-mile"),
        ("device-mos", 3.61, 3.6, "pilot-mos"),
        ("media-over-vpn", 0.0, 0.1, "vpn"),
        ("wifi-coverage", 100.0, 99.9, "wifi"),
        ("certificate-days", 30.0, 29.0, "certificates"),
        ("red-links", 0.0, 1.0, "bandwidth"),
    ] {
        assert_eq!((reply(fact, good, id), reply(fact, bad, id)), (Reply::Yes, Reply::No), "{id}");
    }
}

#[test]
fn the_other_calculators_give_facts() {
    let plan = |mbps: &str| {
        Plan::read(&format!("[access]\nedge = false\n[[site]]\nname = \"A\"\n[[site]]\nname = \"B\"\nhub = \"A\"\nusers = 500\n[[link]]\nfrom = \"B\"\nto = \"A\"\nmbps = {mbps}\n")).expect("a plan")
    };
    let wifi = judge_wifi("floor,point,rssi_dbm,snr_db\n1,a,-80,30\n1,b,-60,30\n").expect("a survey");
    let inventory = judge_inventory("category,product,count\nphone,X,3\nphone,CX600,5\n").expect("an inventory");
    let found = facts(Some(&bandwidth(&plan("1"))), Some(&wifi), Some(&inventory));
    assert_eq!(found, BTreeMap::from([("red-links", 1.0), ("replace-items", 3.0), ("wifi-coverage", 50.0)]));
    assert_eq!(facts(Some(&bandwidth(&plan("1000"))), None, None), BTreeMap::from([("red-links", 0.0)]));
    let without = Plan::read("").expect("a plan");
    assert_eq!(facts(Some(&bandwidth(&without)), None, None), BTreeMap::new());
}

#[test]
fn wrong_answers_are_named_at_once() {
    let found = read_answers("id,answer\nnothing,yes\nlab,maybe\nqos,yes\n").expect_err("faults").to_string();
    assert!(found.starts_with("line 2: id: found \"nothing\"; expected one of drivers, "), "{found}");
    assert!(found.ends_with("line 3: answer: found \"maybe\"; expected yes, partly, no or nothing\n"), "{found}");
    let twice = read_answers("id,answer\nlab,yes\nlab,no\n").expect_err("a fault").to_string();
    assert_eq!(twice, "line 3: id: found \"lab\" a second time; expected one answer to each question\n");
}

/// GENEP: spread over skill, role and department; IT, training and help desk included.
#[test]
fn a_pilot_is_spread_and_holds_those_who_will_help() {
    let good = "user,department,role,skill\na,IT,admin,high\nb,Training,trainer,medium\nc,Help-desk,agent,medium\nd,Sales,seller,low\n";
    assert!(judge_pilot(good).expect("a pilot").passes);
    let bad = "user,department,role,skill\na,IT,admin,high\nb,IT,admin,high\n";
    let kept: Vec<bool> = judge_pilot(bad).expect("a pilot").checks.iter().map(|check| check.passes).collect();
    assert_eq!(kept, [false, false, false, true, false, false]);
    assert!(
        judge_pilot("user,department,role,skill\na,b,c,expert\n")
            .expect_err("a fault")
            .to_string()
            .contains("low, medium or high")
    );
}

#[test]
fn tables_have_as_many_cells_as_columns() {
    let mut tables = readiness(&BTreeMap::new(), &BTreeMap::new()).tables();
    tables.push(judge_pilot("user,department,role,skill\na,b,c,low\n").expect("a pilot").table());
    for table in tables {
        assert!(
            !table.rows.is_empty() && table.rows.iter().all(|row| row.len() == table.columns.len()),
            "{}",
            table.title
        );
    }
}
