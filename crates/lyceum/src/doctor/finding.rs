//! What the doctor says: one line per thing looked at.

use serde::Serialize;

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not for long or not for everybody.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What was looked at.
    pub what: String,
    /// What was found, with its place.
    pub detail: String,
    /// The command, or the deed, that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(what: impl Into<String>, detail: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Ok, what: what.into(), detail: detail.into(), fix: None }
    }

    /// Worth a look.
    pub fn warn(what: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Warn, what: what.into(), detail: detail.into(), fix: Some(fix.into()) }
    }

    /// Broken.
    pub fn fail(what: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Fail, what: what.into(), detail: detail.into(), fix: Some(fix.into()) }
    }

    /// A failure that an error's own sentence describes: what is wrong, then what to do about it.
    pub fn sentence(what: impl Into<String>, sentence: &str) -> Finding {
        let (detail, fix) =
            sentence.split_once(": ").or_else(|| sentence.split_once("; ")).unwrap_or((sentence, "see the log"));
        Finding::fail(what, detail, fix)
    }
}

/// Lines for a person.
pub fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let mark = match finding.verdict {
            Verdict::Ok => "OK  ",
            Verdict::Warn => "WARN",
            Verdict::Fail => "FAIL",
        };
        out.push_str(&format!("{mark}  {} — {}\n", finding.what, finding.detail));
        if let Some(fix) = &finding.fix {
            out.push_str(&format!("      {fix}\n"));
        }
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    out.push_str(&format!("{} OK, {} WARN, {} FAIL\n", count(Verdict::Ok), count(Verdict::Warn), count(Verdict::Fail)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_verdict_thing_detail_and_cure() {
        let findings = [Finding::ok("clock", "right"), Finding::fail("key", "gone", "put it back")];
        assert_eq!(text(&findings), "OK    clock — right\nFAIL  key — gone\n      put it back\n1 OK, 0 WARN, 1 FAIL\n");
        let json = serde_json::to_string(&findings[1]).unwrap();
        assert_eq!(json, r#"{"verdict":"FAIL","what":"key","detail":"gone","fix":"put it back"}"#);
    }
}
