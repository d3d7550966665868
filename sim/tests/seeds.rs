//! A few seeds, every planted fault, and repeatability. The thousand seeds run in release: `cargo run --release -p sim`.

use sim::plant::Fault;
use sim::violation::Rule;

#[test]
fn seeds_pass() {
    for seed in 1..=12 {
        let outcome = sim::run(seed, None, false);
        assert!(outcome.violations.is_empty(), "seed {seed} {}", outcome.violations[0]);
        assert!(outcome.counts.answered > 10 && outcome.counts.registered > 10, "seed {seed}: nothing happens");
    }
}

#[test]
fn a_seed_repeats_itself() {
    let (one, two) = (sim::run(3, None, false), sim::run(3, None, true));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert!(one.lines.is_empty() && two.lines.len() > 1000);
    assert_ne!(one.fingerprint, sim::run(4, None, false).fingerprint);
}

#[test]
fn every_planted_fault_is_found_by_the_rule_that_it_breaks() {
    let expected: [(Fault, &[Rule]); 8] = [
        (Fault::EarlyOk, &[Rule::Durable]),
        (Fault::RepeatIsNew, &[Rule::Accepted, Rule::OneFinal, Rule::ForkedOnce]),
        (Fault::NoCancel, &[Rule::RingingEnds]),
        (
            Fault::DeadTimer,
            &[Rule::TransactionsEnd, Rule::OneFinal, Rule::Answered, Rule::RightPeer, Rule::RingingEnds],
        ),
        (Fault::LostAck, &[Rule::Acknowledged]),
        (Fault::WrongFlow, &[Rule::RightPeer]),
        (Fault::LostEntry, &[Rule::BindingKept, Rule::RemovalKept]),
        (Fault::WrongOrder, &[Rule::BindingKept, Rule::RemovalKept]),
    ];
    assert_eq!(expected.map(|(fault, _)| fault), Fault::ALL);
    for (fault, rules) in expected {
        let found = sim::find(fault, 1..26);
        let (_, violation) = found.unwrap_or_else(|| panic!("{} is not found", fault.name()));
        assert!(rules.contains(&violation.rule), "{}: {violation}", fault.name());
    }
}
