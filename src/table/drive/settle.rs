use std::time::Duration;

use crate::engine::{Engine, Transport};
use crate::error::{Context, Error, Failure, Result};
use crate::model::Operation;
use crate::table::controller::{Controller, Event, Stepped};
use crate::table::drive::step;

/// Steps and waits until the controller is settled, at most so long. Returns whether it is settled.
pub(crate) async fn settle<T: Transport>(
    engine: &mut Engine<T>,
    controller: &mut Controller,
    longest: Duration,
    events: &mut impl FnMut(Event),
) -> Result<bool> {
    let begun = engine.now();
    loop {
        let stepped = step(engine, controller).await;
        controller.events().for_each(&mut *events);
        if stepped != Stepped::Again && controller.is_settled() {
            return Ok(true);
        }
        let now = engine.now();
        let left = longest.saturating_sub(now.saturating_duration_since(begun));
        if left.is_zero() {
            return Ok(controller.is_settled());
        }
        let pause = stepped.pause(now).min(left);
        if !pause.is_zero() {
            engine.sleep(pause).await.map_err(not_waited)?;
        }
    }
}

/// The error of a client that cannot wait. It names what would have come after the wait.
pub(crate) fn not_waited(failure: Failure) -> Error {
    Error::not_sent(Context::new(Operation::ReadServices), failure)
}
