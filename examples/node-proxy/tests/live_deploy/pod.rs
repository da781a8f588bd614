//! What the pods of each variant are, and what the program is told in them.

use std::net::SocketAddr;

use clap::Parser as _;
use node_proxy::arguments::{Arguments, Command};
use serde_json::{Value, json};

use crate::built::{Built, OVERLAYS, VARIANTS};

fn containers<'b>(pod: &'b Value, list: &str) -> &'b [Value] {
    pod[list].as_array().map_or(&[], Vec::as_slice)
}

fn all_containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"].into_iter().flat_map(|list| containers(pod, list))
}

#[test]
fn the_program_takes_the_arguments_of_every_variant() {
    for overlay in OVERLAYS {
        let built = Built::of(overlay);
        let pod = built.pod();
        let mut parsed = 0;
        for container in all_containers(pod) {
            if container["command"].is_array() {
                continue;
            }
            let words = built.arguments(container);
            let words = ["node-proxy".to_owned()].into_iter().chain(words);
            let arguments = Arguments::try_parse_from(words).unwrap_or_else(|it| panic!("{it}"));
            if let Some(Command::Run(arguments)) = arguments.command {
                let options = arguments.conversion.options();
                assert_eq!(options.node_name, "node-a", "{overlay}");
            }
            parsed += 1;
        }
        assert!(parsed > 0, "{overlay}");
    }
}

#[test]
fn the_long_lived_container_has_no_privilege_but_one() {
    for overlay in OVERLAYS {
        let built = Built::of(overlay);
        let [container] = containers(built.pod(), "containers") else { panic!("{overlay}") };
        let expected = json!({
            "privileged": false,
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
        });
        assert_eq!(container["securityContext"], expected, "{overlay}");
    }
}

#[test]
fn the_pods_are_on_every_node_and_in_its_network() {
    for overlay in OVERLAYS {
        let built = Built::of(overlay);
        let pod = built.pod();
        assert_eq!(pod["hostNetwork"], true, "{overlay}");
        assert_eq!(pod["dnsPolicy"], "Default", "{overlay}");
        assert_eq!(pod["priorityClassName"], "system-node-critical", "{overlay}");
        assert_eq!(pod["tolerations"], json!([{"operator": "Exists"}]), "{overlay}");
        assert_eq!(pod["serviceAccountName"], built.only("ServiceAccount")["metadata"]["name"]);
        assert_eq!(built.only("DaemonSet")["metadata"]["namespace"], "kube-system");
        let [volume] = containers(pod, "volumes") else { panic!("{overlay}") };
        assert_eq!(volume["hostPath"]["path"], "/run/node-proxy");
        for container in all_containers(pod) {
            let [mount] = containers(container, "volumeMounts") else { panic!("{container}") };
            assert_eq!(mount["name"], volume["name"]);
            assert_eq!(mount["mountPath"], "/run/node-proxy");
            assert!(container["resources"]["requests"]["memory"].is_string(), "{container}");
        }
    }
}

/// The kubelet names the cluster IP of the API server, which nothing serves before the program does.
#[test]
fn in_place_of_kube_proxy_the_api_server_has_another_address() {
    let built = Built::of("overlays/in-place-of-kube-proxy");
    for container in all_containers(built.pod()) {
        let environment = built.environment(container);
        assert_eq!(environment["KUBERNETES_SERVICE_HOST"], "api.cluster.example");
        assert_eq!(environment["KUBERNETES_SERVICE_PORT"], "6443");
    }
}

#[test]
fn strict_arp_is_an_option_of_both_containers() {
    let built = Built::of("overlays/with-strict-arp");
    for container in all_containers(built.pod()) {
        assert!(built.arguments(container).contains(&"--strict-arp".to_owned()), "{container}");
    }
}

/// The init container alone is privileged. It ends, and it is told what the program is told, so that both need
/// the same settings.
#[test]
fn the_init_container_ends_and_knows_the_same_options() {
    for overlay in OVERLAYS {
        let built = Built::of(overlay);
        let [settings] = containers(built.pod(), "initContainers") else { panic!("{overlay}") };
        let expected = json!({"privileged": true, "readOnlyRootFilesystem": true});
        assert_eq!(settings["securityContext"], expected, "{overlay}");
        let mut words = built.arguments(settings);
        if words[0] == "--cleanup" {
            let built = Built::of("overlays/in-place-of-kube-proxy");
            let [container] = containers(built.pod(), "containers") else { panic!() };
            let run = built.arguments(container);
            let interface = run.iter().find(|word| word.starts_with("--interface=")).unwrap();
            assert_eq!(words, ["--cleanup", interface]);
            continue;
        }
        let before = words.len();
        words.retain(|word| word != "--init-only");
        assert_eq!(words.len() + 1, before, "{overlay}: {words:?}");
        let [container] = containers(built.pod(), "containers") else { panic!("{overlay}") };
        let options = built.arguments(container);
        assert!(words.iter().all(|word| options.contains(word)), "{overlay}: {words:?}");
    }
}

#[test]
fn the_probes_ask_where_the_program_answers() {
    for overlay in VARIANTS {
        let built = Built::of(overlay);
        let [container] = containers(built.pod(), "containers") else { panic!("{overlay}") };
        let options = built.arguments(container);
        let named = options.iter().find_map(|it| it.strip_prefix("--healthz-bind-address="));
        let address: SocketAddr = named.unwrap_or("0.0.0.0:10256").parse().unwrap();
        for (probe, path) in [("readinessProbe", "/readyz"), ("livenessProbe", "/livez")] {
            let get = json!({"path": path, "port": address.port()});
            assert_eq!(container[probe]["httpGet"], get, "{overlay}");
        }
    }
}
