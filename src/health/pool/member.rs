//! What a pool knows of one destination.

use std::time::Instant;

use crate::health::{Maintenance, MaintenanceKind, Share, Verdict};
use crate::model::Destination;

#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The last verdict that a check has decided.
    pub(super) verdict: Verdict,
    /// When the verdict changed last.
    pub(super) since: Option<Instant>,
    pub(super) share: Share,
    /// The weight that the table held at the start. It counts while some check has not decided.
    pub(super) held: Option<u32>,
    /// `true` from the start until the first verdict: the first success begins no slow start.
    pub(super) is_first: bool,
    /// The operator's decision, and when it takes effect.
    pub(super) maintenance: Option<(Maintenance, Instant)>,
    /// `true` if clients are to come to the destination, as far as checks and the policy say. An
    /// operator's decision does not change it.
    pub(super) admitted: bool,
    /// `true` if clients are to come to the destination.
    pub(super) in_rotation: bool,
    /// `true` if the destination is in the table, also with weight 0.
    pub(super) present: bool,
    /// When the slow start began.
    pub(super) ramp: Option<Instant>,
    /// `true` if the program knows that the destination is kept although it does not work.
    pub(super) told_kept: bool,
}

/// A destination that is not desired any more, and stays until one that is desired has entered.
#[derive(Clone, Debug)]
pub(super) struct Former {
    /// The destination with the weight that it had last.
    pub(super) destination: Destination,
    pub(super) member: Member,
}

impl Member {
    /// A destination that the table does not hold.
    pub(super) const fn absent() -> Self {
        Self {
            verdict: Verdict::Unknown,
            since: None,
            share: Share::FULL,
            held: None,
            is_first: false,
            maintenance: None,
            admitted: false,
            in_rotation: false,
            present: false,
            ramp: None,
            told_kept: false,
        }
    }

    /// A destination at the start of the program. `held` is its weight in the table, if it is
    /// there.
    pub(super) fn at_start(held: Option<u32>) -> Self {
        let in_rotation = held.is_some_and(|weight| weight > 0);
        let present = held.is_some();
        let admitted = in_rotation;
        Self { held, is_first: true, admitted, in_rotation, present, ..Self::absent() }
    }

    /// Returns what the operator's decision is, if it is in effect.
    pub(super) fn maintained(&self, now: Instant) -> Option<MaintenanceKind> {
        let (maintenance, from) = self.maintenance.as_ref()?;
        (*from <= now).then_some(maintenance.kind)
    }

    /// Returns `true` if the destination works, and no maintenance takes it out now or soon.
    pub(super) fn counts(&self) -> bool {
        self.works() && self.maintenance.is_none()
    }

    /// Returns `true` if the destination works, and no maintenance is in effect.
    pub(super) fn serves(&self, now: Instant) -> bool {
        self.works() && self.maintained(now).is_none()
    }

    /// Returns the weight that the table held at the start.
    pub(super) fn weight_at_start(&self) -> u32 {
        self.held.unwrap_or(0)
    }

    /// Returns `true` if the destination works, as far as is known.
    pub(super) fn works(&self) -> bool {
        match self.verdict {
            Verdict::Up => self.share != Share::percent(0),
            Verdict::Unknown => self.weight_at_start() > 0,
            Verdict::Down => false,
        }
    }
}
