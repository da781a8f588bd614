use std::mem;

use ipvs_netlink::kubernetes::{
    Changes, Converter, Endpoint, EndpointPort, EndpointSlice, Event, Options, Service, ServicePort,
};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::{DestinationId, ServiceId};

use crate::checks::CheckOptions;
use crate::checks::watching::{Step, Watching};

const CHECKS: &str = "checks: [tcp]";

/// The conversion of one service that changes, and what is watched of it.
struct Stage {
    converter: Converter,
    watching: Watching,
}

/// What follows from a change.
struct Steps(Vec<Step>);

impl Steps {
    /// Returns what the runner is to do: `forget`, `new` and `watch`.
    fn orders(&self) -> Vec<&'static str> {
        let orders = self.0.iter().flat_map(|step| {
            let watch = step.watch.is_some().then_some(if step.is_new { "new" } else { "watch" });
            [step.forget.then_some("forget"), watch]
        });
        orders.flatten().collect()
    }

    fn wishes(&self) -> Vec<Vec<(u8, u32)>> {
        self.0.iter().filter_map(|step| Some(endpoints(step.wish.as_ref()?.service()))).collect()
    }
}

fn endpoints(service: &TableService) -> Vec<(u8, u32)> {
    let of = |id: DestinationId| id.address.ip().to_string().rsplit('.').next()?.parse().ok();
    service.destinations().filter_map(|it| Some((of(it.id())?, it.weight()?))).collect()
}

impl Stage {
    fn new(options: CheckOptions) -> Self {
        let converter = Converter::new(&Options::new("node-a"));
        Self { converter, watching: Watching::new(options) }
    }

    fn change(&mut self, events: impl IntoIterator<Item = Event>) -> Steps {
        let mut changes: Changes = self.converter.apply_all(events);
        let converter = &self.converter;
        self.watching.annotated(&mut changes, |id| {
            let (service, facts) = converter.get(id)?;
            Some((service, facts.clone()))
        });
        let removed = changes.removed.into_iter();
        let forgotten =
            removed.map(|id| Step { forget: self.watching.forget(id), ..Step::default() });
        let mut steps: Vec<_> = forgotten.collect();
        steps.extend(
            changes.set.into_iter().map(|(service, facts)| self.watching.set(service, &facts)),
        );
        Steps(steps)
    }

    /// Sets what has found room. Returns what the runner is to do.
    fn fitting(&mut self) -> Vec<&'static str> {
        let fitting = self.watching.take_fitting().into_iter();
        Steps(fitting.map(|(service, facts)| self.watching.set(service, &facts)).collect()).orders()
    }

    /// The pool says this of the endpoints.
    fn pool(&mut self, wish: &[(u8, u32)]) {
        let mut service = self.converter.get(id()).map_or_else(bare, |(service, _)| service);
        service.retain(|_| false);
        for (host, weight) in wish {
            let at = ([10, 244, 1, *host], 8080).into();
            service.insert(ipvs_netlink::Destination::masquerade(at).weight(*weight));
        }
        self.watching.wished(Wish::new(service));
    }

    fn wishes(&mut self) -> Vec<Vec<(u8, u32)>> {
        self.watching.take_wishes().iter().map(|wish| endpoints(wish.service())).collect()
    }
}

fn bare() -> TableService {
    TableService::new(ipvs_netlink::Service::tcp(([10, 96, 0, 10], 80).into()))
}

fn id() -> ServiceId {
    bare().id()
}

fn endpoint(host: u8) -> DestinationId {
    DestinationId::from(std::net::SocketAddr::from(([10, 244, 1, host], 8080)))
}

fn service(annotation: Option<&str>) -> Event {
    let mut web = Service::new("shop", "web");
    web.spec.cluster_ip = "10.96.0.10".to_owned();
    web.spec.ports.push(ServicePort::new(80));
    let annotation =
        annotation.map(|text| ("ipvs-netlink/health-checks".to_owned(), text.to_owned()));
    web.metadata.annotations.extend(annotation);
    Event::Service(web)
}

fn slice(hosts: impl IntoIterator<Item = u8>) -> Event {
    let mut slice = EndpointSlice::new("shop", "web-1", "web");
    slice.ports.push(EndpointPort::new(8080));
    slice
        .endpoints
        .extend(hosts.into_iter().map(|host| Endpoint::new(&format!("10.244.1.{host}"))));
    Event::Slice(slice)
}

#[test]
fn a_service_without_annotation_is_wished_as_it_is() {
    let mut stage = Stage::new(CheckOptions::default());
    let steps = stage.change([service(None), slice([1, 2])]);
    assert_eq!((steps.orders(), steps.wishes()), (vec![], vec![vec![(1, 1), (2, 1)]]));
    assert!(!stage.watching.waits(id()));
}

#[test]
fn an_annotation_that_comes_and_goes_begins_and_ends_the_checks() {
    let mut stage = Stage::new(CheckOptions::default());
    stage.change([service(None), slice([1, 2])]);
    // Nothing but the annotation has changed.
    let steps = stage.change([service(Some(CHECKS))]);
    assert_eq!((steps.orders(), steps.wishes()), (vec!["new"], vec![]));
    assert!(stage.watching.waits(id()));
    stage.pool(&[(1, 1), (2, 0)]);
    assert_eq!(stage.wishes(), [[(1, 1), (2, 0)]]);
    assert!(!stage.watching.waits(id()));
    // The destination is put back.
    let steps = stage.change([service(None)]);
    assert_eq!((steps.orders(), steps.wishes()), (vec!["forget"], vec![vec![(1, 1), (2, 1)]]));
    // What the runner said before it knew is late.
    stage.pool(&[(1, 1), (2, 0)]);
    assert_eq!(stage.wishes(), [[]; 0]);
    // So it is if the service is watched again by then.
    assert_eq!(stage.change([service(Some(CHECKS))]).orders(), ["new"]);
    stage.pool(&[(1, 0), (2, 1)]);
    assert_eq!(stage.wishes(), [[]; 0]);
    stage.watching.ended(id());
    stage.pool(&[(1, 1), (2, 0)]);
    assert_eq!(stage.wishes(), [[(1, 1), (2, 0)]]);
}

#[test]
fn endpoints_come_and_go_at_once_and_the_others_stay_as_they_are() {
    let mut stage = Stage::new(CheckOptions::default());
    stage.change([service(Some(CHECKS)), slice([1, 2, 3])]);
    stage.pool(&[(1, 1), (2, 0), (3, 1)]);
    stage.wishes();
    let steps = stage.change([slice([1, 2, 4])]);
    // The new one waits for its first check, as the pool will say.
    assert_eq!((steps.orders(), steps.wishes()), (vec!["watch"], vec![vec![(1, 1), (2, 0)]]));
    stage.pool(&[(1, 1), (2, 0), (4, 1)]);
    stage.watching.judged(id(), endpoint(2));
    assert_eq!(stage.wishes(), [[(1, 1), (2, 0), (4, 1)]]);
    // The pool keeps those that it knows as the last ones.
    let steps = stage.change([slice([2])]);
    assert_eq!(steps.wishes(), [[(2, 1)]]);
    assert!(stage.watching.take_told()[0].ends_with("fail their checks, and so all stay"));
    let gone = stage.change([Event::ServiceDeleted("shop/web".parse().unwrap())]);
    assert_eq!((gone.orders(), gone.wishes()), (vec!["forget"], vec![]));
}

#[test]
fn the_first_endpoints_serve_until_their_checks_have_decided() {
    let mut stage = Stage::new(CheckOptions::default());
    stage.change([service(Some(CHECKS))]);
    stage.pool(&[]);
    assert_eq!(stage.wishes(), [[]]);
    let steps = stage.change([slice([1, 2, 3])]);
    assert_eq!(
        (steps.orders(), steps.wishes()),
        (vec!["watch"], vec![vec![(1, 1), (2, 1), (3, 1)]])
    );
    stage.watching.judged(id(), endpoint(1));
    stage.pool(&[(1, 1)]);
    assert_eq!(stage.wishes(), [[(1, 1), (2, 1), (3, 1)]]);
    stage.watching.judged(id(), endpoint(2));
    assert_eq!(stage.wishes(), [[(1, 1), (3, 1)]]);
    assert_eq!(stage.watching.take_told(), [""; 0]);
    // Then all of them are dead, and one lives again.
    stage.watching.judged(id(), endpoint(3));
    stage.pool(&[]);
    assert_eq!(stage.wishes(), [[(1, 1), (2, 1), (3, 1)]]);
    stage.pool(&[(2, 1)]);
    assert_eq!(stage.wishes(), [[(2, 1)]]);
    let told = stage.watching.take_told();
    assert!(told[0].ends_with("so all stay") && told[1].ends_with("any more"), "{told:?}");
}

#[test]
fn a_wrong_annotation_is_told_and_the_service_is_served() {
    let mut stage = Stage::new(CheckOptions::default());
    let steps = stage.change([service(Some("checks:\n- command: {program: sh}")), slice([1])]);
    assert_eq!((steps.orders(), steps.wishes()), (vec![], vec![vec![(1, 1)]]));
    let told = stage.watching.take_told();
    let begin = "left out: Service shop/web, annotation ipvs-netlink/health-checks: line 2";
    assert!(told.len() == 1 && told[0].starts_with(begin), "{told:?}");
    // It is not told again.
    stage.change([slice([1, 2])]);
    assert_eq!(stage.watching.take_told(), [""; 0]);
    // A right one that becomes wrong ends the checks.
    assert_eq!(stage.change([service(Some(CHECKS))]).orders(), ["new"]);
    let steps = stage.change([service(Some("checks: []"))]);
    assert_eq!((steps.orders(), steps.wishes()), (vec!["forget"], vec![vec![(1, 1), (2, 1)]]));
}

#[test]
fn annotations_can_be_ignored() {
    let options = CheckOptions { no_health_checks: true, ..CheckOptions::default() };
    let mut stage = Stage::new(options);
    let steps = stage.change([service(Some(CHECKS)), slice([1])]);
    assert_eq!((steps.orders(), steps.wishes()), (vec![], vec![vec![(1, 1)]]));
    let told =
        "left out: Service shop/web, annotation ipvs-netlink/health-checks: --no-health-checks";
    assert_eq!(stage.watching.take_told(), [told]);
}

#[test]
fn a_node_does_so_many_checks_and_no_more() {
    let options = CheckOptions { most_checks: 4, ..CheckOptions::default() };
    let mut stage = Stage::new(options);
    let two = "checks: [tcp, icmp]";
    assert_eq!(stage.change([service(Some(two)), slice([1, 2])]).orders(), ["new"]);
    stage.pool(&[(1, 1), (2, 0)]);
    let steps = stage.change([slice([1, 2, 3])]);
    let all = vec![(1, 1), (2, 1), (3, 1)];
    assert_eq!((steps.orders(), steps.wishes()), (vec!["forget"], vec![all]));
    let told = stage.watching.take_told();
    assert!(told[0].ends_with("the node would have 6 checks, more than 4"), "{told:?}");
    stage.change([slice([1, 2, 4])]);
    assert_eq!(stage.watching.take_told(), [""; 0]);
    // Virtual services of one service share their checks.
    let Event::Service(mut web) = service(Some(two)) else { unreachable!() };
    web.spec.external_ips = vec!["203.0.113.1".to_owned()];
    assert_eq!(stage.change([slice([1, 2]), Event::Service(web)]).orders(), ["new", "new"]);
}

/// A service of a namespace with two checks of its one endpoint.
fn checked(namespace: &str, name: &str, host: u8) -> [Event; 2] {
    let (Event::Service(mut web), Event::Slice(mut slice)) =
        (service(Some("checks: [tcp, icmp]")), slice([host]))
    else {
        unreachable!()
    };
    web.metadata.namespace = namespace.to_owned();
    web.metadata.name = name.to_owned();
    web.spec.cluster_ip = format!("10.96.0.{host}");
    let mut own = EndpointSlice::new(namespace, name, name);
    own.ports = mem::take(&mut slice.ports);
    own.endpoints = mem::take(&mut slice.endpoints);
    [Event::Service(web), Event::Slice(own)]
}

#[test]
fn who_finds_no_room_is_looked_at_again_when_there_is_some() {
    let mut stage = Stage::new(CheckOptions { most_checks: 4, ..CheckOptions::default() });
    let all = [("a", 1), ("b", 2), ("c", 3), ("d", 4)];
    let events = all.iter().flat_map(|(name, host)| checked("shop", name, *host));
    assert_eq!(stage.change(events).orders(), ["new", "new"]);
    assert_eq!(stage.fitting(), [""; 0]);
    // It leaves, and one of the two others has room.
    stage.change([Event::ServiceDeleted("shop/a".parse().unwrap())]);
    assert_eq!(stage.fitting(), ["new"]);
    assert_eq!(stage.fitting(), [""; 0]);
    stage.change([Event::ServiceDeleted("shop/d".parse().unwrap())]);
    stage.change([Event::ServiceDeleted("shop/b".parse().unwrap())]);
    assert_eq!(stage.fitting(), [""; 0]);
}

#[test]
fn one_namespace_does_not_have_all_checks() {
    let options =
        CheckOptions { most_checks: 6, most_namespace_checks: 4, ..CheckOptions::default() };
    let mut stage = Stage::new(options);
    let all = [("shop", "a", 1), ("shop", "b", 2), ("shop", "c", 3), ("edge", "a", 4)];
    let events = all.iter().flat_map(|(namespace, name, host)| checked(namespace, name, *host));
    assert_eq!(stage.change(events).orders(), ["new", "new", "new"]);
    let told = stage.watching.take_told();
    let reason = "the node would have 6 checks of the namespace, more than 4";
    assert!(told.len() == 1 && told[0].ends_with(reason), "{told:?}");
    // Room of others is of no use.
    stage.change([Event::ServiceDeleted("edge/a".parse().unwrap())]);
    assert_eq!(stage.fitting(), [""; 0]);
    stage.change([Event::ServiceDeleted("shop/b".parse().unwrap())]);
    assert_eq!(stage.fitting(), ["new"]);
}

#[test]
fn an_endpoint_that_cannot_be_checked_is_served_until_a_check_has_decided() {
    let mut stage = Stage::new(CheckOptions::default());
    stage.change([service(Some(CHECKS)), slice([1, 2])]);
    stage.pool(&[(1, 1)]);
    assert_eq!(stage.wishes(), [[(1, 1)]]);
    stage.watching.not_done(endpoint(2));
    assert_eq!(stage.wishes(), [[(1, 1), (2, 1)]]);
    stage.watching.judged(id(), endpoint(2));
    assert_eq!(stage.wishes(), [[(1, 1)]]);
    stage.watching.not_done(endpoint(2));
    assert_eq!(stage.wishes(), [[(1, 1)]; 0]);
}

#[test]
fn the_end_of_the_checks_puts_all_back() {
    let mut stage = Stage::new(CheckOptions::default());
    stage.change([service(Some(CHECKS)), slice([1, 2])]);
    stage.pool(&[(1, 1)]);
    stage.wishes();
    let wishes = stage.watching.end("a fault");
    assert_eq!(endpoints(wishes[0].service()), [(1, 1), (2, 1)]);
    let steps = stage.change([slice([1, 2, 3])]);
    assert_eq!((steps.orders(), steps.wishes()), (vec![], vec![vec![(1, 1), (2, 1), (3, 1)]]));
}
