//! How large and how slow a table of many services is.

use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ipvs_netlink::kubernetes::{
    Endpoint, EndpointPort, EndpointSlice, LoadBalancerIngress, Objects, Options, Service,
    ServicePort, convert,
};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};
use node_proxy::firewall::ruleset;

use crate::lab::{node_addresses, rules, with_nft};
use crate::stage::agent::fresh_namespace;
use crate::stage::nft;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A service with three endpoints on other nodes. Every tenth has a node port and a load balancer.
fn service(number: u32) -> (Service, EndpointSlice) {
    let [_, a, b, c] = number.to_be_bytes();
    let name = format!("s{number}");
    let mut service = Service::new("shop", &name);
    service.spec.cluster_ip = format!("10.{}.{b}.{c}", 96 + a);
    service.spec.ports.push(ServicePort::new(80));
    if number.is_multiple_of(10) {
        service.spec.service_type = "LoadBalancer".into();
        service.spec.ports[0].node_port = i32::try_from(20000 + number / 10).unwrap();
        service.status.load_balancer.ingress =
            vec![LoadBalancerIngress::new(&format!("172.{}.{b}.{c}", 16 + a))];
    }
    let mut slice = EndpointSlice::new("shop", &name, &name);
    slice.ports.push(EndpointPort::new(8080));
    slice.endpoints = [200, 210, 220]
        .map(|net| Endpoint::new(&format!("10.{}.{b}.{c}", net + u32::from(a))))
        .into();
    (service, slice)
}

#[test]
fn large_tables_are_replaced_and_changed() {
    let count = std::env::var("SERVICES").map_or(500, |text| text.parse().unwrap());
    fresh_namespace();
    let firewall = nft::options();
    let (services, slices): (Vec<_>, Vec<_>) = (1..=count).map(service).unzip();
    let mut options = Options::new("a");
    options.node_addresses = node_addresses().into();
    let converted = convert(&Objects::new(&services, &slices), &options);

    let begun = Instant::now();
    let all = rules(&firewall, &converted);
    let computed = begun.elapsed();
    let begun = Instant::now();
    let transaction = ruleset::replacement(&firewall, &all);
    let bytes = serde_json::to_vec(&transaction).unwrap().len();
    println!(
        "{count} services: {} elements, computed in {computed:?}; {bytes} bytes, written in {:?}",
        all.len(),
        begun.elapsed()
    );
    let cost = |transaction: &ruleset::Transaction| {
        with_nft(&firewall, async |nft| {
            let before = Cost::so_far();
            nft.apply(transaction).await.unwrap();
            Cost::so_far().since(before)
        })
    };
    println!("replaced nothing: {}", cost(&transaction));
    println!("replaced the same: {}", cost(&transaction));
    let mut converted = converted;
    let last = *converted.virtual_services.keys().next_back().unwrap();
    converted.virtual_services.remove(&last);
    let fewer = rules(&firewall, &converted);
    println!("deleted an element: {}", cost(&ruleset::change(&firewall, &all, &fewer)));
    println!("added an element: {}", cost(&ruleset::change(&firewall, &fewer, &all)));
    let looked = with_nft(&firewall, async |nft| {
        let before = Cost::so_far();
        assert!(nft.is_intact(&firewall).await.unwrap());
        Cost::so_far().since(before)
    });
    println!("looked for: {looked}");
}

/// What runs of `nft` cost.
struct Cost {
    time: Duration,
    /// Processor time of nft and of the kernel for it.
    processor: Duration,
}

impl Cost {
    fn so_far() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        let of =
            |time: TimeVal| Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap());
        Self { time: STARTED.elapsed(), processor: of(usage.user_time()) + of(usage.system_time()) }
    }

    fn since(self, before: Self) -> Self {
        Self { time: self.time - before.time, processor: self.processor - before.processor }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {:?} of a processor", self.time, self.processor)
    }
}
