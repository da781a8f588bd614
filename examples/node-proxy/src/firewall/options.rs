//! What an administrator says about the firewall.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use ipvs_netlink::AddressFamily;
use ipvs_netlink::table::Network;

use crate::firewall::networks;

/// The arguments of the firewall.
#[derive(Args, Clone, Debug, Default)]
pub struct FirewallOptions {
    /// The networks of the cluster's pods. Traffic to cluster IPs from elsewhere is masqueraded. Traffic from
    /// elsewhere to a service of policy Local is dropped if the node has no endpoint of it.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub cluster_cidr: Vec<Network>,
    /// Masquerade all traffic to cluster IPs.
    #[arg(long)]
    pub masquerade_all: bool,
    /// The name of the table of nftables, which belongs to this program.
    #[arg(long, value_name = "NAME", default_value_t)]
    pub firewall_table: TableName,
    /// The program nft, in place of the one in the folders of the system.
    #[arg(long, value_name = "FILE")]
    pub nft: Option<PathBuf>,
}

impl FirewallOptions {
    /// Returns the networks of pods of a family, without those that are inside of others.
    pub(crate) fn inside(&self, family: AddressFamily) -> Vec<Network> {
        let of_family =
            |network: &&Network| network.address().is_ipv4() == (family == AddressFamily::Ipv4);
        networks::outermost(self.cluster_cidr.iter().filter(of_family).copied())
    }
}

/// The name of a table of nftables: 1 to 64 letters, digits, `-`, `_` and `.`. The default is `ipvs-node`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName(String);

impl TableName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TableName {
    fn default() -> Self {
        Self("ipvs-node".to_owned())
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TableName {
    type Err = InvalidTableName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidTableName)
    }
}

/// The text is no name of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 letters, digits, '-', '_' and '.'")]
pub struct InvalidTableName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_are_checked() {
        assert_eq!(TableName::default(), "ipvs-node".parse().unwrap());
        let long = "a".repeat(65);
        for wrong in ["", "a b", "a;flush ruleset", "@a", "\u{e4}", long.as_str()] {
            assert!(wrong.parse::<TableName>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn networks_of_pods_are_of_one_family_each() {
        let cluster_cidr =
            ["10.244.0.0/16", "fd00::/48", "10.0.0.0/8"].map(|it| it.parse().unwrap()).to_vec();
        let options = FirewallOptions { cluster_cidr, ..FirewallOptions::default() };
        let text =
            |family| options.inside(family).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(AddressFamily::Ipv4), ["10.0.0.0/8"]);
        assert_eq!(text(AddressFamily::Ipv6), ["fd00::/48"]);
    }
}
