//! The program as it runs in its containers: first privileged, then with `CAP_NET_ADMIN` alone and a `/proc/sys`
//! that is read-only.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use node_proxy::api_server::ApiServer;
use serde_json::json;

use crate::stage::agent::{Agent, fresh_namespace};
use crate::stage::nft;

/// Makes the mounts of a container that is not privileged, and runs the program with the rights of one.
const CONFINED: &str = "
    mount --make-rprivate / &&
    mount --bind /proc/sys /proc/sys &&
    mount -o remount,bind,ro /proc/sys &&
    exec setpriv --bounding-set=-all,+net_admin --inh-caps=-all --no-new-privs \"$@\"
";

/// Returns a command that runs the program as in the long-lived container.
fn confined() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", CONFINED, "sh", env!("CARGO_BIN_EXE_node-proxy")]);
    command
}

fn cluster() -> ApiServer {
    let server = ApiServer::start().unwrap();
    let web = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "type": "NodePort",
            "clusterIP": "10.96.0.10",
            "ports": [{"port": 80, "nodePort": 30080}],
        },
    });
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-a"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    });
    server.put(web).unwrap();
    server.put(node).unwrap();
    server
}

/// A folder for what a later run must know, as a pod has it from the node.
fn state_folder(name: &str) -> String {
    let folder = std::env::temp_dir().join(format!("node-proxy-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder.to_str().unwrap().to_owned()
}

fn setting(name: &str) -> String {
    fs::read_to_string(format!("/proc/thread-self/root/proc/sys/{name}")).unwrap().trim().to_owned()
}

/// Returns `true` if this kernel takes nftables. User-mode Linux, which has this file, does not.
fn has_nftables() -> bool {
    !Path::new("/proc/exitcode").exists()
}

#[test]
fn one_capability_is_enough_after_the_init_container() {
    fresh_namespace();
    let server = cluster();
    let state = state_folder("confined");
    let nft = nft::program();
    let arguments =
        ["--state-dir", &state, "--node-address=192.0.2.1", "--nft", nft.to_str().unwrap()];
    let command = |mut command: Command| {
        command.args(["run", "--node-name", "node-a", "--api-server", &server.url()]);
        command.args(arguments);
        command
    };
    assert_eq!(setting("net/ipv4/vs/conntrack"), "0");

    // Without the init container the program refuses to start, and names the sysctl.
    let mut refused = command(confined());
    let output = refused.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("conntrack: /proc/sys is mounted read-only"), "{said}");
    assert_eq!(ipvs_netlink::Client::connect().unwrap().services().unwrap().len(), 0);

    let mut init = command(Command::new(env!("CARGO_BIN_EXE_node-proxy")));
    assert!(init.arg("--init-only").status().unwrap().success());
    assert_eq!(setting("net/ipv4/vs/conntrack"), "1");
    assert_eq!(setting("net/ipv4/ip_forward"), "1");

    let mut agent = Agent::spawn(command(confined()));
    agent.wait_for("synchronized");
    // The node port needs masquerading, by `nft` with the same capability.
    let masqueraded = if has_nftables() { "-A -t 192.0.2.1:30080 -s rr\n" } else { "" };
    agent.wait_for_table(&format!("-A -t 10.96.0.10:80 -s rr\n{masqueraded}"));
    let addresses = Command::new("ip").args(["-o", "address", "show"]).output().unwrap();
    let addresses = String::from_utf8(addresses.stdout).unwrap();
    assert!(addresses.contains("10.96.0.10/32"), "{addresses}");

    // The first IPv6 service: packets for its endpoints would not be forwarded.
    assert_eq!(setting("net/ipv6/conf/all/forwarding"), "0");
    let six = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": "six"},
        "spec": {"clusterIP": "fd00::a", "ipFamilies": ["IPv6"], "ports": [{"port": 80}]},
    });
    server.put(six).unwrap();
    agent.wait_for("not served: Service shop/six, TCP [fd00::a]:80: IPv6 came after the start");
    agent.wait_for_table(&format!("-A -t 10.96.0.10:80 -s rr\n{masqueraded}"));
}
