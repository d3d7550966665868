//! Problems as HTTP answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lyceum_api::{FieldProblem, Problem, Refusal};

/// A refusal on its way out.
#[derive(Debug)]
pub struct Refused {
    problem: Box<Problem>,
    retry_after: Option<u64>,
}

impl Refused {
    /// A refusal with its usual advice.
    pub fn new(refusal: Refusal, what: impl Into<Box<str>>, place: impl Into<Box<str>>) -> Refused {
        Problem::new(refusal, what, place).into()
    }

    /// With the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Refused {
        self.retry_after = Some(seconds);
        self
    }

    /// With advice for this very case.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Box<str>>) -> Refused {
        self.problem.fix = fix.into();
        self
    }

    /// With its single faults.
    #[must_use]
    pub fn with(mut self, problems: Vec<FieldProblem>) -> Refused {
        self.problem.problems = problems;
        self
    }

    /// The problem itself.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused { problem: Box::new(problem), retry_after: None }
    }
}

/// The store is away.
pub fn unavailable(error: &dyn std::fmt::Display) -> Refused {
    tracing::error!(%error, "the store refuses");
    Refused::new(Refusal::StoreUnavailable, error.to_string(), "store")
}

/// A topology problem in the API's words.
pub fn fault(problem: &lyceum_topology::Problem) -> FieldProblem {
    FieldProblem {
        path: problem.path.clone(),
        code: problem.code.to_owned(),
        what: problem.what.clone(),
        fix: problem.fix.clone(),
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_string(&self.problem).unwrap_or_default();
        let mut response = (status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lyceum\""));
        }
        let unavailable = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(5);
        if let Some(seconds) = self.retry_after.or(unavailable) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
