//! Section "families".

use super::*;
use crate::model::AddressFamily;

fn dual() -> Service {
    let mut web = web();
    web.spec.cluster_ips = vec!["10.96.0.10".into(), "fd00::a".into()];
    web.spec.ip_families = vec![IpFamily::Ipv4, IpFamily::Ipv6];
    web
}

fn slice_v6(endpoints: &[Endpoint]) -> EndpointSlice {
    let mut slice = slice(endpoints);
    slice.metadata.name = "web-v6".into();
    slice.address_type = AddressType::Ipv6;
    slice
}

/// Follows `metaproxier`: each family has its own endpoints.
#[test]
fn dual_stack_services_have_both_families() {
    let slices = [slice(&[ready("10.1.0.1")]), slice_v6(&[ready("fd01::1")])];
    assert_eq!(
        whole(&dual(), &slices),
        [
            "10.96.0.10:80",
            "10.96.0.10:80 > 10.1.0.1:8080",
            "[fd00::a]:80",
            "[fd00::a]:80 > [fd01::1]:8080",
        ]
    );
}

/// Follows `util/utils.go:GetClusterIPByFamily`.
#[test]
fn cluster_ips_are_found_by_the_place_of_their_family() {
    let mut turned = dual();
    turned.spec.ip_families.reverse();
    turned.spec.cluster_ips.reverse();
    turned.spec.cluster_ip = "fd00::a".into();
    assert_eq!(whole(&turned, &[]), ["10.96.0.10:80", "[fd00::a]:80"]);
    // Without families, the cluster IP has its own.
    let mut old = web();
    old.spec.cluster_ip = "fd00::a".into();
    assert_eq!(whole(&old, &[slice_v6(&[ready("fd01::1")])])[0], "[fd00::a]:80");
    // The API server has the family of the first address at the first place.
    let mut contradictory = dual();
    contradictory.spec.ip_families.reverse();
    let converted = converted(&[contradictory], &[]);
    assert!(converted.table.is_empty());
    assert_eq!(converted.skipped.len(), 2);
    assert!(skipped(&converted)[0].contains("same place of spec.ipFamilies"));
    let mut unnamed = dual();
    unnamed.spec.ip_families.clear();
    let converted = super::converted(&[unnamed], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80"]);
    assert_eq!(converted.skipped.len(), 1);
}

#[test]
fn a_cluster_ip_that_contradicts_the_list_is_told() {
    let mut service = dual();
    service.spec.cluster_ip = "10.96.0.11".into();
    let converted = converted(&[service], &[]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "[fd00::a]:80"]);
    assert_eq!(
        skipped(&converted),
        ["Service shop/web, spec.clusterIP \"10.96.0.11\": must be the \
             first of spec.clusterIPs, which count"]
    );
}

/// Follows `servicechangetracker.go:serviceToServiceMap`: no cluster IP of a family, nothing of it.
#[test]
fn without_a_cluster_ip_of_a_family_nothing_of_that_family_is_served() {
    let mut service = web();
    service.spec.service_type = ServiceType::LoadBalancer;
    service.spec.ports[0].node_port = 30080;
    service.spec.external_ips = vec!["198.51.100.1".into(), "2001:db8:1::1".into()];
    service.status.load_balancer.ingress = vec![LoadBalancerIngress::new("2001:db8:2::1")];
    let converted = converted(&[service], &[slice_v6(&[ready("fd01::1")])]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "192.0.2.1:30080", "198.51.100.1:80"]);
    assert_eq!(
        skipped(&converted),
        [
            "Service shop/web, spec.externalIPs \"2001:db8:1::1\": the service has no IPv6 cluster IP",
            "Service shop/web, status.loadBalancer.ingress \"2001:db8:2::1\": the service has no IPv6 cluster IP",
            "EndpointSlice shop/web-v6: the service has no IPv6 cluster IP",
        ]
    );
}

#[test]
fn families_that_the_node_does_not_serve_are_told() {
    let mut options = options();
    options.families = vec![AddressFamily::Ipv6];
    let slices = [slice(&[ready("10.1.0.1")]), slice_v6(&[ready("fd01::1")])];
    let services = [dual()];
    let converted = convert(&Objects::new(&services, &slices), &options);
    assert_eq!(lines(&converted), ["[fd00::a]:80", "[fd00::a]:80 > [fd01::1]:8080"]);
    assert_eq!(
        skipped(&converted),
        [
            "Service shop/web, spec.clusterIPs \"10.96.0.10\": the node does not serve IPv4",
            "EndpointSlice shop/web-1: the node does not serve IPv4",
        ]
    );
}

/// Follows `endpointslicecache.go:addEndpoints`: an address of another family than the slice's.
#[test]
fn addresses_of_another_family_than_the_slice_are_left_out() {
    let converted =
        converted(&[dual()], &[slice(&[ready("fd01::1"), ready("10.1.0.1"), ready("fd01::2")])]);
    assert_eq!(servers(&converted, "10.96.0.10:80"), ["10.1.0.1"]);
    assert!(servers(&converted, "[fd00::a]:80").is_empty());
    assert_eq!(
        skipped(&converted),
        [
            "EndpointSlice shop/web-1, endpoint \"fd01::1\" and 1 more: is not of the family of the slice"
        ]
    );
}
