use std::time::Duration;

use crate::model::{
    AddressFamily, Change, Destination, Forwarding, GueChecksum, Persistence, PersistenceEngine,
    Protocol, Role, Scheduler, Service, ServiceFlags, ServiceId, SyncDaemon, Timeouts, Tunnel,
    UnknownForwarding,
};

fn web() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap())
}

#[test]
fn a_change_prints_as_the_command_that_does_it() {
    let persistence = Persistence::new(Duration::from_secs(60))
        .netmask([255, 255, 255, 0].into())
        .engine(PersistenceEngine::SIP);
    let sip =
        Service::udp("192.0.2.10:5060".parse().unwrap()).persistence(persistence).one_packet();
    let hashed = Service::fwmark(5, AddressFamily::Ipv6)
        .scheduler(Scheduler::SOURCE_HASHING)
        .flags(ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT);
    let server = Destination::masquerade("10.0.0.2:8080".parse().unwrap()).weight(3);
    let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::Full };
    let tunnelled = Destination::tunnel("[2001:db8::2]:80".parse().unwrap(), gue);
    let daemon = SyncDaemon::new(Role::Master, "eth0".parse().unwrap()).sync_id(5).ttl(2);
    let cases = [
        (Change::AddService(web()), "-A -t 192.0.2.10:80 -s wlc"),
        (
            Change::UpdateService(sip),
            "-E -u 192.0.2.10:5060 -s wlc -p 60 -M 255.255.255.0 --pe sip -o",
        ),
        (Change::AddService(hashed.clone()), "-A -f 5 -6 -s sh -b sh-fallback,sh-port"),
        (Change::DeleteService(hashed.id), "-D -f 5 -6"),
        (Change::ZeroService(web().id), "-Z -t 192.0.2.10:80"),
        (
            Change::AddDestination(web().id, server.clone().thresholds(9, 5)),
            "-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 3 -x 9 -y 5",
        ),
        (
            Change::UpdateDestination(web().id, tunnelled),
            "-e -t 192.0.2.10:80 -r '[2001:db8::2]:80' -i --tun-type gue --tun-port 6080 --tun-csum -w 1",
        ),
        (Change::DeleteDestination(web().id, server.id), "-d -t 192.0.2.10:80 -r 10.0.0.2:8080"),
        (Change::SetTimeouts(Timeouts::default().tcp_fin(Duration::from_secs(60))), "--set 0 60 0"),
        (
            Change::StartDaemon(daemon),
            "--start-daemon master --mcast-interface eth0 --syncid 5 --mcast-ttl 2",
        ),
        (Change::StopDaemon(Role::Backup), "--stop-daemon backup"),
        (Change::ZeroAll, "-Z"),
        (Change::Flush, "-C"),
    ];
    for (change, command) in cases {
        assert_eq!(change.to_string(), format!("ipvsadm {command}"));
    }
}

#[test]
fn words_are_quoted_for_a_shell() {
    let service = Service::tcp("[2001:db8::1]:80".parse().unwrap());
    let server = Destination::masquerade("[2001:db8::2]:80".parse().unwrap());
    let add = Change::AddDestination(service.id, server);
    // A shell could replace the brackets, a pattern, by the name of a file.
    let command = "ipvsadm -a -t '[2001:db8::1]:80' -r '[2001:db8::2]:80' -m -w 1";
    assert_eq!(add.to_string(), command);
    assert_eq!(command.parse(), Ok(add));
}

#[test]
fn a_change_without_a_command_prints_as_a_comment() {
    let mut server = Destination::masquerade("10.0.0.2:8080".parse().unwrap());
    server.forwarding = Forwarding::Unknown(UnknownForwarding::new(5));
    let id = ServiceId::Address {
        protocol: Protocol::from_number(50),
        address: "192.0.2.10:0".parse().unwrap(),
    };
    assert_eq!(
        Change::AddDestination(id, server).to_string(),
        "# ipvsadm cannot say protocol IP_50, forwarding Method-5: \
         ipvsadm -a -t 192.0.2.10:0 -r 10.0.0.2:8080 -w 1"
    );
}

#[test]
fn names_cannot_break_out_of_their_word() {
    let daemon = |name: &str| SyncDaemon::new(Role::Backup, name.parse().unwrap());
    assert_eq!(
        Change::StartDaemon(daemon("a';$(b)")).to_string(),
        r"ipvsadm --start-daemon backup --mcast-interface 'a'\'';$(b)' --syncid 0"
    );
    assert_eq!(
        Change::StartDaemon(daemon("a'\u{1b}")).to_string(),
        r#"# ipvsadm cannot say --mcast-interface "a\'\x1b": ipvsadm --start-daemon backup --mcast-interface 'a'\''\u{1b}' --syncid 0"#
    );
}
