//! Looks for signs in the traffic that destinations do not work, beside the loop.

use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use ipvs_netlink::health::passive::{ConnectionCounts, PassiveSigns, ReadingSchedule, SignChange};
use ipvs_netlink::procfs::{Ending, Procfs, ProcfsError};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::configuration::{self, OnSign};

/// The longest that the connections are read.
const LONGEST: Duration = Duration::from_secs(2);

/// Readings one after the other, each on a thread where it may block: a large table or many connections do
/// not hold up the loop.
#[derive(Debug, Default)]
pub(super) struct Looking {
    settings: configuration::PassiveSigns,
    /// `None` while a reading is under way, and before the first.
    look: Option<Box<Look>>,
    reading: Option<JoinHandle<Box<Look>>>,
    /// `None` if nothing is looked for.
    due: Option<Instant>,
}

/// What one reading goes on with, and what it has found.
#[derive(Debug, Default)]
pub(super) struct Look {
    schedule: ReadingSchedule,
    pub(super) signs: PassiveSigns,
    pub(super) changes: Vec<SignChange>,
    /// Why the connections, or the table, were not read; empty if they were.
    pub(super) unread: String,
}

impl Looking {
    /// Looks this way from now on. Returns `true` if nothing is looked for any more, so that nothing is known.
    pub(super) fn set(&mut self, settings: configuration::PassiveSigns, now: Instant) -> bool {
        let was_on = self.due.is_some();
        let former = std::mem::replace(&mut self.settings, settings);
        let is_on = settings.on_sign != OnSign::Ignore;
        let reads_alike = (former.interval, former.most_connections)
            == (settings.interval, settings.most_connections);
        if was_on != is_on || !reads_alike {
            // What an older reading finds counts no more.
            *self = Self { settings, due: is_on.then_some(now), ..Self::default() };
        }
        was_on && !is_on
    }

    /// Returns when [`begin`](Self::begin) has something to do.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.filter(|_| self.reading.is_none())
    }

    /// Begins a reading if one is due.
    pub(super) fn begin(&mut self, now: Instant) {
        if self.next().is_none_or(|due| due > now) {
            return;
        }
        let configuration::PassiveSigns { interval, most_connections, .. } = self.settings;
        let look = self.look.take().unwrap_or_else(|| {
            let schedule = ReadingSchedule::new().interval(interval);
            Box::new(Look {
                schedule: schedule.most_connections(most_connections),
                ..Look::default()
            })
        });
        self.due = Some(now + interval);
        self.reading = Some(spawn_blocking(move || look.again(most_connections)));
    }

    /// Waits for the end of a reading; for ever if none is under way. Dropping the future loses nothing.
    pub(super) async fn done(&mut self) -> &Look {
        let Some(reading) = &mut self.reading else { return std::future::pending().await };
        // After a panic, the next reading begins anew.
        let look = reading.await.unwrap_or_default();
        self.reading = None;
        // A reading of the connections counts from its own beginning, which is later.
        self.due = self.due.max(look.schedule.next());
        self.look.insert(look)
    }

    /// Returns what was found last; `None` while a reading is under way.
    pub(super) fn found(&self) -> Option<&Look> {
        self.look.as_deref()
    }
}

impl Look {
    fn again(mut self: Box<Self>, most_connections: u64) -> Box<Self> {
        self.changes.clear();
        match self.read(most_connections) {
            Ok(unread) => self.unread = unread,
            Err(error) => self.unread = format!("the table cannot be read: {error}"),
        }
        self
    }

    /// Returns why the connections were not read; empty if they were.
    fn read(&mut self, most_connections: u64) -> ipvs_netlink::Result<String> {
        let mut client = Client::connect()?;
        let (table, now) = (client.snapshot()?, Instant::now());
        let (connections, unread) = if self.schedule.may_read_connections(&table, now) {
            match client.procfs().and_then(|files| connections(&files)) {
                Ok(Some(connections)) => (Some(connections), String::new()),
                Ok(None) => (None, format!("connections are not read to their end in {LONGEST:?}")),
                Err(error) => (None, format!("connections cannot be read: {error}")),
            }
        } else {
            (None, unread(most_connections))
        };
        self.changes = self.signs.observe(table, now, connections.as_ref());
        Ok(unread)
    }
}

/// Returns why connections are not read; empty if that is what the configuration asks for.
fn unread(most_connections: u64) -> String {
    match most_connections {
        0 => String::new(),
        most => format!("connections are not read: there are more than {most}"),
    }
}

/// Reads all connections; `None` if there is not enough time.
fn connections(files: &Procfs) -> Result<Option<ConnectionCounts>, ProcfsError> {
    let mut reader = files.connections()?.most_time(LONGEST);
    let counts = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((reader.ending() == Some(Ending::Complete)).then_some(counts))
}
