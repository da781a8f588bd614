//! What becomes of connections. One test, because the network takes long to make.

use node_proxy::firewall::ruleset;

use crate::lab::{Lab, Outcome, connect, from};
use crate::stage::nft;

const MANIFESTS: &str = "
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: here}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.1
  clusterIPs: [10.96.0.1, 'fd00:96::1']
  ipFamilies: [IPv4, IPv6]
  ports: [{port: 80, nodePort: 30001}]
status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: there}
spec:
  type: NodePort
  clusterIP: 10.96.0.2
  clusterIPs: [10.96.0.2, 'fd00:96::2']
  ipFamilies: [IPv4, IPv6]
  externalIPs: [198.51.100.2, 192.0.2.1]
  ports: [{port: 80, nodePort: 30002}]
---
apiVersion: v1
kind: Service
metadata: {namespace: local, name: here}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.3
  externalTrafficPolicy: Local
  healthCheckNodePort: 2222
  ports: [{port: 80, nodePort: 30003}]
status: {loadBalancer: {ingress: [{ip: 203.0.113.3}]}}
---
apiVersion: v1
kind: Service
metadata: {namespace: local, name: there}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.4
  externalTrafficPolicy: Local
  healthCheckNodePort: 2223
  ports: [{port: 80, nodePort: 30004}]
status: {loadBalancer: {ingress: [{ip: 203.0.113.4}]}}
---
apiVersion: v1
kind: Service
metadata: {namespace: ranges, name: here}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.5
  loadBalancerSourceRanges: [192.0.2.7/32, 10.0.0.0/8]
  ports: [{port: 80, nodePort: 30005}]
status: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}
";

fn manifests() -> String {
    let mut text = MANIFESTS.to_owned();
    let slices = [
        ("shop", "here", "IPv4", "10.244.1.2", "a"),
        ("shop", "here", "IPv6", "'fd00:244:1::2'", "a"),
        ("shop", "there", "IPv4", "10.244.2.3", "b"),
        ("shop", "there", "IPv6", "'fd00:244:2::3'", "b"),
        ("local", "here", "IPv4", "10.244.1.2", "a"),
        ("local", "there", "IPv4", "10.244.2.3", "b"),
        ("ranges", "here", "IPv4", "10.244.1.2", "a"),
    ];
    for (namespace, service, family, address, node) in slices {
        text.push_str(&format!(
            "---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  namespace: {namespace}
  name: {service}-{}
  labels: {{kubernetes.io/service-name: {service}}}
addressType: {family}
ports: [{{port: 8080}}]
endpoints: [{{addresses: [{address}], nodeName: {node}}}]
",
            family.to_lowercase()
        ));
    }
    text
}

#[test]
fn connections() {
    let mut options = nft::options();
    options.cluster_cidr = vec!["10.244.0.0/16".parse().unwrap()];
    let lab = Lab::new(options);
    let converted = lab.serve(&manifests());
    assert_eq!(converted.skipped, []);

    // `proxier.go:syncProxyRules`, KUBE-NODE-PORT, KUBE-EXTERNAL-IP and KUBE-LOAD-BALANCER: masqueraded, with
    // the address of the interface to the endpoint.
    assert_eq!(connect("client", "192.0.2.1:30001"), from("10.244.1.1"));
    assert_eq!(connect("client", "192.0.2.1:30002"), from("192.0.2.1"));
    assert_eq!(connect("client", "198.51.100.2:80"), from("192.0.2.1"));
    assert_eq!(connect("client", "192.0.2.1:80"), from("192.0.2.1"));
    assert_eq!(connect("client", "203.0.113.1:80"), from("10.244.1.1"));
    assert_eq!(connect("client", "[2001:db8::1]:30002"), from("2001:db8::1"));

    // `proxier.go:writeIptablesRules`, KUBE-CLUSTER-IP: masqueraded from elsewhere than pods. The options have
    // pods of IPv4 only, so that in IPv6 the address is kept, and a stranger answers.
    assert_eq!(connect("client", "10.96.0.2:80"), from("192.0.2.1"));
    assert_eq!(connect("pod", "10.96.0.2:80"), from("10.244.1.2"));
    assert_eq!(connect("node", "10.96.0.2:80"), from("192.0.2.1"));
    assert_eq!(connect("node", "10.96.0.1:80"), from("10.244.1.1"));
    assert_eq!(connect("pod", "[fd00:96::2]:80"), from("fd00:244:1::2"));
    assert_eq!(connect("node", "[fd00:96::2]:80"), from("2001:db8::1"));
    assert_eq!(connect("client", "[fd00:96::1]:80"), from("2001:db8::7"));

    // `proxier.go:syncProxyRules`, KUBE-LOOP-BACK: a pod that is its own endpoint.
    assert_eq!(connect("pod", "10.96.0.1:80"), from("10.244.1.1"));
    assert_eq!(connect("pod", "10.96.0.3:80"), from("10.244.1.1"));
    assert_eq!(connect("pod", "[fd00:96::1]:80"), from("fd00:244:1::1"));

    // `proxier.go:writeIptablesRules`, KUBE-LOAD-BALANCER-LOCAL and KUBE-NODE-PORT-LOCAL-TCP: kept.
    assert_eq!(connect("client", "203.0.113.3:80"), from("192.0.2.7"));
    assert_eq!(connect("client", "192.0.2.1:30003"), from("192.0.2.7"));

    // Policy Local without an endpoint: closed to the client, and open to pods and to the node.
    assert_eq!(connect("client", "203.0.113.4:80"), Outcome::Lost);
    assert_eq!(connect("client", "192.0.2.1:30004"), Outcome::Lost);
    assert_eq!(connect("pod", "203.0.113.4:80"), from("10.244.1.2"));
    assert_eq!(connect("node", "203.0.113.4:80"), from("192.0.2.1"));

    // `proxier.go:writeIptablesRules`, KUBE-SOURCE-RANGES-FIREWALL and KUBE-IPVS-OUT-FILTER. Ranges are for the
    // load balancer alone.
    assert_eq!(connect("client", "203.0.113.5:80"), from("10.244.1.1"));
    assert_eq!(connect("stranger", "203.0.113.5:80"), Outcome::Lost);
    assert_eq!(connect("stranger", "192.0.2.1:30005"), from("10.244.1.1"));
    assert_eq!(connect("node", "203.0.113.5:80"), Outcome::Lost);
    assert_eq!(connect("pod", "203.0.113.5:80"), from("10.244.1.1"));

    // `proxier.go:writeIptablesRules`, KUBE-IPVS-FILTER: a port of the host, which is open at the address of the
    // node only, but for health checks.
    assert_eq!(connect("client", "192.0.2.1:2222"), from("192.0.2.7"));
    assert_eq!(connect("client", "203.0.113.1:2222"), from("192.0.2.7"));
    let edited = manifests()
        .replace("healthCheckNodePort: 2222", "healthCheckNodePort: 2224")
        .replace("192.0.2.7/32, 10", "192.0.2.0/31, 10");
    lab.serve(&edited);
    assert_eq!(connect("client", "192.0.2.1:2222"), from("192.0.2.7"));
    assert_eq!(connect("client", "203.0.113.1:2222"), Outcome::Refused);
    assert_eq!(connect("client", "10.96.0.1:2222"), Outcome::Refused);
    assert_eq!(connect("client", "[fd00:96::1]:2222"), Outcome::Refused);

    // KUBE-LOAD-BALANCER-SOURCE-IP: the node is in a source range now, and the client is not.
    assert_eq!(connect("node", "203.0.113.5:80"), from("10.244.1.1"));
    assert_eq!(connect("client", "203.0.113.5:80"), Outcome::Lost);

    // What another program removes is noticed, and what is removed hinders nobody.
    let options = &lab.options;
    let is_intact = || lab.with_nft(async |nft| nft.is_intact(options).await.unwrap());
    assert!(is_intact());
    lab.nft(&["flush", "table", "inet", "ipvs-node"]);
    assert!(!is_intact());
    lab.with_nft(async |nft| nft.apply(&ruleset::removal(options)).await.unwrap());
    assert!(!is_intact());
    assert_eq!(connect("stranger", "203.0.113.5:80"), from("192.0.2.8"));
}
