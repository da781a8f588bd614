use std::path::PathBuf;

use clap::Args;

use super::interface_name::InterfaceName;

/// Where this program leaves something on its host.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// The dummy interface that carries the addresses of services. It is created if there is none.
    #[arg(long, value_name = "NAME", default_value = "ipvs-node0")]
    pub interface: InterfaceName,
    /// The folder for what this program has to know after a restart.
    #[arg(long, value_name = "DIR", default_value = "/run/node-proxy")]
    pub state_dir: PathBuf,
}

/// What is set up on the host beside the table.
#[derive(Args, Clone, Debug)]
pub struct HostArguments {
    /// Where something is left.
    #[command(flatten)]
    pub place: Place,
    /// Answer ARP requests for an address only on the interface that has it (arp_ignore 1, arp_announce 2).
    /// Load balancers that announce addresses by ARP need it.
    #[arg(long)]
    pub strict_arp: bool,
    /// Change no sysctl. Only say which ones are wrong.
    #[arg(long)]
    pub keep_sysctls: bool,
}
