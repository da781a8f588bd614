//! Passive signs on a real kernel: by every way to a server, with servers that answer, refuse and say nothing.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use ipvs_netlink::health::passive::{ConnectionCounts, PassiveSigns, ReadingSchedule};
use ipvs_netlink::procfs::Ending;
use ipvs_netlink::table::{Plan, PlanOptions, Table, TableService};
use ipvs_netlink::{Client, Destination, Scheduler, Service, ServiceId, Snapshot, Tunnel};
use rtnetlink::packet_route::link::{InfoData, InfoVeth};
use rtnetlink::{LinkUnspec, LinkVeth};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::lab::{at, ms};
use crate::network::{Namespace, Network, client_addresses, virtual_addresses};

/// The host whose services answer.
const WELL: u8 = 0;
/// The host that says nothing: it has no way back to the clients.
const SILENT: u8 = 1;
/// The host that refuses.
const REFUSING: u8 = 2;

const MASQUERADE: u16 = 8701;
const DIRECT: u16 = 8702;
const TUNNEL: u16 = 8703;
const DNS: u16 = 8704;
/// Nothing answers by design.
const SYSLOG: u16 = 8705;
const ONE_PACKET: u16 = 8706;
const TCP: [u16; 3] = [MASQUERADE, DIRECT, TUNNEL];
const UDP: [u16; 3] = [DNS, SYSLOG, ONE_PACKET];

fn vip(port: u16) -> SocketAddr {
    (virtual_addresses(0).v4, port).into()
}

fn ip(namespace: &Namespace, arguments: &str) {
    let run = || std::process::Command::new("ip").args(arguments.split(' ')).output();
    let output = namespace.run(run).unwrap();
    assert!(output.status.success(), "ip {arguments}: {output:?}");
}

/// Lets packets of servers that have the virtual address pass through the director.
fn relax(namespace: &Namespace) {
    namespace
        .run(|| {
            for interface in fs::read_dir("/proc/sys/net/ipv4/conf")? {
                fs::write(interface?.path().join("rp_filter"), "0")?;
            }
            fs::write("/proc/sys/net/ipv4/conf/all/accept_local", "1")
        })
        .unwrap();
}

fn network() -> Network {
    let network = Network::with_servers(3).expect("CAP_SYS_ADMIN");
    relax(&network.director);
    for host in [WELL, SILENT] {
        let server = &network.servers[usize::from(host)];
        let n = host + 1;
        ip(server, &format!("link add ipip1 type ipip local 10.2.{n}.2 remote 10.2.{n}.1"));
        ip(server, "link set ipip1 up");
        ip(server, &format!("address add {}/32 dev lo", vip(0).ip()));
        relax(server);
    }
    ip(&network.servers[usize::from(SILENT)], "route del default");
    bypass(&network);
    network
}

/// Lets the server with the virtual address answer clients by a way that does not pass the director.
fn bypass(network: &Network) {
    let server = &network.servers[usize::from(WELL)];
    let connected = network.client.configure(async |links| {
        let end = LinkUnspec::new_with_name("bypass").setns_by_fd(server.as_fd().as_raw_fd());
        let cable = LinkVeth::new("bypass", "bypass")
            .set_info_data(InfoData::Veth(InfoVeth::Peer(end.build())));
        links.link().add(cable.build()).execute().await
    });
    connected.unwrap();
    for (namespace, address) in [(&network.client, "10.3.0.1/24"), (server, "10.3.0.2/24")] {
        ip(namespace, &format!("address add {address} dev bypass"));
        ip(namespace, "link set bypass up");
    }
    ip(server, "route add default via 10.3.0.1 table 100");
    ip(server, &format!("rule add from {} lookup 100", vip(0).ip()));
    relax(&network.client);
}

fn services() -> Vec<TableService> {
    let service = |id, destinations: Vec<Destination>| {
        let service = TableService::new(Service::new(id).scheduler(Scheduler::ROUND_ROBIN));
        destinations.into_iter().fold(service, TableService::with)
    };
    let masquerade = |port, hosts: &[u8]| {
        hosts.iter().map(|host| Destination::masquerade(at(*host, port))).collect()
    };
    let tcp = |port| ServiceId::tcp(vip(port));
    let udp = |port| ServiceId::udp(vip(port));
    let one_packet = Service::new(udp(ONE_PACKET)).scheduler(Scheduler::ROUND_ROBIN).one_packet();
    let direct = [WELL, SILENT].map(|host| Destination::direct_route(at(host, DIRECT)));
    let tunnel = [WELL, SILENT].map(|host| Destination::tunnel(at(host, TUNNEL), Tunnel::Ipip));
    vec![
        service(tcp(MASQUERADE), masquerade(MASQUERADE, &[WELL, SILENT, REFUSING])),
        service(tcp(DIRECT), direct.into()),
        service(tcp(TUNNEL), tunnel.into()),
        service(udp(DNS), masquerade(DNS, &[WELL, SILENT])),
        service(udp(SYSLOG), masquerade(SYSLOG, &[WELL, SILENT])),
        TableService::new(one_packet).with(Destination::masquerade(at(WELL, ONE_PACKET))),
    ]
}

/// Serves on the host whose services answer, until the end.
async fn serve(end: &AtomicBool) {
    for port in TCP {
        let listener = TcpListener::bind(("0.0.0.0", port)).await.unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    // The client closes first.
                    let _ = timeout(ms(5000), stream.readable()).await;
                });
            }
        });
    }
    for port in UDP {
        let socket = UdpSocket::bind(("0.0.0.0", port)).await.unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 64];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                if port != SYSLOG {
                    let _ = socket.send_to(&buffer[..length], from).await;
                }
            }
        });
    }
    while !end.load(Ordering::Relaxed) {
        tokio::time::sleep(ms(20)).await;
    }
}

/// Uses all services until the end. Returns how many connections were established, by service.
async fn visit(end: &AtomicBool) -> BTreeMap<u16, u32> {
    let mut established = BTreeMap::new();
    let mut running = Vec::new();
    let mut sockets = Vec::new();
    for port in UDP {
        for _ in 0..4 {
            let socket = UdpSocket::bind((client_addresses(0).v4, 0)).await.unwrap();
            socket.connect(vip(port)).await.unwrap();
            sockets.push(socket);
        }
    }
    while !end.load(Ordering::Relaxed) {
        for port in TCP {
            running.push((
                port,
                tokio::spawn(async move {
                    let stream =
                        timeout(ms(10_000), TcpStream::connect(vip(port))).await.ok()?.ok();
                    tokio::time::sleep(ms(300)).await;
                    stream.map(drop)
                }),
            ));
        }
        for socket in &sockets {
            let _ = socket.send(b"question").await;
        }
        tokio::time::sleep(ms(100)).await;
    }
    for (port, visit) in running {
        if visit.is_finished() && visit.await.unwrap().is_some() {
            *established.entry(port).or_default() += 1;
        }
    }
    established
}

fn in_runtime<T: Send>(namespace: &Namespace, work: impl AsyncFnOnce() -> T + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(work()))
    };
    namespace.run(run).unwrap()
}

#[test]
fn only_what_says_nothing_has_signs() {
    let network = network();
    let mut ipvs = Client::in_namespace_fd(&network.director).unwrap();
    let mut wanted = Table::new();
    services().into_iter().for_each(|service| drop(wanted.insert(service)));
    let plan = Plan::new(&ipvs.snapshot().unwrap(), &wanted, &PlanOptions::new()).unwrap();
    assert!(ipvs.apply(&plan).is_done());
    let procfs = ipvs.procfs().unwrap();
    let mut schedule = ReadingSchedule::new().interval(Duration::ZERO);
    let mut signs = PassiveSigns::new();
    let end = &AtomicBool::new(false);
    let (told, table, established) = scope(|scope| {
        let server = &network.servers[usize::from(WELL)];
        scope.spawn(|| in_runtime(server, async || serve(end).await));
        sleep(ms(300));
        let clients = scope.spawn(|| in_runtime(&network.client, async || visit(end).await));
        // The first one when counters are not 0 any more.
        sleep(ms(2500));
        let (mut told, mut last) = (Vec::new(), Snapshot::default());
        for at in 0..3 {
            if at > 0 {
                sleep(ReadingSchedule::SHORTEST_INTERVAL + ms(50));
            }
            let (table, now) = (ipvs.snapshot().unwrap(), Instant::now());
            assert!(schedule.may_read_connections(&table, now));
            let mut reader = procfs.connections().unwrap();
            let rows: ConnectionCounts = reader.by_ref().map(Result::unwrap).collect();
            assert_eq!(reader.ending(), Some(Ending::Complete));
            told.extend(signs.observe(table.clone(), now, Some(&rows)));
            last = table;
        }
        end.store(true, Ordering::Relaxed);
        (told, last, clients.join().unwrap())
    });
    told.iter().for_each(|change| println!("{change}"));
    let found: Vec<_> = signs
        .iter()
        .map(|(service, destination, sign)| {
            assert_eq!(destination.address.ip(), at(SILENT, 0).ip(), "{service}: {sign}");
            (service.address().unwrap().port(), sign.name())
        })
        .collect();
    let expected = [
        (MASQUERADE, "half_open"),
        (MASQUERADE, "no_answers"),
        (DIRECT, "half_open"),
        (TUNNEL, "half_open"),
        (DNS, "no_answers"),
    ];
    assert_eq!(found, expected, "{table:#?}");
    assert_eq!(told.len(), expected.len(), "no sign has come and gone: {told:?}");
    for port in TCP {
        assert!(established.get(&port).is_some_and(|count| *count > 10), "{established:?}");
    }
    // What the kernel does not count.
    for service in &table {
        let port = service.id().address().unwrap().port();
        let sent: u64 = service.destinations.iter().map(|it| it.stats.outgoing_packets).sum();
        let is_counted = [MASQUERADE, DNS].contains(&port);
        assert_eq!(sent > 0, is_counted, "{}: {sent} packets out", service.id());
        let received = service.destinations.iter().all(|it| it.stats.incoming_packets > 10);
        assert!(received, "{service:#?}");
    }
}
