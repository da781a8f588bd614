use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::engine::Transport;
use crate::engine::channel::Channel;
use crate::error::Failure;

/// A socket that blocks the thread while waiting.
#[derive(Debug)]
pub(crate) struct BlockingSocket(Channel);

impl Transport for BlockingSocket {
    fn new(channel: Channel) -> Result<Self, Failure> {
        Ok(Self(channel))
    }

    fn send(&self, datagram: &[u8]) -> Result<(), Failure> {
        self.0.send(datagram, Instant::now)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
        self.0.receive(buffer, Instant::now)
    }

    fn now(&self) -> Instant {
        self.0.virtual_now().unwrap_or_else(Instant::now)
    }

    async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        if !self.0.virtual_sleep(time) {
            std::thread::sleep(time);
        }
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> Result<(), Failure> {
        if let Some(waited) = self.0.virtual_wait(until) {
            return waited;
        }
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
