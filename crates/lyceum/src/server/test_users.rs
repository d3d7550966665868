//! The two built-in test users of synthetic transactions. They are ordinary users of the directory; their passwords are
//! drawn at each start and live in memory only.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use lyceum_api::probe::{ProbeRequest, ProbeResult, ProbeStep};
use lyceum_api::{Problem, Refusal};
use lyceum_front_end::credentials::Credentials;
use lyceum_sip::digest::Ha1;
use lyceum_store::{By, Store};
use lyceum_topology::{AddressOfRecord, Snapshot, UserId, UserRecord};
use lyceum_web::port::{SyntheticTests, TEST_USERS as NAMES};
use rand_core::{OsRng, TryRngCore};

use super::{Addresses, Shared};
use crate::probe::endpoint::Account;
use crate::probe::people::Step;
use crate::probe::{self, CallReport};

/// How long a change of presence or a message may take by default: the state shows everywhere within two seconds.
const WITHIN_MS: u64 = 2_000;
/// Shortest and longest talk.
const TALK: std::ops::RangeInclusive<u64> = 300..=30_000;

/// Thirty-two bytes from the operating system.
pub fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The test users with their passwords of this run.
#[derive(Clone, Debug)]
pub struct TestUsers {
    accounts: [(UserId, Account); 2],
}

impl TestUsers {
    /// Those that are not in the directory.
    pub fn missing(snapshot: &Snapshot, pool: &str) -> Result<Vec<UserRecord>> {
        let domain = snapshot.default_domain().as_str();
        let mut missing = Vec::new();
        for name in NAMES {
            let address = AddressOfRecord::parse(&format!("{name}@{domain}")).map_err(|error| anyhow!("{error}"))?;
            if snapshot.directory().get(&address).is_none() {
                let mut user = UserRecord::new(UserId(0), address, pool);
                user.display_name = Some("Synthetic test user".into());
                missing.push(user);
            }
        }
        Ok(missing)
    }

    /// Forgets what former users of these names left, who are nobody's.
    pub fn forget_former(store: &Store) -> Result<()> {
        let former = store.former().map_err(|error| anyhow!("{error}"))?;
        let is_ours = |address: &&String| NAMES.iter().any(|name| address.starts_with(&format!("{name}@")));
        former.iter().filter(is_ours).try_for_each(|one| store.forget_former(one)).map_err(|error| anyhow!("{error}"))
    }

    /// Makes them in the directory if they are not there.
    pub fn ensure(store: &Store, mut snapshot: Snapshot, pool: &str) -> Result<(TestUsers, Snapshot)> {
        let domain = snapshot.default_domain().as_str().to_owned();
        for user in Self::missing(&snapshot, pool)? {
            let by = By { who: "server", at: lyceum_web::system_clock() };
            let user = store.user_put(user, None, by).map_err(|error| anyhow!("{error}"))?;
            Self::forget_former(store)?;
            let directory = snapshot.directory().with(user).map_err(|error| anyhow!("{error}"))?;
            snapshot = snapshot.with_directory(directory).map_err(|problems| anyhow!("{}", problems[0]))?;
        }
        let mut accounts = Vec::new();
        for name in NAMES {
            let known = snapshot.directory().find(name.as_bytes(), domain.as_bytes());
            let id = known.map(|user| user.id).context("a test user just made is there")?;
            let password: String = random_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            accounts.push((id, Account { user: name.to_owned(), domain: domain.clone(), password }));
        }
        let accounts = accounts.try_into().map_err(|_| anyhow!("there are two test users"))?;
        Ok((TestUsers { accounts }, snapshot))
    }

    /// The secrets with those of the test users.
    pub fn with_passwords(&self, mut credentials: Credentials) -> Credentials {
        for (id, account) in &self.accounts {
            let secret = Ha1::of(account.user.as_bytes(), account.domain.as_bytes(), account.password.as_bytes());
            credentials = credentials.with(*id, Some(secret));
        }
        credentials
    }

    /// The first one's number.
    pub fn id(&self) -> UserId {
        self.accounts[0].0
    }

    /// Whom to sign in as.
    pub fn accounts(&self) -> [&Account; 2] {
        [&self.accounts[0].1, &self.accounts[1].1]
    }
}

/// `lyceum test registration|call|presence|im`.
pub struct Synthetic {
    pub shared: Arc<Shared>,
    pub addresses: Addresses,
}

impl Synthetic {
    fn target(&self, request: &ProbeRequest) -> Result<SocketAddr, Problem> {
        let refuse = |what: &str| Problem::new(Refusal::NotSupportedHere, what, "/test");
        match request.transport.as_deref() {
            None | Some("udp") => {}
            Some(_) => return Err(refuse("the built-in test endpoints speak UDP; use udp or leave the transport out")),
        }
        let own = self.shared.test_users.accounts()[0].domain.as_str();
        if request.domain.as_deref().is_some_and(|domain| !domain.eq_ignore_ascii_case(own)) {
            return Err(refuse("the built-in test users live in the default domain"));
        }
        let addr = self.addresses.udp.ok_or_else(|| refuse("this node has no UDP listener to test"))?;
        Ok(reachable(addr))
    }
}

/// A wildcard address is reached by loopback.
pub fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        ip if !ip.is_unspecified() => ip,
        std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, addr.port())
}

fn step(name: &str, begun: Instant, detail: Result<String, String>) -> ProbeStep {
    ProbeStep {
        step: name.to_owned(),
        passed: detail.is_ok(),
        milliseconds: begun.elapsed().as_millis() as u64,
        detail: detail.unwrap_or_else(|fault| fault),
    }
}

fn result(steps: Vec<ProbeStep>, summary: String) -> ProbeResult {
    ProbeResult { passed: steps.iter().all(|step| step.passed), summary, steps }
}

impl SyntheticTests for Synthetic {
    fn registration(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem> {
        let target = self.target(request)?;
        let begun = Instant::now();
        let outcome = probe::registration(target, self.shared.test_users.accounts()[0]);
        let summary = match &outcome {
            Ok(took) => format!("A test user signed in and out at {target}; signing in took {} ms.", took.as_millis()),
            Err(error) => format!("A test user could not sign in at {target}: {error}."),
        };
        let detail = outcome.map(|_| "200 OK".to_owned()).map_err(|error| error.to_string());
        Ok(result(vec![step("register and unregister", begun, detail)], summary))
    }

    fn presence(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem> {
        let target = self.target(request)?;
        let [watcher, watched] = self.shared.test_users.accounts();
        let steps = probe::people::presence(target, watcher, watched, within(request));
        Ok(stepwise(steps, "the change arrives", "The watcher saw the change"))
    }

    fn im(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem> {
        let target = self.target(request)?;
        let [sender, recipient] = self.shared.test_users.accounts();
        let steps = probe::people::message(target, sender, recipient, within(request));
        Ok(stepwise(steps, "it arrives", "The message arrived"))
    }

    fn call(&self, request: &ProbeRequest) -> Result<ProbeResult, Problem> {
        let target = self.target(request)?;
        let talk = Duration::from_millis(request.talk_ms.unwrap_or(2000).clamp(*TALK.start(), *TALK.end()));
        let [caller, callee] = self.shared.test_users.accounts();
        let begun = Instant::now();
        let outcome = probe::call(target, caller, callee, talk);
        let summary = summary(&outcome);
        let mut steps = vec![step(
            "register both, call, answer",
            begun,
            outcome
                .as_ref()
                .map(|report| format!("answered {} ms after INVITE", report.setup.as_millis()))
                .map_err(ToString::to_string),
        )];
        if let Ok(report) = outcome {
            for (name, heard) in [("sound to the callee", report.to_callee), ("sound to the caller", report.to_caller)]
            {
                let said = format!(
                    "{} packets, {:.0} % of the sound is the other side's tone",
                    heard.packets,
                    heard.purity * 100.0
                );
                let good = heard.purity > probe::PURE;
                steps.push(step(name, begun, if good { Ok(said) } else { Err(said) }));
            }
        }
        Ok(result(steps, summary))
    }
}

fn within(request: &ProbeRequest) -> Duration {
    Duration::from_millis(request.within_ms.unwrap_or(WITHIN_MS))
}

/// The result of steps; `arrival` names the one that counts, `good` says what it shows.
fn stepwise(steps: Vec<Step>, arrival: &str, good: &str) -> ProbeResult {
    let failed = steps.iter().find_map(|step| Some((step.name, step.outcome.as_ref().err()?)));
    let took = steps.iter().find(|step| step.name == arrival).map_or(0, |step| step.took.as_millis());
    let summary = match failed {
        None => format!("{good} after {took} ms."),
        Some((name, why)) => format!("The step \"{name}\" failed: {why}."),
    };
    let shown = |step: Step| ProbeStep {
        step: step.name.to_owned(),
        passed: step.outcome.is_ok(),
        milliseconds: step.took.as_millis() as u64,
        detail: step.outcome.unwrap_or_else(|why| why),
    };
    result(steps.into_iter().map(shown).collect(), summary)
}

/// One sentence about a test call.
pub fn summary(outcome: &Result<CallReport, probe::endpoint::ProbeError>) -> String {
    match outcome {
        Ok(report) if report.both_ways() => {
            format!("The test call was answered after {} ms and sound passed both ways.", report.setup.as_millis())
        }
        Ok(_) => "The test call was answered, but sound did not pass both ways.".to_owned(),
        Err(error) => format!("The test call failed: {error}."),
    }
}
