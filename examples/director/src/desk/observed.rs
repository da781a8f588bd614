//! Takes in what happens at the runner and in the table.

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::probe::Update;
use ipvs_netlink::health::{PoolEvent, Verdict};
use ipvs_netlink::table::controller::Event as ControllerEvent;

use crate::desk::{Desk, Trouble};
use crate::event::{Event, Severity};
use crate::moment::Moment;

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
            Update::Wish(wish) if !self.saved.owned.contains(&wish.id()) => {
                self.edit().owned.insert(wish.id());
            }
            _ => {}
        }
    }

    fn pool_event(&mut self, service: ServiceId, event: &PoolEvent, now: Moment) {
        let (severity, kind, destination) = match event {
            PoolEvent::Verdict { destination, verdict, .. } => {
                let severity = match verdict {
                    Verdict::Down => Severity::Warning,
                    _ => Severity::Note,
                };
                // `unknown` is what the controller says of a change.
                let kind = if *verdict == Verdict::Unknown { "undecided" } else { verdict.name() };
                (severity, kind, Some(destination))
            }
            PoolEvent::Kept(destination) => (Severity::Warning, "kept", Some(destination)),
            PoolEvent::TakenOut(destination) => (Severity::Note, "taken-out", Some(destination)),
            PoolEvent::PutBack(destination) => (Severity::Note, "put-back", Some(destination)),
            PoolEvent::Maintenance { destination, maintenance: Some(_), .. } => {
                (Severity::Note, "maintenance", Some(destination))
            }
            PoolEvent::Maintenance { destination, maintenance: None, .. } => {
                (Severity::Note, "maintenance-over", Some(destination))
            }
            PoolEvent::Available => (Severity::Note, "available", None),
            PoolEvent::Unavailable { .. } => (Severity::Warning, "unavailable", None),
            PoolEvent::SorryServerIn => (Severity::Warning, "sorry-server-in", None),
            PoolEvent::SorryServerOut => (Severity::Note, "sorry-server-out", None),
            _ => (Severity::Note, "pool", None),
        };
        let mut told = Event::new(now.wall, severity, kind, &event.to_string()).of(service);
        if let Some(destination) = destination {
            told = told.at(*destination);
        }
        self.tell(told);
    }

    /// Takes in an event of the controller.
    pub fn controller_event(&mut self, event: &ControllerEvent, now: Moment) {
        match event {
            ControllerEvent::BackingOff { error, .. } => {
                let text = format!("the table cannot be kept for now: {error}");
                return self.trouble(Trouble::Kernel, Some(text), now);
            }
            ControllerEvent::Recovered => return self.trouble(Trouble::Kernel, None, now),
            ControllerEvent::Refused { service, error, .. } => {
                let about = Trouble::Service(*service);
                return self.trouble(about, Some(error.to_string()), now);
            }
            ControllerEvent::Serving(service) => {
                self.serving.insert(*service);
            }
            ControllerEvent::NotServing(service) => {
                self.serving.remove(service);
            }
            ControllerEvent::Settled(service) => {
                self.trouble(Trouble::Service(*service), None, now);
            }
            ControllerEvent::Left(service) => self.left(*service, now),
            _ => {}
        }
        let severity = match event {
            ControllerEvent::Done(_)
            | ControllerEvent::Settled(_)
            | ControllerEvent::Superseded(_)
            | ControllerEvent::Resynchronized { .. } => Severity::Detail,
            ControllerEvent::Failed { .. }
            | ControllerEvent::Unknown { .. }
            | ControllerEvent::Unread { .. }
            | ControllerEvent::Contested { .. }
            | ControllerEvent::Cut { .. }
            | ControllerEvent::NotServing(_) => Severity::Warning,
            _ => Severity::Note,
        };
        let (kind, text) = (event.name(), event.to_string());
        // The kind is told beside the text, and is not to be there twice.
        let text = text.strip_prefix(kind).and_then(|it| it.strip_prefix(": ")).unwrap_or(&text);
        let mut told = Event::new(now.wall, severity, kind, text);
        if let Some(service) = event.service() {
            told = told.of(service);
        }
        self.tell(told);
    }

    /// Notes that what was announced of a service that is not in the file any more is withdrawn.
    pub fn withdrawn(&mut self, service: ServiceId) {
        let is_wished = !self.is_withdrawn && self.is_configured(service);
        if !is_wished && self.saved.withdrawals.contains_key(&service) {
            self.edit().withdrawals.remove(&service);
        }
    }

    fn left(&mut self, service: ServiceId, now: Moment) {
        self.serving.remove(&service);
        let is_wished = !self.is_withdrawn && self.is_configured(service);
        if !is_wished {
            // Its command may fail still, and is tried again after a restart.
            self.edit().owned.remove(&service);
            self.trouble(Trouble::Service(service), None, now);
        }
    }
}
