//! Table to text and back is the same table, whatever a kernel reports.

use proptest::prelude::*;

use crate::model::strategies;
use crate::model::{
    AddressFamily, Destination, Service, ServiceFlags, ServiceSnapshot, Snapshot, Tunnel,
    UnknownTunnel,
};
use crate::table::{Labels, Table, TableDestination, TableService};

fn labels() -> impl Strategy<Value = Labels> {
    let label = ("[a-zA-Z][a-zA-Z0-9_]{0,63}", "\\PC{0,60}");
    prop::collection::vec(label, 0..5).prop_map(|all| {
        let mut labels = Labels::new();
        for (name, text) in all {
            // A name may be reserved.
            let _ = labels.insert(&name, &text);
        }
        labels
    })
}

/// Destinations as a program or a person would want them, some of any weight.
fn wanted() -> impl Strategy<Value = TableService> {
    strategies::service().prop_flat_map(|service| {
        let destination = (strategies::destination(service.id.family()), any::<bool>());
        let destinations = prop::collection::vec(destination, 0..4);
        (Just(service), destinations, labels()).prop_map(|(service, destinations, labels)| {
            let service = TableService::new(service).labelled(labels);
            destinations.into_iter().fold(service, |service, (it, open)| {
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
    let wanted =
        (prop::collection::vec(wanted(), 0..4), strategies::timeouts(), strategies::settings())
            .prop_map(|(services, timeouts, settings)| {
                let mut table: Table = services.into_iter().collect();
                table.set_timeouts(timeouts);
                table.set_settings(settings);
                table
            });
    prop_oneof![wanted, reported()]
}

fn json_and_back(table: &Table) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(table).unwrap();
    prop_assert_eq!(&serde_json::from_str::<Table>(&text).unwrap(), table, "{}", text);
    Ok(())
}

fn yaml_and_back(table: &Table) -> Result<(), TestCaseError> {
    let text = serde_saphyr::to_string(table).unwrap();
    let read = serde_saphyr::from_str::<Table>(&text);
    prop_assert_eq!(read.as_ref().map_err(|error| format!("{error}\n{text}")), Ok(table));
    Ok(())
}

fn toml_and_back(table: &Table) -> Result<(), TestCaseError> {
    for text in [toml::to_string(table).unwrap(), toml::to_string_pretty(table).unwrap()] {
        prop_assert_eq!(&toml::from_str::<Table>(&text).unwrap(), table, "{}", text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn json(table in table()) {
        json_and_back(&table)?;
    }

    #[test]
    fn yaml(table in table()) {
        yaml_and_back(&table)?;
    }

    #[test]
    fn toml(table in table()) {
        toml_and_back(&table)?;
    }
}

#[test]
fn a_name_that_begins_like_a_number_and_an_unknown_tunnel_come_back() {
    let flags = ServiceFlags::ONE_PACKET | ServiceFlags::SCHED_1 | ServiceFlags::SCHED_2;
    let service = Service::tcp(([38, 199, 44, 22], 1431).into())
        .scheduler("_-4_f_zQ".parse().unwrap())
        .flags(flags | ServiceFlags::from_bits_retain(0x1a48_cb80));
    let tunnel = Tunnel::Unknown(UnknownTunnel::new(2, 14049, 52915));
    let address = "[696b:e425:38bf:244b:bf60:2066:b78f:9849]:48616".parse().unwrap();
    let server = Destination::tunnel(address, tunnel).weight(2).thresholds(45, 2);
    let service = TableService::new(service).with(TableDestination::of_any_weight(server));
    let table = [service].into_iter().collect();
    json_and_back(&table).unwrap();
    yaml_and_back(&table).unwrap();
    toml_and_back(&table).unwrap();
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
