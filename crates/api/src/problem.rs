//! What every refusal looks like: RFC 9457 members (`type`, `title`, `status`, `detail` under friendlier
//! names) so that a person reads what is wrong, where, and what to do.

use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every answer that is not a success, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable word for programs, for example `user-not-found`; each has a page in `docs/errors/`.
    #[schema(value_type = String)]
    pub code: Box<str>,
    /// The HTTP status, repeated for logs.
    pub status: u16,
    /// What is wrong, one sentence.
    #[schema(value_type = String)]
    pub what: Box<str>,
    /// Where: the path, object or field.
    #[serde(rename = "where")]
    #[schema(value_type = String)]
    pub place: Box<str>,
    /// What to do about it.
    #[schema(value_type = String)]
    pub fix: Box<str>,
    /// The page that explains the code.
    #[schema(value_type = String)]
    pub help: Box<str>,
    /// The single faults of a document or record, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FieldProblem>,
}

/// One fault in a document or record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// Where, as a path such as `sites[0].pools[1].fqdn`.
    pub path: String,
    /// A stable word for programs.
    pub code: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl Problem {
    /// A problem with the refusal's usual advice.
    pub fn new(refusal: Refusal, what: impl Into<Box<str>>, place: impl Into<Box<str>>) -> Problem {
        Problem {
            code: refusal.code().into(),
            status: refusal.status(),
            what: what.into(),
            place: place.into(),
            fix: refusal.fix().into(),
            help: format!("docs/errors/{}.md", refusal.code()).into(),
            problems: Vec::new(),
        }
    }

    /// The same problem with advice for this very case.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Box<str>>) -> Problem {
        self.fix = fix.into();
        self
    }

    /// The same problem with its single faults.
    #[must_use]
    pub fn with(mut self, problems: Vec<FieldProblem>) -> Problem {
        self.problems = problems;
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.what, self.place, self.fix)
    }
}

impl std::error::Error for Problem {}
