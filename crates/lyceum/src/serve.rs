//! `lyceum serve --config node.toml`: a node of a deployment.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use lyceum_net::{Certificate, ClientCertificates, ListenerOptions, Tls, TlsSettings, load_authorities};
use lyceum_store::MasterKey;

use crate::config::{NodeConfig, TlsConfig};
use crate::dev::read_topology;
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
    let server = Server::start(options(args, config)?)?;
    tracing::info!(addresses = ?server.addresses, "serving");
    if let Some(url) = &server.first_administrator {
        println!("First administrator (one use, 30 minutes): {url}");
    }
    server.wait_for_signal()?;
    tracing::info!("stopping");
    server.stop();
    Ok(())
}

fn options(args: &ServeArgs, config: NodeConfig) -> Result<ServerOptions> {
    let first_document = args.topology.as_deref().map(read_topology).transpose()?;
    if args.new_master_key && !config.master_key.exists() {
        MasterKey::generate().write_new(&config.master_key).map_err(|error| anyhow!("{error}"))?;
    }
    let master_key = MasterKey::read(&config.master_key)
        .map_err(|error| anyhow!("{error}"))
        .context("a first start makes the key with --new-master-key; keep a copy apart from the backups")?;
    let tls_config = config.tls.clone();
    let settings = move || tls_config.as_ref().map_or_else(|| Ok(TlsSettings::default()), tls_settings);
    let tls = match config.tls {
        Some(_) => Some(Tls::new(settings()?).map_err(|error| anyhow!("{error}"))?),
        None => None,
    };
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        let mut options = ListenerOptions::new(listener.transport()?, listener.address).inside(listener.inside);
        options.advertised = listener.advertised.clone();
        listeners.push(options);
    }
    Ok(ServerOptions {
        node: config.name,
        pool: config.pool,
        backups: config.backups.unwrap_or_else(|| config.data.join("backups")),
        data: config.data,
        master_key,
        first_document,
        listeners,
        tls,
        reload: Arc::new(move || settings().map_err(|error| error.to_string())),
        https: config.https.as_ref().map(|https| https.address),
        ws: config.https.as_ref().and_then(|https| https.ws),
        base_url: config.https.as_ref().and_then(|https| https.url.clone()),
        origins: config.https.map(|https| https.origins).unwrap_or_default(),
        https_inside: false,
        socket: config.socket,
        workers: config.workers,
    })
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
