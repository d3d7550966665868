//! Media of bridged calls: ports, packets and time; orders in, events out.
//!
//! ```
//! use lyceum_mediation::media::{LegKind, Media, MediaAddress, MediaOptions, Open};
//! use lyceum_topology::qos::{Modality, QosSettings};
//!
//! let here = MediaAddress::plain("127.0.0.1".parse()?);
//! let options = MediaOptions::new(vec![here], &QosSettings::default().in_force());
//! let running = options.start(Box::new(|event| {
//!     println!("{event:?}");
//!     true
//! }))?;
//! let mut media = running.handle();
//! let opened = media.open(Open { modality: Modality::Audio, legs: [LegKind::Web, LegKind::Rtp] })?;
//! assert!(opened.legs[0].web.is_some() && opened.legs[1].rtp.port() % 2 == 0);
//! media.close(opened.id);
//! running.stop();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chance;
mod handle;
mod options;
mod order;
mod orders;
mod ports;
mod stream;
mod worker;

pub use handle::{MediaHandle, Running};
pub use options::{ADDRESSES_MAX, AGREEMENT, MediaAddress, MediaOptions, SILENCE, STREAMS_MAX};
pub use order::{
    Agreement, LegKind, Local, LocalWeb, Media, MediaError, MediaEvent, Open, Opened, RemoteWeb, StreamId,
};
