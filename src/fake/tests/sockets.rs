//! Buffers, their limits, and the descriptor.

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::fake::tests::raw::{ACK, DUMP, receive, request, service};
use crate::fake::{Errno, Kernel, Socket, Version};
use crate::model::{AddressFamily, Change, Service};
use crate::uapi::{
    IPVS_CMD_DEL_SERVICE, IPVS_CMD_FLUSH, IPVS_CMD_GET_INFO, IPVS_CMD_GET_SERVICE, IPVS_CMD_ZERO,
};

fn flushes(count: u32) -> Vec<u8> {
    (1..=count).flat_map(|sequence| request(sequence, IPVS_CMD_FLUSH, ACK, &[])).collect()
}

/// How many acknowledgements of so many are received, and whether some are said to be lost.
fn received_of(version: Version, count: u32) -> (usize, bool) {
    let socket = Kernel::with_version(version).socket().unwrap();
    socket.send(&flushes(count)).unwrap();
    let mut buffer = [0; 64];
    let first = socket.receive(&mut buffer);
    let mut received = usize::from(first.is_ok());
    while socket.receive(&mut buffer).is_ok() {
        received += 1;
    }
    (received, first == Err(Errno::NOBUFS))
}

#[test]
fn the_receive_buffer_holds_a_budget_of_acknowledgements() {
    assert_eq!(received_of(Version::V6_1, 277), (277, false));
    assert_eq!(received_of(Version::V6_1, 278), (277, true));
    assert_eq!(received_of(Version::V6_12, 221), (221, false));
    assert_eq!(received_of(Version::V6_12, 500), (221, true));
}

#[test]
fn an_overflow_lasts_until_the_socket_is_empty() {
    let socket = Kernel::with_version(Version::V6_1).socket().unwrap();
    socket.send(&flushes(300)).unwrap();
    let mut buffer = [0; 64];
    assert_eq!(socket.receive(&mut buffer), Err(Errno::NOBUFS));
    assert_eq!(socket.receive(&mut buffer), Ok(36));
    // There is room again, but the mark is still set: this answer is dropped, and nobody told.
    socket.send(&request(1000, IPVS_CMD_FLUSH, ACK, &[])).unwrap();
    for _ in 1..277 {
        assert_eq!(socket.receive(&mut buffer), Ok(36));
    }
    assert_eq!(socket.receive(&mut buffer), Err(Errno::AGAIN));
    socket.send(&request(1001, IPVS_CMD_FLUSH, ACK, &[])).unwrap();
    assert_eq!(receive(&socket, 64).unwrap()[0].sequence, 1001);
}

#[test]
fn without_enobufs_the_loss_is_silent() {
    let socket = Kernel::with_version(Version::V6_1).socket().unwrap();
    socket.set_silent_overflow(true);
    socket.send(&flushes(300)).unwrap();
    let mut buffer = [0; 64];
    let received = std::iter::from_fn(|| socket.receive(&mut buffer).ok()).count();
    assert_eq!(received, 277);
}

/// Seen on Linux 6.1: two acknowledgements and an error just have room, a service has none.
#[test]
fn a_reply_without_room_fails_and_the_error_may_have_room() {
    let kernel = Kernel::with_version(Version::V6_1);
    let web = Service::fwmark(1, AddressFamily::Ipv4);
    kernel.initial().write(&Change::AddService(web)).unwrap();
    let socket = kernel.socket().unwrap();
    socket.set_silent_overflow(true);
    socket.set_receive_buffer(0);
    for sequence in 1..=2 {
        socket.send(&request(sequence, IPVS_CMD_ZERO, ACK, &[])).unwrap();
    }
    socket.send(&request(3, IPVS_CMD_GET_SERVICE, ACK, &service(1))).unwrap();
    for errno in [0, 0, Errno::AGAIN.number()] {
        assert_eq!(receive(&socket, 256).unwrap()[0].errno(), errno);
    }
    socket.send(&request(4, IPVS_CMD_GET_SERVICE, 0, &service(1))).unwrap();
    assert_eq!(receive(&socket, 512).unwrap()[0].mark(), 1);
}

#[test]
fn buffers_are_doubled_and_bounded() {
    let socket = Kernel::new().socket().unwrap();
    assert_eq!(socket.buffers(), (212_992, 212_992));
    socket.set_receive_buffer(0);
    socket.set_send_buffer(0);
    assert_eq!(socket.buffers(), (4608, 2304));
    socket.set_receive_buffer(100_000);
    socket.set_send_buffer(usize::MAX);
    assert_eq!(socket.buffers(), (425_984, 200_000));
}

#[test]
fn what_is_too_long_or_empty_is_not_sent() {
    let kernel = Kernel::new();
    let socket = kernel.socket().unwrap();
    assert_eq!(socket.send(&[]), Err(Errno::NODATA));
    socket.set_send_buffer(2304);
    let one = request(1, IPVS_CMD_FLUSH, ACK, &[]);
    assert_eq!(socket.send(&one.repeat(229)), Err(Errno::MSGSIZE));
    assert_eq!(kernel.requests(), 0);
    socket.send(&one.repeat(228)).unwrap();
    assert_eq!(kernel.requests(), 228);
}

#[test]
fn a_small_buffer_truncates_and_the_length_tells() {
    let socket = Kernel::new().socket().unwrap();
    socket.send(&request(1, IPVS_CMD_GET_INFO, 0, &[])).unwrap();
    let mut buffer = [0xff; 20];
    assert_eq!(socket.receive(&mut buffer), Ok(36));
    assert_eq!(buffer[..8], [36, 0, 0, 0, 28, 0, 0, 0]);
    assert_eq!(socket.receive(&mut buffer), Err(Errno::AGAIN));
}

#[test]
fn a_wrong_length_ends_the_datagram() {
    let kernel = Kernel::new();
    let socket = kernel.socket().unwrap();
    let good = request(1, IPVS_CMD_FLUSH, ACK, &[]);
    for wrong in [0_u32, 15, 1000] {
        let mut bad = good.clone();
        bad[..4].copy_from_slice(&wrong.to_ne_bytes());
        socket.send(&[&good[..], &bad, &good].concat()).unwrap();
        assert_eq!(receive(&socket, 64).unwrap()[0].errno(), 0);
        assert_eq!(receive(&socket, 64), Err(Errno::AGAIN), "{wrong}");
    }
    // What is no request is acknowledged and not executed.
    let mut idle = good.clone();
    idle[6..8].copy_from_slice(&ACK.to_ne_bytes());
    socket.send(&idle).unwrap();
    assert_eq!(receive(&socket, 64).unwrap()[0].errno(), 0);
    assert_eq!(kernel.requests(), 3);
}

#[test]
fn the_order_of_refusals_depends_on_the_version() {
    let refusal = |version, command, flags| {
        let kernel = Kernel::with_version(version);
        kernel.set_privileged(false);
        let socket = kernel.socket().unwrap();
        socket.send(&request(1, command, flags, &service(1))).unwrap();
        receive(&socket, 256).unwrap()[0].errno()
    };
    let (perm, notsupp) = (Errno::PERM.number(), Errno::OPNOTSUPP.number());
    for version in [Version::V6_1, Version::V6_12] {
        assert_eq!(refusal(version, 99, 0), notsupp);
        assert_eq!(refusal(version, IPVS_CMD_ZERO, 0), perm);
        assert_eq!(refusal(version, IPVS_CMD_GET_SERVICE, DUMP), perm);
    }
    assert_eq!(refusal(Version::V6_1, IPVS_CMD_DEL_SERVICE, DUMP), perm);
    assert_eq!(refusal(Version::V6_12, IPVS_CMD_DEL_SERVICE, DUMP), notsupp);
}

fn is_readable(socket: &Socket) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&now)).unwrap() == 1
}

#[test]
fn the_descriptor_is_readable_while_something_can_be_received() {
    let socket = Kernel::with_version(Version::V6_1).socket().unwrap();
    assert!(!is_readable(&socket));
    socket.send(&flushes(278)).unwrap();
    assert!(is_readable(&socket));
    let mut buffer = [0; 64];
    assert_eq!(socket.receive(&mut buffer), Err(Errno::NOBUFS));
    for _ in 0..277 {
        assert!(is_readable(&socket));
        assert_eq!(receive(&socket, 64).unwrap().len(), 1);
    }
    assert!(!is_readable(&socket));
    socket.send(&flushes(1)).unwrap();
    assert!(is_readable(&socket));
}
