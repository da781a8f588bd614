//! The schedulers that hash addresses: `dh`, `sh` and `mh`.

use std::collections::HashSet;
use std::net::SocketAddr;

use ipvs_netlink::{AddressFamily, Scheduler, Service, ServiceFlags};

use super::{Lab, WEB, is_refused, loopback, visit};

const CLIENTS: u8 = 12;
const MARK: u32 = 5;

fn web(scheduler: Scheduler) -> Service {
    Service::tcp(WEB).scheduler(scheduler)
}

/// Returns the server of each client. Each client asks twice and must get the same server.
fn answers_by_client(lab: &Lab) -> Vec<usize> {
    let round = || -> Vec<usize> {
        (1..=CLIENTS).map(|n| visit(lab.open_from(loopback(1, n), WEB))).collect()
    };
    let answers = round();
    assert_eq!(round(), answers, "the same client, the same server");
    answers
}

fn refusals_by_client(lab: &Lab) -> Vec<bool> {
    (1..=CLIENTS).map(|n| is_refused(&lab.open_from(loopback(1, n), WEB))).collect()
}

fn servers(answers: &[usize]) -> HashSet<usize> {
    answers.iter().copied().collect()
}

/// Tests the common promises of `sh` and `mh`.
fn hashes_by_source(scheduler: Scheduler, fallback: ServiceFlags, port: ServiceFlags) {
    let mut lab = Lab::with_servers(3);
    let id = lab.add(&web(scheduler), &[1, 1, 1]);
    let answers = answers_by_client(&lab);
    assert_eq!(servers(&answers).len(), 3, "{answers:?}");

    lab.set_weight(id, 1, 0);
    let orphans: Vec<bool> = answers.iter().map(|&server| server == 1).collect();
    assert_eq!(refusals_by_client(&lab), orphans);

    lab.ipvs.update_service(&web(scheduler).flags(fallback)).unwrap();
    let with_fallback = answers_by_client(&lab);
    assert_eq!(servers(&with_fallback), [0, 2].into());
    for (before, now) in answers.iter().zip(&with_fallback) {
        assert!(*before == 1 || before == now, "{answers:?} {with_fallback:?}");
    }

    lab.ipvs.update_service(&web(scheduler).flags(fallback | port)).unwrap();
    assert_eq!(servers(&lab.visit(24, WEB)), [0, 2].into(), "one client has many ports");
}

#[test]
fn sh_keeps_a_client_with_its_server_and_refuses_it_without_one() {
    hashes_by_source(Scheduler::SOURCE_HASHING, ServiceFlags::SH_FALLBACK, ServiceFlags::SH_PORT);
}

#[test]
fn mh_keeps_a_client_with_its_server_and_refuses_it_without_one() {
    hashes_by_source(Scheduler::MAGLEV_HASHING, ServiceFlags::MH_FALLBACK, ServiceFlags::MH_PORT);
}

#[test]
fn mh_moves_few_clients_when_a_server_is_added() {
    let mut lab = Lab::with_servers(4);
    let id = lab.add(&web(Scheduler::MAGLEV_HASHING), &[1, 1, 1]);
    let before = answers_by_client(&lab);
    let fourth = ipvs_netlink::Destination::masquerade(super::server(3));
    lab.ipvs.add_destination(id, &fourth).unwrap();
    let after = answers_by_client(&lab);
    let moved = |(before, after): &(&usize, &usize)| before != after && **after != 3;
    let moved = before.iter().zip(&after).filter(moved).count();
    assert!(moved <= 2, "{before:?} {after:?}");
    assert!(after.contains(&3), "{after:?}");
}

#[test]
fn dh_gives_every_address_one_server_and_refuses_it_without_one() {
    let mut lab = Lab::with_servers(3);
    let service =
        Service::fwmark(MARK, AddressFamily::Ipv4).scheduler(Scheduler::DESTINATION_HASHING);
    let id = lab.add(&service, &[1, 5, 1]);
    let addresses = || (1..=CLIENTS).map(|n| SocketAddr::new(loopback(9, n), 80));
    let round =
        || -> Vec<usize> { addresses().map(|to| visit(lab.open_marked(MARK, to))).collect() };
    let answers = round();
    assert_eq!(round(), answers);
    assert_eq!(servers(&answers).len(), 3, "{answers:?}");

    lab.set_weight(id, 1, 0);
    for (to, server) in addresses().zip(answers) {
        assert_eq!(is_refused(&lab.open_marked(MARK, to)), server == 1, "{to}");
    }
}
