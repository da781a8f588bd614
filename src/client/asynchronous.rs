//! What the async clients have in common.
//!
//! A stream keeps the future that waits for its next part, so that giving up one
//! `next()` or one poll loses nothing.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::client::submit::{Portions, not_attempted};
use crate::client::{DumpRun, Engine, Outcome, Transport};
use crate::error::Result;
use crate::model::Change;
use crate::wire::Report;

/// A future that has the engine and gives it back.
type Borrowed<'c, T, Output> =
    Pin<Box<dyn Future<Output = (&'c mut Engine<T>, Output)> + Send + 'c>>;

/// The entries of a dump, one after the other.
pub(crate) struct Entries<'c, T, R> {
    state: State<'c, T>,
    reports: std::marker::PhantomData<fn() -> R>,
}

enum State<'c, T> {
    Reading(&'c mut Engine<T>, DumpRun),
    Loading(Borrowed<'c, T, (DumpRun, Result<bool>)>),
    Ended,
}

impl<'c, T: Transport + Send + Sync, R: Report> Entries<'c, T, R> {
    pub(crate) fn new(engine: &'c mut Engine<T>, run: DumpRun) -> Self {
        Self { state: State::Reading(engine, run), reports: std::marker::PhantomData }
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<R>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Reading(engine, mut run) if run.is_loaded() => {
                    let step = engine.step(&mut run).transpose();
                    self.state = State::Reading(engine, run);
                    if step.is_some() {
                        return Poll::Ready(step);
                    }
                }
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

/// Changes and what became of them, one after the other.
pub(crate) struct Submitted<'c, T, I> {
    state: Submitting<'c, T>,
    changes: Portions<I>,
    chunk: VecDeque<Change>,
    outcomes: VecDeque<Outcome>,
    lost: bool,
}

enum Submitting<'c, T> {
    Idle(&'c mut Engine<T>),
    Sent(Borrowed<'c, T, (VecDeque<Change>, VecDeque<Outcome>, bool)>),
    Ended,
}

impl<'c, T: Transport + Send + Sync, I: Iterator<Item = Change>> Submitted<'c, T, I> {
    pub(crate) fn new(engine: &'c mut Engine<T>, changes: I) -> Self {
        Self {
            state: Submitting::Idle(engine),
            changes: Portions::new(changes),
            chunk: VecDeque::new(),
            outcomes: VecDeque::new(),
            lost: false,
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
                    let lost = self.lost;
                    self.state = Submitting::Sent(Box::pin(async move {
                        let mut answered = false;
                        if lost {
                            outcomes.extend(chunk.iter().map(not_attempted));
                        } else {
                            let changes = chunk.make_contiguous();
                            answered = engine.submit_chunk(changes, &mut outcomes).await;
                        }
                        (engine, (chunk, outcomes, !answered))
                    }));
                }
                Submitting::Sent(mut sent) => {
                    let Poll::Ready((engine, (chunk, outcomes, lost))) =
                        sent.as_mut().poll(context)
                    else {
                        self.state = Submitting::Sent(sent);
                        return Poll::Pending;
                    };
                    self.state = Submitting::Idle(engine);
                    (self.chunk, self.outcomes, self.lost) = (chunk, outcomes, lost);
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

/// An async client over `$transport`, with its streams.
macro_rules! async_client {
    ($(#[$attribute:meta])* $transport:ty) => {
        $(#[$attribute])*
        #[derive(Debug)]
        pub struct Client {
            pub(crate) engine: Engine<$transport>,
        }

        macro_rules! wait {
            ($future:expr) => {
                $future.await
            };
        }

        connecting!(Client, $transport, { async }, wait);
        operations!(Client, { async }, wait);

        /// Streaming.
        impl Client {
            /// Does any number of changes in bounded memory, as
            /// [`submit`](Self::submit) does them: they are validated, sent and
            /// reported on in chunks of about 64 while the stream is driven.
            ///
            /// A chunk in which a change is invalid is not sent, the next one is.
            /// After lost answers or a failed send nothing more is sent.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future of [`SubmitStream::next`] loses nothing. Dropping
            /// the stream leaves the changes undone that come after the chunk under way; one
            /// of them it may have taken already, to see whether it belongs to that chunk.
            /// Those of the chunk have been executed, or none of them has been sent.
            pub fn submit_stream<I>(&mut self, changes: I) -> SubmitStream<'_, I::IntoIter>
            where
                I: IntoIterator<Item = Change>,
            {
                SubmitStream(Submitted::new(&mut self.engine, changes.into_iter()))
            }

            /// Reads the services one after the other, in bounded memory.
            ///
            /// While others write, a service may be missing or come twice. Giving the
            /// stream up early leaves the client usable; the rest of the dump is thrown
            /// away before the next request. The stream borrows the client until it is
            /// dropped, after the last item too.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// An item that is an error is the last one, unless it is a malformed
            /// entry.
            #[doc = cancel_safety!(async reads)]
            pub async fn stream_services(&mut self) -> Result<Services<'_>> {
                let run = self.engine.begin(Request::Services).await?;
                Ok(Services(Entries::new(&mut self.engine, run)))
            }

            /// Reads the destinations of a service one after the other, in bounded
            /// memory.
            ///
            /// As [`stream_services`](Self::stream_services). The kernel reports no
            /// destinations, without an error, also when there is no such service;
            /// [`destinations`](Self::destinations) tells the one from the other.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// An item that is an error is the last one, unless it is a malformed
            /// entry.
            #[doc = cancel_safety!(async reads)]
            pub async fn stream_destinations(
                &mut self,
                service: ServiceId,
            ) -> Result<Destinations<'_>> {
                let run = self.engine.begin(Request::Destinations(service)).await?;
                Ok(Destinations(Entries::new(&mut self.engine, run)))
            }
        }

        /// The services, one after the other. See [`Client::stream_services`].
        #[derive(Debug)]
        #[must_use = "it reads nothing until it is driven"]
        pub struct Services<'c>(Entries<'c, $transport, ServiceEntry>);

        /// The destinations of a service, one after the other. See
        /// [`Client::stream_destinations`].
        #[derive(Debug)]
        #[must_use = "it reads nothing until it is driven"]
        pub struct Destinations<'c>(Entries<'c, $transport, DestinationEntry>);

        /// Changes and what became of them. See [`Client::submit_stream`].
        #[derive(Debug)]
        #[must_use = "nothing is sent until it is driven"]
        pub struct SubmitStream<'c, I>(Submitted<'c, $transport, I>);

        async_stream!({} Services<'_>, Result<ServiceEntry>);
        async_stream!({} Destinations<'_>, Result<DestinationEntry>);
        async_stream!({ <I: Iterator<Item = Change> + Unpin> } SubmitStream<'_, I>, (Change, Outcome));
    };
}

/// Makes a newtype over something with `poll_next` a stream.
macro_rules! async_stream {
    ({ $($generics:tt)* } $stream:ty, $item:ty) => {
        impl $($generics)* futures_core::Stream for $stream {
            type Item = $item;

            fn poll_next(
                self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Self::Item>> {
                self.get_mut().0.poll_next(context)
            }
        }

        impl $($generics)* $stream {
            /// The next item, `None` at the end.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn next(&mut self) -> Option<$item> {
                std::future::poll_fn(|context| self.0.poll_next(context)).await
            }
        }
    };
}

pub(crate) use {async_client, async_stream};
