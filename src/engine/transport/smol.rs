use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use async_io::{Async, Timer};
use netlink_sys::Socket;

use crate::engine::{Transport, socket};

/// A socket that async-io waits for.
#[derive(Debug)]
pub(crate) struct SmolSocket(Async<Socket>);

impl Transport for SmolSocket {
    const SHARES_THREAD: bool = true;

    fn new(socket: Socket) -> io::Result<Self> {
        Async::new_nonblocking(socket).map(Self)
    }

    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        socket::transmit(self.0.get_ref(), datagram)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        socket::receive(self.0.get_ref(), buffer)
    }

    async fn sleep(&self, time: Duration) -> io::Result<()> {
        Timer::after(time).await;
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> io::Result<()> {
        let mut readable = pin!(self.0.readable());
        let mut timer = pin!(until.map_or_else(Timer::never, Timer::at));
        poll_fn(|context| match readable.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => {
                timer.as_mut().poll(context).map(|_| Err(io::ErrorKind::TimedOut.into()))
            }
        })
        .await
    }
}
