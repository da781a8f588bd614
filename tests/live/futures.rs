//! Promises of the futures of both async clients.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use ipvs_netlink::table::{PlanOptions, Table};
use ipvs_netlink::{Change, ErrorKind, Service};

use crate::client::{Async as Client, wait};
use crate::harness::{Budget, Random};
use crate::namespace;

fn service(port: u16) -> Service {
    Service::tcp(([192, 0, 2, 10], port).into())
}

#[test]
fn futures_and_streams_are_send() {
    fn is_send<T: Send>(_: T) {}
    namespace::fresh();
    wait(async {
        let mut ipvs = Client::connect().await.unwrap();
        is_send(Client::connect());
        is_send(Client::in_namespace("/run/netns/x"));
        is_send(ipvs.services());
        is_send(ipvs.snapshot());
        is_send(ipvs.snapshot_of(&[]));
        is_send(ipvs.submit(&[]));
        is_send(ipvs.set_weight(service(1).id, "10.0.0.1:1".parse().unwrap(), 1));
        is_send(ipvs.modify_service(service(1).id, |_| {}));
        is_send(ipvs.reconcile(&Table::new(), &PlanOptions::new()));
        is_send(ipvs.stream_services());
        is_send(ipvs.submit_stream([]));
        is_send(ipvs.submit_stream([]).next());
        is_send(ipvs);
    });
}

#[test]
fn what_is_dropped_in_the_midst_of_a_dump_leaves_the_client_usable() {
    namespace::fresh();
    wait(async {
        let mut ipvs = Client::connect().await.unwrap();
        // Enough entries that other tasks run while they are read.
        let count = 5000;
        let changes: Vec<_> = (1..=count).map(|port| Change::AddService(service(port))).collect();
        assert!(ipvs.submit(&changes).await.is_done());

        assert!(dropped_after(1, ipvs.services()));
        ipvs.update_service(&service(1)).await.unwrap();
        for polls in [1, 5, 50] {
            assert!(dropped_after(polls, ipvs.snapshot()));
            assert_eq!(ipvs.service(service(7).id).await.unwrap().service, service(7));
        }
        let mut stream = ipvs.stream_services().await.unwrap();
        assert!(stream.next().await.unwrap().is_ok());
        drop(stream);
        assert_eq!(ipvs.services().await.unwrap().len(), usize::from(count));

        assert!(dropped_after(1, ipvs.submit(&changes)));
        assert_eq!(ipvs.services().await.unwrap().len(), usize::from(count));
    });
}

/// Drops futures of every kind after any number of polls. The client keeps giving right answers,
/// and the table matches the changes that were begun.
#[test]
fn what_is_dropped_thousands_of_times_leaves_the_client_right() {
    namespace::fresh();
    let budget = Budget::new(1000);
    let mut random = Random::new(budget.seed);
    wait(async {
        let mut ipvs = Client::connect().await.unwrap();
        let count = 300;
        let changes: Vec<_> = (1..=count).map(|port| Change::AddService(service(port))).collect();
        assert!(ipvs.submit(&changes).await.is_done());
        let mut waited = 0;
        for done in 0.. {
            if !budget.lasts(done) {
                break;
            }
            let polls = 1 + random.below(4);
            let chosen = 1 + u16::try_from(random.below(usize::from(count))).unwrap();
            let one = service(chosen);
            // The kernel executes a request while it is sent, so dropping does not stop it.
            let dropped = match random.below(6) {
                0 => dropped_after(polls, ipvs.services()),
                1 => dropped_after(polls, ipvs.snapshot()),
                2 => dropped_after(polls, ipvs.destinations(one.id)),
                3 => dropped_after(polls, ipvs.submit(&changes)),
                4 => dropped_after(polls, ipvs.update_service(&one)),
                _ => {
                    let mut stream = ipvs.stream_services().await.unwrap();
                    dropped_after(polls, stream.next())
                }
            };
            waited += usize::from(dropped);
            if done % 20 == 0 {
                assert_eq!(ipvs.service(one.id).await.unwrap().service, one);
                let added = ipvs.add_service(&one).await.unwrap_err();
                assert_eq!(added.kind(), ErrorKind::ServiceExists, "seed {}", budget.seed);
            }
        }
        assert!(waited > 0, "no future was ever dropped while it waited");
        let services = ipvs.services().await.unwrap();
        assert_eq!(services.len(), usize::from(count));
    });
}

/// Polls a future `polls` times and drops it. Returns `false` if it was ready before.
fn dropped_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).all(|_| future.as_mut().poll(&mut context).is_pending())
}
