//! The fifth promise: every wish's fate is told by an event, and no event says done what is not
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use ipvs_netlink::table::controller::{Answer, Event, Work};
use ipvs_netlink::{Change, Outcome, ServiceId};

use crate::judge::knowledge::{Present, objects};
use crate::judge::wishes::weight;
use crate::judge::{Case, Verdict};

/// What is to be told of a service.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    /// How many wishes were replaced before their fate was told.
    superseded: u32,
    /// `true` if the service is wished, `false` if it is to leave.
    wished: bool,
}

/// Judges events.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The services whose last wish has a fate that is not told yet.
    open: BTreeMap<ServiceId, Open>,
    /// Changes that the last answer told to be done, and no event yet.
    done: Vec<Change>,
    /// Changes of unknown outcome, which a reading may find done.
    unknown: Vec<Change>,
    serving: BTreeSet<ServiceId>,
    /// Services that were said to leave and not to serve since, and until when they are held.
    leaving: BTreeMap<ServiceId, Instant>,
    /// Those of them that were wished again.
    stays: BTreeSet<ServiceId>,
}

impl Told {
    /// Takes in that a service is wished, in another way than before, or is to leave. Whoever
    /// wishes a service again need not be told that it does not leave.
    pub(crate) fn wished(&mut self, id: ServiceId, wished: bool) {
        let open = self.open.entry(id).or_default();
        open.superseded += u32::from(open.wished);
        open.wished = wished;
        if wished {
            self.stays.insert(id);
        }
    }

    /// Judges a list of changes that are about to be written.
    pub(crate) fn given(&mut self, case: &Case<'_>, writes: &[Change]) -> Verdict {
        for change in writes {
            let (Some(id), _) = objects(change) else { continue };
            if case.knowledge.is_guess(id) {
                return Err(format!("{id}: writes without finding out what came before: {change}"));
            }
            let takes = match change {
                Change::DeleteService(_) | Change::DeleteDestination(..) => true,
                Change::UpdateDestination(_, new) => new.weight == 0,
                _ => false,
            };
            let serves = case.knowledge.present(id).is_some_and(Present::is_usable);
            let leaves = !case.wishes.current.contains_key(&id);
            if takes && serves && leaves {
                match self.leaving.get(&id) {
                    Some(until) if *until <= case.now => {}
                    Some(_) => return Err(format!("{id}: {change} before its hold time is over")),
                    None => return Err(format!("{id}: {change} and nobody was told")),
                }
            }
        }
        Ok(())
    }

    /// Takes in an accepted answer.
    pub(crate) fn answered(&mut self, work: &Work, answer: &Answer) {
        self.done.clear();
        if let (Work::Write(writes), Answer::Written(report)) = (work, answer) {
            for (write, outcome) in writes.iter().zip(report.outcomes()) {
                match outcome {
                    Outcome::Done => self.done.push(write.clone()),
                    Outcome::Unknown(_) => self.unknown.push(write.clone()),
                    _ => {}
                }
            }
        }
    }

    /// Takes in that a task will not be answered.
    pub(crate) fn unanswered(&mut self, work: &Work) {
        if let Work::Write(writes) = work {
            self.unknown.extend(writes.iter().cloned());
        }
    }

    /// Judges an event. The knowledge has the answer that it came from.
    pub(crate) fn told(&mut self, case: &Case<'_>, event: &Event) -> Verdict {
        match event {
            Event::Done(change) => self.is_done(case, change),
            Event::Settled(id) => {
                self.last_fate(*id)?;
                is_as_wished(case, *id)
            }
            // A wish that was settled may be replaced while it is carried out once more, because
            // somebody else undid it.
            Event::Superseded(id) => {
                if let Some(open) = self.open.get_mut(id) {
                    open.superseded = open.superseded.saturating_sub(1);
                }
                Ok(())
            }
            Event::Refused { service, .. } => self.last_fate(*service),
            Event::Left(id) => {
                self.last_fate(*id)?;
                self.leaving.remove(id);
                self.serving.remove(id);
                let wished = case.wishes.current.contains_key(id);
                match case.knowledge.is_absent(*id) && !wished {
                    true => Ok(()),
                    false => Err(format!("{id} is said to have left, and has not")),
                }
            }
            Event::Serving(id) => {
                self.leaving.remove(id);
                let usable = case.knowledge.present(*id).is_some_and(Present::may_be_usable);
                match self.serving.insert(*id) && usable {
                    true => Ok(()),
                    false => Err(format!("{id} is said to serve, and does not, or did before")),
                }
            }
            Event::NotServing(id) => {
                let usable = case.knowledge.present(*id).is_some_and(Present::is_usable);
                match self.serving.remove(id) && !usable {
                    true => Ok(()),
                    false => Err(format!("{id} is said to serve no more, and serves, or did not")),
                }
            }
            Event::Leaving { service, until, .. } => {
                let held = case.now + case.options.hold;
                let again = self.leaving.insert(*service, *until).is_some();
                if !self.stays.remove(service) && again {
                    return Err(format!("{service} is said to leave twice"));
                }
                self.serving.remove(service);
                match *until == held && !case.wishes.current.contains_key(service) {
                    true => Ok(()),
                    false => {
                        Err(format!("{service} is said to leave, and is wished or held wrong"))
                    }
                }
            }
            _ => Ok(()),
        }
    }

    /// Takes in that a service outside the scope is not wished any more: nobody waits for it.
    pub(crate) fn no_concern(&mut self, id: ServiceId) {
        self.open.remove(&id);
    }

    /// The newest wish for a service has its fate; all that came before must have theirs.
    fn last_fate(&mut self, id: ServiceId) -> Verdict {
        match self.open.remove(&id) {
            Some(Open { superseded, .. }) if superseded > 0 => {
                Err(format!("{id}: nobody was told of {superseded} wishes"))
            }
            _ => Ok(()),
        }
    }

    fn is_done(&mut self, case: &Case<'_>, change: &Change) -> Verdict {
        if let Some(at) = self.done.iter().position(|done| done == change) {
            self.done.swap_remove(at);
            return Ok(());
        }
        // Or a reading has found it done.
        if let Some(at) = self.unknown.iter().position(|unknown| unknown == change) {
            self.unknown.swap_remove(at);
            if is_there(case, change) {
                return Ok(());
            }
        }
        Err(format!("said done, and not there: {change}"))
    }

    /// Returns an error if the fate of a wish was not told, when the controller has nothing left
    /// to do.
    pub(crate) fn settled(&self) -> Verdict {
        match self.open.keys().next() {
            None => Ok(()),
            Some(id) => Err(format!("{id}: nobody was told what came of its wish")),
        }
    }

    pub(crate) fn is_serving(&self, id: ServiceId) -> bool {
        self.serving.contains(&id)
    }
}

/// Returns `true` if the last reading shows what the change asks for.
fn is_there(case: &Case<'_>, change: &Change) -> bool {
    let knowledge = case.knowledge;
    match change {
        Change::AddService(new) | Change::UpdateService(new) => {
            knowledge.present(new.id).is_some_and(|present| present.settings == *new)
        }
        Change::DeleteService(id) => knowledge.is_absent(*id),
        Change::AddDestination(id, new) | Change::UpdateDestination(id, new) => {
            knowledge.server(*id, new.id).is_some_and(|server| server.settings == *new)
        }
        Change::DeleteDestination(id, to) => knowledge.server(*id, *to).is_none(),
        _ => false,
    }
}

/// Returns an error if the last reading of a service differs from its wish. Destinations that
/// drain still may be there.
fn is_as_wished(case: &Case<'_>, id: ServiceId) -> Verdict {
    let Some(wish) = case.wishes.current.get(&id) else {
        return Err(format!("{id} is said to be settled, and is not wished"));
    };
    let Some(present) = case.knowledge.present(id) else {
        return Err(format!("{id} is said to be settled, and is not there"));
    };
    let wish = wish.service();
    let mut same = present.settings == *wish.service() && !case.knowledge.is_guess(id);
    for wished in wish.destinations() {
        let there = present.servers.get(&wished.id());
        let weight = weight(case.options, wished, there.map(|there| there.settings.weight));
        let expected = wished.destination().clone().weight(weight);
        same &= there.is_some_and(|there| there.sure && there.settings == expected);
    }
    let drains = case.options.plan.drain.is_some();
    for (to, server) in &present.servers {
        let leaves = wish.destination(*to).is_none();
        same &= !leaves || (drains && server.settings.weight == 0);
    }
    match same {
        true => Ok(()),
        false => Err(format!("{id} is said to be settled, and is not: {present:?}")),
    }
}
