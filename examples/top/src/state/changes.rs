use std::collections::{HashMap, VecDeque};
use std::fmt;

use ipvs_netlink::growth::Grown;
use ipvs_netlink::{DestinationId, Scheduler, ServiceId};

use crate::Moment;
use crate::state::Readings;
use crate::state::director::{DestinationState, Director, Status};

/// How many changes are kept.
const MOST: usize = 1000;

/// What has changed in the table while the program ran.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    all: VecDeque<Change>,
    /// How many changes were forgotten since the last look.
    forgotten: usize,
    /// How many of the newest changes nobody has looked at.
    unseen: usize,
    /// The services with changes since the last look.
    marked: HashMap<ServiceId, Mark>,
    seen_at: Option<Moment>,
}

/// Something that has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When it was noticed.
    pub at: Moment,
    /// The service.
    pub service: ServiceId,
    /// The destination, or `None` for the service itself.
    pub destination: Option<DestinationId>,
    /// What.
    pub what: What,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// The service has another scheduler.
    Scheduler(Scheduler, Scheduler),
    /// Other settings: flags, persistence, thresholds or forwarding.
    Settings,
    /// The destination has another weight.
    Weight(u32, u32),
    /// The counters were reset.
    Reset,
    /// The director gives it another state, for this reason.
    State(DestinationState, String),
}

/// How a service is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is new.
    New,
    /// It has changed.
    Changed,
}

impl Changes {
    /// The changes that are kept, the newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Change> {
        self.all.iter().rev()
    }

    /// How many changes there were since the last look.
    #[must_use]
    pub const fn unseen(&self) -> usize {
        self.unseen.saturating_add(self.forgotten)
    }

    /// Whether this change, counted from the newest, came since the last look.
    #[must_use]
    pub const fn is_unseen(&self, nth: usize) -> bool {
        nth < self.unseen
    }

    /// The mark of a service with changes since the last look.
    #[must_use]
    pub fn mark(&self, service: ServiceId) -> Option<Mark> {
        self.marked.get(&service).copied()
    }

    /// When the last look was.
    #[must_use]
    pub const fn seen_at(&self) -> Option<Moment> {
        self.seen_at
    }

    /// Says that somebody has looked.
    pub fn look(&mut self, now: Moment) {
        self.seen_at = Some(now);
        self.unseen = 0;
        self.forgotten = 0;
        self.marked.clear();
    }

    /// Compares the latest reading with what was known before. Nothing is called new unless all was known,
    /// and nothing gone unless the reading is complete.
    pub(crate) fn compare(&mut self, readings: &Readings) {
        let (Some(latest), Some(growth)) = (readings.latest(), readings.last_growth()) else {
            return;
        };
        let (at, has_all, knew_all) =
            (latest.at, latest.snapshot.is_complete(), readings.knew_all());
        for service in growth.services() {
            let id = service.id();
            let mut add = |destination, what| {
                self.push(Change { at, service: id, destination, what });
            };
            match (service.before(), service.after()) {
                (None, _) if !knew_all => continue,
                (_, None) if !has_all => continue,
                (None, Some(_)) => {
                    add(None, What::Added);
                    continue;
                }
                (Some(_), None) => {
                    add(None, What::Removed);
                    continue;
                }
                (Some(before), Some(after)) if before.service != after.service => {
                    let (one, other) = (before.service.scheduler, after.service.scheduler);
                    let is_other = one != other;
                    add(None, if is_other { What::Scheduler(one, other) } else { What::Settings });
                }
                _ => {}
            }
            if matches!(service.grown(), Grown::Reset { .. }) {
                add(None, What::Reset);
            }
            for destination in service.destinations() {
                let what = match (destination.before(), destination.after()) {
                    (None, _) if !knew_all => continue,
                    (_, None) if !has_all => continue,
                    (None, Some(_)) => What::Added,
                    (Some(_), None) => What::Removed,
                    (Some(before), Some(after)) => {
                        let (before, after) = (&before.destination, &after.destination);
                        match () {
                            () if before == after => continue,
                            () if before.weight != after.weight => {
                                What::Weight(before.weight, after.weight)
                            }
                            () => What::Settings,
                        }
                    }
                    (None, None) => continue,
                };
                add(Some(destination.id()), what);
            }
        }
    }

    /// Compares a former status of the director with the present one.
    pub(crate) fn compare_director(
        &mut self,
        at: Moment,
        before: &Option<Status>,
        after: &Director,
    ) {
        let (Some(before), Some(after)) = (before, after.status()) else { return };
        let mut changes = Vec::new();
        for service in after.services.values() {
            let Some(former) = before.services.get(&service.id) else { continue };
            for it in service.destinations() {
                let state = former.destination(it.id).map(|former| former.state);
                if state.is_some_and(|state| state != it.state) {
                    let what = What::State(it.state, it.reason.clone());
                    changes.push(Change {
                        at,
                        service: service.id,
                        destination: Some(it.id),
                        what,
                    });
                }
            }
        }
        changes.sort_by_key(|change| (change.service, change.destination));
        changes.into_iter().for_each(|change| self.push(change));
    }

    fn push(&mut self, change: Change) {
        let is_new = change.destination.is_none() && change.what == What::Added;
        let mark = if is_new { Mark::New } else { Mark::Changed };
        match change.what {
            What::Removed if change.destination.is_none() => {
                self.marked.remove(&change.service);
            }
            _ => {
                self.marked.entry(change.service).or_insert(mark);
            }
        }
        if self.all.len() == MOST {
            self.all.pop_front();
            if self.unseen == MOST {
                self.unseen -= 1;
                self.forgotten = self.forgotten.saturating_add(1);
            }
        }
        self.all.push_back(change);
        self.unseen += 1;
    }
}

impl fmt::Display for Change {
    /// Without the time: `TCP 192.0.2.10:80 10.0.0.2:8080 weight 1 -> 0`. Texts of the director are as
    /// they came.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.service)?;
        if let Some(destination) = self.destination {
            write!(f, "{destination} ")?;
        }
        match &self.what {
            What::Added => f.write_str("added"),
            What::Removed => f.write_str("removed"),
            What::Scheduler(before, after) => write!(f, "scheduler {before} -> {after}"),
            What::Settings => f.write_str("other settings"),
            What::Weight(before, after) => write!(f, "weight {before} -> {after}"),
            What::Reset => f.write_str("counters reset"),
            What::State(state, reason) if reason.is_empty() => f.write_str(state.name()),
            What::State(state, reason) => write!(f, "{}: {reason}", state.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::{Change as Written, Service};

    use crate::stage::{DNS, Stage, WEB, id};

    const MAIL: &str = "TCP 192.0.2.11:25";

    fn told(stage: &Stage) -> Vec<String> {
        let mut told: Vec<_> = stage.state.changes.iter().map(ToString::to_string).collect();
        told.sort();
        told
    }

    #[test]
    fn what_an_incomplete_reading_lacks_is_told_when_it_has_gone() {
        let mut stage = Stage::new();
        let second = "10.0.0.3:8080".parse().unwrap();
        stage.write(Written::DeleteDestination(id(WEB), second));
        stage.write(Written::DeleteService(id(MAIL)));
        stage.write(Written::AddService(Service::tcp("192.0.2.12:443".parse().unwrap())));
        stage.weight(WEB, "10.0.0.2:8080", 5);
        stage.read_without(&[]);
        // What is there is there.
        let certain = ["TCP 192.0.2.10:80 10.0.0.2:8080 weight 1 -> 5", "TCP 192.0.2.12:443 added"];
        assert_eq!(told(&stage), certain);
        stage.read_without(&[]);
        assert_eq!(told(&stage), certain);
        stage.read();
        let all = [
            "TCP 192.0.2.10:80 10.0.0.2:8080 weight 1 -> 5",
            "TCP 192.0.2.10:80 10.0.0.3:8080 removed",
            "TCP 192.0.2.11:25 removed",
            "TCP 192.0.2.12:443 added",
        ];
        assert_eq!(told(&stage), all);
        stage.read();
        assert_eq!(told(&stage), all);
    }

    #[test]
    fn what_readings_lack_for_a_while_is_compared_with_what_it_was() {
        let mut stage = Stage::new();
        stage.read_without(&[WEB, MAIL]);
        stage.weight(WEB, "10.0.0.2:8080", 5);
        stage.read_without(&[WEB, DNS]);
        assert_eq!(told(&stage), none());
        stage.read();
        assert_eq!(told(&stage), ["TCP 192.0.2.10:80 10.0.0.2:8080 weight 1 -> 5"]);
    }

    #[test]
    fn nothing_is_new_before_the_first_complete_reading() {
        let mut stage = Stage::empty();
        stage.add(Service::tcp("192.0.2.10:80".parse().unwrap()), &[(2, 1)]);
        stage.read_without(&[WEB]);
        stage.read_without(&[]);
        stage.read();
        assert_eq!(told(&stage), none());
        stage.weight(WEB, "10.0.0.2:8080", 5);
        stage.read();
        assert_eq!(told(&stage).len(), 1);
    }

    const fn none() -> [&'static str; 0] {
        []
    }
}
