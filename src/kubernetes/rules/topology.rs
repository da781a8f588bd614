//! Which endpoints serve a port on this node.

use std::net::IpAddr;
use std::sync::Arc;

use crate::kubernetes::objects::Hint;
use crate::kubernetes::rules::endpoints::Candidate;
use crate::kubernetes::surroundings::Surroundings;

/// Which hints are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hints<'s> {
    None,
    Node(&'s str),
    Zone(&'s str),
}

impl<'s> Hints<'s> {
    /// Only ready endpoints vote.
    ///
    /// Source: `topology.go:topologyModeFromHints`.
    fn followed(candidates: &[Candidate<'_>], around: &'s Surroundings) -> Self {
        let ready = || candidates.iter().filter(|candidate| candidate.member.ready);
        let node = around.options.node_name.as_str();
        if around.options.same_node_hints
            && ready().all(|it| !it.member.endpoint.hints.for_nodes.is_empty())
            && ready().any(|it| names(&it.member.endpoint.hints.for_nodes, node))
        {
            return Self::Node(node);
        }
        match &around.zone {
            Some(zone)
                if ready().all(|it| !it.member.endpoint.hints.for_zones.is_empty())
                    && ready().any(|it| names(&it.member.endpoint.hints.for_zones, zone)) =>
            {
                Self::Zone(zone)
            }
            _ => Self::None,
        }
    }

    /// Source: `topology.go:availableForTopology`.
    fn allow(self, candidate: &Candidate<'_>) -> bool {
        let hints = &candidate.member.endpoint.hints;
        match self {
            Self::None => true,
            Self::Node(node) => names(&hints.for_nodes, node),
            Self::Zone(zone) => names(&hints.for_zones, zone),
        }
    }
}

fn names(hints: &[Hint], name: &str) -> bool {
    hints.iter().any(|hint| hint.name == name)
}

/// Returns the endpoints of all nodes that serve a port here.
///
/// Source: `topology.go:CategorizeEndpoints`, `clusterEndpoints`.
pub(crate) fn cluster<'c, 'a>(
    candidates: &'c [Candidate<'a>],
    around: &Surroundings,
) -> Vec<&'c Candidate<'a>> {
    let hints = Hints::followed(candidates, around);
    let mut chosen = Vec::with_capacity(candidates.len());
    let ready = candidates.iter().filter(|candidate| candidate.member.ready);
    chosen.extend(ready.filter(|candidate| hints.allow(candidate)));
    if chosen.is_empty() {
        chosen.extend(candidates.iter().filter(|candidate| is_last_resort(candidate)));
    }
    chosen
}

/// Returns the endpoints of this node that serve a port. Hints do not count.
///
/// Source: `topology.go:CategorizeEndpoints`, `localEndpoints`.
pub(crate) fn local<'c, 'a>(candidates: &'c [Candidate<'a>]) -> Vec<&'c Candidate<'a>> {
    let local = || candidates.iter().filter(|candidate| candidate.member.local);
    let ready: Vec<_> = local().filter(|candidate| candidate.member.ready).collect();
    match ready.is_empty() {
        true => local().filter(|candidate| is_last_resort(candidate)).collect(),
        false => ready,
    }
}

/// Where no endpoint is ready, those that still serve while they terminate are used.
const fn is_last_resort(candidate: &Candidate<'_>) -> bool {
    candidate.member.serving && candidate.member.terminating
}

/// Returns the addresses of all endpoints of this node, in order.
///
/// Source: `proxier.go:syncProxyRules`, the set `KUBE-LOOP-BACK`.
pub(crate) fn local_addresses(candidates: &[Candidate<'_>]) -> Arc<[IpAddr]> {
    let local = candidates.iter().filter(|candidate| candidate.member.local);
    let mut addresses: Vec<_> = local.map(|candidate| candidate.member.address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() { Arc::default() } else { addresses.into() }
}
