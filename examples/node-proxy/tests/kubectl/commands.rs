//! What kubectl does against the API server of the tests.

use node_proxy::api_server::ApiServer;

use crate::stage::kubectl::Kubectl;

const WEB: &str = "
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: web, labels: {team: a}}
spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}
";

#[test]
fn kubectl_discovers_writes_and_watches() {
    let server = ApiServer::start().unwrap();
    let kubectl = Kubectl(&server);
    let found = kubectl.run(&["api-resources"], "");
    for words in [["services", "svc"], ["endpointslices", "discovery.k8s.io/v1"]] {
        let has = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(found.lines().any(has), "{words:?}: {found}");
    }

    let following = kubectl.follow(&["get", "services", "-A", "-w", "-o", "name"]);
    let shown = kubectl.follow(&["get", "endpointslices", "-n", "shop", "-w", "-o", "json"]);
    assert_eq!(kubectl.run(&["create", "-f", "-"], WEB), "service/web created\n");
    following.wait_for(&["service/web"]);
    let (ok, said) = kubectl.try_run(&["create", "-f", "-"], WEB);
    assert!(!ok && said.contains("AlreadyExists"), "{said}");

    let slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, \
                 metadata: {namespace: shop, name: web-1}, endpoints: [{addresses: [10.0.0.9]}]}";
    kubectl.run(&["create", "-f", "-"], slice);
    shown.wait_for(&["10.0.0.9"]);

    let other = WEB.replace("port: 80", "port: 81").replace("team: a", "team: b");
    assert_eq!(kubectl.run(&["replace", "-f", "-"], &other), "service/web replaced\n");
    let port = ["get", "service", "web", "-n", "shop", "-o", "jsonpath={.spec.ports[0].port}"];
    assert_eq!(kubectl.run(&port, ""), "81");
    let patch = ["patch", "svc", "web", "-n", "shop", "--type=merge", "-p"];
    let patched = r#"{"spec": {"ports": [{"port": 82}]}, "metadata": {"labels": {"team": null}}}"#;
    kubectl.run(&[&patch[..], &[patched]].concat(), "");
    assert_eq!(kubectl.run(&port, ""), "82");
    let labelled = kubectl.run(&["get", "svc", "-A", "-l", "team", "-o", "name"], "");
    assert_eq!(labelled, "");

    // A version that is not the present one.
    let stale = WEB.replace("name: web,", "name: web, resourceVersion: \"1\",");
    let (ok, said) = kubectl.try_run(&["replace", "-f", "-"], &stale);
    assert!(!ok && said.contains("Conflict"), "{said}");

    let deleted = kubectl.run(&["delete", "service", "web", "-n", "shop"], "");
    assert!(deleted.contains("service \"web\" deleted"), "{deleted}");
    let (ok, said) = kubectl.try_run(&port, "");
    assert!(!ok && said.contains("NotFound"), "{said}");

    let asked: Vec<String> = server.asked().iter().map(ToString::to_string).collect();
    for right in
        ["create services", "delete services", "get services", "patch services", "update services"]
    {
        assert!(asked.contains(&right.to_owned()), "{right}: {asked:?}");
    }
    assert!(asked.contains(&"watch endpointslices.discovery.k8s.io".to_owned()), "{asked:?}");
}

/// kubectl asks for 500 objects at a time, and goes on where a page ends.
#[test]
fn kubectl_reads_lists_in_pages() {
    let server = ApiServer::start().unwrap();
    for number in 0..1200 {
        let metadata = serde_json::json!({"namespace": "shop", "name": format!("web-{number}")});
        let service =
            serde_json::json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata});
        server.put(service).unwrap();
    }
    let listed = Kubectl(&server).run(&["get", "services", "-A", "-o", "name"], "");
    assert_eq!(listed.lines().count(), 1200);
    assert!(server.begun().pages >= 3, "{:?}", server.begun());
}

/// kubectl needs what a real server adds to a slice. Its events are of the core group, which the server does not have:
/// other tests read events by `kubectl get`.
#[test]
fn kubectl_describes_a_service_with_its_endpoints() {
    let server = ApiServer::start().unwrap();
    let kubectl = Kubectl(&server);
    kubectl.run(&["create", "-f", "-"], WEB);
    let slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, \
                 metadata: {namespace: shop, name: web-1, labels: {kubernetes.io/service-name: web}}, \
                 ports: [{name: '', protocol: TCP, port: 8080}], \
                 endpoints: [{addresses: [10.0.0.9], conditions: {ready: true}}]}";
    kubectl.run(&["create", "-f", "-"], slice);
    let said = kubectl.run(&["describe", "service", "web", "-n", "shop"], "");
    for words in [["IP:", "10.96.0.10"], ["Endpoints:", "10.0.0.9:8080"]] {
        let has = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(said.lines().any(has), "{words:?}: {said}");
    }
}
