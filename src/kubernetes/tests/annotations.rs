//! Annotations with the prefix `ipvs-netlink/`.

use super::*;
use crate::table::DrainPolicy;

/// Converts `shop/web` with annotations and two endpoints, on nodes `a` and `b`.
fn annotated(
    all: &[(&str, &str)],
    change: impl FnOnce(&mut Service, &mut EndpointSlice),
) -> Converted {
    let mut service = web();
    for (name, value) in all {
        service.metadata.annotations.insert(format!("ipvs-netlink/{name}"), (*value).into());
    }
    let mut slice = slice(&[on("a", "10.1.0.1"), on("b", "10.1.0.2")]);
    change(&mut service, &mut slice);
    converted(&[service], &[slice])
}

fn unchanged(_: &mut Service, _: &mut EndpointSlice) {}

/// The port of the endpoints is that of the service.
fn same_port(_: &mut Service, slice: &mut EndpointSlice) {
    slice.ports = vec![EndpointPort::new(80)];
}

/// The first line of the table, without what is always there.
fn service_line(converted: &Converted) -> String {
    assert_eq!(skipped(converted), [""; 0]);
    let text = converted.table.to_string();
    text.lines().next().unwrap().strip_prefix("-A -t 10.96.0.10:80 ").unwrap().to_owned()
}

fn destination_lines(converted: &Converted) -> Vec<String> {
    assert_eq!(skipped(converted), [""; 0]);
    let text = converted.table.to_string();
    let lines = text.lines().filter_map(|it| it.strip_prefix("-a -t 10.96.0.10:80 -r "));
    lines.map(str::to_owned).collect()
}

/// Asserts that an annotation is told and that the service is as kube-proxy makes it.
fn refused(all: &[(&str, &str)], change: impl Fn(&mut Service, &mut EndpointSlice), rule: &str) {
    let wrong = annotated(all, &change);
    let plain = annotated(&[], &change);
    assert_eq!(wrong.table, plain.table, "{all:?}");
    assert_eq!(wrong.services, plain.services, "{all:?}");
    assert!(!wrong.skipped.is_empty(), "{all:?}");
    for skipped in &wrong.skipped {
        assert!(matches!(&skipped.item, Item::Annotation(_)), "{skipped}");
    }
    let told = skipped(&wrong).join("\n");
    assert!(told.contains(rule), "{told}");
}

#[test]
fn scheduler() {
    assert_eq!(service_line(&annotated(&[("scheduler", "wrr")], unchanged)), "-s wrr");
    assert_eq!(service_line(&annotated(&[("scheduler", " mh ")], unchanged)), "-s mh -b mh-port");
    for name in ["", "../x", "sixteen-letters-x"] {
        refused(&[("scheduler", name)], unchanged, "scheduler");
    }
}

#[test]
fn a_scheduler_that_is_not_allowed_is_wrong() {
    let mut options = options();
    options.scheduler = "usual".parse().unwrap();
    options.allowed_schedulers = Some(vec!["wrr".parse().unwrap()]);
    for (name, is_allowed) in [("wrr", true), ("usual", true), ("rr", false), ("zz1234", false)] {
        let mut service = web();
        let annotation = ("ipvs-netlink/scheduler".to_owned(), name.to_owned());
        service.metadata.annotations.extend([annotation]);
        let converted = convert(&Objects::new(&[service], &[]), &options);
        let served = if is_allowed { name } else { "usual" };
        assert_eq!(converted.table.to_string(), format!("-A -t 10.96.0.10:80 -s {served}\n"));
        let rule = format!("scheduler {name}: is not among the allowed schedulers");
        let told = skipped(&converted);
        assert_eq!(told.first().is_some_and(|it| it.ends_with(&rule)), !is_allowed, "{told:?}");
    }
}

#[test]
fn a_scheduler_that_the_kernel_lacks_is_wrong() {
    let mut options = options();
    options.lacking_schedulers = vec!["wrr".parse().unwrap()];
    let mut service = web();
    let annotation = ("ipvs-netlink/scheduler".to_owned(), "wrr".to_owned());
    service.metadata.annotations.extend([annotation]);
    let objects = [service];
    let converted = convert(&Objects::new(&objects, &[]), &options);
    assert_eq!(converted.table.to_string(), "-A -t 10.96.0.10:80 -s rr\n");
    let line = "Service shop/web, annotation ipvs-netlink/scheduler: ";
    let told = skipped(&converted);
    let rule = "the kernel has no scheduler of this name";
    assert!(told[0].starts_with(line) && told[0].ends_with(rule), "{told:?}");
}

#[test]
fn scheduler_flags() {
    let flags = |scheduler, flags| {
        let all = [("scheduler", scheduler), ("scheduler-flags", flags)];
        service_line(&annotated(&all, unchanged))
    };
    assert_eq!(flags("sh", "sh-port, sh-fallback"), "-s sh -b sh-fallback,sh-port");
    assert_eq!(flags("mh", ""), "-s mh");
    assert_eq!(flags("wrr", "flag-3"), "-s wrr -b flag-3");
    refused(
        &[("scheduler", "wrr"), ("scheduler-flags", "sh-port")],
        unchanged,
        "flags of the scheduler",
    );
    refused(&[("scheduler-flags", "mh-port")], unchanged, "flags of the scheduler");
}

#[test]
fn forwarding() {
    let line = |forwarding| {
        destination_lines(&annotated(&[("forwarding", forwarding)], same_port))[0].clone()
    };
    assert_eq!(line("masquerade"), "10.1.0.1:80 -m -w 1");
    assert_eq!(line("direct"), "10.1.0.1:80 -g -w 1");
    assert_eq!(line("tunnel"), "10.1.0.1:80 -i -w 1");
    let tunnel = "10.1.0.1:80 -i --tun-type gue --tun-port 6080 --tun-csum -w 1";
    assert_eq!(line("tunnel gue 6080 csum"), tunnel);
    for wrong in ["", "nat", "tunnel gue", "tunnel gue 0", "Direct"] {
        refused(&[("forwarding", wrong)], same_port, "must be masquerade, direct, tunnel");
    }
}

/// Only masquerading changes ports.
#[test]
fn direct_and_tunnel_need_endpoints_with_the_port_of_the_service() {
    for forwarding in ["direct", "tunnel"] {
        refused(&[("forwarding", forwarding)], unchanged, "with the port of the service");
    }
    // Node ports are masqueraded all the same.
    let converted = annotated(&[("forwarding", "direct")], |service, slice| {
        same_port(service, slice);
        service.spec.service_type = ServiceType::NodePort;
        service.spec.ports[0].node_port = 30080;
    });
    let text = converted.table.to_string();
    assert!(text.contains("-a -t 10.96.0.10:80 -r 10.1.0.1:80 -g"), "{text}");
    assert!(text.contains("-a -t 192.0.2.1:30080 -r 10.1.0.1:80 -m"), "{text}");
}

fn weights(value: &str, change: impl FnOnce(&mut Service, &mut EndpointSlice)) -> Vec<u32> {
    let converted = annotated(&[("weights", value)], change);
    assert_eq!(skipped(&converted), [""; 0]);
    let all = converted.table.destinations();
    all.map(|(_, destination)| destination.weight().unwrap()).collect()
}

#[test]
fn weights_of_a_table() {
    assert_eq!(weights("10.1.0.1=3,*=0", unchanged), [3, 0]);
    assert_eq!(weights("10.1.0.2/31=5", unchanged), [1, 5]);
    assert_eq!(weights("node:b=7, node:a=2", unchanged), [2, 7]);
    let zones =
        |_: &mut Service, slice: &mut EndpointSlice| slice.endpoints[0].zone = Some("z".into());
    assert_eq!(weights("zone:z=9", zones), [9, 1]);
    let many = vec!["*=1"; 65].join(",");
    for wrong in [
        "",
        "3",
        "10.1.0.1",
        "10.1.0.1=",
        "10.1.0.1=-1",
        "x=1",
        "node:=1",
        "10.1.0.1/24=1",
        "*=2147483648",
        &many,
    ] {
        refused(&[("weights", wrong)], unchanged, "must be");
    }
}

#[test]
fn weights_of_the_topology() {
    let zones = |_: &mut Service, slice: &mut EndpointSlice| {
        slice.endpoints[1].zone = Some("z".into());
        slice.endpoints.push(ready("10.1.0.3"));
    };
    assert_eq!(weights("topology", zones), [8, 1, 1], "the node has no zone");
    let mut options = options();
    options.node_labels.insert("topology.kubernetes.io/zone".into(), "z".into());
    let mut service = web();
    service
        .metadata
        .annotations
        .insert("ipvs-netlink/weights".into(), "topology node=100 other=0".into());
    let mut slice = slice(&[on("a", "10.1.0.1"), on("b", "10.1.0.2")]);
    zones(&mut service, &mut slice);
    let (services, slices) = ([service], [slice]);
    let converted = convert(&Objects::new(&services, &slices), &options);
    let all: Vec<_> = converted.table.destinations().map(|(_, it)| it.weight()).collect();
    assert_eq!(all, [Some(100), Some(4), Some(0)]);
    refused(&[("weights", "topology node=1001")], unchanged, "must be a number, at most 1000");
    refused(&[("weights", "*=1001")], unchanged, "must be a number, at most 1000");
    for wrong in ["topologynode=1", "topology near=1", "topology node", "topology node=x"] {
        refused(&[("weights", wrong)], unchanged, "must be");
    }
}

#[test]
fn weights_of_pods() {
    let mut service = web();
    service.metadata.annotations.insert("ipvs-netlink/weights".into(), "pod".into());
    let mut slice = slice(&["10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4"].map(ready));
    for (endpoint, pod) in slice.endpoints.iter_mut().zip(["p", "q", "r"]) {
        endpoint.target_ref = Some(ObjectReference::pod(pod));
    }
    let pod = |namespace: &str, name: &str, weight: &str| {
        let mut pod = Pod::new(namespace, name);
        pod.metadata.annotations.insert("ipvs-netlink/weight".into(), weight.into());
        pod
    };
    let pods = [
        pod("shop", "p", "5"),
        pod("other", "q", "6"),
        pod("shop", "r", "x"),
        Pod::new("shop", "s"),
    ];
    let (services, slices) = ([service], [slice]);
    let objects = Objects::new(&services, &slices).pods(&pods);
    let mut options = options();
    options.pod_weights = true;
    let converted = convert(&objects, &options);
    let all: Vec<_> = converted.table.destinations().map(|(_, it)| it.weight()).collect();
    assert_eq!(all, [Some(5), Some(1), Some(1), Some(1)]);
    let told =
        "Pod shop/r, annotation ipvs-netlink/weight: weight \"x\": must be a number, at most 1000";
    assert_eq!(skipped(&converted), [told]);
    options.pod_weights = false;
    let converted = convert(&objects, &options);
    assert_eq!(converted.skipped[0].reason, Reason::PodWeightsNotAllowed);
    assert!(converted.table.destinations().all(|(_, it)| it.weight() == Some(1)));
}

fn sticky(service: &mut Service, _: &mut EndpointSlice) {
    service.spec.session_affinity = SessionAffinity::ClientIp;
}

#[test]
fn persistence_prefixes() {
    let line = |name, prefix| service_line(&annotated(&[(name, prefix)], sticky));
    assert_eq!(line("persistence-prefix-ipv4", "24"), "-s rr -p 10800 -M 255.255.255.0");
    assert_eq!(line("persistence-prefix-ipv4", "32"), "-s rr -p 10800");
    assert_eq!(line("persistence-prefix-ipv6", "64"), "-s rr -p 10800", "of the other family");
    let v6 = annotated(&[("persistence-prefix-ipv6", "64")], |service, slice| {
        sticky(service, slice);
        service.spec.cluster_ip = "fd00::a".into();
        slice.address_type = AddressType::Ipv6;
        slice.endpoints.clear();
    });
    assert_eq!(v6.table.to_string(), "-A -t [fd00::a]:80 -s rr -p 10800 -M 64\n");
    for (name, prefix) in [
        ("persistence-prefix-ipv4", "0"),
        ("persistence-prefix-ipv4", "33"),
        ("persistence-prefix-ipv4", "255.255.255.0"),
        ("persistence-prefix-ipv6", "0"),
        ("persistence-prefix-ipv6", "129"),
        ("persistence-prefix-ipv6", "+1"),
    ] {
        refused(&[(name, prefix)], sticky, "must be 1 to");
    }
    refused(&[("persistence-prefix-ipv4", "24")], unchanged, "needs sessionAffinity: ClientIP");
}

#[test]
fn thresholds() {
    let line = |all: &[(&str, &str)]| destination_lines(&annotated(all, unchanged))[0].clone();
    let both = [("upper-threshold", "100"), ("lower-threshold", "80")];
    assert_eq!(line(&both), "10.1.0.1:8080 -m -w 1 -x 100 -y 80");
    assert_eq!(line(&[("upper-threshold", "100")]), "10.1.0.1:8080 -m -w 1 -x 100");
    refused(&[("lower-threshold", "1")], unchanged, "lower threshold 1");
    refused(&[("upper-threshold", "1"), ("lower-threshold", "2")], unchanged, "lower threshold 2");
    refused(&[("upper-threshold", "2147483648")], unchanged, "upper threshold 2147483648");
    refused(&[("upper-threshold", "-1")], unchanged, "must be a number");
}

#[test]
fn one_packet() {
    let udp = |service: &mut Service, _: &mut EndpointSlice| {
        let protocol = PortProtocol::Udp;
        service.spec.ports.push(ServicePort { protocol, ..ServicePort::new(53) });
    };
    let text = |value| annotated(&[("one-packet", value)], udp).table.to_string();
    assert!(text("true").contains("-A -u 10.96.0.10:53 -s rr -o\n"), "{}", text("true"));
    assert!(text("true").contains("-A -t 10.96.0.10:80 -s rr\n"));
    assert!(text("false").contains("-A -u 10.96.0.10:53 -s rr\n"));
    refused(&[("one-packet", "true")], unchanged, "needs a UDP port");
    let both = |service: &mut Service, slice: &mut EndpointSlice| {
        udp(service, slice);
        slice.ports.push(EndpointPort { protocol: PortProtocol::Udp, ..EndpointPort::new(53) });
    };
    refused(&[("one-packet", "yes")], both, "must be true or false");
}

#[test]
fn drain() {
    let drain = |value| {
        let converted = annotated(&[("drain", value)], unchanged);
        assert!(converted.skipped.is_empty());
        converted.services.values().next().unwrap().drain.unwrap()
    };
    let usual = DrainPolicy::new();
    assert_eq!(drain("at-once").policy(usual), None);
    assert_eq!(drain("forever").policy(usual), Some(usual.deadline(None)));
    let minute = std::time::Duration::from_secs(90);
    assert_eq!(drain("1m30s"), Drain::Within(minute));
    assert_eq!(drain("1m30s").policy(usual), Some(usual.deadline(Some(minute))));
    for wrong in ["", "0", "never", "-1s"] {
        refused(&[("drain", wrong)], unchanged, "must be at-once, forever");
    }
}

#[test]
fn health_checks_are_handed_out_as_they_are_written() {
    let text = "tcp: {}\ninterval: 2s\n";
    let converted = annotated(&[("health-checks", text)], unchanged);
    let facts = converted.services.values().next().unwrap();
    assert_eq!(facts.health_checks.as_deref(), Some(text.trim()));
    let long = "x".repeat(65_537);
    refused(&[("health-checks", &long)], unchanged, "at most 65536 bytes");
}

/// Nobody wants `sh-port` with another scheduler, or a drain of a service that lost its scheduler.
#[test]
fn one_wrong_annotation_makes_all_void() {
    let all = [
        ("scheduler", "wrr"),
        ("drain", "at-once"),
        ("weights", "node:a=3"),
        ("upper-threshold", "x"),
    ];
    refused(&all, unchanged, "threshold \"x\"");
}

#[test]
fn an_unknown_annotation_is_told_and_the_others_hold() {
    for unknown in ["schedular", "weight"] {
        let converted = annotated(&[("scheduler", "wrr"), (unknown, "rr")], unchanged);
        assert!(converted.table.to_string().contains("-s wrr"));
        let told = format!(
            "Service shop/web, annotation ipvs-netlink/{unknown}: no annotation of this name is known"
        );
        assert_eq!(skipped(&converted), [told]);
    }
}
