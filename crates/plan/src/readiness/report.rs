//! The deployment readiness report as tables.

use super::{Readiness, Reply, Score};
use crate::capacity::choices_table;
use crate::figures::rule;
use crate::table::{Table, row};

impl Readiness {
    /// Phases, areas, what to do next, every answer.
    pub fn tables(&self) -> Vec<Table> {
        let mut phases = scores("Readiness by phase", "phase", &self.phases);
        phases.notes.push(match self.next {
            Some(phase) => format!("work on: {phase}"),
            None => "ready throughout".to_owned(),
        });
        phases
            .notes
            .extend(["readiness.score", "readiness.gate"].map(|id| format!("{} ({})", rule(id).rule, rule(id).source)));
        let mut open =
            Table::new("Readiness: what to do", &["phase", "area", "question", "answer", "must", "advice", "source"]);
        let mut all = Table::new(
            "Readiness: answers",
            &["id", "phase", "area", "question", "answer", "note", "weight", "must", "source"],
        );
        for answer in &self.answers {
            let (question, reply) = (answer.question, words(answer.reply));
            if answer.reply != Reply::Yes {
                open.rows.push(row![
                    question.phase,
                    question.area,
                    question.question,
                    reply,
                    question.must,
                    question.advice,
                    question.source
                ]);
            }
            all.rows.push(row![
                question.id,
                question.phase,
                question.area,
                question.question,
                reply,
                &answer.note,
                question.weight,
                question.must,
                question.source,
            ]);
        }
        vec![phases, scores("Readiness by focus area", "area", &self.areas), open, all, choices_table(&self.choices)]
    }
}

fn words(reply: Reply) -> &'static str {
    match reply {
        Reply::Yes => "yes",
        Reply::Partly => "partly",
        Reply::No => "no",
        Reply::Open => "open",
    }
}

fn scores(title: &str, what: &str, scores: &[Score]) -> Table {
    let mut table = Table::new(title, &[what, "reached (%)", "answered", "questions", "musts open", "ready"]);
    for score in scores {
        table.rows.push(row![
            score.name,
            score.percent.round(),
            score.answered,
            score.questions,
            score.missing.join(", "),
            score.ready,
        ]);
    }
    table
}
