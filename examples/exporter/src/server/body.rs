use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use ipvs_netlink::metrics::Format;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task;

use crate::Reading;

/// How many pieces of a text wait for the client.
const WAITING: usize = 2;

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

    /// Begins to print the samples of a reading. The text is never in memory as a whole.
    pub(super) fn of(reading: Arc<Reading>, format: Format, place: OwnedSemaphorePermit) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        task::spawn_blocking(move || {
            let mut out = Pieces(sender);
            // If that fails, the client has gone.
            if reading.scrape().write(format, &mut out).is_ok() {
                // The client must not see the end before its place is free for the next reading.
                drop((reading, place));
                let _ = out.0.blocking_send(Piece::End);
            }
        });
        Self::Pieces(receiver)
    }
}

struct Pieces(mpsc::Sender<Piece>);

impl Write for Pieces {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let piece = Piece::Data(Bytes::copy_from_slice(text));
        self.0.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
