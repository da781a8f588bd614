//! What the kernel's answer to a change means, and where outcomes go.

use std::collections::VecDeque;

use rustix::io::Errno;

use crate::engine::{Outcome, Report};
use crate::error::{Certainty, Context, Error, ErrorKind, Result, kind_of_refusal, likely_reasons};
use crate::model::{Change, Service};
use crate::proto::Refusal;

/// The reason in an error when the family could not be looked up after a refusal.
const MAYBE_MOVED: &str = "unless the module ip_vs was loaded anew, which could not be found out";

/// Collects the outcomes of changes, in order.
pub(super) trait Collect {
    /// Adds the outcome of the next change.
    fn push(&mut self, outcome: Outcome);

    /// Adds `count` changes that are done.
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

/// Takes the outcome of a single change. It starts as `Ok`.
impl Collect for Result<()> {
    fn push(&mut self, outcome: Outcome) {
        *self = outcome.into_result();
    }

    fn done(&mut self, _: usize) {}
}

/// Returns the outcome of a change that was not sent because of another change.
pub(crate) fn not_attempted(change: &Change) -> Outcome {
    let kind = ErrorKind::NotAttempted;
    Outcome::failed(Error::known(Context::of(change), kind, Certainty::NotSent))
}

pub(super) fn is_noent(refusal: &Refusal) -> bool {
    refusal.errno == Errno::NOENT.raw_os_error()
}

/// Returns the outcome of a change that the kernel refused, or has done if there is no refusal.
/// `moved` tells that the id of the family has changed.
pub(super) fn outcome(change: &Change, refusal: Option<&Refusal>, moved: bool) -> Outcome {
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

/// Returns the outcome of a change that was refused, if `look_up` kept the family from being
/// looked up again. The refusal keeps its kind, unless the module is gone or IPVS itself never
/// refuses the change so.
pub(super) fn outcome_of_unknown_family(
    change: &Change,
    refusal: Option<&Refusal>,
    look_up: &Error,
) -> Outcome {
    let unavailable = look_up.kind() == ErrorKind::Unavailable;
    match outcome(change, refusal, false) {
        Outcome::Refused(error) if !unavailable && error.kind() != ErrorKind::Other => {
            Outcome::Refused(error.because(MAYBE_MOVED))
        }
        _ => Outcome::failed(look_up.clone().within(Context::of(change))),
    }
}
