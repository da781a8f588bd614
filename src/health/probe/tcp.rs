use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::Type;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::health::Outcome;
use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::exchange::LONGEST_ANSWER;
use crate::health::probe::{Exchange, Origin, ours};

/// Connects by TCP. The connection is closed by a reset, so that neither side keeps it.
pub(super) async fn connects(target: SocketAddr, origin: &Origin) -> Outcome {
    match connect(target, origin).await {
        Ok(_) => Outcome::passed(),
        Err(error) => refused(&error),
    }
}

/// Connects by TCP, and exchanges some bytes. The connection is closed by a reset.
pub(super) async fn exchanges(target: SocketAddr, origin: &Origin, exchange: &Exchange) -> Outcome {
    match connect(target, origin).await {
        Ok(stream) => converse(stream, exchange).await,
        Err(error) => refused(&error),
    }
}

/// The result where a connect fails.
pub(super) fn refused(error: &io::Error) -> Outcome {
    ours::outcome(error, format!("connect: {error}"))
}

/// Connects a socket that is closed by a reset.
pub(super) async fn connect(target: SocketAddr, origin: &Origin) -> io::Result<TcpStream> {
    let socket = origin.socket(target, Type::STREAM)?;
    socket.set_linger(Some(Duration::ZERO))?;
    TcpSocket::from_std_stream(socket.into()).connect(target).await
}

/// Sends something, and expects something.
pub(super) async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    exchange: &Exchange,
) -> Outcome {
    if let Err(error) = stream.write_all(&exchange.send).await {
        return Outcome::failed(format!("send: {error}"));
    }
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let searched = answer.len();
        match stream.read(&mut part).await {
            Ok(0) => {
                let excerpt = Excerpt(&answer);
                return Outcome::failed(format!("the server closed after {excerpt}"));
            }
            Ok(length) => answer.extend_from_slice(part.get(..length).unwrap_or_default()),
            Err(error) => return Outcome::failed(format!("receive: {error}")),
        }
        if exchange.is_met_since(&answer, searched) {
            return Outcome::passed();
        }
        if answer.len() >= LONGEST_ANSWER {
            let excerpt = Excerpt(&answer);
            return Outcome::failed(format!("64 KiB without what is expected: {excerpt}"));
        }
    }
}
