use crate::engine::{Engine, Transport};
use crate::table::controller::{Controller, Next, Stepped};
use crate::table::drive::perform;

/// Does what is due, until there are events or nothing is due.
pub(crate) async fn step<T: Transport>(
    engine: &mut Engine<T>,
    controller: &mut Controller,
) -> Stepped {
    loop {
        if controller.has_events() {
            return Stepped::Again;
        }
        match controller.next(engine.now()) {
            Next::Do(task) => {
                let answer = perform(engine, task.work()).await;
                controller.answer(task.number(), answer, engine.now());
            }
            Next::Wait(_) if controller.has_events() => return Stepped::Again,
            Next::Wait(Some(time)) => return Stepped::Until(time),
            Next::Wait(None) => return Stepped::Idle,
        }
    }
}
