use crate::uapi::{AF_INET, AF_INET6};

/// Buckets of each of the two tables of services, up to Linux 7.0.
pub(in crate::fake) const BUCKETS: usize = 256;

/// `IPPROTO_TCP`, which the kernel stores for services with a firewall mark.
pub(in crate::fake) const TCP: u16 = 6;

/// An address as the kernel stores it: IPv4 in the first four bytes, zeros behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::fake) struct Address(u128);

impl Address {
    pub(in crate::fake) fn new(family: u16, bytes: [u8; 16]) -> Self {
        let [a, b, c, d, ..] = bytes;
        let stored = match family {
            AF_INET6 => bytes,
            _ => [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        Self(u128::from_ne_bytes(stored))
    }

    pub(in crate::fake) const fn bytes(self) -> [u8; 16] {
        self.0.to_ne_bytes()
    }
}

/// The identity of a service. A firewall mark of 0 means that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::fake) struct ServiceKey {
    pub(in crate::fake) space: usize,
    pub(in crate::fake) family: u16,
    pub(in crate::fake) protocol: u16,
    pub(in crate::fake) port: u16,
    pub(in crate::fake) mark: u32,
    pub(in crate::fake) address: Address,
}

impl ServiceKey {
    /// The place of the service's bucket: first those of addresses, then those of marks.
    ///
    /// `seed` is the part of an address in the kernel's memory that goes into the hash.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_svc_hashkey` and `ip_vs_svc_fwm_hashkey`.
    pub(super) fn bucket(&self, seed: u8) -> usize {
        let [.., mark_low] = self.mark.to_be_bytes();
        if self.mark != 0 {
            return BUCKETS + usize::from(mark_low ^ seed);
        }
        let bytes = self.address.bytes();
        let folded = match self.family {
            AF_INET => bytes.iter().take(4).skip(3),
            _ => bytes.iter().take(16).skip(3),
        };
        let address = folded.step_by(4).fold(0, |sum, byte| sum ^ byte);
        let [port_high, port_low] = self.port.to_be_bytes();
        let [_, protocol] = self.protocol.to_be_bytes();
        usize::from(protocol ^ address ^ seed ^ port_high ^ port_low)
    }
}

/// The identity of a destination in its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::fake) struct DestinationKey {
    pub(in crate::fake) family: u16,
    pub(in crate::fake) port: u16,
    pub(in crate::fake) address: Address,
}
