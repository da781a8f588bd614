//! The command line.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use ipvs_netlink::kubernetes::{NodePortAddresses, ObjectName, Options, scopes};
use ipvs_netlink::table::{Network, Scope, Table};
use ipvs_netlink::{AddressFamily, Scheduler, ServiceId};

use crate::agent::RunArguments;
use crate::host::cleanup::CleanupArguments;

/// Converts services and endpoint slices of Kubernetes to the IPVS table of a node.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = AFTER,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct Arguments {
    /// What is to be done with a cluster.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What is to be done without a cluster.
    #[command(flatten)]
    pub offline: Offline,
}

impl Arguments {
    /// Parses the command line. Ends the program if it is wrong.
    #[must_use]
    pub fn parse_or_exit() -> Self {
        Self::try_parse().and_then(Self::checked).unwrap_or_else(|error| error.exit())
    }

    /// Refuses what single options cannot tell.
    fn checked(self) -> Result<Self, clap::Error> {
        let checked = match &self.command {
            Some(Command::Run(arguments)) => arguments.conversion.check(),
            Some(_) => Ok(()),
            None => self.offline.check(),
        };
        let refused = |text| Self::command().error(ErrorKind::ValueValidation, text);
        checked.map(|()| self).map_err(refused)
    }
}

/// What is to be done with a cluster.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the cluster, and keep the table of this node.
    Run(Box<RunArguments>),
    /// Remove what this program has left on the host: its addresses, its services and the sysctls that it
    /// changed. Also after a crash.
    #[command(long_flag = "cleanup")]
    Cleanup(CleanupArguments),
    /// Show a deployment that rolls, and how many connections fail. Everything happens in network namespaces
    /// of this process. It needs root and IPVS.
    #[cfg(feature = "demo")]
    Demo,
}

/// What is to be done without a cluster.
#[derive(Args, Debug)]
pub struct Offline {
    /// Convert the manifests in this folder and its subfolders (.yaml, .yml, .json), or in this file,
    /// without a cluster and without a kernel. Print the table as `ipvsadm -S -n` does, and what was
    /// left out on standard error.
    #[arg(long, value_name = "DIR", required = true)]
    pub from_files: Option<PathBuf>,
    /// How a node converts.
    #[command(flatten)]
    pub conversion: Conversion,
    /// Print how this table becomes the other one, as commands of ipvsadm. FILE has what
    /// `ipvsadm -S -n` printed.
    #[arg(long, value_name = "FILE")]
    pub current: Option<PathBuf>,
    /// Print what became of a service and of its endpoints, and why. PORT is a name or a number.
    #[arg(long, value_name = "NAMESPACE/NAME[:PORT]", conflicts_with = "current")]
    pub explain: Option<Subject>,
    /// Change nothing, which is always so with --from-files.
    #[arg(long)]
    pub dry_run: bool,
}

impl Offline {
    fn check(&self) -> Result<(), String> {
        self.conversion.check()?;
        self.conversion.check_scheduler()
    }
}

const AFTER: &str = "\
Exit codes:
  0  all was done; standard error has what was left out, and why
  1  a file or folder cannot be read, or standard output cannot be written; run:
     the kernel, a privilege or the credentials are missing, or a signal ended
     --dry-run, --explain or --init-only
  2  the command line is wrong
  3  a manifest, or FILE, is wrong, or does not have the service; nothing was printed.
     run: the cluster does not have the service of --explain";

/// How a node converts.
#[derive(Args, Clone, Debug)]
pub struct Conversion {
    /// The node's name in the cluster, the host's name by default.
    #[arg(long, value_name = "NAME")]
    pub node_name: Option<String>,
    /// A label of the node, in place of those in the cluster: topology.kubernetes.io/zone=ZONE counts.
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    pub node_label: Vec<(String, String)>,
    /// An address of the node, for node ports. By default --from-files takes the internal ones of the Node object,
    /// and `run` those of all interfaces that do not carry addresses of services.
    #[arg(long, value_name = "IP", value_parser = node_address)]
    pub node_address: Vec<IpAddr>,
    /// Serve node ports at addresses of the node in these networks, or with `primary` alone at its first
    /// internal address of each family. At all of them by default.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub node_port_addresses: Vec<NodePorts>,
    /// The scheduler of services that name none.
    #[arg(long, value_name = "NAME", default_value = "rr", value_parser = scheduler)]
    pub ipvs_scheduler: Scheduler,
    /// Also let the annotation ipvs-netlink/scheduler of services name this scheduler. It may name those of
    /// the kernel's sources.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = scheduler)]
    pub allow_scheduler: Vec<Scheduler>,
    /// Let the annotation ipvs-netlink/weights of services take the weights of endpoints from their pods.
    /// All pods of the cluster are watched for that.
    #[arg(long)]
    pub pod_weights: bool,
    /// The address families that the node serves.
    #[arg(long, value_name = "FAMILY", value_enum, default_value_t = IpFamilies::Dual)]
    pub ip_family: IpFamilies,
    /// Leave addresses in this network alone: no service is made, changed or deleted there.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub exclude_cidr: Vec<Network>,
}

impl Conversion {
    /// Returns the options of the library.
    #[must_use]
    pub fn options(&self) -> Options {
        let host = || rustix::system::uname().nodename().to_string_lossy().to_lowercase();
        let mut options = Options::new(&self.node_name.clone().unwrap_or_else(host));
        options.node_labels = self.node_label.iter().cloned().collect::<BTreeMap<_, _>>();
        options.node_addresses.clone_from(&self.node_address);
        options.node_port_addresses = self.node_ports();
        options.scheduler = self.ipvs_scheduler;
        let allowed = Scheduler::ALL.iter().chain(&self.allow_scheduler);
        options.allowed_schedulers = Some(allowed.copied().collect());
        options.families = self.ip_family.families();
        options.pod_weights = self.pod_weights;
        options.exclude.clone_from(&self.exclude_cidr);
        options
    }

    /// Refuses `primary` beside networks, as kube-proxy does.
    ///
    /// Source: `pkg/proxy/apis/config/validation/validation.go:validateKubeProxyNodePortAddress`.
    fn check(&self) -> Result<(), String> {
        match self.node_port_addresses.as_slice() {
            [_, _, ..] if self.node_port_addresses.contains(&NodePorts::Primary) => {
                Err("--node-port-addresses: primary must be alone".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Refuses a scheduler that the kernel's sources do not have. Where there is a kernel, it is asked instead.
    fn check_scheduler(&self) -> Result<(), String> {
        let scheduler = self.ipvs_scheduler;
        if Scheduler::ALL.contains(&scheduler) || self.allow_scheduler.contains(&scheduler) {
            return Ok(());
        }
        let meant = scheduler.similar().map(|it| format!("did you mean {it}? "));
        Err(format!(
            "--ipvs-scheduler {scheduler}: the kernel's sources have no scheduler of this name; {}if your \
             kernel has it, add --allow-scheduler {scheduler}",
            meant.unwrap_or_default()
        ))
    }

    /// Returns what kube-proxy owns: all services at addresses of the node's families, but for those in
    /// the excluded networks.
    pub(crate) fn scope(&self) -> Scope {
        let families = self.ip_family.families();
        let owned = scopes::in_place_of_kube_proxy(&self.exclude_cidr);
        Scope::new()
            .matching(move |id| {
                families.contains(&id.family()) && owned.contains(id, &Table::new())
            })
            .except(self.excluded())
    }

    /// Returns what is left alone in any case. Services of a family that is not served are not among them, because
    /// those that this program has made leave.
    pub(crate) fn excluded(&self) -> Scope {
        self.exclude_cidr.iter().fold(Scope::new(), |scope, it| scope.network(*it))
    }

    /// Returns `true` if the node serves the family of an address.
    pub(crate) fn serves(&self, address: IpAddr) -> bool {
        self.ip_family.families().contains(&AddressFamily::of(&address))
    }

    /// Returns `true` if a service is at an address in an excluded network.
    pub(crate) fn excludes(&self, id: ServiceId) -> bool {
        let contains = |at: SocketAddr| self.exclude_cidr.iter().any(|it| it.contains(at.ip()));
        id.address().is_some_and(contains)
    }

    fn node_ports(&self) -> NodePortAddresses {
        let networks = self.node_port_addresses.iter().map(|it| match it {
            NodePorts::Primary => None,
            NodePorts::Within(network) => Some(*network),
        });
        match networks.collect::<Option<Vec<_>>>() {
            None => NodePortAddresses::Primary,
            Some(networks) if networks.is_empty() => NodePortAddresses::All,
            Some(networks) => NodePortAddresses::Within(networks),
        }
    }
}

/// At which addresses node ports are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodePorts {
    /// At the node's primary addresses.
    Primary,
    /// At addresses in a network.
    Within(Network),
}

impl FromStr for NodePorts {
    type Err = ipvs_netlink::InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "primary" => Ok(Self::Primary),
            _ => text.parse().map(Self::Within),
        }
    }
}

/// The address families that a node serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IpFamilies {
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
    /// Both.
    Dual,
}

impl IpFamilies {
    fn families(self) -> Vec<AddressFamily> {
        match self {
            Self::Ipv4 => vec![AddressFamily::Ipv4],
            Self::Ipv6 => vec![AddressFamily::Ipv6],
            Self::Dual => vec![AddressFamily::Ipv4, AddressFamily::Ipv6],
        }
    }
}

/// A service, and perhaps one of its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The service.
    pub service: ObjectName,
    /// The name or number of the port.
    pub port: Option<String>,
}

impl FromStr for Subject {
    type Err = ipvs_netlink::InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (service, port) = match text.split_once(':') {
            Some((service, port)) => (service, Some(port.to_owned())),
            None => (text, None),
        };
        Ok(Self { service: service.parse()?, port })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service {}", self.service)?;
        match &self.port {
            Some(port) => write!(f, ", port {}", port.escape_debug()),
            None => Ok(()),
        }
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

fn scheduler(name: &str) -> Result<Scheduler, ipvs_netlink::InvalidValue> {
    Scheduler::new(name)
}

/// Parses an address at which others can reach a node.
fn node_address(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text.parse().map_err(|_| "must be an IP address".to_owned())?;
    let special = match address.to_canonical() {
        it if it.is_unspecified() => "stands for all addresses",
        it if it.is_loopback() => "is a loopback address, at which no node port is served",
        it if it.is_multicast() => "is a multicast address",
        IpAddr::V4(Ipv4Addr::BROADCAST) => "is the broadcast address",
        _ => return Ok(address),
    };
    Err(format!("{special}; name the addresses at which others reach the node"))
}
