//! The kernel's rules, one a row. Each request breaks one rule and is sent without validation. If
//! this crate has a type for the value, its validation must refuse it, too.
//!
//! Source of the rows: `net/netfilter/ipvs/ip_vs_ctl.c`, `ip_vs_sync.c`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipvs_netlink::{Destination, Forwarding, GueChecksum, Service, ServiceId, Tunnel};
use rustix::io::Errno;

use super::namespace::{fresh, ip};
use super::raw::*;

const OK: i32 = 0;

fn errno(errno: Errno) -> i32 {
    errno.raw_os_error()
}

fn web() -> Attributes {
    service_id(6, [192, 0, 2, 10], 80)
}

fn about_web() -> Attributes {
    attributes().nest(1, &web())
}

fn is_answered(rows: impl IntoIterator<Item = (&'static str, u8, Attributes, i32)>) {
    for (row, command, attributes, expected) in rows {
        assert_eq!(send(command, &attributes), expected, "{row}");
    }
}

#[test]
fn incomplete_services_are_invalid() {
    let _ipvs = fresh();
    let invalid = errno(Errno::INVAL);
    let family = attributes().u16(1, 2);
    let service = |inner: &Attributes| attributes().nest(1, inner);
    let full = service_settings(web(), "rr");
    let without_port = attributes().u16(1, 2).u16(2, 6).bytes(3, &[192, 0, 2, 10]);
    let other_family = attributes().u16(1, 3).u16(2, 6).bytes(3, &[192, 0, 2, 10]).u16(4, 80);
    for command in [NEW_SERVICE, SET_SERVICE, DEL_SERVICE] {
        is_answered([
            ("no service", command, attributes(), invalid),
            ("no family", command, service(&attributes().u32(5, 1)), invalid),
            ("neither mark nor address", command, service(&family), invalid),
            ("no port", command, service(&without_port), invalid),
            ("other family", command, service(&other_family), errno(Errno::AFNOSUPPORT)),
            ("long address", command, service(&full.clone().bytes(3, &[0; 17])), invalid),
            ("short port", command, service(&full.clone().bytes(4, &[0])), invalid),
            ("nest of 2 bytes", command, attributes().bytes(1, &[0; 2]), errno(Errno::RANGE)),
        ]);
    }
    for command in [NEW_SERVICE, SET_SERVICE] {
        let name =
            |name: &[u8]| service(&web().bytes(7, &[0; 8]).u32(8, 0).u32(9, 0).bytes(6, name));
        is_answered([
            ("no settings", command, about_web(), invalid),
            (
                "no scheduler",
                command,
                service(&web().bytes(7, &[0; 8]).u32(8, 0).u32(9, 0)),
                invalid,
            ),
            ("name without NUL", command, name(b"rr"), invalid),
            ("name of 16 bytes", command, name(b"sixteen_letters_\0"), invalid),
            ("long engine", command, service(&full.clone().bytes(11, &[b'a'; 18])), invalid),
            ("no flags", command, service(&web().bytes(6, b"rr\0").u32(8, 0).u32(9, 0)), invalid),
            (
                "no timeout",
                command,
                service(&web().bytes(6, b"rr\0").bytes(7, &[0; 8]).u32(9, 0)),
                invalid,
            ),
            (
                "no netmask",
                command,
                service(&web().bytes(6, b"rr\0").bytes(7, &[0; 8]).u32(8, 0)),
                invalid,
            ),
        ]);
    }
    is_answered([
        ("empty nest", ZERO, attributes().bytes(1, &[]), invalid),
        ("no such service", ZERO, about_web(), errno(Errno::SRCH)),
        ("no such service", DEL_SERVICE, about_web(), errno(Errno::SRCH)),
        ("no such service", SET_SERVICE, service(&full), errno(Errno::SRCH)),
        ("no such service", GET_SERVICE, about_web(), errno(Errno::SRCH)),
        ("empty name", NEW_SERVICE, service(&service_settings(web(), "")), errno(Errno::NOENT)),
        (
            "unknown name",
            NEW_SERVICE,
            service(&service_settings(web(), "nosuch")),
            errno(Errno::NOENT),
        ),
        (
            "unknown engine",
            NEW_SERVICE,
            service(&full.clone().bytes(11, b"nosuch\0")),
            errno(Errno::NOENT),
        ),
        ("complete", NEW_SERVICE, service(&full), OK),
        ("exists", NEW_SERVICE, service(&full), errno(Errno::EXIST)),
        ("exists and no settings", NEW_SERVICE, about_web(), invalid),
        (
            "unknown name",
            SET_SERVICE,
            service(&service_settings(web(), "nosuch")),
            errno(Errno::NOENT),
        ),
    ]);
}

#[test]
fn ipv6_prefixes_are_1_to_128_even_without_persistence() {
    let _ipvs = fresh();
    let service = |prefix: u32| {
        let id = attributes().u16(1, 10).u16(2, 6).bytes(3, &[0x20; 16]).bytes(4, &[0, 80]);
        let id = id.bytes(6, b"rr\0").bytes(7, &[0; 8]).u32(8, 0).u32(9, prefix);
        attributes().nest(1, &id)
    };
    for prefix in [0, 129, u32::MAX, 64_u32.swap_bytes()] {
        assert_eq!(send(NEW_SERVICE, &service(prefix)), errno(Errno::INVAL), "{prefix}");
    }
    for prefix in [1, 64, 128] {
        assert_eq!(send(NEW_SERVICE, &service(prefix)), OK, "{prefix}");
        assert_eq!(send(DEL_SERVICE, &service(prefix)), OK, "{prefix}");
    }
}

#[test]
fn the_mark_0_is_taken_for_another_service() {
    let mut ipvs = fresh();
    let unmarked = attributes().u16(1, 2).u32(5, 0);
    let service = attributes().nest(1, &service_settings(unmarked, "rr"));
    assert_eq!(send(NEW_SERVICE, &service), OK);
    let all = ipvs.services().unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].service.id.to_string(), "TCP 0.0.0.0:0");
}

#[test]
fn incomplete_destinations_are_invalid() {
    let _ipvs = fresh();
    let invalid = errno(Errno::INVAL);
    let id = || destination_id(&[10, 0, 0, 2], 80);
    let full = destination_settings(id(), 0, 1, (0, 0));
    let with = |destination: &Attributes| about_web().nest(2, destination);
    for command in [NEW_DEST, SET_DEST, DEL_DEST] {
        let missing = errno(Errno::SRCH);
        is_answered([("no such service", command, with(&full), missing)]);
    }
    add_service(6, [192, 0, 2, 10], 80, "rr");
    for command in [NEW_DEST, SET_DEST, DEL_DEST] {
        is_answered([
            ("no service", command, attributes().nest(2, &full), invalid),
            ("no destination", command, about_web(), invalid),
            ("empty nest", command, about_web().bytes(2, &[]), invalid),
            ("no address", command, with(&attributes().u16(2, 80)), invalid),
            ("no port", command, with(&attributes().bytes(1, &[10, 0, 0, 2])), invalid),
            ("short weight", command, with(&full.clone().bytes(4, &[1])), invalid),
            ("other family", command, with(&full.clone().u16(11, 3)), errno(Errno::AFNOSUPPORT)),
        ]);
    }
    for command in [NEW_DEST, SET_DEST] {
        for missing in 3..=6 {
            let settings = (3..=6).filter(|kind| *kind != missing);
            let destination = settings.fold(id(), |all, kind| all.u32(kind, 0));
            is_answered([("a setting is missing", command, with(&destination), invalid)]);
        }
        let odd = |method, weight, thresholds| {
            with(&destination_settings(id(), method, weight, thresholds))
        };
        let range = errno(Errno::RANGE);
        is_answered([
            ("weight", command, odd(0, 0x8000_0000, (0, 0)), range),
            ("thresholds", command, odd(0, 1, (1, 2)), range),
            ("lower without upper", command, odd(0, 1, (0, 1)), range),
            ("GUE without port", command, with(&full.clone().bytes(13, &[1])), invalid),
            (
                "mixed family",
                command,
                with(&full.clone().bytes(1, &[0x20; 16]).u16(11, 10)),
                invalid,
            ),
        ]);
    }
    is_answered([
        ("no such destination", SET_DEST, with(&full), errno(Errno::NOENT)),
        ("no such destination", DEL_DEST, with(&full), errno(Errno::NOENT)),
        ("complete", NEW_DEST, with(&full), OK),
        ("exists", NEW_DEST, with(&full), errno(Errno::EXIST)),
        ("only dumps", GET_DEST, about_web(), errno(Errno::OPNOTSUPP)),
    ]);
}

#[test]
fn incomplete_daemons_and_bad_timeouts_are_refused() {
    let _ipvs = fresh();
    ip("link add d0 type dummy");
    ip("link set d0 up");
    let invalid = errno(Errno::INVAL);
    let daemon = |inner: &Attributes| attributes().nest(3, inner);
    let full = attributes().u32(1, 2).bytes(2, b"d0\0").u32(3, 0);
    is_answered([
        ("no daemon", NEW_DAEMON, attributes(), invalid),
        ("no state", NEW_DAEMON, daemon(&attributes().bytes(2, b"d0\0").u32(3, 0)), invalid),
        ("no interface", NEW_DAEMON, daemon(&attributes().u32(1, 2).u32(3, 0)), invalid),
        ("no id", NEW_DAEMON, daemon(&attributes().u32(1, 2).bytes(2, b"d0\0")), invalid),
        ("state", NEW_DAEMON, daemon(&full.clone().u32(1, 3)), invalid),
        ("long name", NEW_DAEMON, daemon(&full.clone().bytes(2, &[b'a'; 17])), invalid),
        ("unicast group", NEW_DAEMON, daemon(&full.clone().bytes(5, &[10, 0, 0, 1])), invalid),
        ("unicast group", NEW_DAEMON, daemon(&full.clone().bytes(6, &[0x20; 16])), invalid),
        ("no interface", NEW_DAEMON, daemon(&full.clone().bytes(2, b"x\0")), errno(Errno::NODEV)),
        ("no daemon", DEL_DAEMON, attributes(), invalid),
        ("state", DEL_DAEMON, daemon(&attributes().u32(1, 3)), invalid),
        ("not running", DEL_DAEMON, daemon(&attributes().u32(1, 2)), errno(Errno::SRCH)),
        ("short timeout", SET_CONFIG, attributes().u16(4, 1), errno(Errno::RANGE)),
        ("top bit", SET_CONFIG, attributes().u32(4, 0x8000_0000), invalid),
        ("unknown command", 18, attributes(), errno(Errno::OPNOTSUPP)),
    ]);
}

#[test]
fn validation_of_addresses_agrees_with_the_kernel() {
    let mut ipvs = fresh();
    let v4 = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "127.0.0.1",
        "223.255.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.254",
        "255.255.255.255",
    ];
    let v6 = [
        "::",
        "::1",
        "::1.2.3.4",
        "::ffff:10.0.0.1",
        "2001:db8::1",
        "fc00::1",
        "ff02::1",
        "ff0e::1",
    ];
    let services = [
        Service::tcp((Ipv4Addr::new(192, 0, 2, 10), 80).into()),
        Service::tcp((Ipv6Addr::LOCALHOST, 80).into()),
    ];
    for service in &services {
        ipvs.add_service(service).unwrap();
    }
    for text in v4.into_iter().chain(v6) {
        let address: IpAddr = text.parse().unwrap();
        let service = &services[usize::from(address.is_ipv6())];
        let destination = Destination::masquerade((address, 80).into());
        let identity = match address {
            IpAddr::V4(v4) => destination_id(&v4.octets(), 80),
            IpAddr::V6(v6) => destination_id(&v6.octets(), 80),
        };
        let id = match service.id {
            ServiceId::Address { address, .. } if address.is_ipv6() => attributes()
                .u16(1, 10)
                .u16(2, 6)
                .bytes(3, &Ipv6Addr::LOCALHOST.octets())
                .bytes(4, &[0, 80]),
            _ => web(),
        };
        let request =
            attributes().nest(1, &id).nest(2, &destination_settings(identity, 0, 1, (0, 0)));
        let accepted = send(NEW_DEST, &request) == OK;
        assert_eq!(destination.validate(service.id).is_ok(), accepted, "{text}");
    }
}

#[test]
fn validation_of_numbers_agrees_with_the_kernel() {
    let _ipvs = fresh();
    add_service(6, [192, 0, 2, 10], 80, "rr");
    let service = ServiceId::tcp(([192, 0, 2, 10], 80).into());
    let numbers = [0, 1, 2, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    for (method, forwarding) in [
        (0, Forwarding::Masquerade),
        (2, Forwarding::Tunnel(Tunnel::Gue { port: 0, checksum: GueChecksum::None })),
        (2, Forwarding::Tunnel(Tunnel::Gue { port: 1, checksum: GueChecksum::None })),
    ] {
        for weight in numbers {
            for upper in numbers.into_iter().filter(|upper| *upper <= 0x7fff_ffff) {
                for lower in numbers {
                    let address = ([10, 0, 0, 2], 80).into();
                    let destination = Destination::masquerade(address)
                        .forwarding(forwarding)
                        .weight(weight)
                        .thresholds(upper, lower);
                    let id = destination_id(&[10, 0, 0, 2], 80);
                    let mut inner = destination_settings(id, method, weight, (upper, lower));
                    if let Forwarding::Tunnel(Tunnel::Gue { port, .. }) = forwarding {
                        inner = inner.bytes(13, &[1]).bytes(14, &port.to_be_bytes());
                    }
                    let accepted = send(NEW_DEST, &about_web().nest(2, &inner)) == OK;
                    assert_eq!(destination.validate(service).is_ok(), accepted, "{destination:?}");
                    if accepted {
                        assert_eq!(send(DEL_DEST, &about_web().nest(2, &inner)), OK);
                    }
                }
            }
        }
    }
}
