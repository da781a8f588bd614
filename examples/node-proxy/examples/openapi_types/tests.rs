use ipvs_netlink::kubernetes::{Converted, Options};
use k8s_openapi::api::core::v1::Service;
use kube::{Client, Config};
use node_proxy::api_server::ApiServer;
use serde_json::{Value, json};
use tokio::runtime::Builder;

fn service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "namespace": "shop",
            "name": "web",
            "labels": {"team": "a", "service.kubernetes.io/x": "y"},
            "annotations": {"ipvs-netlink/scheduler": "wrr", "other": "z"},
            "creationTimestamp": "2026-11-28T12:00:00Z",
            "resourceVersion": "5",
        },
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.96.0.10",
            "clusterIPs": ["10.96.0.10", "fd00::10"],
            "ipFamilies": ["IPv4", "IPv6"],
            "externalIPs": ["203.0.113.1"],
            "externalTrafficPolicy": "Local",
            "healthCheckNodePort": 32100,
            "loadBalancerSourceRanges": ["198.51.100.0/24"],
            "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 300}},
            "ports": [{"name": "http", "port": 80, "nodePort": 30080, "targetPort": "web"}],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.2", "ipMode": "VIP"}]}},
    })
}

fn slice(address: &str) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "shop",
            "name": "web-1",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{
            "addresses": [address],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "nodeName": "node-a",
        }],
    })
}

/// Whether an object comes from the API or through a type of `k8s-openapi` makes no difference.
#[test]
fn an_object_of_k8s_openapi_becomes_the_one_of_its_json() {
    let openapi: Service = serde_json::from_value(service()).unwrap();
    let through: ipvs_netlink::kubernetes::Service = super::reduced(&openapi).unwrap();
    let direct = serde_json::from_value(service()).unwrap();
    assert_eq!(through, direct);
    assert_eq!(through.spec.health_check_node_port, 32100);
}

#[test]
fn the_table_follows_the_cluster() {
    let server = ApiServer::start().unwrap();
    server.put(service()).unwrap();
    server.put(slice("10.244.1.2")).unwrap();
    let mut tables = Vec::new();
    let mut options = Options::new("node-a");
    options.node_addresses = vec!["192.0.2.1".parse().unwrap()];
    let config = Config::new(server.url().parse().unwrap());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let told = |converted: &Converted| {
        assert_eq!(converted.skipped, []);
        let table = converted.table.to_string();
        if tables.last() == Some(&table) {
            return Ok(());
        }
        tables.push(table);
        match tables.len() {
            1 => Ok(server.put(slice("10.244.1.3"))?),
            _ => Err("enough".into()),
        }
    };
    let done = runtime.block_on(async {
        let client = Client::try_from(config)?;
        super::watch(client, &options, told).await
    });
    assert_eq!(done.unwrap_err().to_string(), "enough");
    let table = |endpoint: &str| {
        let entry = |address: &str| {
            format!(
                "-A -t {address} -s wrr -p 300\n\
                 -a -t {address} -r {endpoint}:8080 -m -w 1\n"
            )
        };
        let addresses = ["10.96.0.10:80", "192.0.2.1:30080", "203.0.113.1:80", "203.0.113.2:80"];
        format!("{}-A -t [fd00::10]:80 -s wrr -p 300\n", addresses.map(entry).concat())
    };
    assert_eq!(tables, [table("10.244.1.2"), table("10.244.1.3")]);
}
