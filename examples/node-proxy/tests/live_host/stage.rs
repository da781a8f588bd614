//! Network namespaces for tests, and a converter that stands for a cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ipvs_netlink::kubernetes::{Changes, Converter, Event, ObjectName, Options};
use nix::sched::{CloneFlags, unshare};
use node_proxy::exit::Exit;
use node_proxy::firewall::TableName;
use node_proxy::host::cleanup::{self, CleanupArguments};
use node_proxy::host::{Host, HostArguments, Place};
use serde_json::json;
use tokio::runtime::Builder;

/// Runs a test in a network namespace of its own, with a folder for state.
pub(crate) fn in_namespace(test: impl AsyncFnOnce(Stage) + Send + 'static) {
    let thread = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).expect("a test on a real kernel needs CAP_SYS_ADMIN");
        ip("link set lo up");
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test(Stage::new()));
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `ip`, which has to succeed, and returns what it prints.
#[track_caller]
pub(crate) fn ip(arguments: &str) -> String {
    let output =
        Command::new("ip").args(arguments.split(' ')).output().expect("iproute2 is needed");
    assert!(output.status.success(), "ip {arguments}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the addresses of an interface with their prefixes, without link-local IPv6 ones, in order.
pub(crate) fn addresses(interface: &str) -> Vec<String> {
    let text = ip(&format!("-o addr show dev {interface}"));
    let words = text.lines().filter_map(|line| line.split_whitespace().nth(3));
    let mut addresses: Vec<String> =
        words.filter(|it| !it.starts_with("fe80:")).map(str::to_owned).collect();
    addresses.sort();
    addresses
}

pub(crate) fn sysctl(path: &str) -> String {
    fs::read_to_string(Path::new("/proc/sys/net").join(path)).unwrap().trim().to_owned()
}

pub(crate) fn set_sysctl(path: &str, value: &str) {
    fs::write(Path::new("/proc/sys/net").join(path), value).unwrap();
}

/// The options of a host, a time that the test sets, and a cluster.
pub(crate) struct Stage {
    pub(crate) arguments: HostArguments,
    pub(crate) now: Instant,
    pub(crate) cluster: Converter,
}

impl Stage {
    fn new() -> Self {
        let state_dir = PathBuf::from(format!("/run/node-proxy-test-{}", std::process::id()));
        let interface = "ipvs-node0".parse().unwrap();
        let place = Place { interface, state_dir };
        Self {
            arguments: HostArguments { place, strict_arp: false, keep_sysctls: false },
            now: Instant::now(),
            cluster: Converter::new(&Options::new("node-a")),
        }
    }

    pub(crate) async fn open(&self) -> Host {
        Host::open(&self.arguments, self.now).await.unwrap()
    }

    /// Makes a service with one port and endpoints, or changes its endpoints.
    pub(crate) fn service(
        &mut self,
        name: &str,
        ip: &str,
        port: (&str, u16),
        to: &[&str],
    ) -> Changes {
        let (protocol, port) = port;
        let family = |ip: &str| if ip.contains(':') { "IPv6" } else { "IPv4" };
        let service = json!({
            "metadata": { "name": name, "namespace": "shop" },
            "spec": {
                "clusterIP": ip,
                "ipFamilies": [family(ip)],
                "ports": [{ "port": port, "protocol": protocol }],
            },
        });
        let endpoints: Vec<_> = to.iter().map(|ip| json!({ "addresses": [ip] })).collect();
        let slice = json!({
            "metadata": {
                "name": format!("{name}-1"),
                "namespace": "shop",
                "labels": { "kubernetes.io/service-name": name },
            },
            "addressType": family(ip),
            "ports": [{ "port": port, "protocol": protocol }],
            "endpoints": endpoints,
        });
        let service = Event::Service(serde_json::from_value(service).unwrap());
        let slice = Event::Slice(serde_json::from_value(slice).unwrap());
        self.cluster.apply_all([service, slice])
    }

    pub(crate) fn delete(&mut self, name: &str) -> Changes {
        let slice = Event::SliceDeleted(ObjectName::new("shop", &format!("{name}-1")));
        let service = Event::ServiceDeleted(ObjectName::new("shop", name));
        self.cluster.apply_all([slice, service])
    }

    /// Lets a host do all that is due now.
    pub(crate) async fn settle(&self, host: &mut Host) {
        while host.next(self.now) <= self.now {
            host.pass(self.now).await;
        }
    }

    /// Lets a minute pass.
    pub(crate) fn later(&mut self) {
        self.now += Duration::from_secs(61);
    }
}

/// Does what the agent does for a change: with the services that it sets in the table, and without those that it
/// removes.
pub(crate) async fn apply(host: &mut Host, changes: &Changes) {
    use ipvs_netlink::table::controller::Event;

    host.change(changes);
    host.remove_addresses(&changes.addresses_removed).await;
    for (service, _) in &changes.set {
        host.event(&Event::Settled(service.id()));
    }
    host.add_addresses(&changes.addresses_added);
}

/// Cleans up on a thread of its own, as another process would, in the same network namespace.
pub(crate) fn cleanup(stage: &Stage) -> Exit {
    let arguments = CleanupArguments {
        place: stage.arguments.place.clone(),
        firewall_table: TableName::default(),
        nft: None,
    };
    std::thread::spawn(move || cleanup::run(&arguments)).join().unwrap()
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.arguments.place.state_dir);
    }
}
