//! `table apply --watch`.

use std::io::{self, IsTerminal};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::apply::Work;
use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::file::{self, Stamp};
use crate::interrupt::Interrupt;
use crate::memory::Memory;
use crate::screen::Screen;

/// The interval between two looks at the file. A version must be the same at two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// The time after which a failed version is applied again.
const RETRY: Duration = Duration::from_secs(30);

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
/// is. A service that an earlier version of the file named is owned, so it is deleted when its
/// lines are. After the deletion it is not owned any more: a service that another program then
/// adds is left alone.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let source = &apply.planning.file;
    if file::is_stream(&source.path) {
        return Err(Failure::new("a stream cannot be watched, only a file"));
    }
    file::read(source)?;
    drop(apply.planning.options(&Memory::default())?);
    let interrupt = Interrupt::new(true)?;
    let on_terminal = io::stderr().is_terminal();
    let mut memory = Memory::default();
    let (mut seen, mut dealt_with) = (None, None);
    let mut retry: Option<Instant> = None;
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
        let due = dealt_with != now || retry.is_some_and(|retry| retry <= Instant::now());
        // Wait for two equal looks: an editor may still be writing the file.
        if let (true, Some(version)) = (due && seen == now, &now) {
            let mut again = false;
            match &version.bytes {
                Ok(bytes) => {
                    let done = once(apply, bytes, &mut memory, screen, &interrupt);
                    let is_first = std::mem::take(&mut at_start);
                    if is_first
                        && matches!(&done, Err(failure) if failure.status == Status::Invalid)
                    {
                        return done.map(|_| Status::Invalid);
                    }
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

/// Applies the content `now` of the file. Returns `None` if the file has changed by the time
/// the lock is taken.
fn once(
    apply: &Apply,
    now: &[u8],
    memory: &mut Memory,
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
    let (plan, planned, mut snapshot) = planning.plan(&mut ipvs, &desired, memory, screen)?;
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
    let ours = memory.formerly.services().chain(desired.services()).cloned().collect();
    let ours = memory.with(ours);
    let work = Work { plan: &plan, planned, desired: &desired, apply, screen };
    let done = work.carry_out(&mut ipvs, &mut snapshot, memory, interrupt, || next.is_there(&ours));
    memory.formerly.extend(desired);
    done.map(Some)
}

/// Watches the file during a drain. A new version that can be applied ends the wait, since it
/// may want a draining destination back. A bad version does not.
struct Next<'n> {
    apply: &'n Apply,
    screen: &'n Screen,
    looked: Instant,
    applied: &'n [u8],
    /// The content at the last look.
    seen: Vec<u8>,
    /// `true` if that content was applied or judged already.
    used: bool,
}

impl Next<'_> {
    /// Returns `true` if the file has a new version that can be applied. `ours` are the services
    /// that it may delete.
    fn is_there(&mut self, ours: &Memory) -> bool {
        if self.looked.elapsed() < PAUSE {
            return false;
        }
        self.looked = Instant::now();
        let Ok(bytes) = file::load(&self.apply.planning.file.path) else { return false };
        if bytes != self.seen {
            // Wait for two equal looks: an editor may still be writing the file.
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
                let text = format!("{}; the drain continues", failure.text);
                self.screen.failure(&Failure { text, ..failure });
                false
            }
        }
    }

    /// Returns an error if the content at the last look cannot be applied.
    fn judge(&self, ours: &Memory) -> Result<(), Failure> {
        let planning = &self.apply.planning;
        let desired = file::table(&planning.file, &self.seen)?;
        self.screen.doubts(&desired).strictly(planning.strict)?;
        let mut ipvs = planning.kernel.connect()?;
        planning.plan(&mut ipvs, &desired, ours, self.screen).map(drop)
    }
}
