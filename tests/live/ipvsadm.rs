//! Compares with the original `ipvsadm`: this crate reads what it writes, and the reverse.

use std::process::Command;
use std::time::Duration;

use ipvs_netlink::{
    AddressFamily, Client, Destination, GueChecksum, Persistence, PersistenceEngine, Role,
    Scheduler, Service, ServiceFlags, SyncDaemon, Timeouts, Tunnel,
};

use crate::examples::example;
use crate::namespace::{fresh, ip, ipvsadm, run};

fn minute() -> Persistence {
    Persistence::new(Duration::from_secs(60))
}

/// The words of `ipvsadm` for a value.
type Words = &'static str;

/// A service and its destinations.
type Row = (Words, Service, Vec<(Words, Destination)>);

/// A table with every setting that `ipvsadm` can express, with its words.
fn table() -> Vec<Row> {
    let address = |text: &str| text.parse().unwrap();
    let gue = |checksum| Tunnel::Gue { port: 6080, checksum };
    vec![
        (
            "-t 10.0.0.1:80 -s wlc",
            Service::tcp(address("10.0.0.1:80")),
            vec![
                (
                    "-r 10.0.1.1:8080 -m -w 3",
                    Destination::masquerade(address("10.0.1.1:8080")).weight(3),
                ),
                (
                    "-r 10.0.1.2:80 -g -w 0",
                    Destination::direct_route(address("10.0.1.2:80")).weight(0),
                ),
                (
                    "-r 10.0.1.3:80 -i -w 1",
                    Destination::tunnel(address("10.0.1.3:80"), Tunnel::Ipip),
                ),
                (
                    "-r 10.0.1.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
                    Destination::tunnel(address("10.0.1.4:80"), gue(GueChecksum::None)),
                ),
                (
                    "-r 10.0.1.5:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
                    Destination::tunnel(address("10.0.1.5:80"), gue(GueChecksum::Full)),
                ),
                (
                    "-r 10.0.1.6:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum",
                    Destination::tunnel(address("10.0.1.6:80"), gue(GueChecksum::RemoteOffload)),
                ),
                (
                    "-r 10.0.1.7:80 -i -w 1 --tun-type gre --tun-csum",
                    Destination::tunnel(address("10.0.1.7:80"), Tunnel::Gre { checksum: true }),
                ),
                (
                    "-r [2001:db8::9]:80 -i -w 1",
                    Destination::tunnel(address("[2001:db8::9]:80"), Tunnel::Ipip),
                ),
            ],
        ),
        (
            "-t 10.0.0.2:443 -s rr -p 300 -M 255.255.255.0",
            Service::tcp(address("10.0.0.2:443")).scheduler(Scheduler::ROUND_ROBIN).persistence(
                Persistence::new(Duration::from_secs(300)).netmask([255, 255, 255, 0].into()),
            ),
            vec![],
        ),
        (
            "-t [2001:db8::1]:80 -s sh -b sh-fallback,sh-port",
            Service::tcp(address("[2001:db8::1]:80"))
                .scheduler(Scheduler::SOURCE_HASHING)
                .flags(ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT),
            vec![(
                "-r [2001:db8::2]:80 -m -w 1",
                Destination::masquerade(address("[2001:db8::2]:80")),
            )],
        ),
        (
            "-t [2001:db8::1]:443 -s mh -p 60 -M 64 -b mh-fallback,mh-port",
            Service::tcp(address("[2001:db8::1]:443"))
                .scheduler(Scheduler::MAGLEV_HASHING)
                .flags(ServiceFlags::MH_FALLBACK | ServiceFlags::MH_PORT)
                .persistence(minute().prefix(64)),
            vec![],
        ),
        (
            "-u 10.0.0.3:5060 -s rr -p 60 --pe sip",
            Service::udp(address("10.0.0.3:5060"))
                .scheduler(Scheduler::ROUND_ROBIN)
                .persistence(minute().engine(PersistenceEngine::SIP)),
            vec![],
        ),
        (
            "-u 10.0.0.3:53 -s rr -o",
            Service::udp(address("10.0.0.3:53")).scheduler(Scheduler::ROUND_ROBIN).one_packet(),
            vec![],
        ),
        (
            "--sctp-service 10.0.0.4:3868 -s wrr",
            Service::sctp(address("10.0.0.4:3868")).scheduler(Scheduler::WEIGHTED_ROUND_ROBIN),
            vec![],
        ),
        (
            "-f 5 -s lc",
            Service::fwmark(5, AddressFamily::Ipv4).scheduler(Scheduler::LEAST_CONNECTION),
            vec![("-r 10.0.1.1:0 -g -w 1", Destination::direct_route(address("10.0.1.1:0")))],
        ),
        (
            "-f 5 -6 -s nq",
            Service::fwmark(5, AddressFamily::Ipv6).scheduler(Scheduler::NEVER_QUEUE),
            vec![],
        ),
    ]
}

/// The words that name the service.
fn naming(words: &str) -> &str {
    words.split(" -s ").next().unwrap()
}

fn write(ipvs: &mut Client) {
    for (_, service, destinations) in table() {
        ipvs.add_service(&service).unwrap();
        for (_, destination) in destinations {
            ipvs.add_destination(service.id, &destination).unwrap();
        }
    }
}

#[test]
fn what_ipvsadm_writes_is_read() {
    let mut ipvs = fresh();
    for (words, _, destinations) in table() {
        ipvsadm(&format!("-A {words}"));
        for (destination, _) in destinations {
            ipvsadm(&format!("-a {} {destination}", naming(words)));
        }
    }
    for (_, service, destinations) in table() {
        assert_eq!(ipvs.service(service.id).unwrap().service, service);
        let read = ipvs.destinations(service.id).unwrap();
        let read: Vec<_> = read.into_iter().rev().map(|entry| entry.destination).collect();
        let written: Vec<_> =
            destinations.into_iter().map(|(_, destination)| destination).collect();
        assert_eq!(read, written);
    }
}

/// Removes options with default values from a line of `ipvsadm -S`.
fn saved(line: &str) -> String {
    line.trim_end().trim_end_matches(" --tun-type ipip").to_owned()
}

#[test]
fn what_we_write_is_read_by_ipvsadm() {
    let mut ipvs = fresh();
    write(&mut ipvs);
    let mut read: Vec<_> = ipvsadm("-S -n").lines().map(saved).collect();
    let mut written = Vec::new();
    for (words, _, destinations) in table() {
        written.push(format!("-A {words}"));
        for (destination, _) in destinations {
            written.push(format!("-a {} {destination}", naming(words)));
        }
    }
    read.sort();
    written.sort();
    assert_eq!(read, written);
}

#[test]
fn the_list_example_prints_what_ipvsadm_prints() {
    let mut ipvs = fresh();
    write(&mut ipvs);
    ipvs.add_service(&Service::tcp("10.0.0.9:1".parse().unwrap()).scheduler(Scheduler::NONE))
        .unwrap();
    let example = example("list");
    let ours = run(example.to_str().unwrap(), &[]);
    assert_eq!(ours, ipvsadm("-L -n"));
}

#[test]
fn the_ipvsadm_example_tells_a_wrong_word_once() {
    let _ipvs = fresh();
    let error = |words: &str| {
        let output = Command::new(example("ipvsadm")).args(words.split(' ')).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let whole = error("-a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 1.5");
    let expected = "ipvsadm: expected a weight of 0 to 2147483647, found \"1.5\"\n";
    assert_eq!(whole, expected);
    let part = error("-A -t 192.0.2.10:65536");
    assert!(part.starts_with("ipvsadm: \"192.0.2.10:65536\": expected a port"), "{part}");
}

#[test]
fn a_setting_beyond_our_rules_stays_when_another_one_is_changed() {
    let mut ipvs = fresh();
    ipvsadm("-A -t 10.0.0.1:80 -s rr -p 2592000");
    let id = "TCP 10.0.0.1:80".parse().unwrap();
    ipvs.set_scheduler(id, Scheduler::LEAST_CONNECTION).unwrap();
    let month = Duration::from_secs(2_592_000);
    let service = ipvs.service(id).unwrap().service;
    assert_eq!(service.persistence, Some(Persistence::new(month)));
    assert_eq!(service.scheduler, Scheduler::LEAST_CONNECTION);
    let longer = ipvs.modify_service(id, |service| {
        service.persistence = Some(Persistence::new(month * 2));
    });
    assert_eq!(longer.unwrap_err().invalid_value().unwrap().field(), "persistence timeout");
}

#[test]
fn timeouts_and_daemons_are_the_same_for_both() {
    let mut ipvs = fresh();
    ip("link add d0 type dummy");
    ip("address add 10.9.0.1/24 dev d0");
    ip("link set d0 up");
    ipvsadm("--set 0 60 0");
    let seconds = Duration::from_secs;
    let timeouts = Timeouts::default().tcp(seconds(900)).tcp_fin(seconds(60)).udp(seconds(300));
    assert_eq!(ipvs.timeouts().unwrap(), timeouts);
    ipvs.set_timeouts(Timeouts::default().udp(seconds(7))).unwrap();
    assert_eq!(ipvsadm("-L --timeout").trim_end(), "Timeout (tcp tcpfin udp): 900 60 7");

    ipvsadm(
        "--start-daemon backup --mcast-interface d0 --syncid 6 --sync-maxlen 1300 --mcast-group 239.1.2.3 --mcast-port 9000 --mcast-ttl 7",
    );
    let backup = SyncDaemon::new(Role::Backup, "d0".parse().unwrap())
        .sync_id(6)
        .max_length(1300)
        .group([239, 1, 2, 3].into())
        .port(9000)
        .ttl(7);
    assert_eq!(ipvs.daemons().unwrap(), std::slice::from_ref(&backup));
    assert_eq!(ipvsadm("-L --daemon").trim_end(), backup.to_string());
}
