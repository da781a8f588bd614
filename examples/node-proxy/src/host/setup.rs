use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::AddressFamily;
use ipvs_netlink::kubernetes::Changes;
use ipvs_netlink::table::controller::Event;

use super::arguments::HostArguments;
use super::binding::{Binding, Findings, Held};
use super::conntrack::{Cleaned, Cleaner, Stale};
use super::few::Few;
use super::interface::{Interface, InterfaceError, Outcome, Reading};
use super::node_addresses::NodeAddresses;
use super::sysctl::{Needs, Sysctls, SysctlsError, version};
use super::{SYSCTLS, StateFolder};
use crate::log;

/// The interface of kube-proxy in its ipvs mode. Its addresses are those of services.
const KUBE_PROXY: &str = "kube-ipvs0";

/// How often the addresses of all interfaces are read.
const LOOK: Duration = Duration::from_secs(60);

/// The most addresses that one step adds or removes. Changes of the table wait for a step: with 128, a change waits
/// eight times longer while 10,000 addresses come than with 32, which cost 4 % more in all.
const STEP: usize = 32;

/// Why the host cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HostError(Failure);

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    #[error(transparent)]
    Sysctls(#[from] SysctlsError),
}

impl<E: Into<Failure>> From<E> for HostError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// What a node proxy keeps on its host beside the table.
///
/// [`open`](Self::open) comes first, then [`prepare`](Self::prepare) before the first write to the table. From then
/// on the agent says what changes, and calls [`pass`](Self::pass) at the time that [`next`](Self::next) names.
#[derive(Debug)]
pub struct Host {
    interface: Interface,
    binding: Binding,
    /// The addresses of other interfaces, kube-proxy's apart.
    elsewhere: BTreeSet<IpAddr>,
    node_addresses: NodeAddresses,
    /// The addresses of the node changed, and nobody has asked for them since.
    node_addresses_changed: bool,
    sysctls: Sysctls,
    needs: Needs,
    /// The families that came later, and whose sysctls could not be set.
    not_forwarded: Vec<AddressFamily>,
    stale: Stale,
    cleaner: Cleaner,
    /// What was done about stale flows, and nobody has asked for since.
    cleaned: Vec<Cleaned>,
    /// When the addresses are read again.
    look_at: Instant,
    /// Everything has been there that the table is to have.
    settled: bool,
    /// What failed last, so that it is told once.
    trouble: Option<String>,
}

impl Host {
    /// Opens what is needed, and reads the addresses of all interfaces. Changes nothing.
    ///
    /// # Errors
    ///
    /// The interface of the name is no dummy interface, the kernel gives no socket or no list, or `/proc` is not
    /// mounted.
    pub async fn open(arguments: &HostArguments, now: Instant) -> Result<Self, HostError> {
        let stored = StateFolder::new(&arguments.place.state_dir).file(SYSCTLS);
        let mut host = Self {
            interface: Interface::open(&arguments.place.interface)?,
            binding: Binding::default(),
            elsewhere: BTreeSet::new(),
            node_addresses: NodeAddresses::default(),
            node_addresses_changed: false,
            sysctls: Sysctls::open(stored, arguments.keep_sysctls)?,
            needs: Needs {
                ipv4: false,
                ipv6: false,
                strict_arp: arguments.strict_arp,
                kernel: version(&rustix::system::uname().release().to_string_lossy()),
            },
            not_forwarded: Vec::new(),
            stale: Stale::new(now),
            cleaner: Cleaner::default(),
            cleaned: Vec::new(),
            look_at: after(now, LOOK),
            settled: false,
            trouble: None,
        };
        let reading = host.interface.read().await?;
        host.take(&reading);
        host.node_addresses_changed = false;
        Ok(host)
    }

    /// Returns the addresses of the node as the last reading showed them, in order: those of all interfaces but the
    /// own one, kube-proxy's and those of other programs of this kind, without loopback and link-local IPv6 addresses.
    #[must_use]
    pub fn node_addresses(&self) -> Vec<IpAddr> {
        self.node_addresses.list()
    }

    /// Returns the addresses of the node if they changed since this was called last.
    pub fn take_node_addresses(&mut self) -> Option<Vec<IpAddr>> {
        std::mem::take(&mut self.node_addresses_changed).then(|| self.node_addresses.list())
    }

    /// Returns what was done about stale UDP flows since this was called last.
    pub fn take_cleaned(&mut self) -> Vec<Cleaned> {
        std::mem::take(&mut self.cleaned)
    }

    /// Returns the addresses that other interfaces hold, kube-proxy's apart, in order. Ports without a service may be
    /// those of other programs there.
    pub fn held_elsewhere(&self) -> impl Iterator<Item = IpAddr> + Clone {
        self.elsewhere.iter().copied()
    }

    /// Tells which sysctls would be changed for a first conversion. Changes nothing.
    ///
    /// # Errors
    ///
    /// A sysctl cannot be read.
    pub fn compare(&self, first: &Changes) -> Result<(), HostError> {
        Ok(self.sysctls.compare(needs(self.needs, first), log::line)?)
    }

    /// Sets the sysctls that a first conversion needs and the interface up, and removes the addresses that an
    /// earlier run has left and that the conversion does not ask for. To be called before the first write to
    /// the table.
    ///
    /// # Errors
    ///
    /// A sysctl cannot be set, or the interface cannot be created.
    pub async fn prepare(&mut self, first: &Changes) -> Result<(), HostError> {
        self.needs = needs(self.needs, first);
        self.sysctls.set(self.needs, log::line)?;
        let reading = self.read_or_create().await?;
        self.tell_aliased(&reading.aliased);
        self.binding.spare(&first.addresses_added);
        self.remove(usize::MAX).await;
        Ok(())
    }

    /// Returns `false` if the node may not forward packets to endpoints of a family, since a sysctl could not be set
    /// when the first service of it came.
    #[must_use]
    pub fn forwards(&self, family: AddressFamily) -> bool {
        !self.not_forwarded.contains(&family)
    }

    /// Takes in what a conversion changed, before it is wished.
    pub fn change(&mut self, changes: &Changes) {
        let (before, needs) = (self.needs, needs(self.needs, changes));
        if needs != before {
            self.needs = needs;
            if let Err(error) = self.sysctls.set(needs, log::line) {
                log::line(error);
                let ipv4 = (needs.ipv4 && !before.ipv4).then_some(AddressFamily::Ipv4);
                let ipv6 = (needs.ipv6 && !before.ipv6).then_some(AddressFamily::Ipv6);
                self.not_forwarded.extend(ipv4.into_iter().chain(ipv6));
            }
        }
        for (service, _) in &changes.set {
            self.stale.change(service);
        }
        for id in &changes.removed {
            self.stale.forget(*id);
        }
    }

    /// Removes addresses. They are gone when this returns, or the log has the reason.
    pub async fn remove_addresses(&mut self, addresses: &[IpAddr]) {
        self.binding.unwant(addresses);
        self.remove(usize::MAX).await;
    }

    /// Adds addresses, in [`pass`](Self::pass).
    pub fn add_addresses(&mut self, addresses: &[IpAddr]) {
        let elsewhere = self.binding.want(addresses);
        self.tell_elsewhere(&elsewhere);
    }

    /// Takes in what the controller did.
    pub fn event(&mut self, event: &Event) {
        if let Event::Settled(id) = event {
            self.stale.settled(*id);
        }
    }

    /// Takes in whether everything is there that the table is to have.
    pub const fn stepped(&mut self, settled: bool) {
        self.settled |= settled;
    }

    /// Returns when [`pass`](Self::pass) has something to do.
    #[must_use]
    pub fn next(&self, now: Instant) -> Instant {
        let stale = self.stale.next();
        let next = stale.map_or(self.look_at, |at| at.min(self.look_at));
        if self.binding.has_work() { now } else { next }
    }

    /// Does what is due: a short part of it, if there is much.
    pub async fn pass(&mut self, now: Instant) {
        if now >= self.look_at {
            self.look_at = after(now, LOOK);
            if let Err(error) = self.look().await {
                self.trouble(error.to_string());
            }
        }
        self.remove(STEP).await;
        let missing = self.binding.take_to_add(STEP);
        if !missing.is_empty() {
            let outcomes = self.interface.add(missing).await;
            let added = self.successes("add", outcomes);
            added.into_iter().for_each(|it| self.binding.added(it));
        }
        if self.stale.next().is_some_and(|at| at <= now) {
            let (cleaned, outcome) = self.cleaner.clean(&self.stale).await;
            self.stale.looked(outcome.is_ok(), now);
            let flows: usize = cleaned.iter().map(|it| it.deleted).sum();
            self.cleaned.extend(cleaned);
            if flows > 0 {
                log::line(format_args!("conntrack: {flows} stale UDP flows deleted"));
            }
            if let Err(error) = outcome {
                self.trouble(format!("conntrack: stale UDP flows stay: {error}"));
            }
        }
    }

    async fn look(&mut self) -> Result<(), InterfaceError> {
        if self.settled {
            self.binding.spare_none();
        }
        self.read_or_create().await.map(drop)
    }

    /// Reads the addresses of all interfaces, and makes the own one if it is not there or not as it should be.
    async fn read_or_create(&mut self) -> Result<Reading, InterfaceError> {
        let mut reading = self.interface.read().await?;
        if !reading.present {
            // What others have counts, whatever becomes of the own one.
            self.take(&reading);
            self.interface.create().await?;
            log::line(format_args!("interface {}: is set up now", self.interface.name()));
            reading = self.interface.read().await?;
        }
        self.take(&reading);
        Ok(reading)
    }

    fn take(&mut self, reading: &Reading) {
        let Reading { own, others, aliased, .. } = reading;
        let others = others.iter().filter(|it| it.interface != KUBE_PROXY);
        self.elsewhere = others.clone().map(|it| it.address).collect();
        // Interfaces with addresses of services go when their programs are removed.
        let lasting = others.filter(|it| !aliased.contains(&it.interface));
        let Findings { removed, elsewhere } = self.binding.read(own, lasting.clone());
        let name = self.interface.name();
        if !removed.is_empty() {
            let few = Few(&removed);
            log::line(format_args!("interface {name}: another program removed {few}"));
        }
        self.tell_elsewhere(&elsewhere);
        let name = self.interface.name().as_str();
        let nodes = lasting.filter(|it| it.interface != name);
        self.node_addresses_changed |= self.node_addresses.read(nodes);
    }

    fn tell_aliased(&self, aliased: &BTreeSet<String>) {
        for name in aliased {
            log::line(format_args!(
                "interface {name}: is of another node-proxy, or of a former --interface; remove it when this one \
                 serves, if no other uses it: ip link delete {name}"
            ));
        }
    }

    fn tell_elsewhere(&self, elsewhere: &[Held]) {
        if !elsewhere.is_empty() {
            let (name, few) = (self.interface.name(), Few(elsewhere));
            log::line(format_args!("interface {name}: does not get what another one has: {few}"));
        }
    }

    async fn remove(&mut self, most: usize) {
        let unwanted = self.binding.take_to_remove(most);
        if !unwanted.is_empty() {
            let outcomes = self.interface.remove(unwanted).await;
            let removed = self.successes("remove", outcomes);
            removed.into_iter().for_each(|it| self.binding.removed(it));
        }
    }

    /// Tells the failures of a batch, and returns the addresses of the successes.
    fn successes(&mut self, verb: &str, outcomes: Vec<Outcome>) -> Vec<IpAddr> {
        let mut done = Vec::with_capacity(outcomes.len());
        let mut failed: Vec<(IpAddr, io::Error)> = Vec::new();
        for (address, outcome) in outcomes {
            match outcome {
                Ok(()) => done.push(address),
                Err(error) => failed.push((address, error)),
            }
        }
        if let Some((_, error)) = failed.first() {
            let addresses: Vec<IpAddr> = failed.iter().map(|(address, _)| *address).collect();
            let (name, few) = (self.interface.name(), Few(&addresses));
            self.trouble(format!("interface {name}: cannot {verb} {few}: {error}"));
        }
        done
    }

    /// Tells a failure that may repeat each minute once.
    fn trouble(&mut self, text: String) {
        if self.trouble.as_ref() != Some(&text) {
            log::line(&text);
            self.trouble = Some(text);
        }
    }
}

fn needs(before: Needs, changes: &Changes) -> Needs {
    let has = |family| changes.set.iter().any(|(service, _)| service.id().family() == family);
    Needs {
        ipv4: before.ipv4 || has(AddressFamily::Ipv4),
        ipv6: before.ipv6 || has(AddressFamily::Ipv6),
        ..before
    }
}

fn after(now: Instant, pause: Duration) -> Instant {
    now.checked_add(pause).unwrap_or(now)
}
