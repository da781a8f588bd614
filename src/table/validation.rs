//! What is wrong with a table, before any kernel sees it.

use std::fmt;

use crate::model::{Destination, InvalidValue, Object, Warning};
use crate::table::{Table, TableDestination, TableService};

/// A service or destination of a [`Table`] that the kernel would refuse to add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidEntry {
    /// Which one.
    pub object: Object,
    /// The setting and the rule that it breaks.
    pub invalid: InvalidValue,
}

impl fmt::Display for InvalidEntry {
    /// The object, and what is wrong with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.invalid)
    }
}

impl Table {
    /// Returns every service and destination that the kernel would refuse to add, with the first rule
    /// that each breaks, in the order of the table. The result is empty if the table is valid.
    ///
    /// [`Plan::new`](crate::table::Plan::new) fails at the first of them that it would write. A plan
    /// leaves alone an invalid entry that the kernel already has.
    ///
    /// ```
    /// use ipvs_netlink::table::{Table, TableService};
    /// use ipvs_netlink::{Destination, Service};
    ///
    /// let mut table = Table::new();
    /// table.insert(
    ///     TableService::new(Service::tcp("192.0.2.10:80".parse()?))
    ///         .with(Destination::masquerade("224.0.0.1:80".parse()?))
    ///         .with(Destination::masquerade("10.0.0.3:80".parse()?).thresholds(10, 20)),
    /// );
    /// assert_eq!(table.validate().len(), 2);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use = "it checks and does nothing else"]
    pub fn validate(&self) -> Vec<InvalidEntry> {
        self.services().flat_map(TableService::validate).collect()
    }

    /// Returns every setting that the kernel accepts and that cannot work or has no effect, in the
    /// order of the table. See [`WarningKind`](crate::WarningKind) for all of them.
    ///
    /// ```
    /// use ipvs_netlink::table::{Table, TableService};
    /// use ipvs_netlink::{Destination, Scheduler, Service};
    ///
    /// let web = Service::tcp("192.0.2.10:80".parse()?).scheduler(Scheduler::WEIGHTED_ROUND_ROBIN);
    /// let mut table = Table::new();
    /// table.insert(
    ///     TableService::new(web).with(Destination::direct_route("10.0.0.2:8080".parse()?)),
    /// );
    /// for warning in table.warnings() {
    ///     println!("{warning}"); // the port 8080 has no effect
    /// }
    /// # assert_eq!(table.warnings().len(), 1);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.services().flat_map(TableService::warnings).collect()
    }
}

impl TableService {
    /// What the kernel would refuse of the service and its destinations. See
    /// [`Table::validate`].
    #[must_use = "it checks and does nothing else"]
    pub fn validate(&self) -> Vec<InvalidEntry> {
        let id = self.id();
        let invalid = |object, result: Result<(), InvalidValue>| {
            result.err().map(|invalid| InvalidEntry { object, invalid })
        };
        let service = invalid(Object::Service(id), self.service().validate());
        let destinations = self.destinations().filter_map(|destination| {
            let object = Object::Destination(id, destination.id());
            invalid(object, destination.destination().validate(id))
        });
        service.into_iter().chain(destinations).collect()
    }

    /// What of the service and its destinations cannot work. See [`Table::warnings`].
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let service = self.service();
        let all: Vec<&Destination> =
            self.destinations().map(TableDestination::destination).collect();
        let mut warnings = service.warnings();
        warnings.extend(service.warnings_of_all(&all));
        warnings.extend(all.iter().flat_map(|destination| destination.warnings(service)));
        warnings
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Destination, Protocol, Scheduler, Service, ServiceId, WarningKind};
    use crate::table::{Table, TableService};

    fn server(host: u8) -> Destination {
        Destination::masquerade(([10, 0, 0, host], 8080).into())
    }

    #[test]
    fn every_invalid_entry_is_told_at_once() {
        let address = "192.0.2.9:0".parse().unwrap();
        let esp = Service::new(ServiceId::Address { protocol: Protocol::from_number(50), address });
        let web = Service::tcp("192.0.2.10:80".parse().unwrap());
        let table: Table = [
            TableService::new(esp).with(server(1).weight(u32::MAX)),
            TableService::new(web).with(server(2).thresholds(1, 2)).with(server(3)),
        ]
        .into_iter()
        .collect();
        let told: Vec<String> = table.validate().iter().map(ToString::to_string).collect();
        let [threshold, protocol, weight] = &told[..] else { panic!("{told:?}") };
        assert!(protocol.contains("IPVS balances TCP, UDP and SCTP only"), "{protocol}");
        assert!(weight.contains("10.0.0.1:8080: weight 4294967295"), "{weight}");
        assert!(threshold.contains("10.0.0.2:8080: lower threshold 2"), "{threshold}");
    }

    #[test]
    fn warnings_of_services_and_destinations_are_told_in_the_order_of_the_table() {
        let plain = Service::tcp("192.0.2.10:80".parse().unwrap());
        let catch_all = Service::tcp("192.0.2.11:0".parse().unwrap());
        let table: Table = [
            TableService::new(catch_all),
            TableService::new(plain.scheduler(Scheduler::SOURCE_HASHING))
                .with(server(1))
                .with(server(2).weight(0)),
        ]
        .into_iter()
        .collect();
        let kinds: Vec<WarningKind> =
            table.warnings().into_iter().map(|warning| warning.kind).collect();
        assert_eq!(
            kinds,
            [
                WarningKind::WeightZeroRefuses(Scheduler::SOURCE_HASHING),
                WarningKind::PortZeroWithoutPersistence,
                WarningKind::NoUsableDestination,
            ]
        );
    }
}
