//! rtpengine in userspace, as Debian packages it, spoken to by its `ng` protocol: an offer and an answer for each stream.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{free_port, log_file, spawn};

/// Tries to be heard while it starts.
const TRIES: usize = 50;
const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5";

/// A running rtpengine.
pub struct Rtpengine {
    child: Child,
    control: UdpSocket,
    calls: usize,
}

impl Rtpengine {
    /// Starts it on a core, without its kernel module.
    ///
    /// # Errors
    /// What is missing, in a sentence.
    pub fn start(folder: &Path, core: usize) -> Result<Self, String> {
        let port = free_port()?;
        let mut command = Command::new("rtpengine");
        command.args(["--table=-1", "--foreground", "--log-stderr", "--log-level=3", "--interface=127.0.0.1"]);
        command.args(["--port-min=46000", "--port-max=59999", "--num-threads=2", "--delete-delay=0"]);
        command.arg(format!("--listen-ng=127.0.0.1:{port}"));
        command.arg(format!("--pidfile={}", folder.join("rtpengine.pid").display()));
        command.stdout(log_file(folder)?).stderr(log_file(folder)?);
        let child = spawn(&mut command, core)
            .map_err(|error| format!("{error}; `apt-get install rtpengine-daemon` brings rtpengine"))?;
        let control = UdpSocket::bind("127.0.0.1:0").map_err(|error| format!("no port: {error}"))?;
        let set = control.connect(("127.0.0.1", port)).and(control.set_read_timeout(Some(Duration::from_millis(200))));
        set.map_err(|error| format!("no port: {error}"))?;
        let mut engine = Self { child, control, calls: 0 };
        let heard = (0..TRIES).any(|_| {
            let pong = engine.ask(&[("command", "ping")]).is_ok();
            if !pong {
                std::thread::sleep(Duration::from_millis(100));
            }
            pong
        });
        if heard { Ok(engine) } else { Err("rtpengine does not answer on its control port".to_owned()) }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Opens a stream from one port of ours to another and says which port of its takes the packets.
    ///
    /// # Errors
    /// What it answered.
    pub fn open(&mut self, from: u16, to: u16, secure: bool) -> Result<u16, String> {
        self.calls += 1;
        let call = format!("call{}", self.calls);
        let common = [("call-id", call.as_str()), ("from-tag", "a"), ("ICE", "remove")];
        let mut offer = vec![("command", "offer")];
        let offered = description(from, "RTP/AVP", None);
        offer.extend(common);
        offer.push(("sdp", &offered));
        if secure {
            offer.extend([("transport-protocol", "RTP/SAVP"), ("DTLS", "off")]);
        }
        let told = self.ask(&offer)?;
        let tag = told.split("AES_CM_128_HMAC_SHA1_80").next().and_then(|head| head.rsplit("a=crypto:").next());
        let tag = tag.filter(|_| secure).map(|tag| tag.trim().to_owned());
        let answered = description(to, if secure { "RTP/SAVP" } else { "RTP/AVP" }, tag.as_deref());
        let mut answer = vec![("command", "answer"), ("to-tag", "b"), ("sdp", &answered)];
        answer.extend(common);
        if secure {
            answer.push(("transport-protocol", "RTP/AVP"));
        }
        let told = self.ask(&answer)?;
        let port = told.split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        port.ok_or_else(|| format!("rtpengine named no port: {told}"))
    }

    /// A dictionary in bencode, whose keys are in order; the answer as text is enough to find a port in.
    fn ask(&mut self, pairs: &[(&str, &str)]) -> Result<String, String> {
        let sorted: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        let text = |text: &str| format!("{}:{text}", text.len());
        let body: String = sorted.iter().map(|(key, value)| text(key) + &text(value)).collect();
        let cookie = format!("{}-{}", self.calls, Instant::now().elapsed().as_nanos());
        let question = format!("{cookie} d{body}e");
        self.control.send(question.as_bytes()).map_err(|error| format!("rtpengine: {error}"))?;
        let mut buffer = [0; 8192];
        let length = self.control.recv(&mut buffer).map_err(|error| format!("rtpengine: {error}"))?;
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if answer.contains("2:ok") || answer.contains("4:pong") { Ok(answer) } else { Err(answer) }
    }
}

impl Drop for Rtpengine {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn description(port: u16, protocol: &str, crypto: Option<&str>) -> String {
    let crypto =
        crypto.map(|tag| format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n")).unwrap_or_default();
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} {protocol} 0\r\n\
         a=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n{crypto}"
    )
}
