//! A controller, its user, and its judges.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ipvs_netlink::table::Table;
use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::table::controller::{Answer, Controller, Next, Task, TaskNumber, Work};
use ipvs_netlink::{ServiceId, Snapshot};

use crate::bug::Bug;
use crate::health::{Program, Witness};
use crate::judge::knowledge::objects;
use crate::judge::{Broken, Court, Promise};
use crate::statistics::Statistics;
use crate::text::{answer_text, wish_text, work_text};
use crate::trace::Trace;
use crate::user::{Input, User};

/// A controller with everybody around it.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) controller: Controller,
    pub(crate) court: Court,
    pub(crate) user: User,
    /// Checks servers, if the controller has such a program.
    pub(crate) program: Option<Program>,
    pub(crate) witness: Witness,
    /// Services that are as their first wish after a restart says.
    quiet: BTreeSet<ServiceId>,
    pub(crate) bug: Option<Bug>,
    /// When the controller wants to be asked again. `None` means now.
    pub(crate) wait: Option<Instant>,
    /// The last task that was answered, and its answer.
    pub(crate) answered: Option<(TaskNumber, Answer)>,
    /// The number of tasks that the controller asked for.
    pub(crate) tasks: u64,
    /// The tasks since stillness began, by kind: lists, readings of destinations, readings of
    /// single services, writings.
    still: [u64; 4],
    /// A resynchronization was under way when stillness began.
    sweeps: bool,
    begin: Instant,
    index: usize,
}

/// What the harness notes beside.
pub(crate) struct Notes<'a> {
    pub(crate) statistics: &'a mut Statistics,
    pub(crate) trace: &'a mut Trace,
}

impl Keeper {
    pub(crate) fn new(
        index: usize,
        court: Court,
        user: User,
        program: Option<Program>,
        witness: Witness,
        bug: Option<Bug>,
        begin: Instant,
    ) -> Self {
        let controller = Controller::new(court.options.clone());
        Self {
            controller,
            court,
            user,
            program,
            witness,
            quiet: BTreeSet::new(),
            bug,
            wait: None,
            answered: None,
            tasks: 0,
            still: [0; 4],
            sweeps: false,
            begin,
            index,
        }
    }

    /// The time as the controller sees it.
    fn seen(&self, now: Instant) -> Instant {
        match self.bug {
            Some(Bug::Slow) => self.begin + (now - self.begin) / 2,
            _ => now,
        }
    }

    /// The time at which the controller sees a time.
    fn real(&self, seen: Instant) -> Instant {
        match self.bug {
            Some(Bug::Slow) => self.begin + (seen - self.begin) * 2,
            _ => seen,
        }
    }

    /// The user says something.
    pub(crate) fn input(
        &mut self,
        input: &Input,
        now: Instant,
        notes: &mut Notes<'_>,
    ) -> Result<(), Broken> {
        let index = self.index;
        notes.statistics.input(input.name());
        self.show_wishes(input);
        match input {
            Input::Wish(wish) => {
                notes.trace.note(now, || format!("{index} wish {}", wish_text(wish)));
                self.court.wish((**wish).clone(), now);
                self.controller.wish((**wish).clone());
            }
            Input::Forget(id) => {
                notes.trace.note(now, || format!("{index} forget {id}"));
                self.court.forget(*id, now);
                self.controller.forget(*id);
            }
            Input::WishAll(all) => {
                notes.trace.note(now, || {
                    let all: Vec<_> = all.iter().map(wish_text).collect();
                    format!("{index} wish all:\n  {}", all.join("\n  "))
                });
                let ids: BTreeSet<_> = all.iter().map(|wish| wish.id()).collect();
                for wish in all {
                    self.court.wish(wish.clone(), now);
                }
                let gone = self.court.wishes.current.keys().filter(|id| !ids.contains(id));
                for id in gone.copied().collect::<Vec<_>>() {
                    self.court.forget(id, now);
                }
                self.controller.wish_all(all.iter().cloned());
            }
            Input::Resynchronize => {
                notes.trace.note(now, || format!("{index} resynchronize"));
                self.court.disturb(now);
                self.controller.resynchronize();
            }
        }
        self.wait = None;
        self.events(now, notes)
    }

    /// The program starts again, with what it was told to keep or without.
    pub(crate) fn restart(
        &mut self,
        keeps: bool,
        (truth, undisturbed): (&Snapshot, bool),
        now: Instant,
        notes: &mut Notes<'_>,
    ) -> Result<(), Broken> {
        let index = self.index;
        let formerly: BTreeSet<_> = match keeps {
            true => self.controller.owned().collect(),
            false => BTreeSet::new(),
        };
        let watched = |id| self.program.as_ref().is_some_and(|program| program.has(id));
        let mut wishes = self.user.again(&self.court.wishes, watched);
        if let Some(program) = &mut self.program {
            let first = program.restart(truth, now)?;
            self.quiet = first
                .iter()
                .filter(|wish| undisturbed && is_carried_out(wish, truth))
                .map(Wish::id)
                .collect();
            wishes.extend(first);
        }
        wishes.iter().for_each(|wish| self.show_wish(wish));
        notes.trace.note(now, || {
            let all: Vec<_> = wishes.iter().map(wish_text).collect();
            format!("{index} restart, formerly {formerly:?}, wishes\n  {}", all.join("\n  "))
        });
        self.controller = Controller::new(self.court.options.clone());
        self.answered = None;
        self.court.restart(formerly.clone());
        for wish in wishes {
            self.court.wish(wish.clone(), now);
            self.controller.wish(wish);
        }
        for id in &formerly {
            self.court.formerly(*id, now);
        }
        self.controller.formerly(formerly);
        self.wait = None;
        self.events(now, notes)
    }

    /// Shows the wishes of pools to the witness.
    fn show_wishes(&mut self, input: &Input) {
        match input {
            Input::Wish(wish) => {
                self.quiet.remove(&wish.id());
                self.show_wish(wish);
            }
            Input::Forget(id) => {
                self.quiet.remove(id);
                self.witness.wished(*id, false);
            }
            Input::WishAll(all) => all.iter().for_each(|wish| self.show_wish(wish)),
            Input::Resynchronize => {}
        }
    }

    fn show_wish(&self, wish: &Wish) {
        if self.program.as_ref().is_some_and(|program| program.has(wish.id())) {
            let weights = wish.service().destinations().map(|to| to.destination().weight);
            self.witness.wished(wish.id(), weights.max().unwrap_or(0) > 0);
        }
    }

    /// A program that starts again writes nothing until a check has decided.
    fn is_quiet(&self, work: &Work) -> Result<(), Broken> {
        let Work::Write(writes) = work else { return Ok(()) };
        for write in writes {
            if let (Some(id), _) = objects(write) {
                if self.quiet.contains(&id) {
                    let how = format!("{id}: nothing is decided since the restart: {write}");
                    return Err(Broken::new(Promise::Health, how));
                }
            }
        }
        Ok(())
    }

    /// Returns an error if the controller waits, and clients come to other destinations than the
    /// pools wish.
    pub(crate) fn follows_pools(&self, truth: &Snapshot) -> Result<(), Broken> {
        let Some(program) = &self.program else { return Ok(()) };
        for wish in program.wishes() {
            let id = wish.id();
            if self.court.refused.contains(&id) {
                continue;
            }
            let wished = wish.service().destinations().filter(|to| to.destination().weight > 0);
            let wished: BTreeMap<_, _> =
                wished.map(|to| (to.id(), to.destination().weight)).collect();
            let there = truth.service(id).into_iter().flat_map(|there| &there.destinations);
            let there: BTreeMap<_, _> = there
                .map(|entry| (entry.id(), entry.destination.weight))
                .filter(|(_, weight)| *weight > 0)
                .collect();
            if wished != there {
                let how = format!("{id}: {wished:?} are wished, and {there:?} there");
                return Err(Broken::new(Promise::Health, how));
            }
        }
        Ok(())
    }

    /// Asks the controller what is due.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        notes: &mut Notes<'_>,
    ) -> Result<Option<(Task, Work)>, Broken> {
        match self.controller.next(self.seen(now)) {
            Next::Do(task) => {
                let work = match self.bug {
                    Some(bug) => bug.work(&self.court, task.work()),
                    None => task.work().clone(),
                };
                notes.statistics.tasks += 1;
                self.tasks += 1;
                let kind = match &work {
                    Work::ListServices => 0,
                    Work::ReadDestinations(_) => 1,
                    Work::ReadServices(_) => 2,
                    _ => 3,
                };
                self.still[kind] += 1;
                let index = self.index;
                notes.trace.note(now, || format!("{index} {}", work_text(&work)));
                self.court.given(&work, now)?;
                self.is_quiet(&work)?;
                self.events(now, notes)?;
                Ok(Some((task, work)))
            }
            Next::Wait(until) => {
                self.events(now, notes)?;
                let until = until.map(|until| self.real(until));
                if until.is_some_and(|until| until <= now) {
                    let how = "waits for a time that has come";
                    return Err(Broken::new(Promise::Pace, how));
                }
                self.court.waits(now)?;
                self.wait = Some(until.unwrap_or(now + Duration::from_secs(100_000)));
                if self.bug == Some(Bug::Restless) {
                    self.controller.resynchronize();
                    self.wait = None;
                }
                Ok(None)
            }
        }
    }

    /// Hands an answer to the controller, which must take it.
    pub(crate) fn answer(
        &mut self,
        task: &Task,
        work: &Work,
        answer: &Answer,
        now: Instant,
        notes: &mut Notes<'_>,
    ) -> Result<(), Broken> {
        let index = self.index;
        notes.trace.note(now, || format!("{index}   {}", answer_text(work, answer)));
        let taken = match (self.bug, task.work()) {
            (Some(bug), Work::Write(writes)) => bug.answer(answer, writes.len()),
            _ => answer.clone(),
        };
        self.answered = Some((task.number(), taken.clone()));
        let seen = self.seen(now);
        if !self.controller.answer(task.number(), taken, seen) {
            return Err(Broken::new(Promise::Protocol, "refuses the answer to its task"));
        }
        self.wait = None;
        self.court.answered(work, answer, now);
        self.events(now, notes)
    }

    /// Hands over an answer that the controller must ignore.
    pub(crate) fn ignores(
        &mut self,
        number: TaskNumber,
        answer: Answer,
        now: Instant,
    ) -> Result<(), Broken> {
        match self.controller.answer(number, answer, self.seen(now)) {
            true => Err(Broken::new(Promise::Protocol, "takes an answer that is not its own")),
            false => Ok(()),
        }
    }

    /// The user says something that the controller does not hear.
    pub(crate) fn hears_nothing(&mut self, input: &Input, now: Instant) {
        if let Input::WishAll(all) = input {
            for wish in all {
                self.court.wish(wish.clone(), now);
            }
        }
    }

    /// Returns an error if the controller does not say of each service whether the kernel has it
    /// with a usable destination.
    pub(crate) fn agrees_on_serving(&self, truth: &Snapshot) -> Result<(), Broken> {
        for id in self.court.wishes.current.keys() {
            let present = truth.service(*id);
            let serves = present.is_some_and(|present| {
                present.destinations.iter().any(|entry| entry.destination.weight > 0)
            });
            let refused = self.court.refused.contains(id);
            let told = self.court.is_serving(*id);
            if !refused && (told != serves || self.controller.is_serving(*id) != serves) {
                let how = format!("{id} serves: {serves}, and was said to: {told}");
                return Err(Broken::new(Promise::Told, how));
            }
        }
        Ok(())
    }

    pub(crate) fn watch_stillness(&mut self) {
        self.still = [0; 4];
        self.sweeps = !self.controller.is_settled();
    }

    /// Returns an error if there was more than resynchronizations since stillness began.
    pub(crate) fn is_still(&self, time: Duration) -> Result<(), Broken> {
        let [lists, reads, singles, writes] = self.still;
        let interval = self.court.options.resync.mul_f64(0.9);
        let syncs = u64::try_from(time.as_nanos() / interval.as_nanos()).unwrap_or(u64::MAX) + 1;
        let services = self.court.knowledge.present_services().count() as u64;
        let chunks = services.div_ceil(1024);
        // A list that did not come in one piece is read again, to find what it missed.
        let again = if services > 60 { 2 } else { 1 };
        // Services without destinations, and those with many, are read once more by themselves.
        // One may have begun before, while another controller settled.
        let most = (syncs + u64::from(self.sweeps)) * chunks * again;
        if writes > 0 || lists > syncs * again || reads > most || singles > most {
            let how = format!(
                "in stillness {lists} lists, {reads} and {singles} readings, {writes} writings in \
                 {time:?}"
            );
            return Err(Broken::new(Promise::Convergence, how));
        }
        Ok(())
    }

    fn events(&mut self, now: Instant, notes: &mut Notes<'_>) -> Result<(), Broken> {
        let seen = self.seen(now);
        for event in self.controller.events() {
            let index = self.index;
            notes.statistics.event(event.name());
            notes.trace.note(now, || format!("{index}     -> {event}"));
            if !self.bug.is_some_and(|bug| bug.hides(&event)) {
                self.court.told(&event, seen)?;
            }
        }
        Ok(())
    }
}

/// Returns `true` if the table is exactly as a wish says.
fn is_carried_out(wish: &Wish, truth: &Snapshot) -> bool {
    let there = Table::from(truth);
    there.get(wish.id()) == Some(wish.service())
}
