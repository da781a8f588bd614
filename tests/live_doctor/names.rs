//! Modules, other programs, and sizes.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Child, Command};

use ipvs_netlink::{Change, Destination, Scheduler, Service};
use nix::sys::socket::{
    AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, socket,
};
use nix::unistd::mkdtemp;

use crate::finding::Severity::{Note, Warning};
use crate::gather::modules;
use crate::host::Gaps;
use crate::patient::{Patient, look, network, none, one, server, web};

/// A folder that is removed when the test ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        Self(mkdtemp(&std::env::temp_dir().join("doctor-XXXXXX")).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn a_scheduler_in_use_that_is_not_on_disk() {
    let mut patient = Patient::with_network();
    patient.add(&web().scheduler(Scheduler::SOURCE_HASHING), &[server(2)]);
    let mut host = look();
    assert!(host.modules.loaded.contains("ip_vs_sh"));
    let folder = Folder::new();
    let below = folder.0.join(&host.kernel.release);
    let found = |host: &mut crate::host::Host| {
        let mut unread = Gaps::default();
        host.modules = modules::read(&folder.0, &host.kernel.release, &mut unread);
        assert_eq!(unread.0, []);
    };
    found(&mut host);
    assert_eq!(one(&host, "modules").severity, Note, "an update has removed them all");
    fs::create_dir(&below).unwrap();
    let others = "kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/a.ko\n";
    fs::write(below.join("modules.dep"), others).unwrap();
    found(&mut host);
    let finding = one(&host, "modules");
    assert_eq!(finding.severity, Warning);
    assert_eq!(finding.evidence, ["TCP 192.0.2.10:80"]);
    let all = format!("{others}kernel/net/netfilter/ipvs/ip-vs-sh.ko: a.ko\n");
    fs::write(below.join("modules.dep"), all).unwrap();
    found(&mut host);
    none(&host, "modules");
    fs::write(below.join("modules.dep"), others).unwrap();
    fs::write(below.join("modules.builtin"), "kernel/net/ip_vs_sh.ko\n").unwrap();
    found(&mut host);
    none(&host, "modules");
}

#[test]
fn ftp_without_its_module() {
    let mut patient = Patient::with_network();
    patient.add(&web(), &[server(2)]);
    patient.well("ftp");
    let ftp = Service::tcp(([192, 0, 2, 10], 21).into());
    patient.add(&ftp, &[server(2)]);
    let evidence = patient.shows("ftp", Warning);
    assert!(evidence.contains("TCP 192.0.2.10:21"), "{evidence}");
    // As the kernel does it.
    let modprobe = fs::read_to_string("/proc/sys/kernel/modprobe").unwrap();
    let loaded = Command::new(modprobe.trim()).arg("ip_vs_ftp").status().unwrap();
    assert!(loaded.success());
    patient.well("ftp");
}

/// A process with a name of the test's choice.
struct Program {
    child: Child,
    _folder: Folder,
}

impl Program {
    fn named(name: &str) -> Self {
        let folder = Folder::new();
        let path = folder.0.join(name);
        fs::copy(fs::canonicalize(sleep()).unwrap(), &path).unwrap();
        let child = Command::new(&path).arg("600").spawn().unwrap();
        // The process has its name from the moment of execve, which spawn waits for.
        Self { child, _folder: folder }
    }
}

fn sleep() -> &'static Path {
    const PLACES: [&str; 2] = ["/usr/bin/sleep", "/bin/sleep"];
    PLACES.iter().map(Path::new).find(|path| path.exists()).unwrap()
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn programs_that_write_the_table() {
    let patient = Patient::new();
    patient.well("writers");
    let keepalived = Program::named("keepalived");
    let evidence = patient.shows("writers", Note);
    assert_eq!(evidence, format!("keepalived runs as process {}", keepalived.child.id()));
    network(&["link add kube-ipvs0 type dummy"]);
    let evidence = patient.shows("writers", Warning);
    assert!(evidence.contains("kube-ipvs0 is that of kube-proxy"), "{evidence}");
    drop(keepalived);
    patient.shows("writers", Note);
    network(&["link del kube-ipvs0"]);
    patient.well("writers");
    // A name that other programs have, too.
    let director = Program::named("director");
    patient.well("writers");
    // The process inherits it.
    let flags = SockFlag::empty();
    let generic = SockProtocol::NetlinkGeneric;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, generic).unwrap();
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, 0)).unwrap();
    let with_socket = Program::named("director");
    drop(socket);
    let evidence = patient.shows("writers", Note);
    assert_eq!(evidence, format!("director runs as process {}", with_socket.child.id()));
    drop((director, with_socket));
    // In another network namespace.
    let elsewhere = std::thread::spawn(|| {
        let _other = Patient::new();
        Program::named("keepalived")
    });
    let _elsewhere = elsewhere.join().unwrap();
    patient.well("writers");
}

#[test]
fn many_connections_for_the_table() {
    const SIZE: u32 = 4096;
    let mut patient = Patient::new();
    let host = look();
    if host.kernel.is_at_least(7, 1) {
        none(&host, "connection-table");
        return;
    }
    let buckets = host.ipvs.unwrap().buckets;
    assert_eq!(buckets, SIZE, "the kernels of these tests");
    let udp = Service::udp(([127, 0, 0, 80], 53).into());
    patient.add(&udp, &[Destination::masquerade(([127, 0, 0, 1], 53).into())]);
    let clients = |from: u32, to: u32| {
        for n in from..to {
            let [_, _, high, low] = n.to_be_bytes();
            let client = UdpSocket::bind(SocketAddr::from(([127, 1, high, low], 4000))).unwrap();
            client.send_to(b"1", "127.0.0.80:53").unwrap();
        }
    };
    clients(0, 2 * SIZE - 1);
    patient.well("connection-table");
    clients(2 * SIZE - 1, 2 * SIZE);
    let evidence = patient.shows("connection-table", Note);
    assert!(evidence.contains("4096 buckets, so 2 in each"), "{evidence}");
    let mut host = look();
    host.ipvs.as_mut().unwrap().buckets = SIZE / 4;
    assert_eq!(one(&host, "connection-table").severity, Warning);
}

#[test]
fn many_counters() {
    let mut patient = Patient::with_network();
    let mut host = look();
    let limit = if host.kernel.is_at_least(6, 2) { 2_000_000 } else { 20_000 };
    // On newer kernels there are too many to make: only what is decided is tested.
    if limit > 100_000 {
        host.kernel.processors = limit;
        assert_eq!(one(&host, "estimation-cost").severity, Note);
        host.kernel.processors = limit - 1;
        none(&host, "estimation-cost");
        return;
    }
    // Long lists of destinations are slow to add to. The totals are an estimator, too.
    let estimators = usize::try_from(limit / host.kernel.processors).unwrap();
    let all = (1..=u16::MAX).flat_map(|port| {
        let service = Service::tcp(([192, 0, 2, 10], port).into());
        let server = |n| Destination::masquerade(([10, 0, 0, n], 80).into());
        let id = service.id;
        let destinations = (2..100).map(move |n| Change::AddDestination(id, server(n)));
        std::iter::once(Change::AddService(service)).chain(destinations)
    });
    let all: Vec<Change> = all.take(estimators - 1).collect();
    let (last, others) = all.split_last().unwrap();
    patient.ipvs.submit(others).into_result().unwrap();
    patient.well("estimation-cost");
    patient.ipvs.submit(std::slice::from_ref(last)).into_result().unwrap();
    let evidence = patient.shows("estimation-cost", Note);
    assert!(evidence.contains("20000 counters every 2 s"), "{evidence}");
}
