//! A node with a client outside, a pod on the node, and a pod on another node.
//!
//! ```text
//!     client 192.0.2.7 --------+                    +---- 10.244.1.2 pod
//!                              +---- 192.0.2.1 node-+
//!     stranger 192.0.2.8 ------+
//!     other 192.0.2.3 ---------+
//!     10.244.2.3 pod
//! ```
//!
//! The other pod answers to the client itself, not through the node: a client gets the answer of a stranger,
//! unless the node has masqueraded. IPv6 is the same, below 2001:db8::/64 and fd00:244::.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use ipvs_netlink::Client;
use ipvs_netlink::kubernetes::{Converted, Objects, Options, convert};
use ipvs_netlink::table::PlanOptions;
use nix::sched::{CloneFlags, setns};
use node_proxy::firewall::{Entry, FirewallOptions, Nft, Rules, ruleset};
use node_proxy::manifests;

/// The time for an answer that must come, on a machine that is emulated and busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// The time after which no answer is believed to come. The kernel sends a lost first packet again after 1 s.
const NEVER: Duration = Duration::from_millis(2500);

const NETWORK: &str = "
link add name lan type bridge
link set lan up
link add client type veth peer name eth0 netns client
link add stranger type veth peer name eth0 netns stranger
link add other type veth peer name eth0 netns other
link add node type veth peer name eth0 netns node
link set client master lan up
link set stranger master lan up
link set other master lan up
link set node master lan up
";

const CLIENT: &str = "
link set lo up
link set eth0 up
address add 192.0.2.7/24 dev eth0
address add 2001:db8::7/64 dev eth0 nodad
route add default via 192.0.2.1
route add default via 2001:db8::1
";

const STRANGER: &str = "
link set lo up
link set eth0 up
address add 192.0.2.8/24 dev eth0
route add default via 192.0.2.1
";

const OTHER: &str = "
link set lo up
link set eth0 up
address add 192.0.2.3/24 dev eth0
address add 2001:db8::3/64 dev eth0 nodad
address add 10.244.2.3/32 dev lo
address add fd00:244:2::3/128 dev lo nodad
route add 10.244.1.0/24 via 192.0.2.1
route add fd00:244:1::/64 via 2001:db8::1
";

const NODE: &str = "
link set lo up
link set eth0 up
address add 192.0.2.1/24 dev eth0
address add 2001:db8::1/64 dev eth0 nodad
route add 10.244.2.0/24 via 192.0.2.3
route add fd00:244:2::/64 via 2001:db8::3
link add pod type veth peer name eth0 netns pod
link set pod up
address add 10.244.1.1/24 dev pod
address add fd00:244:1::1/64 dev pod nodad
link add ipvs0 type dummy
";

const POD: &str = "
link set lo up
link set eth0 up
address add 10.244.1.2/24 dev eth0
address add fd00:244:1::2/64 dev eth0 nodad
route add default via 10.244.1.1
route add default via fd00:244:1::1
";

/// The network, with a server at port 8080 of both pods and one at port 2222 of the node. A kernel has it once.
pub(crate) struct Lab {
    pub(crate) options: FirewallOptions,
}

impl Lab {
    pub(crate) fn new(options: FirewallOptions) -> Self {
        for name in ["lan", "client", "stranger", "other", "node", "pod"] {
            ip(&["netns", "add", name], "");
        }
        let parts = [
            ("lan", NETWORK),
            ("client", CLIENT),
            ("stranger", STRANGER),
            ("other", OTHER),
            ("node", NODE),
            ("pod", POD),
        ];
        for (name, commands) in parts {
            ip(&["-n", name, "-batch", "-"], commands);
        }
        within("node", || {
            for (file, value) in [
                ("ipv4/ip_forward", "1"),
                ("ipv6/conf/all/forwarding", "1"),
                ("ipv4/vs/conntrack", "1"),
                ("ipv4/vs/expire_nodest_conn", "1"),
            ] {
                // IPVS has its files when its module is loaded.
                drop(Client::connect().unwrap());
                fs::write(format!("/proc/sys/net/{file}"), value).unwrap();
            }
        });
        for (namespace, port) in [("pod", 8080), ("other", 8080), ("node", 2222)] {
            let listener = within(namespace, || TcpListener::bind(("::", port)).unwrap());
            thread::spawn(move || serve(&listener));
        }
        Self { options }
    }

    /// Serves manifests: the addresses, the table of IPVS, and the firewall before it.
    pub(crate) fn serve(&self, text: &str) -> Converted {
        let mut objects = manifests::Objects::default();
        manifests::parse(text.as_bytes(), false, &mut objects).unwrap();
        let mut options = Options::new("a");
        options.node_addresses = node_addresses().into();
        let converted = convert(&Objects::new(&objects.services, &objects.slices), &options);
        let transaction = ruleset::replacement(&self.options, &rules(&self.options, &converted));
        self.with_nft(async |nft| nft.apply(&transaction).await.unwrap());
        within("node", || {
            let mut ipvs = Client::connect().unwrap();
            let done = ipvs.reconcile(&converted.table, &PlanOptions::new()).unwrap();
            assert!(done.is_done(), "{done:?}");
        });
        for address in &converted.addresses {
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            let address = format!("{address}/{prefix}");
            ip(&["-n", "node", "address", "replace", &address, "dev", "ipvs0", "nodad"], "");
        }
        ip(&["-n", "node", "link", "set", "ipvs0", "up"], "");
        converted
    }

    /// Runs nft on the node, as a person does.
    pub(crate) fn nft(&self, arguments: &[&str]) {
        let mut command = Command::new(self.options.nft.as_ref().unwrap());
        assert!(within("node", || command.args(arguments).status().unwrap().success()));
    }

    /// Runs nft on the node.
    pub(crate) fn with_nft<T: Send>(&self, work: impl AsyncFnOnce(Nft) -> T + Send) -> T {
        within("node", || with_nft(&self.options, work))
    }
}

/// Runs nft in the namespace of this thread.
pub(crate) fn with_nft<T>(options: &FirewallOptions, work: impl AsyncFnOnce(Nft) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let nft = Nft::find(options).await;
        work(nft.expect("this test needs nft on a kernel that takes it: IPVS_KERNEL=qemu")).await
    })
}

pub(crate) fn node_addresses() -> [IpAddr; 2] {
    ["192.0.2.1", "2001:db8::1"].map(|it| it.parse().unwrap())
}

/// The contents of the table for a conversion.
pub(crate) fn rules(options: &FirewallOptions, converted: &Converted) -> Rules {
    let entries: Vec<_> = converted
        .virtual_services
        .iter()
        .map(|(id, facts)| {
            (*id, Entry::of(converted.table.get(*id).unwrap(), facts, &node_addresses()))
        })
        .collect();
    let ports = converted.services.values().filter_map(|it| it.health_check_node_port);
    Rules::of(
        options,
        entries.iter().map(|(id, entry)| (*id, entry)),
        converted.addresses.iter().copied(),
        ports.map(|it| it.port),
    )
}

/// Answers each connection with the address that it comes from.
fn serve(listener: &TcpListener) {
    for mut connection in listener.incoming().map_while(Result::ok) {
        let from = connection.peer_addr().unwrap().ip().to_canonical();
        let _ = connection.write_all(from.to_string().as_bytes());
    }
}

/// What becomes of a connection.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The server saw this address.
    From(IpAddr),
    /// There was no answer.
    Lost,
    /// The connection was refused.
    Refused,
}

pub(crate) fn from(address: &str) -> Outcome {
    Outcome::From(address.parse().unwrap())
}

/// Connects from a namespace, with an address of the kernel's choice.
pub(crate) fn connect(namespace: &str, to: &str) -> Outcome {
    let to: SocketAddr = to.parse().unwrap();
    outcome(within(namespace, || TcpStream::connect_timeout(&to, NEVER)))
}

fn outcome(stream: io::Result<TcpStream>) -> Outcome {
    match stream {
        Ok(mut stream) => {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            from(&text)
        }
        Err(error) if error.kind() == ErrorKind::TimedOut => Outcome::Lost,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Outcome::Refused,
        Err(error) => panic!("{error}"),
    }
}

/// Runs `work` in a namespace, on a thread of its own.
fn within<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let file = fs::File::open(format!("/run/netns/{namespace}")).unwrap();
            setns(file, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs iproute2, which must succeed.
fn ip(arguments: &[&str], input: &str) {
    let mut command = Command::new("ip");
    command.args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("iproute2");
    child.stdin.take().unwrap().write_all(input.trim_start().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "ip {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
