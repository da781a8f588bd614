//! Reads the kernel's table before, while and after a plan is executed.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::engine::{Engine, Transport};
use crate::error::{ErrorKind, Result};
use crate::model::{ServiceId, ServiceSnapshot, Snapshot};
use crate::table::execute::ServiceReading;
use crate::table::plan::{Plan, Step};

/// Reads a service and its destinations. Succeeds with an empty reading if the service does not
/// exist.
pub(super) async fn read_service<T: Transport>(
    engine: &mut Engine<T>,
    id: ServiceId,
) -> Result<ServiceReading<'static>> {
    let service = match engine.service(id).await {
        Ok(service) => service,
        Err(error) if error.kind() == ErrorKind::NoSuchService => {
            return Ok(ServiceReading::NOTHING);
        }
        Err(error) => return Err(error),
    };
    let listing = engine.complete_destinations(id, None).await?;
    let complete = listing.is_complete();
    let destinations = Cow::Owned(listing.into_vec());
    Ok(ServiceReading { service: Some(Cow::Owned(service)), destinations, complete })
}

/// Reads the settings of a service.
pub(super) async fn read_settings<T: Transport>(
    engine: &mut Engine<T>,
    id: ServiceId,
) -> Result<ServiceReading<'static>> {
    engine.service(id).await.map(ServiceReading::settings)
}

/// Reads the list of services, and keeps the services in `before` that the plan did not change. All
/// others are read.
pub(super) async fn read_again<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    before: Snapshot,
) -> Result<Snapshot> {
    // Read everything if objects may be missing: a kept service would miss them for ever.
    if !before.is_complete() {
        return engine.snapshot().await;
    }
    engine.snapshot_with(untouched(plan, before)).await
}

/// Reads the services that a plan changed, and keeps the others as they are in `before`. If
/// `before` is incomplete, reads all services in `ids` instead.
async fn read_touched<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    before: Snapshot,
    ids: &[ServiceId],
) -> Result<Snapshot> {
    if !before.is_complete() {
        return engine.snapshot_of(ids).await;
    }
    let touched: Vec<ServiceId> = services_of(plan).into_iter().collect();
    let mut services = untouched(plan, before);
    let now = engine.snapshot_of(&touched).await?;
    let (complete, read_at) = (now.is_complete(), now.read_at());
    services.extend(now);
    services.sort_unstable_by_key(ServiceSnapshot::id);
    Ok(Snapshot::new(services, complete, read_at))
}

/// Reads all services, or only those with the given ids, before a plan is made.
pub(super) async fn read_scope<T: Transport>(
    engine: &mut Engine<T>,
    ids: Option<&[ServiceId]>,
) -> Result<Snapshot> {
    match ids {
        Some(ids) => engine.snapshot_of(ids).await,
        None => engine.snapshot().await,
    }
}

/// Updates the snapshot of [`read_scope`] after a plan: reads the services that the plan changed.
pub(super) async fn read_scope_again<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    before: Snapshot,
    ids: Option<&[ServiceId]>,
) -> Result<Snapshot> {
    match ids {
        Some(ids) => read_touched(engine, plan, before, ids).await,
        None => read_again(engine, plan, before).await,
    }
}

/// Returns the services that the steps of a plan change, or whose destinations they change.
fn services_of(plan: &Plan) -> BTreeSet<ServiceId> {
    plan.steps().filter_map(Step::service).collect()
}

/// Returns the services of a snapshot that no step of a plan changes.
fn untouched(plan: &Plan, snapshot: Snapshot) -> Vec<ServiceSnapshot> {
    let touched = services_of(plan);
    snapshot.into_iter().filter(|service| !touched.contains(&service.id())).collect()
}
