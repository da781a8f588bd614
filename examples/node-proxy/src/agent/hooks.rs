//! What the agent does on the node beside the table. [`agent`](crate::agent) says when each method is called.
//!
//! A part of the node is a field here, and a line or two in the methods that concern it.

use std::mem;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{Changes, Converter, ObjectName, VirtualService};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Event;

use super::RunArguments;
use super::failure::Failure;
use super::incoming::Incoming;
use super::order::Verdict;
use super::reports::Reports;
use crate::cluster::{Notice, TableCondition};
use crate::firewall::{Admission, Firewall};
use crate::host::Host;
use crate::serving::{NotServed, Serving, Wished};

/// The parts of the node beside the table.
#[derive(Debug)]
pub(super) struct Hooks {
    /// Addresses, sysctls and tracked flows.
    host: Host,
    /// Masquerades and filters.
    firewall: Firewall,
    serving: Serving,
    reports: Reports,
    condition: TableCondition,
}

impl Hooks {
    /// Begins, before the first write to the table. `first` is everything that the cluster has now, converted
    /// for a node with these addresses. An error ends the program, and nothing was written. `condition` is taken
    /// when nothing can fail any more.
    pub(super) async fn start(
        arguments: &RunArguments,
        first: &Changes,
        node_addresses: &[IpAddr],
        mut host: Host,
        serving: Serving,
        reports: Reports,
        condition: &mut TableCondition,
    ) -> Result<Self, Failure> {
        host.prepare(first).await?;
        let (elsewhere, now) = (host.held_elsewhere(), Instant::now());
        let firewall =
            Firewall::start(&arguments.firewall, first, node_addresses, elsewhere, now).await;
        serving.firewall(firewall.is_usable());
        Ok(Self { host, firewall, serving, reports, condition: mem::take(condition) })
    }

    /// Waits for notices of the watches and takes them in, for so long, or until a part of the node has done
    /// something for [`pass`](Self::pass).
    pub(super) async fn wait(&mut self, incoming: &mut Incoming, longest: Duration) {
        let Self { firewall, serving, reports, .. } = self;
        let noticed = |source, notice: &Notice| {
            reports.noticed(source, notice);
            serving.noticed(source, notice);
        };
        tokio::select! {
            () = incoming.wait(longest, noticed) => {}
            () = firewall.ended() => {}
        }
    }

    /// Takes in what changed of the conversion, before any of it is wished. `converter` has everything.
    pub(super) fn changed(&mut self, changes: &Changes, converter: &Converter, now: Instant) {
        self.reports.changed(changes, now);
        self.host.change(changes);
        self.serving.changed(changes, converter.options());
        let node_addresses = &converter.options().node_addresses;
        self.firewall.changed(changes, node_addresses, now);
    }

    /// Returns `true` if what was [taken in](Self::changed) last was for a node with these addresses.
    pub(super) fn are_for(&self, node_addresses: &[IpAddr]) -> bool {
        self.firewall.is_for(node_addresses)
    }

    /// Takes in that a service, or a part of it, is not served.
    pub(super) fn not_served(&mut self, service: &ObjectName, why: &str, now: Instant) {
        self.reports.not_served(service, why, now);
    }

    /// Takes in virtual services that the cluster has no more and that the kernel's table has never got.
    pub(super) fn absent(&mut self, ids: &[ServiceId]) {
        ids.iter().for_each(|id| self.firewall.left(*id));
    }

    /// Takes in what is not served.
    pub(super) fn unserved(&self, not_served: NotServed) {
        self.serving.unserved(not_served);
    }

    /// Takes in what was wished, before the next step of the controller.
    /// `is_open` says of which virtual services the controller is to tell an event.
    pub(super) fn wished(&mut self, wished: Wished, is_open: impl Fn(ServiceId) -> bool) {
        self.serving.wished(wished, is_open);
    }

    /// Takes in that a virtual service has waited for its first checks, and that the table has it already.
    pub(super) fn settled(&mut self, id: ServiceId) {
        self.serving.settled(id);
    }

    /// Returns whether a virtual service is to be wished now.
    pub(super) fn verdict(&self, service: &TableService, _facts: &VirtualService) -> Verdict {
        let family = service.id().family();
        if !self.host.forwards(family) {
            let reason = NotServed::NOT_FORWARDED;
            let why = format!("{family} came after the start, and its sysctls cannot be set");
            return Verdict::Refuse { reason, why };
        }
        match self.firewall.admission(service.id()) {
            Admission::Served => Verdict::Serve,
            Admission::Waits => Verdict::Hold,
            Admission::Refused(need) => Verdict::Refuse {
                reason: NotServed::NO_FIREWALL,
                why: format!("{need}, and there is none"),
            },
        }
    }

    /// Removes addresses before their virtual services leave.
    pub(super) async fn remove_addresses(&mut self, addresses: &[IpAddr]) {
        self.host.remove_addresses(addresses).await;
    }

    /// Adds addresses whose virtual services are in the kernel's table.
    pub(super) fn add_addresses(&mut self, addresses: &[IpAddr]) {
        self.host.add_addresses(addresses);
    }

    /// Takes in what happened to the table.
    pub(super) fn event(&mut self, event: &Event, converter: &Converter, now: Instant) {
        self.reports.event(event, converter, now);
        self.condition.event(event);
        self.serving.event(event);
        self.host.event(event);
        if let Event::Left(id) = event {
            self.firewall.left(*id);
        }
    }

    /// Takes in that the controller was stepped, whether everything is there that is wished, and whether it is known of
    /// everything else that it is to go.
    pub(super) fn stepped(&mut self, has_wishes: bool, is_complete: bool) {
        self.host.stepped(is_complete);
        if has_wishes {
            self.serving.synchronized();
        }
        if is_complete {
            self.condition.kept();
        }
        self.serving.firewall(self.firewall.is_usable());
        self.serving.waits();
    }

    /// Returns when [`pass`](Self::pass) has something to do.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let host = self.host.next(now);
        Some(self.firewall.due().map_or(host, |due| due.min(host)))
    }

    /// Lets time pass. It is called in every round.
    pub(super) async fn pass(&mut self, now: Instant) {
        self.serving.works();
        self.host.pass(now).await;
        self.serving.flows_cleaned(&self.host.take_cleaned());
        self.firewall.take_elsewhere(self.host.held_elsewhere());
        self.firewall.pass(now);
    }

    /// Returns the addresses of the node if they changed since this was called last.
    pub(super) fn take_node_addresses(&mut self) -> Option<Vec<IpAddr>> {
        self.host.take_node_addresses()
    }

    /// Ends. Ports are closed first, and then the condition is written for a short time.
    pub(super) async fn end(self) {
        let Self { host, firewall, serving, reports, condition } = self;
        drop((host, firewall, serving, reports));
        condition.end().await;
    }
}
