//! The controller behind `table apply --watch`.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::table::controller::{Controller, ControllerOptions, DrainStatus, Stepped};
use ipvs_netlink::table::{Plan, PlanOptions, Table};
use ipvs_netlink::{Client, Snapshot};

use crate::apply::Work;
use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::file;
use crate::interrupt::Interrupt;
use crate::memory::Memory;
use crate::round::Round;
use crate::screen::{Screen, drains};
use crate::settings;
use crate::watch::{PAUSE, RETRY};

/// The controller reads the whole table when it is told to, not by itself.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How the work for a version of the file ended.
pub(crate) enum Ended {
    /// The table is as the file says, or something failed and is tried again later.
    Told(Status),
    /// The file has a newer version that can be applied. What drains goes on draining.
    Superseded(Status),
    /// The file changed before the work began.
    NotBegun,
}

/// Why a [`Keeper`] stopped its work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pause {
    Settled,
    /// Something failed. The next attempt comes later.
    Failed,
    Superseded,
    Interrupted,
}

/// Keeps the table as the versions of a file say. Holds the lock only while it works.
pub(crate) struct Keeper<'k> {
    apply: &'k Apply,
    screen: &'k Screen,
    interrupt: &'k Interrupt,
    controller: Controller,
    /// The version that was applied last.
    applied: Vec<u8>,
    /// When the controller has more to do, if it has.
    due: Option<Instant>,
    /// What was told of failures since the table was last as wished.
    told: BTreeSet<String>,
}

impl<'k> Keeper<'k> {
    pub(crate) fn new(
        options: PlanOptions,
        apply: &'k Apply,
        screen: &'k Screen,
        interrupt: &'k Interrupt,
    ) -> Self {
        let controller = Controller::new(ControllerOptions::new().plan(options).resync(NEVER));
        let (applied, told) = (Vec::new(), BTreeSet::new());
        Self { apply, screen, interrupt, controller, applied, due: None, told }
    }

    /// Applies the content `now` of the file.
    pub(crate) fn apply(&mut self, now: &[u8]) -> Result<Ended, Failure> {
        let (planning, screen) = (&self.apply.planning, self.screen);
        let desired = file::table(&planning.file, now)?;
        let mut ipvs = planning.kernel.connect()?;
        let _alone = planning.kernel.alone(self.apply.wait, screen)?;
        if file::has_changed(&planning.file.path, now) {
            return Ok(Ended::NotBegun);
        }
        screen.doubts(&desired).strictly(planning.strict)?;
        let memory = Memory::of(&self.controller);
        let (plan, planned, _) = planning.plan(&mut ipvs, &desired, &memory, screen)?;
        if !planning.json {
            screen.diff(&plan)?;
        }
        settings::write(&mut ipvs, &plan)?;
        self.applied = now.to_vec();
        self.told.clear();
        self.controller.wish_all(desired.clone());
        self.controller.resynchronize();
        let mut round = Round::new(&plan);
        let pause = self.work(&mut ipvs, &mut round);
        self.tell(std::mem::take(&mut round.notes));
        let applied = round.finish(&self.controller);
        let work = Work { plan: &plan, planned, desired: &desired, apply: self.apply, screen };
        let status = work.report(&applied, self.interrupt, || match applied.cut().next() {
            Some(_) => Status::Cut,
            None => Status::Changed,
        })?;
        Ok(match pause {
            Pause::Superseded => Ended::Superseded(status),
            // Nothing of the plan failed, but what the controller found since.
            Pause::Failed if applied.is_done() => Ended::Told(Status::PartlyFailed),
            _ => Ended::Told(status),
        })
    }

    /// Returns `true` if an attempt is due, or if destinations drain that nobody looks after.
    pub(crate) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    /// Makes the next attempt at what has failed. Returns `None` if it fails again.
    pub(crate) fn go_on(&mut self) -> Result<Option<Ended>, Failure> {
        let kernel = &self.apply.planning.kernel;
        // If this fails, look again later.
        self.due = Instant::now().checked_add(RETRY);
        let mut ipvs = kernel.connect()?;
        let _alone = kernel.alone(self.apply.wait, self.screen)?;
        let none = Plan::new(&Snapshot::default(), &Table::new(), &PlanOptions::new());
        let none = none.map_err(Failure::plan)?;
        let mut round = Round::new(&none);
        let pause = self.work(&mut ipvs, &mut round);
        let cut = round.cut;
        self.tell(round.notes);
        Ok(match pause {
            Pause::Failed => None,
            Pause::Settled if cut => Some(Ended::Told(Status::Cut)),
            Pause::Settled => Some(Ended::Told(Status::Changed)),
            Pause::Superseded => Some(Ended::Superseded(Status::Unfinished)),
            Pause::Interrupted => Some(Ended::Told(Status::Unfinished)),
        })
    }

    /// Prints notes, each failure once.
    fn tell(&mut self, notes: Vec<String>) {
        for note in notes {
            if self.told.insert(note.clone()) {
                self.screen.note(&note);
            }
        }
    }

    /// Lets the controller work until nothing is left to do or to wait for but the next attempt.
    fn work(&mut self, ipvs: &mut Client, round: &mut Round<'_>) -> Pause {
        let interrupt = self.interrupt;
        let pause = interrupt.hold(|| self.work_on(ipvs, round));
        self.screen.progress("");
        pause
    }

    fn work_on(&mut self, ipvs: &mut Client, round: &mut Round<'_>) -> Pause {
        let mut look = Look { at: Instant::now(), seen: self.applied.clone(), used: true };
        loop {
            let stepped = ipvs.step(&mut self.controller);
            self.controller.events().for_each(|event| round.take(&event));
            if self.interrupt.came() {
                return Pause::Interrupted;
            }
            self.due = match stepped {
                Stepped::Again => continue,
                Stepped::Until(time) => Some(time),
                Stepped::Idle => None,
            };
            if self.controller.is_settled() {
                self.due = None;
                return Pause::Settled;
            }
            let now = Instant::now();
            let draining: Vec<DrainStatus> = self.controller.drains().collect();
            if draining.is_empty() && round.failed {
                return Pause::Failed;
            }
            if !draining.is_empty() {
                self.screen.progress(&drains(&draining, now));
                if self.has_next(&mut look) {
                    return Pause::Superseded;
                }
            }
            sleep(stepped.pause(now).min(PAUSE));
        }
    }

    /// Returns `true` if the file has a new version that can be applied. It may want a draining
    /// destination back. A bad version changes nothing.
    fn has_next(&self, look: &mut Look) -> bool {
        if look.at.elapsed() < PAUSE {
            return false;
        }
        look.at = Instant::now();
        let Ok(bytes) = file::load(&self.apply.planning.file.path) else { return false };
        if bytes != look.seen {
            // Wait for two equal looks: an editor may still be writing the file.
            look.used = bytes == self.applied;
            look.seen = bytes;
            return false;
        }
        if look.used {
            return false;
        }
        look.used = true;
        match self.judge(&look.seen) {
            Ok(()) => true,
            Err(failure) => {
                let text = format!("{}; the drain continues", failure.text);
                self.screen.failure(&Failure { text, ..failure });
                false
            }
        }
    }

    /// Returns an error if the content `bytes` of the file cannot be applied.
    fn judge(&self, bytes: &[u8]) -> Result<(), Failure> {
        let planning = &self.apply.planning;
        let desired = file::table(&planning.file, bytes)?;
        self.screen.doubts(&desired).strictly(planning.strict)?;
        let mut ipvs = planning.kernel.connect()?;
        let memory = Memory::of(&self.controller);
        planning.plan(&mut ipvs, &desired, &memory, self.screen).map(drop)
    }
}

/// The last look at the file during a drain.
struct Look {
    at: Instant,
    seen: Vec<u8>,
    /// `true` if that content was applied or judged already.
    used: bool,
}
