use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::kubernetes::objects::Node;
use crate::kubernetes::rules::node_ports;
use crate::model::{AddressFamily, Network, Scheduler};

/// The node for which objects are converted, and what of the conversion is open.
///
/// ```
/// use ipvs_netlink::kubernetes::{NodePortAddresses, Options};
/// use ipvs_netlink::AddressFamily;
///
/// let mut options = Options::new("node-a");
/// options.families = vec![AddressFamily::Ipv4];
/// options.node_addresses = vec!["192.0.2.1".parse()?];
/// options.node_port_addresses = NodePortAddresses::Within(vec!["192.0.2.0/24".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The name of the node in the cluster. Endpoints that name it are local.
    pub node_name: String,
    /// Labels of the node, in place of those of its [`Node`](crate::kubernetes::Node) object. Only
    /// `topology.kubernetes.io/zone` counts.
    pub node_labels: BTreeMap<String, String>,
    /// The families that the node serves, both by default.
    pub families: Vec<AddressFamily>,
    /// The addresses of all interfaces of the node, but for the dummy interface that carries
    /// [`Converted::addresses`](crate::kubernetes::Converted::addresses). Node ports are served at
    /// these addresses. Neither these addresses nor those of the node's
    /// [`Node`](crate::kubernetes::Node) object are put on the dummy interface. Empty by default.
    ///
    /// kube-proxy lists the addresses of its dummy interface too if it is given networks for node
    /// ports, so that a wide network includes cluster IPs. Here they are never included.
    pub node_addresses: Vec<IpAddr>,
    /// At which addresses of the node node ports are served.
    pub node_port_addresses: NodePortAddresses,
    /// The scheduler of services that name none. `rr` by default, as for kube-proxy. With `mh`
    /// services get the flag `mh-port`.
    pub scheduler: Scheduler,
    /// If set, only virtual services at addresses in these networks are made. For a program that
    /// runs beside kube-proxy: see [`scopes::beside_kube_proxy`](crate::kubernetes::scopes).
    pub within: Option<Vec<Network>>,
    /// No virtual service is made at addresses in these networks.
    pub exclude: Vec<Network>,
    /// Whether hints that name nodes are followed (`trafficDistribution: PreferSameNode`). `true` by
    /// default, as for kube-proxy since 1.34.
    pub same_node_hints: bool,
    /// Whether services may take weights from annotations of pods. The program must then hand in
    /// pods. `false` by default: to watch pods costs the API server much.
    pub pod_weights: bool,
    /// The schedulers that annotations may name, beside [`scheduler`](Self::scheduler). The kernel looks for a
    /// module of each name. `None` allows all names, and is the default.
    pub allowed_schedulers: Option<Vec<Scheduler>>,
    /// Schedulers that the kernel is known to lack. An annotation that names one counts as wrong, so
    /// that its service is served by [`scheduler`](Self::scheduler). Empty by default.
    pub lacking_schedulers: Vec<Scheduler>,
}

impl Options {
    /// Creates options with the defaults of kube-proxy.
    #[must_use]
    pub fn new(node_name: &str) -> Self {
        Self {
            node_name: node_name.to_owned(),
            node_labels: BTreeMap::new(),
            families: vec![AddressFamily::Ipv4, AddressFamily::Ipv6],
            node_addresses: Vec::new(),
            node_port_addresses: NodePortAddresses::All,
            scheduler: Scheduler::ROUND_ROBIN,
            within: None,
            exclude: Vec::new(),
            same_node_hints: true,
            pod_weights: false,
            allowed_schedulers: None,
            lacking_schedulers: Vec::new(),
        }
    }

    /// Returns the addresses of a family at which node ports are served, each once, in order. `node` is the
    /// node's own object: [`NodePortAddresses::Primary`] takes them from there.
    ///
    /// ```
    /// use ipvs_netlink::AddressFamily;
    /// use ipvs_netlink::kubernetes::Options;
    ///
    /// let mut options = Options::new("node-a");
    /// options.node_addresses = vec!["192.0.2.1".parse()?, "127.0.0.1".parse()?];
    /// assert_eq!(options.node_port_ips(None, AddressFamily::Ipv4), options.node_addresses[..1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn node_port_ips(&self, node: Option<&Node>, family: AddressFamily) -> Vec<IpAddr> {
        node_ports::addresses(self, node, family)
    }

    pub(crate) fn allows(&self, scheduler: Scheduler) -> bool {
        let allowed = self.allowed_schedulers.as_ref();
        scheduler == self.scheduler || allowed.is_none_or(|all| all.contains(&scheduler))
    }

    pub(crate) fn serves(&self, family: AddressFamily) -> bool {
        self.families.contains(&family)
    }
}

/// At which addresses of the node node ports are served. Never at loopback addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodePortAddresses {
    /// At all of [`Options::node_addresses`] but link-local IPv6 ones. The default.
    #[default]
    All,
    /// At the first internal address of each family that the node's
    /// [`Node`](crate::kubernetes::Node) object has, or else at the first external one.
    Primary,
    /// At those of [`Options::node_addresses`] in these networks. A family of which no network is
    /// given, or with a network of prefix 0, is not restricted.
    Within(Vec<Network>),
}
