//! `lyceum dev`: a throw-away deployment on loopback, for a first look and for tests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use lyceum_mediation::media::MediaAddress;
use lyceum_net::{DevCa, ListenerOptions, Tls, TlsSettings};
use lyceum_sip::Transport;
use lyceum_store::MasterKey;
use lyceum_topology::{Cidr, Document, DomainName, HopTransport, TrustedBy, TrustedHost};
use lyceum_web::scanner::Scanner;

use crate::config::Port;
use crate::link::LinkOptions;
use crate::preflight::{Preflight, listed, raise_file_limit};
use crate::probe;
use crate::server::{Addresses, MediaNode, Server, ServerOptions, Webhook};
use crate::users_csv;
use turn::TurnArgs;

pub mod turn;

/// The domain when nobody names one.
pub const DOMAIN: &str = "lyceum.test";
/// The demo users and their passwords; they exist on loopback only.
const DEMO: [(&str, &str); 2] = [("anna", "anna-demo"), ("ben", "ben-demo")];
/// How long the self-call talks.
const TALK: Duration = Duration::from_millis(700);

/// What `lyceum dev` takes.
#[derive(Args, Clone, Debug)]
pub struct DevArgs {
    /// Data folder; a throw-away one when absent
    #[arg(long)]
    data: Option<PathBuf>,
    /// SIP domain
    #[arg(long, default_value = DOMAIN)]
    domain: String,
    /// Address and port of SIP over UDP and TCP
    #[arg(long, default_value = "127.0.0.1:5060")]
    sip: SocketAddr,
    /// Address and port of SIP over TLS
    #[arg(long, default_value = "127.0.0.1:5061")]
    tls: SocketAddr,
    /// Address and port of HTTPS and SIP over secure WebSocket (at /ws and /)
    #[arg(long, default_value = "127.0.0.1:8443")]
    https: SocketAddr,
    /// Address and port of plain SIP over WebSocket; none when absent
    #[arg(long)]
    ws: Option<SocketAddr>,
    /// Address and port of plain HTTP with /metrics for Prometheus; none when absent
    #[arg(long)]
    metrics: Option<SocketAddr>,
    /// File of `user;password` lines to take as users, with or without a header
    #[arg(long)]
    users: Option<PathBuf>,
    /// Network whose hosts are trusted: no 407 for them (may be repeated)
    #[arg(long)]
    trust: Vec<String>,
    /// Print one line of JSON instead of the box, and make no self-call
    #[arg(long)]
    json: bool,
    /// Allow addresses that are not loopback
    #[arg(long)]
    expose: bool,
    /// Further name in the server's certificate (may be repeated)
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// Topology document (YAML or JSON) for the first start instead of the built-in one
    #[arg(long)]
    topology: Option<PathBuf>,
    /// Address of media that goes through the server; that of SIP when absent
    #[arg(long, value_name = "ADDRESS")]
    media: Option<IpAddr>,
    /// File of flow records, one JSON object a line
    #[arg(long, value_name = "FILE")]
    flow_records: Option<PathBuf>,
    /// Where flow records are posted to
    #[arg(long, value_name = "URL", value_parser = Webhook::parse)]
    flow_webhook: Option<Webhook>,
    /// What looks through files for viruses: a command's path, clamd:SOCKET or clamd:ADDRESS:PORT
    #[arg(long, value_parser = scanner)]
    virus_scanner: Option<Scanner>,
    /// Address and port for links of Access Edges; none when absent
    #[arg(long)]
    link: Option<SocketAddr>,
    #[command(flatten)]
    turn: TurnArgs,
    /// Log level or filter
    #[arg(long, default_value = "warn")]
    pub log: String,
}

fn scanner(text: &str) -> Result<Scanner, String> {
    Scanner::try_from(text.to_owned())
}

/// A folder that is removed at the end, or one that stays.
struct Folder {
    path: PathBuf,
    throw_away: bool,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.throw_away {
            std::fs::remove_dir_all(&self.path).ok();
        }
    }
}

/// Runs until SIGTERM or SIGINT.
pub fn run(args: &DevArgs) -> Result<()> {
    refuse_exposure(args)?;
    raise_file_limit();
    let folder = folder(args)?;
    preflight(args, &folder.path)?;
    let users = users(args)?;
    let mut server = Server::start(options(args, &folder.path)?)?;
    let users = server.import(&users, &args.domain.to_lowercase(), &folder.path.join("users.taken"))?;
    if args.json {
        println!("{}", json_line(args, &server.addresses, &folder.path));
    } else {
        print_box(args, &server, users);
        self_call(&server);
        println!("\nCtrl-C ends it{}.", if folder.throw_away { " and removes everything" } else { "" });
    }
    server.wait_for_signal();
    server.stop();
    Ok(())
}

fn refuse_exposure(args: &DevArgs) -> Result<()> {
    let sip = [Some(args.sip), Some(args.tls), Some(args.https), args.ws, args.metrics, args.link];
    for addr in sip.into_iter().chain(args.turn.addresses()).flatten() {
        if !addr.ip().is_loopback() && !args.expose {
            bail!(
                "{addr} is not a loopback address, and `lyceum dev` has known passwords: \
                 use 127.0.0.1 or [::1], add --expose if you mean it, or run `lyceum serve`"
            );
        }
    }
    Ok(())
}

/// Ports and folder, all faults at once.
fn preflight(args: &DevArgs, folder: &Path) -> Result<()> {
    let port = |what: &str, addr, datagram| Port { what: what.into(), addr, datagram };
    let mut ports = vec![
        port("udp", args.sip, true),
        port("tcp", args.sip, false),
        port("tls", args.tls, false),
        port("https", args.https, false),
    ];
    ports.extend(args.ws.map(|addr| port("ws", addr, false)));
    ports.extend(args.metrics.map(|addr| port("metrics", addr, false)));
    ports.extend(args.link.map(|addr| port("link", addr, false)));
    let [plain, tls] = args.turn.addresses();
    ports.extend(plain.into_iter().flat_map(|addr| [port("turn", addr, true), port("turn", addr, false)]));
    ports.extend(tls.map(|addr| port("turns", addr, false)));
    let mut preflight = Preflight::default();
    preflight.folder(&data_folder(folder));
    preflight.ports(&ports);
    preflight.done()
}

fn folder(args: &DevArgs) -> Result<Folder> {
    match &args.data {
        Some(path) => {
            std::fs::create_dir_all(path).map_err(|error| {
                anyhow!("the folder {} cannot be made ({error}): give another with --data", path.display())
            })?;
            Ok(Folder { path: path.canonicalize()?, throw_away: false })
        }
        None => {
            let path = std::env::temp_dir().join(format!("lyceum-dev-{}", std::process::id()));
            std::fs::create_dir_all(&path).map_err(|error| {
                anyhow!("the folder {} cannot be made ({error}): give one with --data", path.display())
            })?;
            Ok(Folder { path, throw_away: true })
        }
    }
}

fn options(args: &DevArgs, folder: &Path) -> Result<ServerOptions> {
    let domain = DomainName::parse(&args.domain).map_err(|error| anyhow!("--domain: {error}: give another"))?;
    let document = document(args, &domain)?;
    let settings = tls_settings(args, folder)?;
    let tls = Tls::new(settings()?).map_err(|error| anyhow!("{error}"))?;
    let inside = |addr: SocketAddr| addr.ip().is_loopback();
    let listener = |transport, addr: SocketAddr| ListenerOptions::new(transport, addr).inside(inside(addr));
    let mut tcp = listener(Transport::Tcp, args.sip);
    tcp.port_of = (args.sip.port() == 0).then_some(0);
    Ok(ServerOptions {
        node: "node1".into(),
        pool: "pool1".into(),
        data: data_folder(folder),
        master_key: master_key(&folder.join("key"), &data_folder(folder))?,
        first_document: Some(document),
        domain: Some(domain.as_str().to_owned()),
        listeners: vec![listener(Transport::Udp, args.sip), tcp, listener(Transport::Tls, args.tls)],
        tls: Some(tls),
        reload: Arc::new(move || settings().map_err(|error| error.to_string())),
        https: Some(args.https),
        ws: args.ws,
        metrics: args.metrics,
        base_url: None,
        origins: Vec::new(),
        scanner: args.virus_scanner.clone(),
        relay: args.turn.options()?,
        media: media(args),
        link: args.link.map(|address| LinkOptions { address, advertised: None }),
        https_inside: inside(args.https),
        socket: socket(folder),
        backups: folder.join("backups"),
        workers: 1,
    })
}

fn media(args: &DevArgs) -> MediaNode {
    let address = args.media.unwrap_or(args.sip.ip());
    let addresses = if address.is_unspecified() { Vec::new() } else { vec![MediaAddress::plain(address)] };
    MediaNode { addresses, flow_records: args.flow_records.clone(), webhook: args.flow_webhook.clone() }
}

/// The local socket of a dev folder: where `lyceum … --data DIR` looks too.
fn socket(folder: &Path) -> PathBuf {
    folder.join("lyceum.sock")
}

fn document(args: &DevArgs, domain: &DomainName) -> Result<Document> {
    let mut document = match &args.topology {
        Some(path) => read_topology(path)?,
        None => Document::dev(domain.clone(), domain.clone()),
    };
    for (number, network) in args.trust.iter().enumerate() {
        let cidr = Cidr::parse(network).map_err(|error| anyhow!("--trust: {error}: give another"))?;
        document.trusted_hosts.push(TrustedHost {
            name: format!("dev-{}", number + 1),
            description: "given with --trust".into(),
            by: TrustedBy::Address { cidr, transports: vec![HopTransport::Udp, HopTransport::Tcp, HopTransport::Tls] },
        });
    }
    Ok(document)
}

/// Reads a topology file, YAML or JSON by its ending.
pub fn read_topology(path: &Path) -> Result<Document> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow!("the topology file {} cannot be read ({error}): check the path", path.display()))?;
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let document = if is_json { Document::from_json(&text) } else { Document::from_yaml(&text) };
    document.map_err(|problems| listed(&format!("the topology file {} is not right", path.display()), &problems))
}

fn tls_settings(
    args: &DevArgs,
    folder: &Path,
) -> Result<impl Fn() -> Result<TlsSettings> + Send + Sync + Clone + 'static> {
    let ca = folder.join("ca");
    let mut names = vec![args.domain.clone(), format!("sip.{}", args.domain), "localhost".to_owned()];
    names.extend(args.name.iter().cloned());
    let mut addresses: Vec<IpAddr> =
        vec![Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into(), args.tls.ip(), args.https.ip()];
    addresses.sort();
    addresses.dedup();
    Ok(move || {
        let authority = DevCa::create(&ca).map_err(|error| anyhow!("{error}"))?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let issued = authority.issue("server", &names, &addresses).map_err(|error| anyhow!("{error}"))?;
        Ok(TlsSettings {
            certificates: vec![issued.certificate],
            authorities: vec![authority.certificate().clone()],
            client_certificates: lyceum_net::ClientCertificates::Optional,
        })
    })
}

/// Where the data of a dev folder lies: below it, or in it when a backup was restored straight into it.
pub fn data_folder(folder: &Path) -> PathBuf {
    if folder.join("lyceum.db").exists() { folder.to_owned() } else { folder.join("data") }
}

/// Reads the key file, or makes one for a new folder.
fn master_key(folder: &Path, data: &Path) -> Result<MasterKey> {
    let path = folder.join("master.key");
    if path.exists() {
        return MasterKey::read(&path).map_err(|error| anyhow!("{error}"));
    }
    if data.join("lyceum.db").exists() {
        bail!(
            "the master key file {} is not there, and the data in {} needs it: copy it from the folder of the server that made the data or the backup",
            path.display(),
            data.display()
        );
    }
    std::fs::create_dir_all(folder).map_err(|error| {
        anyhow!("the folder {} cannot be made ({error}): give another with --data", folder.display())
    })?;
    let key = MasterKey::generate();
    key.write_new(&path).map_err(|error| anyhow!("{error}"))?;
    Ok(key)
}

/// Who is to be there at the start, with passwords.
fn users(args: &DevArgs) -> Result<Vec<(String, String)>> {
    match &args.users {
        Some(path) => users_csv::read(path),
        None => Ok(DEMO.iter().map(|(user, password)| ((*user).to_owned(), (*password).to_owned())).collect()),
    }
}

fn json_line(args: &DevArgs, addresses: &Addresses, folder: &Path) -> String {
    let text = |addr: Option<SocketAddr>| addr.map(|addr| addr.to_string());
    serde_json::json!({
        "pid": std::process::id(),
        "domain": args.domain,
        "sip": text(addresses.udp),
        "udp": text(addresses.udp),
        "tcp": text(addresses.tcp),
        "tls": text(addresses.tls),
        "https": text(addresses.https),
        "wss": addresses.https.map(|addr| format!("wss://{addr}/ws")),
        "ws": addresses.ws.map(|addr| format!("ws://{addr}/ws")),
        "turn": text(addresses.turn),
        "turns": text(addresses.turns),
        "link": text(addresses.link),
        "metrics": addresses.metrics.map(|addr| format!("http://{addr}/metrics")),
        "ca": folder.join("ca").join("ca.pem"),
        "socket": socket(folder),
        "data": folder,
    })
    .to_string()
}

fn print_box(args: &DevArgs, server: &Server, users: u64) {
    let addresses = &server.addresses;
    let show = |addr: Option<SocketAddr>| addr.map_or_else(|| "–".into(), |addr| addr.to_string());
    let mut lines = vec![format!("Lyceum {} is up on this machine", env!("CARGO_PKG_VERSION")), String::new()];
    if args.users.is_none() {
        for (user, password) in DEMO {
            lines.push(format!("Sign in a SIP phone   {user}@{}   password {password}", args.domain));
        }
    } else {
        lines.push(format!("{users} users taken from the file, domain {}", args.domain));
    }
    lines.push(format!("Server (outbound proxy)   UDP, TCP {}   TLS {}", show(addresses.udp), show(addresses.tls)));
    if let Some(https) = addresses.https {
        lines.push(format!("Web client   https://{https}/client/   for the same people"));
        lines.push(format!("Programs in a browser (JsSIP)   wss://{https}/ws"));
    }
    lines.push(String::new());
    if let Some(url) = &server.first_administrator {
        lines.push("First administrator (one use, 30 minutes):".into());
        lines.push(url.clone());
    }
    lines.push(format!("Management shell   {}", shell_command(args, &server.socket)));
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    println!("┌{}┐", "─".repeat(width + 2));
    for line in lines {
        println!("│ {line}{} │", " ".repeat(width - line.chars().count()));
    }
    println!("└{}┘", "─".repeat(width + 2));
}

/// A command of the management shell as it can be typed here.
fn shell_command(args: &DevArgs, socket: &Path) -> String {
    let place = match &args.data {
        Some(data) => format!("--data {}", quoted(data)),
        None => format!("--socket {}", quoted(socket)),
    };
    format!("{} user get {place}", program())
}

/// How this program is called: by its name where the shell finds it, else by its path.
fn program() -> String {
    let Ok(own) = std::env::current_exe() else { return "lyceum".to_owned() };
    let found = std::env::var_os("PATH").is_some_and(|path| {
        let first = std::env::split_paths(&path).map(|dir| dir.join("lyceum")).find(|file| file.is_file());
        first.and_then(|file| file.canonicalize().ok()) == Some(own.clone())
    });
    if found { "lyceum".to_owned() } else { quoted(&own) }
}

/// A path as a word of a command line.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn self_call(server: &Server) {
    let Some(target) = server.addresses.udp else { return };
    println!("\nCalling myself: two built-in endpoints sign in and talk …");
    let [caller, callee] = server.test_users.accounts();
    let outcome = probe::call(crate::server::reachable(target), caller, callee, TALK);
    let mark = if outcome.as_ref().is_ok_and(probe::CallReport::both_ways) { "OK  " } else { "FAIL" };
    println!("{mark} {}", crate::server::summary(&outcome));
    if let Ok(report) = &outcome {
        let line = |way: &str, heard: &probe::sound::Heard| {
            println!("     {way}: {} packets, {:.0} % clean", heard.packets, heard.purity * 100.0);
        };
        line("caller to callee", &report.to_callee);
        line("callee to caller", &report.to_caller);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        dev: DevArgs,
    }

    #[test]
    fn addresses_outside_loopback_need_a_word_of_consent() {
        let parse = |list: &[&str]| Cli::try_parse_from([&["x"], list].concat()).map(|cli| cli.dev).unwrap();
        assert!(refuse_exposure(&parse(&[])).is_ok());
        assert!(refuse_exposure(&parse(&["--sip", "0.0.0.0:5060"])).unwrap_err().to_string().contains("--expose"));
        assert!(refuse_exposure(&parse(&["--sip", "0.0.0.0:5060", "--expose"])).is_ok());
    }
}
