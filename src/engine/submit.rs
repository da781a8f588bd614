//! Writing: one change or many, in chunks that one system call sends.

use std::collections::VecDeque;
use std::io;

use rustix::io::Errno;

use crate::engine::link::Patience;
use crate::engine::{Engine, Outcome, Report, Transport};
use crate::error::{Certainty, Context, Error, ErrorKind, Result, kind_of_refusal, likely_reasons};
use crate::model::{Change, InvalidValue, Operation, Service};
use crate::proto::{Batch, Refusal, Verdict};
use crate::wire::{Malformed, Request};

/// Takes the outcomes of changes, in order.
pub(crate) trait Collect {
    /// The next change has this outcome.
    fn push(&mut self, outcome: Outcome);

    /// The next changes are done.
    fn done(&mut self, count: usize) {
        for _ in 0..count {
            self.push(Outcome::Done);
        }
    }
}

impl Collect for Report {
    fn push(&mut self, outcome: Outcome) {
        self.push(outcome);
    }

    fn done(&mut self, count: usize) {
        self.push_done(count);
    }
}

impl Collect for VecDeque<Outcome> {
    fn push(&mut self, outcome: Outcome) {
        self.push_back(outcome);
    }
}

/// For a single change, which is done if nothing else is said.
impl Collect for Result<()> {
    fn push(&mut self, outcome: Outcome) {
        *self = outcome.into_result();
    }

    fn done(&mut self, _: usize) {}
}

/// What came of sending a chunk and looking for an answer once.
enum First {
    /// A datagram was there.
    Read(Result<Verdict, Malformed>),
    /// None was, for this reason.
    Failed(io::Error),
    /// The chunk was not sent.
    NotSent(io::Error),
}

/// Why answers to a chunk are missing.
enum Loss {
    /// It was not sent.
    NotSent(Error),
    /// They did not come, or not all of them.
    Unanswered(Error),
}

impl<T: Transport> Engine<T> {
    /// Does one change.
    pub(crate) async fn change(&mut self, change: &Change) -> Result<()> {
        self.change_judged(change, change.validate()).await
    }

    /// Replaces what was read as `read`. Rules that were broken then may stay broken.
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

    /// Does many changes, after all of them have been validated.
    pub(crate) async fn submit(&mut self, changes: &[Change]) -> Report {
        self.submit_updates(changes, &|_| None).await
    }

    /// Does many changes, after all of them have been validated. `read` has, for the update at
    /// an index, an update to the settings that were read: rules that these break may stay
    /// broken.
    pub(crate) async fn submit_updates(
        &mut self,
        changes: &[Change],
        read: &(dyn Fn(usize) -> Option<Change> + Sync),
    ) -> Report {
        let mut report = Report::default();
        if refuse_invalid(changes, read, &mut report) {
            return report;
        }
        let mut rest = changes;
        while !rest.is_empty() {
            let length = portion(rest.len(), self.commands.chunk(), |index| rest.get(index));
            let (chunk, after) = rest.split_at(length);
            rest = after;
            if !self.chunk(chunk, &mut report).await {
                break;
            }
        }
        for change in rest {
            report.push(not_attempted(change));
        }
        report
    }

    /// Does a chunk of changes, none of them if one is invalid, and reports on each.
    /// False when answers were lost.
    pub(crate) async fn submit_chunk(
        &mut self,
        changes: &[Change],
        report: &mut impl Collect,
    ) -> bool {
        changes.is_empty()
            || refuse_invalid(changes, &|_| None, report)
            || self.chunk(changes, report).await
    }

    /// Sends a chunk of valid changes and reports on each, in order. False when
    /// answers were lost or the module is gone: then nothing should be sent after it,
    /// for its changes may build on these.
    async fn chunk(&mut self, changes: &[Change], report: &mut impl Collect) -> bool {
        if self.commands.session.has_unread() {
            // A failure shows again in what follows.
            let _ = Box::pin(self.commands.drain()).await;
        }
        match self.try_chunk(changes) {
            None => {
                report.done(changes.len());
                self.commands.breathe(1 + changes.len() / 2).await;
                true
            }
            // Boxed, so that the future of the usual case has no room for what is rare.
            Some((batch, first)) => {
                Box::pin(self.settle_chunk(batch, first, changes, report)).await
            }
        }
    }

    /// Sends a chunk; `None` if all of it is done at once.
    fn try_chunk(&mut self, changes: &[Change]) -> Option<(Batch, First)> {
        let mut batch = self.encode_chunk(changes);
        let first = self.send_chunk(&mut batch);
        let complete = matches!(first, First::Read(Ok(Verdict::Complete)));
        (!complete || batch.any_refusal(|_| true)).then_some((batch, first))
    }

    /// Waits for the end of a chunk that is not done at once and reports on it.
    async fn settle_chunk(
        &mut self,
        mut batch: Batch,
        first: First,
        changes: &[Change],
        report: &mut impl Collect,
    ) -> bool {
        let mut result = self.await_chunk(&mut batch, first, changes).await;
        // The kernel locks its families for the whole of a datagram: either all requests
        // meet one that is no more, and nothing has been done, or none does.
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
                    report.push(unsettled(change, batch.refusal(index), &error));
                }
                false
            }
        }
    }

    /// Reports on a chunk with refusals or of which answers are missing. False when
    /// they are.
    async fn settle(
        &mut self,
        batch: &Batch,
        loss: Option<Loss>,
        moved: bool,
        changes: &[Change],
        report: &mut impl Collect,
    ) -> bool {
        // After any other loss than an overflow the socket may be of no use.
        let mut readable = matches!(&loss, Some(Loss::Unanswered(error))
            if error.kind() == ErrorKind::ReceiveOverflow);
        for (index, change) in (0..).zip(changes) {
            let Some(Loss::Unanswered(error) | Loss::NotSent(error)) = &loss else {
                report.push(outcome(change, batch.refusal(index), moved));
                continue;
            };
            // What may have been done besides this one.
            let others = (0..).zip(changes).filter_map(|(at, other)| {
                (at != index && batch.refusal(at).is_none()).then_some(other)
            });
            report.push(match batch.refusal(index) {
                Some(refusal) => outcome(change, Some(refusal), moved),
                None if readable && self.holds(change, others, &mut readable).await => {
                    Outcome::Done
                }
                None => Outcome::failed(error.clone().within(Context::of(change))),
            });
        }
        loss.is_none()
    }

    fn encode_chunk(&mut self, changes: &[Change]) -> Batch {
        let link = &mut self.commands;
        let requests = changes.iter().map(Request::Change);
        link.session.batch(&mut link.outbox, self.family, requests, needs_fence(changes))
    }

    /// Sends the chunk that was encoded and reads the answer, if it is there at once.
    fn send_chunk(&mut self, batch: &mut Batch) -> First {
        let link = &mut self.commands;
        if let Err(cause) = link.send() {
            link.session.all_read();
            return First::NotSent(cause);
        }
        match link.try_receive() {
            Ok(()) => First::Read(link.read_of(batch)),
            Err(cause) => First::Failed(cause),
        }
    }

    /// Reads until the chunk is at its end.
    async fn await_chunk(
        &mut self,
        batch: &mut Batch,
        first: First,
        changes: &[Change],
    ) -> Result<(), Loss> {
        let link = &mut self.commands;
        let context = || changes.first().map_or(Context::new(Operation::Flush), Context::of);
        let unanswered = |cause| Loss::Unanswered(Error::unanswered(context(), &cause));
        let mut patience = Patience::new(self.deadline);
        let mut verdict = match first {
            First::Read(verdict) => verdict,
            First::Failed(cause) => {
                link.receive_after(cause, &mut patience).await.map_err(unanswered)?;
                link.read_of(batch)
            }
            First::NotSent(cause) => {
                return Err(Loss::NotSent(Error::not_sent(context(), &cause)));
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
        match patience.overflowed() {
            // The last answer is there, but others may be among the lost.
            Some(cause) if changes.len() > 1 || needs_fence(changes) => Err(unanswered(cause)),
            _ => Ok(()),
        }
    }
}

/// How many of `length` changes to do at a time, about `most`: one more where a new service
/// would be parted from its first destination, for without one it refuses connections.
pub(crate) fn portion<'c>(
    length: usize,
    most: usize,
    change: impl Fn(usize) -> Option<&'c Change>,
) -> usize {
    match are_one(change(most.wrapping_sub(1)), change(most)) {
        true => most + 1,
        false => length.min(most),
    }
}

/// Whether a change adds a service and the next one its first destination.
fn are_one(change: Option<&Change>, next: Option<&Change>) -> bool {
    match (change, next) {
        (Some(Change::AddService(service)), Some(Change::AddDestination(id, _))) => {
            service.id == *id
        }
        _ => false,
    }
}

/// Any number of changes, in portions.
#[derive(Debug)]
pub(crate) struct Portions<I> {
    changes: I,
    /// What was looked at and is for the next portion.
    ahead: Option<Change>,
}

impl<I: Iterator<Item = Change>> Portions<I> {
    pub(crate) const fn new(changes: I) -> Self {
        Self { changes, ahead: None }
    }

    /// Adds the next [`portion`].
    pub(crate) fn next(&mut self, most: usize, portion: &mut VecDeque<Change>) {
        portion.extend(self.ahead.take().into_iter().chain(&mut self.changes).take(most));
        if matches!(portion.back(), Some(Change::AddService(_))) && portion.len() >= most {
            let next = self.changes.next();
            if are_one(portion.back(), next.as_ref()) {
                portion.extend(next);
            } else {
                self.ahead = next;
            }
        }
    }
}

/// Stopping a daemon may get no answer.
fn needs_fence(changes: &[Change]) -> bool {
    changes.iter().any(|change| matches!(change, Change::StopDaemon(_)))
}

/// Reports on changes of which at least one is invalid: none of them is sent.
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

pub(crate) fn not_attempted(change: &Change) -> Outcome {
    let kind = ErrorKind::NotAttempted;
    Outcome::failed(Error::known(Context::of(change), kind, Certainty::NotSent))
}

fn is_noent(refusal: &Refusal) -> bool {
    refusal.errno == Errno::NOENT.raw_os_error()
}

/// The outcome of a change that was refused while it could not be found out whether the
/// module was loaded anew. The refusal keeps its own kind, unless there is no module any more
/// or the change is none that IPVS itself refuses so.
fn unsettled(change: &Change, refusal: Option<&Refusal>, look_up: &Error) -> Outcome {
    let unavailable = look_up.kind() == ErrorKind::Unavailable;
    match outcome(change, refusal, false) {
        Outcome::Refused(error) if !unavailable && error.kind() != ErrorKind::Other => {
            Outcome::Refused(error.because(UNSETTLED))
        }
        _ => Outcome::failed(look_up.clone().within(Context::of(change))),
    }
}

const UNSETTLED: &str = "unless the module ip_vs was loaded anew, which could not be found out";

fn outcome(change: &Change, refusal: Option<&Refusal>, moved: bool) -> Outcome {
    let Some(refusal) = refusal else {
        return Outcome::Done;
    };
    let service: Option<&Service> = match change {
        Change::AddService(service) | Change::UpdateService(service) => Some(service),
        _ => None,
    };
    let context = Context::of(change);
    let kind = match moved && is_noent(refusal) {
        true => ErrorKind::FamilyMoved,
        false => kind_of_refusal(context.operation, service, refusal.errno),
    };
    let error = Error::refused(context, kind, refusal.errno, refusal.extack.as_deref().cloned());
    Outcome::Refused(error.likely(likely_reasons(change, refusal.errno)))
}
