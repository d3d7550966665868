//! Bodies on their way to and from files: a thread is taken for each piece, and never while the other side is waited for.

use super::places::{Pace, Place};
use crate::Web;
use crate::refused::{Refused, unavailable};
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use lyceum_api::Refusal;
use lyceum_store::BlobId;
use lyceum_topology::policy::FileRefusal;
use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::timeout_at;

/// Bytes of an upload that are written at a time.
const GATHERED: usize = 256 * 1024;
/// Bytes that a download reads at a time.
const PIECE: usize = 64 * 1024;

/// Keeps a body of at most `most` bytes; answers with its name and size.
pub async fn keep(web: &Web, body: &mut Body, most: u64) -> Result<(BlobId, u64), Refused> {
    let store = web.options().store.clone();
    let mut blob = web.transferring(move || store.blob_begin().map_err(|error| unavailable(&error))).await?;
    let mut pace = Pace::begin();
    loop {
        let (piece, is_last) = gather(body, &mut pace).await?;
        if blob.size() + piece.len() as u64 > most {
            return Err(super::not_allowed(&FileRefusal::TooLarge(most)));
        }
        let write = move || {
            blob.write(&piece).map_err(|error| unavailable(&error))?;
            Ok(blob)
        };
        blob = web.transferring(write).await?;
        if is_last {
            let size = blob.size();
            let id = web.transferring(move || blob.keep().map_err(|error| unavailable(&error))).await?;
            return Ok((id, size));
        }
    }
}

/// The next bytes of a body, and whether they are the last.
async fn gather(body: &mut Body, pace: &mut Pace) -> Result<(Vec<u8>, bool), Refused> {
    let mut gathered = Vec::new();
    while gathered.len() < GATHERED {
        let next = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
        match timeout_at(pace.deadline(), next).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(piece) = frame.into_data() {
                    pace.went(piece.len());
                    gathered.extend_from_slice(&piece);
                }
            }
            Ok(None) => return Ok((gathered, true)),
            Ok(Some(Err(_))) => return Err(broken("the upload broke off")),
            Err(_) => return Err(broken("the upload is too slow, or paused for too long")),
        }
    }
    Ok((gathered, false))
}

fn broken(what: &str) -> Refused {
    Refused::new(Refusal::RequestMalformed, what, "body").fix("send it again")
}

type Reading = Pin<Box<dyn Future<Output = io::Result<(File, Bytes)>> + Send>>;

/// A file as a body: read as fast as the other side takes it, a piece at a time.
pub struct Download {
    web: Web,
    file: Option<File>,
    reading: Option<Reading>,
    pace: Pace,
    _place: Place,
}

impl Download {
    /// Of this file.
    pub fn of(web: Web, file: File, place: Place) -> Download {
        Download { web, file: Some(file), reading: None, pace: Pace::begin(), _place: place }
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if let Some(file) = this.file.take() {
            if this.pace.is_over() {
                return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
            }
            this.reading = Some(Box::pin(read(this.web.clone(), file)));
        }
        let Some(reading) = &mut this.reading else { return Poll::Ready(None) };
        let read = ready!(reading.as_mut().poll(cx));
        this.reading = None;
        Poll::Ready(match read {
            Ok((_, piece)) if piece.is_empty() => None,
            Ok((file, piece)) => {
                this.pace.went(piece.len());
                this.file = Some(file);
                Some(Ok(Frame::data(piece)))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

async fn read(web: Web, mut file: File) -> io::Result<(File, Bytes)> {
    let piece = web.transferring(move || {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece).map_err(|error| unavailable(&error))?;
        piece.truncate(count);
        Ok((file, Bytes::from(piece)))
    });
    piece.await.map_err(|refused| io::Error::other(refused.problem().what.to_string()))
}
