use std::time::{Duration, Instant};

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::runtime::Handle;
use ::tokio::time::timeout_at;

use crate::engine::Transport;
use crate::engine::channel::Channel;
use crate::engine::transport::yield_now;
use crate::error::Failure;

/// A socket that waits through the reactor of tokio.
#[derive(Debug)]
pub(crate) struct TokioSocket(AsyncFd<Channel>);

impl Transport for TokioSocket {
    const SHARES_THREAD: bool = true;

    #[allow(
        deprecated,
        reason = "its successor is unsafe, because a descriptor may be closed elsewhere; \
                  this descriptor belongs to the socket"
    )]
    fn new(channel: Channel) -> Result<Self, Failure> {
        in_runtime()?;
        Ok(Self(AsyncFd::with_interest(channel, Interest::READABLE)?))
    }

    fn send(&self, datagram: &[u8]) -> Result<(), Failure> {
        self.0.get_ref().send(datagram, tokio_now)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
        self.0.get_ref().receive(buffer, tokio_now)
    }

    /// Reads tokio's clock, because a program's tests may have paused it.
    fn now(&self) -> Instant {
        self.0.get_ref().virtual_now().unwrap_or_else(tokio_now)
    }

    async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        if self.0.get_ref().virtual_sleep(time) {
            yield_now().await;
            return Ok(());
        }
        in_runtime()?;
        ::tokio::time::sleep(time).await;
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> Result<(), Failure> {
        if let Some(waited) = self.0.get_ref().virtual_wait(until) {
            yield_now().await;
            return waited;
        }
        // Clears the readiness: the next attempt to receive finds out whether a datagram is there.
        let readable = async {
            let readable = self.0.readable().await.map(|mut guard| guard.clear_ready());
            // An error without an errno means that the socket's runtime has ended.
            readable.map_err(|cause| match Failure::from(cause) {
                Failure::Other => Failure::NoRuntime,
                failure => failure,
            })
        };
        let Some(until) = until else { return readable.await };
        in_runtime()?;
        let waited = timeout_at(until.into(), readable).await;
        waited.unwrap_or(Err(Failure::DeadlineExceeded))
    }
}

fn tokio_now() -> Instant {
    ::tokio::time::Instant::now().into_std()
}

/// Fails outside a runtime, where tokio's reactor and timer would panic.
fn in_runtime() -> Result<(), Failure> {
    match Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::NoRuntime),
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{self, Poll, Waker};

    use ::tokio::runtime::Builder;
    use netlink_sys::Socket;
    use netlink_sys::protocols::NETLINK_GENERIC;

    use super::*;
    use crate::error::{Context, Error, ErrorKind};
    use crate::model::Operation;

    /// The kind of error with which a wait without a runtime fails.
    fn refused(waiting: impl Future<Output = Result<(), Failure>>) -> ErrorKind {
        let waiting = pin!(waiting);
        let Poll::Ready(Err(failure)) = waiting.poll(&mut task::Context::from_waker(Waker::noop()))
        else {
            panic!("there is no runtime to wait with");
        };
        Error::unanswered(Context::new(Operation::ReadInfo), failure).kind()
    }

    #[test]
    fn waiting_outside_a_runtime_is_an_error() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let opened =
            async { TokioSocket::new(Socket::new(NETLINK_GENERIC).unwrap().into()).unwrap() };
        let socket = runtime.block_on(opened);
        assert_eq!(refused(socket.readable(Some(Instant::now()))), ErrorKind::NoRuntime);
        assert_eq!(refused(socket.sleep(Duration::ZERO)), ErrorKind::NoRuntime);
    }

    #[test]
    fn waiting_after_the_end_of_its_runtime_is_an_error() {
        let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
        let opened =
            async { TokioSocket::new(Socket::new(NETLINK_GENERIC).unwrap().into()).unwrap() };
        let socket = runtime().block_on(opened);
        let soon = Instant::now() + Duration::from_secs(60);
        runtime().block_on(async {
            assert_eq!(refused(socket.readable(Some(soon))), ErrorKind::NoRuntime);
        });
    }
}
