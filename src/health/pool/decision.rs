//! Which destinations are in rotation, and whether the pool is available.

use std::collections::BTreeMap;
use std::mem;
use std::time::Instant;

use crate::health::pool::member::{Former, Member};
use crate::health::pool::{Pool, PoolEvent, ramp};
use crate::health::{SlowStart, Verdict};
use crate::model::{Destination, DestinationId};
use crate::table::controller::after;

/// The destinations that may be in rotation: desired ones that no operator has stopped.
#[derive(Clone, Copy, Default)]
struct Count {
    all: usize,
    live: usize,
    /// Those that are live or in rotation, before the decision.
    rotating: usize,
    /// Those of which nothing is known.
    unknown: usize,
}

impl Pool {
    /// Decides which destinations are in rotation.
    pub(super) fn decide(&mut self, now: Instant) {
        self.decide_after(Vec::new(), now);
    }

    /// Decides which destinations are in rotation after a new table has come. `live` are the live
    /// destinations that the table held before.
    pub(super) fn decide_after(&mut self, mut live: Vec<Former>, now: Instant) {
        self.end_expired(now);
        let is_undecided =
            |member: &Member| member.verdict == Verdict::Unknown && member.weight_at_start() > 0;
        self.starting &= self.members.values().any(is_undecided);
        let has_sorry = self.sorry_server(now).is_some();
        let left = self.decide_former(self.count(now), has_sorry, now);
        let mut leaves = !left.is_empty();
        live.extend(left.into_iter().filter(|former| former.member.serves(now)));
        let lingered = self.lingering.len();
        self.decide_availability(live, now);
        leaves |= self.lingering.len() < lingered;
        let count = self.count(now);
        leaves |= self.decide_members(count, self.fewest(count, has_sorry), now);
        let nobody = count.live == 0 && self.former.is_empty();
        // At a first start nothing is known, and nothing was there that could be missed.
        let knows = count.unknown == 0 || count.unknown < count.all;
        match self.sorry {
            false if has_sorry && nobody && (leaves || knows) => {
                self.sorry = true;
                self.events.push_back(PoolEvent::SorryServerIn);
            }
            true if count.live > 0 || !has_sorry => {
                self.sorry = false;
                self.events.push_back(PoolEvent::SorryServerOut);
            }
            _ => {}
        }
    }

    fn count(&self, now: Instant) -> Count {
        let mut count = Count::default();
        for (id, member) in &self.members {
            if self.desired_weight(*id) > 0 && member.maintained(now).is_none() {
                count.all += 1;
                count.live += usize::from(member.works());
                count.rotating += usize::from(member.works() || member.admitted);
                count.unknown += usize::from(member.verdict == Verdict::Unknown);
            }
        }
        count
    }

    /// Returns how many destinations are to stay in rotation, dead ones if too few are live.
    fn fewest(&self, count: Count, has_sorry: bool) -> usize {
        let panic = usize::from(self.policy.panic.min(100));
        match count.live {
            0 if has_sorry => 0,
            _ => (panic * count.all).div_ceil(100).max(usize::from(self.policy.keep_last)),
        }
    }

    /// Decides whether former destinations stay. Returns those that leave.
    fn decide_former(&mut self, count: Count, has_sorry: bool, now: Instant) -> Vec<Former> {
        let suffices = u32::try_from(count.live).is_ok_and(|live| live >= self.least());
        let waits = !suffices && count.unknown > 0;
        // Without them nobody would be left.
        let keeps_last = self.policy.keep_last || self.policy.panic > 0;
        let are_last = count.all > 0 && count.live == 0 && keeps_last && !has_sorry;
        let stay = waits || are_last;
        let stays = |former: &Former| stay && former.member.maintained(now).is_none();
        let (stay, leave): (BTreeMap<_, _>, BTreeMap<_, _>) =
            mem::take(&mut self.former).into_iter().partition(|(_, former)| stays(former));
        self.former = stay;
        leave.into_values().collect()
    }

    /// Decides about each desired destination. Returns `true` if one leaves the rotation.
    fn decide_members(&mut self, count: Count, fewest: usize, now: Instant) -> bool {
        // The number does not depend on the order in which they have died.
        let mut rotating = count.rotating;
        let ramps = self.slow_start().is_some();
        let mut leaves = false;
        for (id, member) in &mut self.members {
            let weight = self.desired.destination(*id).map(|desired| desired.destination().weight);
            let stopped = member.maintained(now).is_some() || weight.unwrap_or(0) == 0;
            let was_admitted = member.admitted && weight.unwrap_or(0) > 0;
            let stays = if stopped { count.rotating < fewest } else { rotating <= fewest };
            member.admitted = member.works() || (was_admitted && stays);
            rotating -= usize::from(was_admitted && !member.admitted && !stopped);
            let rotates = member.admitted && !stopped;
            let kept = rotates && !member.works();
            if kept && !member.told_kept {
                self.events.push_back(PoolEvent::Kept(*id));
            }
            member.told_kept = kept;
            match (member.in_rotation, rotates) {
                (false, true) => {
                    // With nobody else in rotation a slow start has no effect.
                    let ramps = ramps && count.live > 1 && !member.is_first;
                    member.ramp = ramps.then_some(now);
                    self.events.push_back(PoolEvent::PutBack(*id));
                }
                (true, false) => {
                    leaves = true;
                    member.ramp = None;
                    self.events.push_back(PoolEvent::TakenOut(*id));
                }
                _ => {}
            }
            member.in_rotation = rotates;
        }
        leaves
    }

    /// Returns the sorry server, unless an operator has stopped it as a desired destination.
    pub(super) fn sorry_server(&self, now: Instant) -> Option<&Destination> {
        let is_stopped = |id: &DestinationId| {
            self.members.get(id).is_some_and(|member| member.maintained(now).is_some())
        };
        self.policy.sorry.as_ref().filter(|sorry| !is_stopped(&sorry.id))
    }

    /// Ends maintenances whose time has come.
    fn end_expired(&mut self, now: Instant) {
        let former = self.former.iter_mut().map(|(id, former)| (id, &mut former.member));
        for (id, member) in self.members.iter_mut().chain(former) {
            let until = member.maintenance.as_ref().and_then(|(maintenance, _)| maintenance.until);
            if until.is_some_and(|until| until <= now) {
                member.maintenance = None;
                let event = PoolEvent::Maintenance { destination: *id, maintenance: None };
                self.events.push_back(event);
            }
        }
    }

    /// Decides whether the pool is available. If it ceases to be, those of `live` linger that are out of
    /// rotation now. Others that leave before the hold time is over join them.
    fn decide_availability(&mut self, live: Vec<Former>, now: Instant) {
        let counted = self.counted();
        let available = match self.available {
            true => counted >= self.least(),
            false => counted >= self.enough(),
        };
        let leaves = |(id, _): &(DestinationId, Former)| {
            !self.serves(*id, now) && !self.former.contains_key(id)
        };
        let live = live.into_iter().map(|former| (former.destination.id, former));
        let leaving: Vec<_> = live.filter(leaves).collect();
        match (self.available, available) {
            (false, true) => {
                self.hold_until = None;
                self.lingering.clear();
                // Maintenances need not wait any more.
                for (_, from) in self.members.values_mut().flat_map(|it| &mut it.maintenance) {
                    *from = now.min(*from);
                }
                self.events.push_back(PoolEvent::Available);
            }
            (true, false) => {
                self.lingering = leaving.into_iter().collect();
                if !self.lingering.is_empty() && !self.policy.hold.is_zero() {
                    self.hold_until = Some(after(now, self.policy.hold));
                }
                let until = self.hold_until.unwrap_or(now);
                self.events.push_back(PoolEvent::Unavailable { until });
            }
            (false, false) => self.lingering.extend(leaving),
            (true, true) => {}
        }
        if self.available != available {
            self.since = Some(now);
        }
        self.available = available;
        let is_over = self.hold_until.is_none_or(|until| until <= now);
        let mut lingering = mem::take(&mut self.lingering);
        lingering.retain(|id, _| {
            let lives = self.members.get(id).is_none_or(Member::works);
            !is_over && lives && !self.serves(*id, now)
        });
        self.lingering = lingering;
    }

    /// Returns the number of live destinations that no maintenance takes out now or soon.
    pub(super) fn counted(&self) -> u32 {
        let desired = self.members.keys().filter(|id| self.counts(**id));
        let former = self.former.values().filter(|former| former.member.counts());
        u32::try_from(desired.count() + former.count()).unwrap_or(u32::MAX)
    }

    /// Returns `true` if a destination is live, and no maintenance takes it out now or soon.
    pub(super) fn counts(&self, id: DestinationId) -> bool {
        self.members.get(&id).is_some_and(Member::counts) && self.desired_weight(id) > 0
    }

    /// Returns `true` if a destination is live, and no maintenance has taken it out yet.
    pub(super) fn serves(&self, id: DestinationId, now: Instant) -> bool {
        self.members.get(&id).is_some_and(|member| member.serves(now))
            && self.desired_weight(id) > 0
    }

    fn quorum(&self) -> u32 {
        self.policy.quorum.max(1)
    }

    /// Returns the fewest live destinations with which an available pool stays available.
    pub(super) fn least(&self) -> u32 {
        self.quorum().saturating_sub(self.policy.hysteresis).max(1)
    }

    /// Returns the fewest live destinations that make the pool available.
    pub(super) fn enough(&self) -> u32 {
        self.quorum().saturating_add(self.policy.hysteresis)
    }

    fn desired_weight(&self, id: DestinationId) -> u32 {
        self.desired.destination(id).map_or(0, |desired| desired.destination().weight)
    }

    /// Returns how weights grow, if they do with the scheduler of the service.
    pub(super) fn slow_start(&self) -> Option<SlowStart> {
        self.policy.slow_start.filter(|_| ramp::uses_weights(self.desired.service()))
    }
}
