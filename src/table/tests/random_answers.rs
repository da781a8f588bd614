//! Executes random plans while changes are refused, answers are lost, services cannot be read, and
//! another program writes. Judges each change by what was read or answered before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::kernel::{Rows, read, rows, write};
use super::strategies::{current, desired, options};
use crate::engine::{Outcome, Report};
use crate::error::{Certainty, Context, Error, ErrorKind};
use crate::model::{Change, Connections, DestinationId, Operation, ServiceId};
use crate::random::Random;
use crate::table::execute::{Sequencer, ServiceReading, Task};
use crate::table::{Applied, OnFailure, Phase, Plan, PlanOptions, StepOutcome};

/// How often something goes wrong, in percent of the changes, readings or tasks.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    refused: u64,
    lost: u64,
    unreadable: u64,
    foreign: u64,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let often = || prop_oneof![3 => Just(0), 1 => 1..30_u64];
    (often(), often(), often(), often()).prop_map(|(refused, lost, unreadable, foreign)| Trouble {
        refused,
        lost,
        unreadable,
        foreign,
    })
}

/// The weights of the destinations of each service, as the sequencer knows them. Without a service
/// whose state it does not know.
type View = BTreeMap<ServiceId, BTreeMap<DestinationId, u32>>;

struct World {
    rows: Rows,
    view: View,
    /// The services of the plan.
    ours: BTreeSet<ServiceId>,
    /// The services that are to have a usable destination.
    usable: BTreeSet<ServiceId>,
    deadline: Option<Duration>,
    begin: Instant,
    now: Instant,
    random: Random,
    trouble: Trouble,
    /// What was deleted in the last phase while connections carried data.
    broken: Vec<(Change, Connections)>,
    /// The services whose deletion was refused.
    stuck: BTreeSet<ServiceId>,
    draining: bool,
    tasks: usize,
}

impl World {
    fn new(plan: &Plan, rows: Rows, seed: u64, trouble: Trouble) -> Self {
        let begin = Instant::now();
        let mut world = Self {
            view: View::new(),
            ours: plan.steps().filter_map(|step| step.service()).collect(),
            usable: plan.usable.clone(),
            deadline: plan.drain().and_then(|drain| drain.deadline),
            begin,
            now: begin,
            random: Random::new(seed),
            trouble,
            broken: Vec::new(),
            stuck: BTreeSet::new(),
            draining: false,
            tasks: 0,
            rows,
        };
        for id in world.rows.keys().copied().collect::<Vec<_>>() {
            world.look(id);
        }
        world
    }

    /// Brings the view of a service up to date.
    fn look(&mut self, id: ServiceId) {
        let there = self.rows.get(&id).map(|(_, entries)| entries).into_iter().flatten();
        let weights = there.map(|(id, entry)| (*id, entry.destination.weight)).collect();
        self.view.insert(id, weights);
    }

    fn run(&mut self, sequencer: &mut Sequencer<Plan>, stop_at: Option<usize>) {
        loop {
            self.tasks += 1;
            assert!(self.tasks < 10_000, "this has no end");
            let task = sequencer.next(self.now);
            if !matches!(task, Task::Begin(_)) {
                assert_eq!(sequencer.next(self.now), task);
            }
            if self.random.percent(self.trouble.foreign) {
                self.disturb();
            }
            match task {
                Task::Begin(phase) => {
                    self.draining = phase == Phase::Drained;
                    if Some(self.tasks) == stop_at {
                        sequencer.stop();
                    }
                }
                Task::Read(id) | Task::ReadSettings(id)
                    if self.random.percent(self.trouble.unreadable) =>
                {
                    assert!(self.ours.contains(&id));
                    let error = Error::for_test(ErrorKind::Other, Operation::ReadServices);
                    sequencer.saw(Err(error), self.now);
                }
                Task::Read(id) => {
                    self.look(id);
                    sequencer.saw(Ok(read(&self.rows, id)), self.now);
                }
                Task::ReadSettings(id) => {
                    let entry = read(&self.rows, id).service.ok_or_else(|| {
                        Error::for_test(ErrorKind::NoSuchService, Operation::ReadServices)
                    });
                    let settings = entry.map(|entry| ServiceReading::settings(entry.into_owned()));
                    sequencer.saw(settings, self.now);
                }
                Task::Write(changes) => {
                    let report = self.submit(&changes);
                    sequencer.wrote(report);
                }
                Task::Wait(until) => {
                    assert!(until > self.now);
                    self.now = until;
                    self.connect();
                }
                Task::Finished => return,
            }
        }
    }

    /// Writes changes as the engine does: after a lost answer nothing more.
    fn submit(&mut self, changes: &[Change]) -> Report {
        let mut report = Report::default();
        let mut lost = false;
        for change in changes {
            let error = |kind, certainty| Error::known(Context::of(change), kind, certainty);
            let outcome = if lost {
                Outcome::NotSent(error(ErrorKind::NotAttempted, Certainty::NotSent))
            } else if self.random.percent(self.trouble.lost) {
                lost = true;
                self.view.remove(&change.service().unwrap());
                if self.random.percent(50) {
                    write(&mut self.rows, change).ok();
                }
                Outcome::Unknown(error(ErrorKind::DeadlineExceeded, Certainty::Unknown))
            } else if self.random.percent(self.trouble.refused) {
                if let Change::DeleteService(id) = change {
                    self.stuck.insert(*id);
                }
                Outcome::Refused(error(ErrorKind::Other, Certainty::Refused))
            } else {
                self.write(change)
            };
            report.extend([outcome]);
        }
        report
    }

    /// Makes a change like the kernel, and judges it.
    fn write(&mut self, change: &Change) -> Outcome {
        let id = change.service().unwrap();
        assert!(self.ours.contains(&id), "{change} is not in the plan");
        let leaving = self.leaving(change);
        if let Err(error) = write(&mut self.rows, change) {
            // The refusal tells what there is not.
            match (change, error.kind()) {
                (_, ErrorKind::NoSuchService) => drop(self.view.insert(id, BTreeMap::new())),
                (Change::DeleteDestination(_, gone), ErrorKind::NoSuchDestination) => {
                    self.view.entry(id).or_default().remove(gone);
                }
                _ => {}
            }
            return Outcome::Refused(error);
        }
        if self.draining && leaving.active > 0 {
            let elapsed = self.now - self.begin;
            assert!(Some(elapsed) >= self.deadline, "{change} cuts {leaving} after {elapsed:?}");
            self.broken.push((change.clone(), leaving));
        }
        let Some(view) = self.view.get_mut(&id) else { return Outcome::Done };
        let usable = |view: &BTreeMap<DestinationId, u32>| view.values().any(|weight| *weight > 0);
        let before = usable(view);
        match change {
            Change::AddDestination(_, new) | Change::UpdateDestination(_, new) => {
                view.insert(new.id, new.weight);
            }
            Change::DeleteDestination(_, gone) => drop(view.remove(gone)),
            Change::DeleteService(_) => view.clear(),
            _ => {}
        }
        let lost = before && !usable(view) && self.usable.contains(&id);
        assert!(!lost, "{change} takes the last usable destination");
        Outcome::Done
    }

    /// Returns the connections that a deletion breaks.
    fn leaving(&self, change: &Change) -> Connections {
        let there = |id| self.rows.get(id).map(|(_, entries)| entries);
        let entries: Vec<_> = match change {
            Change::DeleteDestination(service, id) => {
                there(service).and_then(|entries| entries.get(id)).into_iter().collect()
            }
            Change::DeleteService(service) => {
                there(service).into_iter().flat_map(BTreeMap::values).collect()
            }
            _ => Vec::new(),
        };
        crate::table::plan::total(entries.into_iter().map(|entry| entry.connections))
    }

    /// Ends connections, and begins few.
    fn connect(&mut self) {
        for entry in self.rows.values_mut().flat_map(|(_, entries)| entries.values_mut()) {
            match self.random.below(40) {
                0 => entry.connections.active = 0,
                1 => entry.connections.inactive = 0,
                2 if entry.destination.weight > 0 => entry.connections.active += 1,
                _ => {}
            }
        }
    }

    /// Writes as another program.
    fn disturb(&mut self) {
        let count = self.rows.len() as u64;
        if count == 0 {
            return;
        }
        let at = self.random.below(count);
        let Some((id, (_, entries))) =
            (0..).zip(&mut self.rows).find(|(n, _)| *n == at).map(|it| it.1)
        else {
            return;
        };
        let id = *id;
        let at = self.random.below(entries.len().max(1) as u64);
        let entry = (0..).zip(entries.values_mut()).find(|(n, _)| *n == at).map(|it| it.1);
        match (self.random.below(8), entry) {
            (0, _) => drop(self.rows.remove(&id)),
            (1..3, Some(entry)) => {
                let gone = entry.destination.id;
                entries.remove(&gone);
            }
            (3..5, Some(entry)) => entry.destination.weight = 0,
            (_, Some(entry)) => entry.destination.weight = 5,
            _ => {}
        }
    }
}

/// Returns `true` if a later phase did something in a service in which a step had failed, or
/// anywhere with [`OnFailure::Stop`].
fn went_on(plan: &Plan, outcome: &dyn Fn(usize) -> Option<StepOutcome>) -> bool {
    let steps: Vec<_> = plan.steps().zip(0..).collect();
    steps.iter().any(|(step, at)| {
        let failed = outcome(*at).is_some_and(|outcome| !outcome.is_done());
        failed
            && steps.iter().any(|(later, at)| {
                later.phase > step.phase
                    && (plan.on_failure == OnFailure::Stop || later.service() == step.service())
                    && outcome(*at).is_some_and(|outcome| outcome.is_done())
            })
    })
}

/// Returns the services that the plan added with usable destinations, and that have none.
fn useless(plan: &Plan, world: &World) -> Vec<ServiceId> {
    let added = plan.steps().filter_map(|step| match &step.change {
        Change::AddDestination(id, new) if step.phase == Phase::Add && new.weight > 0 => Some(*id),
        _ => None,
    });
    let usable = |id: &ServiceId| {
        world
            .rows
            .get(id)
            .is_none_or(|(_, entries)| entries.values().any(|entry| entry.destination.weight > 0))
    };
    added.filter(|id| !usable(id) && !world.stuck.contains(id)).collect()
}

/// Executes a plan to the end, and judges the result.
fn execute(
    plan: &Plan,
    rows: Rows,
    seed: u64,
    trouble: Trouble,
    stop_at: Option<usize>,
) -> Applied {
    let mut world = World::new(plan, rows, seed, trouble);
    let mut sequencer = Sequencer::new(plan.clone());
    world.run(&mut sequencer, stop_at);
    let outcome = |at| sequencer.outcome(at).cloned();
    assert!(!went_on(plan, &outcome), "a failure did not stop its service");
    if let Some(drain) = plan.drain() {
        let longest = drain.deadline.unwrap_or_default() + drain.interval;
        assert!(world.now - world.begin <= longest);
    }
    for (change, connections) in &world.broken {
        let cut = plan.steps().zip(0..).any(|(step, at)| {
            step.change == *change && outcome(at) == Some(StepOutcome::Cut(*connections))
        });
        assert!(cut, "{change} was not told to cut {connections}");
    }
    let Trouble { lost, unreadable, foreign, .. } = trouble;
    if lost + unreadable + foreign == 0 && stop_at.is_none() {
        let useless = useless(plan, &world);
        assert!(useless.is_empty(), "{useless:?} drop packets");
    }
    // From now on the table stays, and what is told is as it is.
    world.trouble = Trouble { refused: 0, lost: 0, unreadable: 0, foreign: 0 };
    let before: Vec<Option<StepOutcome>> = (0..plan.len()).map(outcome).collect();
    sequencer.verify(None);
    world.run(&mut sequencer, None);
    let applied = sequencer.finish();
    for (step, at) in plan.steps().zip(0..) {
        let outcome = applied.outcome(at).unwrap();
        // The last step for an object counts.
        let overridden = plan.steps().zip(0..).any(|(later, other)| {
            other > at
                && later.service() == step.service()
                && (later.destination() == step.destination() || later.destination().is_none())
                && before[other].as_ref().is_some_and(StepOutcome::is_done)
        });
        if outcome.is_done() && !overridden {
            let reading = read(&world.rows, step.service().unwrap());
            assert!(reading.shows(step), "{step} is {outcome}");
        }
        assert!(before[at].is_some() || *outcome == StepOutcome::Draining);
    }
    applied
}

/// Gives a few destinations of a table connections.
fn busy(mut rows: Rows, seed: u64) -> Rows {
    let mut random = Random::new(seed);
    for entry in rows.values_mut().flat_map(|(_, entries)| entries.values_mut()) {
        let active = if random.percent(50) { 0 } else { 2 };
        entry.connections = Connections { active, ..Connections::default() };
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_is_promised_is_kept_whatever_goes_wrong(
        current in current(), desired in desired(), options in options(), trouble in trouble(),
        seed in any::<u64>(), stop in any::<bool>(), stop_at in proptest::option::weighted(0.1, 1..20_usize)
    ) {
        let on_failure = if stop { OnFailure::Stop } else { OnFailure::KeepService };
        let options: PlanOptions = options.on_failure(on_failure);
        let plan = Plan::new(&current, &desired, &options).unwrap();
        let rows = busy(rows(&current), seed);
        let applied = execute(&plan, rows, seed, trouble, stop_at);
        let quiet = trouble.refused + trouble.lost + trouble.unreadable + trouble.foreign == 0;
        prop_assert!(!quiet || stop_at.is_some() || applied.is_done(), "{applied:?}");
    }
}
