//! The services of the kernel's table that a node proxy owns: beside kube-proxy, in its place, and
//! after it.
//!
//! kube-proxy in ipvs mode deletes every service of the kernel's table that it did not ask for,
//! whoever made it, unless the address is in its `ipvs.excludeCIDRs`. It does so at every
//! synchronization, each 30 s or earlier. So two programs must agree about addresses:
//!
//! | situation | scope | kube-proxy | [`Options`](crate::kubernetes::Options) |
//! | --- | --- | --- | --- |
//! | kube-proxy serves the cluster, and this program some addresses beside | [`beside_kube_proxy`] | runs with these networks in `excludeCIDRs` | these networks in [`within`](crate::kubernetes::Options::within) |
//! | this program takes over from kube-proxy | [`in_place_of_kube_proxy`] | is stopped first, and without `--cleanup`, which empties the table | its `excludeCIDRs` in [`exclude`](crate::kubernetes::Options::exclude) |
//! | kube-proxy is gone from the cluster | [`after_kube_proxy`] | | |
//!
//! To take over, wish the whole conversion before the first step of the
//! [`Controller`](crate::table::controller::Controller). What kube-proxy left is then compared with
//! it and not written again, so connections go on. Weights are put right: a destination to which
//! kube-proxy gave weight 0 gets weight 1 if it is wished, and drains if it is not. kube-proxy itself
//! puts weights right in its first synchronization only.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::model::{Network, ServiceId};
use crate::table::Scope;

/// Node ports of a cluster that names no other ones.
pub const NODE_PORTS: RangeInclusive<u16> = 30_000..=32_767;

fn networks(scope: Scope, networks: &[Network]) -> Scope {
    networks.iter().fold(scope, |scope, network| scope.network(*network))
}

/// Returns the scope of a program that serves the networks `own` beside kube-proxy. It is a boundary:
/// a plan for a service outside is refused.
///
/// ```
/// use ipvs_netlink::kubernetes::{Options, scopes};
/// use ipvs_netlink::table::{PlanOptions, Table};
///
/// let own = vec!["203.0.113.0/24".parse()?];
/// let scope = scopes::beside_kube_proxy(&own);
/// assert!(scope.contains("TCP 203.0.113.1:80".parse()?, &Table::new()));
/// assert!(!scope.contains("TCP 10.96.0.10:80".parse()?, &Table::new()));
/// let plan_options = PlanOptions::new().scope(scope);
/// let mut options = Options::new("node-a");
/// options.within = Some(own); // so that the table asks for nothing else
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
pub fn beside_kube_proxy(own: &[Network]) -> Scope {
    Scope::only(networks(Scope::new(), own))
}

/// Returns the scope of a program that takes the place of kube-proxy: all services at addresses, but
/// for those in `exclude`, which are kube-proxy's `excludeCIDRs`. kube-proxy let no other service
/// live. Services of firewall marks stay.
///
/// Take it for the first run only. Later it would delete what other programs add.
pub fn in_place_of_kube_proxy(exclude: &[Network]) -> Scope {
    let addresses = Scope::new().matching(|id| id.address().is_some());
    addresses.except(networks(Scope::new(), exclude))
}

/// Returns the scope of a program that serves a cluster without kube-proxy: what the conversion asks
/// for, every service in the networks of cluster IPs, and those at `node_ports` of the node's
/// addresses.
///
/// What an earlier run made at external IPs and addresses of load balancers is not among them: hand
/// that to [`Controller::formerly`](crate::table::controller::Controller::formerly).
pub fn after_kube_proxy(
    cluster_ips: &[Network],
    node_addresses: &[IpAddr],
    node_ports: RangeInclusive<u16>,
) -> Scope {
    let nodes = node_addresses.to_vec();
    let is_node_port = move |id: ServiceId| {
        let at = id.address();
        at.is_some_and(|it| nodes.contains(&it.ip()) && node_ports.contains(&it.port()))
    };
    networks(Scope::new(), cluster_ips).matching(is_node_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Service, Snapshot};
    use crate::table::{Plan, PlanError, PlanOptions, Table, TableService};

    fn id(text: &str) -> ServiceId {
        text.parse().unwrap()
    }

    fn table(ids: &[&str]) -> Table {
        ids.iter().map(|text| TableService::new(Service::new(id(text)))).collect()
    }

    /// The services that a plan deletes of a table.
    fn deleted(scope: Scope, desired: &Table, kernel: &[&str]) -> Vec<String> {
        let kernel = Snapshot::from(&table(kernel));
        let plan = Plan::new(&kernel, desired, &PlanOptions::new().scope(scope)).unwrap();
        plan.steps()
            .map(|step| step.to_string().replace("ipvsadm ", ""))
            .filter(|it| it.starts_with("-D"))
            .collect()
    }

    const KERNEL: &[&str] = &[
        "TCP 10.96.0.1:443",
        "TCP 10.96.0.10:53",
        "TCP 192.0.2.1:22",
        "TCP 192.0.2.1:30080",
        "TCP 203.0.113.1:80",
        "TCP 203.0.113.2:80",
        "FWM 5",
    ];

    #[test]
    fn beside_kube_proxy_nothing_of_it_is_touched() {
        let own = ["203.0.113.0/24".parse().unwrap()];
        let desired = table(&["TCP 203.0.113.1:80"]);
        let scope = beside_kube_proxy(&own);
        assert_eq!(deleted(scope.clone(), &desired, KERNEL), ["-D -t 203.0.113.2:80"]);
        let outside = table(&["TCP 10.96.0.1:443"]);
        let options = PlanOptions::new().scope(scope);
        let plan = Plan::new(&Snapshot::from(&table(KERNEL)), &outside, &options);
        assert!(matches!(plan, Err(PlanError::OutOfScope { .. })), "{plan:?}");
    }

    #[test]
    fn in_its_place_all_addresses_are_owned_that_it_owned() {
        let exclude = ["203.0.113.0/24".parse().unwrap()];
        let desired = table(&["TCP 10.96.0.1:443", "TCP 192.0.2.1:30080"]);
        let gone = deleted(in_place_of_kube_proxy(&exclude), &desired, KERNEL);
        assert_eq!(gone, ["-D -t 10.96.0.10:53", "-D -t 192.0.2.1:22"]);
    }

    #[test]
    fn after_it_only_addresses_of_the_cluster_are_owned() {
        let nodes = ["192.0.2.1".parse().unwrap()];
        let cluster = ["10.96.0.0/16".parse().unwrap()];
        let scope = after_kube_proxy(&cluster, &nodes, NODE_PORTS);
        let desired = table(&["TCP 10.96.0.1:443", "TCP 203.0.113.1:80"]);
        let gone = deleted(scope, &desired, KERNEL);
        assert_eq!(gone, ["-D -t 10.96.0.10:53", "-D -t 192.0.2.1:30080"]);
    }
}
