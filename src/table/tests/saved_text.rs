use std::net::IpAddr;
use std::time::Duration;

use proptest::option;
use proptest::prelude::*;

use crate::ipvsadm::{NameError, Names, NumericNames, Unsaid};
use crate::model::strategies;
use crate::model::{
    AddressFamily, Change, Destination, Forwarding, GueChecksum, InterfaceName, Netmask, Object,
    Persistence, Protocol, Role, Service, ServiceFlags, ServiceId, SyncDaemon, Timeouts, Tunnel,
};
use crate::table::{Table, TableDestination, TableService};

const SAVED: &str = "\
-A -t 192.0.2.10:443 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,sh-port
-a -t 192.0.2.10:443 -r 10.0.0.2:443 -m -w 0 -x 9 -y 5
-a -t 192.0.2.10:443 -r 10.0.0.3:443 -i --tun-type gue --tun-port 6080 --tun-csum
-A -u [2001:db8::1]:5060 -s wlc -p 60 --pe sip -o
-A -f 5 -s rr
-a -f 5 -r 10.0.0.2:0 -g -w 1
-A -f 5 -6 -s rr
";

fn service(id: &str) -> ServiceId {
    id.parse().unwrap()
}

#[test]
fn a_table_prints_as_the_text_it_is_read_from() {
    let table: Table = SAVED.parse().unwrap();
    assert_eq!(table.to_string(), SAVED);
    assert_eq!(table.len(), 4);
    assert_eq!(table.unsaid().count(), 0);
    let servers = table.service(service("TCP 192.0.2.10:443")).unwrap().destinations();
    assert_eq!(servers.map(TableDestination::weight).collect::<Vec<_>>(), [Some(0), None]);
}

#[test]
fn comments_blank_lines_and_the_name_of_the_program_are_passed_over() {
    let text = "#!/bin/sh\n\n  ipvsadm -A -f 5\t# five\r\n#-A -f 5\n-a -f5 -r 10.0.0.2";
    let table: Table = text.parse().unwrap();
    assert_eq!(table.to_string(), "-A -f 5 -s wlc\n-a -f 5 -r 10.0.0.2:0 -g\n");
    assert_eq!("".parse(), Ok(Table::new()));
}

#[test]
fn flags_that_ipvsadm_has_no_name_for_are_saved_as_none() {
    let saved = "-A -t 192.0.2.10:80 -s sh -p 60 -b \n-A -f 5 -s mh -b\r\n-A -f 6 -s sh -b";
    let table: Table = saved.parse().unwrap();
    let read = "-A -t 192.0.2.10:80 -s sh -p 60\n-A -f 5 -s mh\n-A -f 6 -s sh\n";
    assert_eq!(table.to_string(), read);
    let cases = [
        ("-A -f 5 -s sh -b -o", "line 1, column 18: expected a flag of scheduler sh, found \"-o\""),
        ("-A -f 5 -b -p 60", "line 1, column 15: expected an option of -A, found \"60\""),
        (
            "-A -f 5 --sched-flags",
            "line 1, column 22: expected an argument of --sched-flags, found the end of the command",
        ),
        (
            "-A -f 5 -s",
            "line 1, column 11: expected an argument of -s, found the end of the command",
        ),
        ("-a -f 5 -r 10.0.0.2 -b", "line 1, column 21: expected an option of -a, found \"-b\""),
    ];
    for (text, message) in cases {
        assert_eq!(text.parse::<Table>().unwrap_err().to_string(), message);
    }
}

#[test]
fn errors_tell_line_and_column() {
    let cases = [
        ("-A -f 5\n -C", "line 2, column 2: expected -A or -a, of which a table is made"),
        ("-A -f 5\n-E -f 5", "line 2, column 1: expected -A or -a, of which a table is made"),
        (
            "-A -f 5\n-a -f 6 -r 10.0.0.2",
            "line 2, column 1: expected a service that is added before, found FWM 6",
        ),
        ("-A -f 5\n\n-A -f 05 -s rr", "line 3, column 1: FWM 5 is already in line 1"),
        (
            "-A -f 5\n-a -f 5 -r 10.0.0.2\n-a -f 5 -r 10.0.0.2:0 -m",
            "line 3, column 1: FWM 5 -> 10.0.0.2:0 is already in line 2",
        ),
        (
            "-A -f 5 -s \"x y\"",
            "line 1, column 12: expected a scheduler name, found \"x y\" \
             (must be 1 to 15 characters of A-Z a-z 0-9 _ -)",
        ),
        (
            "-A -t web:80",
            "line 1, column 7: expected an IPv4 address, found \"web\" (names need a resolver)",
        ),
        (
            "-L",
            "line 1, column 1: expected an option of a command that changes something, found \"-L\"",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(text.parse::<Table>().unwrap_err().to_string(), message);
    }
    let error = Table::from_ipvsadm(b"-A -f 5\n-A\xff", &NumericNames).unwrap_err();
    assert_eq!((error.line(), error.column()), (2, 3));
}

#[test]
fn what_ipvsadm_cannot_say_is_not_left_out_in_silence() {
    let odd = Service::fwmark(5, AddressFamily::Ipv4).flags(ServiceFlags::from_bits_retain(0x40));
    let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
    let local = server.clone().forwarding(Forwarding::LocalNode);
    let plain = Service::fwmark(6, AddressFamily::Ipv4);
    let table: Table = [
        TableService::new(odd.clone()).with(server.clone()),
        TableService::new(plain.clone()).with(local.clone()),
    ]
    .into_iter()
    .collect();
    let unsaid: Vec<_> = table.unsaid().collect();
    let expected = [
        Object::Service(odd.id),
        Object::Destination(odd.id, server.id),
        Object::Destination(plain.id, local.id),
    ];
    assert_eq!(unsaid, expected);
    assert_eq!(
        table.to_string(),
        "# ipvsadm cannot say flags 0x40: -A -f 5 -s wlc\n\
         # ipvsadm cannot say service FWM 5: -a -f 5 -r 10.0.0.2:80 -m -w 1\n\
         -A -f 6 -s wlc\n\
         # ipvsadm cannot say forwarding Local: -a -f 6 -r 10.0.0.2:80 -w 1\n"
    );
    assert_eq!(table.to_string().parse::<Table>().unwrap_err().line(), 1);
}

#[test]
fn a_weight_for_the_beginning_is_written_as_the_weight() {
    let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
    let table: Table = [TableService::new(Service::tcp("192.0.2.10:80".parse().unwrap()))
        .with(TableDestination::of_any_weight(server).initially(3))]
    .into_iter()
    .collect();
    assert!(table.to_string().ends_with(" -w 3\n"), "{table}");
}

/// Counts how often it is asked, and gives another answer each time.
#[derive(Default)]
struct Rotating(std::cell::Cell<u8>);

impl Names for Rotating {
    fn host(&self, _: &str, _: AddressFamily) -> Result<IpAddr, NameError> {
        self.0.set(self.0.get() + 1);
        Ok([10, 0, 0, self.0.get()].into())
    }

    fn port(&self, _: &str, _: Protocol) -> Result<u16, NameError> {
        Ok(80)
    }
}

#[test]
fn a_host_of_many_addresses_is_one_host() {
    let names = Rotating::default();
    let text = "-A -t web:http\n-a -t web:80 -r a\n-a -t web:http -r b:80";
    let table = Table::from_ipvsadm(text, &names).unwrap();
    let ids = table.service(service("TCP 10.0.0.1:80")).unwrap().destinations();
    let ids: Vec<_> = ids.map(|entry| entry.id().to_string()).collect();
    assert_eq!(ids, ["10.0.0.2:80", "10.0.0.3:80"]);
}

fn table() -> impl Strategy<Value = Table> {
    let service = strategies::service().prop_flat_map(|service| {
        let destination = strategies::destination_of(service.id);
        let entry = (destination, any::<bool>()).prop_map(|(destination, weighted)| {
            if weighted {
                TableDestination::from(destination)
            } else {
                TableDestination::of_any_weight(destination.weight(1))
            }
        });
        (Just(service), prop::collection::vec(entry, 0..4))
    });
    prop::collection::vec(service, 0..5).prop_map(|services| {
        let filled = |(service, entries): (Service, Vec<TableDestination>)| {
            entries.into_iter().fold(TableService::new(service), TableService::with)
        };
        services.into_iter().map(filled).collect()
    })
}

/// What a kernel might report, too.
fn reported() -> impl Strategy<Value = Table> {
    let entry = option::of(strategies::destination_entry());
    (strategies::service_entry(), entry).prop_map(|(service, entry)| {
        let destinations = entry.iter().map(TableDestination::from);
        let service = TableService::new(service.service);
        [destinations.fold(service, TableService::with)].into_iter().collect()
    })
}

/// Any values of a service's and a destination's fields, also those that neither a kernel
/// reports nor a text says.
fn built() -> impl Strategy<Value = (Service, Destination)> {
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

/// Any values of a daemon's and the timeouts' fields.
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

/// A change prints as what is read back as the same, or says that it does not.
fn assert_said_or_not(change: &Change) -> Result<(), TestCaseError> {
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
fn values_that_text_cannot_say_are_known() {
    let web: ServiceId = service("TCP 192.0.2.10:80");
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
    fn built_values_are_read_back_or_known_to_be_unsaid(
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
        changes.iter().try_for_each(assert_said_or_not)?;
        let table = Table::from_iter([TableService::new(service).with(destination)]);
        match table.to_string().parse::<Table>() {
            Ok(read) => {
                prop_assert_eq!(&read, &table);
                prop_assert!(table.unsaid().next().is_none());
            }
            Err(error) => prop_assert!(table.unsaid().next().is_some(), "{} {}", table, error),
        }
    }

    #[test]
    fn every_change_that_can_be_said_is_read_back(change in strategies::change()) {
        let text = change.to_string();
        match text.parse::<Change>() {
            Ok(read) => prop_assert_eq!(read, change),
            Err(error) => prop_assert!(text.starts_with('#'), "{} {}", text, error),
        }
    }

    #[test]
    fn every_table_that_can_be_said_is_read_back(table in table()) {
        match table.to_string().parse::<Table>() {
            Ok(read) => prop_assert_eq!(read, table),
            Err(error) => prop_assert!(table.unsaid().next().is_some(), "{} {}", table, error),
        }
    }

    #[test]
    fn no_other_table_is_read_than_was_written(table in reported()) {
        if let Ok(read) = table.to_string().parse::<Table>() {
            prop_assert!(table.unsaid().next().is_none());
            prop_assert_eq!(read, table);
        }
    }
}
