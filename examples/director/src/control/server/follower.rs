//! A client that follows the events.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::UnixStream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{self, MissedTickBehavior};

use crate::control::protocol::{Answer, Order};
use crate::control::response::Response;
use crate::control::server::connection::{Connection, Ended};
use crate::event::Event;

/// How often the server looks whether a follower is still there. Without events nothing else tells.
const LOOK: Duration = Duration::from_secs(5);
/// The most bytes of events that are written at once, and one event more.
const PIECE: usize = 16 << 10;

/// Tells the events, after the states if the client wants them. A client that has lost events gets
/// the states again.
pub(super) async fn follow(client: &mut Connection, states: bool) -> Result<(), Ended> {
    loop {
        let mut events = begin(client, states).await?;
        while tell(client, &mut events).await? == Told::All || !states {}
    }
}

/// Begins with the states or without, and returns the events after that.
async fn begin(client: &mut Connection, states: bool) -> Result<Receiver<Event>, Ended> {
    let events = client.shared.events.clone();
    if !states {
        let events = events.subscribe();
        client.answer(Answer::done(Vec::new())).await?;
        return Ok(events);
    }
    let _permit = client.permit().await?;
    let order = Order::Status { service: None, destination: None };
    let (answer, events) = client.ask(order, Some(events)).await?;
    client.answer(answer).await?;
    events.ok_or(Ended::Gone)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    All,
    /// Events were lost, and the client knows.
    Lost,
}

/// Waits for events, and writes those that have come.
async fn tell(client: &mut Connection, events: &mut Receiver<Event>) -> Result<Told, Ended> {
    let mut look = time::interval_at(time::Instant::now() + LOOK, LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let first = loop {
        tokio::select! {
            biased;
            event = events.recv() => break event,
            () = client.shared.calls.closed() => return Err(Ended::Gone),
            _ = look.tick() => if has_gone(&client.stream) {
                return Err(Ended::Gone);
            },
        }
    };
    let (mut lines, mut told) = (Vec::new(), Told::All);
    let mut next = first.map_err(|error| match error {
        RecvError::Lagged(lost) => TryRecvError::Lagged(lost),
        RecvError::Closed => TryRecvError::Closed,
    });
    loop {
        match next {
            Ok(event) => Response::Event { event: &event }.write(&mut lines),
            Err(TryRecvError::Lagged(events)) => {
                Response::Lost { events }.write(&mut lines);
                told = Told::Lost;
                break;
            }
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
        if lines.len() > PIECE {
            break;
        }
        next = events.try_recv();
    }
    client.write(&lines).await?;
    Ok(told)
}

/// Returns `true` if the other end has closed the connection, and not only its half of it.
fn has_gone(stream: &UnixStream) -> bool {
    let mut polled = [PollFd::new(stream, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).is_ok_and(|ready| ready > 0)
}
