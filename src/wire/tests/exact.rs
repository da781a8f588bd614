//! The bytes of requests, in the byte order of the machine that runs this.

use std::time::Duration;

use crate::model::{
    AddressFamily, Change, Destination, GueChecksum, Persistence, PersistenceEngine, Role,
    Scheduler, Service, ServiceFlags, SyncDaemon, Timeouts, Tunnel,
};
use crate::uapi::*;
use crate::wire::Request;
use crate::wire::tests::raw::{NESTED, attribute};
use crate::wire::tests::request_bytes;

fn assert_bytes(change: &Change, expected: &[Vec<u8>]) {
    let bytes = request_bytes(&Request::Change(change));
    assert_eq!(bytes, expected.concat(), "{change:?}");
}

fn nest(kind: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
    attribute(kind | NESTED, &attributes.concat())
}

fn number(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_ne_bytes())
}

fn short(kind: u16, value: u16) -> Vec<u8> {
    attribute(kind, &value.to_ne_bytes())
}

fn flags(bits: u32) -> Vec<u8> {
    attribute(IPVS_SVC_ATTR_FLAGS, &[bits.to_ne_bytes(), u32::MAX.to_ne_bytes()].concat())
}

#[test]
fn an_ipv4_service_has_its_mask_in_network_order() {
    let persistence = Persistence::new(Duration::from_secs(300))
        .netmask([255, 255, 240, 0].into())
        .engine(PersistenceEngine::SIP);
    let service = Service::udp("192.0.2.1:5060".parse().unwrap())
        .scheduler(Scheduler::ROUND_ROBIN)
        .flags(ServiceFlags::SCHED_1)
        .persistence(persistence);
    let expected = nest(
        IPVS_CMD_ATTR_SERVICE,
        &[
            short(IPVS_SVC_ATTR_AF, 2),
            short(IPVS_SVC_ATTR_PROTOCOL, 17),
            attribute(IPVS_SVC_ATTR_ADDR, &[192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            attribute(IPVS_SVC_ATTR_PORT, &[0x13, 0xc4]),
            attribute(IPVS_SVC_ATTR_SCHED_NAME, b"rr\0"),
            flags(0x9),
            number(IPVS_SVC_ATTR_TIMEOUT, 300),
            attribute(IPVS_SVC_ATTR_NETMASK, &[255, 255, 240, 0]),
            attribute(IPVS_SVC_ATTR_PE_NAME, b"sip\0"),
        ],
    );
    assert_bytes(&Change::AddService(service), &[expected]);
}

#[test]
fn an_ipv6_mark_has_its_prefix_length_in_host_order() {
    let expected = |length| {
        nest(
            IPVS_CMD_ATTR_SERVICE,
            &[
                short(IPVS_SVC_ATTR_AF, 10),
                number(IPVS_SVC_ATTR_FWMARK, 0x0102_0304),
                attribute(IPVS_SVC_ATTR_SCHED_NAME, b"wlc\0"),
                flags(u32::from(length != 128)),
                number(IPVS_SVC_ATTR_TIMEOUT, if length == 128 { 0 } else { 60 }),
                number(IPVS_SVC_ATTR_NETMASK, length),
            ],
        )
    };
    let plain = Service::fwmark(0x0102_0304, AddressFamily::Ipv6);
    let persistent =
        plain.clone().persistence(Persistence::new(Duration::from_secs(60)).prefix(64));
    assert_bytes(&Change::AddService(plain), &[expected(128)]);
    assert_bytes(&Change::UpdateService(persistent), &[expected(64)]);
}

#[test]
fn a_destination_of_the_other_family_says_so() {
    let service = Service::fwmark(5, AddressFamily::Ipv4).id;
    let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::RemoteOffload };
    let destination = Destination::tunnel("[2001:db8::2]:80".parse().unwrap(), gue);
    let id =
        nest(IPVS_CMD_ATTR_SERVICE, &[short(IPVS_SVC_ATTR_AF, 2), number(IPVS_SVC_ATTR_FWMARK, 5)]);
    let mut address = [0; 16];
    address[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    address[15] = 2;
    let named = [
        attribute(IPVS_DEST_ATTR_ADDR, &address),
        attribute(IPVS_DEST_ATTR_PORT, &[0, 80]),
        short(IPVS_DEST_ATTR_ADDR_FAMILY, 10),
    ];
    let settings = [
        number(IPVS_DEST_ATTR_FWD_METHOD, 2),
        number(IPVS_DEST_ATTR_WEIGHT, 3),
        number(IPVS_DEST_ATTR_U_THRESH, 20),
        number(IPVS_DEST_ATTR_L_THRESH, 10),
        attribute(IPVS_DEST_ATTR_TUN_TYPE, &[1]),
        attribute(IPVS_DEST_ATTR_TUN_PORT, &[0x17, 0xc0]),
        short(IPVS_DEST_ATTR_TUN_FLAGS, 2),
    ];
    let whole = nest(IPVS_CMD_ATTR_DEST, &[&named[..], &settings[..]].concat());
    let add = Change::AddDestination(service, destination.clone().weight(3).thresholds(20, 10));
    assert_bytes(&add, &[id.clone(), whole]);
    let delete = Change::DeleteDestination(service, destination.id);
    assert_bytes(&delete, &[id, nest(IPVS_CMD_ATTR_DEST, &named)]);
}

#[test]
fn the_port_of_a_daemon_is_in_host_order_unlike_all_others() {
    let daemon = SyncDaemon::new(Role::Backup, "eth0".parse().unwrap()).sync_id(6).port(9000);
    let daemon = daemon.max_length(1300).group([239, 1, 2, 3].into()).ttl(7);
    let expected = nest(
        IPVS_CMD_ATTR_DAEMON,
        &[
            number(IPVS_DAEMON_ATTR_STATE, 2),
            attribute(IPVS_DAEMON_ATTR_MCAST_IFN, b"eth0\0"),
            number(IPVS_DAEMON_ATTR_SYNC_ID, 6),
            short(IPVS_DAEMON_ATTR_SYNC_MAXLEN, 1300),
            attribute(IPVS_DAEMON_ATTR_MCAST_GROUP, &[239, 1, 2, 3]),
            short(IPVS_DAEMON_ATTR_MCAST_PORT, 9000),
            attribute(IPVS_DAEMON_ATTR_MCAST_TTL, &[7]),
        ],
    );
    assert_bytes(&Change::StartDaemon(daemon), &[expected]);
    let stopped = nest(IPVS_CMD_ATTR_DAEMON, &[number(IPVS_DAEMON_ATTR_STATE, 1)]);
    assert_bytes(&Change::StopDaemon(Role::Master), &[stopped]);
}

#[test]
fn timeouts_are_not_nested() {
    let timeouts = Timeouts::default().tcp(Duration::from_secs(900)).udp(Duration::from_secs(300));
    let expected = [number(IPVS_CMD_ATTR_TIMEOUT_TCP, 900), number(IPVS_CMD_ATTR_TIMEOUT_UDP, 300)];
    assert_bytes(&Change::SetTimeouts(timeouts), &expected);
}
