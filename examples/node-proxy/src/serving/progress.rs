//! Follows changes of the cluster until the kernel's table has them.

use std::collections::HashSet;
use std::time::SystemTime;

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::Event;
use ipvs_netlink::table::controller;

use super::rounds::{Round, Rounds};
use super::triggers::Triggers;
use super::{ClusterChanges, Moment, Wished};

/// What changes wait for.
#[derive(Debug)]
pub(crate) struct Progress {
    /// What has been told and not been converted.
    told: ClusterChanges,
    triggers: Triggers,
    rounds: Rounds<ClusterChanges>,
    /// The changes of all rounds that have not ended.
    in_rounds: (u64, u64),
    /// The virtual services that leave.
    leaving: HashSet<ServiceId>,
}

impl Progress {
    pub(crate) fn new(started: SystemTime) -> Self {
        Self {
            told: ClusterChanges::default(),
            triggers: Triggers::new(started),
            rounds: Rounds::new(),
            in_rounds: (0, 0),
            leaving: HashSet::new(),
        }
    }

    /// Takes in a change of the cluster.
    pub(crate) fn told(&mut self, event: &Event) {
        match event {
            Event::Service(_) | Event::ServiceDeleted(_) => self.told.services += 1,
            Event::Slice(slice) => {
                self.told.slices += 1;
                self.triggers.told(slice);
            }
            // The annotation of a slice that is deleted tells of the change before.
            Event::SliceDeleted(_) => self.told.slices += 1,
            _ => {}
        }
    }

    /// Begins a round: what has been told until now was converted at `begun`, and is wished now. `is_open` says
    /// whether the controller has still to find out about a wish. Returns the rounds that have ended at once.
    pub(crate) fn wished(
        &mut self,
        wished: Wished,
        is_open: impl Fn(ServiceId) -> bool,
        begun: Moment,
    ) -> Vec<Round<ClusterChanges>> {
        let mut load = std::mem::take(&mut self.told);
        let mut waited_for = wished.held;
        waited_for.extend(&wished.refused);
        let mut ended = Vec::new();
        for (id, service) in wished.set {
            self.leaving.remove(&id);
            if is_open(id) {
                waited_for.push(id);
                load.triggers.extend(self.triggers.take(&service));
            } else {
                // If it was held, nothing is told of it again.
                ended.extend(self.outcome(id, true));
            }
        }
        if !wished.holds {
            self.triggers.clear();
        }
        self.leaving.extend(&wished.forgotten);
        waited_for.extend(wished.forgotten);
        let (services, slices) = (load.services, load.slices);
        match self.rounds.begin(begun, load, waited_for) {
            // Nothing but another look at what is held.
            Some(_) if wished.holds && services == 0 && slices == 0 => {}
            Some(round) => ended.push(round),
            None => {
                self.in_rounds.0 += services;
                self.in_rounds.1 += slices;
            }
        }
        for id in wished.refused {
            ended.extend(self.outcome(id, false));
        }
        for id in wished.dropped {
            ended.extend(self.outcome(id, true));
        }
        ended
    }

    /// Takes in an event of the controller. Returns the rounds that end with it.
    pub(crate) fn event(&mut self, event: &controller::Event) -> Vec<Round<ClusterChanges>> {
        use controller::Event::{Contested, Failed, Refused, Settled, Superseded, Unknown, Unread};
        let Some(service) = event.service() else { return Vec::new() };
        match event {
            Settled(_) => self.outcome(service, true),
            Failed { .. } | Refused { .. } | Unread { .. } | Contested { .. } => {
                self.outcome(service, false)
            }
            Superseded(_) | Unknown { .. } => Vec::new(),
            // A service that leaves may drain for long: that it has begun to leave is enough.
            _ if self.leaving.contains(&service) => self.outcome(service, true),
            _ => Vec::new(),
        }
    }

    fn outcome(&mut self, service: ServiceId, succeeded: bool) -> Vec<Round<ClusterChanges>> {
        self.leaving.remove(&service);
        let ended = self.rounds.outcome(service, succeeded);
        for round in &ended {
            self.in_rounds.0 = self.in_rounds.0.saturating_sub(round.load.services);
            self.in_rounds.1 = self.in_rounds.1.saturating_sub(round.load.slices);
        }
        ended
    }

    /// Returns when the oldest change was converted that the table does not have yet.
    pub(crate) fn oldest(&self) -> Option<Moment> {
        self.rounds.oldest()
    }

    /// Returns how many changes of services, and of slices, the table does not have yet.
    pub(crate) const fn pending(&self) -> (u64, u64) {
        (self.told.services + self.in_rounds.0, self.told.slices + self.in_rounds.1)
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::kubernetes::{
        Changes, Converter, Endpoint, EndpointPort, EndpointSlice, ObjectName, Options, Service,
        ServicePort,
    };
    use ipvs_netlink::table::controller::Event as TableEvent;
    use ipvs_netlink::{Change, Destination};
    use jiff::Timestamp;

    use super::super::triggers::TRIGGER_TIME;
    use super::*;

    const STARTED: &str = "2026-11-29T05:00:00Z";

    struct Cluster {
        converter: Converter,
        progress: Progress,
    }

    impl Cluster {
        fn new() -> Self {
            let started: Timestamp = STARTED.parse().unwrap();
            Self {
                converter: Converter::new(&Options::new("node-a")),
                progress: Progress::new(started.into()),
            }
        }

        fn tell(&mut self, events: impl IntoIterator<Item = Event>) -> Changes {
            let events: Vec<Event> = events.into_iter().collect();
            events.iter().for_each(|event| self.progress.told(event));
            self.converter.apply_all(events)
        }
    }

    fn service() -> Event {
        let mut service = Service::new("shop", "web");
        service.spec.cluster_ip = "10.96.0.10".into();
        service.spec.ports.push(ServicePort::new(80));
        Event::Service(service)
    }

    fn slice(hosts: &[u8], trigger: &str) -> Event {
        let mut slice = EndpointSlice::new("shop", "web-1", "web");
        slice.ports.push(EndpointPort::new(8080));
        slice.endpoints = hosts.iter().map(|it| Endpoint::new(&format!("10.244.1.{it}"))).collect();
        slice.metadata.annotations.insert(TRIGGER_TIME.into(), trigger.into());
        Event::Slice(slice)
    }

    fn id() -> ServiceId {
        ServiceId::tcp(([10, 96, 0, 10], 80).into())
    }

    fn time(text: &str) -> SystemTime {
        text.parse::<Timestamp>().unwrap().into()
    }

    #[test]
    fn changes_are_pending_until_the_table_has_them() {
        let (mut cluster, begun) = (Cluster::new(), Moment::now());
        let changes = cluster.tell([service(), slice(&[1], "2026-11-29T05:00:01.25Z")]);
        assert_eq!(cluster.progress.pending(), (1, 1));
        assert_eq!(
            cluster.progress.wished(
                Wished::of(&changes.set, &changes.removed, false),
                |_| true,
                begun
            ),
            []
        );
        assert_eq!(cluster.progress.pending(), (1, 1));
        assert_eq!(cluster.progress.oldest(), Some(begun));
        assert_eq!(cluster.progress.event(&TableEvent::Serving(id())), []);
        let ended = cluster.progress.event(&TableEvent::Settled(id()));
        let triggers = vec![time("2026-11-29T05:00:01.25Z")];
        let load = ClusterChanges { services: 1, slices: 1, triggers };
        assert_eq!(ended, [Round { begun, succeeded: true, load }]);
        assert_eq!(cluster.progress.pending(), (0, 0));
        assert_eq!(cluster.progress.oldest(), None);
    }

    #[test]
    fn only_changes_of_the_table_are_measured() {
        let (mut cluster, begun) = (Cluster::new(), Moment::now());
        let trigger = "2026-11-29T05:00:01Z";
        // The second one takes the first one back.
        let changes = cluster.tell([service(), slice(&[1], trigger)]);
        let ended = cluster
            .progress
            .wished(Wished::of(&changes.set, &changes.removed, false), |_| false, begun)
            .remove(0);
        assert_eq!(ended.load.triggers, []);
        let changes = cluster.tell([slice(&[1, 2], trigger)]);
        let wished = Wished::of(&changes.set, &changes.removed, false);
        assert_eq!(cluster.progress.wished(wished, |_| true, begun), []);
        let ended = cluster.progress.event(&TableEvent::Settled(id()));
        assert_eq!(ended[0].load.triggers.len(), 1);
        // It changes nothing.
        let changes = cluster.tell([slice(&[1, 2], "2026-11-29T05:00:09Z")]);
        let ended = cluster
            .progress
            .wished(Wished::of(&changes.set, &changes.removed, false), |_| true, begun)
            .remove(0);
        assert_eq!((ended.load.slices, ended.load.triggers), (1, vec![]));
    }

    /// The firewall comes first.
    #[test]
    fn changes_that_are_held_wait_until_they_are_wished() {
        let (mut cluster, begun) = (Cluster::new(), Moment::now());
        let changes = cluster.tell([service(), slice(&[1], "2026-11-29T05:00:01Z")]);
        let held = || Wished { held: vec![id()], ..Wished::of(&[], &[], true) };
        assert_eq!(cluster.progress.wished(held(), |_| false, begun), []);
        assert_eq!(cluster.progress.oldest(), Some(begun));
        assert_eq!(cluster.progress.pending(), (1, 1));
        // Nothing has ended when what is held is looked at again.
        let again = Wished::of(&[], &[], true);
        assert_eq!(cluster.progress.wished(again, |_| false, begun.after(1)), []);
        let wished = Wished::of(&changes.set, &[], false);
        assert_eq!(cluster.progress.wished(wished, |_| true, begun.after(2)), []);
        assert_eq!(cluster.progress.oldest(), Some(begun));
        let ended = cluster.progress.event(&TableEvent::Settled(id()));
        assert_eq!((ended.len(), cluster.progress.pending()), (2, (0, 0)));
        assert_eq!(ended[1].load.triggers, [time("2026-11-29T05:00:01Z")]);
        assert_eq!(cluster.progress.triggers.take(&ObjectName::new("shop", "web")), []);
    }

    #[test]
    fn no_round_waits_for_what_was_held_and_is_not_wished() {
        let (mut cluster, begun) = (Cluster::new(), Moment::now());
        let nothing = || Wished::of(&[], &[], false);
        let changes = cluster.tell([service()]);
        for (after, succeeded) in [
            // Its wish is what the table has.
            (Wished::of(&changes.set, &[], false), true),
            (Wished { refused: vec![id()], ..nothing() }, false),
            (Wished { dropped: vec![id()], ..nothing() }, true),
        ] {
            let held = Wished { held: vec![id()], ..nothing() };
            assert_eq!(cluster.progress.wished(held, |_| false, begun), []);
            let ended = cluster.progress.wished(after, |_| false, begun.after(1));
            let first = ended.iter().find(|round| round.begun == begun).unwrap();
            assert_eq!(first.succeeded, succeeded);
            assert_eq!((ended.len(), cluster.progress.oldest()), (2, None));
            assert_eq!(cluster.progress.pending(), (0, 0));
        }
    }

    /// A drain may take for ever, and what the kernel refuses may be refused for ever.
    #[test]
    fn no_round_waits_for_drains_and_later_attempts() {
        let (mut cluster, begun) = (Cluster::new(), Moment::now());
        let changes = cluster.tell([service()]);
        cluster.progress.wished(Wished::of(&changes.set, &changes.removed, false), |_| true, begun);
        assert!(!cluster.progress.outcome(id(), false)[0].succeeded);

        let changes = cluster.tell([Event::ServiceDeleted(ObjectName::new("shop", "web"))]);
        assert_eq!(changes.removed, [id()]);
        assert_eq!(
            cluster.progress.wished(
                Wished::of(&changes.set, &changes.removed, false),
                |_| false,
                begun
            ),
            []
        );
        assert_eq!(cluster.progress.event(&TableEvent::Superseded(id())), []);
        // Its destinations drain.
        let weight = Change::UpdateDestination(
            id(),
            Destination::masquerade(([10, 244, 1, 1], 8080).into()).weight(0),
        );
        let ended = cluster.progress.event(&TableEvent::Done(weight));
        assert!(ended[0].succeeded);
        assert!(cluster.progress.leaving.is_empty());
        assert_eq!(cluster.progress.event(&TableEvent::Left(id())), []);
    }
}
