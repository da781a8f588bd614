//! Servers on this host, and what a check says of them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::health::Outcome;
use crate::health::probe::Probe;

pub(in crate::health::probe) fn check(probe: &Probe, target: SocketAddr) -> Outcome {
    probe.once(target).unwrap()
}

pub(in crate::health::probe) fn reason(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(reason) => reason,
        passed => panic!("{passed:?}"),
    }
}

/// Starts a server that has `serve` talk on each connection, one after the other.
pub(in crate::health::probe) fn raw(serve: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap())));
    address
}

/// Talks on a connection in a runtime.
#[cfg(any(feature = "health-grpc", feature = "health-http"))]
pub(in crate::health::probe) fn in_runtime(
    stream: TcpStream,
    talk: impl AsyncFnOnce(tokio::net::TcpStream),
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        stream.set_nonblocking(true).unwrap();
        talk(tokio::net::TcpStream::from_std(stream).unwrap()).await;
    });
}

/// A server that reads a request of each connection and answers it.
pub(in crate::health::probe) fn server(answer: &'static [u8]) -> SocketAddr {
    raw(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(answer);
    })
}

/// An address at which nobody listens.
pub(in crate::health::probe) fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
