use std::io;
use std::net::SocketAddr;

use socket2::Type;

use crate::health::Outcome;
use crate::health::probe::datagrams::{Datagrams, reason};
use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::{Exchange, Origin, ours};

/// The largest datagram, in bytes.
const LARGEST: usize = 65_536;

/// Sends a datagram and waits for an answer with what is expected. A refusal by ICMP fails the
/// check at once.
pub(super) async fn check(target: SocketAddr, origin: &Origin, exchange: &Exchange) -> Outcome {
    match answer(target, origin, &exchange.send).await {
        // An empty datagram is an answer, too.
        Ok(answer) if exchange.expect.is_empty() || exchange.is_met(&answer) => Outcome::passed(),
        Ok(answer) => Outcome::failed(format!("an unexpected answer: {}", Excerpt(&answer))),
        Err(error) => ours::outcome(&error, reason(&error)),
    }
}

/// Sends a datagram and waits for a refusal by ICMP. An answer passes the check at once. The caller
/// ends the waiting.
pub(super) async fn send(target: SocketAddr, origin: &Origin, datagram: &[u8]) -> Outcome {
    match answer(target, origin, datagram).await {
        Ok(_) => Outcome::passed(),
        Err(error) => ours::outcome(&error, reason(&error)),
    }
}

async fn answer(target: SocketAddr, origin: &Origin, datagram: &[u8]) -> io::Result<Vec<u8>> {
    let socket = origin.socket(target, Type::DGRAM)?;
    let socket = Datagrams::connect(socket, origin.answers_from(target))?;
    socket.send(datagram, target).await?;
    socket.receive(LARGEST).await
}
