//! A call between two parties over media that only writes down what it is told.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use lyceum_media::bridge::Side;
use lyceum_mediation::call::{AnchorId, Anchors, Carried, Party, PassError, Passing};
use lyceum_mediation::media::{Agreement, LegKind, Local, LocalWeb, Media, MediaError, Open, Opened, StreamId};
use lyceum_sdp::{Candidate, Description, Fingerprint, Ice};

/// What media was told.
#[derive(Default)]
pub struct Told {
    pub opened: Vec<Open>,
    pub agreed: Vec<(StreamId, Side, Agreement)>,
    pub restarted: Vec<(StreamId, Side)>,
    pub closed: Vec<StreamId>,
    pub full: bool,
}

#[derive(Clone, Default)]
pub struct FakeMedia(pub Arc<Mutex<Told>>);

fn web(name: &str, port: u16) -> LocalWeb {
    let candidates = vec![Candidate::host(1, SocketAddr::from(([10, 0, 0, 9], port)))];
    let digest: Vec<String> = (0..32).map(|_| "AB".to_owned()).collect();
    let fingerprint = Fingerprint::parse(&format!("sha-256 {}", digest.join(":"))).expect("whole");
    LocalWeb { ice: Ice { ufrag: name.into(), pwd: format!("{name}{}", "p".repeat(22)), candidates }, fingerprint }
}

impl Media for FakeMedia {
    fn open(&mut self, open: Open) -> Result<Opened, MediaError> {
        let mut told = self.0.lock().expect("alone");
        if told.full {
            return Err(MediaError::NoPort(open.modality));
        }
        let id = told.opened.len() as u64;
        told.opened.push(open);
        let local = |side: u16| {
            let port = 20_000 + id as u16 * 10 + side * 4;
            let rtp = SocketAddr::from(([10, 0, 0, 9], port));
            match open.legs[usize::from(side)] {
                LegKind::Rtp => Local { rtp, rtcp: Some(SocketAddr::from(([10, 0, 0, 9], port + 1))), web: None },
                LegKind::Web => Local { rtp, rtcp: None, web: Some(web("ours", port)) },
            }
        };
        Ok(Opened { id: StreamId(id), legs: [local(0), local(1)] })
    }

    fn agree(&mut self, stream: StreamId, side: Side, agreement: Agreement) -> Result<(), MediaError> {
        self.0.lock().expect("alone").agreed.push((stream, side, agreement));
        Ok(())
    }

    fn restart_ice(&mut self, stream: StreamId, side: Side) -> Option<LocalWeb> {
        self.0.lock().expect("alone").restarted.push((stream, side));
        Some(web("anew", 30_000))
    }

    fn press(&mut self, _: StreamId, _: Side, _: char) {}

    fn close(&mut self, stream: StreamId) {
        self.0.lock().expect("alone").closed.push(stream);
    }
}

/// A call under test.
pub struct Bench {
    pub anchors: Anchors<FakeMedia>,
    pub told: Arc<Mutex<Told>>,
    pub id: AnchorId,
}

impl Bench {
    pub fn new(caller: Party, callee: Party) -> Self {
        let media = FakeMedia::default();
        let told = Arc::clone(&media.0);
        let count = Rc::new(RefCell::new(0_u8));
        // Numbers in order are chance enough here.
        let mut next = *count.borrow();
        let random = move |bytes: &mut [u8]| {
            bytes.iter_mut().for_each(|byte| {
                next = next.wrapping_add(1);
                *byte = next;
            });
        };
        let mut anchors = Anchors::new(media, [10, 0, 0, 9].into(), Box::new(random));
        let id = anchors.begin(caller, callee).expect("there is room");
        Self { anchors, told, id }
    }

    pub fn pass(&mut self, from: Side, carried: Carried, cseq: u32, body: &str) -> Result<Description, PassError> {
        let passing = Passing { from, carried, cseq, body: body.as_bytes() };
        let written = self.anchors.pass(self.id, &passing)?.expect("it is written anew");
        Ok(Description::parse(&written).expect("what we write can be read"))
    }

    /// INVITE of the caller and 200 of the callee; what each was given.
    pub fn call(&mut self, cseq: u32, offer: &str, answer: &str) -> (Description, Description) {
        let offered = self.pass(Side::A, Carried::Request, cseq, offer).expect("the offer passes");
        let answered = self.pass(Side::B, Carried::Response, cseq, answer).expect("the answer passes");
        (offered, answered)
    }
}

const WEB_HEAD: &str = "v=0\r\no=- 77 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=msid-semantic: WMS x\r\n";

/// A browser's description: one medium of sound.
pub fn browser(ufrag: &str, setup: &str, codecs: &str, rest: &str) -> String {
    format!("{WEB_HEAD}{}", browser_audio(ufrag, setup, codecs, rest))
}

pub fn browser_audio(ufrag: &str, setup: &str, codecs: &str, rest: &str) -> String {
    let digest = vec!["CD"; 32].join(":");
    let numbers: Vec<&str> = codecs.split(' ').map(|codec| codec.split('=').next().expect("a number")).collect();
    let maps: String = codecs
        .split(' ')
        .filter_map(|codec| codec.split_once('='))
        .map(|(number, map)| format!("a=rtpmap:{number} {map}\r\n"))
        .collect();
    format!(
        "m=audio 50001 UDP/TLS/RTP/SAVPF {}\r\nc=IN IP4 192.0.2.7\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 192.0.2.7 50001 typ host\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{}\r\n\
         a=fingerprint:sha-256 {digest}\r\na=setup:{setup}\r\na=mid:0\r\na=rtcp-mux\r\n{maps}{rest}",
        numbers.join(" "),
        "q".repeat(24)
    )
}

/// A phone's description.
pub fn phone(media: &str) -> String {
    format!("v=0\r\no=- 5 5 IN IP4 192.0.2.50\r\ns=-\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\n{media}")
}

pub const CHROME: &str =
    "111=opus/48000/2 9=G722/8000 0=PCMU/8000 8=PCMA/8000 110=telephone-event/48000 126=telephone-event/8000";
