//! Counters are what was sent.

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::{AddressFamily, Client, Destination, Scheduler, Service};
use nix::sys::socket::{
    self, Backlog, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, listen, setsockopt,
    sockopt,
};

use crate::greeting::{Connection, serve, serve_on};
use crate::network::{Namespace, has_ipv6};
use crate::stage::{Exporter, PATIENCE, Series};

const WEB: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 80)), 80);
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LOCAL_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const TABLE: &str = "services:\n- {tcp: 127.0.0.80:80, labels: {team: \"check \\\"out\\\"\"}}\n";

/// Bytes of each datagram and of its headers.
const DATAGRAM: usize = 100;
const HEADERS: usize = 28;

#[test]
fn counters_are_what_was_sent() {
    let namespace = Namespace::new().unwrap();
    let reuse = || fs::write("/proc/sys/net/ipv4/tcp_tw_reuse", "0");
    namespace.run(reuse).unwrap();
    let mut ipvs = Client::in_namespace_fd(&namespace).unwrap();
    let mut add = |service: Service, servers: &[SocketAddr]| {
        let service = service.scheduler(Scheduler::ROUND_ROBIN);
        ipvs.add_service(&service).unwrap();
        for server in servers {
            let destination = Destination::masquerade(*server);
            ipvs.add_destination(service.id, &destination).unwrap();
        }
    };
    let at = |address, port| SocketAddr::new(address, port);
    let servers = [at(LOCAL, 8000), at(LOCAL, 8001)];
    let mut held = Vec::new();
    for server in servers {
        held.push(serve(&namespace, server, "web").unwrap());
    }

    add(Service::tcp(WEB), &servers);
    for _ in 0..5 {
        Connection::open(&namespace, LOCAL, WEB, PATIENCE).unwrap().close().unwrap();
    }
    let open = Connection::open(&namespace, LOCAL, WEB, PATIENCE).unwrap();

    add(Service::fwmark(5, AddressFamily::Ipv4), &servers);
    for _ in 0..2 {
        let (family, kind) = (socket::AddressFamily::Inet, SockType::Stream);
        let socket = namespace
            .run(|| Ok(socket::socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?))
            .unwrap();
        setsockopt(&socket, sockopt::Mark, &5).unwrap();
        Connection::over(socket, at(WEB.ip(), 443), PATIENCE).unwrap().close().unwrap();
    }

    let v6 = has_ipv6();
    if v6 {
        held.push(serve(&namespace, at(LOCAL_V6, 8000), "web").unwrap());
        add(Service::tcp(at(LOCAL_V6, 80)), &[at(LOCAL_V6, 8000)]);
        for _ in 0..3 {
            let to = at(LOCAL_V6, 80);
            Connection::open(&namespace, LOCAL_V6, to, PATIENCE).unwrap().close().unwrap();
        }
    }

    let sctp = send_sctp(&namespace, &mut add);
    let echo = namespace.run(|| UdpSocket::bind(at(LOCAL, 9000))).unwrap();
    add(Service::udp(at(WEB.ip(), 53)), &[at(LOCAL, 9000)]);
    let client = namespace.run(|| UdpSocket::bind(at(LOCAL, 0))).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    for _ in 0..4 {
        client.send_to(&[7; DATAGRAM], at(WEB.ip(), 53)).unwrap();
        let mut bytes = [0; DATAGRAM * 2];
        let (length, from) = echo.recv_from(&mut bytes).unwrap();
        echo.send_to(&bytes[..length / 2], from).unwrap();
        client.recv_from(&mut bytes).unwrap();
    }

    let table = std::env::temp_dir().join(format!("exporter-{}.yaml", std::process::id()));
    fs::write(&table, TABLE).unwrap();
    let exporter =
        Exporter::start(&namespace, &["--destinations", "--table", table.to_str().unwrap()]);
    fs::remove_file(&table).unwrap();
    let sum = 5 + 1 + 2 + if v6 { 3 } else { 0 } + sctp + 1;
    let series = counted(&exporter, f64::from(sum));

    let connections = |labels: &[&str]| series.sum("ipvs_service_connections_total", labels);
    let tcp = &["protocol=\"TCP\"", "address=\"127.0.0.80\"", "team=\"check \\\"out\\\"\""];
    assert_eq!(connections(tcp), 6.0, "{series:?}");
    assert_eq!(connections(&["fwmark=\"5\"", "family=\"IPv4\""]), 2.0);
    assert_eq!(connections(&["address=\"::1\""]), if v6 { 3.0 } else { 0.0 });
    assert_eq!(connections(&["protocol=\"SCTP\""]), f64::from(sctp));
    assert_eq!(connections(&["protocol=\"UDP\""]), 1.0);
    assert_eq!(series.sum("ipvs_destination_active_connections", tcp), 1.0);
    assert_eq!(
        series.sum("ipvs_destination_connections_total", &[tcp[1], "real_port=\"8000\""]),
        3.0
    );
    assert_eq!(series.get("ipvs_estimation_enabled"), Some(1.0));

    let udp = |family: &str| series.sum(family, &["protocol=\"UDP\"", "port=\"53\""]);
    let bytes = |payload: usize| (4 * (payload + HEADERS)) as f64;
    assert_eq!(udp("ipvs_service_incoming_packets_total"), 4.0);
    assert_eq!(udp("ipvs_service_outgoing_packets_total"), 4.0);
    assert_eq!(udp("ipvs_service_incoming_bytes_total"), bytes(DATAGRAM));
    assert_eq!(udp("ipvs_service_outgoing_bytes_total"), bytes(DATAGRAM / 2));

    for what in
        ["connections", "incoming_packets", "outgoing_packets", "incoming_bytes", "outgoing_bytes"]
    {
        let total = series.get(&format!("ipvs_{what}_total"));
        let services = series.sum(&format!("ipvs_service_{what}_total"), &[]);
        let destinations = series.sum(&format!("ipvs_destination_{what}_total"), &[]);
        assert_eq!(total, Some(services), "{what}");
        assert_eq!(services, destinations, "{what}");
    }
    drop(open);
}

/// Returns how many associations were made: none where the kernel has no SCTP.
fn send_sctp(namespace: &Namespace, add: &mut impl FnMut(Service, &[SocketAddr])) -> u32 {
    let sctp = || -> io::Result<OwnedFd> {
        let (family, kind) = (socket::AddressFamily::Inet, SockType::Stream);
        Ok(socket::socket(family, kind, SockFlag::SOCK_CLOEXEC, SockProtocol::Sctp)?)
    };
    let Ok(listener) = namespace.run(sctp) else {
        // Past the test harness, which shows nothing of a test that passes.
        let mut stderr = io::stderr();
        writeln!(stderr, "this kernel has no SCTP: not tested").unwrap();
        return 0;
    };
    let server = SocketAddr::new(LOCAL, 8100);
    bind(listener.as_raw_fd(), &SockaddrStorage::from(server)).unwrap();
    listen(&listener, Backlog::MAXCONN).unwrap();
    let _server = serve_on(listener.into(), "diameter").unwrap();
    let service = SocketAddr::new(WEB.ip(), 3868);
    add(Service::sctp(service), &[server]);
    for _ in 0..2 {
        let socket = namespace.run(sctp).unwrap();
        Connection::over(socket, service, PATIENCE).unwrap();
    }
    2
}

/// Scrapes until the kernel, which does so every two seconds, has brought its counters up to date.
fn counted(exporter: &Exporter<'_>, connections: f64) -> Series {
    let deadline = Instant::now() + PATIENCE;
    let mut before = 0.0;
    loop {
        let series = exporter.scrape();
        let packets = series.sum("ipvs_service_incoming_packets_total", &[]);
        let all = series.sum("ipvs_service_connections_total", &[]) >= connections;
        if all && packets == before {
            return series;
        }
        assert!(Instant::now() < deadline, "not counted: {series:?}");
        before = if all { packets } else { 0.0 };
        thread::sleep(Duration::from_millis(2500));
    }
}
