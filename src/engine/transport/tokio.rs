use std::io;
use std::time::{Duration, Instant};

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::runtime::Handle;
use ::tokio::time::timeout_at;
use netlink_sys::Socket;

use crate::engine::{Transport, socket};

/// A socket that tokio waits for.
#[derive(Debug)]
pub(crate) struct TokioSocket(AsyncFd<Socket>);

impl Transport for TokioSocket {
    const SHARES_THREAD: bool = true;

    #[allow(
        deprecated,
        reason = "what replaces it is unsafe, for descriptors that somebody else may close; \
                  this one is the socket's own"
    )]
    fn new(socket: Socket) -> io::Result<Self> {
        in_runtime()?;
        AsyncFd::with_interest(socket, Interest::READABLE).map(Self)
    }

    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        socket::transmit(self.0.get_ref(), datagram)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        socket::receive(self.0.get_ref(), buffer)
    }

    /// Tokio's clock, which a program's tests may have paused.
    fn now(&self) -> Instant {
        ::tokio::time::Instant::now().into_std()
    }

    async fn sleep(&self, time: Duration) -> io::Result<()> {
        in_runtime()?;
        ::tokio::time::sleep(time).await;
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> io::Result<()> {
        // The next attempt to receive shows whether it still is.
        let readable = async {
            let readable = self.0.readable().await.map(|mut guard| guard.clear_ready());
            // Tokio's own errors are about the runtime that the socket belongs to.
            readable.map_err(|cause| match cause.raw_os_error() {
                Some(_) => cause,
                None => io::ErrorKind::NotConnected.into(),
            })
        };
        let Some(until) = until else { return readable.await };
        in_runtime()?;
        let waited = timeout_at(until.into(), readable).await;
        waited.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Outside a runtime tokio's reactor and timer would panic.
fn in_runtime() -> io::Result<()> {
    match Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(io::ErrorKind::NotConnected.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{self, Poll, Waker};

    use ::tokio::runtime::Builder;
    use netlink_sys::protocols::NETLINK_GENERIC;

    use super::*;
    use crate::error::{Context, Error, ErrorKind};
    use crate::model::Operation;

    /// The kind of error in which waiting ends where there is no runtime.
    fn refused(waiting: impl Future<Output = io::Result<()>>) -> ErrorKind {
        let waiting = pin!(waiting);
        let Poll::Ready(Err(cause)) = waiting.poll(&mut task::Context::from_waker(Waker::noop()))
        else {
            panic!("there is no runtime to wait with");
        };
        Error::unanswered(Context::new(Operation::ReadInfo), &cause).kind()
    }

    #[test]
    fn waiting_outside_a_runtime_is_an_error() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let opened = async { TokioSocket::new(Socket::new(NETLINK_GENERIC).unwrap()).unwrap() };
        let socket = runtime.block_on(opened);
        assert_eq!(refused(socket.readable(Some(Instant::now()))), ErrorKind::NoRuntime);
        assert_eq!(refused(socket.sleep(Duration::ZERO)), ErrorKind::NoRuntime);
    }

    #[test]
    fn waiting_after_the_end_of_its_runtime_is_an_error() {
        let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
        let opened = async { TokioSocket::new(Socket::new(NETLINK_GENERIC).unwrap()).unwrap() };
        let socket = runtime().block_on(opened);
        let soon = Instant::now() + Duration::from_secs(60);
        runtime().block_on(async {
            assert_eq!(refused(socket.readable(Some(soon))), ErrorKind::NoRuntime);
        });
    }
}
