//! What a pool has decided, as a value.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::health::pool::member::Member;
use crate::health::pool::{Pool, ramp};
use crate::health::{Maintenance, Share, Verdict};
use crate::model::{DestinationId, ServiceId};

/// What a [`Pool`] has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// The service.
    pub service: ServiceId,
    /// Whether the live destinations meet the quorum.
    pub is_available: bool,
    /// Since when; `None` if it is as it was at the start.
    pub since: Option<Instant>,
    /// The live destinations that no maintenance takes out now or soon.
    pub live: u32,
    /// How many live destinations the pool needs: to stay available, or to become it.
    pub needed: u32,
    /// The end of the hold time of a maintenance that makes the pool unavailable, while it runs.
    pub hold_until: Option<Instant>,
    /// The sorry server, if it has taken the place of the live destinations.
    pub sorry: Option<DestinationId>,
    /// The wish asks for this many times the desired weights, so that the steps of a
    /// [slow start](crate::health::PoolPolicy::slow_start) are whole numbers.
    pub factor: u32,
    /// The desired destinations and the former ones, also those that stay for the hold time.
    pub members: BTreeMap<DestinationId, MemberStatus>,
}

/// What a [`Pool`] has decided about one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberStatus {
    /// The last verdict that all checks together have decided.
    pub verdict: Verdict,
    /// When the verdict changed last; `None` if no check has decided yet.
    pub since: Option<Instant>,
    /// The part of its weight that the checks ask for.
    pub share: Share,
    /// The desired weight; `None` for a former destination.
    pub desired: Option<u32>,
    /// The weight that the last wish asks for; `None` if the table is not to have the destination.
    pub wished: Option<u32>,
    /// The weight that the table held at the start of the program, while it counts because no check has
    /// decided yet.
    pub held: Option<u32>,
    /// Whether clients are to come to the destination.
    pub in_rotation: bool,
    /// Whether the destination is in rotation although it is dead or a check asks for 0 percent of its
    /// weight, because too few are live.
    pub is_kept: bool,
    /// Whether the destination is not desired any more, and stays until enough others are live or the
    /// hold time is over.
    pub is_former: bool,
    /// The operator's decision.
    pub maintenance: Option<Maintenance>,
    /// When the maintenance takes effect, if it waits for the end of the hold time.
    pub waits_until: Option<Instant>,
    /// The slow start, while the weight grows.
    pub slow_start: Option<SlowStartStatus>,
}

/// How far a slow start is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlowStartStatus {
    /// The part of its weight that the destination has.
    pub share: Share,
    /// When the next step comes.
    pub next: Instant,
    /// When the whole weight is reached.
    pub end: Instant,
}

impl Pool {
    /// Returns what the pool has decided, as of the last call that changed it or took its
    /// [wish](Self::wish). The time `now` counts for what is measured in time.
    #[must_use]
    pub fn status(&self, now: Instant) -> PoolStatus {
        let desired = self.members.iter().map(|(id, member)| {
            let weight = self.desired.destination(*id).map(|there| there.destination().weight);
            (*id, self.member_status(*id, member, weight, now))
        });
        let lingering = self.lingering.iter().filter(|(id, _)| !self.members.contains_key(id));
        let former = self.former.iter().chain(lingering);
        let former = former.map(|(id, it)| (*id, self.member_status(*id, &it.member, None, now)));
        let sorry = self.policy.sorry.as_ref().filter(|_| self.sorry);
        PoolStatus {
            service: self.id(),
            is_available: self.available,
            since: self.since,
            live: self.counted(),
            needed: if self.available { self.least() } else { self.enough() },
            hold_until: self.hold_until.filter(|until| *until > now),
            sorry: sorry.map(|sorry| sorry.id),
            factor: self.factor(),
            members: former.chain(desired).collect(),
        }
    }

    fn member_status(
        &self,
        id: DestinationId,
        member: &Member,
        desired: Option<u32>,
        now: Instant,
    ) -> MemberStatus {
        let wished = self.last.as_ref().and_then(|wish| wish.service().destination(id));
        let waits = member.maintenance.as_ref().map(|(_, from)| *from).filter(|from| *from > now);
        let slow_start = self.slow_start().zip(member.ramp).and_then(|(slow, begun)| {
            let (share, next) = ramp::part(slow, begun, now)?;
            Some(SlowStartStatus { share, next, end: ramp::end(slow, begun) })
        });
        MemberStatus {
            verdict: member.verdict,
            since: member.since,
            share: member.share,
            desired,
            wished: wished.map(|wished| wished.destination().weight),
            held: member.held.filter(|_| member.verdict == Verdict::Unknown),
            in_rotation: member.in_rotation,
            is_kept: member.told_kept,
            is_former: desired.is_none(),
            maintenance: member.maintenance.as_ref().map(|(maintenance, _)| maintenance.clone()),
            waits_until: waits,
            slow_start,
        }
    }
}
