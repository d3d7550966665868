//! Rollout readiness after the adoption kit: phases, focus areas and a report, scored from answers and from facts.

mod pilot;
mod report;

pub use pilot::{Pilot, PilotCheck, judge_pilot};

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;

use crate::bandwidth::{Bandwidth, Verdict};
use crate::figures::{Choice, choice, rows};
use crate::survey::{Fault, Faults, Inventory, Sheet, WifiSurvey};

/// One question of the kit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// How answers call it.
    pub id: &'static str,
    /// The phase that waits for it.
    pub phase: &'static str,
    /// The focus area.
    pub area: &'static str,
    /// What to ask.
    pub question: &'static str,
    /// Whether the phase is not ready without it.
    pub must: bool,
    /// Its weight.
    pub weight: f64,
    /// The fact that answers it, where there is one.
    pub live: Option<Bound>,
    /// What to do when the answer is no.
    pub advice: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// A fact and what it has to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bound {
    /// The fact.
    pub fact: &'static str,
    /// `<`, `<=`, `>` or `>=`.
    pub compare: &'static str,
    /// With what.
    pub limit: f64,
}

impl Bound {
    fn read(text: &'static str) -> Option<Bound> {
        let at = text.find(['<', '>'])?;
        let end = if text[at + 1..].starts_with('=') { at + 2 } else { at + 1 };
        Some(Bound { fact: &text[..at], compare: &text[at..end], limit: text[end..].parse().ok()? })
    }

    fn holds(&self, value: f64) -> bool {
        match self.compare {
            "<" => value < self.limit,
            "<=" => value <= self.limit,
            ">" => value > self.limit,
            _ => value >= self.limit,
        }
    }
}

/// The questions of the kit, phase by phase.
pub fn questions() -> &'static [Question] {
    static QUESTIONS: LazyLock<Vec<Question>> = LazyLock::new(|| {
        let list = rows(include_str!("../../data/readiness.csv"));
        list.map(|row| Question {
            id: &row[0],
            phase: &row[1],
            area: &row[2],
            question: &row[3],
            must: row[4] == "yes",
            weight: row[5].parse().expect("a weight is a number"),
            live: Bound::read(&row[6]),
            advice: &row[7],
            source: &row[8],
        })
        .collect()
    });
    &QUESTIONS
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It is so.
    Yes,
    /// In part.
    Partly,
    /// It is not.
    No,
    /// Nobody has answered.
    Open,
}

impl Reply {
    fn score(self) -> f64 {
        match self {
            Reply::Yes => 1.0,
            Reply::Partly => 0.5,
            Reply::No | Reply::Open => 0.0,
        }
    }
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    /// The question.
    pub question: &'static Question,
    /// The answer.
    pub reply: Reply,
    /// What a person wrote, or the fact that answered.
    pub note: String,
}

/// How far a phase or an area is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Which.
    pub name: &'static str,
    /// What was reached, by hundred.
    pub percent: f64,
    /// Questions that are answered.
    pub answered: usize,
    /// Questions in all.
    pub questions: usize,
    /// Musts that are not fulfilled.
    pub missing: Vec<&'static str>,
    /// Whether it is ready.
    pub ready: bool,
}

/// The deployment readiness report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Readiness {
    /// By phase, in order.
    pub phases: Vec<Score>,
    /// By focus area.
    pub areas: Vec<Score>,
    /// Every question.
    pub answers: Vec<Answered>,
    /// The first phase that is not ready: the one to work on.
    pub next: Option<&'static str>,
    /// Where sources disagree, and what was used.
    pub choices: Vec<&'static Choice>,
}

/// The share of a phase at which it is ready.
pub const READY_PERCENT: f64 = 80.0;

/// Reads answers: columns `id` and `answer` (`yes`, `partly`, `no`), and `note` if anybody wants to say more.
pub fn read_answers(text: &str) -> Result<BTreeMap<&'static str, (Reply, String)>, Faults> {
    let read = Sheet::read(text, &["id", "answer"])?.rows(|row| {
        let id = row.text("id").to_owned();
        let Some(question) = questions().iter().find(|question| question.id == id) else {
            let known: Vec<&str> = questions().iter().map(|question| question.id).collect();
            row.fault("id", &format!("one of {}", known.join(", ")));
            return None;
        };
        let reply = match row.text("answer").to_lowercase().as_str() {
            "yes" => Reply::Yes,
            "partly" => Reply::Partly,
            "no" => Reply::No,
            "" | "open" => Reply::Open,
            _ => {
                row.fault("answer", "yes, partly, no or nothing");
                return None;
            }
        };
        Some((row.line(), question.id, reply, row.text("note").to_owned()))
    })?;
    let mut found = BTreeMap::new();
    let mut faults = Vec::new();
    for (line, id, reply, note) in read {
        if found.insert(id, (reply, note)).is_some() {
            let (column, found) = ("id".to_owned(), format!("\"{id}\" a second time"));
            faults.push(Fault { line, column, found, expected: "one answer to each question".to_owned() });
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(Faults(faults)) }
}

/// What the other calculators know, as facts by name. A running server adds its own: `poor-server-streams`,
/// `poor-site-streams`, `media-over-vpn`, `device-mos`, `signed-in-share`, `certificate-days`.
pub fn facts(
    bandwidth: Option<&Bandwidth>,
    wifi: Option<&WifiSurvey>,
    inventory: Option<&Inventory>,
) -> BTreeMap<&'static str, f64> {
    let mut found = BTreeMap::new();
    if let Some(bandwidth) = bandwidth {
        let red = |verdict: Verdict| matches!(verdict, Verdict::OverShare | Verdict::OverSpeed);
        // With a link of unknown speed nobody can say that none is red.
        let unknown = bandwidth.links.iter().any(|link| link.verdict == Verdict::NoSpeed);
        let count = bandwidth.links.iter().filter(|link| red(link.verdict)).count();
        if !unknown || count > 0 {
            found.insert("red-links", count as f64);
        }
    }
    if let Some(wifi) = wifi {
        let worst = wifi.floors.iter().map(|floor| floor.coverage).fold(f64::INFINITY, f64::min);
        if worst.is_finite() {
            found.insert("wifi-coverage", worst);
        }
    }
    if let Some(inventory) = inventory {
        let replace = inventory.counts.iter().filter(|(standing, _)| standing.replace()).map(|(_, count)| *count);
        found.insert("replace-items", replace.sum::<u64>() as f64);
    }
    found
}

/// Scores answers and facts. A fact answers its question, whatever a person wrote.
pub fn readiness(answers: &BTreeMap<&'static str, (Reply, String)>, facts: &BTreeMap<&str, f64>) -> Readiness {
    let answers: Vec<Answered> = questions().iter().map(|question| answer(question, answers, facts)).collect();
    let names = |of: fn(&Question) -> &'static str| {
        let mut names: Vec<&'static str> = Vec::new();
        for question in questions() {
            if !names.contains(&of(question)) {
                names.push(of(question));
            }
        }
        names
    };
    let score = |name: &'static str, of: fn(&Question) -> &'static str| {
        score(name, answers.iter().filter(|answer| of(answer.question) == name))
    };
    let phases: Vec<Score> = names(|q| q.phase).into_iter().map(|name| score(name, |q| q.phase)).collect();
    let areas = names(|q| q.area).into_iter().map(|name| score(name, |q| q.area)).collect();
    Readiness {
        next: phases.iter().find(|phase| !phase.ready).map(|phase| phase.name),
        phases,
        areas,
        answers,
        choices: vec![choice("rask-phases")],
    }
}

fn answer(
    question: &'static Question,
    answers: &BTreeMap<&'static str, (Reply, String)>,
    facts: &BTreeMap<&str, f64>,
) -> Answered {
    if let Some((bound, value)) = question.live.as_ref().and_then(|bound| Some((bound, *facts.get(bound.fact)?))) {
        let reply = if bound.holds(value) { Reply::Yes } else { Reply::No };
        let note =
            format!("{} is {}, asked {} {}", bound.fact, crate::table::grouped(value), bound.compare, bound.limit);
        return Answered { question, reply, note };
    }
    let (reply, note) = answers.get(question.id).cloned().unwrap_or((Reply::Open, String::new()));
    Answered { question, reply, note }
}

fn score<'a>(name: &'static str, answers: impl Iterator<Item = &'a Answered>) -> Score {
    let (mut reached, mut possible) = (0.0, 0.0);
    let mut score = Score { name, percent: 0.0, answered: 0, questions: 0, missing: Vec::new(), ready: false };
    for answer in answers {
        reached += answer.reply.score() * answer.question.weight;
        possible += answer.question.weight;
        score.questions += 1;
        score.answered += usize::from(answer.reply != Reply::Open);
        if answer.question.must && answer.reply != Reply::Yes {
            score.missing.push(answer.question.id);
        }
    }
    score.percent = if possible > 0.0 { reached / possible * 100.0 } else { 0.0 };
    score.ready = score.percent >= READY_PERCENT && score.missing.is_empty();
    score
}
