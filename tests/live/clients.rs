//! Clients side by side, in other threads, and without patience.

use std::thread;
use std::time::Duration;

use ipvs_netlink::Service;

use super::client::Client;
use super::namespace::fresh;

fn web() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap())
}

#[test]
fn clients_of_one_namespace_do_not_disturb_each_other() {
    let mut first = fresh();
    let mut second = Client::connect().unwrap();
    first.add_service(&web()).unwrap();
    {
        let mut stream = first.stream_services().unwrap();
        assert_eq!(second.services().unwrap().len(), 1);
        assert!(stream.next().is_some());
        second.delete_service(web().id).unwrap();
        assert!(stream.next().is_none());
    }
    assert!(first.services().unwrap().is_empty());
}

#[test]
fn a_client_works_in_whatever_thread_it_is_moved_to() {
    let mut ipvs = fresh();
    let mut ipvs = thread::spawn(move || {
        ipvs.add_service(&web()).unwrap();
        ipvs
    })
    .join()
    .unwrap();
    assert_eq!(ipvs.services().unwrap().len(), 1);
}

#[test]
fn the_deadline_is_the_users_to_choose() {
    let mut ipvs = fresh();
    assert_eq!(ipvs.deadline(), Some(Duration::from_secs(5)));
    for deadline in [None, Some(Duration::ZERO), Some(Duration::MAX)] {
        ipvs.set_deadline(deadline);
        // The answers are there when the requests have been sent.
        ipvs.check().unwrap();
        assert!(ipvs.services().unwrap().is_empty());
    }
}
