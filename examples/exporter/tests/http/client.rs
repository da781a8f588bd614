//! A client of HTTP/1.1 that believes nothing.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Asks for a path with more headers, each a line.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: exporter\r\n{headers}\r\n")).unwrap()
}

/// Sends a request and reads the whole answer. An answer that breaks off is an error.
pub(crate) fn ask(address: SocketAddr, request: &str) -> io::Result<Answer> {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&String::from_utf8(answer).unwrap())
}

fn parse(answer: &str) -> io::Result<Answer> {
    let broken = |what: &str| io::Error::other(format!("{what}: {answer:.200}"));
    let (head, rest) = answer.split_once("\r\n\r\n").ok_or_else(|| broken("no head"))?;
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| broken("no status"))?;
    let text = if head.contains("transfer-encoding: chunked") {
        pieces(rest).ok_or_else(|| broken("cut"))?
    } else {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|it| it.parse().ok()).unwrap_or_default();
        rest.get(..length).filter(|it| it.len() == rest.len()).ok_or_else(|| broken("cut"))?.into()
    };
    Ok(Answer { status, head, text })
}

fn pieces(mut rest: &str) -> Option<String> {
    let mut text = String::new();
    loop {
        let (length, after) = rest.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        text.push_str(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix("\r\n")?;
        if length == 0 {
            return rest.is_empty().then_some(text);
        }
    }
}
