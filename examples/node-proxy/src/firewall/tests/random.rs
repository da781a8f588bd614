//! Random clusters.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipvs_netlink::table::Network;

use super::*;

/// A generator of numbers that are the same for a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn manifests(&mut self) -> String {
        (0..self.below(12)).map(|number| self.service(number)).collect()
    }

    fn service(&mut self, number: usize) -> String {
        let ranges: Vec<_> = (0..self.below(5))
            .map(|_| {
                self.one_of(&[
                    "10.0.0.0/8",
                    "10.1.0.0/16",
                    "10.1.2.3/32",
                    "0.0.0.0/0",
                    "192.0.2.0/24",
                    "'2001:db8::/32'",
                    "'2001:db8:1::/48'",
                    "'::/0'",
                    "'2001:db8::1/128'",
                ])
            })
            .collect();
        let ips = ["198.51.100.1", "198.51.100.2", "192.0.2.1", "'2001:db8::9'", "'2001:db8::1'"];
        format!(
            "
---
apiVersion: v1
kind: Service
metadata: {{namespace: shop, name: s{number}}}
spec:
  type: {}
  clusterIP: 10.96.0.{}
  clusterIPs: [10.96.0.{}, 'fd00::{}']
  ipFamilies: [{}]
  externalTrafficPolicy: {}
  internalTrafficPolicy: {}
  externalIPs: [{}]
  healthCheckNodePort: {}
  loadBalancerSourceRanges: [{}]
  ports: [{{port: {}, nodePort: {}, protocol: {}}}]
status: {{loadBalancer: {{ingress: [{{ip: {}}}, {{ip: {}}}]}}}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{namespace: shop, name: s{number}-1, labels: {{kubernetes.io/service-name: s{number}}}}}
addressType: {}
ports: [{{port: 8080, protocol: {}}}]
endpoints: [{{addresses: [{}], nodeName: {}}}]
",
            self.one_of(&["ClusterIP", "NodePort", "LoadBalancer"]),
            number + 1,
            number + 1,
            number + 1,
            self.one_of(&["IPv4", "IPv4, IPv6"]),
            self.one_of(&["Local", "Cluster"]),
            self.one_of(&["Local", "Cluster"]),
            self.one_of(&ips),
            self.one_of(&["0", "30900", "30901"]),
            ranges.join(", "),
            self.one_of(&["80", "81"]),
            self.one_of(&["0", "30080", "30081"]),
            self.one_of(&["TCP", "UDP", "SCTP"]),
            self.one_of(&ips),
            self.one_of(&ips),
            self.one_of(&["IPv4", "IPv6"]),
            self.one_of(&["TCP", "UDP"]),
            self.one_of(&["10.244.1.2", "'fd00:244::2'"]),
            self.one_of(&["a", "b"]),
        )
    }
}

/// Each service is in exactly one of the sets that say what becomes of the source address; elements are of the
/// family of their set, and those with networks do not overlap, which nft would refuse.
#[test]
fn every_set_is_one_that_nft_takes() {
    let mut restricted = 0;
    for seed in 0..60 {
        let converted = converted(&Random(seed).manifests());
        let rules = rules(&converted, &options(&["10.244.0.0/16", "10.0.0.0/8", "fd00::/32"]));
        let mut services: Vec<&Element> = Vec::new();
        for (name, elements) in rules.sets() {
            assert!(elements.iter().all(|it| is_of(name, it)), "seed {seed}: {name}: {elements:?}");
            let networks: Vec<_> = elements.iter().filter_map(network).collect();
            for (at, one) in networks.iter().enumerate() {
                let overlaps = |other: &(_, Network)| {
                    other.0 == one.0
                        && (one.1.contains(other.1.address()) || other.1.contains(one.1.address()))
                };
                assert!(
                    !networks[at + 1..].iter().any(overlaps),
                    "seed {seed}: {name}: {elements:?}"
                );
            }
            match name.purpose {
                Purpose::ClusterIps | Purpose::Masqueraded | Purpose::Kept => {
                    services.extend(elements)
                }
                Purpose::Restricted => restricted += elements.len(),
                _ => {}
            }
        }
        assert_eq!(services.len(), converted.virtual_services.len(), "seed {seed}");
        assert_eq!(services.iter().collect::<BTreeSet<_>>().len(), services.len(), "seed {seed}");
    }
    assert!(restricted > 20, "the random clusters are too tame: {restricted}");
}

/// The commands between two contents turn one into the other.
#[test]
fn changes_lead_from_one_to_the_other() {
    for seed in 0..60 {
        let mut random = Random(seed);
        let [before, after] =
            [(); 2].map(|()| rules(&converted(&random.manifests()), &options(&[])));
        let commands = ruleset::change(&options(&[]), &before, &after);
        let text = serde_json::to_value(&commands).unwrap();
        let mut held = contents(&before);
        for command in text["nftables"].as_array().unwrap() {
            let (verb, object) = command.as_object().unwrap().iter().next().unwrap();
            let element = &object["element"];
            for value in element["elem"].as_array().unwrap() {
                let it = (element["name"].as_str().unwrap().to_owned(), value.to_string());
                let changed = if verb == "delete" { held.remove(&it) } else { held.insert(it) };
                assert!(changed, "seed {seed}: {command}");
            }
        }
        assert_eq!(held, contents(&after), "seed {seed}");
    }
}

/// The elements of all sets, as they are in commands.
fn contents(rules: &Rules) -> BTreeSet<(String, String)> {
    let commands = serde_json::to_value(ruleset::replacement(&options(&[]), rules)).unwrap();
    let sets = commands["nftables"].as_array().unwrap().iter().map(|it| &it["add"]["set"]);
    let elements = |set: &serde_json::Value| {
        let name = set["name"].as_str().unwrap_or_default().to_owned();
        let elements = set["elem"].as_array().cloned().unwrap_or_default();
        elements.into_iter().map(move |it| (name.clone(), it.to_string()))
    };
    sets.flat_map(elements).collect()
}

fn is_of(name: SetName, element: &Element) -> bool {
    let is_of = |it: IpAddr| it.is_ipv4() == (name.family == ipvs_netlink::AddressFamily::Ipv4);
    match element {
        Element::Service(at, _) => is_of(at.ip()),
        Element::Source(at, network) => is_of(at.ip()) && is_of(network.address()),
        Element::Address(address) | Element::Twice(address) => is_of(*address),
        Element::Network(network) => is_of(network.address()),
        Element::Port(_) => true,
    }
}

fn network(element: &Element) -> Option<(Option<std::net::SocketAddr>, Network)> {
    match element {
        Element::Source(at, network) => Some((Some(*at), *network)),
        Element::Network(network) => Some((None, *network)),
        _ => None,
    }
}
