//! One run: everybody acts in one simulated time, in an order that the seed determines.

mod silence;

use std::time::{Duration, Instant};

use ipvs_netlink::table::controller::{Task, Work};

use crate::bug::Bug;
use crate::connections::Clients;
use crate::faults::{Crash, Fault, Faults};
use crate::foreign::Foreign;
use crate::health::{Program, Witness};
use crate::judge::{Broken, Court, Promise};
use crate::keeper::{Keeper, Notes};
use crate::kernel::Kernel;
use crate::profile::Profile;
use crate::random::Random;
use crate::statistics::Statistics;
use crate::trace::Trace;
use crate::universe::Universe;
use crate::user::{Input, User};

/// A run that broke a promise.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) profile: Profile,
    pub(crate) broken: Broken,
    pub(crate) after: Duration,
    pub(crate) trace: Trace,
}

/// When everybody acts next. `None` means not at all.
#[derive(Debug)]
struct Schedule {
    users: Vec<Option<Instant>>,
    health: Vec<Option<Instant>>,
    foreign: Option<Instant>,
    clients: Option<Instant>,
    faults: Option<Instant>,
}

impl Schedule {
    fn next(&self) -> Option<Instant> {
        let others = [self.foreign, self.clients, self.faults];
        self.users.iter().chain(&self.health).copied().chain(others).flatten().min()
    }
}

/// Everything in a run.
pub(crate) struct World {
    profile: Profile,
    universe: Universe,
    kernel: Kernel,
    keepers: Vec<Keeper>,
    foreign: Foreign,
    clients: Clients,
    faults: Faults,
    /// The fault that the next task meets.
    armed: Option<Fault>,
    schedule: Schedule,
    witness: Witness,
    random: Random,
    statistics: Statistics,
    trace: Trace,
}

macro_rules! notes {
    ($world:expr) => {
        &mut Notes { statistics: &mut $world.statistics, trace: &mut $world.trace }
    };
}

/// Runs a profile with controllers that are sound or have a bug. Keeps the last lines of the trace.
pub(crate) fn run(
    profile: &Profile,
    bug: Option<Bug>,
    lines: usize,
) -> Result<Statistics, Box<Failure>> {
    let mut world = World::new(profile.clone(), bug, lines);
    let result = world.run();
    let after = world.trace.time(world.kernel.now());
    match result {
        Ok(()) => {
            world.statistics.runs = 1;
            world.count_health();
            world.statistics.requests = world.kernel.requests();
            world.statistics.simulated = after;
            Ok(world.statistics)
        }
        Err(broken) => {
            let World { profile, trace, .. } = world;
            Err(Box::new(Failure { profile, broken, after, trace }))
        }
    }
}

impl World {
    fn new(profile: Profile, bug: Option<Bug>, lines: usize) -> Self {
        let universe = Universe::new(profile.controllers, profile.large);
        let kernel = Kernel::new(&profile);
        let now = kernel.now();
        let faultless = profile.is_faultless();
        let witness = Witness::default();
        if profile.is_undisturbed() {
            kernel.show(&witness);
        }
        let keeper = |index| {
            let options = profile.options(&universe, index);
            let user = User::new(&profile, &universe, &options, index);
            let court = Court::new(options, universe.len(), faultless);
            let watched = universe.watched(index);
            let mut program =
                profile.actors.health.then(|| Program::new(&profile, index, watched, bug));
            program.iter_mut().filter(|_| lines > 0).for_each(Program::keep_notes);
            Keeper::new(index, court, user, program, witness.clone(), bug, now)
        };
        let keepers = (0..profile.controllers).map(keeper).collect();
        let (users, health) = (Vec::new(), Vec::new());
        let schedule = Schedule { users, health, foreign: None, clients: None, faults: None };
        Self {
            foreign: Foreign::new(&profile),
            clients: Clients::new(&profile),
            faults: Faults::new(&profile),
            armed: None,
            schedule,
            witness,
            random: Random::fork(profile.seed, "world"),
            statistics: Statistics::default(),
            trace: Trace::new(now, lines),
            keepers,
            kernel,
            universe,
            profile,
        }
    }

    fn run(&mut self) -> Result<(), Broken> {
        if self.profile.actors.foreign {
            // Somebody was there before us.
            for _ in 0..4 {
                self.others_write();
            }
        }
        for index in 0..self.keepers.len() {
            let now = self.kernel.now();
            let keeper = &mut self.keepers[index];
            let mut input = keeper.user.begin();
            if let (Some(program), Input::WishAll(all)) = (&mut keeper.program, &mut input) {
                program.begin(&self.kernel.truth(), now);
                all.extend(program.step(now)?);
            }
            keeper.input(&input, now, notes!(self))?;
        }
        for _ in 0..self.profile.storms {
            self.storm()?;
            self.silence()?;
        }
        Ok(())
    }

    /// Everybody acts.
    fn storm(&mut self) -> Result<(), Broken> {
        let now = self.kernel.now();
        let end = now + self.profile.storm;
        let actors = self.profile.actors;
        self.schedule.users = vec![Some(now); self.keepers.len()];
        self.schedule.health = vec![actors.health.then_some(now); self.keepers.len()];
        self.schedule.foreign = actors.foreign.then_some(now);
        self.schedule.clients = actors.connections.then_some(now);
        self.schedule.faults = actors.faults.then_some(now);
        while self.kernel.now() < end {
            self.act()?;
            if !self.step(true)? {
                let next = self.schedule.next().into_iter().chain(self.waits());
                self.kernel.wait_until(next.min().map_or(end, |next| next.min(end)));
            }
        }
        Ok(())
    }

    /// The times for which the controllers wait.
    fn waits(&self) -> impl Iterator<Item = Instant> {
        let now = self.kernel.now();
        self.keepers.iter().flat_map(move |keeper| {
            let check = keeper.program.as_ref().and_then(|program| program.next(now));
            [keeper.wait, check].into_iter().flatten()
        })
    }

    /// Lets everybody act whose time has come.
    fn act(&mut self) -> Result<(), Broken> {
        let now = self.kernel.now();
        let due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        for index in 0..self.keepers.len() {
            if due(self.schedule.users[index]) {
                self.user(index)?;
                let pause = self.keepers[index].user.pause(self.profile.user_pause);
                self.schedule.users[index] = Some(now + pause);
            }
            if due(self.schedule.health[index]) {
                self.health(index)?;
            }
            self.check(index)?;
        }
        if due(self.schedule.foreign) {
            self.others_write();
            self.schedule.foreign = Some(now + self.foreign.pause(self.profile.foreign_pause));
        }
        if due(self.schedule.clients) {
            let traffic = self.clients.act(&self.kernel.truth());
            self.kernel.traffic(&traffic);
            self.schedule.clients = Some(now + self.clients.pause());
        }
        if due(self.schedule.faults) {
            self.armed = Some(self.faults.next());
            self.schedule.faults = Some(now + self.faults.pause(self.profile.fault_pause));
        }
        Ok(())
    }

    fn user(&mut self, index: usize) -> Result<(), Broken> {
        let now = self.kernel.now();
        let keeper = &mut self.keepers[index];
        let mut input = keeper.user.act(&keeper.court.wishes);
        if let (Some(program), Input::WishAll(all)) = (&keeper.program, &mut input) {
            all.extend(program.wishes());
        }
        keeper.input(&input, now, notes!(self))
    }

    /// Something happens to the servers of a program, or an operator acts.
    fn health(&mut self, index: usize) -> Result<(), Broken> {
        let now = self.kernel.now();
        let keeper = &mut self.keepers[index];
        let Some(program) = &mut keeper.program else { return Ok(()) };
        let inputs = program.act(&self.kernel.truth(), now);
        let pause = program.pause(self.profile.health_pause);
        self.schedule.health[index] = Some(now + pause);
        for input in inputs {
            keeper.input(&input, now, notes!(self))?;
        }
        Ok(())
    }

    /// A program does the checks that are due.
    fn check(&mut self, index: usize) -> Result<(), Broken> {
        let now = self.kernel.now();
        let keeper = &mut self.keepers[index];
        let Some(program) = &mut keeper.program else { return Ok(()) };
        let wishes = program.step(now);
        for note in program.take_notes() {
            self.trace.note(now, || format!("{index} {note}"));
        }
        for wish in wishes? {
            keeper.input(&Input::Wish(Box::new(wish)), now, notes!(self))?;
        }
        Ok(())
    }

    fn count_health(&mut self) {
        for keeper in &mut self.keepers {
            for (what, count) in keeper.program.iter_mut().flat_map(Program::take_counts) {
                *self.statistics.health.entry(what).or_default() += count;
            }
        }
        *self.statistics.health.entry("moments").or_default() += self.witness.moments();
    }

    fn others_write(&mut self) {
        let changes = self.foreign.act(&self.universe, &self.kernel.truth());
        let now = self.kernel.now();
        self.statistics.input("foreign");
        self.trace.note(now, || {
            let texts: Vec<_> = changes.iter().map(ToString::to_string).collect();
            format!("others {}", texts.join("; "))
        });
        self.kernel.write(&changes);
        self.disturb();
    }

    fn disturb(&mut self) {
        let now = self.kernel.now();
        for keeper in &mut self.keepers {
            keeper.court.disturb(now);
        }
    }

    /// Does one task of each controller. Returns `false` if all wait.
    fn step(&mut self, storm: bool) -> Result<bool, Broken> {
        let mut busy = false;
        for index in 0..self.keepers.len() {
            self.check(index)?;
            let now = self.kernel.now();
            if self.keepers[index].wait.is_some_and(|wait| wait > now) {
                continue;
            }
            if let Some((task, work)) = self.keepers[index].next(now, notes!(self))? {
                busy = true;
                let crashes = storm && self.profile.actors.crashes;
                match crashes.then(|| self.faults.crash()).flatten() {
                    Some(crash) => self.crash(index, crash, &task, &work)?,
                    None => self.perform(index, &task, &work, storm)?,
                }
            } else if self.profile.is_undisturbed() && !self.profile.actors.crashes {
                self.keepers[index].follows_pools(&self.kernel.truth())?;
            }
        }
        Ok(busy)
    }

    /// Does a task and answers it.
    fn perform(
        &mut self,
        index: usize,
        task: &Task,
        work: &Work,
        storm: bool,
    ) -> Result<(), Broken> {
        let answer = self.at_the_kernel(task, work);
        if self.profile.is_undisturbed() {
            let seen = self.kernel.ask(&self.witness);
            seen.map_err(|how| Broken::new(Promise::Health, how))?;
        }
        // Everybody goes on while the task is being done.
        if storm {
            self.act()?;
        }
        let now = self.kernel.now();
        self.keepers[index].answer(task, work, &answer, now, notes!(self))
    }

    /// Does the work of a task, which may meet a fault.
    fn at_the_kernel(
        &mut self,
        task: &Task,
        work: &Work,
    ) -> ipvs_netlink::table::controller::Answer {
        if let Some(fault) = self.armed.take() {
            let now = self.kernel.now();
            self.trace.note(now, || format!("fault {fault:?}"));
            let others = match fault {
                Fault::Between { .. } => self.foreign.act(&self.universe, &self.kernel.truth()),
                _ => Vec::new(),
            };
            self.kernel.arm(fault, others);
            self.disturb();
        }
        let answer = self.kernel.perform(task, work);
        for fault in self.kernel.met() {
            self.statistics.fault(fault.name());
        }
        if self.profile.actors.latency {
            let pause = self.random.pause(0, 12);
            self.kernel.wait_until(self.kernel.now() + pause);
        }
        answer
    }

    fn crash(
        &mut self,
        index: usize,
        crash: Crash,
        task: &Task,
        work: &Work,
    ) -> Result<(), Broken> {
        let now = self.kernel.now();
        self.statistics.fault(crash.name());
        self.trace.note(now, || format!("crash {crash:?}"));
        match crash {
            Crash::Dropped => self.keepers[index].court.unanswered(work, now),
            Crash::Unanswered => {
                drop(self.at_the_kernel(task, work));
                self.keepers[index].court.unanswered(work, self.kernel.now());
            }
            Crash::Late => {
                let answer = self.at_the_kernel(task, work);
                let now = self.kernel.now();
                self.keepers[index].court.unanswered(work, now);
                let next = self.keepers[index].next(now, notes!(self))?;
                self.keepers[index].ignores(task.number(), answer, now)?;
                if let Some((task, work)) = next {
                    self.perform(index, &task, &work, true)?;
                }
            }
            Crash::Twice => {
                self.perform(index, task, work, true)?;
                let now = self.kernel.now();
                if let Some((number, answer)) = self.keepers[index].answered.clone() {
                    self.keepers[index].ignores(number, answer, now)?;
                }
            }
            Crash::Foreign => {
                let other = (index + 1) % self.keepers.len();
                let foreign = self.keepers[other].answered.clone();
                if let Some((number, answer)) = foreign {
                    self.keepers[index].ignores(number, answer, now)?;
                }
                self.perform(index, task, work, true)?;
            }
            Crash::Restart | Crash::Amnesia => {
                if self.random.chance(50) {
                    drop(self.at_the_kernel(task, work));
                }
                let now = self.kernel.now();
                let truth = self.kernel.truth();
                self.keepers[index].restart(
                    crash == Crash::Restart,
                    (&truth, self.profile.is_undisturbed()),
                    now,
                    notes!(self),
                )?;
            }
        }
        Ok(())
    }
}
