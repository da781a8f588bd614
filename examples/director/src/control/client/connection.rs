//! One connection of a client, with an end of its patience.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use serde::Deserialize;

use crate::control::client::ClientError;
use crate::control::limits::Limits;
use crate::control::protocol::VERSION;
use crate::control::response::Received;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    /// What has come and is not taken yet.
    buffer: Vec<u8>,
    /// How much of it has no end of a line.
    searched: usize,
}

/// What each line of the daemon has, in all versions of the protocol.
#[derive(Deserialize)]
struct Head {
    version: serde_json::Value,
}

impl Connection {
    pub(super) fn open(path: &Path, end: Instant) -> Result<Self, ClientError> {
        let failed = |error: Errno| match error {
            Errno::ACCESS | Errno::PERM => ClientError::NoPermission(path.to_owned()),
            Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR | Errno::AGAIN | Errno::PROTOTYPE => {
                ClientError::NoDaemon { path: path.to_owned(), error: error.into() }
            }
            error => ClientError::Connection(error.into()),
        };
        let socket = rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .map_err(failed)?;
        // Also limits the time of `connect`, which waits for a daemon that takes no connections.
        set_socket_timeout(&socket, Timeout::Send, Some(left(end))).map_err(failed)?;
        let address = SocketAddrUnix::new(path).map_err(failed)?;
        rustix::net::connect(&socket, &address).map_err(failed)?;
        Ok(Self { stream: socket.into(), buffer: Vec::new(), searched: 0 })
    }

    pub(super) fn send(&mut self, line: &[u8], end: Instant) -> io::Result<()> {
        self.stream.set_write_timeout(Some(left(end)))?;
        self.stream.write_all(line)
    }

    /// Returns the next line, or `None` at the end of the connection.
    pub(super) fn receive(
        &mut self,
        end: Option<Instant>,
    ) -> Result<Option<Received>, ClientError> {
        let Some(line) = self.line(end)? else { return Ok(None) };
        let malformed = |error: serde_json::Error| ClientError::Malformed(error.to_string());
        let head: Head = serde_json::from_slice(&line).map_err(malformed)?;
        if head.version != VERSION {
            return Err(ClientError::Version(head.version.to_string()));
        }
        serde_json::from_slice(&line).map(Some).map_err(malformed)
    }

    fn line(&mut self, end: Option<Instant>) -> Result<Option<Vec<u8>>, ClientError> {
        let mut piece = vec![0; 64 << 10];
        loop {
            let fresh = self.buffer.iter().skip(self.searched);
            if let Some(at) = fresh.clone().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                self.searched = 0;
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            self.searched = self.buffer.len();
            // More than the daemon's server writes at most.
            if self.buffer.len() > 2 * Limits::DAEMON.answer {
                return Err(ClientError::Malformed("the line is too long".to_owned()));
            }
            self.stream.set_read_timeout(end.map(left)).map_err(ClientError::Connection)?;
            match self.stream.read(&mut piece) {
                Ok(0) => return Ok(None),
                Ok(read) => self.buffer.extend_from_slice(piece.get(..read).unwrap_or_default()),
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::ConnectionReset => return Ok(None),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                        return Err(ClientError::Late { seconds: 0, changes: false });
                    }
                    _ => return Err(ClientError::Connection(error)),
                },
            }
        }
    }
}

/// Returns the time that is left. The system takes no time of 0 for a limit.
fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}
