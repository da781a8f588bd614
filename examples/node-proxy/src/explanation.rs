//! What became of a service, and why.

mod endpoints;

use std::fmt;

use ipvs_netlink::kubernetes::{
    Converted, EndpointSlice, Exposure, Item, ObjectKind, Service, ServicePort, Skipped,
    VirtualService,
};
use ipvs_netlink::table::{Table, TableService};

use self::endpoints::EndpointFate;
use crate::arguments::Subject;
use crate::manifests::Objects;

/// What became of a service, or of one of its ports.
pub(crate) struct Explanation<'c> {
    subject: &'c Subject,
    /// The virtual services, with their entries in the table.
    served: Vec<(&'c TableService, &'c VirtualService)>,
    endpoints: Vec<EndpointFate<'c>>,
    skipped: Vec<&'c Skipped>,
}

impl<'c> Explanation<'c> {
    /// Returns `None` if there is no such service or port. `node` is the name of the own node.
    pub(crate) fn of(
        subject: &'c Subject,
        objects: &'c Objects,
        converted: &'c Converted,
        node: &str,
    ) -> Option<Self> {
        let name = &subject.service;
        let service = objects.services.iter().rfind(|it| it.metadata.object_name() == *name)?;
        let port = match &subject.port {
            Some(text) => Some(find(service, text)?),
            None => None,
        };
        let of_port = |facts: &VirtualService| port.is_none_or(|it| *it.name == *facts.port);
        let served = converted.virtual_services.iter();
        let served: Vec<_> = served
            .filter(|(_, facts)| facts.service == *name && of_port(facts))
            .filter_map(|(id, facts)| Some((converted.table.get(*id)?, facts)))
            .collect();
        let is_own = |slice: &&EndpointSlice| {
            let slice_name = slice.metadata.object_name();
            slice.service() == Some(name.name()) && slice_name.namespace() == name.namespace()
        };
        let slices: Vec<_> = objects.slices.iter().filter(is_own).collect();
        let about = |skipped: &&Skipped| match skipped.kind {
            ObjectKind::Service => skipped.name == *name,
            ObjectKind::EndpointSlice => {
                slices.iter().any(|slice| slice.metadata.object_name() == skipped.name)
            }
            _ => false,
        };
        let skipped = converted.skipped.iter().filter(about);
        Some(Self {
            subject,
            endpoints: slices.iter().flat_map(|it| EndpointFate::all(it, &served, node)).collect(),
            served,
            skipped: skipped.filter(|it| port.is_none_or(|port| may_concern(it, port))).collect(),
        })
    }
}

/// Finds a port by its name or number.
fn find<'s>(service: &'s Service, text: &str) -> Option<&'s ServicePort> {
    let ports = &service.spec.ports;
    let number = text.parse::<i32>().ok();
    let named = ports.iter().find(|port| port.name == text);
    named.or_else(|| ports.iter().find(|port| Some(port.port) == number))
}

/// Returns `false` if something that was left out is of another port.
fn may_concern(skipped: &Skipped, port: &ServicePort) -> bool {
    match &skipped.item {
        Item::Port(label) | Item::Endpoints(label) => {
            *label == port.name || *label == port.port.to_string()
        }
        _ => true,
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.served.len();
        let plural = if count == 1 { "" } else { "s" };
        writeln!(f, "{}: {count} virtual service{plural}", self.subject)?;
        for (entry, facts) in &self.served {
            let exposure = match facts.exposure {
                Exposure::ClusterIp => "cluster IP",
                Exposure::LoadBalancer => "address of the load balancer",
                Exposure::NodePort => "node port",
                Exposure::ExternalIp => "external IP",
                _ => "another exposure",
            };
            write!(f, "  {}: {exposure}", entry.id())?;
            if !facts.port.is_empty() {
                write!(f, ", port {}", facts.port.escape_debug())?;
            }
            if facts.local_only {
                write!(f, ", traffic policy Local, local endpoints: {}", facts.local_endpoints)?;
            }
            writeln!(f)?;
            let table: Table = [(*entry).clone()].into_iter().collect();
            for line in table.to_string().lines() {
                writeln!(f, "    {line}")?;
            }
            if entry.destinations().len() == 0 {
                writeln!(f, "    no endpoints: connections are refused")?;
            }
        }
        if !self.endpoints.is_empty() {
            writeln!(f, "  endpoints:")?;
        }
        for endpoint in &self.endpoints {
            writeln!(f, "    {endpoint}")?;
        }
        if !self.skipped.is_empty() {
            writeln!(f, "  left out:")?;
        }
        for skipped in &self.skipped {
            writeln!(f, "    {skipped}")?;
        }
        Ok(())
    }
}
