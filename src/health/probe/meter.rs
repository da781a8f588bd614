use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::health::Outcome;
use crate::health::probe::{Origin, tcp};

/// How many bytes a check may still read from its server, over all its connections.
#[derive(Debug)]
pub(super) struct Meter {
    limit: usize,
    left: AtomicUsize,
    begin: Mutex<Vec<u8>>,
}

/// How many bytes of a connection are kept to be shown.
const BEGIN: usize = 40;

impl Meter {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, left: AtomicUsize::new(limit), begin: Mutex::default() })
    }

    /// Returns the first bytes of the last connection.
    pub(super) fn begin(&self) -> Vec<u8> {
        self.begin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read(&self, bytes: &[u8]) {
        self.left.fetch_sub(bytes.len().min(self.left.load(Ordering::Relaxed)), Ordering::Relaxed);
        let mut begin = self.begin.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = BEGIN.saturating_sub(begin.len());
        begin.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
    }

    /// Returns the failure of a check whose server sent more than it may.
    pub(super) fn exceeded(&self) -> Option<String> {
        let kibibytes = self.limit / 1024;
        (self.left.load(Ordering::Relaxed) == 0)
            .then(|| format!("the server sent {kibibytes} KiB, more than a check reads"))
    }
}

/// A connection that ends with an error once its [`Meter`] is used up.
#[derive(Debug)]
pub(super) struct Metered<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    pub(super) fn new(stream: S, meter: &Arc<Meter>) -> Self {
        meter.begin.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Self { stream, meter: Arc::clone(meter) }
    }
}

impl Metered<TcpStream> {
    /// Connects to a server.
    pub(super) async fn connect(
        target: SocketAddr,
        origin: &Origin,
        meter: &Arc<Meter>,
    ) -> Result<Self, Outcome> {
        let connect = async {
            let stream = tcp::connect(target, origin).await?;
            // A small part of a request must not wait for the acknowledgement of another.
            stream.set_nodelay(true)?;
            io::Result::Ok(stream)
        };
        let stream = connect.await.map_err(|error| tcp::refused(&error))?;
        Ok(Self::new(stream, meter))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.meter.left.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let part = &mut ReadBuf::new(buffer.initialize_unfilled_to(left.min(buffer.remaining())));
        ready!(Pin::new(&mut self.stream).poll_read(context, part))?;
        self.meter.read(part.filled());
        let length = part.filled().len();
        buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_meter_counts_over_all_connections() {
        let meter = Meter::new(2048);
        let mut first = Metered::new(&[1; 1500][..], &meter);
        let mut all = Vec::new();
        assert_eq!(first.read_to_end(&mut all).await.unwrap(), 1500);
        assert!(meter.exceeded().is_none());
        let mut second = Metered::new(&[2; 1500][..], &meter);
        let error = second.read_to_end(&mut all).await.unwrap_err();
        assert_eq!((error.kind(), all.len()), (io::ErrorKind::QuotaExceeded, 2048));
        assert_eq!(meter.begin(), [2; BEGIN]);
        assert_eq!(meter.exceeded().unwrap(), "the server sent 2 KiB, more than a check reads");
    }
}
