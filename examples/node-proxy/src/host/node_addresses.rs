//! Decides which addresses of the host are those of the node.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::binding::Held;

/// The addresses at which node ports are served if no `--node-address` is given.
///
/// These are the addresses of all interfaces but those with addresses of services, without loopback addresses and
/// link-local IPv6 ones. An address is gone when two readings in a row do not have it: a reading may lack an
/// address while others change, and each change of this list converts all services anew.
///
/// Source: `pkg/proxy/ipvs/netlink_linux.go:GetAllLocalAddressesExcept, isValidForSet`.
#[derive(Debug, Default)]
pub(crate) struct NodeAddresses {
    current: BTreeSet<IpAddr>,
    /// Those that the last reading lacked.
    missing: BTreeSet<IpAddr>,
}

impl NodeAddresses {
    /// Takes in the addresses of interfaces without addresses of services. Returns `true` if the list changed.
    pub(crate) fn read<'a>(&mut self, others: impl IntoIterator<Item = &'a Held>) -> bool {
        let valid = others.into_iter().filter(|it| counts(it.address));
        let read: BTreeSet<IpAddr> = valid.map(|it| it.address).collect();
        let lacking: BTreeSet<IpAddr> = self.current.difference(&read).copied().collect();
        let gone: BTreeSet<IpAddr> = lacking.intersection(&self.missing).copied().collect();
        let next: BTreeSet<IpAddr> =
            self.current.union(&read).filter(|it| !gone.contains(it)).copied().collect();
        self.missing = lacking.difference(&gone).copied().collect();
        let changed = next != self.current;
        self.current = next;
        changed
    }

    /// Returns the addresses, in order.
    pub(crate) fn list(&self) -> Vec<IpAddr> {
        self.current.iter().copied().collect()
    }
}

fn counts(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(interface: &str, address: &str) -> Held {
        Held { address: address.parse().unwrap(), interface: interface.to_owned() }
    }

    #[test]
    fn are_those_of_all_interfaces_but_loopback_and_link_local_ipv6() {
        let mut addresses = NodeAddresses::default();
        let all = [
            held("eth0", "192.0.2.9"),
            held("lo", "127.0.0.1"),
            held("lo", "::1"),
            held("eth0", "fe80::1"),
            held("eth0", "2001:db8::9"),
            held("eth1", "169.254.1.1"),
            held("eth2", "192.0.2.9"),
        ];
        assert!(addresses.read(&all));
        let expected = ["169.254.1.1", "192.0.2.9", "2001:db8::9"];
        assert_eq!(addresses.list(), expected.map(|it| it.parse::<IpAddr>().unwrap()));
        assert!(!addresses.read(&all));
    }

    #[test]
    fn an_address_that_one_reading_lacks_stays() {
        let mut addresses = NodeAddresses::default();
        let both = [held("eth0", "192.0.2.9"), held("eth1", "192.0.2.10")];
        assert!(addresses.read(&both));
        let [one, _] = &both;
        assert!(!addresses.read(std::slice::from_ref(one)));
        assert!(!addresses.read(&both));
        assert!(!addresses.read(std::slice::from_ref(one)));
        assert_eq!(addresses.list().len(), 2);
        assert!(addresses.read(std::slice::from_ref(one)));
        assert_eq!(addresses.list(), [one.address]);
    }

    #[test]
    fn a_new_address_counts_at_once() {
        let mut addresses = NodeAddresses::default();
        assert!(addresses.read(&[held("eth0", "192.0.2.9")]));
        assert!(addresses.read(&[held("eth0", "192.0.2.9"), held("eth0", "192.0.2.10")]));
        assert_eq!(addresses.list().len(), 2);
    }
}
