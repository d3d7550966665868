//! `lyceum edge enrol TOKEN`: the Edge makes its key, proves that it has the token, and keeps what the pool signs.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use lyceum_edge::access::enrol::ask;
use lyceum_net::{LinkCa, LinkKey, LinkPapers, POOL_LINK, fingerprint, shown_chain};
use serde::{Deserialize, Serialize};

use super::address_of;
use crate::link::papers::{Asked, Papers};
use crate::link::token::Token;

const KEY: &str = "link.key";
const PAPERS: &str = "link.json";
/// How long the pool may take to show its certificate.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an enrolled Edge has.
pub struct Enrolled {
    /// Its key.
    pub key: LinkKey,
    /// What the pool gave it.
    pub papers: Papers,
    /// The pool's port for links.
    pub pool: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    pool: String,
    #[serde(flatten)]
    papers: Papers,
}

impl Enrolled {
    /// Reads what an enrolment left.
    pub fn read(data: &Path) -> Result<Enrolled> {
        let advice =
            "enrol this Edge: `lyceum edge token NAME` on the pool, then `lyceum edge enrol TOKEN --data DIR` here";
        let read = |name: &str| {
            let path = data.join(name);
            fs::read_to_string(&path).with_context(|| format!("{} cannot be read: {advice}", path.display()))
        };
        let key = LinkKey::from_pem(&read(KEY)?).map_err(|error| anyhow!("{error}: {advice}"))?;
        let kept: Kept = serde_json::from_str(&read(PAPERS)?).with_context(|| format!("{PAPERS}: {advice}"))?;
        Ok(Enrolled { key, papers: kept.papers, pool: kept.pool })
    }

    /// For TLS.
    pub fn papers(&self) -> Result<LinkPapers> {
        papers(&self.papers)
    }
}

fn papers(of: &Papers) -> Result<LinkPapers> {
    let (certificate, authority) = of.certificates().context("the papers of the link are damaged: enrol anew")?;
    Ok(LinkPapers { certificate: certificate.into(), authority: authority.into() })
}

/// Enrols this Edge and keeps its papers in `data`; says what was done.
pub fn enrol(token: &str, data: &Path) -> Result<String> {
    let token: Token = token.parse().map_err(|error| anyhow!("{error}"))?;
    fs::create_dir_all(data).with_context(|| format!("the folder {} cannot be made", data.display()))?;
    let pool = *address_of(&token.pool)?.first().context("the token names no address")?;
    let chain = shown_chain(pool, POOL_LINK, PATIENCE).map_err(|error| anyhow!("{pool}: {error}"))?;
    let Some(authority) = chain.into_iter().find(|one| fingerprint(one) == token.fingerprint) else {
        bail!("{pool} is not the pool that made the token: look who stands between the two before you try again");
    };
    let key = LinkKey::generate().map_err(|error| anyhow!("{error}"))?;
    let tls = LinkCa::stranger_tls(&authority).map_err(|error| anyhow!("{error}"))?;
    let asked = serde_json::to_vec(&Asked::new(&token.id, &token.secret, key.public()))?;
    let (status, reason, body) = ask(pool, tls, asked).map_err(|error| anyhow!("{error}"))?;
    if status != 200 {
        bail!("the pool refuses ({status} {reason}): make a new token with `lyceum edge token NAME`");
    }
    let given: Papers = serde_json::from_slice(&body).context("the pool's answer cannot be read")?;
    let checked = papers(&given)?;
    if fingerprint(&checked.authority) != token.fingerprint {
        bail!("the pool's answer is of another authority than the token");
    }
    checked.tls(&key).map_err(|error| anyhow!("{error}"))?;
    let said = format!("{} is enrolled as Edge {}; its papers are in {}.", given.name, given.number, data.display());
    write(&data.join(KEY), key.pem().as_bytes())?;
    write(&data.join(PAPERS), &serde_json::to_vec_pretty(&Kept { pool: token.pool, papers: given })?)?;
    Ok(said)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut open = fs::OpenOptions::new();
    let written = open.write(true).create(true).truncate(true).mode(0o600).open(path).and_then(|mut file| {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| format!("{} cannot be written", path.display()))
}
