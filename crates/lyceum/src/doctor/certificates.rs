//! Certificates: readable, with their key, for our names, for a while yet.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lyceum_net::{Certificate, CertificateFacts, TlsError, load_authorities};

use super::finding::Finding;
use crate::config::TlsConfig;

/// A certificate that ends sooner than this is worth a warning.
const WARN_DAYS: u64 = 30;
const DAY: u64 = 24 * 3600 * 1000;

/// Looks at every file that `[tls]` names. `names` are the domains and hosts that clients look for.
pub fn examine(tls: &TlsConfig, names: &[String]) -> Vec<Finding> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let loaded = Certificate::load(&tls.certificate, &tls.key).and_then(|certificate| certificate.facts());
    let mut found = judge(&loaded, names, now);
    found.extend(judge_key_file(&tls.key, mode(&tls.key)));
    if let Some(path) = &tls.authorities {
        found.push(judge_authorities(path, load_authorities(path).map(|list| list.len())));
    }
    found
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|there| there.mode() & 0o777)
}

/// How it stands with a certificate at `now` (milliseconds since the epoch).
pub fn judge(loaded: &Result<CertificateFacts, TlsError>, names: &[String], now: u64) -> Vec<Finding> {
    const WHAT: &str = "certificate";
    let facts = match loaded {
        Ok(facts) => facts,
        Err(error) => {
            let said = error.to_string();
            let (detail, fix) = said.split_once("; ").unwrap_or((&said, "make it anew with its authority"));
            return vec![Finding::fail(WHAT, detail, fix)];
        }
    };
    let source = &facts.source;
    let renew = format!("put the renewed chain at {source}, its key beside it, and run `lyceum certificate reload`");
    let mut found = vec![match (facts.not_after.0.checked_sub(now), facts.not_before.0 > now) {
        (None, _) => Finding::fail(WHAT, format!("{source} ended {} days ago", (now - facts.not_after.0) / DAY), renew),
        (_, true) => {
            let detail = format!(
                "{source} is not valid before a time {} hours from now",
                (facts.not_before.0 - now) / 3_600_000 + 1
            );
            Finding::fail(WHAT, detail, "check the clock (`timedatectl`), or wait")
        }
        (Some(left), _) if left < WARN_DAYS * DAY => {
            Finding::warn(WHAT, format!("{source} ends in {} days", left / DAY), renew)
        }
        (Some(left), _) => {
            Finding::ok(WHAT, format!("{source} with its key, valid for {} days more, by {}", left / DAY, facts.issuer))
        }
    }];
    let missing: Vec<&str> = names.iter().map(String::as_str).filter(|name| !facts.covers(name)).collect();
    if !missing.is_empty() {
        let detail = format!("{source} does not name {}: phones that look for that name refuse it", missing.join(", "));
        found.push(Finding::warn(
            "certificate names",
            detail,
            "have one made with these names among its subjectAltName",
        ));
    } else if !names.is_empty() {
        found.push(Finding::ok("certificate names", names.join(", ")));
    }
    found
}

/// A key that others may read is no secret.
fn judge_key_file(path: &Path, mode: Option<u32>) -> Option<Finding> {
    let mode = mode.filter(|mode| mode & 0o007 != 0)?;
    let path = path.display();
    Some(Finding::warn(
        "certificate key",
        format!("{path} may be read by everybody (mode {mode:03o})"),
        format!("chmod 640 {path}"),
    ))
}

fn judge_authorities(path: &Path, count: Result<usize, TlsError>) -> Finding {
    const WHAT: &str = "authorities";
    match count {
        Ok(count) => Finding::ok(WHAT, format!("{} holds {count}", path.display())),
        Err(error) => {
            let said = error.to_string();
            let (detail, fix) = said.split_once("; ").unwrap_or((&said, "name a PEM file"));
            Finding::fail(WHAT, detail, fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Ok as Good, Warn};
    use lyceum_sip::WallTime;

    const NOW: u64 = 1_000 * DAY;

    fn facts(from: u64, until: u64) -> Result<CertificateFacts, TlsError> {
        Ok(CertificateFacts {
            source: "c.pem".into(),
            names: vec!["example.org".into(), "*.example.org".into()],
            addresses: Vec::new(),
            not_before: WallTime(from),
            not_after: WallTime(until),
            issuer: "CN=Authority".into(),
            chain: 1,
        })
    }

    #[test]
    fn dates_lead_to_a_verdict() {
        for (from, until, verdict, part) in [
            (0, NOW + 31 * DAY, Good, "31 days more"),
            (0, NOW + 30 * DAY, Good, "30 days more"),
            (0, NOW + 30 * DAY - 1, Warn, "ends in 29 days"),
            (0, NOW, Warn, "ends in 0 days"),
            (0, NOW - DAY, Fail, "ended 1 days ago"),
            (NOW + 7_200_000, NOW + 90 * DAY, Fail, "3 hours from now"),
        ] {
            let found = judge(&facts(from, until), &[], NOW);
            assert!(
                found.len() == 1 && found[0].verdict == verdict && found[0].detail.contains(part),
                "{part}: {found:?}"
            );
        }
    }

    #[test]
    fn every_name_must_be_in_it() {
        let good = facts(0, NOW + 90 * DAY);
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let found = judge(&good, &names(&["example.org", "sip.example.org"]), NOW);
        assert_eq!(found[1].verdict, Good);
        let found = judge(&good, &names(&["example.org", "example.net"]), NOW);
        assert!(found[1].verdict == Warn && found[1].detail.contains("does not name example.net:"), "{found:?}");
    }

    #[test]
    fn files_that_are_no_certificate_fail() {
        let missing = Err(TlsError::Unreadable { path: "c.pem".into(), why: "No such file".into() });
        let other = Err(TlsError::KeyMismatch { certificate: "c.pem".into() });
        for error in [missing, other] {
            let found = judge(&error, &[], NOW);
            assert!(found.len() == 1 && found[0].verdict == Fail && found[0].fix.is_some(), "{found:?}");
        }
    }

    #[test]
    fn a_key_for_everybody_is_told() {
        let path = Path::new("k.pem");
        assert_eq!(judge_key_file(path, Some(0o644)).unwrap().verdict, Warn);
        assert_eq!(judge_key_file(path, Some(0o640)), None);
        assert_eq!(judge_key_file(path, None), None);
    }
}
