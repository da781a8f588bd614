use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use async_io::{Async, Timer};

use crate::engine::Transport;
use crate::engine::channel::Channel;
use crate::engine::transport::yield_now;
use crate::error::Failure;

/// A socket that waits through the reactor of async-io.
#[derive(Debug)]
pub(crate) struct SmolSocket(Async<Channel>);

impl Transport for SmolSocket {
    const SHARES_THREAD: bool = true;

    fn new(channel: Channel) -> Result<Self, Failure> {
        Ok(Self(Async::new_nonblocking(channel)?))
    }

    fn send(&self, datagram: &[u8]) -> Result<(), Failure> {
        self.0.get_ref().send(datagram, Instant::now)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
        self.0.get_ref().receive(buffer, Instant::now)
    }

    fn now(&self) -> Instant {
        self.0.get_ref().virtual_now().unwrap_or_else(Instant::now)
    }

    async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        if self.0.get_ref().virtual_sleep(time) {
            yield_now().await;
            return Ok(());
        }
        Timer::after(time).await;
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> Result<(), Failure> {
        if let Some(waited) = self.0.get_ref().virtual_wait(until) {
            yield_now().await;
            return waited;
        }
        let mut readable = pin!(self.0.readable());
        let mut timer = pin!(until.map_or_else(Timer::never, Timer::at));
        poll_fn(|context| match readable.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(result.map_err(Failure::from)),
            Poll::Pending => timer.as_mut().poll(context).map(|_| Err(Failure::DeadlineExceeded)),
        })
        .await
    }
}
