//! What happens while `nft` is there, and fails or does not end. A script stands for it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use node_proxy::api_server::ApiServer;
use serde_json::{Value, json};

use crate::stage::agent::{self, Agent, fresh_namespace, state_directory};

/// How long what does not wait for `nft` may take, on a machine that is busy. A run of `nft` may take a minute.
const SOON: Duration = Duration::from_secs(20);

/// A program that succeeds, but fails to write while one file is there, and does not end while another one is.
struct Script {
    program: PathBuf,
    fails: PathBuf,
    hangs: PathBuf,
}

impl Script {
    fn new(server: &ApiServer) -> Self {
        let folder = state_directory(server).with_extension("nft");
        fs::create_dir_all(&folder).unwrap();
        let [program, fails, hangs] = ["nft", "fails", "hangs"].map(|name| folder.join(name));
        let text = format!(
            "#!/bin/sh\n\
             if [ -e {hangs} ]; then : >{hung}; exec /bin/sleep 1000; fi\n\
             case \"$*\" in\n\
             --version) echo 'nftables v1.0.9 (a script)' ;;\n\
             *) /bin/cat >/dev/null ;;\n\
             esac\n\
             case \"$*\" in '-j -f -') if [ -e {fails} ]; then echo broken >&2; exit 1; fi ;; esac\n",
            hangs = hangs.display(),
            hung = folder.join("hung").display(),
            fails = fails.display()
        );
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { program, fails, hangs }
    }

    fn hang(&self) {
        File::create(&self.hangs).unwrap();
    }

    /// Waits until it is started and does not end.
    fn wait_for_hang(&self) {
        let end = Instant::now() + SOON;
        while fs::remove_file(self.hangs.with_file_name("hung")).is_err() {
            assert!(Instant::now() < end, "nobody starts it");
            sleep(Duration::from_millis(20));
        }
    }

    fn fail(&self) {
        File::create(&self.fails).unwrap();
    }

    fn work(&self) {
        fs::remove_file(&self.fails).unwrap();
    }

    fn option(&self) -> String {
        format!("--nft={}", self.program.display())
    }

    fn agent(&self, server: &ApiServer) -> Agent {
        let options = [&self.option(), "--node-address=192.0.2.1", "--service-cidr=10.96.0.0/16"];
        Agent::start(server, &options)
    }
}

fn service(name: &str, cluster_ip: &str, node_port: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {
            "type": if node_port == 0 { "ClusterIP" } else { "NodePort" },
            "clusterIP": cluster_ip,
            "ports": [{"port": 80, "nodePort": node_port}],
        },
    })
}

fn slice(endpoint: &str) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "shop",
            "name": "web-1",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "addressType": "IPv4",
        "ports": [{"port": 8080}],
        "endpoints": [{"addresses": [endpoint]}],
    })
}

fn entry(at: &str, endpoints: &[&str]) -> String {
    let mut text = format!("-A -t {at} -s rr\n");
    for endpoint in endpoints {
        text.push_str(&format!("-a -t {at} -r {endpoint}:8080 -m -w 1\n"));
    }
    text
}

/// Where the service of [`cluster`] is served.
const CLUSTER_IP: &str = "10.96.0.10:80";
const NODE_PORT: &str = "192.0.2.1:30080";

/// Creates a cluster with one service, which needs the firewall at its node port and not at its cluster IP.
fn cluster() -> (ApiServer, Script) {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    let script = Script::new(&server);
    server.put(service("web", "10.96.0.10", 30080)).unwrap();
    server.put(slice("10.244.1.2")).unwrap();
    (server, script)
}

/// What an earlier run has made serves on, and what needs no firewall follows the cluster.
#[test]
fn a_start_at_which_nft_fails_takes_nothing_away() {
    let (server, script) = cluster();
    let (first, second) = (["10.244.1.2"], ["10.244.1.3"]);
    let mut agent = script.agent(&server);
    agent.wait_for_table(&[entry(CLUSTER_IP, &first), entry(NODE_PORT, &first)].concat());
    agent.kill();

    script.fail();
    server.put(slice("10.244.1.3")).unwrap();
    let mut agent = script.agent(&server);
    agent.wait_for("firewall: nft: broken");
    agent.wait_for_table(&[entry(CLUSTER_IP, &second), entry(NODE_PORT, &first)].concat());
    server.put(service("new", "10.96.0.12", 0)).unwrap();
    let new = entry("10.96.0.12:80", &[]);
    let held = [entry(CLUSTER_IP, &second), new.clone(), entry(NODE_PORT, &first)].concat();
    agent.wait_for_table(&held);

    script.work();
    agent.wait_for("firewall: recovered");
    let all = [entry(CLUSTER_IP, &second), new, entry(NODE_PORT, &second)].concat();
    agent.wait_for_table(&all);
}

/// Endpoints follow the cluster, and the program ends at once.
#[test]
fn nothing_but_what_needs_it_waits_for_an_nft_that_hangs() {
    let (server, script) = cluster();
    let table = |endpoint, others: &[&str]| {
        let others: String = others.iter().map(|at| entry(at, &[])).collect();
        [entry(CLUSTER_IP, &[endpoint]), others, entry(NODE_PORT, &[endpoint])].concat()
    };
    let mut agent = script.agent(&server);
    agent.wait_for_table(&table("10.244.1.2", &[]));

    let begun = Instant::now();
    script.hang();
    server.put(service("new", "10.96.0.12", 30081)).unwrap();
    agent.wait_for_table(&table("10.244.1.2", &["10.96.0.12:80"]));
    script.wait_for_hang();
    server.put(slice("10.244.1.3")).unwrap();
    agent.wait_for_table(&table("10.244.1.3", &["10.96.0.12:80"]));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let begun = Instant::now();
    agent.terminate();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());

    let agent = script.agent(&server);
    script.wait_for_hang();
    let begun = Instant::now();
    agent.terminate();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());

    // The start waits for it for a while only.
    let begun = Instant::now();
    server.put(slice("10.244.1.4")).unwrap();
    let mut agent = script.agent(&server);
    let cluster_ips = [entry(CLUSTER_IP, &["10.244.1.4"]), entry("10.96.0.12:80", &[])];
    agent.wait_for_table(&cluster_ips.concat());
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn a_dry_run_says_what_is_left_out_and_what_the_firewall_would_do() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    let script = Script::new(&server);
    server.put(service("web", "10.96.0.10", 30080)).unwrap();
    server.put(service("database", "None", 0)).unwrap();
    let options = |nft| ["--dry-run", "--keep-sysctls", "--node-address=192.0.2.1", nft];

    let (plan, log) = agent::run_with_log(&server, &options("--nft=/nonexistent/nft"));
    assert_eq!(plan, "ipvsadm -A -t 10.96.0.10:80 -s rr\n");
    for line in [
        "left out: Service shop/database: is headless\n",
        "firewall: /nonexistent/nft: No such file or directory (os error 2); services that need it are not served",
        "not served: Service shop/web, TCP 192.0.2.1:30080: traffic from outside needs masquerading, and there is none\n",
    ] {
        assert!(log.contains(line), "{line}\n{log}");
    }

    let (plan, log) = agent::run_with_log(&server, &options(&script.option()));
    assert!(plan.contains("ipvsadm -A -t 192.0.2.1:30080 -s rr\n"), "{plan}");
    // The two services, and the address of the first.
    let wrote =
        log.lines().find(|line| line.starts_with("firewall: would write table ipvs-node: "));
    assert!(wrote.is_some_and(|line| line.ends_with(" rules, 3 elements")), "{log}");
    assert!(!log.contains("not served"), "{log}");
}

#[test]
fn a_dry_run_examines_checks_within_the_bounds_of_the_command_line() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    let mut checked = service("web", "10.96.0.10", 0);
    let text = "checks:\n- tcp: {}\n  timeout: 200ms\npace: {interval: 500ms}\n";
    checked["metadata"]["annotations"] = json!({"ipvs-netlink/health-checks": text});
    server.put(checked).unwrap();
    for (bounds, why) in [
        (&[][..], Some("line 4: pace: interval 500ms: must be at least 1s")),
        (&["--least-check-interval=500ms"], None),
        (
            &["--least-check-interval=600ms"],
            Some("line 4: pace: interval 500ms: must be at least 600ms"),
        ),
        (&["--no-health-checks"], Some("--no-health-checks")),
    ] {
        let options =
            ["--dry-run", "--keep-sysctls", "--node-address=192.0.2.1", "--nft=/none/nft"];
        let (_, log) = agent::run_with_log(&server, &[&options[..], bounds].concat());
        let begin = "left out: Service shop/web, annotation ipvs-netlink/health-checks: ";
        let said = log.lines().find_map(|line| line.strip_prefix(begin));
        assert_eq!(said, why, "{bounds:?}");
    }
}
