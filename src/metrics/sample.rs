use std::fmt;
use std::net::IpAddr;

use crate::metrics::Histogram;
use crate::model::{AddressFamily, DestinationId, Protocol, ServiceId};
use crate::table::Labels;

/// One value of a [`Family`](super::Family), with its labels.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    pub(super) netns: Option<&'a str>,
    pub(super) service: Option<ServiceId>,
    pub(super) destination: Option<DestinationId>,
    pub(super) more: &'a [Label<'a>],
    pub(super) own: Option<&'a Labels>,
    pub(super) value: Value<'a>,
}

/// A label of a [`Sample`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label<'a> {
    /// The name, which is ASCII and a valid name in Prometheus.
    pub name: &'a str,
    /// The value.
    pub value: LabelValue<'a>,
}

impl<'a> Label<'a> {
    pub(super) const fn new(name: &'a str, value: LabelValue<'a>) -> Self {
        Self { name, value }
    }

    pub(super) const fn text(name: &'a str, value: &'a str) -> Self {
        Self { name, value: LabelValue::Text(value) }
    }
}

impl<'a> Sample<'a> {
    pub(super) const fn new(netns: Option<&'a str>, value: Value<'a>) -> Self {
        Self { netns, service: None, destination: None, more: &[], own: None, value }
    }

    pub(super) const fn with(self, more: &'a [Label<'a>]) -> Self {
        Self { more, ..self }
    }

    /// Returns the value.
    #[must_use]
    pub const fn value(&self) -> Value<'a> {
        self.value
    }

    /// Returns the service that was measured, or `None` for a sample of a whole namespace.
    #[must_use]
    pub const fn service(&self) -> Option<ServiceId> {
        self.service
    }

    /// Returns the destination that was measured, or `None`.
    #[must_use]
    pub const fn destination(&self) -> Option<DestinationId> {
        self.destination
    }

    /// Yields the labels. Each name occurs once. No value is empty, because an empty value means to
    /// monitoring systems that the label is not there.
    pub fn labels(&self) -> impl Iterator<Item = Label<'a>> + use<'a> {
        let destination = self.destination.map(destination_labels).into_iter().flatten();
        let labels = self.shared_labels().chain(destination).chain(self.more.iter().copied());
        labels.filter(|label| !label.value.is_empty())
    }

    /// Yields the labels that all destinations of a service have.
    pub(super) fn shared_labels(&self) -> impl Iterator<Item = Label<'a>> + use<'a> {
        let netns = self.netns.map(|name| Label::text("netns", name));
        let own = self.own.into_iter().flat_map(Labels::iter);
        let own = own.map(|(name, text)| Label::text(name, text));
        let service = self.service.map(service_labels).into_iter().flatten().flatten();
        netns.into_iter().chain(own).chain(service)
    }
}

/// The labels of a service: `protocol`, `address` and `port`, or `fwmark` and `family`.
const fn service_labels(id: ServiceId) -> [Option<Label<'static>>; 3] {
    match id {
        ServiceId::Address { protocol, address } => [
            Some(Label::new("protocol", LabelValue::Protocol(protocol))),
            Some(Label::new("address", LabelValue::Address(address.ip()))),
            Some(Label::new("port", LabelValue::Number(address.port() as u64))),
        ],
        ServiceId::Fwmark { mark, family } => [
            Some(Label::new("fwmark", LabelValue::Number(mark as u64))),
            Some(Label::new("family", LabelValue::Family(family))),
            None,
        ],
    }
}

pub(super) const fn destination_labels(id: DestinationId) -> [Label<'static>; 2] {
    [
        Label::new("real_address", LabelValue::Address(id.address.ip())),
        Label::new("real_port", LabelValue::Number(id.address.port() as u64)),
    ]
}

/// The value of a label. `Display` prints it without escapes of any format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelValue<'a> {
    /// Text. It may hold any character: a text format has to escape it.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// An address, without a port.
    Address(IpAddr),
    /// A protocol, such as `TCP` or `IP_50`.
    Protocol(Protocol),
    /// An address family: `IPv4` or `IPv6`.
    Family(AddressFamily),
}

impl LabelValue<'_> {
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl fmt::Display for LabelValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Address(address) => address.fmt(f),
            Self::Protocol(protocol) => protocol.fmt(f),
            Self::Family(AddressFamily::Ipv4) => f.write_str("IPv4"),
            Self::Family(AddressFamily::Ipv6) => f.write_str("IPv6"),
        }
    }
}

/// The value of a [`Sample`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A whole number.
    Integer(u64),
    /// Another number, which is finite.
    Float(f64),
    /// A distribution.
    Histogram(&'a Histogram),
}
