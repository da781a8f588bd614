//! The ports of a service.

use std::collections::BTreeSet;

use crate::kubernetes::address;
use crate::kubernetes::excerpt::Excerpt;
use crate::kubernetes::objects::{PortProtocol, Service, ServicePort};
use crate::kubernetes::told::Told;
use crate::kubernetes::{Item, Reason};
use crate::model::{InvalidValue, Protocol};

const PROTOCOL_RULE: &str = "must be TCP, UDP or SCTP";

/// A port of a service that can be served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port<'a> {
    pub(crate) name: &'a str,
    pub(crate) protocol: Protocol,
    pub(crate) number: u16,
    pub(crate) node_port: Option<u16>,
}

impl Port<'_> {
    pub(crate) fn label(&self) -> String {
        label(self.name, self.number.into())
    }
}

/// Returns how a port of a service or of a slice is told of.
pub(crate) fn label(name: &str, number: i32) -> String {
    if name.is_empty() { number.to_string() } else { Excerpt::of(name).beginning().to_owned() }
}

/// Source: `servicechangetracker.go:serviceToServiceMap`.
pub(crate) fn of_service<'a>(service: &'a Service, told: &mut Told) -> Vec<Port<'a>> {
    let ports = &service.spec.ports;
    let mut seen = BTreeSet::new();
    let mut all = Vec::with_capacity(ports.len());
    for port in ports {
        let item = || Item::Port(label(&port.name, port.port));
        match read(port, told) {
            Err(invalid) => told.service(item(), invalid),
            Ok(read) if ports.len() > 1 && !seen.insert((read.name, read.protocol)) => {
                told.service(item(), Reason::Doubled);
            }
            Ok(read) => all.push(read),
        }
    }
    all
}

fn read<'a>(port: &'a ServicePort, told: &mut Told) -> Result<Port<'a>, InvalidValue> {
    let protocol = protocol(&port.protocol)?;
    let number = address::port("spec.ports.port", port.port)?;
    let node_port = match port.node_port {
        0 => None,
        given => address::port("spec.ports.nodePort", given)
            .map_err(|invalid| told.service(Item::Port(label(&port.name, port.port)), invalid))
            .ok(),
    };
    Ok(Port { name: &port.name, protocol, number, node_port })
}

pub(crate) fn protocol(protocol: &PortProtocol) -> Result<Protocol, InvalidValue> {
    match protocol {
        PortProtocol::Tcp => Ok(Protocol::TCP),
        PortProtocol::Udp => Ok(Protocol::UDP),
        PortProtocol::Sctp => Ok(Protocol::SCTP),
        PortProtocol::Other(word) => {
            Err(InvalidValue::new("protocol", Excerpt::of(word).quoted(), PROTOCOL_RULE))
        }
    }
}
