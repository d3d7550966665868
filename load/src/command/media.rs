//! `media`: our bridge of RTP beside rtpengine in userspace, the same packets in one sitting.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use lyceum_media::codec::Encoder;
use lyceum_media::srtp::Protector;
use lyceum_sdp::{Codec, Encoding, KeySalt, Suite};
use serde_json::{Value, json};

use super::measure::median;
use crate::peer::Rtpengine;
use crate::procfs::Meter;
use crate::stats::Histogram;
use crate::sys::Inbox;
use crate::{machine, report, sys};

/// Bytes of a socket's buffers.
const BUFFER: i32 = 4 << 20;
/// Packets whose time of leaving is remembered for each stream.
const REMEMBERED: usize = 256;
/// How long packets may still come after the last one went.
const TAIL: Duration = Duration::from_millis(300);
/// A little of G.711, and the length of a packet that carries 20 ms of it.
const G711: [u8; 160] = [0x55; 160];
const HEADER: usize = 12;

/// What is done with a packet on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Forwarded.
    Rtp,
    /// Forwarded, and protected by AES-CM-128 with HMAC-SHA1-80.
    Srtp,
    /// Opus under SRTP into G.711 under SRTP; ours alone.
    Transcode,
}

/// Media beside rtpengine.
#[derive(Debug, Args)]
pub struct Media {
    /// Our bridge: `cargo build --profile dist -p lyceum-mediation --example relay`.
    #[arg(long, default_value = "target/dist/examples/relay")]
    relay: PathBuf,
    /// What to run.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "rtp,srtp,transcode")]
    what: Vec<What>,
    /// Streams: in one direction, but for transcoded ones, which are calls.
    #[arg(long, default_value_t = 100)]
    streams: usize,
    /// Packets a second, of all streams; a transcoded call has 50 each way always.
    #[arg(long, default_value_t = 20_000)]
    rate: usize,
    /// Length of one run in seconds.
    #[arg(long, default_value_t = 5.0)]
    secs: f64,
    /// Runs of each, turn by turn; the middle one counts.
    #[arg(long, default_value_t = 3)]
    reps: usize,
    /// Core of the servers.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// Core of the generator.
    #[arg(long, default_value_t = 1)]
    core: usize,
    /// Without rtpengine.
    #[arg(long)]
    alone: bool,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What one run came to.
#[derive(Clone, Copy, Debug)]
struct Run {
    micros: f64,
    loss: f64,
    p50: u64,
    p99: u64,
    busy: f64,
}

struct Ends {
    from: UdpSocket,
    to: UdpSocket,
}

/// Our bridge as a child, and where its streams' packets go.
struct Ours {
    child: Child,
    /// Of the first legs, and of the second ones.
    targets: [Vec<SocketAddr>; 2],
}

impl Drop for Ours {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Media {
    pub(super) fn run(&self) -> Result<bool, String> {
        sys::pin_self(self.core).map_err(|error| format!("core {}: {error}", self.core))?;
        let (machine, mut rows, mut holds) = (machine::describe(), Vec::new(), true);
        for what in &self.what {
            let row = self.beside(*what)?;
            holds &= row["holds"].as_bool().unwrap_or(false);
            rows.push(row);
        }
        let cell = |row: &Value, key: &str| row[key].as_f64().map_or("-".to_owned(), |value| format!("{value:.2}"));
        let head = ["what", "server", "CPU s/Mpkt", "ratio", "loss %", "p50 ms", "p99 ms", "core busy %"];
        let mut table = vec![report::row(head)];
        for row in rows.iter().flat_map(|row| row["servers"].as_array().into_iter().flatten()) {
            let names = [row["what"].as_str(), row["server"].as_str()].map(|name| name.unwrap_or("?").to_owned());
            let keys = ["cpu_s_per_mpkt", "ratio", "loss_percent", "p50_ms", "p99_ms", "busy_percent"];
            table.push(names.into_iter().chain(keys.map(|key| cell(row, key))).collect());
        }
        let text = format!("{}\n{}", machine::sentence(&machine), report::table(&table));
        report::print(self.json, &json!({ "machine": machine, "media": rows }), &text);
        Ok(holds)
    }

    fn beside(&self, what: What) -> Result<Value, String> {
        let ends = Ends::new()?;
        let ours = self.start(what, &ends)?;
        let folder = std::env::temp_dir().join(format!("lyceum-load-media-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut other = match self.alone || what == What::Transcode {
            true => None,
            false => Some(Rtpengine::start(&folder, self.server_core)?),
        };
        let mut others = [Vec::new(), Vec::new()];
        if let Some(engine) = &mut other {
            let (from, to) = (port(&ends.from)?, port(&ends.to)?);
            for _ in 0..self.streams {
                others[0].push(SocketAddr::from((Ipv4Addr::LOCALHOST, engine.open(from, to, what == What::Srtp)?)));
            }
        }
        let (mut our_runs, mut other_runs) = (Vec::new(), Vec::new());
        let mut sound = Sound::new(what, self.streams)?;
        self.drive(&ends, &ours.targets, &mut sound, ours.child.id(), 1.0)?;
        for _ in 0..self.reps {
            our_runs.push(self.drive(&ends, &ours.targets, &mut sound, ours.child.id(), self.secs)?);
            if let Some(engine) = &other {
                other_runs.push(self.drive(&ends, &others, &mut sound, engine.pid(), self.secs)?);
            }
        }
        drop(other);
        // What is left of a log is of no use after the run.
        let _ = std::fs::remove_dir_all(&folder);
        Ok(self.judge(what, &our_runs, &other_runs))
    }

    fn judge(&self, what: What, ours: &[Run], others: &[Run]) -> Value {
        let middle = |runs: &[Run], of: fn(&Run) -> f64| median(runs.iter().map(of).collect()).unwrap_or(f64::NAN);
        let name = format!("{what:?}").to_lowercase();
        let row = |server: &str, runs: &[Run], ratio: f64| {
            json!({
                "what": name, "server": server, "ratio": ratio,
                "cpu_s_per_mpkt": middle(runs, |run| run.micros),
                "loss_percent": middle(runs, |run| 100.0 * run.loss),
                "p50_ms": middle(runs, |run| run.p50 as f64 / 1000.0),
                "p99_ms": middle(runs, |run| run.p99 as f64 / 1000.0),
                "busy_percent": middle(runs, |run| 100.0 * run.busy),
            })
        };
        let (own, loss) = (middle(ours, |run| run.micros), middle(ours, |run| run.loss));
        let p99 = middle(ours, |run| run.p99 as f64 / 1000.0);
        if others.is_empty() {
            let servers = [row("lyceum", ours, 1.0)];
            if what != What::Transcode {
                return json!({ "holds": loss <= 0.001 && p99 <= 1.0, "servers": servers });
            }
            let calls = self.streams as f64 / middle(ours, |run| run.busy);
            return json!({ "holds": loss <= 0.001 && calls >= 200.0, "calls_per_core": calls, "servers": servers });
        }
        let other = middle(others, |run| run.micros);
        let servers = [row("rtpengine", others, 1.0), row("lyceum", ours, own / other)];
        json!({ "holds": own / other <= 0.5 && p99 <= 1.0 && loss <= 0.001, "servers": servers })
    }

    fn start(&self, what: What, ends: &Ends) -> Result<Ours, String> {
        let mut command = Command::new(&self.relay);
        command.args([port(&ends.from)?.to_string(), port(&ends.to)?.to_string(), self.streams.to_string()]);
        command.arg(format!("{what:?}").to_lowercase()).stdin(Stdio::piped()).stdout(Stdio::piped());
        sys::bind_child(&mut command, self.server_core);
        let mut child = command.spawn().map_err(|error| {
            let build = "`cargo build --profile dist -p lyceum-mediation --example relay` makes it";
            format!("{}: {error}; {build}", self.relay.display())
        })?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("the bridge has no output")?;
        BufReader::new(out).read_line(&mut line).map_err(|error| format!("the bridge said nothing: {error}"))?;
        let mut targets = [Vec::new(), Vec::new()];
        for pair in line.trim().split(',').filter_map(|pair| pair.split_once(':')) {
            for (targets, port) in targets.iter_mut().zip([pair.0, pair.1]) {
                targets.extend(port.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
            }
        }
        let ours = Ours { child, targets };
        match ours.targets.iter().all(|targets| targets.len() == self.streams) {
            true => Ok(ours),
            false => Err("the bridge opened too few streams".to_owned()),
        }
    }

    /// Sends for so long, each packet at its own time, and takes what comes.
    fn drive(
        &self,
        ends: &Ends,
        targets: &[Vec<SocketAddr>; 2],
        sound: &mut Sound,
        pid: u32,
        secs: f64,
    ) -> Result<Run, String> {
        // Both ways where it is a call.
        let ways = if sound.is_coded() { 2 } else { 1 };
        let rate = if sound.is_coded() { 50 * self.streams * ways } else { self.rate };
        let (mut inbox, mut times) = (Inbox::default(), Histogram::default());
        let mut left = vec![Instant::now(); self.streams * REMEMBERED];
        while inbox.receive(&ends.to) > 0 {}
        let (meter, begin) = (Meter::start(&[pid]), Instant::now());
        let (mut sent, mut came) = (0u64, 0u64);
        let end = begin + Duration::from_secs_f64(secs);
        let mut now = begin;
        while now < end + TAIL {
            let due = (now.min(end).duration_since(begin).as_secs_f64() * rate as f64) as u64;
            if sent < due {
                let (way, stream) = (sent as usize % ways, sent as usize / ways % self.streams);
                let (number, bytes) = sound.packet(way, stream)?;
                left[stream * REMEMBERED + usize::from(number) % REMEMBERED] = Instant::now();
                let socket = if way == 0 { &ends.from } else { &ends.to };
                let gone = socket.send_to(bytes, targets[way][stream]);
                gone.map_err(|error| format!("a packet could not be sent: {error}"))?;
                sent += 1;
            }
            if ways == 2 {
                came += inbox.receive(&ends.from) as u64;
            }
            let count = inbox.receive(&ends.to);
            now = Instant::now();
            for at in 0..count {
                let bytes = inbox.datagram(at);
                came += 1;
                if let (Some(number), Some(ssrc)) = (bytes.get(2..4), bytes.get(8..12))
                    && !sound.is_coded()
                {
                    let number = usize::from(u16::from_be_bytes([number[0], number[1]]));
                    let stream = u32::from_be_bytes([ssrc[0], ssrc[1], ssrc[2], ssrc[3]]) as usize % self.streams;
                    times.add(now.duration_since(left[stream * REMEMBERED + number % REMEMBERED]).as_micros() as u64);
                }
            }
        }
        let spent = meter.seconds();
        Ok(Run {
            micros: 1e6 * spent / came.max(1) as f64,
            loss: 1.0 - came as f64 / sent.max(1) as f64,
            p50: times.percentile(0.5),
            p99: times.percentile(0.99),
            busy: spent / secs,
        })
    }
}

impl Ends {
    fn new() -> Result<Self, String> {
        let open = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("no port: {error}"))?;
            sys::widen(&socket, BUFFER);
            Ok::<_, String>(socket)
        };
        Ok(Self { from: open()?, to: open()? })
    }
}

fn port(socket: &UdpSocket) -> Result<u16, String> {
    socket.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

/// What the streams carry.
struct Sound {
    /// Twenty milliseconds each, sent in turn; empty for G.711.
    coded: Vec<Vec<u8>>,
    /// Either way: the next number, and the key.
    streams: [Vec<(u16, Option<Protector>)>; 2],
    buffer: [u8; 1500],
}

impl Sound {
    fn new(what: What, streams: usize) -> Result<Self, String> {
        let coded = if what == What::Transcode { opus().ok_or("there is no Opus")? } else { Vec::new() };
        let suite = Suite::AesCm128HmacSha1_80;
        let key = KeySalt::new(suite, &[2; 30]).ok_or("a key of the wrong length")?;
        let protector = || (!coded.is_empty()).then(|| Protector::new(suite, &key));
        let way = || (0..streams).map(|_| (0, protector())).collect();
        Ok(Self { streams: [way(), way()], coded, buffer: [0; 1500] })
    }

    fn is_coded(&self) -> bool {
        !self.coded.is_empty()
    }

    /// The next packet of a stream, and its number.
    fn packet(&mut self, way: usize, stream: usize) -> Result<(u16, &[u8]), String> {
        let (number, protector) = &mut self.streams[way][stream];
        let own = *number;
        *number = number.wrapping_add(1);
        let coded = self.coded.get(usize::from(own) % self.coded.len().max(1)).filter(|_| way == 0);
        let (payload_type, step) = if coded.is_some() { (111, 960) } else { (0, 160) };
        let payload = coded.map_or(&G711[..], Vec::as_slice);
        let mut head = &mut self.buffer[..HEADER];
        let parts: [&[u8]; 4] = [
            &[0x80, payload_type],
            &own.to_be_bytes(),
            &(u32::from(own) * step).to_be_bytes(),
            &(stream as u32).to_be_bytes(),
        ];
        parts.into_iter().try_for_each(|part| head.write_all(part)).map_err(|error| error.to_string())?;
        let len = HEADER + payload.len();
        self.buffer[HEADER..len].copy_from_slice(payload);
        let len = match protector {
            Some(protector) => protector.protect_rtp(&mut self.buffer, len).map_err(|error| error.to_string())?,
            None => len,
        };
        Ok((own, &self.buffer[..len]))
    }
}

/// Two seconds of something like a voice: harmonics that come and go, and a little noise.
fn opus() -> Option<Vec<Vec<u8>>> {
    const RATE: usize = 16_000;
    let mut encoder = Encoder::new(&Codec::new(111, Encoding::Opus), RATE as u32).ok()?;
    let (mut frames, mut noise) = (Vec::new(), 1u32);
    for frame in 0..100 {
        let pcm: Vec<i16> = (0..RATE / 50)
            .map(|at| {
                let time = (frame * RATE / 50 + at) as f32 / RATE as f32;
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let loud = (time * 4.0 * std::f32::consts::TAU).sin().max(0.0) * 3_000.0;
                let wave = |harmonic: f32| (time * 140.0 * harmonic * std::f32::consts::TAU).sin() / harmonic;
                let voice: f32 = (1..12).map(|harmonic| wave(harmonic as f32)).sum();
                (voice * loud + (noise >> 24) as f32) as i16
            })
            .collect();
        let mut buffer = [0; 1000];
        let length = encoder.encode(&pcm, &mut buffer).ok()?;
        frames.push(buffer[..length].to_vec());
    }
    Some(frames)
}
