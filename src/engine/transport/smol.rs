use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use async_io::{Async, Timer};
use netlink_sys::Socket;

use crate::engine::{Transport, socket};
use crate::error::Failure;

/// A socket that waits through the reactor of async-io.
#[derive(Debug)]
pub(crate) struct SmolSocket(Async<Socket>);

impl Transport for SmolSocket {
    const SHARES_THREAD: bool = true;

    fn new(socket: Socket) -> Result<Self, Failure> {
        Ok(Self(Async::new_nonblocking(socket)?))
    }

    fn send(&self, datagram: &[u8]) -> Result<(), Failure> {
        socket::transmit(self.0.get_ref(), datagram)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
        socket::receive(self.0.get_ref(), buffer)
    }

    async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        Timer::after(time).await;
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> Result<(), Failure> {
        let mut readable = pin!(self.0.readable());
        let mut timer = pin!(until.map_or_else(Timer::never, Timer::at));
        poll_fn(|context| match readable.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(result.map_err(Failure::from)),
            Poll::Pending => timer.as_mut().poll(context).map(|_| Err(Failure::DeadlineExceeded)),
        })
        .await
    }
}
