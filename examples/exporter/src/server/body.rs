use std::io::{self, Write};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use ipvs_netlink::metrics::Format;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task;
use tokio::time::{Instant, timeout_at};

use crate::Reading;

/// How many pieces of a text wait for the client, beside the one that is being sent.
const WAITING: usize = 1;

/// The least bytes of a piece but the last one. Each piece costs a change of threads and a system call.
const PIECE: usize = 64 << 10;

/// The room for a piece, so that the chunk of [`Scrape::write`](ipvs_netlink::metrics::Scrape::write) that
/// completes it fits.
const ROOM: usize = 80 << 10;

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Text {
    /// A short text.
    Whole(Option<Bytes>),
    /// The samples of a reading, which a thread of its own prints at the client's pace.
    Pieces(mpsc::Receiver<Piece>),
}

#[derive(Debug)]
pub(super) enum Piece {
    Data(Bytes),
    /// Everything was printed.
    End,
}

/// The text ends before its end. The client sees that the connection breaks off.
#[derive(Debug, thiserror::Error)]
#[error("the samples could not be printed to their end")]
pub(super) struct Broken;

impl Text {
    pub(super) fn whole(text: impl Into<Bytes>) -> Self {
        Self::Whole(Some(text.into()))
    }

    /// Begins to print the samples of a reading. The text is never in memory as a whole. A client that
    /// takes longer than `longest` loses its rest, because it keeps the reading in memory.
    pub(super) fn of(
        reading: Arc<Reading>,
        format: Format,
        place: OwnedSemaphorePermit,
        longest: Duration,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (runtime, deadline) = (Handle::current(), Instant::now() + longest);
        task::spawn_blocking(move || {
            let mut out = Pieces { text: Vec::new(), sender, runtime, deadline };
            // If that fails, the client has gone, or its time is over.
            if reading.scrape().write(format, &mut out).is_ok() {
                // The client must not see the end before its place is free for the next reading.
                drop((reading, place));
                let _ = out.send(Piece::End);
            }
        });
        Self::Pieces(receiver)
    }
}

struct Pieces {
    /// What has been printed of the next piece.
    text: Vec<u8>,
    sender: mpsc::Sender<Piece>,
    runtime: Handle,
    deadline: Instant,
}

impl Pieces {
    fn send(&self, piece: Piece) -> io::Result<()> {
        match self.runtime.block_on(timeout_at(self.deadline, self.sender.send(piece))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for Pieces {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.text.is_empty() {
            self.text.reserve(ROOM);
        }
        self.text.extend_from_slice(text);
        if self.text.len() >= PIECE {
            self.flush()?;
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let piece = mem::take(&mut self.text);
        self.send(Piece::Data(piece.into()))
    }
}

impl Body for Text {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let piece = match &mut *self {
            Self::Whole(text) => return Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Pieces(pieces) => ready!(pieces.poll_recv(context)),
        };
        Poll::Ready(match piece {
            Some(Piece::Data(text)) => Some(Ok(Frame::data(text))),
            Some(Piece::End) => None,
            None => Some(Err(Broken)),
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}
