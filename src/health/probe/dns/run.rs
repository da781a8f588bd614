use std::io;
use std::net::SocketAddr;

use socket2::Type;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::health::Outcome;
use crate::health::probe::datagrams::{Datagrams, reason};
use crate::health::probe::dns::DnsCheck;
use crate::health::probe::dns::message::{Answer, Query, Unread};
use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::{Origin, nonce, ours, tcp};

/// The most datagrams that are looked at for one answer.
const MOST: usize = 256;

/// The largest answer over UDP that is read, in bytes.
const LARGEST: usize = 4096;

impl DnsCheck {
    pub(in crate::health::probe) async fn run(
        &self,
        target: SocketAddr,
        origin: &Origin,
    ) -> Outcome {
        match self.ask(target, origin).await {
            Ok(Ok(answer)) => self.judge(&answer),
            Ok(Err(reason)) => Outcome::failed(reason),
            Err(error) => ours::outcome(&error, format!("DNS: {}", reason(&error))),
        }
    }

    /// Returns the answer, or why there is none.
    async fn ask(&self, target: SocketAddr, origin: &Origin) -> io::Result<Result<Answer, String>> {
        let query = Query::new(self, nonce().map_err(ours::ours)?);
        if !self.tcp {
            let answer = over_udp(&query, target, origin).await?;
            if !matches!(&answer, Ok(answer) if answer.truncated) {
                return Ok(answer);
            }
        }
        over_tcp(&query, target, origin).await
    }

    fn judge(&self, answer: &Answer) -> Outcome {
        let (code, expected) = (answer.code, self.code);
        if code != expected {
            let Self { kind, name, .. } = self;
            return Outcome::failed(format!("DNS: {kind} of {name}: {code}, expected {expected}"));
        }
        match self.addresses.iter().find(|address| !answer.addresses.contains(address)) {
            Some(missing) => {
                let count = answer.addresses.len();
                let reason = format!("DNS: {missing} is not among the {count} addresses");
                Outcome::failed(format!("{reason} of {}", self.name))
            }
            None => Outcome::passed(),
        }
    }
}

async fn over_udp(
    query: &Query,
    target: SocketAddr,
    origin: &Origin,
) -> io::Result<Result<Answer, String>> {
    let socket = origin.socket(target, Type::DGRAM)?;
    let socket = Datagrams::connect(socket, origin.answers_from(target))?;
    socket.send(query.bytes(), target).await?;
    for _ in 0..MOST {
        let datagram = socket.receive(LARGEST).await?;
        match query.answer(&datagram) {
            Ok(answer) => return Ok(Ok(answer)),
            // Others may send datagrams, too.
            Err(Unread::Other) => {}
            Err(Unread::Malformed) => return Ok(Err(malformed(&datagram))),
        }
    }
    Ok(Err(format!("DNS: {MOST} datagrams and no answer among them")))
}

async fn over_tcp(
    query: &Query,
    target: SocketAddr,
    origin: &Origin,
) -> io::Result<Result<Answer, String>> {
    let mut stream = tcp::connect(target, origin).await?;
    stream.write_all(&query.with_length()).await?;
    let mut message = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut message).await?;
    Ok(match query.answer(&message) {
        Ok(answer) if answer.truncated => Err("DNS: the answer over TCP is truncated".to_owned()),
        Ok(answer) => Ok(answer),
        Err(Unread::Other) => {
            Err(format!("DNS: the answer to another query: {}", Excerpt(&message)))
        }
        Err(Unread::Malformed) => Err(malformed(&message)),
    })
}

fn malformed(message: &[u8]) -> String {
    format!("DNS: a malformed answer: {}", Excerpt(message))
}
