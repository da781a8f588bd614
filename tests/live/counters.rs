//! Counters, rates and rows of connections agree with what was sent, as a capture of the packets sees it.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU32;
use std::os::fd::OwnedFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::growth::{Growth, PerSecond, Reading};
use ipvs_netlink::procfs::{Connection, ConnectionFilter, ConnectionState, Procfs};
use ipvs_netlink::{
    AddressFamily, Client, Persistence, Protocol, Service, ServiceFlags, ServiceId, Stats,
};
use nix::sys::socket::{setsockopt, sockopt};
use rustix::net::{RecvFlags, SocketFlags, SocketType, ipproto, recv, socket_with};

use crate::namespace::fresh;
use crate::proc_files::{FIVE_MINUTES, add, listen, open, over, rows, stream};

/// Sees each packet that arrives in this thread's network namespace, by way of its own loopback.
struct Capture {
    sockets: [OwnedFd; 2],
    /// Packets and their bytes, by protocol, source and destination.
    seen: HashMap<(u8, SocketAddr, SocketAddr), (u64, u64)>,
}

impl Capture {
    fn new() -> Self {
        let socket = |ethertype: u16| {
            let protocol = NonZeroU32::new(ethertype.to_be().into()).unwrap();
            let protocol = rustix::net::Protocol::from_raw(protocol);
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let family = rustix::net::AddressFamily::PACKET;
            socket_with(family, SocketType::DGRAM, flags, Some(protocol)).unwrap()
        };
        Self { sockets: [socket(0x0800), socket(0x86dd)], seen: HashMap::new() }
    }

    /// Takes what has arrived.
    fn take(&mut self) {
        let mut packet = vec![0; 1 << 16];
        for socket in &self.sockets {
            while let Ok((length, _)) = recv(socket, &mut packet[..], RecvFlags::empty()) {
                let Some((key, bytes)) = parse(&packet[..length]) else { continue };
                let (packets, sum) = self.seen.entry(key).or_default();
                (*packets, *sum) = (*packets + 1, *sum + bytes);
            }
        }
    }

    /// Returns what went to a server, and what came from a virtual address.
    fn counted(&self, protocol: Protocol, server: SocketAddr, from: SocketAddr) -> Stats {
        let mut stats = Stats::default();
        for ((_, source, destination), (packets, bytes)) in
            self.seen.iter().filter(|((of, ..), _)| u16::from(*of) == protocol.number())
        {
            if *destination == server {
                stats.incoming_packets += packets;
                stats.incoming_bytes += bytes;
            }
            if *source == from {
                stats.outgoing_packets += packets;
                stats.outgoing_bytes += bytes;
            }
        }
        stats
    }
}

/// Reads protocol, addresses and length of a packet. TCP, UDP and SCTP begin with the ports.
fn parse(packet: &[u8]) -> Option<((u8, SocketAddr, SocketAddr), u64)> {
    let word = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
    let v4 = |at: usize| {
        let octets: [u8; 4] = packet.get(at..at + 4)?.try_into().ok()?;
        Some(IpAddr::from(Ipv4Addr::from(octets)))
    };
    let v6 = |at: usize| {
        let octets: [u8; 16] = packet.get(at..at + 16)?.try_into().ok()?;
        Some(IpAddr::from(Ipv6Addr::from(octets)))
    };
    let (protocol, from, to, header, length) = match packet.first()? >> 4 {
        4 => (9, v4(12)?, v4(16)?, usize::from(packet[0] & 15) * 4, word(2)?.into()),
        _ => (6, v6(8)?, v6(24)?, 40, u64::from(word(4)?) + 40),
    };
    let from = SocketAddr::new(from, word(header)?);
    let to = SocketAddr::new(to, word(header + 2)?);
    Some(((*packet.get(protocol)?, from, to), length))
}

/// A service with one server, and what was sent through it.
struct Case {
    name: &'static str,
    id: ServiceId,
    protocol: Protocol,
    /// Where clients send to.
    to: SocketAddr,
    server: SocketAddr,
    connections: u64,
    /// The clients of the rows, in order. One-packet connections have none.
    clients: Vec<SocketAddr>,
    /// The states of the rows without templates.
    state: ConnectionState,
    templates: usize,
}

impl Case {
    fn clients(mut self, clients: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.clients = clients.into_iter().collect();
        self.clients.sort();
        self.connections = self.clients.len() as u64;
        self
    }
}

/// A test's namespace, with the sockets of all cases.
struct Lab {
    ipvs: Client,
    capture: Capture,
    streams: Vec<TcpStream>,
}

impl Lab {
    fn case(&mut self, name: &'static str, service: &Service, server: SocketAddr) -> Case {
        let id = add(&mut self.ipvs, service, server);
        let protocol = match id {
            ServiceId::Address { protocol, .. } => protocol,
            _ => Protocol::TCP,
        };
        let state = match protocol {
            Protocol::UDP => ConnectionState::UDP,
            _ => ConnectionState::ESTABLISHED,
        };
        let to = id.address().unwrap_or(server);
        Case {
            name,
            id,
            protocol,
            to,
            server,
            connections: 0,
            clients: Vec::new(),
            state,
            templates: 0,
        }
    }

    /// Sends so many bytes over a connection, and twice as many back. Both ends stay open.
    fn talk(&mut self, mut client: TcpStream, listener: &TcpListener, length: usize) -> SocketAddr {
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(&vec![1; length]).unwrap();
        server.read_exact(&mut vec![0; length]).unwrap();
        server.write_all(&vec![2; 2 * length]).unwrap();
        client.read_exact(&mut vec![0; 2 * length]).unwrap();
        self.capture.take();
        let address = client.local_addr().unwrap();
        self.streams.extend([client, server]);
        address
    }

    fn tcp(&mut self, name: &'static str, service: &Service, from: &[&str], at: &str) -> Case {
        let (listener, server) = listen(at);
        let mut case = self.case(name, service, server);
        let lengths = [1, 1000, 5000].into_iter().cycle();
        let clients: Vec<_> = from
            .iter()
            .zip(lengths)
            .map(|(from, length)| self.talk(open(from, case.to).unwrap(), &listener, length))
            .collect();
        case = case.clients(clients);
        case
    }

    /// Sends datagrams from as many sockets as there are addresses, and answers all or none.
    fn udp(&mut self, name: &'static str, service: &Service, from: &[&str], answers: bool) -> Case {
        let server = UdpSocket::bind((from[0], 0)).unwrap();
        let mut case = self.case(name, service, server.local_addr().unwrap());
        let clients: Vec<_> =
            from.iter().map(|from| UdpSocket::bind((*from, 0)).unwrap()).collect();
        let mut buffer = [0; 2000];
        for length in [1, 100, 1400] {
            for client in &clients {
                client.send_to(&buffer[..length], case.to).unwrap();
                let (received, peer) = server.recv_from(&mut buffer).unwrap();
                assert_eq!((received, peer), (length, client.local_addr().unwrap()));
                if answers {
                    server.send_to(&buffer[..length / 2], peer).unwrap();
                    assert_eq!(client.recv_from(&mut buffer).unwrap(), (length / 2, case.to));
                }
            }
        }
        self.capture.take();
        case = case.clients(clients.iter().map(|client| client.local_addr().unwrap()));
        case
    }

    /// Sends the first packet of SCTP from several ports. The host of the server refuses each.
    fn sctp(&mut self, name: &'static str) -> Case {
        let socket = |kind| {
            let family = rustix::net::AddressFamily::INET;
            socket_with(family, kind, SocketFlags::CLOEXEC, Some(ipproto::SCTP)).unwrap()
        };
        // Has the kernel load its SCTP, which answers.
        drop(socket(SocketType::STREAM));
        let service = Service::new("SCTP 127.0.0.80:99".parse().unwrap());
        let server = "127.0.0.1:100".parse().unwrap();
        let mut case = self.case(name, &service, server);
        let raw = UdpSocket::from(socket(SocketType::RAW));
        let ports = [4001_u16, 4002, 4003];
        for port in ports {
            // The ports, no tag, and a checksum that IPVS makes right, for it changes the port.
            let mut packet = [port.to_be_bytes(), 99_u16.to_be_bytes(), [0, 0], [0, 0]].concat();
            packet.extend([0; 4]);
            // INIT: length, own tag, window, one stream each way, first number.
            packet.extend([1, 0, 0, 20, 0, 0, 0, 7, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
            raw.send_to(&packet, (case.to.ip(), 0)).unwrap();
        }
        self.capture.take();
        case.state = "REJECTED".parse().unwrap();
        case.clients(ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port))))
    }

    fn marked(&mut self, name: &'static str) -> Case {
        let (listener, server) = listen("127.0.0.1:0");
        let service = Service::fwmark(0xabcd, AddressFamily::Ipv4);
        let mut case = self.case(name, &service, server);
        case.to = "127.0.0.90:1234".parse().unwrap();
        let clients: Vec<_> = ["127.0.1.1", "127.0.1.2"]
            .into_iter()
            .map(|from| {
                let socket = stream(case.to);
                setsockopt(&socket, sockopt::Mark, &0xabcd).unwrap();
                self.talk(over(socket, from, case.to).unwrap(), &listener, 300)
            })
            .collect();
        // Without the mark nobody takes the packets.
        let unmarked = open("127.0.1.1", "127.0.0.91:1234".parse().unwrap()).unwrap_err();
        assert_eq!(unmarked.kind(), ErrorKind::ConnectionRefused);
        case.clients(clients)
    }
}

#[test]
fn counters_and_rows_agree_with_what_was_sent() {
    let ipvs = fresh();
    let mut lab = Lab { ipvs, capture: Capture::new(), streams: Vec::new() };
    let procfs = lab.ipvs.procfs().unwrap();
    let tcp = |address: &str| Service::tcp(address.parse().unwrap());
    let udp = |address: &str| Service::udp(address.parse().unwrap());
    let sticky = |service: Service| service.persistence(Persistence::new(FIVE_MINUTES));
    let one_packet = udp("127.0.0.80:54").flags(ServiceFlags::ONE_PACKET);
    let clients = ["127.0.1.1", "127.0.1.2", "127.0.1.1"];

    let mut cases = vec![
        lab.tcp("TCP", &tcp("127.0.0.80:80"), &clients, "127.0.0.1:0"),
        lab.tcp("TCP, IPv6", &tcp("[::1]:80"), &["::1", "::1"], "[::1]:0"),
        lab.tcp("TCP, persistent", &sticky(tcp("127.0.0.80:81")), &clients, "127.0.0.1:0"),
        lab.udp("UDP", &udp("127.0.0.80:53"), &clients, true),
        lab.udp("UDP, IPv6", &udp("[::1]:53"), &["::1", "::1"], true),
        lab.udp("UDP, persistent, IPv6", &sticky(udp("[::1]:55")), &["::1", "::1"], true),
        lab.udp("UDP, one packet", &one_packet, &clients, false),
        lab.sctp("SCTP"),
        lab.marked("firewall mark"),
    ];
    cases[2].templates = 2;
    cases[5].templates = 1;
    // Each datagram is a connection of its own.
    cases[6].connections = 3 * 3;
    cases[6].clients.clear();

    let expected = |capture: &mut Capture| -> Vec<Stats> {
        capture.take();
        let counted = |case: &Case| {
            let mut stats = capture.counted(case.protocol, case.server, case.to);
            stats.connections = case.connections;
            stats
        };
        cases.iter().map(counted).collect()
    };
    let plain = |stats: &Stats| {
        let mut stats = *stats;
        stats.rates = Default::default();
        stats
    };
    // Late acknowledgements come, and the kernel brings counters up to date every two seconds.
    let deadline = Instant::now() + Duration::from_secs(20);
    let found = loop {
        let expected = expected(&mut lab.capture);
        let table = lab.ipvs.snapshot().unwrap();
        let services = cases.iter().map(|case| table.service(case.id).unwrap());
        let services: Vec<_> = services.collect();
        let own: Vec<Stats> = services.iter().map(|it| plain(&it.entry.stats)).collect();
        let servers: Vec<Stats> =
            services.iter().map(|it| plain(&it.destinations[0].stats)).collect();
        let totals = plain(&procfs.totals().unwrap());
        let sum: Stats = expected.iter().copied().sum();
        if own == expected && servers == expected && totals == sum {
            break expected;
        }
        if Instant::now() > deadline {
            for (case, expected, own, server) in
                cases.iter().enumerate().map(|(n, it)| (it.name, expected[n], own[n], servers[n]))
            {
                assert_eq!((own, server), (expected, expected), "{case}");
            }
            assert_eq!(totals, sum);
        }
        sleep(Duration::from_millis(50));
    };
    let processors = procfs.per_processor().unwrap().processors;
    let live: Stats = processors.iter().map(|it| plain(&it.stats)).sum();
    assert_eq!(live, found.iter().copied().sum());

    for (case, counted) in cases.iter().zip(&found) {
        agree(&procfs, case);
        assert!(counted.incoming_packets >= case.connections, "{}: {counted:?}", case.name);
        assert_eq!(counted.outgoing_packets > 0, case.name != "UDP, one packet", "{}", case.name);
    }
    // What is known without the capture.
    let datagrams = |header: u64| 3 * header + 1 + 100 + 1400;
    let answers = |header: u64| 3 * header + 50 + 700;
    let bytes = |n: usize| (found[n].incoming_bytes, found[n].outgoing_bytes);
    assert_eq!(bytes(3), (3 * datagrams(28), 3 * answers(28)));
    assert_eq!(bytes(4), (2 * datagrams(48), 2 * answers(48)));
    assert_eq!(bytes(6), (3 * datagrams(28), 0));
    assert_eq!(bytes(7), (3 * (20 + 32), 3 * (20 + 16)));
    assert!(bytes(0).0 > 1 + 1000 + 5000 && bytes(0).1 > 2 * (1 + 1000 + 5000));
    assert_eq!(rows(&procfs, ConnectionFilter::new()).len(), 3 + 2 + 5 + 3 + 2 + 3 + 3 + 2);
}

/// The rows are those of the clients that have sent.
fn agree(procfs: &Procfs, case: &Case) {
    let of_server = ConnectionFilter::new().destination(case.server.into());
    let (templates, mut connections): (Vec<_>, Vec<_>) =
        rows(procfs, of_server).into_iter().partition(Connection::is_template);
    assert_eq!(templates.len(), case.templates, "{}: {templates:?}", case.name);
    assert!(templates.iter().all(|row| row.service() == case.id), "{templates:?}");
    connections.sort_by_key(|row| row.client);
    let clients: Vec<_> = connections.iter().map(|row| row.client).collect();
    assert_eq!(clients, case.clients, "{}", case.name);
    for row in &connections {
        assert_eq!(
            (row.protocol, row.state),
            (case.protocol, case.state),
            "{}: {row:?}",
            case.name
        );
        assert_eq!((row.virtual_address, row.destination), (case.to, case.server), "{}", case.name);
    }
}

/// Datagrams at a steady pace, of which each is a connection.
#[test]
fn rates_agree_with_what_was_sent() {
    const PACE: Duration = Duration::from_millis(25);
    const LENGTH: usize = 72;
    let mut ipvs = fresh();
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let service = Service::udp("127.0.0.80:53".parse().unwrap()).flags(ServiceFlags::ONE_PACKET);
    let id = add(&mut ipvs, &service, server.local_addr().unwrap());
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let send_for = |time: Duration| {
        let begin = Instant::now();
        let mut sent = 0;
        while begin.elapsed() < time {
            client.send_to(&[0; LENGTH], id.address().unwrap()).unwrap();
            server.recv_from(&mut [0; LENGTH]).unwrap();
            sent += 1;
            sleep(PACE);
        }
        f64::from(sent) / begin.elapsed().as_secs_f64()
    };
    send_for(Duration::from_secs(3));
    let before = ipvs.snapshot().unwrap();
    let packets = send_for(Duration::from_secs(8));
    let after = ipvs.snapshot().unwrap();
    let growth = Growth::between(Reading::of(&before).unwrap(), Reading::of(&after).unwrap());
    let service = growth.service(id).unwrap();
    let server = service.destinations().next().unwrap();
    let bytes = packets * (20.0 + 8.0 + LENGTH as f64);
    let of = |it: PerSecond| [it.connections, it.incoming_packets, it.incoming_bytes / 100.0];
    for grown in [service.grown(), server.grown()] {
        let rates = growth.rates(&grown).unwrap();
        let bounds = of(rates.least).into_iter().zip(of(rates.most));
        for ((least, most), sent) in bounds.zip([packets, packets, bytes / 100.0]) {
            // The pace of a busy machine is not quite steady.
            assert!(least < 1.1 * sent && 0.9 * sent < most, "{sent}: {rates:?}");
            assert!(most < 2.0 * sent && 0.5 * sent < least, "{sent}: {rates:?}");
        }
        assert_eq!(rates.mean.outgoing_packets, 0.0);
    }
    // The kernel's own rates come closer to the true ones by a quarter every two seconds.
    for stats in [&service.after().unwrap().stats, &server.after().unwrap().stats] {
        let rates = [stats.rates.connections, stats.rates.incoming_packets];
        for rate in rates.map(|it| it as f64) {
            assert!((0.45 * packets..=1.1 * packets).contains(&rate), "{packets}: {stats:?}");
        }
        let rate = stats.rates.incoming_bytes as f64;
        assert!((0.45 * bytes..=1.1 * bytes).contains(&rate), "{bytes}: {stats:?}");
    }
}
