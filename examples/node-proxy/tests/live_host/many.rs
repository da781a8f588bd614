//! As many addresses as a large cluster has.
//!
//! The long run, with the 44,125 addresses of kubernetes/kubernetes 139513:
//! `ADDRESSES=44125 cargo test --release -p node-proxy --test live_host many -- --nocapture`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use ipvs_netlink::kubernetes::Changes;

use crate::stage::{addresses, cleanup, in_namespace};

#[test]
fn many_addresses_take_seconds() {
    let number: u32 = std::env::var("ADDRESSES").map_or(2000, |it| it.parse().unwrap());
    in_namespace(async move |stage| {
        let all: Vec<IpAddr> = (1..=number)
            .map(|it| IpAddr::V4(Ipv4Addr::from_bits(Ipv4Addr::new(10, 96, 0, 0).to_bits() + it)))
            .collect();
        let mut host = stage.open().await;
        host.prepare(&Changes::default()).await.unwrap();
        host.add_addresses(&all);
        let start = Instant::now();
        stage.settle(&mut host).await;
        println!("{number} addresses added in {:.2} s", start.elapsed().as_secs_f64());
        assert_eq!(addresses("ipvs-node0").len(), all.len());

        let start = Instant::now();
        let restarted = stage.open().await;
        println!("{number} addresses read in {:.2} s", start.elapsed().as_secs_f64());
        drop(restarted);

        let start = Instant::now();
        host.remove_addresses(&all[..all.len() / 10]).await;
        println!("{} removed in {:.2} s", all.len() / 10, start.elapsed().as_secs_f64());
        assert_eq!(addresses("ipvs-node0").len(), all.len() - all.len() / 10);

        let start = Instant::now();
        assert_eq!(cleanup(&stage), node_proxy::exit::Exit::Done);
        println!("cleaned up in {:.2} s", start.elapsed().as_secs_f64());
    });
}
