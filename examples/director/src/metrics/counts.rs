//! Counts what the daemon does, for metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use exporter::ProgramCounts;
use ipvs_netlink::health::passive::Sign;
use ipvs_netlink::health::probe::{FinishedCheck, Probe, Update};
use ipvs_netlink::health::{Outcome, PoolEvent, ServiceStatus, Verdict};
use ipvs_netlink::metrics::{ApplyCounts, CheckResult, HealthCounts, ServiceLabels};
use ipvs_netlink::table::Table;
use ipvs_netlink::table::controller::Event as ControllerEvent;
use ipvs_netlink::{DestinationId, ServiceId};

use crate::configuration::Configuration;

/// The counts, which the loop, the thread of the checks and that of metrics share.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedCounts(Arc<Mutex<Counts>>);

impl SharedCounts {
    /// Nothing is half done under the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the daemon counts. It takes in events, and does nothing else.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    health: HealthCounts,
    apply: ApplyCounts,
    labels: ServiceLabels,
    configured: Table,
    /// The destinations that stay in rotation though they are dead.
    kept: BTreeMap<ServiceId, BTreeSet<DestinationId>>,
}

impl Counts {
    /// Returns what metrics show.
    pub(super) fn shown(&self) -> ProgramCounts {
        ProgramCounts {
            labels: Some(self.labels.clone()),
            health: Some(self.health.clone()),
            apply: Some(self.apply.clone()),
        }
    }

    /// Takes in the configuration that counts from now on. What is not in it any more is forgotten.
    pub(crate) fn configure(&mut self, configuration: &Configuration) {
        self.configured = configuration.services.values().map(|it| it.table.clone()).collect();
        self.labels = ServiceLabels::of(&self.configured);
        self.health.keep_only(&self.configured);
        self.kept.retain(|service, _| configuration.services.contains_key(service));
        for service in configuration.services.keys() {
            self.health.set_panic(*service, self.kept.contains_key(service));
        }
    }

    /// Takes in a check that has ended.
    pub(crate) fn checked(&mut self, check: &FinishedCheck<'_>) {
        let result = match check.outcome {
            Outcome::Passed(_) => CheckResult::Passed,
            Outcome::NotDone(_) => CheckResult::NotDone,
            _ => CheckResult::Failed,
        };
        for service in check.services {
            if self.is_configured(*service, check.destination) {
                let kind = check.probe.kind.name();
                self.health.checked(*service, check.destination, kind, result, check.took);
            }
        }
    }

    /// Takes in an update of the runner.
    pub(crate) fn update(&mut self, update: &Update) {
        if let Update::Event(service, event) = update {
            self.pool_event(*service, event);
        }
    }

    fn pool_event(&mut self, service: ServiceId, event: &PoolEvent) {
        match event {
            PoolEvent::Verdict { destination, verdict, .. } => {
                self.verdict(service, *destination, *verdict);
            }
            PoolEvent::Kept(destination) => self.keeps(service, *destination, true),
            PoolEvent::TakenOut(destination) => self.keeps(service, *destination, false),
            _ => {}
        }
    }

    /// Takes in the state of all services, after updates were lost.
    pub(crate) fn state(&mut self, services: &[ServiceStatus<Probe>]) {
        for service in services {
            for (destination, member) in &service.pool.members {
                self.verdict(service.pool.service, *destination, member.verdict);
                self.keeps(service.pool.service, *destination, member.is_kept);
            }
        }
    }

    /// Takes in an event of the controller.
    pub(crate) fn controller_event(&mut self, event: &ControllerEvent) {
        match event {
            ControllerEvent::Done(change) => self.apply.record(change.operation(), true),
            ControllerEvent::Failed { change, .. } | ControllerEvent::Unknown { change, .. } => {
                self.apply.record(change.operation(), false);
            }
            _ => {}
        }
    }

    /// Notes that the table is as wished.
    pub(crate) fn settled(&mut self, now: SystemTime) {
        self.apply.succeeded_at(now);
    }

    /// Takes in the signs in the traffic that there are now.
    pub(crate) fn signs(&mut self, signs: impl Iterator<Item = (ServiceId, DestinationId, Sign)>) {
        let configured = &self.configured;
        let signs = signs.filter(|(service, destination, _)| {
            configured.service(*service).is_some_and(|it| it.destination(*destination).is_some())
        });
        self.health.set_signs(
            signs.map(|(service, destination, sign)| (service, destination, sign.name())),
        );
    }

    fn verdict(&mut self, service: ServiceId, destination: DestinationId, verdict: Verdict) {
        if !self.is_configured(service, destination) {
            return;
        }
        // One that is to be decided anew counts as before.
        if verdict != Verdict::Unknown {
            self.health.set_up(service, destination, verdict == Verdict::Up);
        }
        if verdict == Verdict::Up {
            self.keeps(service, destination, false);
        }
    }

    fn keeps(&mut self, service: ServiceId, destination: DestinationId, is_kept: bool) {
        if self.configured.service(service).is_none() {
            return;
        }
        let kept = self.kept.entry(service).or_default();
        match is_kept {
            true => kept.insert(destination),
            false => kept.remove(&destination),
        };
        let is_panic = !kept.is_empty();
        if !is_panic {
            self.kept.remove(&service);
        }
        self.health.set_panic(service, is_panic);
    }

    fn is_configured(&self, service: ServiceId, destination: DestinationId) -> bool {
        self.configured.service(service).is_some_and(|it| it.destination(destination).is_some())
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::health::{Monitor, Pace, PoolPolicy, Watched};
    use ipvs_netlink::metrics::{Destinations, Format, Options, Scrape, Source};
    use ipvs_netlink::table::TableService;
    use ipvs_netlink::table::controller::Event;
    use ipvs_netlink::{Change, Destination, Service};

    use super::*;
    use crate::configuration::{Checks, ServiceConfiguration};

    fn server(host: u8) -> DestinationId {
        std::net::SocketAddr::from(([10, 0, 0, host], 80)).into()
    }

    fn configuration(ports: &[u16], hosts: &[u8]) -> Configuration {
        let service = |port: &u16| {
            let service = Service::tcp(([192, 0, 2, 10], *port).into());
            let servers = hosts.iter().map(|host| Destination::masquerade(server(*host).address));
            let table = servers.fold(TableService::new(service), TableService::with);
            let configured = ServiceConfiguration {
                table,
                checks: Checks::default(),
                checks_of: BTreeMap::new(),
                policy: PoolPolicy::new(),
                commands: None,
            };
            (configured.table.id(), configured)
        };
        Configuration { services: ports.iter().map(service).collect(), ..Configuration::default() }
    }

    /// The samples about servers and panic, without the labels that are the same everywhere.
    fn text(counts: &Counts) -> Vec<String> {
        let shown = counts.shown();
        let (health, apply) = (shown.health.unwrap(), shown.apply.unwrap());
        let source = Source::unread().health(&health).apply(&apply);
        let options = Options::new().destinations(Destinations::ALL);
        let mut text = Vec::new();
        Scrape::new(source, options).write(Format::Prometheus, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let short = text.replace(r#"protocol="TCP",address="192.0.2.10","#, "");
        let short =
            short.replace("real_address=\"10.0.0.", "host=\"").replace(r#",real_port="80""#, "");
        let lines = short.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.trim_start_matches("ipvs_").to_owned()).collect()
    }

    #[test]
    fn verdicts_and_panic_follow_the_pool() {
        let policy = PoolPolicy::new().panic(50);
        let file = configuration(&[80], &[1, 2]);
        let mut counts = Counts::default();
        counts.configure(&file);
        assert_eq!(text(&counts), [r#"health_panic{port="80"} 0"#]);
        let now = std::time::Instant::now();
        let mut monitor = Monitor::new(0);
        let table = file.services.values().next().unwrap().table.clone();
        let pace = Pace::new().fall(1).first_rise(1).rise(1).damping(None);
        monitor.watch(Watched::new(table).policy(policy).check("connect", pace), None, now);
        let mut pass = |counts: &mut Counts, after: u64, dead: &[u8]| {
            let now = now + std::time::Duration::from_secs(after);
            while let Some(check) = monitor.due(now) {
                let is_dead = dead.iter().any(|host| server(*host) == check.destination);
                let outcome = if is_dead { Outcome::failed("dead") } else { Outcome::passed() };
                monitor.finished(&check, outcome, now);
            }
            monitor.wishes(now);
            for (service, event) in monitor.events() {
                counts.update(&Update::Event(service, event));
            }
            text(counts)
        };
        let of = |first: u8, second: u8, panic: u8| {
            let up =
                |host: u8, up: u8| format!(r#"health_check_up{{port="80",host="{host}"}} {up}"#);
            let checks = |host: u8| {
                ["passed", "failed", "not_done"].map(|result| {
                    format!(r#"health_checks_total{{port="80",host="{host}",result="{result}"}} 0"#)
                })
            };
            let panic = format!(r#"health_panic{{port="80"}} {panic}"#);
            let up = vec![up(1, first), up(2, second)];
            [up, checks(1).into(), checks(2).into(), vec![panic]].concat()
        };
        assert_eq!(pass(&mut counts, 10, &[]), of(1, 1, 0));
        assert_eq!(pass(&mut counts, 30, &[2]), of(1, 0, 0));
        // Half of two stay, of which one is dead.
        assert_eq!(pass(&mut counts, 60, &[1, 2]), of(0, 0, 1));
        assert_eq!(pass(&mut counts, 600, &[]), of(1, 1, 0));
    }

    #[test]
    fn what_is_not_in_the_file_has_no_counts() {
        let mut counts = Counts::default();
        counts.configure(&configuration(&[80, 81], &[1, 2]));
        let [web, other] = [80, 81].map(|port| ServiceId::tcp(([192, 0, 2, 10], port).into()));
        for (service, host) in [(web, 1), (web, 2), (web, 9), (other, 1)] {
            counts.verdict(service, server(host), Verdict::Up);
            counts.keeps(service, server(host), true);
        }
        assert!(!text(&counts).join(" ").contains(r#"host="9""#));
        counts.configure(&configuration(&[80], &[1]));
        counts.verdict(other, server(1), Verdict::Down);
        let text = text(&counts).join(" ");
        assert!(text.contains(r#"health_check_up{port="80",host="1"} 1"#), "{text}");
        assert!(!text.contains(r#"port="81""#) && !text.contains(r#"host="2""#), "{text}");
    }

    #[test]
    fn writes_are_counted_by_their_outcome() {
        let mut counts = Counts::default();
        let change = Change::AddService(Service::tcp(([192, 0, 2, 10], 80).into()));
        counts.controller_event(&Event::Done(change.clone()));
        counts.controller_event(&Event::Done(change));
        counts.controller_event(&Event::Recovered);
        counts.settled(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(7));
        let expected = [
            r#"apply_operations_total{operation="add service",result="success"} 2"#,
            r#"apply_operations_total{operation="add service",result="failure"} 0"#,
            "apply_last_success_timestamp_seconds 7",
        ];
        assert_eq!(text(&counts), expected);
    }
}
