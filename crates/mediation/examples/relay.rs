//! Bridges a number of streams between two ports of this host, for `lyceum-load media`: prints the ports that the packets of
//! each stream's two legs go to (`30000:30002,…`), on one line, and runs until its input ends.
//!
//! `relay FROM-PORT TO-PORT STREAMS rtp|srtp|transcode`

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};

use lyceum_media::bridge::{LegSetup, Protection, Side};
use lyceum_media::latch::Believe;
use lyceum_mediation::media::{Agreement, LegKind, Media, MediaAddress, MediaOptions, Open};
use lyceum_sdp::{Codec, Direction, Encoding, KeySalt, Suite};
use lyceum_topology::qos::{Modality, PortRange, QosSettings};

const SUITE: Suite = Suite::AesCm128HmacSha1_80;
const PORTS: PortRange = PortRange { first: 30_000, last: 45_999 };

fn leg(port: u16, codec: Codec, secure: bool) -> Option<Agreement> {
    let key = |byte| KeySalt::new(SUITE, &[byte; 30]);
    let protection = match secure {
        true => Protection::Sdes { suite: SUITE, send: key(1)?, receive: key(2)? },
        false => Protection::Plain,
    };
    let setup = LegSetup {
        rtp: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        rtcp: None,
        signalled_from: None,
        believe: Believe::KnownHosts,
        protection,
        direction: Direction::SendRecv,
        send: vec![codec.clone()],
        receive: vec![codec],
        rtcp_mux: true,
        ptime: 20,
    };
    Some(Agreement { setup, web: None })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, streams, what] = arguments.as_slice() else {
        return Err("relay FROM-PORT TO-PORT STREAMS rtp|srtp|transcode".into());
    };
    let (from, to, streams): (u16, u16, usize) = (from.parse()?, to.parse()?, streams.parse()?);
    let pcmu = || Codec::new(0, Encoding::Pcmu);
    let (first, second, secure) = match what.as_str() {
        "rtp" => (pcmu(), pcmu(), [false, false]),
        "srtp" => (pcmu(), pcmu(), [false, true]),
        "transcode" => (Codec::new(111, Encoding::Opus), pcmu(), [true, true]),
        other => return Err(format!("`{other}` is none of rtp, srtp, transcode").into()),
    };
    let here = MediaAddress::plain(Ipv4Addr::LOCALHOST.into());
    let mut options = MediaOptions::new(vec![here], &QosSettings::default().in_force());
    (options.ports.audio, options.streams_max) = (Some(PORTS), streams);
    let running = options.start(Box::new(|_| true))?;
    let mut media = running.handle();
    let mut ports = Vec::new();
    for _ in 0..streams {
        let opened = media.open(Open { modality: Modality::Audio, legs: [LegKind::Rtp; 2] })?;
        let legs = [(Side::A, leg(from, first.clone(), secure[0])), (Side::B, leg(to, second.clone(), secure[1]))];
        for (side, agreement) in legs {
            media.agree(opened.id, side, agreement.ok_or("a key of the wrong length")?)?;
        }
        let [one, two] = opened.legs;
        ports.push(format!("{}:{}", one.rtp.port(), two.rtp.port()));
    }
    println!("{}", ports.join(","));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    running.stop();
    Ok(())
}
