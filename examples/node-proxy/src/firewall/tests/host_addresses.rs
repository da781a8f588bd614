//! What follows from addresses of the host: those of the node, and those of other interfaces.

use std::net::IpAddr;

use ipvs_netlink::kubernetes::{
    Changes, Event, LoadBalancerIngress, Service, ServicePort, ServiceType,
};

use super::waiting::{Clock, REPLACES};
use super::*;

/// Programs of the host are meant to be reached there, such as its own sshd.
#[test]
fn an_address_that_another_interface_holds_is_not_guarded() {
    let mut clock = Clock::with(true);
    let cluster_ip = IpAddr::from([10, 96, 0, 1]);
    let others = [cluster_ip, IpAddr::from([192, 0, 2, 7])];
    clock.schedule.take_elsewhere(others.into_iter());
    clock.put(1);
    let guarded = |due: &str| {
        due.lines().any(|it| it.contains("addresses-4") && it.contains(r#""10.96.0.1""#))
    };
    let due = clock.due();
    assert!(due.contains(REPLACES) && !guarded(&due), "{due}");
    clock.applied();
    // The other interface loses it, and gets it again.
    for (held, verb) in [(&others[1..], "add"), (&others[..], "delete")] {
        clock.schedule.take_elsewhere(held.iter().copied());
        clock.pass(1);
        let due = clock.due();
        assert!(guarded(&due) && due.starts_with(&format!("{{\"{verb}")), "{due}");
        clock.applied();
    }
    clock.schedule.take_elsewhere([cluster_ip].into_iter());
    clock.pass(1);
    assert_eq!(clock.due(), "");
}

/// The service itself does not change, and no conversion has it again.
#[test]
fn source_ranges_follow_the_addresses_of_the_node() {
    let mut clock = Clock::with(true);
    let mut service = Service::new("shop", "gateway");
    service.spec.cluster_ip = "10.96.0.9".into();
    service.spec.service_type = ServiceType::LoadBalancer;
    service.spec.ports.push(ServicePort::new(443));
    service.spec.load_balancer_source_ranges = vec!["198.51.100.0/24".into()];
    service.status.load_balancer.ingress.push(LoadBalancerIngress::new("203.0.113.9"));
    clock.apply(Event::Service(service));
    let of_node = r#"["203.0.113.9",443,"203.0.113.9"]"#;
    let due = clock.due();
    assert!(due.contains(r#""203.0.113.9",443"#) && !due.contains(of_node), "{due}");
    clock.applied();
    let [outside, inside] = [[192, 0, 2, 1], [198, 51, 100, 7]].map(IpAddr::from);
    for (addresses, verb) in [(&[outside, inside][..], "add"), (&[outside], "delete")] {
        assert!(!clock.schedule.is_for(addresses));
        clock.schedule.take(&Changes::default(), addresses);
        assert!(clock.schedule.is_for(addresses));
        // It is served already, and would keep endpoints that are gone.
        let gateway = ServiceId::tcp(([203, 0, 113, 9], 443).into());
        assert_eq!(clock.schedule.admission(gateway), Admission::Served);
        clock.pass(1);
        let due = clock.due();
        assert!(due.contains(of_node) && due.starts_with(&format!("{{\"{verb}")), "{due}");
        assert_eq!(due.lines().count(), 1, "{due}");
        clock.applied();
    }
    // Another address outside changes nothing.
    clock.schedule.take(&Changes::default(), &[[192, 0, 2, 2].into()]);
    clock.pass(1);
    assert_eq!(clock.due(), "");
}
