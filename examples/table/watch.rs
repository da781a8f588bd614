//! `table apply --watch`.

use std::io::{self, IsTerminal};
use std::mem;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::file::{self, Stamp};
use crate::interrupt::Interrupt;
use crate::keeper::{Ended, Keeper};
use crate::memory::Memory;
use crate::screen::Screen;

/// The interval between two looks at the file. A version must be the same at two looks.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);

/// The time after which what could not be begun is tried again.
pub(crate) const RETRY: Duration = Duration::from_secs(30);

/// The content and the times of a file at one look. The times show that the same content was
/// written again. They do not suffice alone, because some file systems count in seconds.
#[derive(Clone, PartialEq, Eq)]
struct Version {
    bytes: Result<Vec<u8>, Failure>,
    stamp: Option<Stamp>,
}

impl Version {
    fn of(apply: &Apply) -> Self {
        let path = &apply.planning.file.path;
        let stamp = Stamp::of(path);
        let bytes = file::load(path);
        // The times were read first, so the content is at least as new as they are.
        let stamp = stamp.filter(|_| bytes.is_ok());
        Self { bytes, stamp }
    }
}

/// Applies the file now, whenever it is written, and on SIGHUP.
///
/// A bad file ends the program at the start. Later it is reported, and the table stays as it
/// is. A service that an earlier version of the file named is owned, so it leaves when its
/// lines do. When it has left it is not owned any more: a service that another program then
/// adds is left alone.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let source = &apply.planning.file;
    if file::is_stream(&source.path) {
        return Err(Failure::new("a stream cannot be watched, only a file"));
    }
    file::read(source)?;
    let options = apply.planning.options(&Memory::default())?;
    let interrupt = Interrupt::new(true)?;
    let on_terminal = io::stderr().is_terminal();
    let mut keeper = Keeper::new(options, apply, screen, &interrupt);
    let (mut seen, mut dealt_with) = (None, None);
    let mut again: Option<Instant> = None;
    let mut at_start = true;
    loop {
        if interrupt.take_reload() {
            if on_terminal && !io::stderr().is_terminal() {
                // The terminal has closed, so SIGHUP means the end and not a reload.
                Interrupt::hang_up();
            }
            dealt_with = None;
        }
        let now = Some(Version::of(apply));
        let due = dealt_with != now || again.is_some_and(|again| again <= Instant::now());
        // Wait for two equal looks: an editor may still be writing the file.
        let version = now.as_ref().filter(|_| due && seen == now);
        let done = match version.map(|version| &version.bytes) {
            Some(Ok(bytes)) => {
                let done = keeper.apply(bytes);
                let is_first = mem::take(&mut at_start);
                if is_first && matches!(&done, Err(failure) if failure.status == Status::Invalid) {
                    return done.map(|_| Status::Invalid);
                }
                Some(done.unwrap_or_else(|failure| Ended::Told(screen.failure(&failure))))
            }
            Some(Err(failure)) => {
                screen.failure(failure);
                None
            }
            None if keeper.is_due() => keeper.go_on().unwrap_or_else(|failure| {
                screen.failure(&failure);
                None
            }),
            None => None,
        };
        if let Some(Ended::Told(status) | Ended::Superseded(status)) = done {
            screen.note(&format!("{}: {status}", source.path.display()));
            if interrupt.came() {
                interrupt.end();
                return Ok(status);
            }
        }
        if version.is_some() && !matches!(done, Some(Ended::NotBegun)) {
            let failed = matches!(done, Some(Ended::Told(Status::Inconsistent | Status::Failed)));
            let pause = if failed { Some(RETRY) } else { apply.every.and_then(|every| every.0) };
            again = pause.and_then(|pause| Instant::now().checked_add(pause));
            dealt_with.clone_from(&now);
        }
        match done {
            // The next version was looked at twice already.
            Some(Ended::Superseded(_)) => seen = Some(Version::of(apply)),
            Some(Ended::NotBegun) => seen = None,
            _ => {
                seen = now;
                sleep(PAUSE);
            }
        }
    }
}
