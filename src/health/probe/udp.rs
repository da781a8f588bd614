use std::io;
use std::net::SocketAddr;

use socket2::Type;
use tokio::net::UdpSocket;

use crate::health::outcome::{Excerpt, Outcome};
use crate::health::probe::{Exchange, Origin};

/// Sends a datagram and waits for an answer with what is expected. A refusal by ICMP fails the
/// check at once.
pub(super) async fn check(target: SocketAddr, origin: &Origin, exchange: &Exchange) -> Outcome {
    match converse(target, origin, exchange).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::failed(error.to_string()),
    }
}

async fn converse(target: SocketAddr, origin: &Origin, exchange: &Exchange) -> io::Result<Outcome> {
    let socket = origin.socket(target, Type::DGRAM)?;
    socket.connect(&origin.answers_from(target).into())?;
    let socket = UdpSocket::from_std(socket.into())?;
    socket.send_to(&exchange.send, target).await?;
    let mut answer = vec![0; 65_536];
    let length = socket.recv(&mut answer).await?;
    let answer = answer.get(..length).unwrap_or_default();
    // An empty datagram is an answer, too.
    if exchange.expect.is_empty() || exchange.is_met(answer) {
        return Ok(Outcome::passed());
    }
    Ok(Outcome::failed(format!("an unexpected answer: {}", Excerpt(answer))))
}
