//! Plans and their outcomes for other programs.

use std::io::{self, Write};

use ipvs_netlink::Error;
use ipvs_netlink::table::{Applied, Disruption, Plan, StepOutcome};
use serde::{Serialize, Serializer};

pub(crate) fn plan(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Planned<S> {
        steps: S,
    }
    write(out, &Planned { steps: List(|| plan.steps().map(|step| Step::of(step, None))) })
}

pub(crate) fn applied(plan: &Plan, applied: &Applied, out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Done<S> {
        steps: S,
        done: bool,
        unverified: Option<String>,
    }
    let steps = || {
        let steps = plan.steps().zip(applied.outcomes());
        steps.map(|(step, outcome)| Step::of(step, Some(outcome)))
    };
    let unverified = applied.unverified().map(Error::to_string);
    write(out, &Done { steps: List(steps), done: applied.is_done(), unverified })
}

fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// A list of which one element at a time is made.
struct List<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}

#[derive(Serialize)]
struct Step {
    phase: String,
    service: Option<String>,
    destination: Option<String>,
    command: String,
    disruption: Option<&'static str>,
    #[serde(flatten)]
    outcome: Option<Outcome>,
}

#[derive(Serialize)]
struct Outcome {
    outcome: &'static str,
    done: bool,
    text: String,
}

impl Step {
    fn of(step: &ipvs_netlink::table::Step, outcome: Option<&StepOutcome>) -> Self {
        Self {
            phase: step.phase.to_string(),
            service: step.service().map(|id| id.to_string()),
            destination: step.destination().map(|id| id.to_string()),
            command: step.change.to_string(),
            disruption: step.disruption().map(|disruption| match disruption {
                Disruption::SchedulerChange => "scheduler-change",
                Disruption::ConnectionsBreak => "connections-break",
                _ => "other",
            }),
            outcome: outcome.map(|outcome| Outcome {
                outcome: outcome.name(),
                done: outcome.is_done(),
                text: outcome.to_string(),
            }),
        }
    }
}
