use std::time::Duration;

use crate::engine::{Engine, Transport};
use crate::table::controller::{Controller, Event};
use crate::table::drive::step;

/// Steps and waits until the controller is settled, at most so long. Returns whether it is settled.
pub(crate) async fn settle<T: Transport>(
    engine: &mut Engine<T>,
    controller: &mut Controller,
    longest: Duration,
    events: &mut impl FnMut(Event),
) -> bool {
    let begun = engine.now();
    loop {
        let stepped = step(engine, controller).await;
        controller.events().for_each(&mut *events);
        if controller.is_settled() {
            return true;
        }
        let now = engine.now();
        let left = longest.saturating_sub(now.saturating_duration_since(begun));
        if left.is_zero() {
            return false;
        }
        let pause = stepped.pause(now).min(left);
        // A client without a sleep steps again at once.
        if !pause.is_zero() && engine.sleep(pause).await.is_err() {
            return false;
        }
    }
}
