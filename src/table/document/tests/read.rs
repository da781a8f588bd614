//! What people may write beyond what is written.

use std::time::Duration;

use crate::model::{
    AddressFamily, Destination, GueChecksum, Persistence, Protocol, Service, ServiceFlags,
    ServiceId, Tunnel,
};
use crate::table::{Table, TableDestination, TableService};

fn only(text: &str) -> TableService {
    let table: Table = serde_saphyr::from_str(&format!("services: [{{{text}}}]")).unwrap();
    assert_eq!(table.len(), 1);
    table.into_iter().next().unwrap()
}

#[test]
fn every_name_of_a_service() {
    let address = "192.0.2.10:80".parse().unwrap();
    let esp = ServiceId::Address { protocol: Protocol::from_number(50), address };
    for (text, id) in [
        ("tcp: 192.0.2.10:80", ServiceId::tcp(address)),
        ("udp: 192.0.2.10:80", ServiceId::udp(address)),
        ("sctp: 192.0.2.10:80", ServiceId::sctp(address)),
        ("service: TCP 192.0.2.10:80", ServiceId::tcp(address)),
        ("service: IP_50 192.0.2.10:80", esp),
        ("fwmark: 5", ServiceId::fwmark(5, AddressFamily::Ipv4)),
        ("family: ipv4, fwmark: 0x5", ServiceId::fwmark(5, AddressFamily::Ipv4)),
        ("fwmark: 5, family: ipv6", ServiceId::fwmark(5, AddressFamily::Ipv6)),
        ("service: FWM 5 IPv6", ServiceId::fwmark(5, AddressFamily::Ipv6)),
    ] {
        let read = only(text);
        assert_eq!(read.service(), &Service::new(id), "{text}");
        assert_eq!(read.destinations().len(), 0);
    }
}

#[test]
fn persistence_long_and_short() {
    let minutes = Persistence::new(Duration::from_secs(300));
    for (text, expected) in [
        ("5m", minutes),
        ("300", minutes),
        ("{timeout: 300}", minutes),
        ("{timeout: 5m, netmask: 255.255.255.255}", minutes),
        ("{netmask: 255.255.255.0, timeout: 5m}", minutes.netmask([255, 255, 255, 0].into())),
    ] {
        let read = only(&format!("fwmark: 5, persistence: {text}"));
        assert_eq!(read.service().persistence, Some(expected), "{text}");
    }
}

#[test]
fn flags_by_name_and_number() {
    let read = only("fwmark: 5, scheduler: mh, flags: [ops, mh-port, 0x40, '0x80', 256]");
    let flags = ServiceFlags::from_bits_retain(0x1c0);
    assert_eq!(read.service().flags, flags | ServiceFlags::ONE_PACKET | ServiceFlags::MH_PORT);
}

#[test]
fn a_service_says_how_its_destinations_are_reached() {
    let read = only(
        "destinations: [{address: 10.0.0.2:80}, {address: 10.0.0.3:80, weight: 0, \
         forward: direct}], fwmark: 5, forward: {tunnel: gue, port: 6080, checksum: full}",
    );
    let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::Full };
    let first = Destination::tunnel(([10, 0, 0, 2], 80).into(), gue);
    let second = Destination::direct_route(([10, 0, 0, 3], 80).into()).weight(0);
    let expected = TableService::new(read.service().clone())
        .with(TableDestination::of_any_weight(first))
        .with(second);
    assert_eq!(read, expected);
}

#[test]
fn rules_are_left_to_the_writer_on_demand() {
    let read = only(
        "fwmark: 5, scheduler: 'w rr', persistence: 30d, unchecked: true, destinations: \
         [{address: 10.0.0.2:80, forward: local, thresholds: {upper: 1, lower: 2}, \
         unchecked: true}]",
    );
    assert!(read.service().validate().is_err());
    assert!(read.destinations().all(|it| it.destination().validate(read.id()).is_err()));
}

#[test]
fn services_take_what_they_do_not_say_from_the_defaults() {
    let text = "defaults: {scheduler: rr, persistence: 5m, forward: direct, weight: 3}\n\
                services:\n\
                - tcp: 192.0.2.10:80\n  destinations:\n  - address: 10.0.0.2:80\n\
                - tcp: 192.0.2.11:80\n  scheduler: sh\n  persistence: 1m\n  forward: masquerade\n  \
                  destinations:\n  - {address: 10.0.0.2:80, weight: 0}\n  \
                  - {address: 10.0.0.3:80, initial_weight: 2, forward: tunnel}\n";
    let said = "services:\n\
                - tcp: 192.0.2.10:80\n  scheduler: rr\n  persistence: 5m\n  destinations:\n  \
                  - {address: 10.0.0.2:80, forward: direct, weight: 3}\n\
                - tcp: 192.0.2.11:80\n  scheduler: sh\n  persistence: 1m\n  destinations:\n  \
                  - {address: 10.0.0.2:80, forward: masquerade, weight: 0}\n  \
                  - {address: 10.0.0.3:80, forward: tunnel, initial_weight: 2}\n";
    let table: Table = serde_saphyr::from_str(text).unwrap();
    assert_eq!(table, serde_saphyr::from_str::<Table>(said).unwrap());
    let toml = "[defaults]\nscheduler = \"rr\"\n[[services]]\ntcp = \"192.0.2.10:80\"\n";
    let table: Table = toml::from_str(toml).unwrap();
    assert_eq!(table.services().next().unwrap().service().scheduler.to_string(), "rr");
    for (text, error) in [
        (r#"{"services": [], "defaults": {}}"#, "defaults must come before services"),
        (r#"{"defaults": {}, "defaults": {}, "services": []}"#, "duplicate field `defaults`"),
        (r#"{"defaults": {}}"#, "missing field `services`"),
        (r#"{"defaults": {"ports": 1}, "services": []}"#, "unknown field `ports`"),
        (
            r#"{"defaults": {"persistence": false}, "services": []}"#,
            "invalid type: boolean `false`, expected persistence, a duration",
        ),
        (r#"{"defaults": null, "services": []}"#, "expected defaults, a mapping"),
    ] {
        let refused = serde_json::from_str::<Table>(text).unwrap_err().to_string();
        assert!(refused.contains(error), "{refused}");
    }
}

#[test]
fn a_service_refuses_the_default_persistence() {
    let text = "defaults: {persistence: 5m}\n\
                services:\n\
                - {tcp: 192.0.2.10:80, persistence: false}\n\
                - {tcp: 192.0.2.11:80}\n";
    let said = "services: [{tcp: 192.0.2.10:80}, {tcp: 192.0.2.11:80, persistence: 5m}]";
    let table: Table = serde_saphyr::from_str(text).unwrap();
    assert_eq!(table, serde_saphyr::from_str::<Table>(said).unwrap());
    let refused = text.replace("false", "true");
    let refused = serde_saphyr::from_str::<Table>(&refused).unwrap_err().to_string();
    assert!(refused.contains("boolean `true`, expected persistence, false, a dur"), "{refused}");
}

#[test]
fn addresses_without_a_port_take_it_from_the_defaults() {
    let text = "defaults: {port: 443, forward: masquerade}\n\
                services:\n\
                - tcp: 192.0.2.10\n  destinations:\n  \
                  - {address: 10.0.0.2}\n  - {address: 10.0.0.3:8443}\n\
                - udp: '[2001:db8::10]'\n  destinations: [{address: '[2001:db8::2]'}]\n\
                - sctp: 192.0.2.10:36412\n  destinations: [{address: 10.0.0.2}]\n\
                - fwmark: 5\n  destinations: [{address: 10.0.0.2:0}]\n";
    let said = "services:\n\
                - tcp: 192.0.2.10:443\n  forward: masquerade\n  destinations:\n  \
                  - {address: 10.0.0.2:443}\n  - {address: 10.0.0.3:8443}\n\
                - udp: '[2001:db8::10]:443'\n  forward: masquerade\n  \
                  destinations: [{address: '[2001:db8::2]:443'}]\n\
                - sctp: 192.0.2.10:36412\n  forward: masquerade\n  \
                  destinations: [{address: 10.0.0.2:443}]\n\
                - fwmark: 5\n  forward: masquerade\n  destinations: [{address: 10.0.0.2:0}]\n";
    let table: Table = serde_saphyr::from_str(text).unwrap();
    assert_eq!(table, serde_saphyr::from_str::<Table>(said).unwrap());
}

#[test]
fn a_default_port_completes_nothing_else() {
    let web = r#""tcp": "192.0.2.10", "forward": "direct", "destinations""#;
    for (port, service, error) in [
        ("0", "".to_owned(), "invalid value: integer `0`, expected default port, 1 to 65535"),
        ("65536", "".to_owned(), "invalid value: integer `65536`, expected default port"),
        (
            "443",
            r#""fwmark": 5, "forward": "direct", "destinations": [{"address": "10.0.0.2"}]"#.into(),
            "service FWM 5: destination \"10.0.0.2\": needs a port",
        ),
        ("443", r#""service": "TCP 192.0.2.10""#.to_owned(), "needs a port"),
        ("443", r#""tcp": "2001:db8::1""#.to_owned(), "must be in brackets"),
        ("443", r#""tcp": "192.0.2.10:""#.to_owned(), "needs a port"),
        (
            "443",
            format!(r#"{web}: [{{"address": "10.0.0.2"}}, {{"address": "10.0.0.2:443"}}]"#),
            "service TCP 192.0.2.10:443: destination 10.0.0.2:443: must not be given twice",
        ),
        (
            "443",
            format!(r#"{web}: [{{"address": "10.0.0.2"}}, {{"address": "10.0.0.2"}}]"#),
            "destination \"10.0.0.2\": must not be given twice",
        ),
        (
            "443",
            format!(r#"{web}: [{{"address": "224.0.0.1"}}]"#),
            "service TCP 192.0.2.10:443: destination 224.0.0.1:443: ",
        ),
    ] {
        let text = format!(r#"{{"defaults": {{"port": {port}}}, "services": [{{{service}}}]}}"#);
        let refused = serde_json::from_str::<Table>(&text).unwrap_err().to_string();
        assert!(refused.contains(error), "{refused}");
    }
}
