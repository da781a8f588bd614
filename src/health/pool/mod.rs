//! What the table is to hold of a service, by verdicts, maintenance and policy.

mod combined;
mod decision;
mod event;
mod maintenance;
mod member;
mod policy;
mod ramp;
mod status;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::time::Instant;

use crate::health::pool::member::{Former, Member};
use crate::health::{Share, Verdict};
use crate::model::{Destination, DestinationId, ServiceId, ServiceSnapshot};
use crate::table::TableService;
use crate::table::controller::{Wish, after};

pub use event::PoolEvent;
pub use maintenance::{Maintenance, MaintenanceKind};
pub use policy::{PoolPolicy, SlowStart, WhenDead};
pub use status::{MemberStatus, PoolStatus, SlowStartStatus};

/// Decides what the table is to hold of one service.
///
/// A pool keeps apart what the program desires, what checks have found, and what an operator has
/// decided, and combines them into a [`Wish`] for a
/// [`Controller`](crate::table::controller::Controller). It has no socket, no clock and no thread.
///
/// ```
/// use std::time::Instant;
///
/// use ipvs_netlink::health::{Pool, PoolPolicy, Verdict};
/// use ipvs_netlink::table::TableService;
/// use ipvs_netlink::{Destination, Service};
///
/// let (first, second) = ("10.0.0.2:8080".parse()?, "10.0.0.3:8080".parse()?);
/// let desired = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
///     .with(Destination::masquerade(first))
///     .with(Destination::masquerade(second));
/// let now = Instant::now();
/// let mut pool = Pool::new(desired, PoolPolicy::new(), None);
/// pool.verdict(first.into(), Verdict::Up, now);
/// pool.verdict(second.into(), Verdict::Up, now);
/// let wish = pool.wish(now).expect("both are to be there");
/// assert_eq!(wish.service().destinations().len(), 2);
/// pool.verdict(first.into(), Verdict::Down, now);
/// let wish = pool.wish(now).expect("the table is to change");
/// assert_eq!(wish.service().destination(first.into()).and_then(|there| there.weight()), Some(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pool {
    desired: TableService,
    policy: PoolPolicy,
    members: BTreeMap<DestinationId, Member>,
    /// Destinations that were in rotation when they ceased to be desired.
    former: BTreeMap<DestinationId, Former>,
    available: bool,
    /// When the pool became available, or ceased to be it, last.
    since: Option<Instant>,
    /// The end of the hold time that began when the pool ceased to be available.
    hold_until: Option<Instant>,
    /// Live destinations that a new table takes out of rotation, and that stay for the hold time.
    lingering: BTreeMap<DestinationId, Former>,
    sorry: bool,
    /// `true` while no check has decided about some of the destinations that the table held at the
    /// start. No new table has come meanwhile.
    starting: bool,
    last: Option<Wish>,
    events: VecDeque<PoolEvent>,
}

impl Pool {
    /// Creates a pool. `held` is the service as the table holds it now: a destination that is there
    /// keeps its weight until a check has decided about it, unless the desired weight is 0. A
    /// destination that is not there enters the table after its first success.
    ///
    /// A destination of the table that is not desired leaves, as after
    /// [`set_desired`](Self::set_desired).
    ///
    /// The weights of the table may be multiplied otherwise than those of the policy, such as by a
    /// new [slow start](PoolPolicy::slow_start). So until checks have decided about all destinations
    /// that the table has with a weight, those that are up keep the weights that they had, and no
    /// other gets more than the largest of these. This ends also with
    /// [`set_desired`](Self::set_desired). A destination whose share changes follows it.
    ///
    /// The table does not say why a weight is 0. So a [maintenance](Self::maintain) ends with the
    /// first success of a check, and so does what an agent drained before, unless the program says
    /// again that there is a maintenance.
    #[must_use]
    pub fn new(desired: TableService, policy: PoolPolicy, held: Option<&ServiceSnapshot>) -> Self {
        let held = held.map_or(&[][..], |held| &held.destinations);
        let held = held.iter().map(|entry| (entry.id(), &entry.destination));
        let mut held: BTreeMap<_, _> = held.collect();
        let members = desired.destinations().map(|destination| {
            let weight = held.remove(&destination.id()).map(|there| there.weight);
            (destination.id(), Member::at_start(weight))
        });
        let members: BTreeMap<_, _> = members.collect();
        held.retain(|_, there| there.weight > 0);
        let sorry = policy.sorry.as_ref().is_some_and(|sorry| held.remove(&sorry.id).is_some());
        let former = held.into_iter().map(|(id, there)| {
            let member = Member::at_start(Some(there.weight));
            (id, Former { destination: there.clone(), member })
        });
        let mut pool = Self {
            former: former.collect(),
            desired,
            policy,
            members,
            available: false,
            since: None,
            hold_until: None,
            lingering: BTreeMap::new(),
            sorry,
            starting: true,
            last: None,
            events: VecDeque::new(),
        };
        // Nothing has begun or ended yet: a pool that can have been available still is.
        pool.available = pool.counted() >= pool.least();
        pool
    }

    /// Returns the id of the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.desired.id()
    }

    /// Returns the desired service, with the desired weights.
    #[must_use]
    pub const fn desired(&self) -> &TableService {
        &self.desired
    }

    /// Replaces the desired service and the policy. What is known of destinations that stay is
    /// kept: a dead destination stays out, and a maintenance goes on.
    ///
    /// Destinations in rotation that are not desired any more leave. If too few of the desired
    /// ones are live for the quorum, and nothing is known yet of some, the former ones stay until
    /// enough are live or checks have decided about all. Where the policy keeps the last
    /// destination, and there is no sorry server, they stay until one of the desired ones is live.
    /// Nobody checks them meanwhile.
    ///
    /// If the pool ceases to be available by the new table, [`PoolEvent::Unavailable`] comes first, and
    /// live destinations that the table takes out stay for [`PoolPolicy::hold`]. What another table takes
    /// out meanwhile stays for the rest of this time. One that dies leaves at once.
    pub fn set_desired(&mut self, desired: TableService, policy: PoolPolicy, now: Instant) {
        let before = self.combined(now);
        let live = self.live_in(&before, now);
        let mut known = mem::take(&mut self.members);
        let former = mem::take(&mut self.former).into_iter();
        known.extend(former.map(|(id, former)| (id, former.member)));
        for (id, lingering) in &mut self.lingering {
            let member = known.entry(*id).or_insert_with(|| lingering.member.clone());
            lingering.member = member.clone();
        }
        for destination in desired.destinations() {
            let id = destination.id();
            self.members.insert(id, known.remove(&id).unwrap_or_else(Member::absent));
        }
        known.retain(|_, member| member.in_rotation);
        for (id, member) in known {
            let Some(there) = before.service().destination(id) else { continue };
            let destination = there.destination().clone();
            self.former.insert(id, Former { destination, member });
        }
        (self.desired, self.policy) = (desired, policy);
        self.starting = false;
        self.decide_after(live, now);
    }

    /// Returns the live destinations that have a weight in a wish, also those whose maintenance waits.
    fn live_in(&self, wish: &Wish, now: Instant) -> Vec<Former> {
        let there = wish.service().destinations().map(|there| there.destination());
        let live = there.filter(|there| there.weight > 0 && self.serves(there.id, now));
        let of = |there: &Destination| {
            let member = self.members.get(&there.id)?.clone();
            Some(Former { destination: there.clone(), member })
        };
        live.filter_map(of).collect()
    }

    /// Takes in the verdict on a destination. A destination on which a check has decided does not
    /// become unknown again: what was decided stays until the next decision.
    pub fn verdict(&mut self, id: DestinationId, verdict: Verdict, now: Instant) {
        let Some(member) = self.members.get(&id) else { return };
        self.judge([(id, verdict, Some(member.share))], now);
    }

    /// Sets the part of its weight that a destination is to have. With 0 percent it leaves the
    /// rotation like a dead one, and stays like a dead one if too few are live.
    pub fn share(&mut self, id: DestinationId, share: Share, now: Instant) {
        let Some(member) = self.members.get(&id) else { return };
        self.judge([(id, member.verdict, Some(share))], now);
    }

    /// Takes in the verdicts on destinations and the parts of their weights, and decides once. With
    /// `None` the part stays, and a destination that the table held at the start stays as it was
    /// held unless it is dead.
    pub(in crate::health) fn judge(
        &mut self,
        judged: impl IntoIterator<Item = (DestinationId, Verdict, Option<Share>)>,
        now: Instant,
    ) {
        let (mut changed, mut decided) = (false, Vec::new());
        for (id, verdict, share) in judged {
            let Some(member) = self.members.get_mut(&id) else { continue };
            let is_held = member.verdict == Verdict::Unknown && member.held.is_some();
            let waits = share.is_none() && is_held && verdict == Verdict::Up;
            let share = share.unwrap_or(member.share);
            if member.share != share {
                changed = true;
                if member.verdict != Verdict::Unknown {
                    member.held = None;
                }
            }
            member.share = share;
            if member.verdict == verdict || verdict == Verdict::Unknown || waits {
                continue;
            }
            member.verdict = verdict;
            member.since = Some(now);
            let reason = String::new();
            self.events.push_back(PoolEvent::Verdict { destination: id, verdict, reason });
            decided.push(id);
        }
        if !changed && decided.is_empty() {
            return;
        }
        self.decide(now);
        for id in decided {
            if let Some(member) = self.members.get_mut(&id) {
                member.is_first = false;
            }
        }
    }

    /// Begins an operator's maintenance of a destination, or replaces the one that there is. Does
    /// nothing, and causes no event, if the destination is not desired.
    ///
    /// If the pool ceases to be available by it, [`PoolEvent::Unavailable`] comes first, and the
    /// maintenance takes effect after [`PoolPolicy::hold`]. A maintenance of another live
    /// destination that begins meanwhile waits, too.
    pub fn maintain(&mut self, id: DestinationId, maintenance: Maintenance, now: Instant) {
        let counts = self.counts(id);
        let suffices = self.counted().saturating_sub(u32::from(counts)) >= self.least();
        let Some(member) = self.members.get_mut(&id) else { return };
        if self.available && !suffices {
            self.hold_until = Some(after(now, self.policy.hold));
        }
        let hold = self.hold_until.filter(|until| counts && *until > now).unwrap_or(now);
        let from = member.maintenance.take().map_or(hold, |(_, from)| from);
        let event = Some(maintenance.clone());
        member.maintenance = Some((maintenance, from));
        self.events.push_back(PoolEvent::Maintenance { destination: id, maintenance: event });
        self.decide(now);
        if self.available {
            // The maintenance has ended at once.
            self.hold_until = None;
        }
    }

    /// Ends an operator's maintenance of a destination.
    pub fn end_maintenance(&mut self, id: DestinationId, now: Instant) {
        let ended = self.members.get_mut(&id).and_then(|member| member.maintenance.take());
        if ended.is_some() {
            let event = PoolEvent::Maintenance { destination: id, maintenance: None };
            self.events.push_back(event);
            self.decide(now);
        }
    }

    /// Returns the maintenance of a destination.
    #[must_use]
    pub fn maintenance(&self, id: DestinationId) -> Option<&Maintenance> {
        self.members.get(&id)?.maintenance.as_ref().map(|(maintenance, _)| maintenance)
    }

    /// Returns `true` if the live destinations meet the quorum.
    #[must_use]
    pub const fn is_available(&self) -> bool {
        self.available
    }

    /// Returns the events, in their order, and removes them.
    pub fn events(&mut self) -> impl Iterator<Item = PoolEvent> + use<'_> {
        self.events.drain(..)
    }

    /// Returns what the table is to hold at the time `now`, if that differs from what the last call
    /// returned.
    pub fn wish(&mut self, now: Instant) -> Option<Wish> {
        self.decide(now);
        let wish = self.combined(now);
        if self.last.as_ref() == Some(&wish) {
            return None;
        }
        self.last = Some(wish.clone());
        Some(wish)
    }

    /// Returns what [`wish`](Self::wish) returned last.
    #[must_use]
    pub const fn last_wish(&self) -> Option<&Wish> {
        self.last.as_ref()
    }

    /// Returns when [`wish`](Self::wish) may change next without new verdicts or decisions.
    #[must_use]
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let slow_start = self.slow_start();
        let former = self.former.values().map(|former| &former.member);
        let times = self.members.values().chain(former).flat_map(|member| {
            let maintenance = member.maintenance.as_ref();
            let effect = maintenance.map(|(_, from)| *from).filter(|from| *from > now);
            let end = maintenance.and_then(|(maintenance, _)| maintenance.until);
            let ramp = slow_start.zip(member.ramp);
            let step = ramp.and_then(|(slow, begun)| ramp::part(slow, begun, now));
            [effect, end, step.map(|(_, next)| next)].into_iter().flatten()
        });
        let hold = self.hold_until.filter(|until| !self.lingering.is_empty() && *until > now);
        times.chain(hold).min()
    }
}
