//! The sockets of all clients wait, and not for ever. Any kernel will do.

use std::time::{Duration, Instant};

use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_GENERIC;

use crate::engine::{BlockingSocket, Transport, ready};
use crate::error::Failure;
use crate::proto::Session;

async fn waits_until_the_deadline_or_an_answer<T: Transport>() {
    let mut socket = Socket::new(NETLINK_GENERIC).unwrap();
    let port = socket.bind_auto().unwrap().port_number();
    let transport = T::new(socket.into()).unwrap();
    let mut buffer = Vec::with_capacity(4096);

    let none = transport.try_receive(&mut buffer).unwrap_err();
    assert_eq!(none, Failure::Empty);
    for wait in [Duration::ZERO, Duration::from_millis(20)] {
        let until = Instant::now() + wait;
        let late = transport.readable(Some(until)).await.unwrap_err();
        assert_eq!(late, Failure::DeadlineExceeded);
        assert!(Instant::now() >= until);
    }
    let start = Instant::now();
    transport.sleep(Duration::from_millis(20)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(20));

    // Whether there is such a family does not matter.
    let _lookup = Session::new(port).lookup(&mut buffer);
    transport.send(&buffer).unwrap();
    transport.readable(None).await.unwrap();
    buffer.clear();
    assert!(transport.try_receive(&mut buffer).unwrap() > 0);
}

#[test]
fn of_the_blocking_client() {
    let waiting = waits_until_the_deadline_or_an_answer::<BlockingSocket>();
    ready(std::pin::pin!(waiting));
}

#[cfg(feature = "tokio")]
#[test]
fn of_the_client_for_tokio() {
    use crate::engine::TokioSocket;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(waits_until_the_deadline_or_an_answer::<TokioSocket>());
}

#[cfg(feature = "smol")]
#[test]
fn of_the_client_for_smol() {
    use crate::engine::SmolSocket;
    async_io::block_on(waits_until_the_deadline_or_an_answer::<SmolSocket>());
}
