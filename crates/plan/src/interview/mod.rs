//! The interview: one question after the other, from the drivers of the business over its sites and roles to the features,
//! and a plan file at the end. A terminal and a page drive the same machine.
//!
//! | state | input | next |
//! |---|---|---|
//! | a question | an answer that fits | the next question that concerns this organisation |
//! | a question | an answer that does not | the same one; what was found and what is expected |
//! | a question that must be answered | skipped | the same one |
//! | any other question | skipped | the next one; Lync's default is assumed, or what a driver asks is taken |
//! | any but the first | back | the one before, its answer forgotten |
//! | finished | – | – |
//!
//! ```
//! use lyceum_plan::interview::Interview;
//!
//! let mut interview = Interview::new();
//! assert_eq!(interview.question().unwrap().id, "drivers.travel");
//! assert!(interview.answer("perhaps").is_err());
//! interview.answer("yes").unwrap();
//! while interview.question().is_some() {
//!     interview.skip().unwrap();
//! }
//! assert!(interview.file().contains("[drivers]\ntravel = true\n"));
//! ```

mod course;
mod typed;

use std::fmt;

use serde::Serialize;

use crate::file::{Field, Kind, Plan, quoted};
use course::{Course, Place};

/// What is asked next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// What it is about: `voice.share`, `site[1].name`; `another.link[0]` and `details.voice` ask whether more shall be asked.
    pub id: String,
    /// The group it belongs to.
    pub group: &'static str,
    /// What to ask.
    pub text: String,
    /// What an answer must be.
    pub expected: String,
    /// The words of a choice.
    pub choices: Vec<&'static str>,
    /// What stands when it is skipped; nothing where that follows from the rest.
    pub skipped: Option<String>,
    /// Requirements of the business that propose this.
    pub because: Vec<&'static str>,
    /// Whether it cannot be skipped.
    pub required: bool,
    /// Who says what is assumed.
    pub source: &'static str,
    /// How many questions have been answered or skipped.
    pub asked: usize,
}

/// An answer that does not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The question.
    pub id: String,
    /// What was answered.
    pub found: String,
    /// What is expected.
    pub expected: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}; expected {}", self.id, self.found, self.expected)
    }
}

impl std::error::Error for Refusal {}

/// Replies of one interview; a bigger plan is finished in its file.
pub const MAX_REPLIES: usize = 2000;

/// A reply that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reply {
    place: Place,
    /// As it was typed; nothing for a skipped question.
    typed: Option<String>,
    /// As the file writes it; nothing where Lync's default stays.
    literal: Option<String>,
}

/// An interview.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interview {
    replies: Vec<Reply>,
}

impl Interview {
    /// A new one, before its first question.
    pub fn new() -> Interview {
        Interview::default()
    }

    /// The interview in which these replies were given, a skipped question being nothing: for a page that keeps no state.
    pub fn replay<'r>(replies: impl IntoIterator<Item = Option<&'r str>>) -> Result<Interview, Refusal> {
        let mut interview = Interview::new();
        for reply in replies {
            match reply {
                Some(typed) => interview.answer(typed)?,
                None => interview.skip()?,
            }
        }
        Ok(interview)
    }

    /// What was replied, as [`replay`](Self::replay) takes it.
    pub fn replies(&self) -> impl Iterator<Item = Option<&str>> {
        self.replies.iter().map(|reply| reply.typed.as_deref())
    }

    /// The next question; nothing at the end, nor after [`MAX_REPLIES`].
    pub fn question(&self) -> Option<Question> {
        if self.replies.len() >= MAX_REPLIES {
            return None;
        }
        let course = Course { replies: &self.replies };
        let place = course.next()?;
        let (text, expected, skipped, because) = match course.field(place) {
            Some(field) => {
                let because = course.because(field, place);
                let proposed = because.first().map(|row| row.wanted.to_owned());
                let skipped = proposed.or_else(|| course.assumed(field, place));
                (field.question.to_owned(), expected(field), skipped, because)
            }
            None => (course.gate_text(place), "yes or no".to_owned(), Some("no".to_owned()), Vec::new()),
        };
        let field = course.field(place);
        Some(Question {
            id: course.id(place),
            group: course.group(place),
            text,
            expected,
            choices: field.map(|field| field.choices.clone()).unwrap_or_default(),
            required: field.is_some_and(|field| field.required) && skipped.is_none(),
            skipped,
            because: because.iter().map(|row| row.requirement).collect(),
            source: field.map_or("", |field| field.source),
            asked: self.replies.len(),
        })
    }

    /// Takes an answer to the question that stands; one that does not fit changes nothing.
    pub fn answer(&mut self, typed: &str) -> Result<(), Refusal> {
        let course = Course { replies: &self.replies };
        let Some(place) = course.next().filter(|_| self.replies.len() < MAX_REPLIES) else {
            return Err(refusal("interview", "an answer", "nothing: there is no question left"));
        };
        let (id, field) = (course.id(place), course.field(place));
        let found = || format!("\"{}\"", typed.trim());
        let literal = match field {
            Some(field) => typed::literal(field, typed).ok_or_else(|| refusal(&id, &found(), &expected(field)))?,
            None => typed::flag(typed).ok_or_else(|| refusal(&id, &found(), "yes or no"))?.to_string(),
        };
        self.replies.push(Reply { place, typed: Some(typed.to_owned()), literal: Some(literal) });
        match field.and_then(|field| self.fault(field)) {
            None => Ok(()),
            Some(expected) => {
                self.replies.pop();
                Err(refusal(&id, &found(), &expected))
            }
        }
    }

    /// Leaves the question that stands: Lync's default is assumed, or what a driver of the business asks is taken.
    pub fn skip(&mut self) -> Result<(), Refusal> {
        let Some(question) = self.question() else {
            return Err(refusal("interview", "a skipped question", "nothing: there is no question left"));
        };
        if question.required {
            return Err(refusal(&question.id, "no answer", &question.expected));
        }
        let course = Course { replies: &self.replies };
        let Some(place) = course.next() else { return Ok(()) };
        let literal = match course.field(place) {
            Some(field) => course
                .because(field, place)
                .first()
                .map(|row| row.wanted.to_owned())
                // A site has to be called something for its other answers to stand anywhere.
                .or_else(|| field.required.then(|| question.skipped.as_deref().map(quoted)).flatten()),
            None => None,
        };
        self.replies.push(Reply { place, typed: None, literal });
        Ok(())
    }

    /// Goes back to the question before, whose answer is forgotten; false at the first.
    pub fn back(&mut self) -> bool {
        self.replies.pop().is_some()
    }

    /// The plan file of what was answered so far; what was skipped is not in it.
    pub fn file(&self) -> String {
        self.written().0
    }

    /// The file, with the lines of the table and of the answer that were written last.
    fn written(&self) -> (String, usize, usize) {
        let course = Course { replies: &self.replies };
        let mut out = String::from("# A plan, from an interview. What is not answered here is assumed after Lync.\n");
        let (mut table, mut lines) = (None, (1, 1));
        for reply in &self.replies {
            let (Some(field), Some(literal)) = (course.field(reply.place), &reply.literal) else { continue };
            let line = |out: &str| out.matches('\n').count() + 1;
            if table != Some((field.section, reply.place.item())) {
                table = Some((field.section, reply.place.item()));
                out.push('\n');
                lines.0 = line(&out);
                out.push_str(&match Course::is_list(field.section) {
                    true => format!("[[{}]]\n", field.section),
                    false => format!("[{}]\n", field.section),
                });
            }
            let because = course.because(field, reply.place);
            if reply.typed.is_none() {
                for row in because {
                    out.push_str(&format!("# {} (drivers.{})\n", row.requirement, row.driver));
                }
            }
            lines.1 = line(&out);
            out.push_str(&format!("{} = {literal}\n", field.key));
        }
        (out, lines.0, lines.1)
    }

    /// What the file expects in place of the last answer, if it does not take it.
    fn fault(&self, field: &Field) -> Option<String> {
        let (text, table, line) = self.written();
        let problems = Plan::read(&text).err()?.0;
        let key = format!(".{}", field.key);
        // A fault of the whole table ends with the quote of its name: `persona "office"`.
        let ours = |name: &str| name.ends_with(&key) || name.ends_with('"');
        let of_this = |line_of: usize, name: &str| line_of == line || (line_of >= table && ours(name));
        problems.into_iter().find(|problem| of_this(problem.line, &problem.field)).map(|problem| problem.expected)
    }
}

fn refusal(id: &str, found: &str, expected: &str) -> Refusal {
    Refusal { id: id.to_owned(), found: found.to_owned(), expected: expected.to_owned() }
}

/// What a person must type, which needs no quotes and no brackets.
fn expected(field: &Field) -> String {
    match field.kind {
        Kind::Text => "words".to_owned(),
        Kind::Domain => "a DNS name, like contoso.com".to_owned(),
        Kind::Domains => "DNS names, like contoso.com, fabrikam.com".to_owned(),
        Kind::Flag => "yes or no".to_owned(),
        Kind::Choice => format!("one of {}", field.choices.join(", ")),
        Kind::Network => "an IPv4 network, like 10.1.0.0/24".to_owned(),
        Kind::Networks => "IPv4 networks, like 10.1.0.0/24, 10.2.0.0/24".to_owned(),
        Kind::Addresses => "IPv4 addresses, like 192.0.2.1, 192.0.2.2".to_owned(),
        Kind::Ports => "a range of ports, like 1024-65535".to_owned(),
        Kind::Table => "users of each persona, like office = 1200, sales = 30".to_owned(),
        Kind::Percent | Kind::Number | Kind::Count => field.expected(),
    }
}
