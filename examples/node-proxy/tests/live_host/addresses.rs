//! The dummy interface and its addresses.

use std::net::IpAddr;

use ipvs_netlink::kubernetes::Changes;

use crate::stage::{addresses, apply, in_namespace, ip};

#[test]
fn addresses_come_and_go() {
    in_namespace(async |mut stage| {
        let mut host = stage.open().await;
        assert!(!ip("link show").contains("ipvs-node0"), "opening changes nothing");
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        host.prepare(&first).await.unwrap();
        assert!(ip("-d link show ipvs-node0").contains("dummy"));
        assert!(ip("link show ipvs-node0").contains("UP"));
        stage.settle(&mut host).await;
        assert_eq!(addresses("ipvs-node0"), [""; 0], "nobody has said that it serves");
        apply(&mut host, &first).await;
        apply(&mut host, &stage.service("six", "2001:db8::1", ("TCP", 80), &["2001:db8:1::1"]))
            .await;
        stage.settle(&mut host).await;
        assert_eq!(addresses("ipvs-node0"), ["10.96.0.1/32", "2001:db8::1/128"]);
        assert!(!ip("-6 addr show dev ipvs-node0").contains("tentative"));

        host.remove_addresses(&stage.delete("web").addresses_removed).await;
        assert_eq!(addresses("ipvs-node0"), ["2001:db8::1/128"], "gone when the call returns");
    });
}

#[test]
fn what_another_interface_holds_is_left_alone_until_it_is_free() {
    in_namespace(async |mut stage| {
        ip("link add other type dummy");
        ip("addr add 10.96.0.1/24 dev other");
        let mut host = stage.open().await;
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        host.prepare(&first).await.unwrap();
        apply(&mut host, &first).await;
        stage.settle(&mut host).await;
        assert_eq!(addresses("ipvs-node0"), [""; 0]);
        apply(&mut host, &stage.delete("web")).await;
        assert_eq!(addresses("other"), ["10.96.0.1/24"]);

        let again = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        apply(&mut host, &again).await;
        stage.later();
        stage.settle(&mut host).await;
        assert_eq!(addresses("ipvs-node0"), [""; 0]);
        ip("addr del 10.96.0.1/24 dev other");
        stage.later();
        stage.settle(&mut host).await;
        assert_eq!(addresses("ipvs-node0"), ["10.96.0.1/32"]);
    });
}

#[test]
fn an_interface_that_is_no_dummy_is_refused() {
    in_namespace(async |stage| {
        ip("link add ipvs-node0 type veth peer name other");
        let error = node_proxy::host::Host::open(&stage.arguments, stage.now).await.unwrap_err();
        let expected =
            "interface ipvs-node0: is of kind veth, and not a dummy interface of this program";
        assert_eq!(error.to_string(), expected);
    });
}

#[test]
fn what_somebody_removes_comes_back_within_a_minute() {
    in_namespace(async |mut stage| {
        let mut host = stage.open().await;
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        host.prepare(&first).await.unwrap();
        apply(&mut host, &first).await;
        stage.settle(&mut host).await;
        ip("addr del 10.96.0.1/32 dev ipvs-node0");
        stage.later();
        stage.settle(&mut host).await;
        assert_eq!(addresses("ipvs-node0"), ["10.96.0.1/32"]);
        ip("link del ipvs-node0");
        stage.later();
        stage.settle(&mut host).await;
        assert_eq!(addresses("ipvs-node0"), ["10.96.0.1/32"]);
        ip("link set ipvs-node0 down");
        stage.later();
        stage.settle(&mut host).await;
        assert!(ip("link show ipvs-node0").contains("UP"));
    });
}

#[test]
fn after_a_crash_only_the_difference_is_written() {
    in_namespace(async |mut stage| {
        let mut host = stage.open().await;
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        let second = stage.service("old", "10.96.0.2", ("TCP", 80), &["10.244.1.1"]);
        host.prepare(&first).await.unwrap();
        apply(&mut host, &first).await;
        apply(&mut host, &second).await;
        stage.settle(&mut host).await;
        assert_eq!(addresses("ipvs-node0"), ["10.96.0.1/32", "10.96.0.2/32"]);
        drop(host);

        stage.cluster = ipvs_netlink::kubernetes::Converter::new(stage.cluster.options());
        let mut host = stage.open().await;
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        host.prepare(&first).await.unwrap();
        assert_eq!(addresses("ipvs-node0"), ["10.96.0.1/32"]);
    });
}

#[test]
fn the_addresses_of_the_node_are_followed() {
    in_namespace(async |mut stage| {
        ip("link add eth-a type dummy");
        ip("addr add 192.0.2.9/24 dev eth-a");
        ip("link add kube-ipvs0 type dummy");
        ip("addr add 10.96.0.77/32 dev kube-ipvs0");
        let mut host = stage.open().await;
        let list = |texts: &[&str]| -> Vec<IpAddr> {
            texts.iter().map(|it| it.parse().unwrap()).collect()
        };
        assert_eq!(host.node_addresses(), list(&["192.0.2.9"]));
        host.prepare(&Changes::default()).await.unwrap();
        stage.settle(&mut host).await;
        assert_eq!(host.take_node_addresses(), None);
        ip("addr add 192.0.2.10/24 dev eth-a");
        stage.later();
        let both = list(&["192.0.2.9", "192.0.2.10"]);
        stage.settle(&mut host).await;
        assert_eq!(host.take_node_addresses(), Some(both));
        assert_eq!(host.take_node_addresses(), None);
        ip("addr del 192.0.2.9/24 dev eth-a");
        // A dummy interface deletes secondary addresses with their primary one.
        let left = addresses("eth-a");
        for _ in 0..2 {
            stage.later();
            stage.settle(&mut host).await;
        }
        assert_eq!(host.node_addresses().len(), left.len());
        assert!(!host.node_addresses().contains(&list(&["192.0.2.9"])[0]));
    });
}

/// A node port at each of them would be the square of the services.
#[test]
fn addresses_of_services_are_not_the_nodes_whatever_interface_has_them() {
    in_namespace(async |mut stage| {
        let node: Vec<IpAddr> = vec!["192.0.2.9".parse().unwrap()];
        ip("link add announced type dummy");
        ip("addr add 192.0.2.9/32 dev announced");
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        // Made by this program, left by kube-proxy, and marked by somebody else.
        ip("link add kube-ipvs0 type dummy");
        ip("link add ipvs-node2 type dummy");
        ip("link set ipvs-node2 alias another");
        let names = ["ipvs-node0", "kube-ipvs0", "ipvs-node2", "ipvs-node3"];
        for name in names {
            stage.arguments.place.interface = name.parse().unwrap();
            let mut host = stage.open().await;
            assert_eq!(host.node_addresses(), node, "{name}");
            host.prepare(&first).await.unwrap();
            apply(&mut host, &first).await;
            stage.settle(&mut host).await;
            assert_eq!(host.node_addresses(), node, "{name}");
            // It serves before an earlier one is removed.
            assert_eq!(addresses(name), ["10.96.0.1/32"], "{name}");
        }
        for former in names.iter().filter(|it| **it != "ipvs-node3") {
            ip(&format!("link del {former}"));
        }
        assert_eq!(addresses("ipvs-node3"), ["10.96.0.1/32"]);
        assert!(ip("route get 10.96.0.1").contains("local"));
    });
}

/// The firewall of the one must not reject the ports of the other.
#[test]
fn the_addresses_of_another_program_are_held_elsewhere() {
    in_namespace(async |mut stage| {
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        let mut one = stage.open().await;
        one.prepare(&first).await.unwrap();
        apply(&mut one, &first).await;
        stage.settle(&mut one).await;
        stage.arguments.place.interface = "ipvs-node1".parse().unwrap();
        let two = stage.open().await;
        assert!(two.held_elsewhere().any(|it| it.to_string() == "10.96.0.1"));
        assert_eq!(two.node_addresses(), [] as [IpAddr; 0]);
    });
}
