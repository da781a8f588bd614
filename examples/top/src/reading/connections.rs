use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::Snapshot;
use ipvs_netlink::procfs::{ConnectionReader, Ending};

use crate::Moment;
use crate::reading::{Desk, Source};
use crate::state::News;
use crate::state::connections::{Counts, Ended, Finder, Kept, Part, Place};

/// How many lines of the kernel's list a pass reads at most.
const MOST_LINES: u64 = 200_000;

/// How long a pass may take.
const LONGEST: Duration = Duration::from_secs(3);

/// The shortest time between two passes.
const EVERY: Duration = Duration::from_secs(3);

/// How often a pass hands over what it has.
const PARTS_EVERY: Duration = Duration::from_millis(200);

/// Reads connections while somebody looks at them. The kernel's work for it grows with the square of
/// their number, so nothing is read otherwise.
#[derive(Clone, Debug)]
pub struct ConnectionsReader {
    wanted: Arc<(Mutex<Option<Wanted>>, Condvar)>,
}

/// Whose connections are wanted, and the table in which they are found.
type Wanted = (Place, Arc<Snapshot>);

impl ConnectionsReader {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(source: Source, desk: Desk) -> io::Result<Self> {
        let reader = Self { wanted: Arc::default() };
        let thread = reader.clone();
        let work = move || {
            while let Some(took) = thread.once(&source, &desk) {
                // At most a tenth of the time is spent with reading.
                thread.rest(EVERY.max(took.saturating_mul(9)));
            }
        };
        thread::Builder::new().name("connections".to_owned()).spawn(work)?;
        Ok(reader)
    }

    /// Says whose connections are wanted. `None`: nobody's.
    pub fn want(&self, next: Option<Wanted>) {
        let mut wanted = self.lock();
        let is_other = place(&wanted) != place(&next);
        *wanted = next;
        if is_other {
            self.wanted.1.notify_all();
        }
    }

    /// Waits until somebody looks, and makes a pass. Returns how long it took, or `None` if the program
    /// has ended.
    fn once(&self, source: &Source, desk: &Desk) -> Option<Duration> {
        let mut wanted = self.lock();
        let (at_place, table) = loop {
            match &*wanted {
                Some((place, table)) => break (*place, Arc::clone(table)),
                None => {
                    let waited = self.wanted.1.wait(wanted);
                    wanted = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        };
        drop(wanted);
        let at = Moment::now();
        let is_wanted = || place(&self.lock()) == Some(at_place);
        let mut tell = |part| desk.tell(News::Connections(part)) && is_wanted();
        let opened = source
            .connect()
            .map_err(|error| error.to_string())
            .and_then(|ipvs| ipvs.procfs().map_err(|error| error.to_string()))
            .and_then(|files| files.connections().map_err(|error| error.to_string()));
        match opened {
            Ok(reader) => pass(reader.most_time(LONGEST), at_place, &table, at, &mut tell),
            Err(reason) => {
                let (rows, counts) = (Vec::new(), Counts::default());
                let ended = Some(Ended::Failed(reason));
                tell(Part { place: at_place, at, rows, counts, ended });
            }
        }
        Some(Moment::now().since(&at))
    }

    /// Waits, but no longer than until somebody looks elsewhere.
    fn rest(&self, time: Duration) {
        let wanted = self.lock();
        let before = place(&wanted);
        let same = |wanted: &mut Option<Wanted>| place(wanted) == before;
        let _ = self.wanted.1.wait_timeout_while(wanted, time, same);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Wanted>> {
        self.wanted.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(wanted: &Option<Wanted>) -> Option<Place> {
    wanted.as_ref().map(|(place, _)| *place)
}

/// Makes one pass through a list of connections, and hands over those of a place in parts. Ends when `tell`
/// returns `false`.
pub fn pass<R: Read>(
    reader: ConnectionReader<R>,
    place: Place,
    table: &Snapshot,
    at: Moment,
    tell: &mut dyn FnMut(Part) -> bool,
) {
    let mut reader = reader.matching(place.filter()).most_lines(MOST_LINES);
    let finder = Finder::new(place, table);
    let mut kept = Kept::default();
    let mut counts = Counts::default();
    let mut failure = None;
    let mut told = Instant::now();
    for connection in reader.by_ref() {
        match connection {
            Ok(connection) => {
                if let Some(belonging) = finder.find(&connection) {
                    counts.add(&connection, belonging);
                    kept.add(connection);
                }
            }
            Err(error) => {
                counts.malformed += 1;
                failure = Some(error.to_string());
            }
        }
        if told.elapsed() >= PARTS_EVERY {
            told = Instant::now();
            let rows = kept.rows();
            if !tell(Part { place, at, rows, counts: counts.clone(), ended: None }) {
                return;
            }
        }
    }
    let ended = match reader.ending() {
        Some(Ending::Complete) => Ended::Complete,
        Some(Ending::Lines) => Ended::Lines(reader.lines_read()),
        Some(Ending::Time) => Ended::Time,
        _ => {
            counts.malformed = counts.malformed.saturating_sub(1);
            Ended::Failed(failure.unwrap_or_else(|| "the list ends early".to_owned()))
        }
    };
    tell(Part { place, at, rows: kept.rows(), counts, ended: Some(ended) });
}
