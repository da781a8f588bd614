//! Section "attributes of a virtual service".

use super::*;
use crate::model::Scheduler;

fn text(service: Service, options: &Options) -> String {
    let slices = [slice(&[ready("10.1.0.1")])];
    convert(&Objects::new(&[service], &slices), options).table.to_string()
}

/// Follows `proxier.go:syncProxyRules`: masquerading, weight 1, no thresholds.
#[test]
fn the_defaults_are_those_of_kube_proxy() {
    assert_eq!(
        text(web(), &options()),
        "-A -t 10.96.0.10:80 -s rr\n-a -t 10.96.0.10:80 -r 10.1.0.1:8080 -m -w 1\n"
    );
}

/// Follows `proxier.go`, `FlagSourceHash`.
#[test]
fn only_mh_gets_a_flag() {
    let with = |scheduler| {
        let mut options = options();
        options.scheduler = scheduler;
        text(web(), &options).lines().next().unwrap().to_owned()
    };
    assert_eq!(with(Scheduler::MAGLEV_HASHING), "-A -t 10.96.0.10:80 -s mh -b mh-port");
    assert_eq!(with(Scheduler::SOURCE_HASHING), "-A -t 10.96.0.10:80 -s sh");
    assert_eq!(with(Scheduler::NEVER_QUEUE), "-A -t 10.96.0.10:80 -s nq");
    let later = Scheduler::new("of-tomorrow").unwrap();
    assert_eq!(with(later), "-A -t 10.96.0.10:80 -s of-tomorrow");
}

/// Follows `serviceport.go:newBaseServiceInfo`, `defaults.go:SetDefaults_Service`.
#[test]
fn session_affinity_is_persistence_in_all_four_ways() {
    let mut service = web();
    service.spec.service_type = ServiceType::LoadBalancer;
    service.spec.ports[0].node_port = 30080;
    service.spec.external_ips = vec!["198.51.100.1".into()];
    service.status.load_balancer.ingress = vec![LoadBalancerIngress::new("203.0.113.1")];
    let timeouts = |service: &Service| {
        let converted = converted(std::slice::from_ref(service), &[]);
        let all = converted.table.services();
        let all = all.map(|it| it.service().persistence.map(|it| it.to_string()));
        all.collect::<Vec<_>>()
    };
    service.spec.session_affinity_config.client_ip.timeout_seconds = Some(60);
    assert_eq!(timeouts(&service), vec![None; 4], "the configuration is void without the affinity");
    service.spec.session_affinity = SessionAffinity::ClientIp;
    assert_eq!(timeouts(&service), vec![Some("persistent 60".to_owned()); 4]);
    service.spec.session_affinity_config = SessionAffinityConfig::default();
    assert_eq!(timeouts(&service), vec![Some("persistent 10800".to_owned()); 4]);
    for seconds in [0, -1, 86_401] {
        service.spec.session_affinity_config.client_ip.timeout_seconds = Some(seconds);
        let converted = converted(std::slice::from_ref(&service), &[]);
        assert!(converted.table.is_empty());
        assert!(skipped(&converted)[0].contains("must be 1 to 86400"));
    }
}

/// Follows `serviceport.go:newBaseServiceInfo`: all three protocols.
#[test]
fn tcp_udp_and_sctp_are_served() {
    let mut service = web();
    service.spec.ports[0].name = "t".into();
    for (name, protocol) in [("u", PortProtocol::Udp), ("s", PortProtocol::Sctp)] {
        let port = ServicePort { name: name.into(), protocol, ..ServicePort::new(80) };
        service.spec.ports.push(port);
    }
    assert_eq!(whole(&service, &[]), ["10.96.0.10:80", "UDP 10.96.0.10:80", "SCTP 10.96.0.10:80"]);
    let converted = converted(&[service], &[]);
    let ports: Vec<&str> = converted.virtual_services.values().map(|it| &*it.port).collect();
    assert_eq!(ports, ["t", "u", "s"]);
}
