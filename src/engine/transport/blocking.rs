use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use netlink_sys::Socket;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::engine::{Transport, socket};
use crate::error::Failure;

/// A socket that blocks the thread while waiting.
#[derive(Debug)]
pub(crate) struct BlockingSocket(Socket);

impl Transport for BlockingSocket {
    fn new(socket: Socket) -> Result<Self, Failure> {
        Ok(Self(socket))
    }

    fn send(&self, datagram: &[u8]) -> Result<(), Failure> {
        socket::transmit(&self.0, datagram)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
        socket::receive(&self.0, buffer)
    }

    async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        std::thread::sleep(time);
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> Result<(), Failure> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(self.now()));
            let timeout = left.map(Timespec::try_from).transpose().map_err(|_| Failure::Other)?;
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], timeout.as_ref()) {
                Ok(0) => return Err(Failure::DeadlineExceeded),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// Runs a future that waits only for [`BlockingSocket`]: one poll completes it.
pub(crate) fn ready<F: Future>(future: Pin<&mut F>) -> F::Output {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a blocking socket blocks"),
    }
}
