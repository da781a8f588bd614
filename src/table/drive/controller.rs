//! Does the tasks of a controller.

use std::slice;

use crate::engine::{Engine, Transport};
use crate::error::Result;
use crate::model::{ServiceId, ServiceSnapshot};
use crate::table::controller::{Answer, Reading, Work};

/// Does the work of a task. Never fails: the answer says what failed.
pub(crate) async fn perform<T: Transport>(engine: &mut Engine<T>, work: &Work) -> Answer {
    match work {
        Work::ListServices => engine.services().await.map_or_else(Answer::Failed, Answer::Services),
        Work::ReadDestinations(ids) => {
            let read = engine.destinations_of(ids).await;
            read.map_or_else(Answer::Failed, Answer::Destinations)
        }
        Work::ReadServices(ids) => {
            read_services(engine, ids).await.map_or_else(Answer::Failed, Answer::Readings)
        }
        // The controller has planned them, so they are valid.
        Work::Write(changes) => Answer::Written(engine.submit_valid(changes).await),
    }
}

/// Reads services one by one. Fails if a failure concerns all services.
async fn read_services<T: Transport>(
    engine: &mut Engine<T>,
    ids: &[ServiceId],
) -> Result<Vec<Reading>> {
    match engine.services_exactly(ids).await {
        Ok(read) => return Ok(read.into_iter().map(reading).collect()),
        Err(error) if error.concerns_all_services() => return Err(error),
        Err(_) => {}
    }
    // Find out which of them cannot be read.
    let mut readings = Vec::with_capacity(ids.len());
    for id in ids {
        match engine.services_exactly(slice::from_ref(id)).await {
            Ok(read) => readings.extend(read.into_iter().map(reading)),
            Err(error) if error.concerns_all_services() => return Err(error),
            Err(error) => readings.push(Reading::failed(*id, error)),
        }
    }
    Ok(readings)
}

fn reading((id, present, complete): (ServiceId, Option<ServiceSnapshot>, bool)) -> Reading {
    let reading = Reading::new(id, present);
    if complete { reading } else { reading.incomplete() }
}
