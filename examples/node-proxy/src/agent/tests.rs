use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{
    Converter, Endpoint, EndpointPort, EndpointSlice, Event as Told, ObjectName, Options, Service,
    ServicePort,
};
use ipvs_netlink::table::controller::Event;

use super::order::{Decided, Order, Verdict};

/// The conversion of services that change, and what the order makes of it.
struct Stage {
    converter: Converter,
    order: Order,
    now: Instant,
}

impl Stage {
    fn new() -> Self {
        let converter = Converter::new(&Options::new("node-a"));
        Self { converter, order: Order::default(), now: Instant::now() }
    }

    /// Returns the services that are not served, if that has changed.
    fn unserved(&mut self) -> Option<BTreeSet<ObjectName>> {
        self.order.take_unserved().map(|it| it.services)
    }

    fn decide(&mut self, events: impl IntoIterator<Item = Told>, verdict: Verdict) -> Decided {
        let changes = self.converter.apply_all(events);
        self.order.decide(changes, self.now, |_, _| verdict.clone())
    }

    fn told(&mut self, event: Event) -> Option<IpAddr> {
        self.order.event(&event)
    }
}

fn service(address: &str, ports: &[u16]) -> Told {
    let mut web = Service::new("shop", "web");
    web.spec.cluster_ip = address.to_owned();
    web.spec.ports.extend(ports.iter().map(|port| {
        let mut named = ServicePort::new(*port);
        named.name = format!("p{port}");
        named
    }));
    Told::Service(web)
}

fn id(port: u16) -> ServiceId {
    ServiceId::tcp(([10, 96, 0, 10], port).into())
}

fn web() -> ObjectName {
    ObjectName::new("shop", "web")
}

const AT: [u8; 4] = [10, 96, 0, 10];

fn wished(decided: &Decided) -> Vec<ServiceId> {
    decided.wishes.iter().map(|(service, _)| service.id()).collect()
}

fn lines(decided: &Decided) -> Vec<String> {
    decided.told.iter().map(|(_, line)| line.clone()).collect()
}

#[test]
fn an_address_comes_after_its_first_service_and_goes_before_its_last() {
    let mut stage = Stage::new();
    let both = stage.decide([service("10.96.0.10", &[80, 443])], Verdict::Serve);
    assert_eq!(wished(&both), [id(80), id(443)]);
    assert_eq!((both.addresses_added, both.addresses_removed), (vec![], vec![]));
    // A service without endpoints never serves, and answers with a reset.
    assert_eq!(stage.told(Event::Settled(id(443))), Some(AT.into()));
    assert_eq!(stage.told(Event::Serving(id(80))), None);

    let one = stage.decide([service("10.96.0.10", &[443])], Verdict::Serve);
    assert_eq!((one.forgotten, one.addresses_removed), (vec![id(80)], vec![]));
    // What has been forgotten may still be told of.
    assert_eq!(stage.told(Event::Settled(id(80))), None);
    let none = stage.decide([service("10.96.0.11", &[443])], Verdict::Serve);
    assert_eq!((none.forgotten, none.addresses_removed), (vec![id(443)], vec![AT.into()]));
}

/// An address of the node itself is not one of the interface, until the node has it no more.
#[test]
fn an_address_that_is_asked_for_late_comes_at_once() {
    let mut stage = Stage::new();
    let mut options = Options::new("node-a");
    options.node_addresses = vec![AT.into()];
    let first = [Told::Options(options.clone()), service("10.96.0.10", &[80])];
    assert_eq!(wished(&stage.decide(first, Verdict::Serve)), [id(80)]);
    assert_eq!(stage.told(Event::Settled(id(80))), None);
    options.node_addresses.clear();
    let late = stage.decide([Told::Options(options.clone())], Verdict::Serve);
    assert_eq!(late.addresses_added, [IpAddr::from(AT)]);
    options.node_addresses = vec![AT.into()];
    let gone = stage.decide([Told::Options(options)], Verdict::Serve);
    assert_eq!((gone.addresses_removed, gone.forgotten), (vec![AT.into()], vec![]));
}

#[test]
fn what_is_held_waits_and_what_is_served_stays_meanwhile() {
    let mut stage = Stage::new();
    let held = stage.decide([service("10.96.0.10", &[80])], Verdict::Hold);
    let waits = || Decided { held: vec![id(80)], ..Decided::default() };
    assert_eq!((held, stage.order.holds()), (waits(), true));
    assert_eq!(stage.unserved(), Some([web()].into()));
    // It is told once that it waits.
    assert_eq!(stage.decide([], Verdict::Hold), Decided::default());
    let served = stage.decide([], Verdict::Serve);
    assert_eq!((wished(&served), stage.unserved()), (vec![id(80)], Some([].into())));
    assert!(!stage.order.holds());
    assert_eq!(stage.told(Event::Serving(id(80))), Some(AT.into()));
    // A newer version is held, and the older one is not forgotten.
    assert_eq!(stage.decide([slice()], Verdict::Hold), waits());
    let newer = stage.decide([service("10.96.0.10", &[80, 81])], Verdict::Hold);
    assert_eq!((newer.held, newer.forgotten), (vec![id(81)], vec![]));
    assert_eq!(stage.unserved(), Some([web()].into()));
    // What is held and then gone is not wished.
    let gone = stage.decide([service("10.96.0.10", &[80])], Verdict::Serve);
    assert_eq!(wished(&gone), [id(80)]);
    assert_eq!((gone.forgotten, gone.dropped), (vec![], vec![id(81)]));
    assert_eq!((stage.unserved(), stage.order.holds()), (Some([].into()), false));
}

/// Nobody tells when they leave. What the firewall has for them is not needed any more.
#[test]
fn what_is_gone_before_it_was_wished_is_absent_unless_it_is_leaving() {
    let mut stage = Stage::new();
    stage.decide([service("10.96.0.10", &[80])], Verdict::Serve);
    let none = || service("10.96.0.11", &[1]);
    assert_eq!(stage.decide([none()], Verdict::Serve).absent, []);
    // Port 80 drains.
    stage.decide([service("10.96.0.10", &[80, 81])], Verdict::Hold);
    assert_eq!(stage.decide([none()], Verdict::Serve).absent, [id(81)]);
    stage.told(Event::Left(id(80)));
    stage.decide([service("10.96.0.10", &[80])], Verdict::Hold);
    assert_eq!(stage.decide([none()], Verdict::Serve).absent, [id(80)]);
}

#[test]
fn the_log_names_once_what_waits_for_long() {
    let mut stage = Stage::new();
    stage.decide([service("10.96.0.10", &[80])], Verdict::Serve);
    let mut waiting = |seconds: u64, events: Vec<Told>| {
        stage.now += Duration::from_secs(seconds);
        stage.decide(events, Verdict::Hold).waiting
    };
    assert_eq!(waiting(0, vec![service("10.96.0.10", &[80, 81])]), [""; 0]);
    // That it changes again is no reason to begin anew.
    assert_eq!(waiting(9, vec![slice()]), [""; 0]);
    let line = "waits for the firewall: Service shop/web, TCP 10.96.0.10:81: it is not served";
    assert_eq!(waiting(1, vec![]), [line]);
    let line =
        "waits for the firewall: Service shop/web, TCP 10.96.0.10:80: its former version is served";
    assert_eq!(waiting(9, vec![]), [line]);
    assert_eq!(waiting(60, vec![slice()]), [""; 0]);
}

fn slice() -> Told {
    let mut slice = EndpointSlice::new("shop", "web-1", "web");
    let mut port = EndpointPort::new(8080);
    port.name = "p80".to_owned();
    slice.ports.push(port);
    slice.endpoints.push(Endpoint::new("10.244.1.2"));
    Told::Slice(slice)
}

#[test]
fn what_is_refused_leaves_and_is_told_once() {
    let mut stage = Stage::new();
    stage.decide([service("10.96.0.10", &[80])], Verdict::Serve);
    stage.told(Event::Serving(id(80)));
    let refuse = || Verdict::Refuse { reason: "no-firewall", why: "no nft".to_owned() };
    let refused = stage.decide([slice()], refuse());
    let line = "not served: Service shop/web, TCP 10.96.0.10:80: no nft";
    assert_eq!((lines(&refused), refused.forgotten.clone()), (vec![line.to_owned()], vec![id(80)]));
    assert_eq!(refused.addresses_removed, [IpAddr::from(AT)]);
    assert_eq!((refused.refused, stage.unserved()), (vec![id(80)], Some([web()].into())));
    let again = stage.decide([service("10.96.0.10", &[80, 81])], refuse());
    assert_eq!(lines(&again), ["not served: Service shop/web, TCP 10.96.0.10:81: no nft"]);
    // It is told anew after it was served.
    let served = stage.decide([service("10.96.0.10", &[80]), slice()], Verdict::Serve);
    assert_eq!(lines(&served), [""; 0]);
}

/// No load balancer is to send to a node whose kernel refuses the service. One that it has had serves on.
#[test]
fn what_the_kernel_does_not_take_is_not_served() {
    let mut stage = Stage::new();
    stage.decide([service("10.96.0.10", &[80, 81])], Verdict::Serve);
    stage.told(Event::Settled(id(80)));
    stage.order.rejected(id(80), &web(), false);
    assert_eq!(stage.order.take_unserved(), None);
    stage.order.rejected(id(81), &web(), false);
    stage.order.rejected(id(81), &web(), false);
    assert_eq!(stage.unserved(), Some([web()].into()));
    // It is tried again, and refused again.
    stage.decide([service("10.96.0.10", &[80, 81]), slice()], Verdict::Serve);
    stage.order.rejected(id(81), &web(), false);
    assert_eq!(stage.order.take_unserved(), None);
    stage.told(Event::Settled(id(81)));
    assert_eq!(stage.unserved(), Some([].into()));
    // Somebody has deleted it, and it cannot be made again.
    stage.order.rejected(id(81), &web(), true);
    assert_eq!(stage.unserved(), Some([web()].into()));
    stage.told(Event::Serving(id(81)));
    assert_eq!(stage.unserved(), Some([].into()));
    // It is refused, and the cluster removes it.
    stage.decide([service("10.96.0.10", &[80, 82])], Verdict::Serve);
    stage.order.rejected(id(82), &web(), false);
    assert_eq!(stage.unserved(), Some([web()].into()));
    stage.decide([service("10.96.0.10", &[80])], Verdict::Serve);
    stage.order.rejected(id(82), &web(), false);
    assert_eq!(stage.unserved(), Some([].into()));
}
