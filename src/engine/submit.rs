//! Writing: one change or many, in chunks that one system call sends.

use std::collections::VecDeque;

use crate::engine::confirm::Finding;
use crate::engine::outcomes::{
    Collect, is_noent, not_attempted, outcome, outcome_of_unknown_family,
};
use crate::engine::patience::Patience;
use crate::engine::portions::portion;
use crate::engine::{Engine, Outcome, Report, Transport};
use crate::error::{Context, Error, ErrorKind, Failure, Result};
use crate::model::{Change, InvalidValue, Operation};
use crate::proto::{Batch, Verdict};
use crate::wire::{Malformed, Request};

/// What sending a chunk and looking once for its answer gave.
enum First {
    /// A datagram was there and has been read.
    Read(Result<Verdict, Malformed>),
    /// No datagram was received.
    Unread(Failure),
    /// The chunk was not sent.
    NotSent(Failure),
}

/// Why answers to a chunk are missing.
enum Loss {
    /// The chunk was not sent.
    NotSent(Error),
    /// Not all answers came.
    Unanswered(Error),
}

/// Whether the next chunk may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Yes.
    Continue,
    /// No: answers were lost, or the module is gone. Later changes may build on the lost ones.
    Stop,
}

impl<T: Transport> Engine<T> {
    /// Does one change.
    pub(crate) async fn change(&mut self, change: &Change) -> Result<()> {
        self.change_judged(change, change.validate()).await
    }

    /// Does `change`, an update of an object that was read as `read`. Settings that the kernel
    /// already has may break this crate's rules.
    pub(crate) async fn update(&mut self, read: &Change, change: &Change) -> Result<()> {
        self.change_judged(change, change.validate_update(read)).await
    }

    async fn change_judged(
        &mut self,
        change: &Change,
        judgement: Result<(), InvalidValue>,
    ) -> Result<()> {
        judgement.map_err(|invalid| Error::invalid(Context::of(change), invalid))?;
        let mut result = Ok(());
        self.chunk(std::slice::from_ref(change), &mut result).await;
        result
    }

    /// Validates all `changes`, then does them in chunks.
    pub(crate) async fn submit(&mut self, changes: &[Change]) -> Report {
        self.submit_updates(changes, &|_| None).await
    }

    /// Does the work of [`submit`](Self::submit). For an update at an index, `read` returns an
    /// update to the settings that the kernel has. Settings that it already has may break this
    /// crate's rules.
    pub(crate) async fn submit_updates(
        &mut self,
        changes: &[Change],
        read: &(dyn Fn(usize) -> Option<Change> + Sync),
    ) -> Report {
        let mut report = Report::default();
        match refuse_invalid(changes, read, &mut report) {
            true => report,
            false => self.submit_valid(changes).await,
        }
    }

    /// Does changes that are known to be valid, such as those of a plan, in chunks.
    pub(crate) async fn submit_valid(&mut self, changes: &[Change]) -> Report {
        let mut report = Report::default();
        let mut rest = changes;
        while !rest.is_empty() {
            let length = portion(rest.len(), self.commands.chunk(), |index| rest.get(index));
            let (chunk, after) = rest.split_at(length);
            rest = after;
            if self.chunk(chunk, &mut report).await == Next::Stop {
                break;
            }
        }
        for change in rest {
            report.push(not_attempted(change));
        }
        report
    }

    /// Validates and sends a chunk of changes, and reports on each. Sends nothing if one is
    /// invalid.
    pub(super) async fn submit_chunk(
        &mut self,
        changes: &[Change],
        report: &mut impl Collect,
    ) -> Next {
        if changes.is_empty() || refuse_invalid(changes, &|_| None, report) {
            return Next::Continue;
        }
        self.chunk(changes, report).await
    }

    /// Sends a chunk of valid changes and reports on each, in order.
    async fn chunk(&mut self, changes: &[Change], report: &mut impl Collect) -> Next {
        if self.observer.is_set() {
            return Box::pin(self.observed_chunk(changes, report)).await;
        }
        self.chunk_unobserved(changes, report).await
    }

    /// Does a chunk, and tells the observer of each change.
    async fn observed_chunk(&mut self, changes: &[Change], report: &mut impl Collect) -> Next {
        let begun = self.commands.begun();
        let mut outcomes = VecDeque::with_capacity(changes.len());
        let next = self.chunk_unobserved(changes, &mut outcomes).await;
        let taken = self.commands.taken_since(begun);
        for (change, outcome) in changes.iter().zip(outcomes) {
            let result = outcome.error().map_or(Ok(()), Err);
            self.observer.tell_change(change, changes.len(), taken, result);
            report.push(outcome);
        }
        next
    }

    async fn chunk_unobserved(&mut self, changes: &[Change], report: &mut impl Collect) -> Next {
        if self.commands.session.has_unread() {
            // A failure comes again in the next call.
            let _ = Box::pin(self.commands.discard_unread()).await;
        }
        match self.try_chunk(changes) {
            None => {
                report.done(changes.len());
                self.commands.breathe(1 + changes.len() / 2).await;
                Next::Continue
            }
            // Rare, so boxed: otherwise every future would have room for it.
            Some((batch, first)) => {
                Box::pin(self.settle_chunk(batch, first, changes, report)).await
            }
        }
    }

    /// Sends a chunk and looks once for the answer. Returns `None` if all changes are done.
    fn try_chunk(&mut self, changes: &[Change]) -> Option<(Batch, First)> {
        let mut batch = self.encode_chunk(changes);
        let first = self.send_chunk(&mut batch);
        let complete = matches!(first, First::Read(Ok(Verdict::Complete)));
        (!complete || batch.any_refusal(|_| true)).then_some((batch, first))
    }

    /// Waits for the answers to a chunk and reports on each change.
    async fn settle_chunk(
        &mut self,
        mut batch: Batch,
        first: First,
        changes: &[Change],
        report: &mut impl Collect,
    ) -> Next {
        let mut result = self.await_chunk(&mut batch, first, changes).await;
        // The kernel locks its families for a whole datagram. So either all requests went to a
        // family that no longer exists, and nothing was done, or none did.
        let mut family = Ok(false);
        if batch.all_refused(changes.len(), is_noent) {
            family = self.family_moved().await;
            if matches!(family, Ok(true)) {
                batch = self.encode_chunk(changes);
                let first = self.send_chunk(&mut batch);
                result = self.await_chunk(&mut batch, first, changes).await;
                family = match batch.all_refused(changes.len(), is_noent) {
                    true => self.family_moved().await,
                    false => Ok(false),
                };
            }
        }
        match family {
            Ok(moved) => self.settle(&batch, result.err(), moved, changes, report).await,
            Err(error) => {
                for (index, change) in (0..).zip(changes) {
                    let refusal = batch.refusal(index);
                    report.push(outcome_of_unknown_family(change, refusal, &error));
                }
                Next::Stop
            }
        }
    }

    /// Reports on a chunk that has refusals, or whose answers are missing.
    async fn settle(
        &mut self,
        batch: &Batch,
        loss: Option<Loss>,
        moved: bool,
        changes: &[Change],
        report: &mut impl Collect,
    ) -> Next {
        // After any loss other than an overflow the socket may not work.
        let mut readable = matches!(&loss, Some(Loss::Unanswered(error))
            if error.kind() == ErrorKind::ReceiveOverflow);
        for (index, change) in (0..).zip(changes) {
            let Some(Loss::Unanswered(error) | Loss::NotSent(error)) = &loss else {
                report.push(outcome(change, batch.refusal(index), moved));
                continue;
            };
            // The other changes that may have been done.
            let others = (0..).zip(changes).filter_map(|(at, other)| {
                (at != index && batch.refusal(at).is_none()).then_some(other)
            });
            if let Some(refusal) = batch.refusal(index) {
                report.push(outcome(change, Some(refusal), moved));
                continue;
            }
            let finding = match readable {
                true => self.find_out(change, others).await,
                false => Finding::Unknown,
            };
            readable &= finding != Finding::Unreadable;
            report.push(match finding {
                Finding::Done => Outcome::Done,
                Finding::Unknown | Finding::Unreadable => {
                    Outcome::failed(error.clone().within(Context::of(change)))
                }
            });
        }
        if loss.is_some() { Next::Stop } else { Next::Continue }
    }

    fn encode_chunk(&mut self, changes: &[Change]) -> Batch {
        let link = &mut self.commands;
        let requests = changes.iter().map(Request::Change);
        link.session.batch(&mut link.outbox, self.family, requests, needs_fence(changes))
    }

    /// Sends the encoded chunk, and reads the answer if that is there already.
    fn send_chunk(&mut self, batch: &mut Batch) -> First {
        let link = &mut self.commands;
        if let Err(failure) = link.send() {
            link.session.all_read();
            return First::NotSent(failure);
        }
        match link.try_receive() {
            Ok(()) => First::Read(link.read_of(batch)),
            Err(failure) => First::Unread(failure),
        }
    }

    /// Reads answers until the last one of the chunk.
    async fn await_chunk(
        &mut self,
        batch: &mut Batch,
        first: First,
        changes: &[Change],
    ) -> Result<(), Loss> {
        let link = &mut self.commands;
        let context = || changes.first().map_or(Context::new(Operation::Flush), Context::of);
        let unanswered = |failure| Loss::Unanswered(Error::unanswered(context(), failure));
        let mut patience = Patience::new(self.deadline);
        let mut verdict = match first {
            First::Read(verdict) => verdict,
            First::Unread(failure) => {
                link.receive_after(failure, &mut patience).await.map_err(unanswered)?;
                link.read_of(batch)
            }
            First::NotSent(failure) => {
                return Err(Loss::NotSent(Error::not_sent(context(), failure)));
            }
        };
        loop {
            match verdict {
                Ok(Verdict::Complete) => break,
                Ok(Verdict::Open) => {}
                Err(detail) => return Err(Loss::Unanswered(Error::malformed(context(), detail))),
            }
            link.receive(&mut patience).await.map_err(unanswered)?;
            verdict = link.read_of(batch);
        }
        match patience.take_overflow() {
            // The last answer came, but others may have been lost.
            Err(failure) if changes.len() > 1 || needs_fence(changes) => Err(unanswered(failure)),
            _ => Ok(()),
        }
    }
}

/// Returns `true` if the kernel may not answer the last of `changes`: it may never answer the stop
/// of a daemon.
fn needs_fence(changes: &[Change]) -> bool {
    changes.iter().any(|change| matches!(change, Change::StopDaemon(_)))
}

/// Validates `changes`. If one is invalid, reports on all of them and returns `true`; none may
/// then be sent. For `read` see [`Engine::submit_updates`].
fn refuse_invalid(
    changes: &[Change],
    read: &dyn Fn(usize) -> Option<Change>,
    report: &mut impl Collect,
) -> bool {
    let validate = |(index, change): (usize, &Change)| {
        change.validate().or_else(|invalid| match read(index) {
            Some(read) => change.validate_update(&read),
            None => Err(invalid),
        })
    };
    let valid = changes.iter().enumerate().all(|change| validate(change).is_ok());
    if !valid {
        for (index, change) in changes.iter().enumerate() {
            report.push(match validate((index, change)) {
                Ok(()) => not_attempted(change),
                Err(invalid) => Outcome::NotSent(Error::invalid(Context::of(change), invalid)),
            });
        }
    }
    !valid
}
