//! One client: reads its orders one by one, and answers each before the next.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio::time;

use crate::control::call::{Call, Replied, Reply};
use crate::control::problem::Problem;
use crate::control::protocol::{Answer, Order};
use crate::control::request;
use crate::control::response::Response;
use crate::control::server::follower;
use crate::control::server::lines::Lines;
use crate::control::server::places::Owner;
use crate::control::server::serve::Shared;
use crate::control::server::socket::Rights;
use crate::event::Event;

/// One client.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: UnixStream,
    rights: Rights,
    peer: Peer,
    follows: bool,
    pub(super) shared: Arc<Shared>,
}

/// Who is at the other end.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) owner: Owner,
    /// The name of the user.
    pub(super) user: String,
    /// The user and the process, for logs.
    pub(super) process: String,
}

/// The client has gone, or does not read.
#[derive(Debug)]
pub(super) struct Gone;

impl Connection {
    pub(super) const fn new(
        stream: UnixStream,
        rights: Rights,
        peer: Peer,
        shared: Arc<Shared>,
    ) -> Self {
        Self { stream, rights, peer, follows: false, shared }
    }

    /// Serves the client until one of the two ends the connection.
    pub(super) async fn run(mut self) {
        let mut lines = Lines::new(&self.shared.limits);
        loop {
            let problem = match lines.next(&mut self.stream).await {
                Ok(None) => return,
                Err(problem) => problem,
                Ok(Some(line)) => match self.serve(&line).await {
                    Ok(()) => continue,
                    Err(Ended::Gone) => return,
                    Err(Ended::Problem(problem)) => problem,
                },
            };
            let mut line = Vec::new();
            Response::write_problem(&problem, &mut line);
            if self.write(&line).await.is_err() || problem.ends_connection() {
                return;
            }
        }
    }

    /// Carries out one request.
    async fn serve(&mut self, line: &[u8]) -> Result<(), Ended> {
        let order = request::parse(line, &self.peer.user)?;
        if order.changes() && self.rights == Rights::Read {
            return Err(Problem::NotAllowed.into());
        }
        let time = self.shared.places().order(self.peer.owner, Instant::now());
        time::sleep_until(time.into()).await;
        if let Order::Events { states } = order {
            self.shared.places().follow(self.peer.owner)?;
            self.follows = true;
            follower::follow(self, states).await?;
            return Err(Ended::Gone);
        }
        // Held until the client has read the answer.
        let _permit = match order {
            Order::Status { .. } => Some(self.permit().await?),
            _ => None,
        };
        let (answer, _) = self.ask(order, None).await?;
        self.answer(answer).await
    }

    /// Waits until the user may have another answer to `status`.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = Problem::Busy("this user reads as many states as one may");
        let Some(states) = self.shared.places().states(self.peer.owner) else { return Err(busy) };
        let permit = time::timeout(self.shared.limits.answer_time, states.acquire_owned()).await;
        permit.ok().and_then(Result::ok).ok_or(busy)
    }

    /// Lets the daemon carry out an order.
    pub(super) async fn ask(
        &self,
        order: Order,
        events: Option<broadcast::Sender<Event>>,
    ) -> Result<Replied, Problem> {
        let (reply, answer) = Reply::new(events);
        let call = Call { order, by: self.peer.process.clone(), reply };
        let asked = async {
            self.shared.calls.send(call).await.map_err(|_| Problem::Stopping)?;
            answer.await.map_err(|_| Problem::Stopping)
        };
        let limit = self.shared.limits.answer_time;
        let late = Problem::NoAnswer(limit.as_secs());
        time::timeout(limit, asked).await.unwrap_or(Err(late))
    }

    /// Writes an answer of the daemon.
    pub(super) async fn answer(&mut self, answer: Answer) -> Result<(), Ended> {
        let mut line = Vec::new();
        Response::write_answer(&answer, &mut line);
        drop(answer);
        if line.len() > self.shared.limits.answer {
            return Err(Problem::TooLarge(self.shared.limits.answer).into());
        }
        Ok(self.write(&line).await?)
    }

    /// Writes to the client, which must read in time.
    pub(super) async fn write(&mut self, line: &[u8]) -> Result<(), Gone> {
        let written = time::timeout(self.shared.limits.stall, self.stream.write_all(line)).await;
        written.ok().and_then(Result::ok).ok_or(Gone)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.places().leave(self.peer.owner, self.follows);
    }
}

/// Why a request was not carried out to its end.
#[derive(Debug)]
pub(super) enum Ended {
    /// The client is told.
    Problem(Problem),
    /// The client is not there any more.
    Gone,
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Gone> for Ended {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}
