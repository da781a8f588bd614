//! The clients, which count their attempts and failures.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::greeting::Connection;
use crate::network::Namespace;

/// The time to wait for a server, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The clients of one namespace.
#[derive(Debug)]
pub(crate) struct Crowd<'n> {
    home: &'n Namespace,
    /// How many connections they have tried to make.
    pub(crate) attempted: u64,
    /// How many of them were not served.
    pub(crate) failed: u64,
}

impl<'n> Crowd<'n> {
    pub(crate) const fn of(home: &'n Namespace) -> Self {
        Self { home, attempted: 0, failed: 0 }
    }

    /// Opens connections that stay open.
    pub(crate) fn hold(&mut self, count: u64, from: IpAddr, to: SocketAddr) -> Vec<Connection> {
        self.attempted += count;
        let home = self.home;
        let open = |_| self.served(Connection::open(home, from, to, PATIENCE));
        (0..count).filter_map(open).collect()
    }

    /// Opens connections one after the other, and closes each before the next.
    pub(crate) fn visit(&mut self, count: u64, from: IpAddr, to: SocketAddr) -> Vec<Connection> {
        let visit = |_| self.hold(1, from, to).pop().and_then(|visitor| self.close(visitor));
        (0..count).filter_map(visit).collect()
    }

    fn close(&mut self, mut connection: Connection) -> Option<Connection> {
        self.served(connection.close()).map(|()| connection)
    }

    /// Closes the connections to one server and returns the others.
    pub(crate) fn hang_up(&mut self, connections: Vec<Connection>, name: &str) -> Vec<Connection> {
        let (theirs, others): (Vec<_>, _) =
            connections.into_iter().partition(|connection| connection.server == name);
        theirs.into_iter().for_each(|connection| drop(self.close(connection)));
        others
    }

    /// Asks for the server's name again over open connections. Returns those with an answer.
    pub(crate) fn ask_again(&mut self, connections: Vec<Connection>) -> Vec<Connection> {
        let ask = |mut connection: Connection| {
            connection.server = self.served(connection.ask())?;
            Some(connection)
        };
        connections.into_iter().filter_map(ask).collect()
    }

    fn served<T>(&mut self, result: io::Result<T>) -> Option<T> {
        result
            .inspect_err(|error| {
                writeln!(io::stderr(), "a connection failed: {error}").ok();
                self.failed += 1;
            })
            .ok()
    }
}
