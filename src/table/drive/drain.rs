use std::ops::ControlFlow;

use crate::engine::{Engine, Transport};
use crate::error::Result;
use crate::model::{DestinationId, ServiceId};
use crate::table::drive::apply;
use crate::table::drive::reading::read_service;
use crate::table::plan::release_plan;
use crate::table::{DrainPolicy, DrainProgress, Drained, Progress};

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
    let plan = release_plan(&settings, &entry, policy);
    let applied = apply(engine, &plan, &mut observer).await;
    if let Some(drained) = Drained::of(&applied, entry.destination.weight)? {
        return Ok(drained);
    }
    // Another program may have deleted the service, and the destination with the service.
    Ok(match Box::pin(read_service(engine, service)).await?.destination(id) {
        Some(_) => Drained::Restored,
        None => Drained::AlreadyGone,
    })
}
