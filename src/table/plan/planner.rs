//! Finds the steps from one table to another.

use std::collections::BTreeSet;

use crate::model::{
    Change, DestinationEntry, DestinationId, Scheduler, Service, ServiceId, ServiceSnapshot,
    Snapshot,
};
use crate::table::plan::release::can_drain;
use crate::table::plan::{Before, Phase, Plan, PlanError, Purpose, Step};
use crate::table::{Actions, PlanOptions, Table, TableDestination, TableService};

impl Plan {
    /// Makes the shortest plan from the current table to the desired one.
    ///
    /// Neither reads nor writes the kernel's table: the same arguments give the same plan.
    ///
    /// - The plan changes only services [in scope](crate::table::Scope), and flushes nothing.
    /// - Equal objects are not written. Objects that differ are updated in place; an update keeps
    ///   every setting that does not differ.
    /// - In each service additions and higher weights come first, then the service's own
    ///   settings, then lower weights and thresholds, then deletions. So a service that has a
    ///   usable destination before and after has one at every step.
    /// - A destination that is not desired drains if the service's new settings
    ///   [allow that](Service::drains_at_weight_zero); otherwise the plan deletes the destination
    ///   at once. The plan also waits for a destination that is not desired and has weight 0
    ///   already.
    /// - A destination that drained and is desired again gets the weight that the table asks for.
    ///   If the table asks for none and weights are [kept](PlanOptions::keep_weights), the
    ///   destination gets its weight from [`PlanOptions::drained_weights`]. Without an entry there
    ///   it stays at 0: the kernel does not tell a drain's 0 from that of a health check.
    ///
    /// ```
    /// use ipvs_netlink::table::{Plan, PlanOptions, Table, TableService};
    /// use ipvs_netlink::{Destination, Service, Snapshot};
    ///
    /// let mut desired = Table::new();
    /// desired.insert(
    ///     TableService::new(Service::tcp("192.0.2.10:80".parse()?))
    ///         .with(Destination::masquerade("10.0.0.2:8080".parse()?)),
    /// );
    /// let plan = Plan::new(&Snapshot::default(), &desired, &PlanOptions::new())?;
    /// assert_eq!(plan.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`PlanError::Invalid`] if the kernel would refuse an object that the plan writes. The
    ///   error has the first such object; [`Table::validate`] returns all.
    /// - [`PlanError::OutOfScope`] if a desired service is outside a
    ///   [`Scope::only`](crate::table::Scope::only), or the scope excludes it.
    /// - [`PlanError::NotAllowed`] if the plan needs actions that [`PlanOptions::allowed`] does not
    ///   have.
    pub fn new(
        current: &Snapshot,
        desired: &Table,
        options: &PlanOptions,
    ) -> Result<Self, PlanError> {
        // The merge below needs order: it would add a misplaced service, and then delete it.
        let desired = &*desired.by_name();
        let mut planner = Planner::new(options);
        let mut wanted = desired.services().peekable();
        for present in current {
            let id = present.entry.service.id;
            while let Some(new) = wanted.next_if(|service| service.id() < id) {
                planner.add(new)?;
            }
            match wanted.next_if(|service| service.id() == id) {
                Some(service) => planner.change(present, service)?,
                None if options.scope.contains(id, desired) => planner.remove(present)?,
                None => {}
            }
        }
        wanted.try_for_each(|new| planner.add(new))?;
        planner.finish(current)
    }
}

/// The steps that were found so far.
struct Planner<'o> {
    options: &'o PlanOptions,
    /// Returns `true` for a destination that is deleted without a wait when it leaves.
    at_once: Option<AtOnce<'o>>,
    steps: Vec<Step>,
    missing: Actions,
    refused: Vec<Change>,
    usable: BTreeSet<ServiceId>,
}

/// Returns `true` for a destination that is deleted without a wait when it leaves.
pub(crate) type AtOnce<'a> = &'a dyn Fn(DestinationId) -> bool;

/// Makes the plan of a single service, like [`Plan::new`], but `at_once` alone says what drains. Without a desired service, each
/// destination leaves by itself, and the service last: in [`Phase::Drained`] if a destination
/// drains, otherwise in [`Phase::Delete`]. Does not check the scope.
pub(crate) fn plan_service(
    present: Option<&ServiceSnapshot>,
    desired: Option<&TableService>,
    at_once: AtOnce<'_>,
    options: &PlanOptions,
) -> Result<Plan, PlanError> {
    let mut planner = Planner::new(options);
    planner.at_once = Some(at_once);
    match (present, desired) {
        (Some(present), Some(desired)) => planner.change(present, desired)?,
        (None, Some(desired)) => planner.add(desired)?,
        (Some(present), None) => planner.remove_one_by_one(present)?,
        (None, None) => {}
    }
    planner.finish(&Snapshot::default())
}

impl<'o> Planner<'o> {
    const fn new(options: &'o PlanOptions) -> Self {
        Self {
            options,
            at_once: None,
            steps: Vec::new(),
            missing: Actions::empty(),
            refused: Vec::new(),
            usable: BTreeSet::new(),
        }
    }

    /// Adds a step that needs `action`. If the options do not allow the action, the plan is refused
    /// at the end.
    fn step(
        &mut self,
        action: Actions,
        phase: Phase,
        change: Change,
        before: Option<Before>,
    ) -> Result<(), PlanError> {
        let step = Step::new(change, phase, before, Purpose::Desired);
        let change = &step.change;
        // Allow a setting that breaks a rule if the update does not change it.
        let valid = change.validate().or_else(|invalid| match step.read() {
            Some(read) => change.validate_update(&read),
            None => Err(invalid),
        });
        if let (Err(invalid), Some(object)) = (valid, change.object()) {
            return Err(PlanError::Invalid { object, invalid });
        }
        if !self.options.allowed.contains(action) {
            self.missing |= action - self.options.allowed;
            self.refused.push(change.clone());
        }
        self.steps.push(step);
        Ok(())
    }

    /// Sets the purpose of the last step.
    fn purpose(&mut self, purpose: Purpose) {
        if let Some(step) = self.steps.last_mut() {
            step.purpose = purpose;
        }
    }

    /// Returns the plan, with the steps sorted by phase.
    fn finish(mut self, current: &Snapshot) -> Result<Plan, PlanError> {
        if !self.refused.is_empty() {
            let Self { missing, refused: changes, .. } = self;
            return Err(PlanError::NotAllowed { missing, changes });
        }
        if self.steps.is_empty() {
            return Ok(Plan::of(self.steps, self.options, self.usable));
        }
        // Put services with schedulers absent from the snapshot first: the kernel rejects an
        // unknown one only on use.
        let unseen = match current.is_empty() {
            true => BTreeSet::new(),
            false => self.with_unseen_schedulers(current),
        };
        self.steps.shrink_to_fit();
        let rank = |step: &Step| {
            let is_familiar = |service| !unseen.contains(&service);
            let familiar = unseen.is_empty() || step.service().is_none_or(is_familiar);
            let deletion = matches!(step.change, Change::DeleteService(_));
            (step.phase, deletion, familiar)
        };
        // The sort is stable: steps with equal keys stay in the order of the services.
        if !self.steps.is_sorted_by_key(rank) {
            self.steps.sort_by_cached_key(rank);
        }
        Ok(Plan::of(self.steps, self.options, self.usable))
    }

    /// Returns the services that get a scheduler which no service of the snapshot has.
    fn with_unseen_schedulers(&self, current: &Snapshot) -> BTreeSet<ServiceId> {
        let seen: BTreeSet<Scheduler> =
            current.into_iter().map(|present| present.entry.service.scheduler).collect();
        let services = self.steps.iter().filter_map(|step| match &step.change {
            Change::AddService(service) | Change::UpdateService(service) => Some(service),
            _ => None,
        });
        let unseen = services.filter(|service| !seen.contains(&service.scheduler));
        unseen.map(|service| service.id).collect()
    }

    /// Returns an error if the scope excludes a desired service.
    fn check_scope(&self, service: &TableService) -> Result<(), PlanError> {
        match self.options.scope.excludes(service.id()) {
            true => Err(PlanError::OutOfScope(service.id())),
            false => Ok(()),
        }
    }

    /// Plans to add a service and its destinations.
    fn add(&mut self, wanted: &TableService) -> Result<(), PlanError> {
        self.check_scope(wanted)?;
        self.steps.reserve(1 + wanted.destinations().len());
        self.step(
            Actions::ADD_SERVICE,
            Phase::Add,
            Change::AddService(wanted.service().clone()),
            None,
        )?;
        for new in wanted.destinations() {
            let change = Change::AddDestination(wanted.id(), new.destination().clone());
            self.step(Actions::ADD_SERVICE, Phase::Add, change, None)?;
            self.keep_weight_of(new);
        }
        Ok(())
    }

    /// Plans to change an existing service and its destinations.
    fn change(
        &mut self,
        present: &ServiceSnapshot,
        wanted: &TableService,
    ) -> Result<(), PlanError> {
        self.check_scope(wanted)?;
        let before = &present.entry.service;
        let after = wanted.service();
        let steps = self.steps.len();
        if before != after {
            let action = Actions::to_update(before, after);
            let change = Change::UpdateService(after.clone());
            self.step(action, Phase::Configure, change, Some(Before::of_service(present)))?;
        }
        let mut rest = wanted.destinations().peekable();
        for entry in &present.destinations {
            let unchanged = |next: &&TableDestination| {
                next.weight().is_some() && *next.destination() == entry.destination
            };
            // Test the usual case first: it is the cheapest.
            if rest.next_if(unchanged).is_some() {
                continue;
            }
            let mut stays = None;
            while let Some(next) = rest.next_if(|next| next.id() <= entry.destination.id) {
                if next.id() == entry.destination.id {
                    stays = Some(next);
                    break;
                }
                self.add_destination(wanted, next)?;
            }
            match stays {
                Some(destination) => self.change_destination(after, entry, destination)?,
                None => self.release(before, after, entry)?,
            }
        }
        rest.try_for_each(|new| self.add_destination(wanted, new))?;
        if self.steps.len() > steps {
            let mut weights = wanted
                .destinations()
                .map(|wanted| self.weight(after.id, present.destination(wanted.id()), wanted));
            if weights.any(|weight| weight > 0) {
                self.usable.insert(after.id);
            }
        }
        Ok(())
    }

    /// Returns the weight that a destination is to have.
    fn weight(
        &self,
        service: ServiceId,
        present: Option<&DestinationEntry>,
        wanted: &TableDestination,
    ) -> u32 {
        match present {
            Some(entry) if self.options.keep_weights && wanted.weight().is_none() => {
                match entry.destination.weight {
                    0 => self.options.drained_weights.of(service, wanted.id()).unwrap_or(0),
                    weight => weight,
                }
            }
            _ => wanted.destination().weight,
        }
    }

    /// Plans to add a destination to an existing service.
    fn add_destination(
        &mut self,
        wanted: &TableService,
        new: &TableDestination,
    ) -> Result<(), PlanError> {
        let destination = new.destination();
        // Add a destination of weight 0 late: with the scheduler `sh` it makes the kernel refuse
        // clients, and an earlier phase may replace that scheduler.
        let phase = if destination.weight == 0 { Phase::Reduce } else { Phase::Extend };
        let change = Change::AddDestination(wanted.id(), destination.clone());
        self.step(Actions::ADD_DESTINATION, phase, change, None)?;
        self.keep_weight_of(new);
        Ok(())
    }

    /// Accepts any weight for the last step if the table leaves the weight open and weights are
    /// kept.
    fn keep_weight_of(&mut self, new: &TableDestination) {
        if self.options.keep_weights && new.weight().is_none() {
            self.purpose(Purpose::OfAnyWeight);
        }
    }

    /// Plans to change an existing destination, unless it is as desired.
    fn change_destination(
        &mut self,
        service: &Service,
        entry: &DestinationEntry,
        wanted: &TableDestination,
    ) -> Result<(), PlanError> {
        let before = &entry.destination;
        let mut after = wanted.destination();
        let weight = self.weight(service.id, Some(entry), wanted);
        let kept;
        if after.weight != weight {
            kept = after.clone().weight(weight);
            after = &kept;
        }
        if after == before {
            return Ok(());
        }
        let (limit, limit_before) = (after.thresholds.limit(), before.thresholds.limit());
        let reduces = (limit < limit_before && before.weight > 0)
            // A destination whose threshold rises may take over from others, even if its weight
            // falls: its update comes early.
            || (after.weight < before.weight && (limit <= limit_before || after.weight == 0));
        let phase = if reduces { Phase::Reduce } else { Phase::Extend };
        let change = Change::UpdateDestination(service.id, after.clone());
        let before = Some(Before::of_destination(entry));
        self.step(Actions::UPDATE_DESTINATION, phase, change, before)?;
        self.keep_weight_of(wanted);
        Ok(())
    }

    /// Plans to delete a destination of a service that stays.
    fn release(
        &mut self,
        before: &Service,
        after: &Service,
        entry: &DestinationEntry,
    ) -> Result<(), PlanError> {
        let id = entry.destination.id;
        let action = Actions::DELETE_DESTINATION;
        let phase = if self.drains(after, entry) {
            self.begin_drain(action, after, entry)?;
            Phase::Drained
        } else if entry.destination.weight == 0
            && after.refuses_at_weight_zero()
            && !before.refuses_at_weight_zero()
        {
            Phase::Clear
        } else {
            Phase::Delete
        };
        let change = Change::DeleteDestination(after.id, id);
        self.step(action, phase, change, Some(Before::of_destination(entry)))
    }

    /// Plans to delete a service. It drains if all its destinations can.
    fn remove(&mut self, present: &ServiceSnapshot) -> Result<(), PlanError> {
        let service = &present.entry.service;
        let action = Actions::DELETE_SERVICE;
        let entries = &present.destinations;
        let drains = entries.iter().all(|entry| self.drains(service, entry));
        let phase = if drains && !entries.is_empty() { Phase::Drained } else { Phase::Delete };
        if drains {
            for entry in entries {
                self.begin_drain(action, service, entry)?;
            }
        }
        let change = Change::DeleteService(service.id);
        self.step(action, phase, change, Some(Before::of_service(present)))
    }

    /// Plans to delete the destinations of a service one by one, and then the service.
    fn remove_one_by_one(&mut self, present: &ServiceSnapshot) -> Result<(), PlanError> {
        let service = &present.entry.service;
        let action = Actions::DELETE_SERVICE;
        let mut last = Phase::Delete;
        for entry in &present.destinations {
            let mut phase = Phase::Delete;
            if self.drains(service, entry) {
                self.begin_drain(action, service, entry)?;
                (phase, last) = (Phase::Drained, Phase::Drained);
            }
            let change = Change::DeleteDestination(service.id, entry.destination.id);
            self.step(action, phase, change, Some(Before::of_destination(entry)))?;
        }
        let before = Some(Before::of_service(present));
        self.step(action, last, Change::DeleteService(service.id), before)
    }

    /// Returns `true` if a destination is to drain before it is deleted.
    fn drains(&self, service: &Service, entry: &DestinationEntry) -> bool {
        let at_once = match self.at_once {
            Some(at_once) => at_once(entry.destination.id),
            None => self.options.drain.is_none(),
        };
        !at_once && can_drain(service, entry)
    }

    /// Plans to set the weight of a destination to 0, unless it is 0 already.
    fn begin_drain(
        &mut self,
        action: Actions,
        service: &Service,
        entry: &DestinationEntry,
    ) -> Result<(), PlanError> {
        if entry.destination.weight == 0 {
            return Ok(());
        }
        let change = Change::UpdateDestination(service.id, entry.destination.clone().weight(0));
        self.step(action, Phase::Reduce, change, Some(Before::of_destination(entry)))?;
        self.purpose(Purpose::Drain);
        Ok(())
    }
}
