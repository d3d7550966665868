//! What happened, for people (with `--trace`) and as one number, by which two runs of a seed are compared.

use std::fmt;

use lyceum_sip::time::Time;

/// The log of one run.
pub struct Log {
    lines: Option<Vec<String>>,
    fingerprint: u64,
}

/// Lines kept; later ones push the first out only in the printout of a run gone wild.
const LINES: usize = 500_000;

impl Log {
    /// A log that keeps its lines, or only counts them.
    pub fn new(trace: bool) -> Self {
        Log { lines: trace.then(Vec::new), fingerprint: 0xcbf2_9ce4_8422_2325 }
    }

    /// Something happened.
    pub fn line(&mut self, now: Time, what: fmt::Arguments<'_>) {
        if let Some(lines) = self.lines.as_mut().filter(|lines| lines.len() < LINES) {
            lines.push(format!("{:>11.6} {what}", now.0 as f64 / 1e6));
        }
    }

    /// A message passed; `what` says between whom.
    pub fn message(&mut self, now: Time, what: fmt::Arguments<'_>, bytes: &[u8]) {
        self.mix(now.0);
        // The first words only: tags and Retry-After may differ from process to process.
        bytes.iter().take(12).for_each(|byte| self.mix(u64::from(*byte)));
        if self.lines.is_some() {
            self.line(now, format_args!("{what} {}", summary(bytes)));
        }
    }

    fn mix(&mut self, value: u64) {
        self.fingerprint = (self.fingerprint ^ value).wrapping_mul(0x100_0000_01b3);
    }

    /// Equal for two runs in which the same messages passed at the same times.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The lines, if they were kept.
    pub fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

/// First line, CSeq, Call-ID and top branch.
fn summary(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("-").trim().to_owned();
    let first = text.lines().next().unwrap_or_default().trim_end_matches(" SIP/2.0");
    let via = field("Via:");
    let branch = via.split("branch=").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or("-");
    format!("{first} | {} | {} | {}", field("CSeq:"), field("Call-ID:"), branch.trim_start_matches("z9hG4bK"))
}
