//! The client: gives an order on the control socket and reads the answer.

mod connection;
mod error;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::control::client::connection::Connection;
use crate::control::protocol::Order;
use crate::control::request;
use crate::control::response::Received;

pub use error::ClientError;

/// Gives orders to one daemon.
#[derive(Clone, Debug)]
pub struct Client {
    /// The socket.
    pub path: PathBuf,
    /// The longest time that an answer may take.
    pub patience: Duration,
}

/// The time after which an order is given again to a daemon that has too many clients.
const AGAIN: Duration = Duration::from_millis(200);

impl Client {
    /// Gives an order, and returns the daemon's answer: never [`Received::Refused`] nor
    /// [`Received::Error`], which are errors.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub fn ask(&self, order: &Order) -> Result<Received, ClientError> {
        self.begin(order).map(|(answer, _)| answer)
    }

    /// Follows the events. The first answer is [`Received::Status`] with the states, or
    /// [`Received::Done`] without them.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub fn follow(&self, states: bool) -> Result<(Received, Followed), ClientError> {
        let (answer, connection) = self.begin(&Order::Events { states })?;
        Ok((answer, Followed { connection }))
    }

    fn begin(&self, order: &Order) -> Result<(Received, Connection), ClientError> {
        let end = Instant::now() + self.patience;
        loop {
            let error = match self.try_once(order, end) {
                Err(error) if error.is_busy() => error,
                other => return other,
            };
            if Instant::now() + AGAIN >= end {
                return Err(error);
            }
            thread::sleep(AGAIN);
        }
    }

    fn try_once(&self, order: &Order, end: Instant) -> Result<(Received, Connection), ClientError> {
        let changes = order.changes();
        let late = || ClientError::Late { seconds: self.patience.as_secs(), changes };
        let mut connection = Connection::open(&self.path, end)?;
        // A server that refuses the connection does not read. It has said why.
        let sent = connection.send(request::write(order).as_bytes(), end);
        match (connection.receive(Some(end)), sent) {
            (Ok(Some(Received::Refused { lines })), _) => Err(ClientError::Refused(lines)),
            (Ok(Some(Received::Error { error, text })), _) => {
                Err(ClientError::Problem { name: error, text })
            }
            (Ok(Some(answer)), _) => Ok((answer, connection)),
            (_, Err(error)) => Err(ClientError::Connection(error)),
            (Ok(None), Ok(())) => Err(ClientError::Ended { changes }),
            (Err(ClientError::Late { .. }), _) => Err(late()),
            (Err(error), _) => Err(error),
        }
    }
}

/// The events of a daemon.
#[derive(Debug)]
pub struct Followed {
    connection: Connection,
}

impl Followed {
    /// Waits for the next line. Returns `None` if the daemon has ended.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub fn next_line(&mut self) -> Result<Option<Received>, ClientError> {
        self.connection.receive(None)
    }
}
