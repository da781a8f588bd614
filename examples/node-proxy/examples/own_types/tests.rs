use std::io;

use ipvs_netlink::kubernetes::{Changes, Converter, Options};
use kube::{Client, Config};
use node_proxy::api_server::ApiServer;
use serde_json::{Value, json};
use tokio::runtime::Builder;

fn service(name: &str, address: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"clusterIP": address, "ports": [{"port": 80}]},
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
        "ports": [{"port": 8080}],
        "endpoints": [{"addresses": [address]}],
    })
}

/// The table after the first listing, a change, and a break of the watches in which a service goes.
#[test]
fn the_table_follows_the_cluster() {
    let server = ApiServer::start().unwrap();
    for object in [service("web", "10.96.0.10"), service("old", "10.96.0.11"), slice("10.244.1.2")]
    {
        server.put(object).unwrap();
    }
    let mut tables = Vec::new();
    let options = Options::new("node-a");
    let config = Config::new(server.url().parse().unwrap());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let told = |converter: &Converter, _: &Changes| {
        let table = converter.converted().table.to_string();
        if tables.last() == Some(&table) {
            return Ok(());
        }
        tables.push(table);
        match tables.len() {
            1 => server.put(slice("10.244.1.3")).unwrap(),
            2 => {
                server.hold_watches(true);
                server.delete(&service("old", "")).unwrap();
                server.compact();
                server.expire_watches();
                server.hold_watches(false);
            }
            _ => return Err(io::Error::other("enough")),
        }
        Ok(())
    };
    let done = runtime.block_on(async {
        let client = Client::try_from(config).unwrap();
        super::watch(client, &options, told).await
    });
    assert_eq!(done.unwrap_err().to_string(), "enough");
    let web = "-A -t 10.96.0.10:80 -s rr\n-a -t 10.96.0.10:80 -r";
    let old = "-A -t 10.96.0.11:80 -s rr\n";
    assert_eq!(
        tables,
        [
            format!("{web} 10.244.1.2:8080 -m -w 1\n{old}"),
            format!("{web} 10.244.1.3:8080 -m -w 1\n{old}"),
            format!("{web} 10.244.1.3:8080 -m -w 1\n"),
        ]
    );
}
