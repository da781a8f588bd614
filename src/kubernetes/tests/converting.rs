//! The whole of a conversion.

use super::*;

#[test]
fn the_order_of_objects_does_not_matter() {
    let mut services = vec![web()];
    let mut slices = Vec::new();
    for index in 0..20 {
        let mut service = web();
        service.metadata.name = format!("s{index}");
        service.spec.cluster_ip = format!("10.96.1.{index}");
        service.spec.external_ips = vec!["198.51.100.1".into()];
        services.push(service);
        let mut slice = slice(&[ready(&format!("10.1.0.{index}"))]);
        slice.metadata =
            EndpointSlice::new("shop", &format!("x{}", 99 - index), &format!("s{}", index / 2))
                .metadata;
        slices.push(slice);
    }
    let first = converted(&services, &slices);
    services.reverse();
    slices.reverse();
    assert_eq!(converted(&services, &slices), first);
    assert_eq!(first.table.len(), 22);
    assert_eq!(first.skipped.len(), 19);
}

/// What a program logs.
#[test]
fn everything_that_is_left_out_is_one_line() {
    let mut service = web();
    service.spec.cluster_ip = "None".into();
    let converted = converted(&[service], &[]);
    assert_eq!(skipped(&converted), ["Service shop/web: is headless"]);
}
