//! What the sets hold for each kind of service.

use super::*;

/// A service with an endpoint on the node `a`, where it has the policies of `spec`.
fn web(spec: &str) -> String {
    on("a", spec)
}

/// A service with one endpoint, on a node.
fn on(node: &str, spec: &str) -> String {
    let node_port = if spec.contains("type") && !spec.contains("ClusterIP") { 30080 } else { 0 };
    format!(
        "
apiVersion: v1
kind: Service
metadata: {{namespace: shop, name: web}}
spec:
  clusterIP: 10.96.0.10
  ports: [{{port: 80, nodePort: {node_port}}}]
  {spec}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{namespace: shop, name: web-1, labels: {{kubernetes.io/service-name: web}}}}
addressType: IPv4
ports: [{{port: 8080}}]
endpoints: [{{addresses: [10.244.1.2], nodeName: {node}}}]
"
    )
}

/// A load balancer's service, with more in its spec.
fn balanced(node: &str, more: &str) -> String {
    let status =
        "status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}\n---\napiVersion: discovery";
    let text = on(node, &format!("type: LoadBalancer\n  {more}"));
    text.replace("---\napiVersion: discovery", status)
}

#[track_caller]
fn assert_sets(manifests: &str, expected: &str) {
    let rules = rules(&converted(manifests), &options(&[]));
    assert_eq!(lines(&rules), expected.trim_start());
}

/// Follows `proxier.go:syncProxyRules`: `KUBE-CLUSTER-IP`, `KUBE-LOOP-BACK` and `KUBE-IPVS-IPS`.
#[test]
fn a_cluster_ip() {
    assert_sets(
        &web("type: ClusterIP"),
        "
cluster-ips-4: 10.96.0.10 . 6 . 80
addresses-4: 10.96.0.10
hairpin-4: 10.244.1.2 . 10.244.1.2
",
    );
}

/// Follows `proxier.go:syncProxyRules`: `KUBE-NODE-PORT-TCP`. The address of the node is none of
/// `KUBE-IPVS-IPS`.
#[test]
fn a_node_port_is_masqueraded() {
    assert_sets(
        &web("type: NodePort"),
        "
cluster-ips-4: 10.96.0.10 . 6 . 80
masqueraded-4: 192.0.2.1 . 6 . 30080
addresses-4: 10.96.0.10
hairpin-4: 10.244.1.2 . 10.244.1.2
",
    );
}

/// Follows `proxier.go:syncProxyRules`: `KUBE-NODE-PORT-LOCAL-TCP` and `KUBE-LOAD-BALANCER-LOCAL`.
#[test]
fn the_policy_local_keeps_the_address_of_the_client() {
    assert_sets(
        &balanced("a", "externalTrafficPolicy: Local\n  healthCheckNodePort: 30999"),
        "
cluster-ips-4: 10.96.0.10 . 6 . 80
kept-4: 192.0.2.1 . 6 . 30080, 203.0.113.1 . 6 . 80
addresses-4: 10.96.0.10, 203.0.113.1
hairpin-4: 10.244.1.2 . 10.244.1.2
health-check-ports-4: 30999
health-check-ports-6: 30999
",
    );
}

/// Follows `proxier.go:syncEndpoint`, which lets pods reach endpoints of other nodes then, and
/// `pkg/proxy/iptables/proxier.go:syncProxyRules`, which drops what comes from outside.
#[test]
fn the_policy_local_without_an_endpoint_closes_the_service() {
    assert_sets(
        &balanced("b", "externalTrafficPolicy: Local\n  healthCheckNodePort: 30999"),
        "
cluster-ips-4: 10.96.0.10 . 6 . 80
kept-4: 192.0.2.1 . 6 . 30080, 203.0.113.1 . 6 . 80
closed-4: 192.0.2.1 . 6 . 30080, 203.0.113.1 . 6 . 80
addresses-4: 10.96.0.10, 203.0.113.1
health-check-ports-4: 30999
health-check-ports-6: 30999
",
    );
}

/// Follows `serviceport.go:InternalPolicyLocal`, which no rule of `writeIptablesRules` asks for.
#[test]
fn the_internal_policy_local_closes_nothing() {
    assert_sets(
        &on("b", "type: NodePort\n  internalTrafficPolicy: Local"),
        "
cluster-ips-4: 10.96.0.10 . 6 . 80
masqueraded-4: 192.0.2.1 . 6 . 30080
addresses-4: 10.96.0.10
",
    );
}

/// Follows `proxier.go:syncProxyRules`: `KUBE-EXTERNAL-IP` and `KUBE-EXTERNAL-IP-LOCAL`.
#[test]
fn external_ips_are_masqueraded_and_those_of_the_node_stay_reachable() {
    assert_sets(
        &web("externalIPs: [198.51.100.1, 192.0.2.1]"),
        "
cluster-ips-4: 10.96.0.10 . 6 . 80
masqueraded-4: 192.0.2.1 . 6 . 80, 198.51.100.1 . 6 . 80
addresses-4: 10.96.0.10, 198.51.100.1
hairpin-4: 10.244.1.2 . 10.244.1.2
",
    );
}

/// Follows `proxier.go:syncProxyRules`: `KUBE-LOAD-BALANCER-FW` and `KUBE-LOAD-BALANCER-SOURCE-CIDR`.
#[test]
fn source_ranges_restrict_the_load_balancer_only() {
    assert_sets(
        &balanced("a", "loadBalancerSourceRanges: [10.0.0.0/8, 10.1.0.0/16, 192.0.2.7/32]"),
        "
cluster-ips-4: 10.96.0.10 . 6 . 80
masqueraded-4: 192.0.2.1 . 6 . 30080, 203.0.113.1 . 6 . 80
restricted-4: 203.0.113.1 . 6 . 80
sources-tcp-4: 203.0.113.1 . 80 . 10.0.0.0/8, 203.0.113.1 . 80 . 192.0.2.7/32
addresses-4: 10.96.0.10, 203.0.113.1
hairpin-4: 10.244.1.2 . 10.244.1.2
",
    );
}

#[test]
fn source_ranges_of_the_other_family_let_nobody_in() {
    let text = lines(&rules(
        &converted(&balanced("a", "loadBalancerSourceRanges: [fd00::/8]")),
        &options(&[]),
    ));
    assert!(text.contains("restricted-4: 203.0.113.1 . 6 . 80\n"), "{text}");
    assert!(!text.contains("sources-tcp-4"), "{text}");
}

/// Follows `proxier.go:syncProxyRules`: `KUBE-LOAD-BALANCER-SOURCE-IP`.
#[test]
fn source_ranges_with_the_node_let_it_in_by_the_address_of_the_service() {
    let ranges = balanced("a", "loadBalancerSourceRanges: [192.0.2.0/24]");
    let text = lines(&rules(&converted(&ranges), &options(&[])));
    let sources =
        "sources-tcp-4: 203.0.113.1 . 80 . 192.0.2.0/24, 203.0.113.1 . 80 . 203.0.113.1/32\n";
    assert!(text.contains(sources), "{text}");
}

#[test]
fn a_source_range_of_everything_restricts_nothing() {
    let all = balanced("a", "loadBalancerSourceRanges: [192.0.2.0/24, 0.0.0.0/0]");
    let text = lines(&rules(&converted(&all), &options(&[])));
    assert!(!text.contains("restricted") && text.contains("203.0.113.1 . 6 . 80"), "{text}");
}

/// Endpoints that get packets unchanged answer to the client, who must be the source.
#[test]
fn with_direct_routing_the_address_of_the_client_is_kept() {
    let direct = web("type: ClusterIP").replace(
        "name: web}\nspec",
        "name: web, annotations: {ipvs-netlink/forwarding: direct}}\nspec",
    );
    let direct = direct.replace("port: 8080", "port: 80");
    let converted = converted(&direct);
    let text = lines(&rules(&converted, &options(&[])));
    assert!(text.contains("kept-4: 10.96.0.10 . 6 . 80"), "{text}\n{:?}", converted.skipped);
    assert!(!text.contains("cluster-ips") && !text.contains("hairpin"), "{text}");
}

#[test]
fn each_family_has_its_sets() {
    assert_sets(
        "
apiVersion: v1
kind: Service
metadata: {namespace: dns, name: dns}
spec:
  clusterIP: 10.96.0.10
  clusterIPs: [10.96.0.10, 'fd00::10']
  ipFamilies: [IPv4, IPv6]
  externalIPs: ['2001:db8::5']
  ports: [{port: 53, protocol: UDP}]
",
        "
cluster-ips-4: 10.96.0.10 . 17 . 53
cluster-ips-6: fd00::10 . 17 . 53
masqueraded-6: 2001:db8::5 . 17 . 53
addresses-4: 10.96.0.10
addresses-6: 2001:db8::5, fd00::10
",
    );
}

#[test]
fn networks_of_pods_are_in_a_set() {
    let rules = Rules::of(&options(&["10.244.0.0/16", "fd00:244::/56"]), [], [], []);
    assert_eq!(lines(&rules), "inside-4: 10.244.0.0/16\ninside-6: fd00:244::/56\n");
}

/// Without `nft`, services at cluster IPs are served, and those that would be open to too many or would not
/// work are refused.
#[test]
fn needs() {
    let needs = |manifests: &str, options: &FirewallOptions| {
        let entries = entries(&converted(manifests));
        entries.iter().map(|(id, it)| (id.to_string(), it.need(options))).collect::<Vec<_>>()
    };
    let entry = |id: &str, need| (id.to_owned(), need);
    let (cluster_ip, node_port, balancer) =
        ("TCP 10.96.0.10:80", "TCP 192.0.2.1:30080", "TCP 203.0.113.1:80");
    assert_eq!(
        needs(&balanced("a", "loadBalancerSourceRanges: [10.0.0.0/8]"), &options(&[])),
        [
            entry(cluster_ip, None),
            entry(node_port, Some(Need::Masquerade)),
            entry(balancer, Some(Need::SourceRanges)),
        ]
    );
    assert_eq!(
        needs(&balanced("b", "externalTrafficPolicy: Local"), &options(&[])),
        [
            entry(cluster_ip, None),
            entry(node_port, Some(Need::LocalPolicy)),
            entry(balancer, Some(Need::LocalPolicy)),
        ]
    );
    let all = FirewallOptions { masquerade_all: true, ..options(&[]) };
    assert_eq!(
        needs(&balanced("a", "externalTrafficPolicy: Local"), &all),
        [
            entry(cluster_ip, Some(Need::MasqueradeAll)),
            entry(node_port, None),
            entry(balancer, None)
        ]
    );
}
