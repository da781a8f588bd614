use std::ops::ControlFlow;
use std::time::Duration;

use crate::engine::{Engine, Transport};
use crate::table::controller::{Controller, Event};
use crate::table::drive::step;

/// The longest wait is at least this, so that a program that asks for none does not spin.
const SHORTEST: Duration = Duration::from_millis(1);

/// Steps and waits until `callback` breaks. Calls it with `None` before each step, so at least
/// every `longest`, and for each event.
pub(crate) async fn keep<T: Transport, B>(
    engine: &mut Engine<T>,
    controller: &mut Controller,
    longest: Duration,
    callback: &mut impl FnMut(&mut Controller, Option<Event>) -> ControlFlow<B>,
) -> B {
    loop {
        if let ControlFlow::Break(result) = callback(controller, None) {
            return result;
        }
        let stepped = step(engine, controller).await;
        while let Some(event) = next_event(controller) {
            if let ControlFlow::Break(result) = callback(controller, Some(event)) {
                return result;
            }
        }
        let pause = stepped.pause(engine.now()).min(longest.max(SHORTEST));
        if !pause.is_zero() {
            // The sleep of a thread does not fail.
            engine.sleep(pause).await.ok();
        }
    }
}

/// Takes out one event. The others stay.
fn next_event(controller: &mut Controller) -> Option<Event> {
    controller.events().next()
}
