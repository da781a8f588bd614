use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::time::{Duration, Instant};
use std::{io, thread};

use ipvs_netlink::procfs::Procfs;
use ipvs_netlink::{Setting, SettingValue};

use crate::Moment;
use crate::reading::{Desk, Source, wait, writers};
use crate::state::{News, Reading, Writers};

/// How often processes are looked through.
const WRITERS_EVERY: Duration = Duration::from_secs(10);

/// Begins to read the table every `interval`. A value in the returned channel makes a reading begin at
/// once.
///
/// # Errors
///
/// The system gives no thread.
pub fn read_table(source: Source, interval: Duration, desk: Desk) -> io::Result<SyncSender<()>> {
    let (ask, asked) = mpsc::sync_channel(1);
    let work = move || {
        let mut looked: Option<(Instant, Writers)> = None;
        loop {
            let begun = Moment::now();
            if !desk.tell(News::ReadingBegun(begun)) {
                return;
            }
            if looked.as_ref().is_none_or(|(at, _)| at.elapsed() >= WRITERS_EVERY) {
                looked = Some((Instant::now(), writers(&source)));
            }
            let found = looked.as_ref().map(|(_, found)| found.clone()).unwrap_or_default();
            let result = read(&source, begun, found).map_err(|error| error.to_string());
            if !desk.tell(News::Read(result)) {
                return;
            }
            let took = Moment::now().since(&begun);
            // At most a fifth of the time is spent with reading, also while somebody keeps asking for more.
            // A large table is then read about as often as its counters move.
            let rest = took.saturating_mul(4);
            thread::sleep(rest);
            if !wait(&asked, interval.saturating_sub(took).saturating_sub(rest)) {
                return;
            }
        }
    };
    thread::Builder::new().name("reading".to_owned()).spawn(work)?;
    Ok(ask)
}

/// Reads the table once.
///
/// # Errors
///
/// The kernel cannot be asked, or does not answer.
pub fn read(source: &Source, at: Moment, writers: Writers) -> ipvs_netlink::Result<Reading> {
    let begun = Instant::now();
    let mut ipvs = source.connect()?;
    let info = Some(ipvs.info()?);
    let snapshot = Arc::new(ipvs.snapshot()?);
    // A container may hide these files. What they hold is left out then.
    let files = ipvs.procfs().ok();
    let processors = files.as_ref().and_then(|files| files.per_processor().ok());
    let estimation = files.as_ref().and_then(estimation);
    // A fake kernel has a clock of its own.
    let at = Moment { instant: snapshot.read_at().unwrap_or(at.instant), ..at };
    Ok(Reading { at, took: begun.elapsed(), snapshot, info, processors, estimation, writers })
}

fn estimation(files: &Procfs) -> Option<bool> {
    files.setting(Setting::RUN_ESTIMATION).ok()?.as_ref().and_then(SettingValue::is_on)
}
