//! What both async clients promise of their futures.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use ipvs_netlink::table::{PlanOptions, Table};
use ipvs_netlink::{Change, Service};

use crate::client::{Async as Client, wait};
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
        // So many that other tasks may run while they are read.
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

/// Polls a future so often and drops it; false if it was ready before.
fn dropped_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).all(|_| future.as_mut().poll(&mut context).is_pending())
}
