//! Writing: one change or many, in chunks that one system call sends.

use rustix::io::Errno;

use crate::client::link::Patience;
use crate::client::{Engine, Outcome, Report, Transport};
use crate::error::{Certainty, Context, Error, ErrorKind, Result, kind_of_refusal};
use crate::model::{Change, Service};
use crate::proto::{Batch, Refusal, Verdict};
use crate::wire::Request;

/// How a chunk ended.
enum Ended {
    /// Every change was executed or refused.
    Answered(Batch),
    /// Answers are missing, for this reason.
    Unanswered(Batch, Error),
    /// Nothing of it was sent.
    NotSent(Error),
}

impl<T: Transport> Engine<T> {
    /// Does one change.
    pub(crate) async fn change(&mut self, change: &Change) -> Result<()> {
        let context = Context::of(change);
        change.validate().map_err(|invalid| Error::invalid(context, invalid))?;
        let mut result = Ok(());
        self.chunk(std::slice::from_ref(change), &mut |outcome| result = outcome.into_result())
            .await;
        result
    }

    /// Does many changes, after all of them have been validated.
    pub(crate) async fn submit(&mut self, changes: &[Change]) -> Report {
        let mut report = Report::default();
        if refuse_invalid(changes, &mut |outcome| report.push(outcome)) {
            return report;
        }
        for chunk in changes.chunks(self.commands.chunk()) {
            if !self.chunk(chunk, &mut |outcome| report.push(outcome)).await {
                break;
            }
        }
        let rest = changes.get(report.len()..).unwrap_or_default();
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
        report: &mut impl FnMut(Outcome),
    ) -> bool {
        refuse_invalid(changes, report) || self.chunk(changes, report).await
    }

    /// Sends a chunk of valid changes and reports on each, in order. False when
    /// answers were lost: then nothing should be sent after it, for its changes may
    /// build on these.
    async fn chunk(&mut self, changes: &[Change], report: &mut impl FnMut(Outcome)) -> bool {
        let mut ended = self.send_chunk(changes).await;
        // The family's old id is refused to every change, from some change on. If it
        // is from the first on, nothing has been done and all can be sent again.
        let mut moved = false;
        if let Ended::Answered(batch) = &ended
            && batch.any_refusal(|refusal| refusal.errno == Errno::NOENT.raw_os_error())
        {
            let first = batch.refusal(0).is_some_and(is_noent);
            match self.family_moved().await {
                Ok(true) if first => ended = self.send_chunk(changes).await,
                Ok(is_moved) => moved = is_moved,
                Err(error) => {
                    for (index, change) in (0..).zip(changes) {
                        report(match batch.refusal(index) {
                            Some(refusal) if is_noent(refusal) => {
                                Outcome::failed(error.clone().within(Context::of(change)))
                            }
                            refusal => outcome(change, refusal, false),
                        });
                    }
                    return true;
                }
            }
        }
        match ended {
            Ended::Answered(batch) => {
                for (index, change) in (0..).zip(changes) {
                    report(outcome(change, batch.refusal(index), moved));
                }
                true
            }
            Ended::Unanswered(batch, error) => {
                for (index, change) in (0..).zip(changes) {
                    match batch.refusal(index) {
                        Some(refusal) => report(outcome(change, Some(refusal), false)),
                        None if self.holds(change, &error).await => report(Outcome::Done),
                        None => report(Outcome::failed(error.clone().within(Context::of(change)))),
                    }
                }
                false
            }
            Ended::NotSent(error) => {
                for change in changes {
                    report(Outcome::failed(error.clone().within(Context::of(change))));
                }
                false
            }
        }
    }

    async fn send_chunk(&mut self, changes: &[Change]) -> Ended {
        let Some(context) = changes.first().map(Context::of) else {
            return Ended::Answered(Batch::new(0, 0, 0));
        };
        let fence = changes.iter().any(|change| matches!(change, Change::StopDaemon(_)));
        let link = &mut self.commands;
        let requests = changes.iter().map(Request::Change);
        let mut batch = link.session.batch(&mut link.outbox, self.family, requests, fence);
        if let Err(error) = link.send(context) {
            return Ended::NotSent(error);
        }
        let mut patience = Patience::new(self.deadline);
        loop {
            if let Err(error) = link.receive(&mut patience, context).await {
                return Ended::Unanswered(batch, error);
            }
            match batch.read(link.datagram()) {
                Ok(Verdict::Complete) => match patience.overflowed() {
                    // The last answer is there, but others may be among the lost.
                    Some(cause) if fence || changes.len() > 1 => {
                        return Ended::Unanswered(batch, Error::unanswered(context, &cause));
                    }
                    _ => return Ended::Answered(batch),
                },
                Ok(Verdict::Open) => {}
                Err(detail) => return Ended::Unanswered(batch, Error::malformed(context, detail)),
            }
        }
    }
}

/// Reports on changes of which at least one is invalid: none of them is sent.
fn refuse_invalid(changes: &[Change], report: &mut impl FnMut(Outcome)) -> bool {
    let valid = changes.iter().all(|change| change.validate().is_ok());
    if !valid {
        for change in changes {
            report(match change.validate() {
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
    Outcome::Refused(Error::refused(context, kind, refusal.errno, refusal.extack.clone()))
}
