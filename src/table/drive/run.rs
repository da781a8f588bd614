use std::future::{Future, poll_fn};
use std::iter;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Transport};
use crate::error::Result;
use crate::table::controller::{Controller, Ending, Event, Next, Request, Wish};
use crate::table::drive::perform;
use crate::table::drive::settle::{not_waited, settle};

/// The most requests that are taken one after the other while a task is due.
const AT_ONCE: usize = 1024;

/// Keeps the table as the requests say until `wishes` returns `None`.
pub(crate) async fn run<T: Transport>(
    engine: &mut Engine<T>,
    controller: &mut Controller,
    ending: Ending,
    wishes: &mut impl AsyncFnMut() -> Option<Request>,
    events: &mut impl FnMut(Event),
) -> Result<()> {
    let mut taken = 0;
    loop {
        // The future lives across tasks and waits, so nothing that it has done is lost.
        let mut wish = pin!(wishes());
        let request = loop {
            if taken < AT_ONCE {
                if let Some(request) = if_ready(wish.as_mut()).await {
                    taken += 1;
                    break request;
                }
            }
            taken = 0;
            if let Progress::Waiting(until) = advance(engine, controller, events).await {
                if let Some(request) = wait(engine, until, wish.as_mut()).await? {
                    break request;
                }
            }
        };
        match request {
            Some(request) => controller.accept(request),
            None => break,
        }
        hand_out(controller, events);
    }
    if ending == Ending::Withdraw {
        controller.wish_all(iter::empty::<Wish>());
        settle(engine, controller, Duration::MAX, events).await?;
    }
    Ok(())
}

enum Progress {
    /// A task was done.
    Done,
    /// Nothing is due before this time.
    Waiting(Option<Instant>),
}

/// Does one task, if one is due, and hands out the events.
async fn advance<T: Transport>(
    engine: &mut Engine<T>,
    controller: &mut Controller,
    events: &mut impl FnMut(Event),
) -> Progress {
    let next = controller.next(engine.now());
    // Before the task: an event may say what the task is about to take away.
    hand_out(controller, events);
    match next {
        Next::Do(task) => {
            let answer = perform(engine, task.work()).await;
            controller.answer(task.number(), answer, engine.now());
            hand_out(controller, events);
            Progress::Done
        }
        Next::Wait(until) => Progress::Waiting(until),
    }
}

fn hand_out(controller: &mut Controller, events: &mut impl FnMut(Event)) {
    controller.events().for_each(events);
}

/// Waits for a future, but at most until a time. Returns `None` at that time.
async fn wait<T: Transport, F: Future>(
    engine: &Engine<T>,
    until: Option<Instant>,
    mut future: Pin<&mut F>,
) -> Result<Option<F::Output>> {
    let Some(until) = until else { return Ok(Some(future.await)) };
    let mut sleep = pin!(engine.sleep(until.saturating_duration_since(engine.now())));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Ok(Some(output))),
        Poll::Pending => sleep.as_mut().poll(context).map(|slept| match slept {
            Ok(()) => Ok(None),
            Err(failure) => Err(not_waited(failure)),
        }),
    })
    .await
}

/// Polls a future once.
async fn if_ready<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
