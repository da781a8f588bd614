//! What a controller knows of one service at rest.

use std::collections::BTreeSet;
use std::mem;
use std::time::Instant;

use crate::model::{DestinationId, ServiceId};
use crate::table::controller::{Event, Wish};
use crate::table::{DrainPolicy, TableDestination, TableService};

/// A service that is wished, or that is to leave.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The wish, or `None` if the service is to leave.
    pub(super) wish: Option<TableService>,
    /// The destinations that the wish marks to be deleted without a wait when they leave. `None`
    /// stands for all.
    at_once: Option<BTreeSet<DestinationId>>,
    /// The destinations that former wishes marked, and that are not wished any more.
    marked_before: BTreeSet<DestinationId>,
    /// How destinations drain, if the last wish said it.
    drain: Option<DrainPolicy>,
    pub(super) stage: Stage,
    pub(super) serving: Serving,
}

/// How far the wish for a service has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is known, or an attempt failed.
    Open,
    /// The wish cannot be carried out, and the program knows.
    Refused,
    /// Everything was written. A reading is to confirm it.
    Written,
    /// A reading has confirmed that the service is as wished.
    Settled,
}

/// What the program was told last about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serving {
    /// Nothing, or that the service does not serve.
    No,
    /// That the service serves.
    Yes,
    /// That the service is about to leave, and when its hold time ends.
    Leaving(Instant),
}

impl Kept {
    /// A service that nobody has wished, but that is in scope.
    pub(super) const fn leaving() -> Self {
        Self {
            wish: None,
            at_once: Some(BTreeSet::new()),
            marked_before: BTreeSet::new(),
            drain: None,
            stage: Stage::Open,
            serving: Serving::No,
        }
    }

    pub(super) fn wished(wish: Wish) -> Self {
        let Wish { service, at_once, all_at_once, drain } = wish;
        let at_once = (!all_at_once).then_some(at_once);
        Self { wish: Some(service), at_once, drain, ..Self::leaving() }
    }

    /// Returns `true` if the wish is the same as this one.
    pub(super) fn is(&self, wish: &Wish) -> bool {
        let at_once = (!wish.all_at_once).then_some(&wish.at_once);
        self.wish.as_ref() == Some(&wish.service)
            && self.at_once.as_ref() == at_once
            && self.drain == wish.drain
    }

    /// Takes a new wish. How a destination leaves that the new wish has not is what any of both
    /// wishes said.
    pub(super) fn replace(&mut self, wish: Wish) {
        let Wish { service, at_once, all_at_once, drain } = wish;
        self.marked_before.extend(self.at_once.iter().flatten());
        if all_at_once || self.at_once.is_none() {
            self.mark_all();
        }
        self.marked_before.retain(|id| service.destination(*id).is_none());
        self.at_once = (!all_at_once).then_some(at_once);
        self.drain = drain;
        self.wish = Some(service);
        self.stage = Stage::Open;
    }

    /// Takes the wish back.
    pub(super) fn forget(&mut self) {
        if self.at_once.is_none() {
            self.mark_all();
        }
        self.wish = None;
        self.stage = Stage::Open;
    }

    /// Marks all destinations of the wish.
    fn mark_all(&mut self) {
        let wished = self.wish.iter().flat_map(TableService::destinations);
        self.marked_before.extend(wished.map(TableDestination::id));
    }

    /// Forgets that former wishes marked destinations that are not there.
    pub(super) fn forget_gone(&mut self, is_there: impl Fn(DestinationId) -> bool) {
        self.marked_before.retain(|id| is_there(*id));
    }

    /// Notes whether a wished service serves. Returns what the program is told, if that is new.
    pub(super) fn tell_serving(&mut self, id: ServiceId, serves: bool) -> Option<Event> {
        self.wish.as_ref()?;
        let now = if serves { Serving::Yes } else { Serving::No };
        match (mem::replace(&mut self.serving, now), serves) {
            (Serving::No | Serving::Leaving(_), true) => Some(Event::Serving(id)),
            (Serving::Yes, false) => Some(Event::NotServing(id)),
            _ => None,
        }
    }

    /// Returns `true` if there is a wish whose fate is not known yet.
    pub(super) const fn is_unsettled(&self) -> bool {
        self.wish.is_some() && matches!(self.stage, Stage::Open | Stage::Written)
    }

    /// Returns how destinations drain: as the last wish said, or else as usual. `None` means not at all.
    pub(super) fn drain(&self, usual: Option<DrainPolicy>) -> Option<DrainPolicy> {
        self.drain.or(usual)
    }

    /// Returns `true` if a destination is deleted without a wait when it leaves.
    pub(super) fn leaves_at_once(&self, id: DestinationId) -> bool {
        self.at_once.as_ref().is_none_or(|at_once| at_once.contains(&id))
            || self.marked_before.contains(&id)
    }

    /// Returns `true` if the destination is wished.
    pub(super) fn wishes(&self, id: DestinationId) -> bool {
        self.wish.as_ref().is_some_and(|wish| wish.destination(id).is_some())
    }
}
