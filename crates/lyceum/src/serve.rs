//! `lyceum serve --config node.toml`: a node of a deployment.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use lyceum_net::{Certificate, ClientCertificates, ListenerOptions, Tls, TlsSettings, load_authorities};
use lyceum_store::MasterKey;
use lyceum_topology::Document;

use crate::config::{LinkConfig, NodeConfig, RelayConfig, TlsConfig};
use crate::dev::read_topology;
use crate::preflight::{Preflight, listed, raise_file_limit};
use crate::server::{Server, ServerOptions};

/// What `lyceum serve` takes.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// The node file
    #[arg(long, default_value = "/etc/lyceum/node.toml")]
    pub config: PathBuf,
    /// Topology document (YAML or JSON) for the very first start
    #[arg(long)]
    topology: Option<PathBuf>,
    /// Make the master key file if it is not there
    #[arg(long)]
    new_master_key: bool,
}

/// Runs until SIGTERM or SIGINT.
pub fn run(args: &ServeArgs, config: NodeConfig) -> Result<()> {
    raise_file_limit();
    let mut server = Server::start(options(args, config)?)?;
    tracing::info!(addresses = ?server.addresses, "serving");
    if let Some(url) = &server.first_administrator {
        println!("First administrator (one use, 30 minutes): {url}");
    }
    server.wait_for_signal();
    tracing::info!("stopping");
    server.stop();
    Ok(())
}

fn options(args: &ServeArgs, config: NodeConfig) -> Result<ServerOptions> {
    let mut preflight = Preflight::default();
    let first_document = preflight.take(topology(args, &config)).flatten();
    if let Some(document) = &first_document {
        preflight.take(crate::server::in_pool(document, &config.pool));
    }
    let master_key = preflight.take(master_key(args, &config));
    let tls_config = config.tls.clone();
    let settings = move || tls_config.as_ref().map_or_else(|| Ok(TlsSettings::default()), tls_settings);
    let tls = config.tls.as_ref().and_then(|_| {
        let settings = preflight.take(settings())?;
        preflight.take(Tls::new(settings))
    });
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        let mut options = ListenerOptions::new(listener.transport()?, listener.address).inside(listener.inside);
        options.advertised = listener.advertised.clone();
        listeners.push(options);
    }
    let media = preflight.take(config.media_node().map_err(|fault| anyhow!("{fault}"))).unwrap_or_default();
    preflight.folder(&config.data);
    preflight.ports(&config.ports());
    preflight.socket(&config.socket);
    preflight.done()?;
    let (master_key, fresh) = master_key.context("a preflight without faults has a master key")?;
    if fresh {
        // Not before all else is right: a start that is refused leaves nothing behind.
        master_key.write_new(&config.master_key).map_err(|error| anyhow!("{error}"))?;
    }
    Ok(ServerOptions {
        node: config.name,
        pool: config.pool,
        backups: config.backups.unwrap_or_else(|| config.data.join("backups")),
        data: config.data,
        master_key,
        first_document,
        domain: None,
        listeners,
        tls,
        reload: Arc::new(move || settings().map_err(|error| error.to_string())),
        https: config.https.as_ref().map(|https| https.address),
        ws: config.https.as_ref().and_then(|https| https.ws),
        metrics: config.metrics.as_ref().map(|metrics| metrics.listen),
        base_url: config.https.as_ref().and_then(|https| https.url.clone()),
        scanner: config.https.as_ref().and_then(|https| https.virus_scanner.clone()),
        origins: config.https.map(|https| https.origins).unwrap_or_default(),
        relay: config.relay.as_ref().map(RelayConfig::options).transpose().map_err(|fault| anyhow!("{fault}"))?,
        media,
        link: config.link.as_ref().map(LinkConfig::options),
        https_inside: false,
        socket: config.socket,
        workers: config.workers,
    })
}

/// Reads the document of the first start. Once there is a store, the file has done its work and may be gone.
fn topology(args: &ServeArgs, config: &NodeConfig) -> Result<Option<Document>> {
    let first_start = !config.data.join("lyceum.db").exists();
    let Some(path) = &args.topology else {
        if first_start {
            bail!(
                "there is no data in {} yet: make the first start with --topology FILE (deploy/topology.yaml is a sample), or put a backup there with `lyceum restore`",
                config.data.display()
            );
        }
        return Ok(None);
    };
    if !first_start && !path.exists() {
        return Ok(None);
    }
    let document = read_topology(path)?;
    let problems = document.validate();
    if !problems.is_empty() {
        return Err(listed(&format!("the topology file {} is not right", path.display()), &problems));
    }
    Ok(Some(document))
}

/// Reads the key file, or makes a key that is still to be written when that is wanted and there is none.
fn master_key(args: &ServeArgs, config: &NodeConfig) -> Result<(MasterKey, bool)> {
    let path = &config.master_key;
    if path.exists() {
        return MasterKey::read(path).map(|key| (key, false)).map_err(|error| anyhow!("{error}"));
    }
    if config.data.join("lyceum.db").exists() {
        bail!(
            "the master key file {} is not there, and the data in {} needs it: put back the copy that you keep",
            path.display(),
            config.data.display()
        );
    }
    if !args.new_master_key {
        bail!(
            "the master key file {} is not there: a first start makes it with --new-master-key; keep a copy apart from the backups",
            path.display()
        );
    }
    Ok((MasterKey::generate(), true))
}

/// Reads the certificate files.
pub fn tls_settings(config: &TlsConfig) -> Result<TlsSettings> {
    let certificate = Certificate::load(&config.certificate, &config.key).map_err(|error| anyhow!("{error}"))?;
    let authorities = match &config.authorities {
        Some(path) => load_authorities(path).map_err(|error| anyhow!("{error}"))?,
        None => Vec::new(),
    };
    let client_certificates =
        if authorities.is_empty() { ClientCertificates::Ignore } else { ClientCertificates::Optional };
    Ok(TlsSettings { certificates: vec![certificate], authorities, client_certificates })
}
