//! Warnings: the kernel does what each of them says.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipvs_netlink::table::Table;
use ipvs_netlink::{
    AddressFamily, Persistence, PersistenceEngine, Scheduler, Service, WarningKind,
};

use super::forwarding::{ask, serve_udp, udp_client};
use super::greeting::Connection;
use super::{Lab, WEB, is_refused, loopback, visit};

const MARK: u32 = 7;
const CLIENTS: u8 = 8;
const MINUTE: Duration = Duration::from_secs(60);

fn catch_all() -> Service {
    Service::tcp(SocketAddr::new(WEB.ip(), 0))
}

impl Lab {
    fn is_warned_of(&mut self, kind: WarningKind) -> bool {
        let table = Table::from(&self.ipvs.snapshot().unwrap());
        table.warnings().iter().any(|warning| warning.kind == kind)
    }

    /// Returns the servers that answer clients of different addresses.
    fn answers(&self) -> HashSet<usize> {
        (1..=CLIENTS).map(|n| visit(self.open_from(loopback(1, n), WEB))).collect()
    }

    /// Who answers clients of UDP.
    fn answers_of_udp(&self) -> HashSet<usize> {
        (1..=CLIENTS).map(|_| ask(&udp_client(self)).0).collect()
    }
}

#[test]
fn port_0_without_persistence_refuses_every_connection() {
    let mut lab = Lab::with_servers(1);
    lab.add(&catch_all(), &[1]);
    assert!(lab.is_warned_of(WarningKind::PortZeroWithoutPersistence));
    assert!(is_refused(&lab.open(WEB)));
    assert!(is_refused(&lab.open(SocketAddr::new(WEB.ip(), 8000))));
}

#[test]
fn no_destination_with_a_weight_refuses_every_connection() {
    let mut lab = Lab::with_servers(2);
    let id = lab.add(&Service::tcp(WEB), &[0, 0]);
    assert!(lab.is_warned_of(WarningKind::NoUsableDestination));
    assert!(is_refused(&lab.open(WEB)));
    lab.set_weight(id, 1, 1);
    assert!(!lab.is_warned_of(WarningKind::NoUsableDestination));
    assert_eq!(lab.visit(1, WEB), [1]);
}

/// The server is at port 8000 and nobody at port 80.
#[test]
fn a_persistent_service_of_all_ports_keeps_the_port() {
    let mut lab = Lab::with_servers(1);
    lab.add(&catch_all().persistent(MINUTE), &[1]);
    assert!(lab.is_warned_of(WarningKind::PortWithoutEffect));
    assert!(is_refused(&lab.open(WEB)));
    assert_eq!(lab.visit(1, SocketAddr::new(WEB.ip(), 8000)), [0]);
}

#[test]
fn a_persistent_firewall_mark_keeps_the_port() {
    let mut lab = Lab::with_servers(1);
    let mark = Service::fwmark(MARK, AddressFamily::Ipv4);
    let id = lab.add(&mark, &[1]);
    assert!(!lab.is_warned_of(WarningKind::PortWithoutEffect));
    assert_eq!(visit(lab.open_marked(MARK, WEB)), 0);
    lab.ipvs.delete_service(id).unwrap();
    lab.add(&mark.persistent(MINUTE), &[1]);
    assert!(lab.is_warned_of(WarningKind::PortWithoutEffect));
    assert!(is_refused(&lab.open_marked(MARK, WEB)));
    assert_eq!(visit(lab.open_marked(MARK, SocketAddr::new(WEB.ip(), 8000))), 0);
}

#[test]
fn the_engine_sip_drops_what_is_not_udp() {
    let mut lab = Lab::with_servers(1);
    let sip = Persistence::new(MINUTE).engine(PersistenceEngine::SIP);
    let id = lab.add(&Service::tcp(WEB).persistence(sip), &[1]);
    assert!(lab.is_warned_of(WarningKind::EngineNeedsUdp));
    let patience = Duration::from_millis(800);
    let dropped = Connection::open(lab.namespace, Ipv4Addr::LOCALHOST.into(), WEB, patience);
    let error = dropped.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    lab.ipvs.update_service(&Service::tcp(WEB).persistent(MINUTE)).unwrap();
    assert_eq!(lab.visit(1, WEB), [0]);
    assert_eq!(lab.ipvs.service(id).unwrap().service.warnings(), []);
}

#[test]
fn a_mask_of_nothing_sends_all_clients_to_one_server() {
    let mut lab = Lab::with_servers(2);
    let service = |mask| {
        let persistence = Persistence::new(MINUTE).netmask(mask);
        Service::tcp(WEB).scheduler(Scheduler::ROUND_ROBIN).persistence(persistence)
    };
    let id = lab.add(&service(Ipv4Addr::UNSPECIFIED), &[1, 1]);
    assert!(lab.is_warned_of(WarningKind::MaskCoversNothing));
    assert_eq!(lab.answers().len(), 1);
    lab.ipvs.delete_service(id).unwrap();
    lab.add(&service(Ipv4Addr::BROADCAST), &[1, 1]);
    assert!(!lab.is_warned_of(WarningKind::MaskCoversNothing));
    assert_eq!(lab.answers().len(), 2);
}

#[test]
fn dh_sends_all_connections_to_one_address_to_one_server() {
    let mut lab = Lab::with_servers(3);
    let id = lab.add(&Service::tcp(WEB).scheduler(Scheduler::DESTINATION_HASHING), &[1, 1, 1]);
    assert!(lab.is_warned_of(WarningKind::HashesOneAddress));
    assert_eq!(lab.answers().len(), 1);
    lab.ipvs.set_scheduler(id, Scheduler::ROUND_ROBIN).unwrap();
    assert!(!lab.is_warned_of(WarningKind::HashesOneAddress));
    assert_eq!(lab.answers().len(), 3);
}

#[test]
fn what_counts_active_connections_sends_all_of_udp_to_one_server() {
    for scheduler in
        [Scheduler::SHORTEST_EXPECTED_DELAY, Scheduler::NEVER_QUEUE, Scheduler::WEIGHTED_OVERFLOW]
    {
        let mut lab = Lab::with_servers(0);
        (0..2).for_each(|n| serve_udp(lab.namespace, n));
        let id = lab.add(&Service::udp(WEB).scheduler(scheduler), &[1, 1]);
        assert!(lab.is_warned_of(WarningKind::CountsActiveOnly(scheduler)));
        assert_eq!(lab.answers_of_udp().len(), 1, "{scheduler}");
        lab.ipvs.set_scheduler(id, Scheduler::ROUND_ROBIN).unwrap();
        assert!(!lab.is_warned_of(WarningKind::CountsActiveOnly(scheduler)));
        assert_eq!(lab.answers_of_udp().len(), 2, "{scheduler}");
    }
}

#[test]
fn weights_of_sh_beyond_its_table_leave_the_first_server_without_connections() {
    let mut lab = Lab::with_servers(2);
    let service = Service::tcp(WEB).scheduler(Scheduler::SOURCE_HASHING);
    let too_small = WarningKind::HashTableTooSmall(Scheduler::SOURCE_HASHING);
    let id = lab.add(&service, &[300, 300]);
    assert!(lab.is_warned_of(too_small));
    assert_eq!(lab.answers(), HashSet::from([1]), "the one that was added last");
    lab.set_weight(id, 0, 3);
    lab.set_weight(id, 1, 3);
    assert!(!lab.is_warned_of(too_small));
    assert_eq!(lab.answers().len(), 2);
}

#[test]
fn thresholds_do_not_limit_one_packet_scheduling() {
    let mut lab = Lab::with_servers(0);
    serve_udp(lab.namespace, 0);
    let service = Service::udp(WEB).one_packet();
    let id = lab.add(&service, &[1]);
    lab.ipvs.modify_destination(id, super::id(0), |it| it.thresholds.upper = 1).unwrap();
    assert!(lab.is_warned_of(WarningKind::ThresholdsWithoutEffect));
    assert!(lab.is_warned_of(WarningKind::OnePacketMasquerade));
    assert_eq!(lab.answers_of_udp(), HashSet::from([0]));
}
