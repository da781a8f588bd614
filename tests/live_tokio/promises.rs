//! Tests of promises that only the tokio client makes.

use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ipvs_netlink::table::{DrainPolicy, Drained, PlanOptions, Table, TableService};
use ipvs_netlink::tokio::Client;
use ipvs_netlink::{Change, Destination, ErrorKind, Service};
use tokio::runtime::Builder;
use tokio::sync::Mutex;

use crate::namespace;

fn service(port: u16) -> Service {
    Service::tcp(([192, 0, 2, 10], port).into())
}

/// Builds a runtime whose threads are in the network namespace of this thread.
fn run<F: Future>(future: F) -> F::Output {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

#[test]
fn sixty_four_tasks_share_a_client_and_each_gets_its_own_answers() {
    namespace::fresh();
    run(async {
        let shared = Arc::new(Mutex::new(Client::connect().await.unwrap()));
        let tasks = (1..=64_u16).map(|task| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let own = service(task);
                let server = Destination::masquerade(([10, 0, 0, 1], task).into());
                for round in 1..=20 {
                    shared.lock().await.add_service(&own).await.unwrap();
                    shared.lock().await.add_destination(own.id, &server).await.unwrap();
                    let weight = u32::from(task) * 100 + round;
                    shared.lock().await.set_weight(own.id, server.id, weight).await.unwrap();
                    let read = shared.lock().await.destination(own.id, server.id).await.unwrap();
                    assert_eq!(read.destination, server.clone().weight(weight));
                    let again = shared.lock().await.add_service(&own).await.unwrap_err();
                    assert_eq!(again.kind(), ErrorKind::ServiceExists);
                    let read = shared.lock().await.service(own.id).await.unwrap();
                    assert_eq!(read.service, own);
                    shared.lock().await.delete_service(own.id).await.unwrap();
                    let gone = shared.lock().await.service(own.id).await.unwrap_err();
                    assert_eq!(gone.kind(), ErrorKind::NoSuchService);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert!(shared.lock().await.services().await.unwrap().is_empty());
    });
}

#[test]
fn long_work_lets_other_tasks_run() {
    namespace::fresh();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let turns = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&turns);
        let other = tokio::spawn(async move {
            loop {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        let mut ipvs = Client::connect().await.unwrap();
        let changes: Vec<_> = (1..=2000).map(|port| Change::AddService(service(port))).collect();
        assert!(ipvs.submit(&changes).await.is_done());
        let while_writing = turns.swap(0, Ordering::Relaxed);
        assert!(while_writing >= 20, "{while_writing}");
        for port in 1..=2000 {
            ipvs.service(service(port).id).await.unwrap();
        }
        let while_reading = turns.load(Ordering::Relaxed);
        assert!(while_reading >= 20, "{while_reading}");
        other.abort();
    });
}

#[test]
fn the_callers_timer_works_and_a_dropped_operation_leaves_the_client_usable() {
    namespace::fresh();
    run(async {
        let mut ipvs = Client::connect().await.unwrap();
        let changes: Vec<_> = (1..=3000).map(|port| Change::AddService(service(port))).collect();
        let submitted = tokio::time::timeout(Duration::from_millis(1), ipvs.submit(&changes)).await;
        let read = ipvs.services().await.unwrap().len();
        match submitted {
            Ok(report) => assert!(report.is_done() && read == 3000),
            // Each chunk was sent as a whole or not at all.
            Err(_) => assert!(read % 64 == 0, "{read}"),
        }
    });
}

#[test]
fn a_drain_that_was_dropped_leaves_weight_0_and_can_go_on() {
    namespace::fresh();
    // The tasks use clients of this thread's namespace.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Destination::masquerade(listener.local_addr().unwrap()).weight(5);
    let web = Service::tcp("127.0.0.80:80".parse().unwrap());
    let mut held = None;
    run(async {
        let mut ipvs = Client::connect().await.unwrap();
        ipvs.add_service(&web).await.unwrap();
        ipvs.add_destination(web.id, &server).await.unwrap();
        held = Some(TcpStream::connect("127.0.0.80:80").unwrap());
        let policy = DrainPolicy::new().deadline(None);
        let drain = ipvs.drain(web.id, server.id, policy);
        assert!(tokio::time::timeout(Duration::from_millis(300), drain).await.is_err());
        let left = ipvs.destination(web.id, server.id).await.unwrap();
        assert_eq!((left.destination.weight, left.connections.active), (0, 1));

        let empty: Table = [TableService::new(web.clone())].into_iter().collect();
        let options = PlanOptions::new().drain(Some(policy));
        let reconcile = ipvs.reconcile(&empty, &options);
        assert!(tokio::time::timeout(Duration::from_millis(300), reconcile).await.is_err());
        assert_eq!(ipvs.destinations(web.id).await.unwrap().len(), 1);

        let short = policy.deadline(Some(Duration::from_millis(50)));
        let cut = ipvs.drain(web.id, server.id, short).await.unwrap();
        assert!(matches!(cut, Drained::Cut(connections) if connections.active == 1));
    });
}

#[test]
fn without_a_runtime_connecting_is_an_error() {
    let mut future = std::pin::pin!(Client::connect());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = future.as_mut().poll(&mut context) else {
        panic!("there is no runtime to wait with");
    };
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
}
