//! Cleaning up removes what this program made, and nothing else.

use ipvs_netlink::{Client, Destination, Service};
use node_proxy::exit::Exit;

use crate::stage::{addresses, apply, cleanup, in_namespace, ip};

#[test]
fn what_others_made_stays() {
    in_namespace(async |mut stage| {
        let mut ipvs = Client::connect().unwrap();
        let foreign = Service::tcp("192.0.2.80:80".parse().unwrap());
        ipvs.add_service(&foreign).unwrap();
        ip("link add other type dummy");
        ip("addr add 192.0.2.80/24 dev other");
        let mut host = stage.open().await;
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        host.prepare(&first).await.unwrap();
        let own = Service::tcp("10.96.0.1:80".parse().unwrap());
        ipvs.add_service(&own).unwrap();
        let endpoint = Destination::masquerade("10.244.1.1:80".parse().unwrap());
        ipvs.add_destination(own.id, &endpoint).unwrap();
        apply(&mut host, &first).await;
        stage.settle(&mut host).await;
        // A crash: nothing is said to the host.
        drop(host);

        assert_eq!(cleanup(&stage), Exit::Done);
        assert!(!ip("link show").contains("ipvs-node0"));
        assert_eq!(addresses("other"), ["192.0.2.80/24"]);
        let left: Vec<_> = ipvs.services().unwrap().iter().map(|it| it.service.id).collect();
        assert_eq!(left, [foreign.id]);
        assert_eq!(cleanup(&stage), Exit::Done, "there is nothing left to do");
    });
}

/// A program that is killed while it tries a scheduler leaves the service by which it does.
#[test]
fn services_that_tried_schedulers_go() {
    in_namespace(async |stage| {
        let mut ipvs = Client::connect().unwrap();
        let [left, foreign] = ["198.51.100.0:20003", "198.51.100.0:20004"]
            .map(|address| Service::tcp(address.parse().unwrap()));
        ipvs.add_service(&left).unwrap();
        ipvs.add_service(&foreign).unwrap();
        let endpoint = Destination::masquerade("10.244.1.1:80".parse().unwrap());
        ipvs.add_destination(foreign.id, &endpoint).unwrap();
        assert_eq!(cleanup(&stage), Exit::Done);
        let there: Vec<_> = ipvs.services().unwrap().iter().map(|it| it.service.id).collect();
        assert_eq!(there, [foreign.id]);
    });
}

#[test]
fn an_interface_of_others_stays() {
    in_namespace(async |stage| {
        ip("link add ipvs-node0 type veth peer name other");
        assert_eq!(cleanup(&stage), Exit::Failed);
        assert!(ip("link show").contains("ipvs-node0"));
    });
}
