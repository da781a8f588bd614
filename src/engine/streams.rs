//! Streams of entries and of outcomes, for blocking and async clients.
//!
//! A stream owns the future that waits for its next part. So dropping the future of one `next`
//! call loses nothing.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::engine::portions::Portions;
use crate::engine::submit::Next;
use crate::engine::{DumpRun, Engine, Outcome, Transport, not_attempted};
use crate::error::Result;
use crate::model::Change;
use crate::wire::Reported;

/// A future that borrows the engine and returns it with its output.
type Borrowed<'c, T, Output> =
    Pin<Box<dyn Future<Output = (&'c mut Engine<T>, Output)> + Send + Sync + 'c>>;

/// Streams the entries of a dump.
pub(crate) struct Entries<'c, T, R> {
    state: State<'c, T>,
    reports: std::marker::PhantomData<fn() -> R>,
}

enum State<'c, T> {
    Reading(&'c mut Engine<T>, DumpRun),
    Loading(Borrowed<'c, T, (DumpRun, Result<bool>)>),
    Ended,
}

impl<'c, T: Transport + Send + Sync, R: Reported> Entries<'c, T, R> {
    pub(crate) fn new(engine: &'c mut Engine<T>, run: DumpRun) -> Self {
        Self { state: State::Reading(engine, run), reports: std::marker::PhantomData }
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<R>>> {
        loop {
            // Entries of the received datagram are read in place: moving the dump out of the
            // state and back for each would cost more than decoding the entry.
            if let State::Reading(engine, run) = &mut self.state {
                if run.is_loaded() {
                    match engine.step(run).transpose() {
                        None => continue,
                        step => return Poll::Ready(step),
                    }
                }
            }
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Reading(engine, mut run) => {
                    self.state = State::Loading(Box::pin(async move {
                        let loaded = engine.load(&mut run).await;
                        (engine, (run, loaded))
                    }));
                }
                State::Loading(mut loading) => {
                    let Poll::Ready((engine, (run, loaded))) = loading.as_mut().poll(context)
                    else {
                        self.state = State::Loading(loading);
                        return Poll::Pending;
                    };
                    match loaded {
                        Ok(true) => self.state = State::Reading(engine, run),
                        Ok(false) => return Poll::Ready(None),
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}

impl<T, R> fmt::Debug for Entries<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries").finish_non_exhaustive()
    }
}

/// Sends changes in chunks and streams each with its outcome.
pub(crate) struct Submitted<'c, T, I> {
    state: Submitting<'c, T>,
    changes: Portions<I>,
    chunk: VecDeque<Change>,
    outcomes: VecDeque<Outcome>,
    next: Next,
}

enum Submitting<'c, T> {
    Idle(&'c mut Engine<T>),
    Sent(Borrowed<'c, T, (VecDeque<Change>, VecDeque<Outcome>, Next)>),
    Ended,
}

impl<'c, T: Transport + Send + Sync, I: Iterator<Item = Change>> Submitted<'c, T, I> {
    pub(crate) fn new(engine: &'c mut Engine<T>, changes: I) -> Self {
        Self {
            state: Submitting::Idle(engine),
            changes: Portions::new(changes),
            chunk: VecDeque::new(),
            outcomes: VecDeque::new(),
            next: Next::Continue,
        }
    }

    pub(crate) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<(Change, Outcome)>> {
        while self.outcomes.is_empty() {
            match std::mem::replace(&mut self.state, Submitting::Ended) {
                Submitting::Idle(engine) => {
                    let mut chunk = std::mem::take(&mut self.chunk);
                    self.changes.next(engine.commands.chunk(), &mut chunk);
                    if chunk.is_empty() {
                        self.state = Submitting::Idle(engine);
                        return Poll::Ready(None);
                    }
                    let mut outcomes = std::mem::take(&mut self.outcomes);
                    let mut next = self.next;
                    self.state = Submitting::Sent(Box::pin(async move {
                        if next == Next::Stop {
                            outcomes.extend(chunk.iter().map(not_attempted));
                        } else {
                            let changes = chunk.make_contiguous();
                            next = engine.submit_chunk(changes, &mut outcomes).await;
                        }
                        (engine, (chunk, outcomes, next))
                    }));
                }
                Submitting::Sent(mut sent) => {
                    let Poll::Ready((engine, (chunk, outcomes, next))) =
                        sent.as_mut().poll(context)
                    else {
                        self.state = Submitting::Sent(sent);
                        return Poll::Pending;
                    };
                    self.state = Submitting::Idle(engine);
                    (self.chunk, self.outcomes, self.next) = (chunk, outcomes, next);
                }
                Submitting::Ended => return Poll::Ready(None),
            }
        }
        Poll::Ready(self.chunk.pop_front().zip(self.outcomes.pop_front()))
    }
}

impl<T, I> fmt::Debug for Submitted<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitted").finish_non_exhaustive()
    }
}
