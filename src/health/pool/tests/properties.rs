//! What holds after any sequence of verdicts, shares, maintenances, new tables, restarts and times.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::table::TableDestination;

const HOSTS: u8 = 4;
const SORRY: u8 = 99;

#[derive(Clone, Debug)]
enum Input {
    Verdict(u8, Verdict),
    Share(u8, u16),
    Maintain(u8, MaintenanceKind, Option<u32>),
    EndMaintenance(u8),
    Desire(Vec<(u8, u32)>),
    Pass(u32),
    Restart,
}

fn input() -> impl Strategy<Value = Input> {
    let host = 1..=HOSTS;
    let verdict = prop_oneof![
        4 => Just(Verdict::Up), 5 => Just(Verdict::Down), 1 => Just(Verdict::Unknown)
    ];
    let share = prop_oneof![Just(0), Just(1), Just(50), Just(100), Just(300), Just(u16::MAX)];
    let kind = prop_oneof![Just(MaintenanceKind::Drain), Just(MaintenanceKind::Out)];
    let maintain = (host.clone(), kind, prop::option::of(0..30_u32));
    let desire = prop::collection::vec((host.clone(), 0..4_u32), 0..4);
    prop_oneof![
        8 => (host.clone(), verdict).prop_map(|(host, verdict)| Input::Verdict(host, verdict)),
        2 => (host.clone(), share).prop_map(|(host, share)| Input::Share(host, share)),
        2 => maintain.prop_map(|(host, kind, until)| Input::Maintain(host, kind, until)),
        2 => host.prop_map(Input::EndMaintenance),
        1 => desire.prop_map(Input::Desire),
        2 => (0..20_u32).prop_map(Input::Pass),
        1 => Just(Input::Restart),
    ]
}

fn policy() -> impl Strategy<Value = PoolPolicy> {
    let counts = (1..3_u32, 0..2_u32, 0..=100_u8, any::<bool>());
    let sorry = prop_oneof![2 => Just(None), 1 => Just(Some(SORRY)), 1 => Just(Some(1))];
    let when_dead =
        prop_oneof![Just(WhenDead::Auto), Just(WhenDead::WeightZero), Just(WhenDead::Delete)];
    (counts, sorry, any::<bool>(), when_dead, 0..8_u32).prop_map(
        |((quorum, hysteresis, panic, keep), sorry, slow, when_dead, hold)| {
            let server = |host| Destination::masquerade(([10, 0, 0, host], 8080).into());
            PoolPolicy::new()
                .quorum(quorum)
                .hysteresis(hysteresis)
                .panic(panic)
                .keep_last(keep)
                .sorry(sorry.map(server))
                .slow_start(slow.then(|| SlowStart::new(10 * SECOND).steps(4)))
                .when_dead(when_dead)
                .hold(SECOND * hold)
        },
    )
}

/// What somebody knows who only sees the inputs and the wishes.
struct Observer {
    pool: Pool,
    policy: PoolPolicy,
    now: Instant,
    desired: BTreeMap<u8, u32>,
    verdicts: BTreeMap<u8, Verdict>,
    shares: BTreeMap<u8, u16>,
    /// Until when there is a maintenance.
    maintained: BTreeMap<u8, Option<Instant>>,
    /// What the table held when the program started.
    held: BTreeSet<u8>,
    /// Nobody may be taken out by an operator before this time.
    hold: Option<Instant>,
    wished: BTreeMap<u8, u32>,
    available: bool,
    /// Who was to leave after the hold time at the last wish.
    lingered: BTreeSet<u8>,
    /// Who was live at the last wish.
    were_live: BTreeSet<u8>,
    /// The weights of the start counted at the last wish.
    started: bool,
}

impl Observer {
    fn new(policy: PoolPolicy) -> Self {
        let now = Instant::now();
        let mut pool = three(policy.clone(), now);
        let desired = BTreeMap::from([(1, 1), (2, 1), (3, 2)]);
        let wished = weights(&mut pool, now).into_iter().collect();
        Self {
            pool,
            policy,
            now,
            verdicts: desired.keys().map(|host| (*host, Verdict::Up)).collect(),
            desired,
            shares: BTreeMap::new(),
            maintained: BTreeMap::new(),
            held: BTreeSet::new(),
            hold: None,
            wished,
            available: true,
            lingered: BTreeSet::new(),
            were_live: BTreeSet::new(),
            started: false,
        }
    }

    fn verdict(&self, host: u8) -> Verdict {
        self.verdicts.get(&host).copied().unwrap_or_default()
    }

    /// A check has found the destination live, and nobody has stopped or is about to stop it.
    fn is_live(&self, host: u8) -> bool {
        self.works(host) && !self.maintained.contains_key(&host)
    }

    fn works(&self, host: u8) -> bool {
        self.desired.get(&host).is_some_and(|weight| *weight > 0)
            && self.verdict(host) == Verdict::Up
            && self.shares.get(&host) != Some(&0)
    }

    fn usable(wished: &BTreeMap<u8, u32>) -> impl Iterator<Item = u8> {
        wished.iter().filter(|(_, weight)| **weight > 0).map(|(host, _)| *host)
    }

    fn input(&mut self, input: Input) {
        let now = self.now;
        match input {
            Input::Verdict(host, verdict) => {
                self.pool.verdict(id(host), verdict, now);
                if self.desired.contains_key(&host) && verdict != Verdict::Unknown {
                    self.verdicts.insert(host, verdict);
                }
            }
            Input::Share(host, share) => {
                self.pool.share(id(host), Share::percent(share), now);
                if self.desired.contains_key(&host) {
                    self.shares.insert(host, share);
                }
            }
            Input::Maintain(host, kind, seconds) => {
                let until = seconds.map(|seconds| now + SECOND * seconds);
                let maintenance = Maintenance { until, ..Maintenance::new(kind, "ann") };
                self.pool.maintain(id(host), maintenance, now);
                if self.desired.contains_key(&host) {
                    match until.is_none_or(|until| until > now) {
                        true => self.maintained.insert(host, until),
                        false => self.maintained.remove(&host),
                    };
                }
            }
            Input::EndMaintenance(host) => {
                self.pool.end_maintenance(id(host), now);
                if self.desired.contains_key(&host) {
                    self.maintained.remove(&host);
                }
            }
            Input::Desire(hosts) => {
                self.pool.set_desired(web(&hosts), self.policy.clone(), now);
                self.desired = hosts.into_iter().collect();
            }
            Input::Pass(seconds) => {
                self.now += SECOND * seconds;
                let now = self.now;
                self.maintained.retain(|_, until| until.is_none_or(|until| until > now));
            }
            Input::Restart => {
                let wish = self.pool.combined(now);
                let table = held(wish.service());
                self.held = Self::usable(&self.wished).collect();
                let desired = self.pool.desired().clone();
                self.pool = Pool::new(desired, self.policy.clone(), Some(&table));
                (self.verdicts, self.shares) = (BTreeMap::new(), BTreeMap::new());
                (self.maintained, self.hold) = (BTreeMap::new(), None);
            }
        }
    }

    /// Judges the wish and the events after an input.
    fn judge(&mut self, input: &Input) -> Result<(), TestCaseError> {
        let before = mem::take(&mut self.wished);
        self.wished = weights(&mut self.pool, self.now).into_iter().collect();
        let former = self.pool.former.keys().chain(self.pool.lingering.keys());
        let former: BTreeSet<_> = former.copied().collect();
        let desired = self.desired.clone();
        let known = |host: &u8| desired.contains_key(host) || former.contains(&id(*host));
        self.verdicts.retain(|host, _| known(host));
        self.shares.retain(|host, _| known(host));
        self.held.retain(&known);
        let events: Vec<PoolEvent> = self.pool.events().collect();
        for (at, event) in events.iter().enumerate() {
            if let PoolEvent::Unavailable { until } = event {
                self.hold = Some(*until);
                let out = events.iter().position(|event| matches!(event, PoolEvent::TakenOut(_)));
                prop_assert!(out.is_none_or(|out| at < out), "{events:?}");
            }
        }
        self.nobody_is_lost(&before)?;
        self.nobody_is_invented(&before)?;
        self.live_ones_serve(&before, input)?;
        self.started = self.pool.starting;
        let lingers = |host: &u8| self.pool.lingering.contains_key(&id(*host));
        self.lingered = (1..=HOSTS).filter(lingers).collect();
        self.maintained.retain(|host, _| known(host));
        if let Input::Restart = input {
            let extra = Self::usable(&before).any(|host| !self.desired.contains_key(&host));
            let zero = self.desired.values().any(|weight| *weight == 0);
            prop_assert!(extra || zero || self.wished == before, "{before:?} {:?}", self.wished);
        }
        self.were_live = (1..=HOSTS).filter(|host| self.is_live(*host)).collect();
        self.availability_is_right(matches!(input, Input::Restart))
    }

    /// Too few are live to take one more out.
    fn is_panic(&self) -> bool {
        let may_serve = |host: &u8| {
            self.desired.get(host).is_some_and(|weight| *weight > 0)
                && !self.maintained.contains_key(host)
        };
        let all = (1..=HOSTS).filter(may_serve).count();
        let live = (1..=HOSTS).filter(|host| self.is_live(*host)).count();
        live == 0 || live * 100 < usize::from(self.policy.panic) * all
    }

    fn is_held(&self, host: u8) -> bool {
        self.held.contains(&host) && self.verdict(host) == Verdict::Unknown
    }

    fn availability_is_right(&mut self, restarted: bool) -> Result<(), TestCaseError> {
        let counts = |host: &u8| {
            let desired = self.desired.get(host).is_some_and(|weight| *weight > 0);
            let held = self.is_held(*host) && !self.maintained.contains_key(host);
            desired && (self.is_live(*host) || held)
        };
        let former = self.pool.former.values().filter(|former| former.member.counts()).count();
        let live = (1..=HOSTS).filter(counts).count() + former;
        let (quorum, hysteresis) = (self.policy.quorum as usize, self.policy.hysteresis as usize);
        self.available = match self.available || restarted {
            true => live >= quorum.saturating_sub(hysteresis).max(1),
            false => live >= quorum + hysteresis,
        };
        prop_assert_eq!(self.pool.is_available(), self.available, "{} live", live);
        Ok(())
    }

    /// The last usable destination leaves only if an operator says so, or the policy.
    fn nobody_is_lost(&self, before: &BTreeMap<u8, u32>) -> Result<(), TestCaseError> {
        let was_usable = Self::usable(before).next().is_some();
        if !was_usable || Self::usable(&self.wished).next().is_some() {
            return Ok(());
        }
        let sorry = self.policy.sorry.as_ref();
        let may_leave = !self.policy.keep_last && self.policy.panic == 0;
        let stopped = |host: u8| {
            self.desired.get(&host).is_none_or(|weight| *weight == 0)
                || self.maintained.contains_key(&host)
        };
        let no_sorry = sorry.is_none_or(|sorry| sorry.id == id(1) && stopped(1));
        prop_assert!(no_sorry, "the sorry server did not come");
        prop_assert!(may_leave || Self::usable(before).all(stopped), "the last one was taken out");
        // Former destinations wait for decisions about new ones.
        let unknown = |host: &u8| !stopped(*host) && self.verdict(*host) == Verdict::Unknown;
        let is_former =
            |host: &u8| !self.desired.contains_key(host) && !self.lingered.contains(host);
        let mut former = Self::usable(before).filter(is_former);
        let former = former.any(|host| !self.maintained.contains_key(&host));
        prop_assert!(!former || !self.desired.keys().any(unknown), "former ones left early");
        let may_serve = self.desired.keys().any(|host| !stopped(*host));
        prop_assert!(!former || !may_serve || may_leave, "former ones left for dead ones");
        Ok(())
    }

    /// Nobody is usable whom no check has found live, or who was not usable before.
    fn nobody_is_invented(&self, before: &BTreeMap<u8, u32>) -> Result<(), TestCaseError> {
        for host in Self::usable(&self.wished) {
            let is_sorry = self.policy.sorry.as_ref().is_some_and(|sorry| sorry.id == id(host));
            let stays = before.get(&host).is_some_and(|weight| *weight > 0);
            // One that died while an operator stopped it is kept as if it had not been stopped.
            let kept = self.is_panic() && self.verdict(host) != Verdict::Unknown;
            let stays = stays || kept;
            prop_assert!(
                is_sorry || stays || self.is_held(host) || self.works(host),
                "{host} is invented"
            );
            let waits = self.hold.is_some_and(|hold| hold > self.now);
            let stopped = self.maintained.contains_key(&host) && self.desired.contains_key(&host);
            prop_assert!(!stopped || waits, "{host} is maintained");
        }
        Ok(())
    }

    /// Live destinations have their weight, or less during a slow start.
    fn live_ones_serve(
        &self,
        before: &BTreeMap<u8, u32>,
        input: &Input,
    ) -> Result<(), TestCaseError> {
        let factor = ramp::factor(self.policy.slow_start, self.desired.values().copied());
        // The weights of the table at the start count until all are decided.
        let starts = self.pool.starting;
        let started = self.started && !starts;
        for host in (1..=HOSTS).filter(|host| self.is_live(*host)) {
            let whole = self.desired.get(&host).map_or(0, |weight| *weight * factor);
            let share = Share::percent(self.shares.get(&host).copied().unwrap_or(100));
            let (weight, whole) = (self.wished.get(&host).copied().unwrap_or(0), share.of(whole));
            let least = if self.policy.slow_start.is_some() { 1 } else { whole };
            let right = if starts { weight > 0 } else { (least..=whole).contains(&weight) };
            prop_assert!(right, "{host}: {weight} of {whole}");
            // Nobody who serves begins again.
            let same = !matches!(input, Input::Share(..) | Input::Desire(_) | Input::Restart);
            let same = same && !started;
            let served = before.get(&host).copied().unwrap_or(0);
            let fell = same && self.were_live.contains(&host) && weight < served;
            prop_assert!(!fell, "{host} fell from {served} to {weight}");
        }
        Ok(())
    }

    /// When all works again and nobody stops it, all have their weights.
    fn recovers(&mut self) -> Result<(), TestCaseError> {
        let desired: Vec<_> = self.pool.desired().destinations().cloned().collect();
        for there in &desired {
            self.pool.end_maintenance(there.id(), self.now);
            self.pool.share(there.id(), Share::FULL, self.now);
            self.pool.verdict(there.id(), Verdict::Up, self.now);
        }
        let later = self.now + 100 * SECOND;
        let weights = desired.iter().map(|there| there.destination().weight);
        let factor = ramp::factor(self.policy.slow_start, weights);
        let all = self.pool.wish(later);
        let all = all.as_ref().or(self.pool.last_wish()).unwrap();
        let is_whole = |there: &TableDestination| {
            let wished = all.service().destination(there.id()).and_then(TableDestination::weight);
            wished == Some(there.destination().weight * factor)
        };
        let live = desired.iter().any(|there| there.destination().weight > 0);
        // Without anybody of a weight the sorry server stays.
        prop_assert!(desired.iter().all(|there| !live || is_whole(there)), "{all:?}");
        prop_assert!(!live || all.service().destinations().len() == desired.len(), "{all:?}");
        prop_assert_eq!(self.pool.next(later), None);
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_sequence_breaks_a_promise(
        inputs in prop::collection::vec(input(), 0..60),
        policy in policy(),
    ) {
        let mut observer = Observer::new(policy);
        for input in inputs {
            observer.input(input.clone());
            observer.judge(&input)?;
        }
        observer.recovers()?;
    }

    #[test]
    fn one_batch_leaves_as_many_in_rotation_as_one_verdict_after_the_other(
        first in prop::collection::btree_map(1..=HOSTS, any::<bool>(), 0..4),
        second in prop::collection::btree_map(1..=HOSTS, any::<bool>(), 0..4),
        order in Just((1..=HOSTS).collect::<Vec<_>>()).prop_shuffle(),
        policy in policy(),
    ) {
        // With both, all dead ones leave as soon as nobody is live.
        prop_assume!(policy.sorry.is_none() || policy.panic == 0);
        let now = Instant::now();
        let desired = web(&[(1, 1), (2, 1), (3, 2), (4, 1)]);
        let pool = || Pool::new(desired.clone(), policy.clone(), Some(&held(&desired)));
        let (mut batch, mut single) = (pool(), pool());
        for verdicts in [first, second] {
            let of = |host: &u8| {
                let is_up = verdicts.get(host)?;
                Some((id(*host), if *is_up { Verdict::Up } else { Verdict::Down }))
            };
            let verdicts: Vec<_> = order.iter().filter_map(of).collect();
            batch.judge(verdicts.iter().map(|(id, verdict)| (*id, *verdict, Some(Share::FULL))), now);
            verdicts.iter().for_each(|(id, verdict)| single.verdict(*id, *verdict, now));
            let [batch, single] = [&mut batch, &mut single].map(|pool| {
                weights(pool, now).iter().filter(|(_, weight)| *weight > 0).count()
            });
            prop_assert_eq!(batch, single);
        }
    }
}
