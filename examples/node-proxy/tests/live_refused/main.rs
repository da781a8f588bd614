//! What happens where nft, the kernel or a program that gives credentials refuses or hangs. User-mode Linux has no nftables.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod ending;
mod failing;
#[path = "../stage/mod.rs"]
mod stage;

use node_proxy::api_server::ApiServer;
use node_proxy::firewall::{FirewallOptions, Nft, NftError, Rules, ruleset};
use serde_json::json;
use tokio::runtime::Builder;

use crate::stage::agent::{Agent, fresh_namespace};

fn find(options: &FirewallOptions) -> Result<Nft, NftError> {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(Nft::find(options))
}

/// What the check says beforehand is what the kernel does.
#[test]
fn a_kernel_without_nftables_is_found_out_beforehand() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
    let options = stage::nft::options();
    let found = find(&options);
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    if !std::path::Path::new("/proc/exitcode").exists() {
        println!("{release} takes nftables: {found:?}");
        let nft = found.expect("only user-mode Linux is known to have no nftables");
        let nothing = Rules::of(&options, [], [], []);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(nft.apply(&ruleset::replacement(&options, &nothing))).unwrap();
        return;
    }
    let Err(NftError::Failed { said }) = found else { panic!("{found:?}") };
    println!("{said}");
}

/// Services that the firewall would have to protect are named and not served; a cluster IP is served.
#[test]
fn without_nft_what_needs_it_is_not_served() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    let balanced = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.96.0.10",
            "loadBalancerSourceRanges": ["10.0.0.0/8"],
            "ports": [{"port": 80, "nodePort": 30080}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}},
    });
    server.put(balanced).unwrap();
    let mut agent = Agent::start(&server, &["--nft=/nonexistent/nft", "--node-address=192.0.2.1"]);
    agent.wait_for("firewall: /nonexistent/nft: No such file or directory");
    agent.wait_for("not served: Service shop/web, TCP 192.0.2.1:30080: traffic from outside needs");
    agent
        .wait_for("not served: Service shop/web, TCP 203.0.113.1:80: its loadBalancerSourceRanges");
    agent.wait_for_table("-A -t 10.96.0.10:80 -s rr\n");
}
