//! HTTP without a library, because a test has to see everything.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::stage::PATIENCE;

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends text to a port of the loopback interface, and returns the answer, if there is one.
pub(crate) fn send(port: u16, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may have refused it before the end.
    let _ = stream.write_all(request.as_bytes());
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
}

/// Gets a page, if something listens at the port.
pub(crate) fn get(port: u16, path: &str) -> Option<Answer> {
    send(port, &format!("GET {path} HTTP/1.1\r\nHost: node\r\n\r\n"))
}

/// Waits until a page is as wanted.
#[track_caller]
pub(crate) fn wait_for(port: u16, path: &str, is_right: impl Fn(&Answer) -> bool) -> Answer {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = get(port, path);
        if let Some(answer) = answer.as_ref().filter(|answer| is_right(answer)) {
            let Answer { status, head, body } = answer;
            return Answer { status: *status, head: head.clone(), body: body.clone() };
        }
        assert!(Instant::now() < end, "{path} at port {port}: {answer:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until nothing listens at a port.
#[track_caller]
pub(crate) fn wait_until_closed(port: u16) {
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < end, "port {port} is open");
        std::thread::sleep(Duration::from_millis(20));
    }
}
