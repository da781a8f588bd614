//! Opening clients: namespaces, privileges, sockets.

use std::fs::File;
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::table::controller::{Controller, ControllerOptions, Event, RetryPolicy};
use ipvs_netlink::{ErrorKind, Service};
use nix::sched::{CloneFlags, unshare};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::client::Client;
use crate::namespace::fresh;

fn web() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap())
}

fn own_namespace() -> String {
    std::fs::read_link("/proc/thread-self/ns/net").unwrap().display().to_string()
}

#[test]
fn a_client_in_a_namespace_leaves_the_thread_where_it_is() {
    let mut here = fresh();
    here.add_service(&web()).unwrap();
    let here_file = File::open("/proc/thread-self/ns/net").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            let before = own_namespace();
            let mut there = Client::in_namespace_fd(&here_file).unwrap();
            assert_eq!(own_namespace(), before);
            assert_eq!(there.services().unwrap().len(), 1);
            assert!(there.destinations(web().id).unwrap().is_empty());
            assert!(Client::connect().unwrap().services().unwrap().is_empty());
        });
    });
}

#[test]
fn a_namespace_is_found_by_its_path() {
    let mut here = fresh();
    here.add_service(&web()).unwrap();
    let path = format!("/proc/self/task/{}/ns/net", rustix::thread::gettid());
    thread::scope(|scope| {
        scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            let mut there = Client::in_namespace(&path).unwrap();
            assert_eq!(there.services().unwrap().len(), 1);
        });
    });
}

#[test]
fn what_is_no_namespace_is_refused() {
    let _ipvs = fresh();
    let missing = Client::in_namespace("/run/netns/nosuch").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NoSuchNamespace);
    assert_eq!(missing.namespace(), Some("/run/netns/nosuch".as_ref()));
    assert_eq!(
        missing.to_string(),
        "connect in \"/run/netns/nosuch\": no such network namespace \
         (No such file or directory (os error 2))"
    );
    assert_eq!(std::io::Error::from(missing).kind(), std::io::ErrorKind::NotFound);
    let file = Client::in_namespace("/proc/self/status").unwrap_err();
    assert_eq!(file.kind(), ErrorKind::NotANamespace);
    assert_eq!(file.namespace(), Some("/proc/self/status".as_ref()));
    assert!(file.to_string().contains("not a network namespace"), "{file}");
    let other = Client::in_namespace("/proc/self/ns/uts").unwrap_err();
    assert_eq!(other.kind(), ErrorKind::NotANamespace);
    let folder = Client::in_namespace("/proc/self/ns").unwrap_err();
    assert_eq!(folder.kind(), ErrorKind::NotANamespace);
    let below_a_file = Client::in_namespace("/proc/self/status/net").unwrap_err();
    assert_eq!(below_a_file.kind(), ErrorKind::NoSuchNamespace);
    let open = Client::in_namespace_fd(File::open("/proc/self/status").unwrap()).unwrap_err();
    assert_eq!((open.kind(), open.namespace()), (ErrorKind::NotANamespace, None));
}

#[test]
fn without_the_capability_a_client_connects_but_every_command_is_denied() {
    fresh();
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::NET_ADMIN);
    set_capabilities(None, sets).unwrap();
    let mut ipvs = Client::connect().unwrap();
    let denied = ErrorKind::PermissionDenied;
    assert_eq!(ipvs.check().unwrap_err().kind(), denied);
    assert_eq!(ipvs.services().unwrap_err().kind(), denied);
    assert_eq!(ipvs.destinations(web().id).unwrap_err().kind(), denied);
    assert_eq!(ipvs.timeouts().unwrap_err().kind(), denied);
    assert_eq!(ipvs.daemons().unwrap_err().kind(), denied);
    let error = ipvs.add_service(&web()).unwrap_err();
    assert_eq!(error.kind(), denied);
    assert!(error.to_string().contains("initial user namespace"), "{error}");
}

#[test]
fn a_socket_opened_without_the_capability_stays_denied() {
    fresh();
    let with = capabilities(None).unwrap();
    let mut without = with;
    without.effective.remove(CapabilitySet::NET_ADMIN);
    set_capabilities(None, without).unwrap();
    let mut ipvs = Client::connect().unwrap();
    set_capabilities(None, with).unwrap();
    assert_eq!(ipvs.check().unwrap_err().kind(), ErrorKind::PermissionDenied);
    Client::connect().unwrap().check().unwrap();
}

#[cfg(feature = "packet")]
mod from_sockets {
    use ipvs_netlink::{Change, ServiceId};
    use netlink_packet_core::NLM_F_DUMP;
    use netlink_sys::{Socket, protocols::NETLINK_GENERIC};

    use super::*;

    fn socket() -> Socket {
        Socket::new(NETLINK_GENERIC).unwrap()
    }

    #[test]
    fn one_socket_does_everything_and_two_do_too() {
        let mut all = fresh();
        all.add_service(&web()).unwrap();
        for dumps in [None, Some(socket())] {
            let mut ipvs = Client::from_sockets(socket(), dumps).unwrap();
            assert_eq!(ipvs.services().unwrap().len(), 1);
            assert!(ipvs.destinations(web().id).unwrap().is_empty());
            ipvs.zero_all().unwrap();
        }
    }

    /// Answers that do not fit into the receive buffer are lost. A client must never cause that
    /// many.
    #[test]
    fn a_socket_with_small_buffers_gets_the_outcome_of_every_change() {
        fresh();
        let small = socket();
        small.set_rx_buf_sz(4096_u32).unwrap();
        let mut ipvs = Client::from_sockets(small, None).unwrap();
        let changes: Vec<_> = (1..=300)
            .map(|port| Change::DeleteService(ServiceId::tcp(([192, 0, 2, 10], port).into())))
            .collect();
        let report = ipvs.submit(&changes);
        assert_eq!(report.failures().len(), 300);
        for failed in report.failures() {
            assert_eq!(failed.outcome.error().unwrap().kind(), ErrorKind::NoSuchService);
        }
    }

    #[test]
    fn a_socket_of_another_protocol_is_refused() {
        let route = Socket::new(netlink_sys::protocols::NETLINK_ROUTE).unwrap();
        assert_eq!(Client::from_sockets(route, None).unwrap_err().kind(), ErrorKind::Socket);
    }

    #[test]
    fn what_waits_in_a_socket_is_thrown_away() {
        let mut all = fresh();
        for port in 1..=300 {
            all.add_service(&Service::tcp(([192, 0, 2, 10], port).into())).unwrap();
        }
        let mut used = socket();
        used.bind_auto().unwrap();
        // Ask for a dump of the generic netlink families and do not read it.
        let mut dump = vec![20, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0];
        dump[6..8].copy_from_slice(&(NLM_F_DUMP | 1).to_ne_bytes());
        used.send_to(&dump, &netlink_sys::SocketAddr::new(0, 0), 0).unwrap();
        let mut ipvs = Client::from_sockets(used, None).unwrap();
        assert_eq!(ipvs.services().unwrap().len(), 300);
    }
}

#[test]
fn a_namespace_that_nothing_else_holds_lives_as_long_as_its_client() {
    let mut ipvs = thread::spawn(fresh).join().unwrap();
    ipvs.add_service(&web()).unwrap();
    assert_eq!(ipvs.services().unwrap().len(), 1);
    assert!(ipvs.snapshot().unwrap().is_complete());

    // The path is gone a moment after the end of the thread that made the namespace.
    let maker = thread::spawn(|| {
        drop(fresh());
        format!("/proc/self/task/{}/ns/net", rustix::thread::gettid())
    });
    let path = maker.join().unwrap();
    let mut attempts = (0..100).map(|_| {
        thread::sleep(Duration::from_millis(10));
        Client::in_namespace(&path)
    });
    let error = attempts.find_map(Result::err).expect("the thread has ended");
    assert_eq!(error.kind(), ErrorKind::NoSuchNamespace, "{error}");
}

#[test]
fn without_the_privilege_a_controller_backs_off() {
    let mut ipvs = fresh();
    let soon = Duration::from_millis(10);
    let retry = RetryPolicy::new().first(soon).most(soon);
    let mut controller = Controller::new(ControllerOptions::new().retry(retry));
    controller.wish(web());
    let mut until = |is_over: fn(&Event) -> bool| loop {
        let stepped = ipvs.step(&mut controller);
        if let Some(event) = controller.events().find(is_over) {
            return event;
        }
        thread::sleep(stepped.pause(Instant::now()));
    };
    let with = capabilities(None).unwrap();
    let mut without = with;
    without.effective.remove(CapabilitySet::NET_ADMIN);
    set_capabilities(None, without).unwrap();
    let event = until(|event| matches!(event, Event::BackingOff { .. }));
    set_capabilities(None, with).unwrap();
    let Event::BackingOff { error, .. } = event else { panic!("{event}") };
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    until(|event| *event == Event::Recovered);
    until(|event| *event == Event::Settled(web().id));
    assert_eq!(ipvs.services().unwrap().len(), 1);
}
