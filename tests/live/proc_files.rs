//! The files under `/proc`: their rows agree with the traffic that was sent.

use std::fs::{File, read_link};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::procfs::{
    Connection, ConnectionFilter, ConnectionState, Ending, Origin, Procfs, ProcfsError,
};
use ipvs_netlink::{
    AddressFamily, Client, Destination, Persistence, PersistenceEngine, Protocol, Scheduler,
    Service, ServiceId,
};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily as Family, SockFlag, SockType, SockaddrStorage, bind, connect, setsockopt,
    socket, sockopt,
};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::namespace::fresh;

const WEB: &str = "127.0.0.80:80";
pub(crate) const FIVE_MINUTES: Duration = Duration::from_secs(300);

/// Adds a service with one destination.
pub(crate) fn add(ipvs: &mut Client, service: &Service, server: SocketAddr) -> ServiceId {
    ipvs.add_service(&service.clone().scheduler(Scheduler::ROUND_ROBIN)).unwrap();
    ipvs.add_destination(service.id, &Destination::masquerade(server)).unwrap();
    service.id
}

pub(crate) fn listen(address: &str) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Opens a TCP connection from this address.
pub(crate) fn open(from: &str, to: SocketAddr) -> io::Result<TcpStream> {
    over(stream(to), from, to)
}

pub(crate) fn stream(to: SocketAddr) -> OwnedFd {
    let family = if to.is_ipv4() { Family::Inet } else { Family::Inet6 };
    socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap()
}

pub(crate) fn over(socket: OwnedFd, from: &str, to: SocketAddr) -> io::Result<TcpStream> {
    let from = SocketAddr::new(from.parse().unwrap(), 0);
    bind(socket.as_raw_fd(), &SockaddrStorage::from(from))?;
    connect(socket.as_raw_fd(), &SockaddrStorage::from(to))?;
    Ok(socket.into())
}

pub(crate) fn rows(procfs: &Procfs, filter: ConnectionFilter) -> Vec<Connection> {
    settled(|| {
        let mut reader = procfs.connections().unwrap().matching(filter.clone());
        let rows = reader.by_ref().collect::<Result<_, _>>().unwrap();
        assert_eq!(reader.ending(), Some(Ending::Complete));
        rows
    })
}

/// Reads until two readings have as many rows: one lacks a row if a connection of another namespace ends
/// between two pages of the file, because the kernel counts the rows of all namespaces.
fn settled(read: impl Fn() -> Vec<Connection>) -> Vec<Connection> {
    let mut last = read();
    loop {
        let rows = read();
        if rows.len() == last.len() {
            return rows;
        }
        last = rows;
    }
}

fn of(procfs: &Procfs, service: ServiceId) -> Vec<Connection> {
    rows(procfs, ConnectionFilter::new().service(service))
}

fn one(rows: Vec<Connection>) -> Connection {
    let [row] = rows.try_into().unwrap();
    row
}

fn own_namespace() -> String {
    read_link("/proc/thread-self/ns/net").unwrap().display().to_string()
}

#[test]
fn rows_agree_with_tcp_connections() {
    let mut ipvs = fresh();
    let procfs = ipvs.procfs().unwrap();
    assert_eq!(rows(&procfs, ConnectionFilter::new()), []);
    let (_listener, server) = listen("127.0.0.1:0");
    let web = add(&mut ipvs, &Service::tcp(WEB.parse().unwrap()), server);
    let to = web.address().unwrap();
    let streams: Vec<_> = (1..=60).map(|n| open(&format!("127.0.1.{n}"), to).unwrap()).collect();

    let mut found = of(&procfs, web);
    found.sort_by_key(|row| row.client);
    let clients: Vec<_> = found.iter().map(|row| row.client).collect();
    let mut expected: Vec<_> = streams.iter().map(|it| it.local_addr().unwrap()).collect();
    expected.sort();
    assert_eq!(clients, expected);
    for row in &found {
        assert_eq!((row.protocol, row.virtual_address), (Protocol::TCP, to));
        assert_eq!((row.destination, row.service()), (server, web));
        assert_eq!(row.state, ConnectionState::ESTABLISHED);
        assert!((800..=900).contains(&row.expires.as_secs()), "{row:?}");
        assert!(!row.is_template() && row.engine_data.is_none() && row.origin.is_none());
    }

    let filter = ConnectionFilter::new();
    let count = |filter: &ConnectionFilter| rows(&procfs, filter.clone()).len();
    assert_eq!(count(&filter.clone().client("127.0.1.7/32".parse().unwrap())), 1);
    assert_eq!(count(&filter.clone().client("127.0.1.0/28".parse().unwrap())), 15);
    assert_eq!(count(&filter.clone().destination(server.into())), 60);
    assert_eq!(count(&filter.clone().destination(to.into())), 0);
    assert_eq!(count(&filter.clone().state(ConnectionState::ESTABLISHED)), 60);
    assert_eq!(count(&filter.clone().state(ConnectionState::UDP)), 0);
    assert_eq!(count(&filter.service("UDP 127.0.0.80:80".parse().unwrap())), 0);

    let with_origin = || procfs.connections_with_origin().unwrap();
    let with_origin = settled(|| with_origin().collect::<Result<_, _>>().unwrap());
    assert_eq!(with_origin.len(), 60);
    assert!(with_origin.iter().all(|row| row.origin == Some(Origin::Local)));

    let mut reader = procfs.connections().unwrap().most_lines(13);
    assert_eq!(reader.by_ref().filter(Result::is_ok).count(), 13);
    assert_eq!(reader.ending(), Some(Ending::Lines));

    // The clients close first.
    drop(streams);
    assert!(of(&procfs, web).iter().all(|row| row.state != ConnectionState::ESTABLISHED));
}

#[test]
fn rows_agree_with_udp_and_one_packet_services_have_none() {
    let mut ipvs = fresh();
    let procfs = ipvs.procfs().unwrap();
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = server.local_addr().unwrap();
    let dns = add(&mut ipvs, &Service::udp("127.0.0.80:53".parse().unwrap()), server);
    let single = Service::udp("127.0.0.80:54".parse().unwrap())
        .flags(ipvs_netlink::ServiceFlags::ONE_PACKET);
    let single = add(&mut ipvs, &single, server);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    for service in [dns, single] {
        for _ in 0..5 {
            client.send_to(b"?", service.address().unwrap()).unwrap();
        }
    }
    let row = one(rows(&procfs, ConnectionFilter::new()));
    assert_eq!((row.service(), row.state), (dns, ConnectionState::UDP));
    assert_eq!(row.client, client.local_addr().unwrap());
    assert_eq!(row.destination, server);

    // Each packet of a one-packet service counts as a connection. Processors have counters that
    // are live.
    let per = procfs.per_processor().unwrap();
    assert_eq!(per.processors.iter().map(|it| it.stats.connections).sum::<u64>(), 1 + 5);
    assert_eq!(per.processors.iter().map(|it| it.stats.incoming_packets).sum::<u64>(), 10);
    let deadline = Instant::now() + Duration::from_secs(20);
    while procfs.totals().unwrap().connections != 6 {
        assert!(Instant::now() < deadline, "{:?}", procfs.totals());
        thread::sleep(Duration::from_millis(50));
    }
    let totals = procfs.totals().unwrap();
    assert_eq!((totals.incoming_packets, totals.outgoing_packets), (10, 0));
    assert_eq!(totals.incoming_bytes, 10 * (20 + 8 + 1));
    assert_eq!(procfs.per_processor().unwrap().totals.connections, 6);

    // Zeroing sets the totals to 0, and leaves the processors alone.
    ipvs.zero_all().unwrap();
    assert_eq!(procfs.totals().unwrap().connections, 0);
    let per = procfs.per_processor().unwrap();
    assert_eq!(per.processors.iter().map(|it| it.stats.connections).sum::<u64>(), 6);
}

#[test]
fn rows_agree_with_ipv6() {
    let mut ipvs = fresh();
    let procfs = ipvs.procfs().unwrap();
    let (_listener, server) = listen("[::1]:0");
    let persistence = Persistence::new(FIVE_MINUTES).prefix(64);
    let service = Service::tcp("[::1]:80".parse().unwrap()).persistence(persistence);
    let web = add(&mut ipvs, &service, server);
    let stream = open("::1", web.address().unwrap()).unwrap();
    let (templates, connections): (Vec<_>, Vec<_>) =
        of(&procfs, web).into_iter().partition(Connection::is_template);
    let (template, connection) = (one(templates), one(connections));
    assert_eq!(connection.client, stream.local_addr().unwrap());
    assert_eq!((connection.destination, template.destination), (server, server));
    assert_eq!(template.client, "[::]:0".parse().unwrap());
    assert_eq!(template.service(), web);
    assert!((200..=300).contains(&template.expires.as_secs()), "{template:?}");
}

#[test]
fn templates_show_networks_marks_and_data() {
    let mut ipvs = fresh();
    let procfs = ipvs.procfs().unwrap();
    let (_listener, server) = listen("127.0.0.1:0");
    let network = Persistence::new(FIVE_MINUTES).netmask([255, 255, 255, 0].into());
    let sticky = Service::tcp(WEB.parse().unwrap()).persistence(network);
    let sticky = add(&mut ipvs, &sticky, server);
    let _streams = ["127.0.1.1", "127.0.1.2", "127.0.2.1"]
        .map(|from| open(from, sticky.address().unwrap()).unwrap());
    let mut templates = of(&procfs, sticky);
    templates.retain(Connection::is_template);
    let mut clients: Vec<_> = templates.iter().map(|row| row.client.to_string()).collect();
    clients.sort();
    assert_eq!(clients, ["127.0.1.0:0", "127.0.2.0:0"]);
    let assured = |row: &Connection| row.state == ConnectionState::ASSURED;
    assert!(templates.iter().all(assured), "{templates:?}");

    let marked =
        Service::fwmark(0xabcd, AddressFamily::Ipv4).persistence(Persistence::new(FIVE_MINUTES));
    let port = server.port();
    let marked = add(&mut ipvs, &marked, SocketAddr::new(server.ip(), 0));
    let to = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 81), port));
    let fd = stream(to);
    setsockopt(&fd, sockopt::Mark, &0xabcd).unwrap();
    let _stream = over(fd, "127.0.3.1", to).unwrap();
    let template = one(of(&procfs, marked));
    assert_eq!((template.fwmark(), template.service()), (Some(0xabcd), marked));
    assert_eq!(template.client.to_string(), "127.0.3.1:0");
    // The connection has the address of its packets.
    let connection = rows(&procfs, ConnectionFilter::new().client("127.0.3.1/32".parse().unwrap()));
    let connection = connection.into_iter().find(|row| !row.is_template()).unwrap();
    assert_eq!((connection.virtual_address, connection.destination), (to, server));

    let phones = UdpSocket::bind("127.0.0.1:0").unwrap();
    let engine = Persistence::new(FIVE_MINUTES).engine(PersistenceEngine::SIP);
    let sip = Service::udp("127.0.0.80:5060".parse().unwrap())
        .persistence(engine)
        .flags(ipvs_netlink::ServiceFlags::ONE_PACKET);
    let sip = add(&mut ipvs, &sip, phones.local_addr().unwrap());
    let invitation = "INVITE sip:a@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\
                      Call-ID: 12345-abcde@host.example\r\n\r\n";
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(invitation.as_bytes(), sip.address().unwrap()).unwrap();
    let call = one(of(&procfs, sip));
    let data = call.engine_data.as_ref().unwrap();
    assert_eq!(data.engine, PersistenceEngine::SIP);
    assert_eq!(&*data.data, b"12345-abcde@host.example");
    assert!(call.is_template());
}

/// The kernel's SCTP sends the first packet of a connection, which makes the row.
#[test]
fn rows_agree_with_sctp() {
    let mut ipvs = fresh();
    let procfs = ipvs.procfs().unwrap();
    let service = add(
        &mut ipvs,
        &Service::new("SCTP 127.0.0.80:99".parse().unwrap()),
        "127.0.0.1:99".parse().unwrap(),
    );
    let flags = rustix::net::SocketFlags::NONBLOCK | rustix::net::SocketFlags::CLOEXEC;
    let client = rustix::net::socket_with(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        flags,
        Some(rustix::net::ipproto::SCTP),
    )
    .expect("a kernel with SCTP");
    let to = SockaddrStorage::from(service.address().unwrap());
    assert!(connect(client.as_raw_fd(), &to).is_err(), "nobody listens");
    // The host of the destination refuses.
    let deadline = Instant::now() + Duration::from_secs(4);
    while one(of(&procfs, service)).state.as_str() != Some("REJECTED") {
        assert!(Instant::now() < deadline, "{:?}", of(&procfs, service));
        thread::sleep(Duration::from_millis(5));
    }
    let row = one(of(&procfs, service));
    assert_eq!((row.protocol, row.destination.port()), (Protocol::SCTP, 99));
}

#[test]
fn a_handle_stays_in_its_namespace() {
    let mut here = fresh();
    let (_listener, server) = listen("127.0.0.1:0");
    let web = add(&mut here, &Service::tcp(WEB.parse().unwrap()), server);
    let _stream = open("127.0.0.1", web.address().unwrap()).unwrap();
    let path = format!("/proc/self/task/{}/ns/net", rustix::thread::gettid());
    let there = || -> Result<(), ProcfsError> {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let before = own_namespace();
        let in_namespace = Procfs::in_namespace(&path)?;
        let of_client = Client::in_namespace(&path).unwrap().procfs()?;
        for procfs in [&in_namespace, &of_client, &of_client.clone(), &here.procfs()?] {
            assert_eq!(of(procfs, web).len(), 1);
            let processors = procfs.per_processor()?.processors;
            assert_eq!(processors.iter().map(|one| one.stats.connections).sum::<u64>(), 1);
        }
        // The open file stays in the namespace.
        let reader = in_namespace.connections()?;
        assert_eq!(reader.filter(Result::is_ok).count(), 1);
        assert_eq!(own_namespace(), before);
        assert_eq!(rows(&Procfs::open()?, ConnectionFilter::new()), []);

        // The own namespace takes no privilege, another one does.
        let own = Procfs::open()?;
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::SYS_ADMIN);
        set_capabilities(None, sets).unwrap();
        assert_eq!(rows(&own, ConnectionFilter::new()), []);
        assert_eq!(of_client.connections().unwrap_err(), ProcfsError::MayNotEnter);
        assert_eq!(Procfs::in_namespace(&path).unwrap_err(), ProcfsError::MayNotEnter);
        Ok(())
    };
    thread::scope(|scope| scope.spawn(there).join().unwrap()).unwrap();
}

#[test]
fn what_is_not_there_is_said() {
    let ipvs = fresh();
    let path = "/run/netns/nosuch";
    let missing = Procfs::in_namespace(path).unwrap_err();
    assert_eq!(missing.to_string(), "/run/netns/nosuch: no such network namespace");
    assert!(matches!(missing, ProcfsError::NoSuchNamespace { .. }), "{missing:?}");
    for path in ["/proc/self/status", "/proc/self/ns/uts", "/proc/self/ns"] {
        assert_eq!(Procfs::in_namespace(path).unwrap_err(), ProcfsError::NotANamespace, "{path}");
    }
    let procfs = ipvs.procfs().unwrap();
    // Kernels before 7.1 have no such file.
    if File::open("/proc/thread-self/net/ip_vs_status").is_err() {
        let error = procfs.status().unwrap_err();
        assert!(matches!(error, ProcfsError::Absent { .. }), "{error}");
    }
    assert!(procfs.applications().unwrap().iter().all(|it| it.name == "ftp" && it.port == 21));
}
