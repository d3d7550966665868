//! Media of bridged calls: ports, packets and time; orders in, events out.

mod order;

pub use order::{
    Agreement, LegKind, Local, LocalWeb, Media, MediaError, MediaEvent, Open, Opened, RemoteWeb, StreamId,
};
