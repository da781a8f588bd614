//! Random sequences of operations, and shorter ones with the same effect.

use crate::harness::Random;
use crate::message::{Attribute, Body, Message};
use crate::operation::{NAMESPACES, Operation, Setting, namespace_of};
use crate::requests::Requests;
use crate::universe::{Universe, rarely};

/// Sizes of buffers: less than a message, less than the kernel's first datagram of a list, and so
/// on up to more than it ever fills.
const SIZES: &[usize] = &[
    0, 16, 36, 100, 400, 1024, 3775, 3776, 3777, 4096, 8192, 16_384, 20_000, 32_448, 32_768, 65_536,
];

const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;

/// Makes a sequence of some `length` operations with up to `sockets` sockets.
pub(crate) fn sequence(random: &mut Random, length: usize, sockets: usize) -> Vec<Operation> {
    let (ports, hosts) = *random.one_of(&[(200, 200), (20, 20), (2, 60), (2, 3)]);
    let favourites = random.number();
    let mut requests = Requests::new(Universe { ports, hosts, favourites });
    let sockets = 1 + random.below(sockets);
    let sizes: Vec<_> = (0..sockets).map(|_| *random.one_of(&SIZES[5..])).collect();
    let mut operations = Vec::new();
    for namespace in 0..NAMESPACES {
        if !rarely(random, 10) {
            operations.push(Operation::Loopback(namespace, true));
        }
    }
    for socket in 0..sockets {
        open(random, &mut operations, socket);
    }
    while operations.len() < length {
        let socket = random.below(sockets);
        let size = if rarely(random, 20) { *random.one_of(SIZES) } else { sizes[socket] };
        let send = |messages| Operation::Send(socket, messages);
        match random.below(100) {
            0..62 => {
                operations.push(send(vec![requests.any(random)]));
                operations.push(Operation::Drain(socket, size));
            }
            62..69 => {
                let many = 2 + random.below(12);
                operations.push(send(several(random, &mut requests, many)));
                if !rarely(random, 3) {
                    operations.push(Operation::Drain(socket, size));
                }
            }
            69..75 => operations.push(send(vec![requests.any(random)])),
            75..82 => operations.push(Operation::Receive(socket, size)),
            82..86 => operations.push(Operation::Drain(socket, size)),
            86 => open(random, &mut operations, socket),
            87 => operations.push(Operation::Set(socket, setting(random))),
            88 if rarely(random, 3) => {
                let namespace = random.below(NAMESPACES);
                operations.push(Operation::Loopback(namespace, random.below(3) > 0));
            }
            // Rarely and not for long.
            89 if rarely(random, 3) => {
                operations.push(Operation::Privilege(false));
                for _ in 0..random.below(8) {
                    operations.push(Operation::Send(socket, vec![requests.any(random)]));
                    operations.push(Operation::Drain(socket, size));
                }
                operations.push(Operation::Privilege(true));
            }
            88..91 => operations.push(send(fill(random, &mut requests))),
            91 if rarely(random, 3) => {
                overflow(random, &mut requests, &mut operations, socket, size);
            }
            91 => odd_datagram(random, &mut requests, &mut operations, socket),
            92 => comes_back(random, &mut requests, &mut operations, socket, size),
            _ => continued(random, &mut requests, &mut operations, sockets, size),
        }
    }
    let drains = sizes.iter().enumerate().map(|(socket, size)| Operation::Drain(socket, *size));
    operations.extend(drains);
    operations
}

fn open(random: &mut Random, operations: &mut Vec<Operation>, socket: usize) {
    operations.push(Operation::Open(socket));
    for _ in 0..random.below(4) {
        operations.push(Operation::Set(socket, setting(random)));
    }
}

fn setting(random: &mut Random) -> Setting {
    let on = random.below(3) > 0;
    match random.below(10) {
        0..3 => Setting::ExtendedAcknowledgement(on),
        3..6 => Setting::CappedAcknowledgement(on),
        6 => Setting::NoOverflowError(on),
        7 => Setting::SendBuffer(*random.one_of(&[0, 4096, 20_000, 212_992])),
        _ => Setting::ReceiveBuffer(
            *random.one_of(&[0, 2000, 4096, 10_000, 40_000, 212_992, 500_000]),
        ),
    }
}

/// Any requests but the stop of a daemon: whether that is acknowledged, which depends on the run,
/// would decide whether there is room for the other answers.
fn several(random: &mut Random, requests: &mut Requests, many: usize) -> Vec<Message> {
    let all = (0..many).map(|_| requests.any(random));
    all.filter(|message| !message.stops_daemon()).collect()
}

/// Many additions at once, of which only the last is acknowledged.
fn fill(random: &mut Random, requests: &mut Requests) -> Vec<Message> {
    let many = 10 + random.below(120);
    let mut messages: Vec<_> = (0..many).map(|_| requests.add(random, REQUEST)).collect();
    messages.push(requests.add(random, REQUEST | ACKNOWLEDGE));
    messages
}

/// More answers than a receive buffer has room for.
fn overflow(
    random: &mut Random,
    requests: &mut Requests,
    operations: &mut Vec<Operation>,
    socket: usize,
    size: usize,
) {
    for _ in 0..1 + random.below(3) {
        let many = 100 + random.below(200);
        let messages = (0..many).map(|_| requests.answered(random)).collect();
        operations.push(Operation::Send(socket, messages));
        for _ in 0..random.below(4) {
            operations.push(Operation::Receive(socket, size));
        }
    }
    operations.push(Operation::Drain(socket, size));
}

/// A datagram that is no row of messages.
fn odd_datagram(
    random: &mut Random,
    requests: &mut Requests,
    operations: &mut Vec<Operation>,
    socket: usize,
) {
    let many = random.below(4);
    let mut messages = several(random, requests, many);
    if let Some(chosen) = messages.len().checked_sub(1) {
        let message = &mut messages[random.below(chosen + 1)];
        match random.below(3) {
            0 => message.length = Some(*random.one_of(&[0, 1, 15, 16, 17, 19, 20, 21, 24])),
            1 => message.length = Some(*random.one_of(&[200, 4096, 0xffff_ffff])),
            // More than the usual send buffer takes.
            _ => {
                let kind = *random.one_of(&[0, 30]);
                let large = (0..4).map(|_| Attribute::bytes(kind, &[0; 60_000]));
                if let Body::Command { attributes, .. } = &mut message.body {
                    attributes.extend(large);
                }
            }
        }
    }
    operations.push(Operation::Send(socket, messages));
}

/// Destinations that are deleted and added again, also with addresses that the kernel would not
/// accept anew.
fn comes_back(
    random: &mut Random,
    requests: &mut Requests,
    operations: &mut Vec<Operation>,
    socket: usize,
    size: usize,
) {
    let namespace = namespace_of(socket);
    let (service, add, delete) = requests.broadcast(random);
    let flush = rarely(random, 4);
    operations.push(Operation::Loopback(namespace, true));
    operations.push(Operation::Loopback(namespace, false));
    operations.push(Operation::Send(socket, vec![service.clone(), add.clone()]));
    operations.push(Operation::Send(socket, vec![if flush { requests.flush() } else { delete }]));
    operations.push(Operation::Loopback(namespace, true));
    operations.push(Operation::Send(socket, vec![service, add.clone(), add]));
    operations.push(Operation::Drain(socket, size));
}

/// A list that is read slowly while something is written by the same socket or by others.
fn continued(
    random: &mut Random,
    requests: &mut Requests,
    operations: &mut Vec<Operation>,
    sockets: usize,
    size: usize,
) {
    let reader = random.below(sockets);
    operations.push(Operation::Send(reader, vec![requests.list(random)]));
    for _ in 0..1 + random.below(6) {
        let writer = random.below(sockets);
        for _ in 0..random.below(3) {
            let writes = (0..1 + random.below(5)).map(|_| requests.write(random, REQUEST));
            operations.push(Operation::Send(writer, writes.collect()));
        }
        operations.push(Operation::Receive(reader, size));
    }
    operations.push(Operation::Drain(reader, size));
}
