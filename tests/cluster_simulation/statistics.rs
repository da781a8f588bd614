//! What happened in runs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// All that can happen in a storm.
const NAMES: &[&str] = &[
    "event",
    "batch",
    "outage",
    "relist",
    "restart",
    "foreign",
    "between",
    "connections",
    "refused",
    "answer-lost",
    "overflow",
    "truncated",
    "latency",
    "not-sent",
    "denied",
    "unloaded",
];

/// Counts of runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statistics {
    pub(crate) runs: u64,
    pub(crate) tasks: u64,
    pub(crate) requests: u64,
    pub(crate) simulated: Duration,
    /// The services and destinations of the tables that were compared at the end of storms.
    pub(crate) compared: [u64; 2],
    /// What was left out at the end of storms.
    pub(crate) skipped: u64,
    counts: BTreeMap<&'static str, u64>,
}

impl Statistics {
    pub(crate) fn count(&mut self, name: &'static str, count: u64) {
        debug_assert!(NAMES.contains(&name), "{name}");
        *self.counts.entry(name).or_default() += count;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.tasks += other.tasks;
        self.requests += other.requests;
        self.simulated += other.simulated;
        self.skipped += other.skipped;
        for (sum, other) in self.compared.iter_mut().zip(other.compared) {
            *sum += other;
        }
        for (name, count) in &other.counts {
            self.count(name, *count);
        }
    }

    pub(crate) fn assert_everything_occurred(&self) {
        for name in NAMES {
            assert!(self.counts.contains_key(name), "{name} has never happened");
        }
        assert!(self.compared.iter().all(|count| *count > 100) && self.skipped > 100, "{self}");
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, tasks, requests, compared: [services, destinations], .. } = self;
        writeln!(
            f,
            "{runs} runs, {} s, {tasks} tasks, {requests} requests",
            self.simulated.as_secs()
        )?;
        writeln!(
            f,
            "compared {services} services and {destinations} destinations, {} left out",
            self.skipped
        )?;
        self.counts.iter().try_for_each(|(name, count)| writeln!(f, "{name:12} {count}"))
    }
}
