//! Section "which objects count".

use super::*;

/// The reason why nothing of a service is there.
fn reason(service: Service) -> Reason {
    let converted = converted(&[service], &[slice(&[ready("10.1.0.1")])]);
    assert!(converted.table.is_empty() && converted.addresses.is_empty());
    let [skipped] = converted.skipped.as_slice() else { panic!("{:?}", converted.skipped) };
    assert_eq!((skipped.kind, &skipped.item), (ObjectKind::Service, &Item::Object));
    assert_eq!(skipped.name, "shop/web".parse().unwrap());
    skipped.reason.clone()
}

fn changed(change: impl FnOnce(&mut Service)) -> Service {
    let mut service = web();
    change(&mut service);
    service
}

/// Follows `util/utils.go:ShouldSkipService`.
#[test]
fn services_without_a_cluster_ip_and_names_are_left_out() {
    assert_eq!(reason(changed(|it| it.spec.cluster_ip.clear())), Reason::NoClusterIp);
    assert_eq!(reason(changed(|it| it.spec.cluster_ip = "None".into())), Reason::Headless);
    let named = changed(|it| it.spec.service_type = ServiceType::ExternalName);
    assert_eq!(reason(named), Reason::ExternalName);
}

#[test]
fn services_without_ports_are_left_out() {
    let without = changed(|it| it.spec.ports.clear());
    let converted = converted(&[without], &[]);
    assert_eq!(skipped(&converted), ["Service shop/web: has no ports"]);
}

/// Follows `server.go:Run`, the selector of the informers: that a label is there decides, not what it
/// says.
#[test]
fn objects_with_labels_of_others_are_never_seen() {
    let labelled = |label: &str| {
        changed(|it| {
            it.metadata.labels.insert(label.into(), String::new());
        })
    };
    assert_eq!(reason(labelled("service.kubernetes.io/service-proxy-name")), Reason::OtherProxy);
    assert_eq!(reason(labelled("service.kubernetes.io/headless")), Reason::Headless);
    for (label, reason) in [
        ("service.kubernetes.io/service-proxy-name", "a label gives it to another proxy"),
        ("service.kubernetes.io/headless", "is headless"),
    ] {
        let mut slice = slice(&[ready("10.1.0.1")]);
        slice.metadata.labels.insert(label.into(), "x".into());
        let converted = converted(&[web()], &[slice]);
        assert_eq!(lines(&converted), ["10.96.0.10:80"]);
        assert_eq!(skipped(&converted), [format!("EndpointSlice shop/web-1: {reason}")]);
    }
}

/// Follows `endpointslicecache.go:endpointSliceCacheKeys`.
#[test]
fn slices_are_joined_by_namespace_and_label() {
    let mut other = slice(&[ready("10.1.0.2")]);
    other.metadata.namespace = "other".into();
    let mut bare = EndpointSlice::new("shop", "bare", "");
    bare.endpoints.push(ready("10.1.0.3"));
    let converted = converted(&[web()], &[slice(&[ready("10.1.0.1")]), other, bare]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "10.96.0.10:80 > 10.1.0.1:8080"]);
    assert_eq!(
        skipped(&converted),
        [
            "EndpointSlice other/web-1: there is no service of this name",
            "EndpointSlice shop/bare: has no label kubernetes.io/service-name",
        ]
    );
}

/// Follows `endpointschangetracker.go:EndpointSliceUpdate`.
#[test]
fn slices_of_names_are_left_out() {
    let mut names = slice(&[ready("www.example.com")]);
    names.address_type = AddressType::Fqdn;
    let mut odd = slice(&[]);
    odd.metadata.name = "web-2".into();
    odd.address_type = AddressType::Other("MAC".into());
    let converted = converted(&[web()], &[names, odd]);
    assert_eq!(lines(&converted), ["10.96.0.10:80"]);
    assert_eq!(
        skipped(&converted),
        [
            "EndpointSlice shop/web-1: its addresses are names",
            "EndpointSlice shop/web-2: addressType \"MAC\": must be IPv4, IPv6 or FQDN",
        ]
    );
}

#[test]
fn words_that_no_api_server_lets_through_leave_the_service_out() {
    let told = |change: fn(&mut Service)| reason(changed(change)).to_string();
    assert!(told(|it| it.spec.service_type = "Odd".into()).starts_with("spec.type \"Odd\""));
    assert!(told(|it| it.spec.session_affinity = "Odd".into()).contains("None or ClientIP"));
    assert!(told(|it| it.spec.internal_traffic_policy = "Odd".into()).contains("internal"));
    assert!(told(|it| it.spec.external_traffic_policy = "Odd".into()).contains("external"));
    assert!(told(|it| it.spec.ip_families = vec!["Odd".into()]).contains("spec.ipFamilies"));
}
