//! Network interfaces, and what their addresses say about those of destinations.

/// The interfaces of a network namespace.
#[derive(Debug)]
pub(in crate::fake) struct Interfaces {
    interfaces: Vec<Interface>,
    /// Whether the namespace has a routing table: an interface with an IPv4 address was up.
    has_routes: bool,
}

/// A network interface.
#[derive(Debug)]
pub(in crate::fake) struct Interface {
    name: Vec<u8>,
    pub(in crate::fake) mtu: u32,
    pub(in crate::fake) up: bool,
    /// IPv4 addresses with the lengths of their prefixes.
    addresses: Vec<(u32, u32)>,
}

const LOOPBACK: &[u8] = b"lo";
const LOOPBACK_MTU: u32 = 65_536;
const LOOPBACK_ADDRESS: (u32, u32) = (0x7f00_0001, 8);

impl Interfaces {
    /// Those of a namespace that was just made: `lo`, which is down.
    pub(in crate::fake) fn new() -> Self {
        let mut interfaces = Self { interfaces: Vec::new(), has_routes: false };
        interfaces.set(LOOPBACK, LOOPBACK_MTU, false);
        interfaces.add_address(LOOPBACK, LOOPBACK_ADDRESS);
        interfaces
    }

    /// `lo`, which is up.
    pub(super) fn usual() -> Self {
        let mut interfaces = Self::new();
        interfaces.set(LOOPBACK, LOOPBACK_MTU, true);
        interfaces
    }

    pub(in crate::fake) fn find(&self, name: &[u8]) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// Adds or changes an interface.
    pub(in crate::fake) fn set(&mut self, name: &[u8], mtu: u32, up: bool) {
        match self.interfaces.iter_mut().find(|interface| interface.name == name) {
            Some(interface) => (interface.mtu, interface.up) = (mtu, up),
            None => {
                let name = name.to_vec();
                self.interfaces.push(Interface { name, mtu, up, addresses: Vec::new() });
            }
        }
        self.note_routes();
    }

    /// Adds an IPv4 address with the length of its prefix to an interface that exists.
    pub(in crate::fake) fn add_address(&mut self, name: &[u8], address: (u32, u32)) {
        if let Some(interface) = self.interfaces.iter_mut().find(|it| it.name == name) {
            interface.addresses.push(address);
        }
        self.note_routes();
    }

    fn note_routes(&mut self) {
        let now = self.addresses().next().is_some();
        self.has_routes |= now;
    }

    /// The addresses of the interfaces that are up.
    fn addresses(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let up = self.interfaces.iter().filter(|interface| interface.up);
        up.flat_map(|interface| interface.addresses.iter().copied())
    }

    /// Whether an IPv4 address is one of this host or of another one. Otherwise it is that of
    /// several hosts, or of none. Without routes, the kernel takes every address for a broadcast.
    ///
    /// Source: `fib_frontend.c:__inet_dev_addr_type`.
    pub(super) fn is_unicast(&self, address: u32) -> bool {
        let is_multicast = address & 0xf000_0000 == 0xe000_0000;
        let is_broadcast = |(host, prefix): (u32, u32)| {
            let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
            prefix < 31 && address == host | hosts
        };
        let is_reserved = matches!(address, 0 | u32::MAX) || is_multicast;
        !is_reserved && self.has_routes && !self.addresses().any(is_broadcast)
    }
}

impl Interface {
    pub(in crate::fake) fn is_loopback(&self) -> bool {
        self.name == LOOPBACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address([a, b, c, d]: [u8; 4]) -> u32 {
        u32::from_be_bytes([a, b, c, d])
    }

    #[test]
    fn broadcast_addresses_are_those_of_interfaces_that_are_up() {
        let mut interfaces = Interfaces::usual();
        interfaces.set(b"d0", 1500, true);
        interfaces.add_address(b"d0", (address([10, 9, 0, 1]), 24));
        interfaces.add_address(b"d0", (address([10, 8, 0, 1]), 32));
        for refused in [[0; 4], [10, 9, 0, 255], [127, 255, 255, 255], [224, 0, 0, 1], [255; 4]] {
            assert!(!interfaces.is_unicast(address(refused)), "{refused:?}");
        }
        let others = [[0, 1, 2, 3], [10, 9, 0, 0], [10, 9, 0, 1], [10, 8, 0, 1], [240, 0, 0, 1]];
        for accepted in others {
            assert!(interfaces.is_unicast(address(accepted)), "{accepted:?}");
        }
        interfaces.set(b"d0", 1500, false);
        assert!(interfaces.is_unicast(address([10, 9, 0, 255])));
        interfaces.set(LOOPBACK, LOOPBACK_MTU, false);
        assert!(interfaces.is_unicast(address([127, 255, 255, 255])));
        assert!(!Interfaces::new().is_unicast(address([10, 0, 0, 1])));
    }
}
