//! Taking one destination out of its service.

use std::fmt;
use std::ops::ControlFlow;

use crate::engine::{Engine, Transport};
use crate::error::Result;
use crate::model::{Connections, DestinationId, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::apply;
use crate::table::execute::progress::{DrainProgress, Progress};
use crate::table::execute::reading::read_service;
use crate::table::options::DrainPolicy;
#[cfg(doc)]
use crate::table::options::DrainUntil;
use crate::table::plan::release_plan;

/// The result of a drain. See [`Client::drain`](crate::Client::drain).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the destination may still be there"]
pub enum Drained {
    /// The destination was deleted when no connection carried data. With [`DrainUntil::NoActive`]
    /// half-closed connections may have carried data, and broke.
    Emptied,
    /// The destination was deleted while connections carried data, and these broke. The deadline
    /// had come, or weight 0 does not drain in this service.
    Cut(Connections),
    /// Another program deleted the destination.
    AlreadyGone,
    /// Another program gave the destination a weight, or added it again. It exists.
    Restored,
    /// The observer ended the wait. The destination exists with weight 0. To put it back into
    /// rotation, call [`Client::set_weight`](crate::Client::set_weight) with the former weight.
    #[non_exhaustive]
    Cancelled {
        /// The former weight; 0 if the destination was draining already.
        weight: u32,
    },
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emptied => f.write_str("deleted: its connections had ended"),
            Self::Cut(connections) => {
                write!(f, "deleted, and cut connections that carried data: {connections}")
            }
            Self::AlreadyGone => f.write_str("another program had deleted it"),
            Self::Restored => f.write_str("not deleted: another program gave it a weight"),
            Self::Cancelled { weight } => {
                write!(f, "not deleted: the wait was ended; its weight was {weight}")
            }
        }
    }
}

/// Takes one destination out of its service: sets weight 0, waits, and deletes.
pub(crate) async fn drain<T: Transport>(
    engine: &mut Engine<T>,
    service: ServiceId,
    id: DestinationId,
    policy: DrainPolicy,
    observer: &mut (dyn FnMut(&DrainProgress<'_>) -> ControlFlow<()> + Send),
) -> Result<Drained> {
    let mut observer = |progress: &Progress<'_>| match progress {
        Progress::Draining(progress) => observer(progress),
        Progress::Phase(_) => ControlFlow::Continue(()),
    };
    let settings = engine.service(service).await?.service;
    let entry = engine.destination(service, id).await?;
    let weight = entry.destination.weight;
    let plan = release_plan(&settings, &entry, policy);
    let applied = apply(engine, &plan, &mut observer).await;
    if let Some(StepOutcome::Failed(error)) =
        applied.outcomes().find(|outcome| matches!(outcome, StepOutcome::Failed(_)))
    {
        return Err(error.clone());
    }
    Ok(match applied.outcomes().next_back() {
        Some(StepOutcome::Cut(connections)) => Drained::Cut(*connections),
        Some(StepOutcome::AlreadySo) => Drained::AlreadyGone,
        Some(StepOutcome::Draining | StepOutcome::Stopped) => Drained::Cancelled { weight },
        Some(StepOutcome::Done) => Drained::Emptied,
        // Another program may have deleted the service, and the destination with the service.
        _ => match Box::pin(read_service(engine, service)).await?.destination(id) {
            Some(_) => Drained::Restored,
            None => Drained::AlreadyGone,
        },
    })
}
