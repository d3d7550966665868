//! Flow records of this node: from notes of mediation to a file, one JSON object a line.

use std::collections::HashMap;

use lyceum_front_end::calls::bridging::NewCall;
use lyceum_media::bridge::Side;
use lyceum_media::quality::{Flow, LegRecord};
use lyceum_mediation::call::{AnchorId, LegFacts, Note, What};
use lyceum_monitoring::{FlowCount, FlowEnd, FlowEvent, FlowPath, FlowQuality, FlowRecord, Private, Stamp};
use lyceum_topology::qos::{Modality, Qos};

/// Takes records; never waits.
pub type FlowSink = Box<dyn Fn(FlowRecord) + Send>;

/// A call of which media is noted.
struct Labels {
    call_id: String,
    users: [Option<Private>; 2],
    devices: [Option<String>; 2],
    flowing: HashMap<usize, (u64, FlowRecord)>,
    over: bool,
}

/// What is kept of media for the records.
pub struct Flows {
    sink: Option<FlowSink>,
    node: String,
    marks: Vec<(Modality, Option<u8>)>,
    calls: HashMap<AnchorId, Labels>,
    clock: fn() -> u64,
}

impl Flows {
    /// Records go to `sink`, if there is one. `clock` gives milliseconds since the epoch.
    pub fn new(sink: Option<FlowSink>, node: &str, qos: &Qos, clock: fn() -> u64) -> Self {
        let mark = |modality| (modality, qos.mark_of(modality).map(|dscp| dscp.value()));
        let marks = Modality::ALL.into_iter().map(mark).collect();
        Self { sink, node: node.into(), marks, calls: HashMap::new(), clock }
    }

    /// Whether anybody wants records.
    pub fn are_wanted(&self) -> bool {
        self.sink.is_some()
    }

    /// A call begins.
    pub fn begun(&mut self, anchor: AnchorId, call: &NewCall<'_>) {
        if self.sink.is_none() {
            return;
        }
        let invite = call.invite;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let from = invite.from().ok().map(|from| Private::new(text(from.uri)));
        let to = invite.to().ok().map(|to| Private::new(text(to.uri)));
        let labels = Labels {
            call_id: text(invite.call_id()),
            users: [from, to],
            devices: [None, call.callee_device.map(str::to_owned)],
            flowing: HashMap::new(),
            over: false,
        };
        self.calls.insert(anchor, labels);
    }

    /// A party's device says what it is.
    pub fn device(&mut self, anchor: AnchorId, side: Side, device: Option<&[u8]>) {
        if let (Some(labels), Some(device)) = (self.calls.get_mut(&anchor), device) {
            let known = &mut labels.devices[side as usize];
            known.get_or_insert_with(|| String::from_utf8_lossy(device).into_owned());
        }
    }

    /// A call is over; what still flows of it ends when media says so.
    pub fn over(&mut self, anchor: AnchorId) {
        if let Some(labels) = self.calls.get_mut(&anchor) {
            labels.over = true;
            if labels.flowing.is_empty() {
                self.calls.remove(&anchor);
            }
        }
    }

    /// Media began, changed or ended.
    pub fn note(&mut self, note: Note) {
        let Some(sink) = &self.sink else { return };
        let Some(labels) = self.calls.get_mut(&note.anchor) else { return };
        let now = (self.clock)();
        let dscp = self.marks.iter().find(|(modality, _)| *modality == note.modality).and_then(|(_, dscp)| *dscp);
        match note.what {
            What::Started(legs) | What::Changed(legs) => {
                let had = labels.flowing.get(&note.index).map(|(since, _)| *since);
                let record = FlowRecord {
                    flow: format!("{}/{}", labels.call_id, note.index),
                    event: if had.is_some() { FlowEvent::Change } else { FlowEvent::Start },
                    at: Stamp(now).to_string(),
                    call_id: labels.call_id.clone(),
                    modality: note.modality.to_string(),
                    dscp,
                    path: match legs[0].local {
                        Some(_) => FlowPath::Relayed(self.node.clone()),
                        None => FlowPath::Direct,
                    },
                    caller: end(labels, 0, &legs[0]),
                    callee: end(labels, 1, &legs[1]),
                    seconds: None,
                };
                sink(record.clone());
                labels.flowing.insert(note.index, (had.unwrap_or(now), record));
            }
            What::Ended(records) => {
                let Some((since, mut record)) = labels.flowing.remove(&note.index) else { return };
                (record.event, record.at) = (FlowEvent::End, Stamp(now).to_string());
                record.seconds = Some(now.saturating_sub(since) as f64 / 1000.0);
                if let Some(records) = records {
                    record.caller.quality = Some(quality(&records[0]));
                    record.callee.quality = Some(quality(&records[1]));
                }
                sink(record);
                if labels.over && labels.flowing.is_empty() {
                    self.calls.remove(&note.anchor);
                }
            }
        }
    }
}

fn end(labels: &Labels, at: usize, facts: &LegFacts) -> FlowEnd {
    FlowEnd {
        user: labels.users[at].clone(),
        device: labels.devices[at].clone(),
        address: facts.remote,
        candidates: facts.candidates.clone(),
        server: facts.local,
        codec: facts.codec.clone(),
        protection: facts.protection.into(),
        direction: facts.direction.clone(),
        bandwidth_bps: facts.bandwidth_bps,
        quality: None,
    }
}

fn quality(record: &LegRecord) -> FlowQuality {
    let count = |flow: &Flow| FlowCount {
        packets: flow.packets,
        bytes: flow.bytes,
        lost: flow.lost,
        jitter_ms: flow.jitter_us as f64 / 1000.0,
        mos: f64::from(flow.mos),
    };
    FlowQuality {
        received: count(&record.received),
        sent: count(&record.sent),
        round_trip_ms: record.round_trip.map(|trip| trip.as_secs_f64() * 1000.0),
        refused: record.refused,
    }
}
