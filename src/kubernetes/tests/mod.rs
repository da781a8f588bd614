mod annotations;
mod attributes;
mod clashes;
mod converting;
mod endpoints;
mod families;
mod hostile;
mod objects;
mod random;
mod topology;
mod virtual_services;

use crate::kubernetes::*;

/// The service `shop/web` at 10.96.0.10:80, of TCP.
fn web() -> Service {
    let mut web = Service::new("shop", "web");
    web.spec.cluster_ip = "10.96.0.10".into();
    web.spec.ports.push(ServicePort::new(80));
    web
}

/// A slice of `shop/web` with the port 8080.
fn slice(endpoints: &[Endpoint]) -> EndpointSlice {
    let mut slice = EndpointSlice::new("shop", "web-1", "web");
    slice.ports.push(EndpointPort::new(8080));
    slice.endpoints = endpoints.to_vec();
    slice
}

fn ready(address: &str) -> Endpoint {
    Endpoint::new(address)
}

fn on(node: &str, address: &str) -> Endpoint {
    Endpoint { node_name: Some(node.into()), ..Endpoint::new(address) }
}

fn with(mut endpoint: Endpoint, ready: bool, serving: bool, terminating: bool) -> Endpoint {
    endpoint.conditions = EndpointConditions::new(ready, serving, terminating);
    endpoint
}

/// The node `a` with the addresses 192.0.2.1 and 2001:db8::1.
fn options() -> Options {
    let mut options = Options::new("a");
    options.node_addresses =
        vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap(), [127, 0, 0, 1].into()];
    options
}

fn converted(services: &[Service], slices: &[EndpointSlice]) -> Converted {
    convert(&Objects::new(services, slices), &options())
}

/// The lines of a table, without what every line has: `10.96.0.10:80 rr`, `10.96.0.10:80 > 10.1.0.1:8080`.
fn lines(converted: &Converted) -> Vec<String> {
    let mut lines = Vec::new();
    for service in &converted.table {
        let id = service.id().to_string();
        let id = id.strip_prefix("TCP ").unwrap_or(&id);
        lines.push(id.to_owned());
        lines.extend(service.destinations().map(|it| format!("{id} > {}", it.id())));
    }
    lines
}

fn skipped(converted: &Converted) -> Vec<String> {
    converted.skipped.iter().map(ToString::to_string).collect()
}

/// The table of one service with one slice, with nothing left out.
fn whole(service: &Service, slices: &[EndpointSlice]) -> Vec<String> {
    let converted = converted(std::slice::from_ref(service), slices);
    assert_eq!(skipped(&converted), [""; 0]);
    assert!(converted.table.validate().is_empty());
    lines(&converted)
}

/// The destinations of the virtual service at an address.
fn servers(converted: &Converted, id: &str) -> Vec<String> {
    let id = id.parse().or_else(|_| format!("TCP {id}").parse()).unwrap();
    let service = converted.table.get(id).unwrap_or_else(|| panic!("no {id}"));
    service.destinations().map(|it| it.id().address.ip().to_string()).collect()
}
