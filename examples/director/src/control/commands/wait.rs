//! Waits until the connections of a destination have ended.

use std::thread;
use std::time::{Duration, Instant};

use crate::control::commands::arguments::{DaemonArguments, Place};
use crate::control::commands::screen::Screen;
use crate::control::commands::{Outcome, status};
use crate::exit::Exit;
use crate::status::{DestinationState, DestinationStatus, Status};

/// The time between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// How far a drain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// The destination still gets connections: the table does not have the order yet.
    NotBegun,
    /// So many active connections are left.
    Left(u64),
    /// Somebody has ended the maintenance.
    Ended,
    /// The daemon cannot tell.
    Unread,
}

/// Waits until no active connection is left in any of the services.
pub(super) fn until_drained(
    daemon: &DaemonArguments,
    place: &Place,
    at_most: Option<Duration>,
) -> Outcome {
    let client = daemon.client();
    let (begin, mut screen) = (Instant::now(), Screen::new());
    loop {
        let value = status::ask(&client, place.service, Some(place.destination))?;
        let progress = progress(&status::parse(value)?);
        let destination = place.destination;
        let text = match progress {
            Progress::NotBegun => format!("{destination}: not drained yet"),
            Progress::Unread => format!("{destination}: the kernel's table cannot be read"),
            Progress::Left(1) => format!("{destination}: 1 active connection"),
            Progress::Left(left) => format!("{destination}: {left} active connections"),
            Progress::Ended => format!("{destination}: somebody has ended the maintenance"),
        };
        screen.progress(&text);
        let is_late = at_most.is_some_and(|at_most| begin.elapsed() >= at_most);
        let exit = match progress {
            Progress::Left(0) => Exit::Done,
            Progress::Ended => Exit::NotDrained,
            _ if is_late => Exit::NotDrained,
            _ => {
                let left = at_most.map_or(LOOK, |most| most.saturating_sub(begin.elapsed()));
                thread::sleep(LOOK.min(left));
                continue;
            }
        };
        screen.progress("");
        let seconds = begin.elapsed().as_secs();
        return Ok(match exit {
            Exit::Done => {
                screen.print(&format!("{destination}: no active connections after {seconds} s\n"))
            }
            exit => {
                screen.note(&format!("{text} after {seconds} s"));
                exit
            }
        });
    }
}

fn progress(status: &Status) -> Progress {
    if !status.is_table_read {
        return Progress::Unread;
    }
    let destinations = || status.services.iter().flat_map(|service| &service.destinations);
    // What has left the file drains, too, and has no maintenance any more.
    let stays = |destination: &DestinationStatus| {
        destination.maintenance.is_none() && destination.state != DestinationState::Leaving
    };
    if destinations().any(stays) {
        return Progress::Ended;
    }
    if destinations().any(|destination| destination.in_table.is_some_and(|weight| weight > 0)) {
        return Progress::NotBegun;
    }
    let left = destinations().map(|it| it.connections.map_or(0, |all| u64::from(all.active)));
    Progress::Left(left.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::example;

    #[test]
    fn a_drain_is_over_when_it_has_begun_and_no_connection_carries_data() {
        let mut status = example::status();
        status.keep_only(None, Some("10.0.0.2:8080".parse().unwrap()));
        assert_eq!(progress(&status), Progress::Left(12));
        let drained = |status: &mut Status, change: fn(&mut DestinationStatus)| {
            change(&mut status.services[0].destinations[0]);
            progress(status)
        };
        assert_eq!(drained(&mut status, |it| it.in_table = Some(3)), Progress::NotBegun);
        let gone = |it: &mut DestinationStatus| (it.in_table, it.connections) = (None, None);
        assert_eq!(drained(&mut status, gone), Progress::Left(0));
        // Without a table nobody knows.
        status.is_table_read = false;
        assert_eq!(progress(&status), Progress::Unread);
        status.is_table_read = true;
        assert_eq!(drained(&mut status, |it| it.maintenance = None), Progress::Ended);
        assert_eq!(
            drained(&mut status, |it| it.state = DestinationState::Leaving),
            Progress::Left(0)
        );
    }
}
