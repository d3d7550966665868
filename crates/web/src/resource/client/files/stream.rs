//! Bodies on their way to and from files, a bounded number of pieces at a time.

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Pieces that wait for the other side.
const PIECES: usize = 16;
/// Bytes that a download reads at a time.
const PIECE: usize = 64 * 1024;
/// How long an upload may pause.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why an upload is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has more bytes than this.
    TooLarge(u64),
    /// It ended early, or paused for too long.
    Broken,
}

/// An upload, read where blocking is allowed.
pub struct Content {
    pieces: Receiver<Option<Bytes>>,
    piece: Bytes,
    read: u64,
    most: u64,
    fault: Option<Fault>,
    ended: bool,
}

impl Content {
    /// The content of a body of at most `most` bytes, and the task that feeds it.
    pub fn of(body: Body, most: u64) -> (Content, JoinHandle<()>) {
        let (sender, pieces) = channel(PIECES);
        let content = Content { pieces, piece: Bytes::new(), read: 0, most, fault: None, ended: false };
        (content, tokio::spawn(feed(body, sender)))
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Why it is not whole.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }
}

impl Read for Content {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Some(piece)) => self.piece = piece,
                Some(None) => self.ended = true,
                None => {
                    self.fault = Some(Fault::Broken);
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        let count = self.piece.len().min(into.len());
        self.read += count as u64;
        if self.read > self.most {
            self.fault = Some(Fault::TooLarge(self.most));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        into[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// Hands the pieces on; `None` says that nothing is missing.
async fn feed(mut body: Body, pieces: Sender<Option<Bytes>>) {
    loop {
        let next = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let piece = match timeout(PATIENCE, next).await {
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(piece) => Some(piece),
                Err(_) => continue,
            },
            Ok(None) => None,
            Ok(Some(Err(_))) | Err(_) => return,
        };
        let last = piece.is_none();
        if pieces.send(piece).await.is_err() || last {
            return;
        }
    }
}

/// A file as a body.
pub struct Download(Receiver<io::Result<Bytes>>);

impl Download {
    /// Reads the file as fast as the other side takes it.
    pub fn of(mut file: File) -> Download {
        let (sender, receiver) = channel(PIECES);
        tokio::task::spawn_blocking(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let read = match file.read(&mut piece) {
                    Ok(0) => return,
                    Ok(count) => {
                        piece.truncate(count);
                        Ok(Bytes::from(piece))
                    }
                    Err(error) => Err(error),
                };
                let broken = read.is_err();
                if sender.blocking_send(read).is_err() || broken {
                    return;
                }
            }
        });
        Download(receiver)
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_upload_is_read_whole_and_bounded() {
        for (most, whole) in [(5, true), (4, false)] {
            let (mut content, _feed) = Content::of(Body::from("hello"), most);
            let read = tokio::task::spawn_blocking(move || {
                let mut text = String::new();
                let outcome = content.read_to_string(&mut text);
                (outcome.is_ok(), text, content.fault())
            });
            let (ok, text, fault) = read.await.expect("read");
            assert_eq!((ok, fault), (whole, (!whole).then_some(Fault::TooLarge(4))));
            assert_eq!(text == "hello", whole);
        }
    }
}
