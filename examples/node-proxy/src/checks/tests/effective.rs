use std::collections::BTreeSet;

use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::{Destination, DestinationId, Service};

use crate::checks::effective::effective;

fn id(host: u8) -> DestinationId {
    DestinationId::from(std::net::SocketAddr::from(([10, 244, 1, host], 8080)))
}

/// A service with endpoints, by their hosts and weights.
fn service(endpoints: &[(u8, u32)]) -> TableService {
    let service = TableService::new(Service::tcp(([10, 96, 0, 10], 80).into()));
    let endpoint = |(host, weight): &(u8, u32)| {
        Destination::masquerade(([10, 244, 1, *host], 8080).into()).weight(*weight)
    };
    endpoints.iter().map(endpoint).fold(service, TableService::with)
}

/// Returns hosts and weights, and whether the checks are not followed.
fn combined(desired: &[(u8, u32)], wish: &[(u8, u32)], unchecked: &[u8]) -> (Vec<(u8, u32)>, bool) {
    let unchecked: BTreeSet<_> = unchecked.iter().map(|host| id(*host)).collect();
    let effective = effective(&service(desired), &Wish::new(service(wish)), &unchecked);
    let there = effective.wish.service().destinations().map(|it| {
        let host = it.id().address.ip().to_string().rsplit('.').next().unwrap().parse().unwrap();
        (host, it.weight().unwrap())
    });
    (there.collect(), effective.keeps_all)
}

#[test]
fn checks_take_away_from_what_kubernetes_gives() {
    let all = [(1, 1), (2, 1), (3, 1)];
    assert_eq!(combined(&all, &[(1, 1), (2, 0)], &[]), (vec![(1, 1), (2, 0)], false));
    // What is not ready is not there, also if its checks pass, and if they are the last ones that do.
    assert_eq!(combined(&all[..2], &[(1, 1), (3, 1)], &[]), (vec![(1, 1)], false));
    assert_eq!(combined(&all[..2], &[(3, 1)], &[]), (vec![(1, 1), (2, 1)], true));
    assert_eq!(combined(&[], &[(3, 1)], &[]), (vec![], false));
}

#[test]
fn if_all_fail_all_stay() {
    let all = [(1, 5), (2, 1)];
    assert_eq!(combined(&all, &[], &[]), (all.to_vec(), true));
    assert_eq!(combined(&all, &[(1, 0), (2, 0)], &[]), (all.to_vec(), true));
}

#[test]
fn an_endpoint_that_drains_keeps_weight_0() {
    assert_eq!(combined(&[(1, 1), (2, 0)], &[(1, 1)], &[]), (vec![(1, 1), (2, 0)], false));
    assert_eq!(combined(&[(2, 0)], &[(2, 1)], &[]), (vec![(2, 0)], false));
}

#[test]
fn what_cannot_be_checked_is_as_kubernetes_gives_it() {
    assert_eq!(combined(&[(1, 1), (2, 3)], &[(1, 1)], &[2]), (vec![(1, 1), (2, 3)], false));
    assert_eq!(combined(&[(1, 1), (2, 3)], &[], &[2]), (vec![(2, 3)], false));
}

#[test]
fn who_is_dead_leaves_at_once() {
    let desired = service(&[(1, 1), (2, 1)]);
    let wish = Wish::new(service(&[(1, 1)])).at_once(id(2)).at_once(id(3));
    let effective = effective(&desired, &wish, &BTreeSet::new());
    let leaves = [1, 2, 3].map(|host| effective.wish.leaves_at_once(id(host)));
    assert_eq!(leaves, [false, true, false]);
}
