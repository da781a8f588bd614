//! Waits until connections have ended, and deletes what has drained.

use std::collections::BTreeMap;
use std::slice;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Transport};
use crate::error::{Context, Error};
use crate::model::{Change, Connections, DestinationEntry, Protocol, ServiceId, Stats};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::progress::{DrainProgress, Draining, Observer, Progress};
use crate::table::execute::reading::read_service;
use crate::table::execute::run_steps;
use crate::table::execute::state::Execution;
use crate::table::options::{DrainPolicy, DrainUntil, OnFailure};
use crate::table::plan::{Before, Phase, Step, total};

/// The number of readings of a service that may fail in a row before its steps fail.
const MISSES: u32 = 20;

/// The last reading of a draining destination or service.
#[derive(Clone, Copy)]
struct Watched {
    /// The connections.
    connections: Connections,
    /// The number of packets in both directions.
    packets: u64,
    /// The time of the last traffic that was seen, or of the beginning of the wait.
    since: Instant,
    /// `true` if no connection was active in the reading before this one either.
    inactive_before: bool,
    /// `true` after the first reading.
    looked: bool,
    /// The number of readings in a row that have failed.
    misses: u32,
}

impl Watched {
    const fn new(now: Instant) -> Self {
        let connections = Connections { active: 0, inactive: 0, persistent: 0 };
        Self {
            connections,
            packets: 0,
            since: now,
            inactive_before: false,
            looked: false,
            misses: 0,
        }
    }

    /// Takes in a reading of the destination, or of all destinations of the service.
    fn look(&mut self, entries: &[DestinationEntry], now: Instant) {
        let connections = total(entries.iter().map(|entry| entry.connections));
        let packets = entries.iter().fold(0_u64, |sum, entry| {
            let Stats { incoming_packets, outgoing_packets, .. } = entry.stats;
            sum.wrapping_add(incoming_packets).wrapping_add(outgoing_packets)
        });
        let more = self.looked
            && (packets != self.packets || connections.inactive > self.connections.inactive);
        if connections.active > 0 || more {
            self.since = now;
        }
        self.inactive_before = self.looked && self.connections.active == 0;
        (self.connections, self.packets, self.looked) = (connections, packets, true);
    }

    /// Returns the time without traffic.
    fn quiet(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Returns `true` if the policy does not wait any longer.
    fn is_met(&self, policy: &DrainPolicy, now: Instant) -> bool {
        let Connections { active, inactive, .. } = self.connections;
        if active > 0 || inactive == 0 {
            return policy.until.is_met(self.connections);
        }
        match policy.until {
            // An inactive connection may be opening. In the next reading it is active or gone.
            DrainUntil::NoActive => self.inactive_before,
            DrainUntil::NoTraffic => self.quiet(now) >= policy.quiet,
            DrainUntil::NoConnections | DrainUntil::NoClients => false,
        }
    }

    /// Returns `true` if a deletion breaks connections that may carry data, or persistent clients
    /// that the policy waits for.
    fn is_cut(&self, policy: &DrainPolicy, now: Instant) -> bool {
        let Connections { active, inactive, persistent, .. } = self.connections;
        active > 0
            || (inactive > 0 && self.quiet(now) < policy.quiet)
            || (persistent > 0 && policy.until == DrainUntil::NoClients)
    }
}

/// The steps of one round of readings, sorted by what comes next.
#[derive(Default)]
struct DrainReadings {
    /// The steps that need not wait any longer.
    ready: Vec<usize>,
    /// The steps that wait.
    waiting: Vec<usize>,
    /// The steps of services that could not be read.
    unread: Vec<(usize, Error)>,
}

/// Returns the connections that a deletion without a wait breaks, or `None` if none carries data.
/// Inactive connections of UDP may carry data: the kernel never counts UDP as active.
pub(crate) fn cut_at_once(step: &Step) -> Option<Connections> {
    let deletes = matches!(step.change, Change::DeleteService(_) | Change::DeleteDestination(..));
    if !deletes || step.phase == Phase::Drained {
        return None;
    }
    let (Before::Service { connections, .. } | Before::Destination { connections, .. }) =
        step.before()?;
    let udp = matches!(step.service(), Some(ServiceId::Address { protocol: Protocol::UDP, .. }));
    let carries = connections.active > 0 || (udp && connections.inactive > 0);
    carries.then_some(*connections)
}

/// Waits for the steps of [`Phase::Drained`], and executes each when its object has drained. At the
/// deadline executes all that are left.
pub(crate) async fn finish_drains<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
    observer: Observer<'_>,
) {
    let Some(policy) = execution.plan.drain() else { return };
    let mut pending = execution.undecided(execution.range(Phase::Drained));
    let begin = engine.now();
    let deadline = policy.deadline.and_then(|deadline| begin.checked_add(deadline));
    let mut watched: BTreeMap<usize, Watched> =
        pending.iter().map(|index| (*index, Watched::new(begin))).collect();
    while !pending.is_empty() {
        let DrainReadings { ready, mut waiting, mut unread } =
            read_drains(engine, execution, &pending, &policy, &mut watched).await;
        run_steps(engine, execution, &ready).await;
        if execution.plan.on_failure == OnFailure::Stop {
            // Do not wait for objects that will not be deleted.
            execution.skip_dependants(pending);
            waiting.retain(|index| execution.outcome(*index).is_none());
            unread.retain(|(index, _)| execution.outcome(*index).is_none());
        }
        let now = engine.now();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
        let due = left == Some(Duration::ZERO);
        pending = waiting.clone();
        for (index, error) in unread {
            let given_up = watched.get(&index).is_some_and(|watched| watched.misses > MISSES);
            if due || given_up {
                execution.fail_unread(index, &error);
            } else {
                pending.push(index);
            }
        }
        if due {
            cut(engine, execution, &waiting, &policy, &watched).await;
            return;
        }
        if pending.is_empty() {
            return;
        }
        pending.sort_unstable();
        let draining = draining(execution, &pending, &watched, now);
        let progress = DrainProgress {
            waiting: pending.len(),
            connections: total(draining.iter().map(|draining| draining.connections)),
            elapsed: now.saturating_duration_since(begin),
            left,
            draining: &draining,
        };
        if observer(&Progress::Draining(progress)).is_break() {
            return;
        }
        let interval = policy.interval.max(Duration::from_millis(1));
        let pause = left.map_or(interval, |left| left.min(interval));
        if let Err(failure) = engine.sleep(pause).await {
            for index in pending {
                let Some(step) = execution.step(index) else { continue };
                let error = Error::not_sent(Context::of(&step.change), failure);
                execution.set(index, StepOutcome::Failed(error));
            }
            return;
        }
    }
}

/// Executes the deletions that still wait at the deadline. The outcome is [`StepOutcome::Cut`] if
/// connections broke.
async fn cut<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
    waiting: &[usize],
    policy: &DrainPolicy,
    watched: &BTreeMap<usize, Watched>,
) {
    let now = engine.now();
    run_steps(engine, execution, waiting).await;
    for index in waiting {
        let Some(watched) = watched.get(index) else { continue };
        if matches!(execution.outcome(*index), Some(StepOutcome::Done))
            && watched.is_cut(policy, now)
        {
            execution.set(*index, StepOutcome::Cut(watched.connections));
        }
    }
}

/// Reads the services of the pending steps, and sorts the steps by what comes next.
async fn read_drains<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
    pending: &[usize],
    policy: &DrainPolicy,
    watched: &mut BTreeMap<usize, Watched>,
) -> DrainReadings {
    let mut looked = DrainReadings::default();
    for (service, steps) in execution.by_service(pending.iter().copied()) {
        let reading = read_service(engine, service).await;
        let now = engine.now();
        for index in steps {
            let watched = watched.entry(index).or_insert_with(|| Watched::new(now));
            let reading = match &reading {
                Ok(reading) => reading,
                Err(error) => {
                    watched.misses = watched.misses.saturating_add(1);
                    looked.unread.push((index, error.clone()));
                    continue;
                }
            };
            watched.misses = 0;
            let concerned = match execution.step(index).and_then(Step::destination) {
                Some(id) => reading.destination(id).map_or(&[][..], slice::from_ref),
                None => &reading.destinations,
            };
            // A destination that an incomplete reading misses has not lost its connections.
            if reading.complete || !concerned.is_empty() {
                watched.look(concerned, now);
            }
            if concerned.iter().any(|entry| entry.destination.weight > 0) {
                execution.set(index, StepOutcome::Differs);
            } else if reading.complete && watched.is_met(policy, now) {
                looked.ready.push(index);
            } else {
                looked.waiting.push(index);
            }
        }
    }
    // Restore the order of the plan, in which services come last.
    looked.ready.sort_unstable();
    looked.waiting.sort_unstable();
    looked
}

/// Returns the report of the pending steps to the observer.
fn draining(
    execution: &Execution<'_>,
    pending: &[usize],
    watched: &BTreeMap<usize, Watched>,
    now: Instant,
) -> Vec<Draining> {
    let one = |index: &usize| {
        let object = execution.step(*index)?.change.object()?;
        let watched = watched.get(index)?;
        Some(Draining { object, connections: watched.connections, quiet: watched.quiet(now) })
    };
    pending.iter().filter_map(one).collect()
}
