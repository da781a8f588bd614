//! `table apply --watch`.

use std::io::{self, IsTerminal};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::table::Table;

use crate::apply::Work;
use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::file::{self, Stamp};
use crate::interrupt::Interrupt;
use crate::screen::Screen;

/// How often the file is looked at, and how long it has to stay the same.
const PAUSE: Duration = Duration::from_millis(500);

/// After which time what failed is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// A file as it was at some time. Its times alone would not do, since some file systems count
/// in seconds; but they tell that it was written again as it was.
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
        // What was read is at least as new as its times.
        let stamp = stamp.filter(|_| bytes.is_ok());
        Self { bytes, stamp }
    }
}

/// Applies the file now and whenever it was written or SIGHUP came. What is wrong with the
/// file at the start ends the program; what is wrong later is reported, and the table stays as
/// it is. What was in the file the last time stays ours, so that it goes away with its lines;
/// once it has gone, whatever else may have failed, who adds it is somebody else.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let source = &apply.planning.file;
    if file::is_stream(&source.path) {
        return Err(Failure::new("a stream cannot be watched, only a file"));
    }
    file::read(source)?;
    let interrupt = Interrupt::new(true)?;
    let on_terminal = io::stderr().is_terminal();
    let mut formerly = Table::new();
    let (mut seen, mut dealt_with) = (None, None);
    let mut retry: Option<Instant> = None;
    loop {
        if interrupt.take_reload() {
            if on_terminal && !io::stderr().is_terminal() {
                // It has gone, and with it who had started the program.
                Interrupt::hang_up();
            }
            dealt_with = None;
        }
        let now = Some(Version::of(apply));
        let due = dealt_with != now || retry.is_some_and(|retry| retry <= Instant::now());
        // Somebody may be in the midst of writing it.
        if let (true, Some(version)) = (due && seen == now, &now) {
            let mut again = false;
            match &version.bytes {
                Ok(bytes) => {
                    let done = once(apply, bytes, &mut formerly, screen, &interrupt);
                    let done = done.unwrap_or_else(|failure| Some(screen.failure(&failure)));
                    let Some(status) = done else {
                        seen = None;
                        continue;
                    };
                    screen.note(&format!("{}: {status}", source.path.display()));
                    again = matches!(
                        status,
                        Status::PartlyFailed
                            | Status::Unfinished
                            | Status::Inconsistent
                            | Status::Failed
                    );
                    if interrupt.came() {
                        interrupt.end();
                        return Ok(status);
                    }
                }
                Err(failure) => {
                    screen.failure(failure);
                }
            }
            let pause = if again { Some(RETRY) } else { apply.every.and_then(|every| every.0) };
            retry = pause.and_then(|pause| Instant::now().checked_add(pause));
            dealt_with = now.clone();
        }
        seen = now;
        sleep(PAUSE);
    }
}

/// Applies what the file had, unless it has something else as soon as it can be applied.
fn once(
    apply: &Apply,
    now: &[u8],
    formerly: &mut Table,
    screen: &Screen,
    interrupt: &Interrupt,
) -> Result<Option<Status>, Failure> {
    let planning = &apply.planning;
    let desired = file::table(&planning.file, now)?;
    let mut ipvs = planning.kernel.connect()?;
    let _alone = planning.kernel.alone(apply.wait, screen)?;
    if file::has_changed(&planning.file.path, now) {
        return Ok(None);
    }
    screen.doubts(&desired).strictly(planning.strict)?;
    let (plan, planned, mut snapshot) = planning.plan(&mut ipvs, &desired, formerly, screen)?;
    if !planning.json {
        screen.diff(&plan)?;
    }
    let mut next = Next {
        apply,
        screen,
        looked: Instant::now(),
        applied: now,
        seen: now.to_vec(),
        used: true,
    };
    let ours: Table = formerly.services().chain(desired.services()).cloned().collect();
    let work = Work { plan: &plan, planned, desired: &desired, apply, screen };
    let done =
        work.carry_out(&mut ipvs, &mut snapshot, formerly, interrupt, || next.is_there(&ours));
    formerly.extend(desired);
    done.map(Some)
}

/// What the file says while something drains. A new version may want back what drains; one
/// that cannot be used does not end the draining.
struct Next<'n> {
    apply: &'n Apply,
    screen: &'n Screen,
    looked: Instant,
    applied: &'n [u8],
    /// What the file had at the last look.
    seen: Vec<u8>,
    /// Whether that was applied, or judged.
    used: bool,
}

impl Next<'_> {
    /// Whether another version is there that can be applied. What is `ours` may be changed
    /// by it.
    fn is_there(&mut self, ours: &Table) -> bool {
        if self.looked.elapsed() < PAUSE {
            return false;
        }
        self.looked = Instant::now();
        let Ok(bytes) = file::load(&self.apply.planning.file.path) else { return false };
        if bytes != self.seen {
            // Somebody may be in the midst of writing it.
            self.used = bytes == self.applied;
            self.seen = bytes;
            return false;
        }
        if self.used {
            return false;
        }
        self.used = true;
        match self.judge(ours) {
            Ok(()) => true,
            Err(failure) => {
                let text = format!("{}; meanwhile the draining goes on", failure.text);
                self.screen.failure(&Failure { text, ..failure });
                false
            }
        }
    }

    /// Whether what the file has by now could be applied.
    fn judge(&self, ours: &Table) -> Result<(), Failure> {
        let planning = &self.apply.planning;
        let desired = file::table(&planning.file, &self.seen)?;
        self.screen.doubts(&desired).strictly(planning.strict)?;
        let mut ipvs = planning.kernel.connect()?;
        planning.plan(&mut ipvs, &desired, ours, self.screen).map(drop)
    }
}
