use std::ops::RangeInclusive;
use std::time::Duration;

use crate::health::through::{ForeignServices, MarkRange};
use crate::model::{InvalidValue, Scheduler, ServiceFlags, ServiceSnapshot, Snapshot, Thresholds};
use crate::table::TableService;

/// The marks of checks through virtual addresses, and what a former run of the program has left of
/// them in the table.
///
/// ```
/// use ipvs_netlink::Snapshot;
/// use ipvs_netlink::health::through::{MarkRange, Marks};
///
/// # let table: Snapshot = std::iter::empty().collect();
/// // `table` is what `Client::snapshot` returned at the start.
/// let marks = Marks::new(MarkRange::new(0x4000..=0x4fff)?, &table)?;
/// assert_eq!(marks.leftovers().count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Marks {
    pub(super) range: MarkRange,
    pub(super) leftovers: Vec<TableService>,
    pub(super) source_ports: RangeInclusive<u16>,
    pub(super) forgotten_after: Duration,
}

impl Marks {
    /// Takes a range of marks, with the services that the table has of them at the start of the
    /// program. The runner removes those that have [the form of a check's](Self::is_check).
    ///
    /// # Errors
    ///
    /// The table has services in the range that do not have the form of a check's. All of them are
    /// named, and nothing is done about any.
    pub fn new(range: MarkRange, table: &Snapshot) -> Result<Self, ForeignServices> {
        let there = table.services().filter(|service| range.contains(service.id()));
        let (leftovers, foreign): (Vec<_>, Vec<_>) = there.partition(|there| Self::is_check(there));
        if !foreign.is_empty() {
            let services = foreign.into_iter().map(ServiceSnapshot::id).collect();
            return Err(ForeignServices { services });
        }
        Ok(Self {
            range,
            leftovers: leftovers.into_iter().map(TableService::from).collect(),
            source_ports: 61_000..=65_535,
            forgotten_after: Duration::from_secs(120),
        })
    }

    /// Sets the source ports of checks by TCP, 61000 to 65535 by default. A source port is used again
    /// for the same virtual address and port only when the kernel has forgotten its connection, so the
    /// number of ports bounds how many checks a second go through one virtual address and port:
    /// ports / ([`forgotten_after`](Self::forgotten_after) + 68 s), 24 with the defaults. Checks that have no port wait.
    ///
    /// Leave out the ports that the kernel gives to other programs (`net.ipv4.ip_local_port_range`,
    /// 32768 to 60999 by default), if programs on this host connect to the virtual addresses.
    ///
    /// # Errors
    ///
    /// The range is empty or contains 0.
    pub fn source_ports(mut self, ports: RangeInclusive<u16>) -> Result<Self, InvalidValue> {
        if *ports.start() == 0 || ports.is_empty() {
            let value = format!("{}-{}", ports.start(), ports.end());
            let rule = "must have a port, and not 0";
            return Err(InvalidValue::new("range of source ports", value, rule));
        }
        self.source_ports = ports;
        Ok(self)
    }

    /// Sets the time after which the kernel has surely forgotten the connection of a check, 120 s by
    /// default, 1 s at least.
    ///
    /// The kernel forgets a connection 10 s after a reset, with which checks end, 60 s after a request
    /// that nobody answered, and 120 s after an orderly end. Only `ipvsadm --set` changes the last
    /// one ([`Timeouts::tcp_fin`](crate::Timeouts)).
    ///
    /// A check whose service was taken out of the table while it ran may leave a connection that the
    /// kernel takes for open, and remembers for 900 s unless `ipvsadm --set` says longer
    /// ([`Timeouts::tcp`](crate::Timeouts)). Its port is left out for 1000 s, or for `time` if that
    /// is longer: where established connections are remembered for longer than 1000 s, give as much
    /// here, and enough source ports.
    pub fn forgotten_after(mut self, time: Duration) -> Self {
        self.forgotten_after = time.max(Duration::from_secs(1));
        self
    }

    /// Returns the range.
    #[must_use]
    pub const fn range(&self) -> MarkRange {
        self.range
    }

    /// Returns the services that a former run of the program has left.
    pub fn leftovers(&self) -> impl Iterator<Item = &TableService> {
        self.leftovers.iter()
    }

    /// Returns `true` if the service has exactly the form of a check's: of a firewall mark, the
    /// scheduler `rr`, no flag but one-packet scheduling, not persistent, and one destination of
    /// weight 1 without thresholds, or none.
    #[must_use]
    pub fn is_check(service: &ServiceSnapshot) -> bool {
        let settings = &service.entry.service;
        settings.id.address().is_none()
            && settings.scheduler == Scheduler::ROUND_ROBIN
            && ServiceFlags::ONE_PACKET.contains(settings.flags)
            && settings.persistence.is_none()
            && service.destinations.len() <= 1
            && service.destinations.iter().all(|there| {
                let there = &there.destination;
                there.weight == 1 && there.thresholds == Thresholds::default()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AddressFamily, Destination, Service, ServiceId};
    use crate::table::Table;

    fn service(mark: u32) -> Service {
        Service::fwmark(mark, AddressFamily::Ipv4).scheduler(Scheduler::ROUND_ROBIN)
    }

    fn server() -> Destination {
        Destination::masquerade(([10, 0, 0, 2], 8080).into())
    }

    fn taken(services: impl IntoIterator<Item = TableService>) -> Result<Vec<ServiceId>, String> {
        let table: Table = services.into_iter().collect();
        let marks = Marks::new(MarkRange::new(5..=9).unwrap(), &Snapshot::from(&table));
        let ids = |marks: Marks| marks.leftovers().map(TableService::id).collect();
        marks.map(ids).map_err(|error| error.to_string())
    }

    #[test]
    fn only_services_of_exactly_the_form_of_a_check_are_leftovers() {
        let ours = [
            TableService::new(service(5)).with(server()),
            TableService::new(service(6).one_packet()).with(server()),
            TableService::new(service(7)),
        ];
        let outside = TableService::new(service(4).persistent(Duration::from_secs(60)));
        let all = ours.iter().cloned().chain([outside]);
        assert_eq!(taken(all).unwrap(), ours.each_ref().map(|service| service.id()));
        let foreign = [
            TableService::new(service(8).scheduler(Scheduler::SOURCE_HASHING)).with(server()),
            TableService::new(service(8).persistent(Duration::from_secs(60))).with(server()),
            TableService::new(service(8).flags(ServiceFlags::from_bits_retain(8))).with(server()),
            TableService::new(service(8)).with(server().weight(2)),
            TableService::new(service(8)).with(server().thresholds(5, 0)),
            TableService::new(service(8))
                .with(server())
                .with(Destination::masquerade(([10, 0, 0, 3], 8080).into())),
        ];
        for foreign in foreign {
            let error = taken(ours.iter().cloned().chain([foreign])).unwrap_err();
            assert!(error.ends_with("checks: FWM 8"), "{error}");
        }
    }

    #[test]
    fn source_ports_are_checked() {
        let marks = Marks::new(MarkRange::new(5..=9).unwrap(), &std::iter::empty().collect());
        let marks = marks.unwrap();
        assert!(marks.clone().source_ports(0..=5).is_err());
        #[allow(clippy::reversed_empty_ranges, reason = "that is the case")]
        let reversed = 6..=5;
        assert!(marks.clone().source_ports(reversed).is_err());
        assert!(marks.source_ports(1..=u16::MAX).is_ok());
    }
}
