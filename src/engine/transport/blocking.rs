use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use netlink_sys::Socket;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::engine::{Transport, socket};

/// A socket whose waiting blocks the thread.
#[derive(Debug)]
pub(crate) struct BlockingSocket(Socket);

impl Transport for BlockingSocket {
    fn new(socket: Socket) -> io::Result<Self> {
        Ok(Self(socket))
    }

    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        socket::transmit(&self.0, datagram)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        socket::receive(&self.0, buffer)
    }

    async fn sleep(&self, time: Duration) -> io::Result<()> {
        std::thread::sleep(time);
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> io::Result<()> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(self.now()));
            let timeout = left.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], timeout.as_ref()) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// The output of a future that waits for nothing but [`BlockingSocket`].
pub(crate) fn ready<F: Future>(future: Pin<&mut F>) -> F::Output {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a blocking socket blocks"),
    }
}
