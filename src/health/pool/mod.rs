//! What the table is to hold of a service, by verdicts, maintenance and policy.

mod event;
mod maintenance;
mod member;
mod policy;
mod ramp;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use crate::health::pool::member::Member;
use crate::health::{Share, Verdict};
use crate::model::{DestinationId, Protocol, ServiceId, ServiceSnapshot};
use crate::table::TableService;
use crate::table::controller::Wish;

pub use event::PoolEvent;
pub use maintenance::{Maintenance, MaintenanceKind};
pub use policy::{PoolPolicy, SlowStart, WhenDead};

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
    available: bool,
    sorry: bool,
    last: Option<Wish>,
    events: VecDeque<PoolEvent>,
}

impl Pool {
    /// Creates a pool. `held` is the service as the table holds it now: a destination that is there
    /// keeps its weight until a check has decided about it. A destination that is not there enters
    /// the table after its first success.
    #[must_use]
    pub fn new(desired: TableService, policy: PoolPolicy, held: Option<&ServiceSnapshot>) -> Self {
        let entry = |id| held.and_then(|held| held.destination(id));
        let weight = |id| entry(id).map(|entry| entry.destination.weight);
        let members = desired.destinations().map(|destination| {
            let id = destination.id();
            (id, Member::at_start(weight(id)))
        });
        let members: BTreeMap<_, _> = members.collect();
        let sorry = policy.sorry.as_ref().is_some_and(|sorry| entry(sorry.id).is_some());
        let mut pool = Self {
            desired,
            policy,
            members,
            available: false,
            sorry,
            last: None,
            events: VecDeque::new(),
        };
        // Nothing has begun or ended yet.
        pool.available = pool.counted() >= pool.quorum();
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
    /// kept: a dead destination stays out.
    pub fn set_desired(&mut self, desired: TableService, policy: PoolPolicy, now: Instant) {
        self.members.retain(|id, _| desired.destination(*id).is_some());
        for destination in desired.destinations() {
            self.members.entry(destination.id()).or_insert_with(Member::absent);
        }
        (self.desired, self.policy) = (desired, policy);
        self.decide(now);
    }

    /// Takes in the verdict on a destination.
    pub fn verdict(&mut self, id: DestinationId, verdict: Verdict, now: Instant) {
        let Some(member) = self.members.get(&id) else { return };
        self.judge([(id, verdict, member.share)], now);
    }

    /// Sets the part of its weight that a destination is to have.
    pub fn share(&mut self, id: DestinationId, share: Share, now: Instant) {
        let Some(member) = self.members.get(&id) else { return };
        self.judge([(id, member.verdict, share)], now);
    }

    /// Takes in the verdicts on destinations and the parts of their weights, and decides once.
    pub(in crate::health) fn judge(
        &mut self,
        judged: impl IntoIterator<Item = (DestinationId, Verdict, Share)>,
        now: Instant,
    ) {
        let (mut changed, mut known) = (false, Vec::new());
        for (id, verdict, share) in judged {
            let Some(member) = self.members.get_mut(&id) else { continue };
            changed |= (member.verdict, member.share) != (verdict, share);
            member.share = share;
            if member.verdict == verdict {
                continue;
            }
            member.verdict = verdict;
            self.events.push_back(PoolEvent::Verdict {
                destination: id,
                verdict,
                reason: String::new(),
            });
            if verdict != Verdict::Unknown {
                known.push(id);
            }
        }
        if !changed {
            return;
        }
        self.decide(now);
        for id in known {
            if let Some(member) = self.members.get_mut(&id) {
                (member.held, member.is_first) = (None, false);
            }
        }
    }

    /// Begins an operator's maintenance of a destination, or replaces the one that there is.
    ///
    /// If the pool ceases to be available by it, [`PoolEvent::Unavailable`] comes first, and the
    /// maintenance takes effect after [`PoolPolicy::hold`].
    pub fn maintain(&mut self, id: DestinationId, maintenance: Maintenance, now: Instant) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let begun = member.maintenance.take().map(|(_, from)| from);
        let event = Some(maintenance.clone());
        member.maintenance = Some((maintenance, now));
        self.events.push_back(PoolEvent::Maintenance { destination: id, maintenance: event });
        let suffices = self.counted() >= self.least();
        let from = match begun {
            Some(from) => from,
            None if self.available && !suffices => now.checked_add(self.policy.hold).unwrap_or(now),
            None => now,
        };
        if let Some(member) = self.members.get_mut(&id) {
            member.maintenance = member.maintenance.take().map(|(what, _)| (what, from));
        }
        self.decide(now);
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
        let slow_start = self.policy.slow_start;
        let times = self.members.values().flat_map(|member| {
            let maintenance = member.maintenance.as_ref();
            let effect = maintenance.map(|(_, from)| *from).filter(|from| *from > now);
            let end = maintenance.and_then(|(maintenance, _)| maintenance.until);
            let ramp = slow_start.zip(member.ramp);
            let step = ramp.and_then(|(slow, begun)| ramp::part(slow, begun, now));
            [effect, end, step.map(|(_, next)| next)].into_iter().flatten()
        });
        times.min()
    }

    /// Returns the number of live destinations that no maintenance takes out now or soon.
    fn counted(&self) -> u32 {
        let counts = |(id, member): (&DestinationId, &Member)| {
            member.works() && member.maintenance.is_none() && self.desired_weight(*id) > 0
        };
        u32::try_from(self.members.iter().filter(|member| counts(*member)).count())
            .unwrap_or(u32::MAX)
    }

    fn quorum(&self) -> u32 {
        self.policy.quorum.max(1)
    }

    /// Returns the fewest live destinations with which an available pool stays available.
    fn least(&self) -> u32 {
        self.quorum().saturating_sub(self.policy.hysteresis).max(1)
    }

    fn desired_weight(&self, id: DestinationId) -> u32 {
        self.desired.destination(id).map_or(0, |desired| desired.destination().weight)
    }

    /// Decides which destinations are in rotation.
    fn decide(&mut self, now: Instant) {
        self.end_expired(now);
        self.decide_availability(now);
        let desired = &self.desired;
        let is_desired = |id: DestinationId| {
            desired.destination(id).is_some_and(|desired| desired.destination().weight > 0)
        };
        let (mut all, mut live, mut unknown) = (0_usize, 0_usize, 0_usize);
        for (id, member) in &self.members {
            if is_desired(*id) && !member.is_maintained(now) {
                all += 1;
                live += usize::from(member.works());
                unknown += usize::from(member.verdict == Verdict::Unknown);
            }
        }
        let has_sorry = self.policy.sorry.is_some();
        let panic = usize::from(self.policy.panic.min(100));
        let may_leave = match live {
            0 if has_sorry => true,
            0 => !self.policy.keep_last && panic == 0,
            _ => live * 100 >= panic * all,
        };
        let slow = self.policy.slow_start.filter(|_| ramp::uses_weights(desired.service()));
        let mut leave = false;
        for (id, member) in &mut self.members {
            let stopped = member.is_maintained(now) || !is_desired(*id);
            let works = member.works() && !stopped;
            let kept =
                member.in_rotation && member.verdict == Verdict::Down && !stopped && !may_leave;
            if kept && !member.told_kept {
                self.events.push_back(PoolEvent::Kept(*id));
            }
            member.told_kept = kept;
            match (member.in_rotation, works || kept) {
                (false, true) => {
                    // With nobody else in rotation a slow start has no effect.
                    let ramps = slow.is_some() && live > 1 && !member.is_first;
                    member.ramp = ramps.then_some(now);
                    self.events.push_back(PoolEvent::PutBack(*id));
                }
                (true, false) => {
                    leave = true;
                    member.ramp = None;
                    self.events.push_back(PoolEvent::TakenOut(*id));
                }
                _ => {}
            }
            member.in_rotation = works || kept;
        }
        match (self.sorry, has_sorry) {
            // At a first start nothing is known, and nothing was there that could be missed.
            (false, true) if live == 0 && (leave || unknown == 0) => {
                self.sorry = true;
                self.events.push_back(PoolEvent::SorryServerIn);
            }
            (true, _) if live > 0 || !has_sorry => {
                self.sorry = false;
                self.events.push_back(PoolEvent::SorryServerOut);
            }
            _ => {}
        }
    }

    /// Ends maintenances whose time has come.
    fn end_expired(&mut self, now: Instant) {
        for (id, member) in &mut self.members {
            let until = member.maintenance.as_ref().and_then(|(maintenance, _)| maintenance.until);
            if until.is_some_and(|until| until <= now) {
                member.maintenance = None;
                let event = PoolEvent::Maintenance { destination: *id, maintenance: None };
                self.events.push_back(event);
            }
        }
    }

    fn decide_availability(&mut self, now: Instant) {
        let counted = self.counted();
        let available = match self.available {
            true => counted >= self.least(),
            false => counted >= self.quorum().saturating_add(self.policy.hysteresis),
        };
        match (self.available, available) {
            (false, true) => self.events.push_back(PoolEvent::Available),
            (true, false) => {
                let effects = self.members.values().filter_map(|member| {
                    member.maintenance.as_ref().map(|(_, from)| (*from).max(now))
                });
                let until = effects.max().unwrap_or(now);
                self.events.push_back(PoolEvent::Unavailable { until });
            }
            _ => {}
        }
        self.available = available;
    }

    /// Combines what is desired, known and decided.
    fn combined(&mut self, now: Instant) -> Wish {
        let service = self.desired.service();
        let slow = self.policy.slow_start.filter(|_| ramp::uses_weights(service));
        let weights = self.desired.destinations().map(|desired| desired.destination().weight);
        let factor = ramp::factor(slow, weights);
        let deletes_dead = match self.policy.when_dead {
            WhenDead::WeightZero => false,
            WhenDead::Delete => true,
            WhenDead::Auto => {
                let udp = matches!(service.id, ServiceId::Address { protocol: Protocol::UDP, .. });
                udp || service.persistence.is_some() || !service.drains_at_weight_zero()
            }
        };
        let mut table = TableService::new(service.clone());
        let mut dead = Vec::new();
        for desired in self.desired.destinations() {
            let id = desired.id();
            let Some(member) = self.members.get_mut(&id) else { continue };
            let part = slow.zip(member.ramp).and_then(|(slow, begun)| ramp::part(slow, begun, now));
            let ramp = part.map_or(Share::FULL, |(share, _)| share);
            let whole = desired.destination().weight.saturating_mul(factor);
            let maintenance = member.maintenance.as_ref().filter(|(_, from)| *from <= now);
            let kind = maintenance.map(|(maintenance, _)| maintenance.kind);
            let weight = match (kind, member.verdict) {
                (Some(MaintenanceKind::Out), _) => None,
                (Some(MaintenanceKind::Drain), _) => member.present.then_some(0),
                (None, Verdict::Unknown) => member.held,
                (None, Verdict::Down) if !member.in_rotation => {
                    (member.present && !deletes_dead).then_some(0)
                }
                (None, _) => Some((ramp * member.share).of(whole)),
            };
            member.present = weight.is_some();
            if member.verdict == Verdict::Down {
                dead.push(id);
            }
            if let Some(weight) = weight {
                let destination = desired.destination().clone().weight(weight);
                table.insert(destination);
            }
        }
        if let Some(sorry) = self.policy.sorry.as_ref().filter(|_| self.sorry) {
            if self.desired.destination(sorry.id).is_none() {
                table.insert(sorry.clone());
            }
        }
        dead.into_iter().fold(Wish::new(table), Wish::at_once)
    }
}
