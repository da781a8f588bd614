//! The commands for `nft`.

use super::*;

/// One command a line.
fn text(transaction: &ruleset::Transaction) -> String {
    let lines = transaction.objects.iter().map(|it| serde_json::to_string(it).unwrap() + "\n");
    lines.collect()
}

/// Compares with a file. If they differ, the test leaves what it got beside the target directory.
#[track_caller]
fn assert_golden(name: &str, golden: &str, transaction: &ruleset::Transaction) {
    let text = text(transaction);
    if text != golden {
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, &text).unwrap();
        panic!("not {name}, but {}", file.display());
    }
}

const GATEWAY: &str = "
apiVersion: v1
kind: Service
metadata: {namespace: edge, name: gateway}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.10
  externalTrafficPolicy: Local
  healthCheckNodePort: 30999
  loadBalancerSourceRanges: [10.0.0.0/8, 192.0.2.7/32]
  ports: [{port: 443, nodePort: 30443}]
status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}
";

/// Follows `proxier.go:writeIptablesRules`.
#[test]
fn the_whole_table() {
    let rules = rules(&converted(GATEWAY), &options(&["10.244.0.0/16"]));
    let commands = ruleset::replacement(&options(&["10.244.0.0/16"]), &rules);
    assert_golden("whole.jsonl", include_str!("golden/whole.jsonl"), &commands);
}

/// Follows `proxier.go:writeIptablesRules`: which traffic to cluster IPs is masqueraded.
#[test]
fn what_the_options_say_of_cluster_ips() {
    let conditions = |options: &FirewallOptions| {
        let commands = text(&ruleset::replacement(options, &Rules::of(options, [], [], [])));
        let rules = commands
            .lines()
            .filter(|it| it.contains("masquerade\"") && it.contains("@cluster-ips-4"));
        rules.map(|it| (it.contains("\"op\":\"!=\""), it.matches("@").count())).collect::<Vec<_>>()
    };
    // From the address of a service itself: the node.
    assert_eq!(conditions(&options(&[])), [(false, 2); 3]);
    // From elsewhere than pods.
    assert_eq!(conditions(&options(&["10.244.0.0/16"])), [(true, 2); 3]);
    // From anywhere.
    let all = FirewallOptions { masquerade_all: true, ..options(&["10.244.0.0/16"]) };
    assert_eq!(conditions(&all), [(false, 1); 3]);
}

/// Nothing tells pods from what comes from outside then, as with kube-proxy.
#[test]
fn without_networks_of_pods_nothing_is_dropped_for_the_policy_local() {
    let has_rule = |cidr: &[&str]| {
        let options = options(cidr);
        text(&ruleset::replacement(&options, &Rules::of(&options, [], [], [])))
            .contains("@closed-4")
    };
    assert!(has_rule(&["10.244.0.0/16"]) && !has_rule(&["fd00::/64"]) && !has_rule(&[]));
}

#[test]
fn a_change_has_the_elements_that_differ() {
    let options = options(&[]);
    let before = rules(&converted(GATEWAY), &options);
    let edited =
        GATEWAY.replace("10.0.0.0/8, 192.0.2.7/32", "10.0.0.0/9").replace("30443", "30444");
    let after = rules(&converted(&edited), &options);
    assert_eq!(
        text(&ruleset::change(&options, &before, &after)),
        r#"{"delete":{"element":{"family":"inet","table":"ipvs-node","name":"kept-4","elem":[{"concat":["192.0.2.1",6,30443]}]}}}
{"delete":{"element":{"family":"inet","table":"ipvs-node","name":"closed-4","elem":[{"concat":["192.0.2.1",6,30443]}]}}}
{"delete":{"element":{"family":"inet","table":"ipvs-node","name":"sources-tcp-4","elem":[{"concat":["203.0.113.1",443,{"prefix":{"addr":"10.0.0.0","len":8}}]},{"concat":["203.0.113.1",443,"192.0.2.7"]}]}}}
{"add":{"element":{"family":"inet","table":"ipvs-node","name":"kept-4","elem":[{"concat":["192.0.2.1",6,30444]}]}}}
{"add":{"element":{"family":"inet","table":"ipvs-node","name":"closed-4","elem":[{"concat":["192.0.2.1",6,30444]}]}}}
{"add":{"element":{"family":"inet","table":"ipvs-node","name":"sources-tcp-4","elem":[{"concat":["203.0.113.1",443,{"prefix":{"addr":"10.0.0.0","len":9}}]}]}}}
"#
    );
    assert_eq!(text(&ruleset::change(&options, &after, &after)), "");
}

#[test]
fn the_table_has_the_name_of_the_option() {
    let options =
        FirewallOptions { firewall_table: "other".parse().unwrap(), ..FirewallOptions::default() };
    assert_eq!(
        text(&ruleset::removal(&options)),
        "{\"delete\":{\"table\":{\"family\":\"inet\",\"name\":\"other\"}}}\n"
    );
    let whole = text(&ruleset::replacement(&options, &Rules::of(&options, [], [], [])));
    assert!(!whole.contains("ipvs-node"), "{whole}");
}
