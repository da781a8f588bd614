//! Decides which addresses the interface gets and loses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

/// The addresses that the interface is to have, and those that it has.
///
/// The agent says when an address is to come and to go. An address that another interface of the host holds is
/// left alone.
///
/// Source: `pkg/proxy/ipvs/proxier.go:syncService, cleanLegacyBindAddr`.
#[derive(Debug, Default)]
pub(crate) struct Binding {
    wanted: BTreeSet<IpAddr>,
    /// Addresses that an earlier run may have added, and that are wanted as soon as their services serve.
    spared: BTreeSet<IpAddr>,
    /// The addresses of the interface.
    bound: BTreeSet<IpAddr>,
    /// The addresses of other interfaces at the last reading.
    others: BTreeMap<IpAddr, Held>,
    /// Wanted addresses of other interfaces that have been told.
    told: BTreeSet<IpAddr>,
    /// What follows: the addresses that are to be added now.
    to_add: BTreeSet<IpAddr>,
    /// What follows: the addresses that are to be removed now.
    to_remove: BTreeSet<IpAddr>,
}

/// An address of an interface of the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    /// The address.
    pub(crate) address: IpAddr,
    /// The name of the interface.
    pub(crate) interface: String,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (interface {})", self.address, self.interface)
    }
}

/// What a reading showed that the log should have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Wanted addresses that another program removed from the interface.
    pub(crate) removed: Vec<IpAddr>,
    /// Wanted addresses that other interfaces hold.
    pub(crate) elsewhere: Vec<Held>,
}

impl Binding {
    /// Begins. These addresses stay if the interface has them, because they are wanted soon. All others that it
    /// has are to be removed.
    pub(crate) fn spare(&mut self, addresses: &[IpAddr]) {
        self.spared = addresses.iter().copied().collect();
        self.place_all();
    }

    /// Ends what [`spare`](Self::spare) has begun: what is not wanted by now is not going to be.
    pub(crate) fn spare_none(&mut self) {
        if !std::mem::take(&mut self.spared).is_empty() {
            self.place_all();
        }
    }

    /// Addresses are wanted from now on. Returns those of them that other interfaces hold, if that is new.
    pub(crate) fn want(&mut self, addresses: &[IpAddr]) -> Vec<Held> {
        for address in addresses {
            self.wanted.insert(*address);
            self.place(*address);
        }
        let held = addresses.iter().filter_map(|address| self.others.get(address));
        let (told, bound) = (&mut self.told, &self.bound);
        let waits = held.filter(|it| !bound.contains(&it.address));
        waits.filter(|it| told.insert(it.address)).cloned().collect()
    }

    /// Addresses are wanted no more.
    pub(crate) fn unwant(&mut self, addresses: &[IpAddr]) {
        for address in addresses {
            self.wanted.remove(address);
            self.spared.remove(address);
            self.told.remove(address);
            self.place(*address);
        }
    }

    /// Takes in the addresses of the own interface, and of all others that keep theirs. Returns what is new, in order.
    pub(crate) fn read<'a>(
        &mut self,
        own: &[IpAddr],
        others: impl IntoIterator<Item = &'a Held>,
    ) -> Findings {
        let bound: BTreeSet<IpAddr> = own.iter().copied().filter(|it| counts(*it)).collect();
        let lost = self.bound.difference(&bound).filter(|it| self.wanted.contains(it));
        let removed = lost.copied().collect();
        self.bound = bound;
        self.others = others.into_iter().map(|it| (it.address, it.clone())).collect();
        self.told.retain(|it| self.others.contains_key(it));
        self.place_all();
        let wanted: Vec<IpAddr> = self.wanted.iter().copied().collect();
        Findings { removed, elsewhere: self.want(&wanted) }
    }

    /// Takes at most so many addresses that are to be removed now, in order. Each is an attempt: the next one is
    /// after the next reading, unless [`removed`](Self::removed) is told.
    pub(crate) fn take_to_remove(&mut self, most: usize) -> Vec<IpAddr> {
        take(&mut self.to_remove, most)
    }

    /// Takes at most so many addresses that are to be added now, in order. Each is an attempt: the next one is
    /// after the next reading, unless [`added`](Self::added) is told.
    pub(crate) fn take_to_add(&mut self, most: usize) -> Vec<IpAddr> {
        take(&mut self.to_add, most)
    }

    /// Returns `true` if an address is to be added or removed now.
    pub(crate) fn has_work(&self) -> bool {
        !self.to_add.is_empty() || !self.to_remove.is_empty()
    }

    /// The interface has an address now.
    pub(crate) fn added(&mut self, address: IpAddr) {
        self.bound.insert(address);
        self.place(address);
    }

    /// The interface does not have an address any more.
    pub(crate) fn removed(&mut self, address: IpAddr) {
        self.bound.remove(&address);
        self.place(address);
    }

    fn place_all(&mut self) {
        self.to_add.clear();
        self.to_remove.clear();
        let all: Vec<IpAddr> = self.wanted.union(&self.bound).copied().collect();
        all.into_iter().for_each(|address| self.place(address));
    }

    /// Decides anew what becomes of an address.
    fn place(&mut self, address: IpAddr) {
        let wanted = self.wanted.contains(&address);
        let bound = self.bound.contains(&address);
        let free = !self.others.contains_key(&address);
        set(&mut self.to_add, address, wanted && !bound && free);
        set(&mut self.to_remove, address, bound && !wanted && !self.spared.contains(&address));
    }
}

/// The kernel gives each interface that is up a link-local IPv6 address by itself.
fn counts(address: IpAddr) -> bool {
    !matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

fn set(addresses: &mut BTreeSet<IpAddr>, address: IpAddr, present: bool) {
    if present {
        addresses.insert(address);
    } else {
        addresses.remove(&address);
    }
}

fn take(addresses: &mut BTreeSet<IpAddr>, most: usize) -> Vec<IpAddr> {
    std::iter::from_fn(|| addresses.pop_first()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 1000;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn held(address: &str) -> Held {
        Held { address: ip(address), interface: "eth0".to_owned() }
    }

    #[test]
    fn addresses_come_and_go_as_they_are_wanted() {
        let [a, b] = [ip("10.96.0.1"), ip("2001:db8::1")];
        let mut binding = Binding::default();
        binding.want(&[a, b]);
        assert_eq!(binding.take_to_add(1), [a]);
        binding.added(a);
        assert_eq!(binding.take_to_add(MANY), [b]);
        binding.added(b);
        assert!(!binding.has_work());
        binding.unwant(&[b]);
        assert_eq!(binding.take_to_remove(MANY), [b]);
        binding.removed(b);
        assert!(!binding.has_work());
    }

    #[test]
    fn after_a_restart_only_the_difference_is_written() {
        let [a, b, c, d] = ["10.96.0.1", "10.96.0.2", "10.96.0.3", "10.96.0.4"].map(ip);
        let mut binding = Binding::default();
        binding.read(&[a, c, d, ip("fe80::1")], &[]);
        binding.spare(&[a, b, d]);
        assert_eq!(binding.take_to_remove(MANY), [c]);
        binding.removed(c);
        assert!(!binding.has_work());
        binding.want(&[a, b]);
        assert_eq!(binding.take_to_add(MANY), [b]);
        binding.added(b);
        binding.spare_none();
        assert_eq!(binding.take_to_remove(MANY), [d], "its services were refused");
    }

    #[test]
    fn an_address_of_another_interface_is_left_alone_and_told_once() {
        let a = ip("10.96.0.1");
        let mut binding = Binding::default();
        let others = [held("10.96.0.1"), held("192.0.2.1")];
        assert_eq!(binding.read(&[], &others), Findings::default());
        assert_eq!(binding.want(&[a]), [held("10.96.0.1")]);
        assert!(!binding.has_work());
        assert_eq!(binding.read(&[], &others), Findings::default());
        assert_eq!(binding.read(&[], &[]), Findings::default());
        assert_eq!(binding.take_to_add(MANY), [a]);
        assert_eq!(binding.read(&[], &others).elsewhere, [held("10.96.0.1")]);
        assert!(!binding.has_work());
    }

    #[test]
    fn an_own_address_that_another_interface_gets_too_stays() {
        let a = ip("10.96.0.1");
        let mut binding = Binding::default();
        binding.want(&[a]);
        assert_eq!(binding.read(&[a], &[held("10.96.0.1")]), Findings::default());
        assert!(!binding.has_work());
    }

    #[test]
    fn an_address_that_another_program_removes_comes_back() {
        let a = ip("10.96.0.1");
        let mut binding = Binding::default();
        binding.want(&[a]);
        binding.added(a);
        assert_eq!(binding.read(&[], &[]).removed, [a]);
        assert_eq!(binding.take_to_add(MANY), [a]);
    }

    #[test]
    fn what_the_kernel_refused_is_tried_after_the_next_reading() {
        let a = ip("10.96.0.1");
        let mut binding = Binding::default();
        binding.want(&[a]);
        assert_eq!(binding.take_to_add(MANY), [a]);
        assert!(!binding.has_work());
        binding.read(&[], &[]);
        assert_eq!(binding.take_to_add(MANY), [a]);
    }
}
