//! What is known of a service: by the runner's pools, and by the controller.

use std::collections::BTreeMap;
use std::time::SystemTime;

use ipvs_netlink::health::probe::Update;
use ipvs_netlink::health::{PoolEvent, Verdict};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Event as ControllerEvent;
use ipvs_netlink::{DestinationId, ServiceId};

use crate::desk::{Desk, Trouble};
use crate::event::{Event, Severity};
use crate::moment::Moment;

/// What is known of a service.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    /// Whether the service is to leave the table.
    pub(super) is_leaving: bool,
    /// What the pool has told; `None` before that.
    pub(super) is_available: Option<bool>,
    /// What the controller has told; `None` before that.
    pub(super) is_serving: Option<bool>,
    pub(super) has_sorry_server: bool,
    /// Since when the service is as it is.
    pub(super) since: SystemTime,
    pub(super) destinations: BTreeMap<DestinationId, ObservedDestination>,
}

/// What is known of a destination.
#[derive(Clone, Debug)]
pub(super) struct ObservedDestination {
    pub(super) verdict: Verdict,
    pub(super) since: Option<SystemTime>,
    pub(super) reason: String,
    pub(super) is_kept: bool,
}

impl Observed {
    pub(super) const fn new(since: SystemTime) -> Self {
        Self {
            is_leaving: false,
            is_available: None,
            is_serving: None,
            has_sorry_server: false,
            since,
            destinations: BTreeMap::new(),
        }
    }

    /// Notes what the configuration says.
    pub(super) fn is_to_have(&mut self, table: &TableService, now: SystemTime) {
        if self.is_leaving {
            *self = Self::new(now);
        }
        self.destinations.retain(|id, _| table.destination(*id).is_some());
        for destination in table.destinations() {
            self.destinations.entry(destination.id()).or_insert_with(|| ObservedDestination {
                verdict: Verdict::Unknown,
                since: None,
                reason: String::new(),
                is_kept: false,
            });
        }
    }

    /// Notes that the service is to leave.
    pub(super) const fn leaves(&mut self) {
        self.is_leaving = true;
    }

    pub(super) const fn reason(&self) -> &'static str {
        match (self.is_leaving, self.is_available, self.is_serving) {
            (true, ..) => "the service leaves the table",
            (_, Some(false), _) => "too few destinations are live",
            (.., Some(false)) => "the table has no usable destination",
            (_, Some(true), Some(true)) => "enough destinations are live, and the table has them",
            (_, None, _) => "no check has decided yet",
            (.., None) => "the table has not been read yet",
        }
    }
}

impl Desk {
    /// Takes in an update of the runner.
    pub fn update(&mut self, update: &Update, now: Moment) {
        match update {
            Update::Event(service, event) => self.pool_event(*service, event, now),
            Update::NotDone { destination, reason, .. } => {
                let event = Event::new(now.wall, Severity::Warning, "not-done", reason);
                self.tell(event.at(*destination));
            }
            Update::Refused { service, destination, error, .. } => {
                let text = error.to_string();
                let event = Event::new(now.wall, Severity::Warning, "not-done", &text);
                self.tell(event.of(*service).at(*destination));
            }
            // A service of a mark that checks go through is the daemon's, too.
            Update::Wish(wish) => {
                self.saved.owned.insert(wish.id());
            }
            _ => {}
        }
    }

    fn pool_event(&mut self, service: ServiceId, event: &PoolEvent, now: Moment) {
        let Some(observed) = self.observed.get_mut(&service) else { return };
        let mut to = |id: &DestinationId, change: &dyn Fn(&mut ObservedDestination)| {
            if let Some(destination) = observed.destinations.get_mut(id) {
                change(destination);
            }
        };
        let wall = now.wall;
        let (severity, kind, destination) = match event {
            PoolEvent::Verdict { destination, verdict, reason, .. } => {
                to(destination, &|known| {
                    known.verdict = *verdict;
                    known.since = Some(wall);
                    known.reason.clone_from(reason);
                    known.is_kept &= *verdict == Verdict::Down;
                });
                let severity = match verdict {
                    Verdict::Down => Severity::Warning,
                    _ => Severity::Note,
                };
                // `unknown` is what the controller says of a change.
                let kind = if *verdict == Verdict::Unknown { "undecided" } else { verdict.name() };
                (severity, kind, Some(*destination))
            }
            PoolEvent::Kept(destination) => {
                to(destination, &|known| known.is_kept = true);
                (Severity::Warning, "kept", Some(*destination))
            }
            PoolEvent::TakenOut(destination) => {
                to(destination, &|known| known.is_kept = false);
                (Severity::Note, "taken-out", Some(*destination))
            }
            PoolEvent::PutBack(destination) => {
                to(destination, &|known| known.is_kept = false);
                (Severity::Note, "put-back", Some(*destination))
            }
            PoolEvent::Maintenance { destination, maintenance: Some(_), .. } => {
                (Severity::Note, "maintenance", Some(*destination))
            }
            PoolEvent::Maintenance { destination, maintenance: None, .. } => {
                (Severity::Note, "maintenance-over", Some(*destination))
            }
            PoolEvent::Available => {
                observed.is_available = Some(true);
                observed.since = wall;
                (Severity::Note, "available", None)
            }
            PoolEvent::Unavailable { .. } => {
                observed.is_available = Some(false);
                observed.since = wall;
                (Severity::Warning, "unavailable", None)
            }
            PoolEvent::SorryServerIn => {
                observed.has_sorry_server = true;
                (Severity::Warning, "sorry-server-in", None)
            }
            PoolEvent::SorryServerOut => {
                observed.has_sorry_server = false;
                (Severity::Note, "sorry-server-out", None)
            }
            _ => (Severity::Note, "pool", None),
        };
        let told = Event::new(wall, severity, kind, &event.to_string()).of(service);
        self.tell(match destination {
            Some(destination) => told.at(destination),
            None => told,
        });
    }

    /// Takes in an event of the controller.
    pub fn controller_event(&mut self, event: &ControllerEvent, now: Moment) {
        let severity = match event {
            ControllerEvent::Done(_)
            | ControllerEvent::Settled(_)
            | ControllerEvent::Superseded(_)
            | ControllerEvent::Resynchronized { .. } => Severity::Detail,
            ControllerEvent::BackingOff { error, .. } => {
                let text = format!("the kernel's table is left alone for a while: {error}");
                return self.trouble(Trouble::Kernel, Some(text), now);
            }
            ControllerEvent::Recovered => return self.trouble(Trouble::Kernel, None, now),
            ControllerEvent::Failed { .. }
            | ControllerEvent::Unknown { .. }
            | ControllerEvent::Unread { .. }
            | ControllerEvent::Contested { .. }
            | ControllerEvent::Cut { .. }
            | ControllerEvent::NotServing(_) => Severity::Warning,
            ControllerEvent::Refused { service, error, .. } => {
                let about = Trouble::Service(*service);
                return self.trouble(about, Some(error.to_string()), now);
            }
            _ => Severity::Note,
        };
        let told = Event::new(now.wall, severity, event.name(), &event.to_string());
        let told = match event.service() {
            Some(service) => told.of(service),
            None => told,
        };
        self.tell(told);
        let Some(service) = event.service() else { return };
        match event {
            ControllerEvent::Serving(_) => self.serving(service, true),
            ControllerEvent::NotServing(_) => self.serving(service, false),
            ControllerEvent::Settled(_) => self.trouble(Trouble::Service(service), None, now),
            ControllerEvent::Leaving { .. } => {
                if let Some(observed) = self.observed.get_mut(&service) {
                    observed.leaves();
                }
            }
            ControllerEvent::Left(_) => self.left(service),
            _ => {}
        }
    }

    fn serving(&mut self, service: ServiceId, serving: bool) {
        if let Some(observed) = self.observed.get_mut(&service) {
            observed.is_serving = Some(serving);
        }
    }

    fn left(&mut self, service: ServiceId) {
        if !self.configuration.services.contains_key(&service) {
            self.observed.remove(&service);
            self.saved.owned.remove(&service);
        }
    }
}
