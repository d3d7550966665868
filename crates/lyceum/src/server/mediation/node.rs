//! Media of this node: started with it, told of by its worker, stopped after it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::{Context, Result, anyhow};
use lyceum_front_end::calls::bridging::Mediation;
use lyceum_front_end::executor::Post;
use lyceum_mediation::media::{self, MediaAddress, MediaEvent, MediaOptions};
use lyceum_net::WorkerHandle;
use lyceum_topology::qos::Qos;

use super::Desk;
use super::flows::Flows;
use super::webhook::{Poster, Webhook};
use super::writer::FlowWriter;
use crate::server::ServerOptions;

/// Events of media that wait for the worker; of further ones the ends of streams and what is silent are told again.
const EVENTS: usize = 16_384;

/// What media of a node is built from.
#[derive(Clone, Debug, Default)]
pub struct MediaNode {
    /// Addresses of this machine; none: calls between unlike parties are not bridged.
    pub addresses: Vec<MediaAddress>,
    /// File of flow records.
    pub flow_records: Option<PathBuf>,
    /// Where flow records are posted to.
    pub webhook: Option<Webhook>,
}

/// What runs.
pub struct Running {
    media: Option<media::Running>,
    flows: Option<FlowWriter>,
}

impl Running {
    /// Ends: every port is closed, every record written.
    pub fn stop(self) {
        if let Some(media) = self.media {
            media.stop();
        }
        if let Some(flows) = self.flows {
            flows.stop();
        }
    }
}

/// Starts media and the writer of flow records; gives what the worker is to ask.
pub fn start(
    runtime: &tokio::runtime::Runtime,
    options: &ServerOptions,
    qos: &Qos,
    worker: WorkerHandle<Post>,
) -> Result<(Running, Option<Box<dyn Mediation>>)> {
    let node = &options.media;
    let poster = node.webhook.as_ref().map(|webhook| Poster::start(runtime, webhook)).transpose();
    let poster = poster.map_err(|why| anyhow!("the webhook of flow records: {why}"))?;
    let writer = (node.flow_records.is_some() || poster.is_some())
        .then(|| FlowWriter::start(node.flow_records.clone(), poster))
        .transpose()
        .context("the system gives no thread for flow records")?;
    let Some(first) = node.addresses.first() else {
        tracing::warn!(
            "no address for media: calls between browsers and phones are not bridged; write [media] addresses"
        );
        return Ok((Running { media: None, flows: writer }, None));
    };
    let address = first.advertised;
    let (tell, events): (_, Receiver<MediaEvent>) = sync_channel(EVENTS);
    let ear = move |event: MediaEvent| {
        // That a held stream is silent ends no call by itself: it is heard with the next of these.
        let news = match &event {
            MediaEvent::Closed(..) | MediaEvent::Unagreed(_) => true,
            MediaEvent::Silent { expected, .. } => *expected,
            _ => false,
        };
        let taken = tell.try_send(event).is_ok();
        if taken && news {
            // Where the worker has no room, its next sweep hears of it.
            let _ = worker.post(Post::Act(Box::new(|core, now, _| core.bridges_swept(now))));
        }
        taken
    };
    let media =
        MediaOptions::new(node.addresses.clone(), qos).start(Box::new(ear)).context("media cannot be started")?;
    let flows = Flows::new(writer.as_ref().map(FlowWriter::sink), &options.node, qos, || lyceum_web::system_clock().0);
    let desk = Desk::new(media.handle(), address, events, flows);
    Ok((Running { media: Some(media), flows: writer }, Some(Box::new(desk))))
}
