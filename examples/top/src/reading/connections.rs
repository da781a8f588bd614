use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::procfs::{ConnectionReader, Ending};

use crate::Moment;
use crate::reading::{Desk, Source};
use crate::state::News;
use crate::state::connections::{Counts, Ended, Kept, Part, Place};

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
    wanted: Arc<(Mutex<Option<Place>>, Condvar)>,
}

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
    pub fn want(&self, place: Option<Place>) {
        let mut wanted = self.lock();
        if *wanted != place {
            *wanted = place;
            self.wanted.1.notify_all();
        }
    }

    /// Waits until somebody looks, and makes a pass. Returns how long it took, or `None` if the program
    /// has ended.
    fn once(&self, source: &Source, desk: &Desk) -> Option<Duration> {
        let mut wanted = self.lock();
        let place = loop {
            match *wanted {
                Some(place) => break place,
                None => {
                    let waited = self.wanted.1.wait(wanted);
                    wanted = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        };
        drop(wanted);
        let at = Moment::now();
        let is_wanted = || *self.lock() == Some(place);
        let mut tell = |part| desk.tell(News::Connections(part)) && is_wanted();
        let opened = source
            .connect()
            .map_err(|error| error.to_string())
            .and_then(|ipvs| ipvs.procfs().map_err(|error| error.to_string()))
            .and_then(|files| files.connections().map_err(|error| error.to_string()));
        match opened {
            Ok(reader) => pass(reader, place, at, &mut tell),
            Err(reason) => {
                let (rows, counts) = (Vec::new(), Counts::default());
                tell(Part { place, at, rows, counts, ended: Some(Ended::Failed(reason)) });
            }
        }
        Some(Moment::now().since(&at))
    }

    /// Waits, but no longer than until somebody looks elsewhere.
    fn rest(&self, time: Duration) {
        let wanted = self.lock();
        let before = *wanted;
        let same = |wanted: &mut Option<Place>| *wanted == before;
        let _ = self.wanted.1.wait_timeout_while(wanted, time, same);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Place>> {
        self.wanted.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes one pass through a list of connections, and hands it over in parts. Ends when `tell` returns
/// `false`.
pub fn pass<R: Read>(
    reader: ConnectionReader<R>,
    place: Place,
    at: Moment,
    tell: &mut dyn FnMut(Part) -> bool,
) {
    let mut reader = reader.matching(place.filter()).most_lines(MOST_LINES).most_time(LONGEST);
    let mut kept = Kept::default();
    let mut counts = Counts::default();
    let mut failure = None;
    let mut told = Instant::now();
    for connection in reader.by_ref() {
        match connection {
            Ok(connection) => {
                counts.add(&connection);
                kept.add(connection);
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
