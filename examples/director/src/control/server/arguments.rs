//! The arguments of `director run` about its sockets.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::default_socket;
use crate::control::server::names;
use crate::control::server::socket::{Rights, Socket, SocketError};

/// The sockets of the daemon.
#[derive(Args, Clone, Debug)]
pub struct SocketArguments {
    /// The control socket; nobody but root and the daemon's user may write in its folder
    #[arg(long, value_name = "PATH", env = "DIRECTOR_SOCKET", default_value_os_t = default_socket())]
    pub socket: PathBuf,
    /// A group, by its name or number, whose members may give orders, besides root and the
    /// daemon's user
    #[arg(long, value_name = "GROUP")]
    pub socket_group: Option<String>,
    /// A second socket on which every user may ask for the status and follow the events
    #[arg(long, value_name = "PATH")]
    pub status_socket: Option<PathBuf>,
}

impl SocketArguments {
    /// Makes the sockets, within a tokio runtime.
    ///
    /// # Errors
    ///
    /// See [`SocketError`].
    pub fn bind(&self) -> Result<Vec<Socket>, SocketError> {
        let number =
            |name: &String| names::group(name).ok_or_else(|| SocketError::NoGroup(name.clone()));
        let group = self.socket_group.as_ref().map(number).transpose()?;
        let mut sockets = vec![Socket::bind(&self.socket, Rights::All, group)?];
        if let Some(path) = &self.status_socket {
            sockets.push(Socket::bind(path, Rights::Read, None)?);
        }
        Ok(sockets)
    }
}
