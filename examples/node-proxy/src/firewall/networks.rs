//! Networks without overlaps.

use ipvs_netlink::table::Network;

/// Returns the networks that are inside of no other one, in order. nftables refuses elements that overlap.
pub(crate) fn outermost(networks: impl IntoIterator<Item = Network>) -> Vec<Network> {
    let mut sorted: Vec<_> = networks.into_iter().collect();
    // A network comes before those inside of it: its first address is not greater, its prefix is shorter.
    sorted.sort_by_key(|network| (network.address(), network.prefix()));
    let mut kept: Vec<Network> = Vec::with_capacity(sorted.len());
    for network in sorted {
        if !kept.last().is_some_and(|last| last.contains(network.address())) {
            kept.push(network);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_of_another_network_is_left_out() {
        let networks = [
            "10.1.0.0/16",
            "10.0.0.0/8",
            "10.0.0.0/8",
            "11.0.0.1/32",
            "::/0",
            "fd00::/8",
            "10.0.0.0/9",
        ];
        let left = outermost(networks.map(|it| it.parse().unwrap()));
        let left: Vec<_> = left.iter().map(ToString::to_string).collect();
        assert_eq!(left, ["10.0.0.0/8", "11.0.0.1/32", "::/0"]);
    }
}
