//! Dumps are made datagram by datagram, continue by position, and are one at a time.

use crate::fake::tests::raw::{Answer, DONE, DUMP, ERROR, receive, request, service};
use crate::fake::{Errno, Kernel, Namespace, Socket, Version};
use crate::model::{AddressFamily, Change, Destination, Service, ServiceId};
use crate::uapi::{IPVS_CMD_GET_DEST, IPVS_CMD_GET_INFO, IPVS_CMD_GET_SERVICE};

const V4: AddressFamily = AddressFamily::Ipv4;

fn add(host: &Namespace, marks: impl IntoIterator<Item = u32>) {
    for mark in marks {
        host.write(&Change::AddService(Service::fwmark(mark, V4))).unwrap();
    }
}

fn remove(host: &Namespace, mark: u32) {
    host.write(&Change::DeleteService(ServiceId::fwmark(mark, V4))).unwrap();
}

fn list_services(socket: &Socket) {
    socket.send(&request(7, IPVS_CMD_GET_SERVICE, DUMP, &[])).unwrap();
}

/// The rest of a dump: the marks of each datagram.
fn datagrams(socket: &Socket, room: usize) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    loop {
        let answers = receive(socket, room).unwrap();
        if answers[0].kind == DONE {
            assert_eq!((answers.len(), answers[0].errno()), (1, 0));
            assert_eq!(receive(socket, room), Err(Errno::AGAIN));
            return all;
        }
        all.push(answers.iter().map(Answer::mark).collect());
    }
}

/// A message of a service with a firewall mark has so many bytes on Linux 6.12.
const LENGTH: usize = 292;

#[test]
fn a_datagram_is_as_long_as_the_largest_buffer_ever_offered() {
    let kernel = Kernel::new();
    add(&kernel.initial(), 1..=255);
    let lengths = |socket: &Socket, room| {
        list_services(socket);
        datagrams(socket, room).iter().map(Vec::len).collect::<Vec<_>>()
    };
    let socket = kernel.socket().unwrap();
    // The first is made before anything was received.
    assert_eq!(lengths(&socket, 65_536), [3776 / LENGTH, 32_448 / LENGTH, 255 - 12 - 111 - 21, 21]);
}

#[test]
fn a_smaller_buffer_afterwards_truncates() {
    let kernel = Kernel::new();
    add(&kernel.initial(), 1..=40);
    let socket = kernel.socket().unwrap();
    socket.send(&request(1, IPVS_CMD_GET_INFO, 0, &[])).unwrap();
    receive(&socket, 8000).unwrap();
    list_services(&socket);
    let mut buffer = [0; 4000];
    assert_eq!(socket.receive(&mut buffer), Ok(8000 / LENGTH * LENGTH));
}

#[test]
fn services_that_are_deleted_meanwhile_hide_others() {
    let kernel = Kernel::new();
    let host = kernel.initial();
    add(&host, 1..=40);
    let socket = kernel.socket().unwrap();
    list_services(&socket);
    let first = receive(&socket, 3776).unwrap().len();
    (1..=5).for_each(|mark| remove(&host, mark));
    let rest: Vec<u32> = datagrams(&socket, 3776).concat();
    // The second datagram was made when the first one was received.
    let second = u32::try_from(2 * first).unwrap();
    assert!(!rest.contains(&(second + 1)) && !rest.contains(&(second + 5)), "{rest:?}");
    assert_eq!(first + rest.len(), 35);
}

#[test]
fn services_that_are_added_meanwhile_repeat_others_even_in_another_namespace() {
    for name in ["", "blue"] {
        let kernel = Kernel::new();
        let other = kernel.namespace(name);
        other.set_hash_seed(0);
        add(&kernel.initial(), 100..=139);
        let socket = kernel.socket().unwrap();
        list_services(&socket);
        let first: Vec<u32> = receive(&socket, 3776).unwrap().iter().map(Answer::mark).collect();
        add(&other, 1..=8);
        let rest = datagrams(&socket, 3776).concat();
        let twice = first.iter().chain(&rest).filter(|mark| **mark >= 100).count() - 40;
        assert_eq!(twice, 8, "{name:?}");
    }
}

#[test]
fn one_dump_at_a_time() {
    let kernel = Kernel::new();
    add(&kernel.initial(), 1..=20);
    let socket = kernel.socket().unwrap();
    list_services(&socket);
    list_services(&socket);
    // An empty dump ends while it is requested, but not behind an unfinished one.
    socket.send(&request(8, IPVS_CMD_GET_DEST, DUMP, &service(99))).unwrap();
    assert_ne!(receive(&socket, 8000).unwrap()[0].kind, ERROR);
    for _ in 0..2 {
        let busy = &receive(&socket, 8000).unwrap()[0];
        assert_eq!(busy.errno(), Errno::BUSY.number());
    }
    // The kernel is finished when the last data has been received. The end may be unread.
    receive(&socket, 8000).unwrap();
    socket.send(&request(8, IPVS_CMD_GET_DEST, DUMP, &service(99))).unwrap();
    assert_eq!(receive(&socket, 8000).unwrap()[0].sequence, 7);
    let done = &receive(&socket, 8000).unwrap()[0];
    assert_eq!((done.kind, done.sequence), (DONE, 8));
}

#[test]
fn destinations_come_newest_first_and_end_with_their_service() {
    let kernel = Kernel::with_version(Version::V6_1);
    let host = kernel.initial();
    add(&host, [1]);
    for last in 1..=20 {
        let server = Destination::masquerade(([10, 0, 0, last], 80).into());
        host.write(&Change::AddDestination(ServiceId::fwmark(1, V4), server)).unwrap();
    }
    let socket = kernel.socket().unwrap();
    socket.send(&request(7, IPVS_CMD_GET_DEST, DUMP, &service(1))).unwrap();
    let first = receive(&socket, 3776).unwrap();
    let last_byte = |answer: &Answer| answer.rest[4 + 4 + 4 + 3];
    let listed: Vec<u8> = first.iter().map(last_byte).collect();
    assert_eq!(listed, [20, 19, 18, 17, 16, 15, 14, 13, 12]);
    remove(&host, 1);
    assert_eq!(receive(&socket, 3776).unwrap().len(), 9);
    assert_eq!(receive(&socket, 3776).unwrap()[0].kind, DONE);
}
