//! Table to text and back is the same table, whatever a kernel reports.

use proptest::prelude::*;

use crate::model::strategies;
use crate::model::{AddressFamily, Service, ServiceSnapshot, Snapshot};
use crate::table::{Table, TableDestination, TableService};

/// Destinations as a program or a person would want them, some of any weight.
fn wanted() -> impl Strategy<Value = TableService> {
    strategies::service().prop_flat_map(|service| {
        let destination = (strategies::destination(service.id.family()), any::<bool>());
        let destinations = prop::collection::vec(destination, 0..4);
        (Just(service), destinations).prop_map(|(service, destinations)| {
            destinations.into_iter().fold(TableService::new(service), |service, (it, open)| {
                let destination =
                    if open { TableDestination::of_any_weight(it) } else { it.into() };
                service.with(destination)
            })
        })
    })
}

fn reported() -> impl Strategy<Value = Table> {
    let destinations = prop::collection::vec(strategies::destination_entry(), 0..4);
    let service = (strategies::service_entry(), destinations)
        .prop_map(|(entry, destinations)| ServiceSnapshot::new(entry, destinations));
    prop::collection::vec(service, 0..4)
        .prop_map(|services| Table::from(&services.into_iter().collect::<Snapshot>()))
}

fn table() -> impl Strategy<Value = Table> {
    let wanted = prop::collection::vec(wanted(), 0..4)
        .prop_map(|services| services.into_iter().collect::<Table>());
    prop_oneof![wanted, reported()]
}

proptest! {
    #[test]
    fn json(table in table()) {
        let text = serde_json::to_string(&table).unwrap();
        prop_assert_eq!(serde_json::from_str::<Table>(&text).unwrap(), table, "{}", text);
    }

    #[test]
    fn yaml(table in table()) {
        let text = serde_saphyr::to_string(&table).unwrap();
        let read = serde_saphyr::from_str::<Table>(&text);
        prop_assert_eq!(read.map_err(|error| format!("{error}\n{text}")), Ok(table));
    }

    #[test]
    fn toml(table in table()) {
        for text in [toml::to_string(&table).unwrap(), toml::to_string_pretty(&table).unwrap()] {
            prop_assert_eq!(&toml::from_str::<Table>(&text).unwrap(), &table, "{}", text);
        }
    }
}

/// Names that YAML has another meaning for, unless they are in quotes.
#[test]
fn names_stay_names() {
    for name in ["null", "true", "yes", "no", "123", "0x40", "0o17", "1e3", "1_000", "-", "nan"] {
        let service = Service::fwmark(5, AddressFamily::Ipv4).scheduler(name.parse().unwrap());
        let table: Table = [TableService::new(service)].into_iter().collect();
        let text = serde_saphyr::to_string(&table).unwrap();
        assert_eq!(serde_saphyr::from_str::<Table>(&text).unwrap(), table, "{text}");
    }
}
