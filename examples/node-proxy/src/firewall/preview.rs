//! What the firewall would do first, for a look that changes nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{Changes, VirtualService};

use crate::firewall::{Entry, FirewallOptions, Need, Nft, NftError, Rules, ruleset};

/// What the firewall would do first.
#[derive(Debug)]
pub(crate) struct Preview {
    summary: String,
    /// The virtual services that are not served without a firewall, with their lines.
    refused: BTreeMap<ServiceId, String>,
}

impl Preview {
    /// Looks whether there is a usable `nft`, and says what it would write for everything that the cluster has now.
    /// `elsewhere` are the addresses of other interfaces than the own one.
    pub(crate) async fn of(
        options: &FirewallOptions,
        first: &Changes,
        node_addresses: &[IpAddr],
        elsewhere: &[IpAddr],
    ) -> Self {
        match Nft::find_busy(options).await {
            Ok(_) => Self::with_nft(options, first, node_addresses, elsewhere),
            Err(error) => Self::without_nft(options, first, node_addresses, &error),
        }
    }

    fn with_nft(
        options: &FirewallOptions,
        first: &Changes,
        node_addresses: &[IpAddr],
        elsewhere: &[IpAddr],
    ) -> Self {
        let entries: Vec<_> = entries(first, node_addresses).collect();
        let entries = entries.iter().map(|(id, _, entry)| (*id, entry));
        let ports = first.services.values().flatten();
        let ports = ports.filter_map(|facts| Some(facts.health_check_node_port?.port));
        let addresses = first.addresses_added.iter().copied().filter(|it| !elsewhere.contains(it));
        let elements = Rules::of(options, entries, addresses, ports).len();
        let (table, rules) = (&options.firewall_table, ruleset::count_rules(options));
        let summary =
            format!("firewall: would write table {table}: {rules} rules, {elements} elements");
        Self { summary, refused: BTreeMap::new() }
    }

    fn without_nft(
        options: &FirewallOptions,
        first: &Changes,
        node_addresses: &[IpAddr],
        error: &NftError,
    ) -> Self {
        let needs = entries(first, node_addresses).filter_map(|(id, facts, entry)| {
            let need = entry.need(options)?;
            Some((id, line(id, facts, need)))
        });
        Self { summary: lacking(error), refused: needs.collect() }
    }

    /// Returns the lines for the log.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.summary.as_str()).chain(self.refused.values().map(String::as_str))
    }

    /// Returns `true` if a virtual service is not served for lack of a firewall.
    pub(crate) fn refuses(&self, id: ServiceId) -> bool {
        self.refused.contains_key(&id)
    }
}

/// Returns the line of the log about a firewall that cannot be used.
pub(crate) fn lacking(error: &NftError) -> String {
    format!(
        "firewall: {error}; services that need it are not served, and programs of this host can be reached at the \
         addresses of services"
    )
}

fn line(id: ServiceId, facts: &VirtualService, need: Need) -> String {
    format!("not served: Service {}, {id}: {need}, and there is none", facts.service)
}

fn entries<'c>(
    first: &'c Changes,
    node_addresses: &'c [IpAddr],
) -> impl Iterator<Item = (ServiceId, &'c VirtualService, Entry)> {
    first
        .set
        .iter()
        .map(|(service, facts)| (service.id(), facts, Entry::of(service, facts, node_addresses)))
}
