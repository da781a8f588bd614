//! The wish that combines what is desired, known and decided.

use std::time::Instant;

use crate::health::pool::member::Member;
use crate::health::pool::{Pool, ramp};
use crate::health::{MaintenanceKind, Share, Verdict, WhenDead};
use crate::table::TableService;
use crate::table::controller::Wish;

impl Pool {
    /// Returns what the table is to hold.
    pub(super) fn combined(&mut self, now: Instant) -> Wish {
        let service = self.desired.service();
        let refuses_at_zero = service.refuses_at_weight_zero();
        let deletes_dead = match self.policy.when_dead {
            WhenDead::WeightZero => false,
            WhenDead::Delete => true,
            WhenDead::Auto => service.persistence.is_some() || !service.drains_at_weight_zero(),
        };
        let slow = self.slow_start();
        let factor = self.factor();
        let largest = self.members.values().map(Member::weight_at_start).max();
        let largest = largest.filter(|_| self.starting);
        let mut wished = TableService::new(service.clone()).labelled(self.desired.labels().clone());
        let mut dead = Vec::new();
        for desired in self.desired.destinations() {
            let id = desired.id();
            let Some(member) = self.members.get_mut(&id) else { continue };
            let whole = desired.destination().weight.saturating_mul(factor);
            let part = slow.zip(member.ramp).and_then(|(slow, begun)| ramp::part(slow, begun, now));
            let ramp = part.map_or(Share::FULL, |(share, _)| share);
            // A destination whose share is 0 is in rotation only if it is kept.
            let share = if member.share == Share::percent(0) { Share::FULL } else { member.share };
            // Weight 0, if the destination is there and new clients are not refused by it.
            let stopped = (member.present && !refuses_at_zero).then_some(0);
            let weight = match (member.maintained(now), member.verdict) {
                (Some(MaintenanceKind::Out), _) => None,
                (Some(MaintenanceKind::Drain), _) => stopped,
                (None, Verdict::Unknown) => {
                    member.held.map(|held| if whole == 0 { 0 } else { held })
                }
                (None, _) if member.in_rotation => {
                    let weight = (ramp * share).of(whole);
                    Some(match (largest, member.weight_at_start()) {
                        (None, _) => weight,
                        (Some(largest), 0) => weight.min(largest),
                        (Some(_), held) if part.is_none() => held,
                        (Some(_), held) => weight.min(held),
                    })
                }
                (None, Verdict::Down) => (member.present && !deletes_dead).then_some(0),
                (None, Verdict::Up) if whole == 0 => Some(0),
                (None, Verdict::Up) => stopped,
            };
            member.present = weight.is_some();
            if member.verdict == Verdict::Down {
                dead.push(id);
            }
            if let Some(weight) = weight {
                wished.insert(desired.destination().clone().weight(weight));
            }
        }
        for former in self.former.values() {
            wished.insert(former.destination.clone());
        }
        for lingering in self.lingering.values() {
            wished.insert(lingering.destination.clone());
        }
        if let Some(sorry) = self.sorry_server(now).filter(|_| self.sorry) {
            wished.insert(sorry.clone().weight(sorry.weight.max(1)));
        }
        dead.into_iter().fold(Wish::new(wished), Wish::at_once)
    }

    /// Returns by what all desired weights are multiplied.
    pub(super) fn factor(&self) -> u32 {
        let weights = self.desired.destinations().map(|desired| desired.destination().weight);
        ramp::factor(self.slow_start(), weights)
    }
}
