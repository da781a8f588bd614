//! What became of each endpoint of a service.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use ipvs_netlink::AddressFamily;
use ipvs_netlink::kubernetes::{Endpoint, EndpointSlice, Hint, VirtualService};
use ipvs_netlink::table::TableService;

/// An endpoint, and in which virtual services it is.
pub(super) struct EndpointFate<'c> {
    endpoint: &'c Endpoint,
    /// In how many virtual services of its family it is, and how many there are.
    chosen: (usize, usize),
    /// Why it is not in the others.
    reasons: BTreeSet<String>,
}

impl<'c> EndpointFate<'c> {
    /// Returns the fates of the endpoints of a slice, in order. `served` are the virtual services of its service.
    pub(super) fn all(
        slice: &'c EndpointSlice,
        served: &[(&'c TableService, &'c VirtualService)],
        node: &str,
    ) -> Vec<Self> {
        slice.endpoints.iter().map(|endpoint| Self::of(endpoint, slice, served, node)).collect()
    }

    fn of(
        endpoint: &'c Endpoint,
        slice: &EndpointSlice,
        served: &[(&'c TableService, &'c VirtualService)],
        node: &str,
    ) -> Self {
        let mut fate = Self { endpoint, chosen: (0, 0), reasons: BTreeSet::new() };
        let address = endpoint.addresses.first().and_then(|it| it.parse::<IpAddr>().ok());
        let Some(address) = address.map(|it| it.to_canonical()) else {
            fate.reasons.insert("its address cannot be used".to_owned());
            return fate;
        };
        let family = if address.is_ipv4() { AddressFamily::Ipv4 } else { AddressFamily::Ipv6 };
        for (service, facts) in served.iter().filter(|(it, _)| it.id().family() == family) {
            fate.chosen.1 += 1;
            if service.destinations().any(|it| it.id().address.ip() == address) {
                fate.chosen.0 += 1;
            } else if slice.ports.iter().any(|port| *port.name == *facts.port) {
                fate.reasons.insert(reason(endpoint, facts, node));
            } else {
                fate.reasons.insert(format!("its slice has no port {:?}", facts.port));
            }
        }
        if fate.chosen.1 == 0 {
            fate.reasons.insert(format!("the service has no virtual service of {family}"));
        }
        fate
    }
}

/// Returns why a virtual service does not have an endpoint of its family.
fn reason(endpoint: &Endpoint, facts: &VirtualService, node: &str) -> String {
    let conditions = endpoint.conditions;
    let hints = &endpoint.hints;
    let is_ready = conditions.ready != Some(false);
    let terminates = conditions.terminating == Some(true);
    let serves = conditions.serving != Some(false);
    if !is_ready && terminates && !serves {
        "it terminates and does not serve".to_owned()
    } else if !is_ready && !terminates {
        "it is not ready".to_owned()
    } else if facts.local_only && endpoint.node_name.as_deref() != Some(node) {
        "the traffic policy is Local, and it is on another node".to_owned()
    } else if !is_ready {
        "it terminates, and others are ready".to_owned()
    } else if !hints.for_zones.is_empty() || !hints.for_nodes.is_empty() {
        let names = |hints: &[Hint]| hints.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        let all = [names(&hints.for_zones), names(&hints.for_nodes)].concat().join(", ");
        format!("its hints give it to others: {}", all.escape_debug())
    } else {
        // Its address or the port of its slice breaks a rule.
        "it is left out, as a line below says".to_owned()
    }
}

impl fmt::Display for EndpointFate<'_> {
    /// One line: the address, where it is, its conditions, in which virtual services it is, and why not in others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.endpoint.addresses.first().map_or("", String::as_str);
        write!(f, "{}", address.escape_debug())?;
        if let Some(node) = &self.endpoint.node_name {
            write!(f, " on {}", node.escape_debug())?;
        }
        if let Some(zone) = &self.endpoint.zone {
            write!(f, ", zone {}", zone.escape_debug())?;
        }
        let conditions = self.endpoint.conditions;
        f.write_str(match conditions.ready != Some(false) {
            true => ", ready",
            false => ", not ready",
        })?;
        if conditions.terminating == Some(true) {
            let serves = conditions.serving != Some(false);
            f.write_str(if serves { ", terminates and serves" } else { ", terminates" })?;
        }
        match self.chosen {
            (0, _) => f.write_str(": not chosen")?,
            (some, all) if some == all => f.write_str(": chosen")?,
            (some, all) => write!(f, ": chosen for {some} of {all} virtual services")?,
        }
        for (index, reason) in self.reasons.iter().enumerate() {
            write!(f, "{}{reason}", if index == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}
