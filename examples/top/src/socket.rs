//! One exchange with the director over its control socket.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use serde::Serialize;

use crate::reading::Source;
use crate::state::director::{Absence, Answer};
use crate::state::steering::DirectorOrder;

/// The bytes of an answer at most. The director writes 64 MiB at most.
const LONGEST_ANSWER: usize = 65 << 20;

/// How long the director may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub enum Question<'o> {
    /// The state of everything.
    Status,
    /// An order.
    Order(&'o DirectorOrder),
}

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody listens on the socket.
    #[error("no director listens on its socket: {0}")]
    NoSocket(#[source] io::Error),
    /// The director keeps another table.
    #[error("the director of this socket is in another network namespace")]
    Elsewhere,
    /// It cannot be told in which network namespace the director is.
    #[error(
        "this user may not see whether the director keeps this table or that of another network \
         namespace: --director names one that does"
    )]
    Somewhere,
    /// The socket may not be opened.
    #[error("no permission for the director's socket")]
    NoPermission,
    /// The connection failed before the request was sent.
    #[error("the connection to the director: {0}")]
    NotSent(#[source] io::Error),
    /// The request was sent, and no whole answer came.
    #[error(
        "the director did not answer: {0}; it is not known whether it has carried out the order"
    )]
    NoAnswer(#[source] io::Error),
    /// The answer cannot be understood.
    #[error(transparent)]
    Answer(#[from] crate::state::director::AnswerError),
}

impl Failure {
    /// Whether the request was sent, so that the director may have carried it out.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Answer(_))
    }

    /// Why there is no status.
    #[must_use]
    pub fn absence(&self) -> Absence {
        match self {
            Self::NoSocket(error) => Absence::NoSocket(error.to_string()),
            Self::Elsewhere => Absence::Elsewhere,
            Self::NoAnswer(error) => Absence::Failed(error.to_string()),
            other => Absence::Failed(other.to_string()),
        }
    }
}

#[derive(Serialize)]
struct Request<'o> {
    version: u64,
    #[serde(flatten)]
    order: Ordered<'o>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Ordered<'o> {
    Status { order: &'static str },
    Order(&'o DirectorOrder),
}

/// Writes the line of a request.
#[must_use]
pub fn request(question: Question<'_>) -> Vec<u8> {
    let order = match question {
        Question::Status => Ordered::Status { order: "status" },
        Question::Order(order) => Ordered::Order(order),
    };
    let mut line = serde_json::to_vec(&Request { version: 1, order }).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Asks the director, and waits for its answer at most so long.
///
/// # Errors
///
/// Nobody listens, the director is in another network namespace than the table, the caller has no permission, or no answer came that can be understood.
pub fn ask(
    path: &Path,
    source: &Source,
    question: Question<'_>,
    patience: Duration,
) -> Result<Answer, Failure> {
    let end = Instant::now() + patience;
    let mut stream = open(path, end)?;
    // Sockets with a path are the same in all network namespaces.
    let peer = getsockopt(&stream, PeerCredentials).map_err(|it| Failure::NotSent(it.into()))?;
    let process = u32::try_from(peer.pid()).unwrap_or_default();
    match source.has_director(process) {
        Some(true) => {}
        Some(false) => return Err(Failure::Elsewhere),
        None => return Err(Failure::Somewhere),
    }
    let sent = stream
        .set_write_timeout(Some(left(end)))
        .and_then(|()| stream.write_all(&request(question)));
    sent.map_err(Failure::NotSent)?;
    let line = line(&mut stream, end).map_err(Failure::NoAnswer)?;
    Ok(Answer::of_line(&line)?)
}

fn open(path: &Path, end: Instant) -> Result<UnixStream, Failure> {
    let failed = |error: Errno| match error {
        Errno::ACCESS | Errno::PERM => Failure::NoPermission,
        Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR => Failure::NoSocket(error.into()),
        error => Failure::NotSent(error.into()),
    };
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)
        .map_err(|error| Failure::NotSent(error.into()))?;
    // Also limits the time of `connect`, which waits for a director that takes no connections.
    set_socket_timeout(&socket, Timeout::Send, Some(left(end))).map_err(failed)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path).map_err(failed)?).map_err(failed)?;
    Ok(socket.into())
}

/// Reads a line, without its end.
fn line(stream: &mut UnixStream, end: Instant) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        if Instant::now() >= end {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left(end)))?;
        let read = match stream.read(&mut piece) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => piece.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(error) => return Err(error),
        };
        match read.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                line.extend_from_slice(read.get(..at).unwrap_or_default());
                return Ok(line);
            }
            None => line.extend_from_slice(read),
        }
        if line.len() > LONGEST_ANSWER {
            return Err(io::Error::other("the answer is too long"));
        }
    }
}

/// Returns the time that is left. The system takes no time of 0 for a limit.
fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::director::Kind;
    use crate::state::steering::OrderedWeight;

    #[test]
    fn only_the_director_of_the_table_is_asked() {
        use std::io::{BufRead as _, BufReader};
        use std::os::unix::net::UnixListener;

        let path = std::env::temp_dir().join(format!("top-elsewhere-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if BufReader::new(&stream).read_line(&mut String::new()).unwrap() > 0 {
                    stream.write_all(b"{\"version\":1,\"answer\":\"done\"}\n").unwrap();
                }
            }
        });
        let ask = |is_named, namespace: &str| {
            // Any other file stands for another namespace.
            let source = Source::named(namespace).unwrap().trusting_director(is_named);
            ask(&path, &source, Question::Status, PATIENCE)
        };
        for is_named in [false, true] {
            assert!(ask(is_named, "/proc/self/ns/net").is_ok());
            assert!(matches!(ask(is_named, "/proc/self/ns/uts"), Err(Failure::Elsewhere)));
        }
        assert!(matches!(ask(false, "/no/such"), Err(Failure::Somewhere)));
        assert!(ask(true, "/no/such").is_ok());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn requests_are_those_of_the_protocol() {
        let service = "TCP 192.0.2.10:80".parse().unwrap();
        let destination = "10.0.0.2:8080".parse().unwrap();
        let of =
            |order: &DirectorOrder| String::from_utf8(request(Question::Order(order))).unwrap();
        let maintain = DirectorOrder::Maintain {
            service,
            destination,
            kind: Kind::Drain,
            by: None,
            seconds: Some(60),
        };
        assert_eq!(
            of(&maintain),
            "{\"version\":1,\"order\":\"maintain\",\"service\":\"TCP 192.0.2.10:80\",\
             \"destination\":\"10.0.0.2:8080\",\"kind\":\"drain\",\"seconds\":60}\n"
        );
        let end = DirectorOrder::EndMaintenance { service, destination };
        assert!(of(&end).contains(r#""order":"end-maintenance""#));
        for (weight, text) in [
            (OrderedWeight::Number(3), r#""weight":3}"#),
            (OrderedWeight::File, r#""weight":"file"}"#),
        ] {
            assert!(of(&DirectorOrder::Weight { service, destination, weight }).contains(text));
        }
        assert_eq!(request(Question::Status), b"{\"version\":1,\"order\":\"status\"}\n");
    }
}
