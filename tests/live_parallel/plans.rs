//! Two programs keep their parts of one table, and fight over a third.

use std::thread;

use ipvs_netlink::Client;
use ipvs_netlink::table::{PlanOptions, Scope, Table, TableService};

use crate::{fresh, quiet, server, service};

fn table(host: u8, round: u16) -> Table {
    let service = |port| TableService::new(service(host, port));
    (1..=50 + round % 7)
        .map(|port| (1..=3).map(|n| server(n + round % 5)).fold(service(port), TableService::with))
        .collect()
}

/// What is at one address, and what is at the other does not matter.
fn own(host: u8) -> PlanOptions {
    let address = std::net::IpAddr::from([192, 0, 2, host]);
    PlanOptions::new().scope(Scope::new().network(address.into()))
}

#[test]
fn each_keeps_its_own_part() {
    let mut ipvs = fresh();
    thread::scope(|scope| {
        for host in [1, 2] {
            scope.spawn(move || {
                let mut ipvs = Client::connect().unwrap();
                for round in 0..20 {
                    let reconciled = ipvs.reconcile(&table(host, round), &own(host)).unwrap();
                    let done = reconciled.is_done() || !reconciled.consistent;
                    assert!(done, "{}", reconciled.rest);
                }
            });
        }
    });
    let mut expected = table(1, 19);
    expected.extend(table(2, 19));
    assert_eq!(Table::from(&quiet(&mut ipvs)), expected);
}

#[test]
fn who_wants_the_same_part_converges_once_the_other_stops() {
    let mut ipvs = fresh();
    thread::scope(|scope| {
        for shift in [0, 1] {
            scope.spawn(move || {
                let mut ipvs = Client::connect().unwrap();
                for round in 0..20 {
                    // Whether it is done is a matter of luck; that it ends is not.
                    drop(ipvs.reconcile(&table(1, 2 * round + shift), &own(1)).unwrap());
                }
            });
        }
    });
    let reconciled = ipvs.reconcile(&table(1, 3), &own(1)).unwrap();
    assert!(reconciled.is_done(), "{}", reconciled.rest);
    assert_eq!(Table::from(&quiet(&mut ipvs)), table(1, 3));
}
