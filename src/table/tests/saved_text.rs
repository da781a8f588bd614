use std::net::IpAddr;

use proptest::option;
use proptest::prelude::*;

use crate::ipvsadm::tests::round_trips::built;
use crate::ipvsadm::{NameError, Names, NumericNames};
use crate::model::strategies;
use crate::model::{
    AddressFamily, Destination, Forwarding, GueChecksum, Object, Protocol, Scheduler, Service,
    ServiceFlags, ServiceId, Tunnel,
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
fn comments_blank_lines_and_the_name_of_the_program_are_skipped() {
    let text = "#!/bin/sh\n\n  ipvsadm -A -f 5\t# five\r\n#-A -f 5\n-a -f5 -r 10.0.0.2";
    let table: Table = text.parse().unwrap();
    assert_eq!(table.to_string(), "-A -f 5 -s wlc\n-a -f 5 -r 10.0.0.2:0 -g\n");
    assert_eq!("".parse(), Ok(Table::new()));
}

#[test]
fn a_flag_option_without_flags_at_the_end_of_a_line_is_read() {
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
        ("-A -f 5\n -C", "line 2, column 2: expected -A or -a; a table has no other commands"),
        ("-A -f 5\n-E -f 5", "line 2, column 1: expected -A or -a; a table has no other commands"),
        (
            "-A -f 5\n-a -f 6 -r 10.0.0.2",
            "line 2, column 1: no line before this one adds the service FWM 6",
        ),
        ("-A -f 5\n\n-A -f 05 -s rr", "line 3, column 1: line 1 already adds FWM 5"),
        (
            "-A -f 5\n-a -f 5 -r 10.0.0.2\n-a -f 5 -r 10.0.0.2:0 -m",
            "line 3, column 1: line 2 already adds FWM 5 -> 10.0.0.2:0",
        ),
        (
            "-A -f 5 -s \"x y\"",
            "line 1, column 12: expected a scheduler name, found \"x y\" \
             (must be 1 to 15 characters of A-Z a-z 0-9 _ -)",
        ),
        (
            "-A -t web:80",
            "line 1, column 7: expected an IPv4 address, found \"web\" (names are not looked up)",
        ),
        (
            "-L",
            "line 1, column 1: expected a command that changes something, such as -A, as the first option, found \"-L\"",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(text.parse::<Table>().unwrap_err().to_string(), message);
    }
    let error = Table::from_ipvsadm(b"-A -f 5\n-A\xff", &NumericNames).unwrap_err();
    assert_eq!((error.line(), error.column()), (2, 3));
}

#[test]
fn objects_without_a_command_print_as_comments() {
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
fn an_initial_weight_is_written_as_the_weight() {
    let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
    let table: Table = [TableService::new(Service::tcp("192.0.2.10:80".parse().unwrap()))
        .with(TableDestination::of_any_weight(server).initially(3))]
    .into_iter()
    .collect();
    assert!(table.to_string().ends_with(" -w 3\n"), "{table}");
}

/// A resolver that answers each lookup with a different address.
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
fn each_host_is_looked_up_once() {
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

/// Generates tables of any objects that a kernel may report.
fn reported() -> impl Strategy<Value = Table> {
    let entry = option::of(strategies::destination_entry());
    (strategies::service_entry(), entry).prop_map(|(service, entry)| {
        let destinations = entry.iter().map(TableDestination::from);
        let service = TableService::new(service.service);
        [destinations.fold(service, TableService::with)].into_iter().collect()
    })
}

fn is_read_back_if_it_can_be_said(table: &Table) -> Result<(), TestCaseError> {
    match table.to_string().parse::<Table>() {
        Ok(read) => prop_assert_eq!(&read, table),
        Err(error) => prop_assert!(table.unsaid().next().is_some(), "{} {}", table, error),
    }
    Ok(())
}

#[test]
fn a_destination_of_any_weight_behind_a_gue_tunnel_is_read_back_or_unsaid() {
    let service = Service::udp(([49, 146, 227, 237], 39769).into()).scheduler(Scheduler::NONE);
    let tunnel = Tunnel::Gue { port: 61880, checksum: GueChecksum::Full };
    let address = "[2d81:aa41:35c:1b32:897:9320:94a7:3fa2]:7173".parse().unwrap();
    let server = Destination::tunnel(address, tunnel)
        .weight(321_229_131)
        .thresholds(1_613_450_606, 112_315_348);
    let service = TableService::new(service).with(TableDestination::of_any_weight(server));
    is_read_back_if_it_can_be_said(&[service].into_iter().collect()).unwrap();
}

proptest! {
    #[test]
    fn a_built_table_is_read_back_or_has_unsaid_objects((service, destination) in built()) {
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
    fn every_table_that_can_be_said_is_read_back(table in table()) {
        is_read_back_if_it_can_be_said(&table)?;
    }

    #[test]
    fn a_table_is_never_read_back_as_another_table(table in reported()) {
        if let Ok(read) = table.to_string().parse::<Table>() {
            prop_assert!(table.unsaid().next().is_none());
            prop_assert_eq!(read, table);
        }
    }
}
