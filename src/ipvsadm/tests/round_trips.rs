use std::net::IpAddr;
use std::time::Duration;

use proptest::option;
use proptest::prelude::*;

use crate::ipvsadm::Unsaid;
use crate::model::strategies;
use crate::model::{
    AddressFamily, Change, Destination, Forwarding, GueChecksum, InterfaceName, Netmask,
    Persistence, Protocol, Role, Service, ServiceId, SyncDaemon, Timeouts, Tunnel,
};

/// A service and a destination with any values in their fields, even values that no kernel reports
/// and no text expresses.
pub(crate) fn built() -> impl Strategy<Value = (Service, Destination)> {
    let mask = prop_oneof![
        Just(None),
        any::<u8>().prop_map(|length| Some(Netmask::Ipv6Prefix(length))),
        any::<[u8; 4]>().prop_map(|mask| Some(Netmask::Ipv4(mask.into()))),
    ];
    let gue = any::<Option<bool>>().prop_map(|port| {
        port.map(|port| Tunnel::Gue { port: port.into(), checksum: GueChecksum::None })
    });
    (strategies::service_entry(), strategies::destination_entry(), mask, gue, any::<[bool; 3]>())
        .prop_map(|(service, destination, mask, gue, [unmarked, tcp, same])| {
            let (mut service, mut destination) = (service.service, destination.destination);
            match &mut service.id {
                ServiceId::Fwmark { mark, .. } if unmarked => *mark = 0,
                ServiceId::Address { protocol, .. } if tcp => *protocol = Protocol::TCP,
                _ => {}
            }
            if let Some(persistence) = &mut service.persistence {
                persistence.netmask = mask;
            }
            if let Some(tunnel) = gue {
                destination.forwarding = Forwarding::Tunnel(tunnel);
            }
            if let (true, Some(address)) = (same, service.id.address()) {
                destination.id.address.set_port(address.port());
            }
            (service, destination)
        })
}

/// A daemon or timeouts with any values in their fields.
fn built_settings() -> impl Strategy<Value = Change> {
    let timeout = || {
        option::of(
            (0..=1_u32 << 31, 0..=1_u32).prop_map(|(s, ns)| Duration::new(u64::from(s) * 3, ns)),
        )
    };
    let few = || option::of(0..=2_u8);
    prop_oneof![
        (timeout(), timeout(), timeout())
            .prop_map(|(tcp, tcp_fin, udp)| Change::SetTimeouts(Timeouts { tcp, tcp_fin, udp })),
        (0..600_u32, few(), few(), few(), option::of(any::<[u8; 4]>())).prop_map(
            |(id, length, port, ttl, group)| {
                let mut daemon = SyncDaemon::new(Role::Master, InterfaceName::ETH0).sync_id(id);
                daemon.max_length = length.map(u16::from);
                daemon.port = port.map(u16::from);
                daemon.ttl = ttl;
                daemon.group = group.map(IpAddr::from);
                Change::StartDaemon(daemon)
            }
        ),
    ]
}

/// Asserts that a change is read back from its text, or prints as a comment.
fn assert_round_trip(change: &Change) -> Result<(), TestCaseError> {
    let text = change.to_string();
    let unsaid = matches!(change.check_command(), Err(Unsaid::NoWords(_)));
    prop_assert_eq!(text.starts_with('#'), unsaid, "{}", text);
    match text.parse::<Change>() {
        Ok(read) => prop_assert_eq!(&read, change),
        Err(error) => prop_assert!(unsaid, "{}: {}", text, error),
    }
    Ok(())
}

#[test]
fn changes_without_a_command_are_found() {
    let web: ServiceId = "TCP 192.0.2.10:80".parse().unwrap();
    let six: Service = Service::tcp("[2001:db8::1]:80".parse().unwrap());
    let server = Destination::masquerade("10.0.0.2:8080".parse().unwrap());
    let direct = server.clone().forwarding(Forwarding::DirectRoute);
    let gue = Tunnel::Gue { port: 0, checksum: GueChecksum::Full };
    let at = |address: &str| Destination::masquerade(address.parse().unwrap());
    let hour = Persistence::new(Duration::from_secs(3600));
    let mark = |mark| ServiceId::fwmark(mark, AddressFamily::Ipv4);
    let add = Change::AddDestination;
    let cases = [
        (add(web, direct.clone()), Some("port 8080 with -g")),
        (Change::UpdateDestination(web, direct.clone()), Some("port 8080 with -g")),
        (
            add(web, server.clone().forwarding(Forwarding::Tunnel(Tunnel::Ipip))),
            Some("port 8080 with -i"),
        ),
        (add(mark(5), direct.clone()), None),
        (Change::DeleteDestination(web, direct.id), None),
        (add(web, server.clone()), None),
        (add(web, server.clone().weight(u32::MAX)), Some("-w 4294967295")),
        (add(web, at("[2001:db8::2]:80")), Some("-m to an IPv6 address")),
        (
            add(six.id, at("10.0.0.2:80").forwarding(Forwarding::DirectRoute)),
            Some("-g to an IPv4 address"),
        ),
        (add(web, at("10.0.0.2:80").forwarding(Forwarding::Tunnel(gue))), Some("--tun-port 0")),
        (Change::AddService(six.clone().persistence(hour.prefix(200))), Some("-M 200")),
        (Change::AddService(six.clone().persistence(hour.prefix(0))), Some("-M 0")),
        (
            Change::AddService(six.persistence(hour.netmask([255, 0, 0, 0].into()))),
            Some("-M 255.0.0.0"),
        ),
        (Change::DeleteService(mark(0)), Some("-f 0")),
        (Change::SetTimeouts(Timeouts::default().udp(Duration::ZERO)), Some("timeout 0s")),
    ];
    for (change, what) in cases {
        let unsaid = change.check_command().err().map(|unsaid| unsaid.to_string());
        assert_eq!(unsaid, what.map(|what| format!("ipvsadm cannot say {what}")), "{change}");
        assert_eq!(change.to_string().parse::<Change>().is_ok(), what.is_none(), "{change}");
    }
}

proptest! {
    #[test]
    fn a_built_change_is_read_back_or_has_no_command(
        (service, destination) in built(),
        settings in built_settings(),
    ) {
        let id = service.id;
        let changes = [
            Change::AddService(service.clone()),
            Change::UpdateService(service.clone()),
            Change::DeleteService(id),
            Change::ZeroService(id),
            Change::AddDestination(id, destination.clone()),
            Change::UpdateDestination(id, destination.clone()),
            Change::DeleteDestination(id, destination.id),
            settings,
        ];
        changes.iter().try_for_each(assert_round_trip)?;
    }

    #[test]
    fn every_change_that_can_be_said_is_read_back(change in strategies::change()) {
        let text = change.to_string();
        match text.parse::<Change>() {
            Ok(read) => prop_assert_eq!(read, change),
            Err(error) => prop_assert!(text.starts_with('#'), "{} {}", text, error),
        }
    }
}
