//! Tests of the desk with a clock of their own.

mod orders;
mod properties;
mod reloads;
mod reports;
mod signs;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Maintenance, Pace, PoolPolicy};
use ipvs_netlink::table::TableService;
use ipvs_netlink::{Destination, DestinationId, Scheduler, Service, ServiceId};

use crate::configuration::{Checks, Configuration, ServiceConfiguration};
use crate::desk::{Desk, Effect};
use crate::moment::Moment;
use crate::state::{Place, Saved};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A moment at which tests begin.
pub(super) fn begin() -> Moment {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    Moment { instant: Instant::now() + 1000 * SECOND, wall }
}

pub(super) fn later(moment: Moment, time: Duration) -> Moment {
    moment.after(time).unwrap()
}

pub(super) fn service(port: u16) -> ServiceId {
    ServiceId::tcp(([192, 0, 2, 10], port).into())
}

pub(super) fn server(host: u8) -> DestinationId {
    std::net::SocketAddr::from(([10, 0, 0, host], 8080)).into()
}

/// A service with these servers and weights.
pub(super) fn configured(port: u16, servers: &[(u8, u32)]) -> ServiceConfiguration {
    let service = Service::new(service(port)).scheduler(Scheduler::WEIGHTED_ROUND_ROBIN);
    let mut table = TableService::new(service);
    for (host, weight) in servers {
        table.insert(Destination::masquerade(server(*host).address).weight(*weight));
    }
    ServiceConfiguration {
        table,
        checks: Checks { checks: vec![(Probe::tcp(), Pace::new())], ..Checks::default() },
        checks_of: BTreeMap::new(),
        policy: PoolPolicy::new(),
        commands: None,
    }
}

/// The ports of services with their servers and weights.
pub(super) type Described<'d> = &'d [(u16, &'d [(u8, u32)])];

pub(super) fn configuration(services: Described<'_>) -> Configuration {
    let services = services.iter().map(|(port, servers)| configured(*port, servers));
    let services = services.map(|it| (it.table.id(), it)).collect();
    Configuration { services, ..Configuration::default() }
}

/// What a runner has been told.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) watched: BTreeMap<ServiceId, TableService>,
    pub(super) maintained: BTreeMap<Place, Maintenance>,
    /// The effects since the last look, in words.
    pub(super) log: Vec<String>,
}

impl Told {
    /// Has the effects of a desk done, as a runner does.
    pub(super) fn take(&mut self, desk: &mut Desk, now: Moment) -> Vec<String> {
        self.log.clear();
        for effect in desk.effects() {
            match effect {
                Effect::Watch(watched) => {
                    let id = watched.id();
                    let table = watched.service.clone();
                    self.maintained
                        .retain(|place, _| place.0 != id || table.destination(place.1).is_some());
                    self.log.push(format!("watch {}", id.address().unwrap().port()));
                    self.watched.insert(id, table);
                }
                Effect::Forget(id) => {
                    self.log.push(format!("forget {}", id.address().unwrap().port()));
                    self.watched.remove(&id);
                    self.maintained.retain(|place, _| place.0 != id);
                }
                Effect::Maintain(service, destination, maintenance) => {
                    assert!(self.watched[&service].destination(destination).is_some());
                    self.log.push(format!("maintain {destination}: {maintenance}"));
                    self.maintained.insert((service, destination), maintenance);
                }
                Effect::EndMaintenance(service, destination) => {
                    self.log.push(format!("end {destination}"));
                    self.maintained.remove(&(service, destination));
                }
                Effect::Hasten(destination) => self.log.push(format!("hasten {destination}")),
                Effect::Keep(keeping) => self.log.push(format!("hold {:?}", keeping.hold)),
                Effect::ApplySettings => self.log.push("settings".to_owned()),
                Effect::Announce { .. } => {}
                Effect::Tell(_) => {}
            }
        }
        self.maintained.retain(|_, it| it.until.is_none_or(|until| until > now.instant));
        self.log.clone()
    }
}

/// A desk that has just begun, and what its runner was told.
pub(super) fn begun(services: Described<'_>, saved: Saved, now: Moment) -> (Desk, Told) {
    let mut desk = Desk::new(configuration(services), saved, now);
    let mut told = Told::default();
    told.take(&mut desk, now);
    (desk, told)
}
