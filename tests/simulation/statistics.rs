//! How often everything happened.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Counts by name, over any number of runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statistics {
    pub(crate) runs: u64,
    /// The requests that the kernel received.
    pub(crate) requests: u64,
    /// The tasks of all controllers.
    pub(crate) tasks: u64,
    pub(crate) simulated: Duration,
    pub(crate) events: BTreeMap<&'static str, u64>,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) inputs: BTreeMap<&'static str, u64>,
    pub(crate) health: BTreeMap<&'static str, u64>,
}

impl Statistics {
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.requests += other.requests;
        self.tasks += other.tasks;
        self.simulated += other.simulated;
        let pairs = [
            (&mut self.events, &other.events),
            (&mut self.faults, &other.faults),
            (&mut self.inputs, &other.inputs),
            (&mut self.health, &other.health),
        ];
        for (sum, counts) in pairs {
            for (name, count) in counts {
                *sum.entry(name).or_default() += count;
            }
        }
    }

    pub(crate) fn event(&mut self, name: &'static str) {
        *self.events.entry(name).or_default() += 1;
    }

    pub(crate) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub(crate) fn input(&mut self, name: &'static str) {
        *self.inputs.entry(name).or_default() += 1;
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} runs, {} requests, {} tasks, {:.0} s simulated",
            self.runs,
            self.requests,
            self.tasks,
            self.simulated.as_secs_f64()
        )?;
        let parts = [
            ("events", &self.events),
            ("faults", &self.faults),
            ("inputs", &self.inputs),
            ("health", &self.health),
        ];
        for (what, counts) in parts {
            write!(f, "{what}:")?;
            for (name, count) in counts {
                write!(f, " {name} {count}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Every event that there is.
const EVENTS: &[&str] = &[
    "done",
    "failed",
    "unknown",
    "unread",
    "refused",
    "settled",
    "superseded",
    "contested",
    "drain-begun",
    "drain-ended",
    "cut",
    "serving",
    "not-serving",
    "leaving",
    "left",
    "resynchronized",
    "backing-off",
    "recovered",
];

/// What happens to servers, and what pools decide.
const HEALTH: &[&str] = &[
    "servers",
    "maintenance",
    "reload",
    "move",
    "forget",
    "restart",
    "kept",
    "taken-out",
    "put-back",
    "available",
    "unavailable",
    "sorry-in",
    "sorry-out",
    "moments",
];

impl Statistics {
    /// Panics if an event or a fault occurred less often.
    pub(crate) fn assert_everything_occurred(&self, least: u64) {
        let count = |counts: &BTreeMap<&'static str, u64>, name: &str| {
            counts.get(name).copied().unwrap_or(0)
        };
        for name in EVENTS {
            assert!(count(&self.events, name) >= least, "event {name} was rare\n{self}");
        }
        for name in HEALTH {
            assert!(count(&self.health, name) >= least, "{name} was rare\n{self}");
        }
        for name in crate::faults::NAMES {
            assert!(count(&self.faults, name) >= least, "fault {name} was rare\n{self}");
        }
    }
}
