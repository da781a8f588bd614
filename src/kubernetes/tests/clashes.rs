//! Two Kubernetes services that claim one virtual service.

use super::*;

fn at(name: &str, cluster_ip: &str, created: &str) -> Service {
    let mut service = Service::new("shop", name);
    service.spec.cluster_ip = cluster_ip.into();
    service.spec.ports.push(ServicePort::new(80));
    service.metadata.creation_timestamp = created.into();
    service
}

fn external(name: &str, cluster_ip: &str, created: &str, ip: &str) -> Service {
    let mut service = at(name, cluster_ip, created);
    service.spec.external_ips = vec![ip.into()];
    service
}

const OLD: &str = "2020-01-01T00:00:00Z";
const NEW: &str = "2026-01-01T00:00:00Z";

/// The service that has an address, and what is told, whatever the order of the objects.
fn owner(services: &[Service], id: &str) -> (String, Vec<String>) {
    let id = format!("TCP {id}").parse().unwrap();
    let result = |services: &[Service]| {
        let converted = converted(services, &[]);
        (converted.virtual_services[&id].service.to_string(), skipped(&converted))
    };
    let mut turned = services.to_vec();
    turned.reverse();
    assert_eq!(result(services), result(&turned));
    result(services)
}

/// CVE-2020-8554: whoever may create services must not take over the addresses of others.
#[test]
fn an_external_ip_takes_over_no_cluster_ip() {
    let thief = external("a-thief", "10.96.0.66", OLD, "10.96.0.10");
    let (owner, told) = owner(&[at("dns", "10.96.0.10", NEW), thief], "10.96.0.10:80");
    assert_eq!(owner, "shop/dns");
    assert_eq!(told, ["Service shop/a-thief, TCP 10.96.0.10:80: belongs to Service shop/dns"]);
}

#[test]
fn cluster_ips_win_then_load_balancers_then_node_ports_then_external_ips() {
    let mut node_port = at("node-port", "10.96.0.1", NEW);
    node_port.spec.ports[0].node_port = 80;
    let thief = external("thief", "10.96.0.2", OLD, "192.0.2.1");
    let services = vec![node_port, thief];
    assert_eq!(owner(&services, "192.0.2.1:80").0, "shop/node-port");
    let mut balanced = at("balanced", "10.96.0.3", NEW);
    balanced.status.load_balancer.ingress = vec![LoadBalancerIngress::new("192.0.2.1")];
    let services = [services, vec![balanced]].concat();
    assert_eq!(owner(&services, "192.0.2.1:80").0, "shop/balanced");
    let services = [services, vec![at("cluster", "192.0.2.1", NEW)]].concat();
    let (owner, told) = owner(&services, "192.0.2.1:80");
    assert_eq!(owner, "shop/cluster");
    assert_eq!(told.len(), 3);
}

#[test]
fn among_equals_the_older_one_wins_then_the_first_name() {
    let claim = |name: &str, created: &str| external(name, "10.96.0.1", created, "198.51.100.1");
    let mut a = claim("a", NEW);
    a.spec.cluster_ip = "10.96.0.2".into();
    let mut c = claim("c", "");
    c.spec.cluster_ip = "10.96.0.3".into();
    assert_eq!(owner(&[a.clone(), claim("b", OLD), c.clone()], "198.51.100.1:80").0, "shop/b");
    assert_eq!(owner(&[a.clone(), claim("b", NEW), c.clone()], "198.51.100.1:80").0, "shop/a");
    assert_eq!(owner(&[claim("b", ""), c], "198.51.100.1:80").0, "shop/b", "nobody says when");
}

/// What loses its address needs none on the dummy interface.
#[test]
fn a_service_keeps_what_it_has_alone() {
    let mut thief = external("thief", "10.96.0.66", OLD, "10.96.0.10");
    thief.spec.ports.push(ServicePort { name: "other".into(), ..ServicePort::new(81) });
    let converted = converted(&[at("dns", "10.96.0.10", NEW), thief], &[]);
    let ids = ["10.96.0.10:80", "10.96.0.10:81", "10.96.0.66:80", "10.96.0.66:81"];
    assert_eq!(lines(&converted), ids);
    assert_eq!(converted.addresses.len(), 2);
}

#[test]
fn a_service_that_claims_one_twice_is_told() {
    let mut service = external("web", "10.96.0.10", OLD, "10.96.0.10");
    service.status.load_balancer.ingress = vec![LoadBalancerIngress::new("10.96.0.10")];
    let converted = converted(&[service], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80"]);
    assert_eq!(converted.virtual_services.values().next().unwrap().exposure, Exposure::ClusterIp);
    let told = "Service shop/web, TCP 10.96.0.10:80: is there twice";
    assert_eq!(skipped(&converted), [told, told]);
}

#[test]
fn of_objects_that_come_twice_the_last_one_counts() {
    let services = [at("web", "10.96.0.1", OLD), at("web", "10.96.0.2", OLD)];
    let slices = [slice(&[ready("10.1.0.1")]), slice(&[ready("10.1.0.2")])];
    let converted = converted(&services, &slices);
    assert_eq!(lines(&converted), ["10.96.0.2:80", "10.96.0.2:80 > 10.1.0.2:8080"]);
    assert_eq!(
        skipped(&converted),
        ["Service shop/web: is there twice", "EndpointSlice shop/web-1: is there twice"]
    );
}

#[test]
fn the_virtual_services_of_a_service_are_those_that_it_has_won() {
    let mut converter = Converter::new(&options());
    let mut other = Service::new("shop", "other");
    other.spec.cluster_ip = "10.96.0.11".into();
    other.spec.external_ips = vec!["10.96.0.10".into()];
    other.spec.ports.push(ServicePort::new(80));
    converter.apply_all([Event::Service(web()), Event::Service(other)]);
    let ids = |name: &str| -> Vec<String> {
        let name = name.parse().unwrap();
        let all = converter.of_service(&name);
        all.map(|(service, _)| service.id().to_string()).collect()
    };
    assert_eq!(ids("shop/web"), ["TCP 10.96.0.10:80"]);
    assert_eq!(ids("shop/other"), ["TCP 10.96.0.11:80"]);
    assert_eq!(ids("shop/absent"), [""; 0]);
}
