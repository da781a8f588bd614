//! Objects that are huge or contradict themselves.

use super::*;
use crate::random::Random;

/// Converts, and fails if the table has an entry that the kernel would refuse, or if a line is long or
/// has control characters.
fn checked(services: &[Service], slices: &[EndpointSlice]) -> Converted {
    let converted = converted(services, slices);
    assert!(converted.table.validate().is_empty());
    for told in skipped(&converted) {
        assert!(told.len() < 1000 && !told.contains(char::is_control), "{told:.1000}");
    }
    converted
}

fn addresses(count: u32) -> impl Iterator<Item = String> {
    (0..count).map(|index| std::net::Ipv4Addr::from_bits(0x0a80_0001 + index).to_string())
}

#[test]
fn a_slice_of_100_000_endpoints() {
    let mut endpoints: Vec<Endpoint> = addresses(100_000).map(|it| ready(&it)).collect();
    let converted = checked(&[web()], &[slice(&endpoints)]);
    assert_eq!(converted.table.destinations().count(), 100_000);
    assert!(converted.skipped.is_empty());
    // Of one address, and all of them bad.
    endpoints.iter_mut().for_each(|it| it.addresses[0] = "10.1.0.1".into());
    assert_eq!(checked(&[web()], &[slice(&endpoints)]).table.destinations().count(), 1);
    endpoints.iter_mut().for_each(|it| it.addresses[0] = "::1\u{1b}[31m".into());
    let converted = checked(&[web()], &[slice(&endpoints)]);
    assert_eq!(converted.skipped.len(), 1);
    assert_eq!(converted.skipped[0].count, 100_000);
}

/// What one user may ask of a node has a limit, whatever the product of its parts.
#[test]
fn products_of_lists_are_limited() {
    let mut service = web();
    service.spec.external_ips = addresses(10_000).collect();
    let converted = checked(std::slice::from_ref(&service), &[]);
    assert!(converted.table.is_empty());
    assert_eq!(
        skipped(&converted),
        ["Service shop/web: asks for 10001 virtual services, more than 10000"]
    );
    service.spec.external_ips.truncate(100);
    let endpoints: Vec<Endpoint> = addresses(10_000).map(|it| ready(&it)).collect();
    let converted = checked(&[service], &[slice(&endpoints)]);
    assert_eq!(
        skipped(&converted),
        ["Service shop/web: asks for 1010000 destinations, more than 1000000"]
    );
    // Ports of slices count too.
    let mut wide = slice(&endpoints);
    wide.ports = (1..=10_000).map(EndpointPort::new).collect();
    let converted = checked(&[web()], std::slice::from_ref(&wide));
    assert!(skipped(&converted)[0].contains("asks for 100000000 destinations"));
    // So do those of a service whose addresses are left out.
    let mut options = options();
    options.exclude = vec!["10.96.0.0/12".parse().unwrap()];
    wide.ports.truncate(101);
    let converted = convert(&Objects::new(&[web()], &[wide]), &options);
    assert!(skipped(&converted)[0].contains("asks for 1010000 destinations"));
}

/// The firewall has an element for each network of each port.
#[test]
fn source_ranges_of_all_ports_are_limited() {
    let mut service = web();
    let name = |index: u16| format!("p{index}");
    let port = |index| ServicePort { name: name(index), ..ServicePort::new(index) };
    service.spec.ports = (1..=256).map(port).collect();
    service.status.load_balancer.ingress =
        vec![LoadBalancerIngress::new("203.0.113.1"), LoadBalancerIngress::new("x")];
    service.spec.load_balancer_source_ranges = addresses(256).map(|it| it + "/32").collect();
    // Those of the other family restrict nothing here.
    service.spec.load_balancer_source_ranges.push("fd00::/8".into());
    let within = checked(std::slice::from_ref(&service), &[]);
    assert_eq!(within.table.len(), 512);
    service.spec.load_balancer_source_ranges.push("192.0.2.0/24".into());
    let beyond = checked(&[service], &[]);
    assert_eq!(beyond.table.len(), 256);
    assert_eq!(beyond.addresses.len(), 1);
    let told = "Service shop/web, status.loadBalancer.ingress \"203.0.113.1\": asks for 65792 source \
                ranges of all ports, more than 65536";
    assert!(skipped(&beyond).contains(&told.to_owned()), "{:#?}", skipped(&beyond));
}

#[test]
fn many_ports_cost_no_square() {
    let mut service = web();
    let name = |index: u16| format!("p{index}");
    let port = |index| ServicePort { name: name(index), ..ServicePort::new(index) };
    service.spec.ports = (1..=9_000).map(port).collect();
    let mut slice = slice(&[ready("10.1.0.1")]);
    let port = |index| EndpointPort { name: name(index), ..EndpointPort::new(index) };
    slice.ports = (1..=18_000).map(port).collect();
    let converted = checked(&[service.clone()], &[slice]);
    assert_eq!(converted.table.destinations().count(), 9_000);
    assert_eq!(converted.skipped.len(), 9_000);
    service.spec.ports.iter_mut().for_each(|port| port.name.clear());
    let converted = checked(&[service], &[]);
    assert_eq!((converted.table.len(), converted.skipped.len()), (1, 8_999));
}

#[test]
fn thousands_of_services_claim_one_address() {
    let thief = |index: u32| {
        let mut service = Service::new("shop", &format!("thief-{index:05}"));
        service.spec.cluster_ip = std::net::Ipv4Addr::from_bits(0x0a60_0001 + index).to_string();
        service.spec.external_ips = vec!["198.51.100.1".into()];
        service.spec.ports.push(ServicePort::new(80));
        service
    };
    let services: Vec<Service> = (0..5_000).rev().map(thief).collect();
    let converted = checked(&services, &[]);
    assert_eq!((converted.table.len(), converted.skipped.len()), (5_001, 4_999));
    let mut converter = Converter::new(&options());
    let changes = converter.apply_all(services.into_iter().map(Event::Service));
    assert_eq!((changes.set.len(), changes.skipped_added.len()), (5_001, 4_999));
    assert_eq!(converter.converted(), converted);
}

#[test]
fn names_and_texts_of_attackers_are_escaped() {
    let evil = "\u{1b}[31m\n".repeat(50);
    let mut service = web();
    service.metadata.name = evil.clone();
    let mut odd = web();
    odd.spec.ports.push(ServicePort { name: evil.clone(), ..ServicePort::new(0) });
    odd.spec.external_ips.push(evil.clone());
    odd.metadata.annotations.insert("ipvs-netlink/scheduler".into(), evil.clone());
    odd.metadata.annotations.insert(format!("ipvs-netlink/{evil}"), evil.clone());
    let mut orphan = slice(&[]);
    orphan.metadata.labels.insert("kubernetes.io/service-name".into(), evil.clone());
    orphan.metadata.name = "x\n".into();
    let mut bad = slice(&[ready(&evil)]);
    bad.ports.push(EndpointPort { name: evil.clone(), ..EndpointPort::default() });
    let converted = converted(&[service, odd], &[orphan, bad]);
    assert_eq!(lines(&converted), ["10.96.0.10:80"]);
    assert_eq!(converted.skipped.len(), 7, "{:#?}", skipped(&converted));
    for told in skipped(&converted) {
        assert!(!told.contains(char::is_control), "{told}");
    }
}

/// One service has a limit, and another one beside it is served.
#[test]
fn a_slice_that_is_too_large_leaves_its_service_out_as_a_whole() {
    let mut large = web();
    large.spec.external_ips = addresses(10).collect();
    let endpoints: Vec<Endpoint> = addresses(100_000).map(|it| ready(&it)).collect();
    let mut small = Service::new("shop", "small");
    small.spec.cluster_ip = "10.96.0.11".into();
    small.spec.ports.push(ServicePort::new(80));
    let mut own = slice(&[ready("10.1.0.1")]);
    own.metadata = EndpointSlice::new("shop", "small-1", "small").metadata;
    let converted = checked(&[large, small], &[slice(&endpoints), own]);
    assert_eq!(lines(&converted), ["10.96.0.11:80", "10.96.0.11:80 > 10.1.0.1:8080"]);
    assert_eq!(converted.addresses.len(), 1);
    let told = "Service shop/web: asks for 1100000 destinations, more than 1000000";
    assert_eq!(skipped(&converted), [told]);
}

#[test]
fn families_that_contradict_each_other_are_told() {
    let mut service = web();
    service.spec.cluster_ips =
        ["10.96.0.10", "10.96.0.11", "fd00::a", "fd00::b"].map(Into::into).into();
    service.spec.ip_families = vec![IpFamily::Ipv4, IpFamily::Ipv4, IpFamily::Ipv6];
    let mut mixed = slice(&[ready("fd01::1"), ready("10.1.0.1")]);
    mixed.metadata.name = "mixed".into();
    mixed.address_type = AddressType::Ipv6;
    let converted = checked(&[service], &[slice(&[ready("fd01::2"), ready("10.1.0.2")]), mixed]);
    assert_eq!(
        lines(&converted),
        [
            "10.96.0.10:80",
            "10.96.0.10:80 > 10.1.0.2:8080",
            "[fd00::a]:80",
            "[fd00::a]:80 > [fd01::1]:8080"
        ]
    );
    let told = skipped(&converted);
    assert_eq!(told.len(), 4, "{told:#?}");
    assert!(told[0].ends_with("\"10.96.0.11\": is there twice"), "{}", told[0]);
    assert!(told[1].contains("spec.clusterIPs \"fd00::b\": must be of the family"));
    assert!(told[2].ends_with("endpoint \"fd01::2\": is not of the family of the slice"));
    assert!(told[3].ends_with("endpoint \"10.1.0.1\": is not of the family of the slice"));
}

/// The API server lets none of these through.
#[test]
fn ports_that_are_there_twice_are_served_once_and_told() {
    let mut service = web();
    service.spec.service_type = ServiceType::NodePort;
    let port = |name: &str, number, node_port| ServicePort {
        name: name.into(),
        node_port,
        ..ServicePort::new(number)
    };
    service.spec.ports = vec![port("a", 80, 30_080), port("b", 80, 30_081), port("c", 81, 30_080)];
    service.spec.ports.push(port("a", 82, 0));
    let mut all = slice(&[ready("10.1.0.1")]);
    let port = |name: &str, number| EndpointPort { name: name.into(), ..EndpointPort::new(number) };
    all.ports = vec![port("a", 1), port("b", 2), port("c", 3), port("a", 1)];
    let converted = checked(&[service], &[all]);
    assert_eq!(
        lines(&converted),
        [
            "10.96.0.10:80",
            "10.96.0.10:80 > 10.1.0.1:1",
            "10.96.0.10:81",
            "10.96.0.10:81 > 10.1.0.1:3",
            "192.0.2.1:30080",
            "192.0.2.1:30080 > 10.1.0.1:1",
            "192.0.2.1:30081",
            "192.0.2.1:30081 > 10.1.0.1:2",
        ]
    );
    assert_eq!(
        skipped(&converted),
        [
            "Service shop/web, port a: is there twice",
            "Service shop/web, TCP 10.96.0.10:80: is there twice",
            "Service shop/web, TCP 192.0.2.1:30080: is there twice",
        ]
    );
}

#[test]
fn huge_annotations_are_told_in_few_words() {
    let mut service = web();
    let annotations = &mut service.metadata.annotations;
    let huge = "x,".repeat(1 << 20);
    for name in KNOWN {
        annotations.insert(format!("ipvs-netlink/{name}"), huge.clone());
    }
    for index in 0..10_000 {
        annotations.insert(format!("ipvs-netlink/{huge:.200}{index:05}"), String::new());
    }
    annotations.insert("service.beta.kubernetes.io/load-balancer-source-ranges".into(), huge);
    service.status.load_balancer.ingress.push(LoadBalancerIngress::new("203.0.113.1"));
    let converted = checked(&[service], &[slice(&[ready("10.1.0.1")])]);
    assert_eq!(lines(&converted), ["10.96.0.10:80", "10.96.0.10:80 > 10.1.0.1:8080"]);
    assert!(converted.services.is_empty());
    let unknown = converted.skipped.iter().find(|it| it.reason == Reason::UnknownAnnotation);
    assert_eq!(unknown.unwrap().count, 10_000);
    let wrong = converted.skipped.iter().filter(|it| matches!(it.item, Item::Annotation(_)));
    assert_eq!(wrong.count(), 1 + KNOWN.len());
    assert_eq!(converted.skipped.len(), 2 + KNOWN.len(), "and the source ranges");
}

/// The annotations that have values which cannot be huge.
const KNOWN: [&str; 11] = [
    "drain",
    "forwarding",
    "health-checks",
    "lower-threshold",
    "one-packet",
    "persistence-prefix-ipv4",
    "persistence-prefix-ipv6",
    "scheduler",
    "scheduler-flags",
    "upper-threshold",
    "weights",
];

const ODD_TEXTS: [&str; 14] = [
    "",
    "None",
    "x",
    "10.96.0.10",
    "192.0.2.1",
    "0.0.0.0",
    "::",
    "::ffff:10.96.0.10",
    "fd00::a",
    "fe80::1%eth0",
    "10.0.0.0/8",
    "10.0.0.0/99",
    "\u{202e}\u{0}\n",
    "-1",
];

/// Sets any field to any value of its type. Nothing panics, no entry is one that the kernel would
/// refuse, and whatever is not served is told.
#[test]
fn any_values_are_served_or_told() {
    let (mut served, mut told) = (0, 0);
    for seed in 0..3_000 {
        let mut random = Random::new(seed);
        let mut text = || ODD_TEXTS[below(&mut random, 14)].to_owned();
        let texts = [text(), text(), text(), text(), text(), text(), text(), text()];
        let mut number =
            || [i32::MIN, -1, 0, 1, 80, 65_535, 65_536, i32::MAX][below(&mut random, 8)];
        let mut service = web();
        let port = |number: &mut dyn FnMut() -> i32| ServicePort {
            name: texts[0].clone(),
            port: number(),
            node_port: number(),
            ..ServicePort::default()
        };
        service.spec.ports.extend([port(&mut number), port(&mut number)]);
        service.spec.health_check_node_port = number();
        service.spec.session_affinity_config.client_ip.timeout_seconds = Some(number());
        let mut all = slice(&[ready(&texts[1]), ready("10.1.0.1"), ready(&texts[2])]);
        all.ports.push(EndpointPort { port: Some(number()), ..EndpointPort::new(1) });
        let spec = &mut service.spec;
        for field in 0..8 {
            if random.percent(75) {
                continue;
            }
            match field {
                0 => spec.cluster_ip.clone_from(&texts[3]),
                1 => spec.cluster_ips = texts[3..6].to_vec(),
                2 => spec.external_ips = texts[2..7].to_vec(),
                3 => spec.load_balancer_source_ranges = texts[4..6].to_vec(),
                4 => spec.session_affinity = "ClientIP".into(),
                5 => {
                    spec.service_type =
                        ["LoadBalancer", "NodePort", "x"][below(&mut random, 3)].into()
                }
                6 => spec.ip_families = [IpFamily::Ipv6, IpFamily::Ipv4].into(),
                _ => spec.external_traffic_policy = ["Local", "x"][below(&mut random, 2)].into(),
            }
        }
        service.status.load_balancer.ingress =
            texts[5..].iter().map(|text| LoadBalancerIngress::new(text)).collect();
        let converted = checked(&[service], &[all]);
        served += converted.table.len();
        told += converted.skipped.len();
        assert!(!converted.skipped.is_empty(), "seed {seed}: two ports of one name");
        let of_service = |it: &&Skipped| it.kind == ObjectKind::Service && it.item == Item::Object;
        if converted.skipped.iter().find(of_service).is_some() {
            assert!(converted.table.is_empty() && converted.skipped.len() == 1, "seed {seed}");
        }
    }
    assert!(served > 1_000 && told > 1_000, "{served} {told}");
}

fn below(random: &mut Random, limit: u64) -> usize {
    usize::try_from(random.below(limit)).unwrap()
}
