use ipvs_netlink::kubernetes::{
    Endpoint, EndpointPort, EndpointSlice, Event, Node, NodeAddress, ObjectReference, Options, Pod,
    Service, ServicePort,
};

use super::caches::Remark;
use super::{Caches, Notice, Source, WatchFailure, Watchable as _};

fn service(name: &str) -> Service {
    let mut service = Service::new("shop", name);
    service.spec.cluster_ip = "10.96.0.10".to_owned();
    service.spec.ports.push(ServicePort::new(80));
    service
}

fn slice(service: &str) -> EndpointSlice {
    let mut slice = EndpointSlice::new("shop", &format!("{service}-1"), service);
    slice.ports.push(EndpointPort::new(8080));
    slice.endpoints.push(Endpoint::new("10.244.1.2"));
    slice
}

fn list(caches: &mut Caches, source: Source, events: impl IntoIterator<Item = Event>) {
    caches.take(source, Notice::Begun);
    for event in events {
        caches.take(source, Notice::Listed(Box::new(event)));
    }
    caches.take(source, Notice::Complete);
}

fn changed(caches: &mut Caches, source: Source, event: Event) {
    caches.take(source, Notice::Changed(Box::new(event)));
}

fn table(caches: &Caches) -> String {
    caches.converter().converted().table.to_string()
}

const WEB: &str = "-A -t 10.96.0.10:80 -s rr\n-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1\n";

#[test]
fn nothing_is_converted_before_everything_is_listed() {
    let mut caches = Caches::new(&Options::new("node-a"));
    list(&mut caches, Source::Services, [service("web").present()]);
    assert_eq!(caches.convert(), None);
    // Changes between lists count.
    changed(&mut caches, Source::Services, service("old").present());
    changed(&mut caches, Source::Services, service("old").deleted());
    caches.take(Source::Slices, Notice::Begun);
    caches.take(Source::Slices, Notice::Listed(Box::new(slice("web").present())));
    list(&mut caches, Source::Node, [Node::new("node-a").present()]);
    assert_eq!(caches.convert(), None);
    caches.take(Source::Slices, Notice::Complete);
    assert_eq!(caches.convert().unwrap().set.len(), 1);
    assert_eq!(table(&caches), WEB);
}

#[test]
fn a_list_that_breaks_off_changes_nothing() {
    let mut caches = Caches::new(&Options::new("node-a"));
    list(&mut caches, Source::Services, [service("web").present()]);
    list(&mut caches, Source::Slices, [slice("web").present()]);
    list(&mut caches, Source::Node, [Node::new("node-a").present()]);
    caches.convert().unwrap();
    let cut = WatchFailure { is_away: true, text: "cut".to_owned() };
    for notice in [Notice::Begun, Notice::Failed(cut)] {
        caches.take(Source::Services, notice.clone());
        caches.take(Source::Slices, notice);
        assert!(caches.convert().unwrap().is_empty());
    }
    assert_eq!(table(&caches), WEB);
    // The next list begins at its beginning, and what it does not have is gone.
    list(&mut caches, Source::Slices, []);
    caches.convert().unwrap();
    assert_eq!(table(&caches), "-A -t 10.96.0.10:80 -s rr\n");
    list(&mut caches, Source::Services, []);
    assert_eq!(caches.convert().unwrap().removed.len(), 1);
}

/// What was told and not yet converted when a list comes is gone too, if the list does not have it.
#[test]
fn a_list_takes_back_what_was_not_converted_yet() {
    let mut caches = Caches::new(&Options::new("node-a"));
    list(&mut caches, Source::Slices, []);
    list(&mut caches, Source::Services, [service("web").present()]);
    list(&mut caches, Source::Services, []);
    list(&mut caches, Source::Node, [Node::new("node-a").present()]);
    assert!(caches.convert().unwrap().is_empty());
    changed(&mut caches, Source::Services, service("web").present());
    list(&mut caches, Source::Services, []);
    assert!(caches.convert().unwrap().is_empty());
}

/// A service with a node port, converted, and the node with its address 192.0.2.1.
fn with_node_port() -> (Caches, Node) {
    let mut caches = Caches::new(&Options::new("node-a"));
    let mut web = service("web");
    web.spec.service_type = "NodePort".into();
    web.spec.ports[0].node_port = 30080;
    list(&mut caches, Source::Services, [web.present()]);
    list(&mut caches, Source::Slices, [slice("web").present()]);
    let mut node = Node::new("node-a");
    node.status.addresses = vec![NodeAddress::internal("192.0.2.1")];
    list(&mut caches, Source::Node, [node.clone().present()]);
    caches.convert().unwrap();
    (caches, node)
}

#[test]
fn node_ports_are_at_the_addresses_of_the_node() {
    let (mut caches, mut node) = with_node_port();
    assert!(table(&caches).contains("-A -t 192.0.2.1:30080"));
    node.status.addresses = vec![NodeAddress::internal("192.0.2.2")];
    changed(&mut caches, Source::Node, node.present());
    caches.convert().unwrap();
    assert!(!table(&caches).contains("192.0.2.1:30080"));
    assert!(table(&caches).contains("-A -t 192.0.2.2:30080"));
}

/// Without its addresses node ports would go.
#[test]
fn a_node_without_its_object_is_waited_for() {
    let mut caches = Caches::new(&Options::new("node-a"));
    list(&mut caches, Source::Services, [service("web").present()]);
    list(&mut caches, Source::Slices, [slice("web").present()]);
    caches.take(Source::Node, Notice::Begun);
    assert_eq!(caches.take(Source::Node, Notice::Complete), Some(Remark::Awaited));
    assert_eq!(caches.convert(), None);
    // The log has it once.
    caches.take(Source::Node, Notice::Begun);
    assert_eq!(caches.take(Source::Node, Notice::Complete), None);
    assert_eq!(caches.convert(), None);
    changed(&mut caches, Source::Node, Node::new("node-a").present());
    assert_eq!(caches.convert().unwrap().set.len(), 1);
}

#[test]
fn a_node_whose_addresses_are_given_needs_no_object() {
    let mut options = Options::new("node-a");
    options.node_addresses = vec!["192.0.2.1".parse().unwrap()];
    let mut caches = Caches::new(&options);
    list(&mut caches, Source::Services, [service("web").present()]);
    list(&mut caches, Source::Slices, []);
    caches.take(Source::Node, Notice::Begun);
    assert_eq!(caches.take(Source::Node, Notice::Complete), Some(Remark::Absent));
    assert_eq!(caches.convert().unwrap().set.len(), 1);
}

#[test]
fn what_a_node_said_holds_when_its_object_is_gone() {
    let (mut caches, mut node) = with_node_port();
    let served = table(&caches);
    assert!(served.contains("192.0.2.1:30080"), "{served}");
    let deleted = Notice::Changed(Box::new(node.clone().deleted()));
    assert_eq!(caches.take(Source::Node, deleted.clone()), Some(Remark::Gone));
    assert!(caches.convert().unwrap().is_empty());
    // A list without it says no more than that.
    caches.take(Source::Node, Notice::Begun);
    assert_eq!(caches.take(Source::Node, Notice::Complete), None);
    assert!(caches.convert().unwrap().is_empty());
    assert_eq!(table(&caches), served);
    // It comes back with another address, and goes again.
    node.status.addresses = vec![NodeAddress::internal("192.0.2.2")];
    changed(&mut caches, Source::Node, node.present());
    assert!(!caches.convert().unwrap().is_empty());
    assert!(table(&caches).contains("192.0.2.2:30080"));
    assert_eq!(caches.take(Source::Node, deleted), Some(Remark::Gone));
}

#[test]
fn weights_of_pods_are_waited_for_and_followed() {
    let mut options = Options::new("node-a");
    options.pod_weights = true;
    let mut caches = Caches::new(&options);
    let annotation = |name: &str, value: &str| (format!("ipvs-netlink/{name}"), value.to_owned());
    let mut web = service("web");
    web.metadata.annotations.extend([annotation("weights", "pod")]);
    let mut endpoints = slice("web");
    let mut pod = Pod::new("shop", "web-a");
    endpoints.endpoints[0].target_ref = Some(ObjectReference::pod("web-a"));
    list(&mut caches, Source::Services, [web.present()]);
    list(&mut caches, Source::Slices, [endpoints.present()]);
    list(&mut caches, Source::Node, [Node::new("node-a").present()]);
    assert_eq!(caches.convert(), None);
    pod.metadata.annotations.extend([annotation("weight", "7")]);
    list(&mut caches, Source::Pods, [pod.clone().present()]);
    caches.convert().unwrap();
    assert!(table(&caches).ends_with("-m -w 7\n"), "{}", table(&caches));
    list(&mut caches, Source::Pods, []);
    caches.convert().unwrap();
    assert_eq!(table(&caches), WEB);
    pod.metadata.annotations.extend([annotation("weight", "0")]);
    changed(&mut caches, Source::Pods, pod.present());
    caches.convert().unwrap();
    assert!(table(&caches).ends_with("-m -w 0\n"));
}
