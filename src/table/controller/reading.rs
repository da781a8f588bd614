//! Takes in readings, and decides what is to be written.

use std::collections::hash_map::Entry;
use std::time::Instant;

use crate::model::{Change, DestinationEntry, Listing, ServiceEntry, ServiceId, ServiceSnapshot};
use crate::table::controller::backoff::after;
use crate::table::controller::job::Job;
use crate::table::controller::services::{Services, in_order};
use crate::table::controller::stepping::is_mass;
use crate::table::controller::{Controller, Event, Kept, Reading, Serving, Stage};
use crate::table::execute::done;
use crate::table::plan::{Purpose, plan_service};
use crate::table::{Phase, Plan, PlanError, Step};

impl Controller {
    /// Takes in the list of services.
    pub(super) fn listed(&mut self, listing: Listing<ServiceEntry>) {
        let complete = listing.is_complete();
        let mut entries = listing.into_vec();
        let mut there = Services::default();
        there.reserve(entries.len());
        entries.retain(|entry| there.insert(entry.service.id));
        let services = entries.len();
        if self.sweep.as_ref().is_some_and(|sweep| sweep.takes_due) {
            self.agenda.cancel_now();
        }
        let is_absent = |id: &ServiceId| !there.contains(id);
        let mut absent = in_order(self.services.keys().copied().filter(is_absent));
        // No kernel can have them, or read them.
        absent.retain(|id| id.check_encodable().is_ok());
        entries.retain(|entry| {
            let id = entry.service.id;
            self.services.contains_key(&id) || self.options.plan.scope.names(id)
        });
        self.mass |= is_mass(absent.len(), self.services.len());
        if !complete {
            // An entry may be missing in the list. Reading a service alone cannot miss it.
            absent.drain(..).for_each(|id| self.agenda.now(id));
        }
        if let Some(sweep) = &mut self.sweep {
            sweep.list(services, entries, absent);
        }
    }

    /// Takes in the destinations of listed services.
    pub(super) fn read_destinations(
        &mut self,
        destinations: Vec<(ServiceId, Listing<DestinationEntry>)>,
        now: Instant,
    ) {
        let Some(entries) = self.sweep.as_mut().map(|sweep| sweep.take_reading()) else { return };
        let mut destinations = destinations.into_iter().peekable();
        for entry in entries {
            let id = entry.service.id;
            let read = destinations.next_if(|(read, _)| *read == id).map(|(_, read)| read);
            match read {
                // A service without destinations may have been deleted since.
                Some(read) if read.is_complete() && !read.is_empty() => {
                    let present = ServiceSnapshot::in_order(entry, read.into_vec());
                    self.sweep_found(id, Some(present), now);
                }
                _ => self.agenda.now(id),
            }
        }
    }

    /// Takes in what a reading of the whole table has found.
    pub(super) fn sweep_found(
        &mut self,
        id: ServiceId,
        present: Option<ServiceSnapshot>,
        now: Instant,
    ) {
        if self.sweep.as_ref().is_some_and(|sweep| sweep.is_superseded(id))
            || self.jobs.contains_key(&id)
        {
            return;
        }
        let differs = self.consider(id, present.as_ref(), true, now);
        if let Some(sweep) = self.sweep.as_mut().filter(|_| differs) {
            sweep.differed += 1;
            self.mass |= is_mass(sweep.differed, self.services.len());
        }
    }

    /// Ends the reading of the whole table.
    pub(super) fn finish_sweep(&mut self, now: Instant) {
        let Some(sweep) = self.sweep.take() else { return };
        let (services, differed) = (sweep.services, sweep.differed);
        self.events.push_back(Event::Resynchronized { services, differed });
        if differed == 0 {
            self.surprises = 0;
            if self.jobs.is_empty() {
                self.recover(true);
            }
        }
        self.mass = false;
        self.swept_at = Some(now);
        if self.unconfirmed {
            self.resync_at = None;
        }
    }

    /// Takes in readings of single services.
    pub(super) fn read_services(
        &mut self,
        ids: Vec<ServiceId>,
        readings: Vec<Reading>,
        now: Instant,
    ) {
        let mut readings = readings.into_iter().peekable();
        let mut concerns_all = None;
        for id in ids {
            let reading = readings.next_if(|reading| reading.id == id);
            if self.jobs.contains_key(&id) {
                continue;
            }
            // A service that the answer does not mention is one that cannot be read.
            let Reading { present, complete, .. } =
                reading.unwrap_or_else(|| Reading::new(id, None).incomplete());
            match present {
                Ok(present) if complete => {
                    let differs = self.consider(id, present.as_ref(), false, now);
                    if let Some(sweep) = self.sweep.as_mut().filter(|sweep| sweep.listed) {
                        sweep.supersede(id);
                        sweep.differed += usize::from(differs);
                    }
                }
                Err(error) if error.concerns_all_services() => {
                    self.agenda.now(id);
                    concerns_all = Some(error);
                }
                // Others write the service all the time, or it cannot be read.
                unread => {
                    let retry = self.fail(id, None, now);
                    self.agenda.at(id, retry);
                    let error = unread.err();
                    self.events.push_back(Event::Unread { service: id, error, retry });
                }
            }
        }
        if let Some(error) = concerns_all {
            self.back_off(error, None, false, now);
        }
    }

    /// Compares a service with its wish, and begins to write what differs. Returns `true` if the
    /// service is not as wished. `swept` is `true` in a reading of the whole table.
    fn consider(
        &mut self,
        id: ServiceId,
        present: Option<&ServiceSnapshot>,
        swept: bool,
        now: Instant,
    ) -> bool {
        if self.options.plan.scope.excludes(id) {
            match self.services.get(&id) {
                Some(kept) if kept.wish.is_none() => drop(self.services.remove(&id)),
                _ => self.refuse(id, PlanError::OutOfScope(id)),
            }
            return false;
        }
        let kept = match self.services.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) if present.is_some() && self.options.plan.scope.names(id) => {
                place.insert(Kept::leaving())
            }
            Entry::Vacant(_) => {
                self.troubles.remove(&id);
                return false;
            }
        };
        let ended = self.drains.look(id, present, |destination| kept.wishes(destination), now);
        for event in ended {
            if let Event::DrainEnded { destination, .. } = event {
                let there = present.and_then(|present| present.destination(destination));
                let wish = kept.wish.as_ref().and_then(|wish| wish.destination(destination));
                // Others deleted it or gave it a weight, or the wish says the weight.
                if there.is_none_or(|entry| entry.destination.weight > 0)
                    || wish.is_some_and(|wish| wish.weight().is_some())
                {
                    self.options.plan.drained_weights.remove(id, destination);
                }
            }
            self.events.push_back(event);
        }
        for (destination, before) in self.drains.take_doubts(id) {
            let there = present.and_then(|present| present.destination(destination));
            let weights = &mut self.options.plan.drained_weights;
            match (there.map(|entry| entry.destination.weight), before) {
                (Some(0), Some(before)) => weights.insert(id, destination, before),
                (Some(0), None) => {}
                _ => weights.remove(id, destination),
            }
        }
        kept.forget_gone(|id| present.is_some_and(|there| there.destination(id).is_some()));
        if kept.wish.is_none() && present.is_none() {
            self.left(id);
            return false;
        }
        let drain = kept.drain(self.options.plan.drain);
        let at_once = |destination| drain.is_none() || kept.leaves_at_once(destination);
        let plan = match plan_service(present, kept.wish.as_ref(), &at_once, &self.options.plan) {
            Ok(plan) => plan,
            Err(error) => {
                self.events.extend(kept.tell_serving(id, present.is_some_and(serves)));
                self.refuse(id, error);
                return false;
            }
        };
        if kept.wish.is_none() {
            let until = match kept.serving {
                Serving::Leaving(until) => until,
                _ => {
                    let until = after(now, self.options.hold);
                    kept.serving = Serving::Leaving(until);
                    self.events.push_back(Event::Leaving { service: id, until });
                    until
                }
            };
            if until > now {
                self.agenda.at(id, until);
                return false;
            }
        }
        self.events.extend(kept.tell_serving(id, present.is_some_and(serves)));
        let was_right = matches!(kept.stage, Stage::Written | Stage::Settled);
        self.carry_out(id, present, plan, was_right, swept, now)
    }

    /// Begins to write the steps of a plan that are due. Returns `true` if the service is not as
    /// wished; `was_right` tells that it was before.
    fn carry_out(
        &mut self,
        id: ServiceId,
        present: Option<&ServiceSnapshot>,
        mut plan: Plan,
        was_right: bool,
        swept: bool,
        now: Instant,
    ) -> bool {
        let is_back =
            !plan.is_empty() && self.keep_due_steps(id, present, &mut plan.steps, now) && was_right;
        let differs = is_back || plan.steps().any(|step| step.phase != Phase::Drained);
        if differs && was_right {
            self.undone(id, is_back.then_some(Phase::Drained), swept, now);
        }
        let trouble = self.troubles.get(&id).copied().unwrap_or_default();
        let is_complete = plan.is_empty();
        let held = trouble.until.filter(|until| *until > now && differs);
        if let Some(until) = held {
            let may_go = trouble.undone == 0
                && trouble.taken_out_until.is_none_or(|until| until <= now)
                && self.serves_without(id, present, &plan);
            let refuses = waits_for_scheduler(present, &plan);
            plan.steps.retain(|step| {
                let goes = goes_without_replacement(step) && !(refuses && stops(step));
                step.phase == Phase::Drained || (may_go && goes)
            });
            if let Some(trouble) = self.troubles.get_mut(&id).filter(|_| may_go) {
                // Once in each attempt.
                trouble.taken_out_until = Some(until);
            }
            self.agenda.at(id, until);
        }
        if let Some(until) = trouble.drained_until.filter(|until| *until > now) {
            plan.steps.retain(|step| step.phase != Phase::Drained);
            self.agenda.at(id, until);
        }
        if !plan.is_empty() {
            let mut job = Box::new(Job::new(plan, present));
            job.partial = held.is_some();
            self.queue(id, job);
        } else if is_complete {
            self.settle(id, swept);
        }
        if let Some(look) = self.drains.next_look(id, now) {
            self.agenda.at(id, look);
        }
        differs
    }

    /// Returns `true` if a service keeps a usable destination that is wished when the steps of a
    /// plan have taken those out that go without a replacement.
    fn serves_without(
        &self,
        id: ServiceId,
        present: Option<&ServiceSnapshot>,
        plan: &Plan,
    ) -> bool {
        let goes = |destination| {
            let mut gone = plan.steps().filter(|step| goes_without_replacement(step));
            gone.any(|step| step.destination() == Some(destination))
        };
        let kept = self.services.get(&id);
        let stays = |entry: &DestinationEntry| {
            let there = &entry.destination;
            there.weight > 0 && kept.is_some_and(|kept| kept.wishes(there.id)) && !goes(there.id)
        };
        present.is_some_and(|present| present.destinations.iter().any(stays))
    }

    /// Removes the steps that wait for drains. Begins the drains of destinations that have weight
    /// 0 already. Returns `true` if there are such.
    fn keep_due_steps(
        &mut self,
        id: ServiceId,
        present: Option<&ServiceSnapshot>,
        steps: &mut Vec<Step>,
        now: Instant,
    ) -> bool {
        let entry = |destination| present.and_then(|there| there.destination(destination));
        let deletion = |step: &Step| match step.change {
            Change::DeleteDestination(_, destination) => Some(destination),
            _ => None,
        };
        let drained = |step: &Step| deletion(step).filter(|_| step.phase == Phase::Drained);
        let Some(policy) = self.drain_policy(id) else {
            // Deleting the service is enough.
            if steps.iter().any(deletes_service) {
                steps.retain(deletes_service);
            }
            return false;
        };
        let mut begins = false;
        for destination in steps.iter().filter_map(drained) {
            let idle = entry(destination).filter(|entry| entry.destination.weight == 0);
            if idle.is_some() {
                let begun = self.drains.begin(id, destination, policy, idle, now);
                begins |= begun.is_some();
                self.events.extend(begun);
            }
        }
        let is_due = |step: &Step| match drained(step) {
            Some(destination) => {
                entry(destination).is_some_and(|entry| entry.destination.weight == 0)
                    && self.drains.is_over(id, destination, now)
            }
            None => true,
        };
        let all_due = steps.iter().all(is_due);
        match (steps.iter().any(deletes_service), all_due) {
            // What a deletion cuts beside drains is told.
            (true, true) if steps.last().is_some_and(|step| step.phase == Phase::Drained) => {
                steps.retain(|step| deletes_service(step) || done(step).cut().is_some());
            }
            (true, true) => steps.retain(deletes_service),
            (true, false) => steps.retain(|step| !deletes_service(step) && is_due(step)),
            (false, _) => steps.retain(is_due),
        }
        begins
    }

    /// Notes that a service is as wished.
    fn settle(&mut self, id: ServiceId, swept: bool) {
        let Some(kept) = self.services.get_mut(&id) else { return };
        if let Some(trouble) = self.troubles.get_mut(&id) {
            (trouble.failures, trouble.until) = (0, None);
            (trouble.taken_out_until, trouble.drained_until) = (None, None);
            trouble.unsent = false;
            // Right through a whole interval: the quarrel is over.
            if trouble.undone == 0 || (swept && kept.stage == Stage::Settled) {
                self.troubles.remove(&id);
            }
        }
        if kept.wish.is_some() && kept.stage != Stage::Settled {
            kept.stage = Stage::Settled;
            self.events.push_back(Event::Settled(id));
        }
    }

    /// Notes that a wish cannot be carried out, and tells the program once.
    pub(super) fn refuse(&mut self, id: ServiceId, error: PlanError) {
        let Some(kept) = self.services.get_mut(&id) else { return };
        if kept.stage != Stage::Refused {
            kept.stage = Stage::Refused;
            self.events.push_back(Event::Refused { service: id, error });
        }
    }

    /// Notes that a service has left the table.
    pub(super) fn left(&mut self, id: ServiceId) {
        self.services.remove(&id);
        self.troubles.remove(&id);
        self.agenda.cancel(id);
        self.events.push_back(Event::Left(id));
    }

    /// Tells the program if a wished service begins or ceases to serve.
    pub(super) fn tell_serving(&mut self, id: ServiceId, serves: bool) {
        let kept = self.services.get_mut(&id);
        self.events.extend(kept.and_then(|kept| kept.tell_serving(id, serves)));
    }
}

/// Returns `true` if a service has a usable destination.
fn serves(present: &ServiceSnapshot) -> bool {
    present.destinations.iter().any(|entry| entry.destination.weight > 0)
}

/// Returns `true` if a step takes a destination out by the decision of the wish, which does not
/// wait for a replacement: by a lower weight, or at once.
pub(super) fn goes_without_replacement(step: &Step) -> bool {
    match step.change {
        Change::UpdateDestination(..) => {
            step.phase == Phase::Reduce && step.purpose != Purpose::Drain
        }
        Change::DeleteDestination(..) => step.phase == Phase::Delete,
        _ => false,
    }
}

/// Returns `true` if the scheduler of a service refuses the clients of a destination of weight 0,
/// and the plan is to change that.
fn waits_for_scheduler(present: Option<&ServiceSnapshot>, plan: &Plan) -> bool {
    present.is_some_and(|there| there.entry.service.refuses_at_weight_zero())
        && plan.steps().any(|step| match &step.change {
            Change::UpdateService(after) => !after.refuses_at_weight_zero(),
            _ => false,
        })
}

/// Returns `true` if a step gives a destination the weight 0.
fn stops(step: &Step) -> bool {
    matches!(&step.change, Change::UpdateDestination(_, after) if after.weight == 0)
}

const fn deletes_service(step: &Step) -> bool {
    matches!(step.change, Change::DeleteService(_))
}
