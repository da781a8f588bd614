//! Sorts like the original.
//!
//! The original compares numbers of 32 bits by the sign of their difference. 192.0.2.1 therefore
//! comes before 10.0.0.1, and three addresses can form a circle in which each comes before the
//! next. The result for a circle depends on the kernel's order and on the sorting algorithm, so
//! this is the original's algorithm: a merge sort of two halves.

use std::net::{IpAddr, SocketAddr};

use ipvs_netlink::{AddressFamily, DestinationEntry, ServiceEntry, ServiceId};

pub(crate) fn sort_services(entries: &mut Vec<(ServiceEntry, Vec<DestinationEntry>)>) {
    sort(entries, &|(a, _), (b, _)| {
        comes_first(&service_key(a.service.id), &service_key(b.service.id))
    });
}

/// Whether the kernel's order can change the order of the sorted destinations. It cannot without
/// a circle.
pub(crate) fn depends_on_order(entries: &[DestinationEntry]) -> bool {
    let addresses = || entries.iter().map(|entry| entry.destination.id.address.ip());
    let far_apart = |word: usize| {
        let words = || addresses().filter_map(|address| address_key(address).get(word).copied());
        words().max().unwrap_or(0) - words().min().unwrap_or(0) >= 1 << 31
    };
    let mixed = addresses().any(|ip| ip.is_ipv4()) && addresses().any(|ip| ip.is_ipv6());
    mixed || (0..4).any(far_apart)
}

pub(crate) fn sort_destinations(entries: &mut Vec<DestinationEntry>) {
    sort(entries, &|a, b| {
        let (a, b) = (a.destination.id.address, b.destination.id.address);
        let ([first, rest @ ..], [other, others @ ..]) = (address_key(a.ip()), address_key(b.ip()));
        let mut keys = vec![(first, other)];
        // The original compares one word if the first address is IPv4, even with an IPv6 address.
        if a.is_ipv6() {
            keys.extend(rest.into_iter().zip(others));
        }
        keys.push((a.port().into(), b.port().into()));
        let (a, b): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        comes_first(&a, &b)
    });
}

/// The numbers by which services are compared: firewall mark, family, protocol, address, port.
fn service_key(id: ServiceId) -> [u32; 8] {
    let family = match id.family() {
        AddressFamily::Ipv4 => 2,
        AddressFamily::Ipv6 => 10,
    };
    let (mark, protocol, address) = match id {
        ServiceId::Address { protocol, address } => (0, protocol.number(), Some(address)),
        ServiceId::Fwmark { mark, .. } => (mark, 0, None),
    };
    let [a, b, c, d] = address.map_or([0; 4], |address| address_key(address.ip()));
    let port = address.as_ref().map_or(0, SocketAddr::port);
    [mark, family, protocol.into(), a, b, c, d, port.into()]
}

fn address_key(address: IpAddr) -> [u32; 4] {
    match address {
        IpAddr::V4(v4) => [v4.to_bits(), 0, 0, 0],
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            #[allow(clippy::cast_possible_truncation, reason = "32 bits each are wanted")]
            [96, 64, 32, 0].map(|shift| (bits >> shift) as u32)
        }
    }
}

/// Whether `a`, which is before `b`, stays there.
fn comes_first(a: &[u32], b: &[u32]) -> bool {
    let mut differences = a.iter().zip(b).map(|(a, b)| a.wrapping_sub(*b));
    differences.find(|difference| *difference != 0).is_none_or(|difference| difference >> 31 == 1)
}

fn sort<T>(entries: &mut Vec<T>, comes_first: &impl Fn(&T, &T) -> bool) {
    if entries.len() < 2 {
        return;
    }
    let mut right = entries.split_off(entries.len() / 2);
    let mut left = std::mem::take(entries);
    sort(&mut left, comes_first);
    sort(&mut right, comes_first);
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    while let (Some(a), Some(b)) = (left.as_slice().first(), right.as_slice().first()) {
        entries.extend(if comes_first(a, b) { left.next() } else { right.next() });
    }
    entries.extend(left.chain(right));
}
