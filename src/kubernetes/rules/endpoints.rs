//! The endpoints of a service, joined over its slices.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use crate::kubernetes::objects::{Endpoint, EndpointPort, EndpointSlice};
use crate::kubernetes::rules::ports;
use crate::kubernetes::surroundings::Surroundings;
use crate::kubernetes::told::Told;
use crate::kubernetes::{Item, ObjectName, Reason, address};
use crate::model::{AddressFamily, Protocol};

/// An endpoint of a slice, with the defaults of its conditions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) address: IpAddr,
    pub(crate) ready: bool,
    pub(crate) serving: bool,
    pub(crate) terminating: bool,
    pub(crate) local: bool,
    pub(crate) endpoint: &'a Endpoint,
    /// The namespace of the slice.
    pub(crate) namespace: &'a str,
}

impl Member<'_> {
    /// Returns the pod behind the endpoint.
    pub(crate) fn pod(&self) -> Option<ObjectName> {
        let target = self.endpoint.target_ref.as_ref().filter(|target| target.kind == "Pod")?;
        let own = if target.namespace.is_empty() { self.namespace } else { &target.namespace };
        Some(ObjectName::new(own, &target.name))
    }
}

/// A port that some endpoints have.
#[derive(Clone, Debug)]
struct SlicePort<'a> {
    name: &'a str,
    protocol: Protocol,
    number: u16,
    slice: &'a EndpointSlice,
    members: Range<usize>,
}

/// An endpoint of one port of the service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) member: Member<'a>,
}

impl Candidate<'_> {
    /// Of an address in several slices, the endpoint with the highest standing counts.
    const fn standing(&self) -> (bool, bool, bool) {
        (!self.member.terminating, self.member.ready, self.member.serving)
    }
}

/// The endpoints of one family of a service.
#[derive(Debug)]
pub(crate) struct Joined<'a> {
    /// The endpoints of slices that have ports.
    members: Vec<Member<'a>>,
    /// By name and protocol, and then in the order of the slices.
    ports: Vec<SlicePort<'a>>,
}

impl<'a> Joined<'a> {
    /// Joins slices, which are in the order of their names.
    ///
    /// Source: `endpointslicecache.go:endpointInfoByServicePort, addEndpoints`.
    pub(crate) fn of(
        slices: impl Iterator<Item = &'a EndpointSlice>,
        family: AddressFamily,
        around: &Surroundings,
        told: &mut Told,
    ) -> Self {
        let mut joined = Self { members: Vec::new(), ports: Vec::new() };
        for slice in slices {
            if slice.ports.is_empty() {
                // The control plane writes such a slice, without endpoints, for a service that
                // selects no pods.
                if !slice.endpoints.is_empty() {
                    told.slice(slice, Item::Object, Reason::NoPorts);
                }
                continue;
            }
            let members = joined.add_members(slice, family, around, told);
            for port in &slice.ports {
                match read_port(port) {
                    Ok((protocol, number)) => joined.ports.push(SlicePort {
                        name: &port.name,
                        protocol,
                        number,
                        slice,
                        members: members.clone(),
                    }),
                    Err(reason) => told.slice(slice, Item::Port(port_label(port)), reason),
                }
            }
        }
        joined.ports.sort_by_key(|port| (port.name, port.protocol));
        joined
    }

    fn add_members(
        &mut self,
        slice: &'a EndpointSlice,
        family: AddressFamily,
        around: &Surroundings,
        told: &mut Told,
    ) -> Range<usize> {
        let first = self.members.len();
        let from = told.all.len();
        self.members.reserve(slice.endpoints.len());
        for endpoint in &slice.endpoints {
            let text = endpoint.addresses.first();
            let address = match text {
                None => Err(Reason::NoAddress),
                Some(text) => address::of_endpoint(text).map_err(Reason::from),
            };
            match address {
                Err(reason) => told.endpoint(slice, from, text, reason),
                Ok(address) if address::family(address) != family => {
                    told.endpoint(slice, from, text, Reason::OtherFamily);
                }
                Ok(address) => {
                    if endpoint.addresses.len() > 1 {
                        told.endpoint(slice, from, text, Reason::MoreAddresses);
                    }
                    let conditions = endpoint.conditions;
                    self.members.push(Member {
                        address,
                        ready: conditions.ready.unwrap_or(true),
                        serving: conditions.serving.unwrap_or(true),
                        terminating: conditions.terminating.unwrap_or(false),
                        local: around.is_local(endpoint.node_name.as_deref()),
                        endpoint,
                        namespace: slice.metadata.key().0,
                    });
                }
            }
        }
        first..self.members.len()
    }

    fn matching(&self, name: &str, protocol: Protocol) -> &[SlicePort<'a>] {
        let wanted = (name, protocol);
        let begin = self.ports.partition_point(|port| (port.name, port.protocol) < wanted);
        let rest = self.ports.get(begin..).unwrap_or_default();
        let end = rest.partition_point(|port| (port.name, port.protocol) == wanted);
        rest.get(..end).unwrap_or_default()
    }

    /// Returns how many endpoints a port has at most.
    pub(crate) fn count(&self, name: &str, protocol: Protocol) -> usize {
        let all = self.matching(name, protocol).iter();
        all.fold(0, |sum, port| sum.saturating_add(port.members.len()))
    }

    /// Returns how many endpoints are in slices that have other ports only.
    pub(crate) fn count_without(&self, name: &str, protocol: Protocol) -> usize {
        // A slice may have the port several times.
        let of_slice = |a: &SlicePort<'_>, b: &SlicePort<'_>| a.members == b.members;
        let slices = self.matching(name, protocol).chunk_by(of_slice);
        let with = slices.filter_map(<[_]>::first).map(|port| port.members.len()).sum();
        self.members.len().saturating_sub(with)
    }

    /// Returns the endpoints of a port, each address once, in order.
    pub(crate) fn candidates(&self, name: &str, protocol: Protocol) -> Vec<Candidate<'a>> {
        let matching = self.matching(name, protocol);
        let mut all = Vec::with_capacity(matching.iter().map(|port| port.members.len()).sum());
        for port in matching {
            let members = self.members.get(port.members.clone()).unwrap_or_default();
            let address = |member: &Member<'_>| SocketAddr::new(member.address, port.number);
            all.extend(members.iter().map(|it| Candidate { address: address(it), member: *it }));
        }
        all.sort_by_key(|candidate| candidate.address);
        all.dedup_by(|later, kept| {
            let same = later.address == kept.address;
            if same && later.standing() > kept.standing() {
                *kept = *later;
            }
            same
        });
        all
    }

    /// Tells of ports of slices that the service does not have.
    pub(crate) fn tell_unknown_ports(&self, ports: &[ports::Port<'_>], told: &mut Told) {
        if self.ports.is_empty() {
            return;
        }
        if let ([own], [only]) = (ports, self.ports.as_slice()) {
            if (own.name, own.protocol) == (only.name, only.protocol) {
                return;
            }
        }
        let mut known: Vec<_> = ports.iter().map(|port| (port.name, port.protocol)).collect();
        known.sort_unstable();
        for port in &self.ports {
            if known.binary_search(&(port.name, port.protocol)).is_err() {
                let label = ports::label(port.name, port.number.into());
                told.slice(port.slice, Item::Port(label), Reason::NoSuchPort);
            }
        }
    }
}

fn read_port(port: &EndpointPort) -> Result<(Protocol, u16), Reason> {
    let number = match port.port {
        None | Some(0) => return Err(Reason::NoPortNumber),
        Some(number) => address::port("ports.port", number)?,
    };
    Ok((ports::protocol(&port.protocol)?, number))
}

fn port_label(port: &EndpointPort) -> String {
    ports::label(&port.name, port.port.unwrap_or_default())
}
