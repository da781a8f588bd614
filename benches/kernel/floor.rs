//! The least that a client could do: bytes that were made before, and plain system
//! calls.
//!
//! Nothing is decoded; the messages that come are counted.

use std::io::IoSliceMut;
use std::os::fd::AsRawFd;

use ipvs_netlink::{Change, IpvsMessage};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_generic::ctrl::nlas::GenlCtrlAttrs;
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};
use netlink_packet_generic::{GenlFamily, GenlMessage};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_GENERIC;
use nix::sys::socket::{MsgFlags, MultiHeaders, recvmmsg};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::kernel::Result;
use crate::kernel::meter::{Meter, Sample};
use crate::kernel::table::{Size, Workload, a_little, lone_service};

/// Requests per send. More gain nothing.
const BATCH: usize = 64;

/// What receives any datagram of a dump.
const LARGE: usize = 32 * 1024;

/// The kernel makes and clears a buffer as large as the receiver's for each dump:
/// this fills 8 KiB exactly, with the kernel's own data.
const SMALL: usize = 7872;

/// Up to so many destinations a service the small buffer is the better one.
const FEW: u32 = 60;

pub(crate) fn run(workload: Workload, size: Size, meter: Meter) -> Result<Sample> {
    let socket = open()?;
    let family = resolve(&socket)?;
    // As the client does: goes through the code once.
    replay(&socket, &datagrams(family, a_little().0, BATCH))?;
    match workload {
        Workload::Program | Workload::Update | Workload::Delete => {
            let datagrams = datagrams(family, size.changes(workload), BATCH);
            meter.measure(|| replay(&socket, &datagrams))
        }
        Workload::Latency => {
            let (service, other) = lone_service();
            let once = [Change::AddService(service.clone()), Change::DeleteService(service.id)];
            replay(&socket, &datagrams(family, [Change::AddService(other)], 1))?;
            let pair = datagrams(family, once, 1);
            meter.measure(|| (0..size.services).try_for_each(|_| replay(&socket, &pair)))
        }
        Workload::List | Workload::Stream | Workload::Compare | Workload::Snapshot => {
            let dumps = open()?;
            let flags = NLM_F_REQUEST | NLM_F_DUMP;
            let services = request(family, flags, &IpvsMessage::ReadServices);
            let destinations: Vec<_> = size
                .services()
                .map(|it| request(family, flags, &IpvsMessage::ReadDestinations(it.id)))
                .collect();
            let capacity = if size.destinations > FEW { LARGE } else { SMALL };
            meter.measure(|| {
                let mut read = dump_services(&socket, &services)?;
                read += dump_destinations(&dumps, &destinations, capacity)?;
                let expected = workload.operations(size) as usize;
                if read == expected { Ok(()) } else { Err(format!("{read} entries").into()) }
            })
        }
    }
}

fn open() -> Result<Socket> {
    let mut socket = Socket::new(NETLINK_GENERIC)?;
    socket.bind_auto()?;
    // Otherwise an acknowledgement has the request in it.
    socket.set_cap_ack(true)?;
    Ok(socket)
}

fn resolve(socket: &Socket) -> Result<u16> {
    let name = GenlCtrlAttrs::FamilyName(IpvsMessage::family_name().to_owned());
    let question = GenlCtrl { cmd: GenlCtrlCmd::GetFamily, nlas: vec![name] };
    let mut message = NetlinkMessage::from(GenlMessage::from_payload(question));
    message.header.flags = NLM_F_REQUEST;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    send(socket, &bytes, SendFlags::empty())?;
    let mut buffer = vec![0; LARGE];
    let (length, _) = recv(socket, buffer.as_mut_slice(), RecvFlags::empty())?;
    let answer = buffer.get(..length).unwrap_or_default();
    let answer = NetlinkMessage::<GenlMessage<GenlCtrl>>::deserialize(answer)?;
    let NetlinkPayload::InnerMessage(answer) = answer.payload else {
        return Err("this kernel has no IPVS".into());
    };
    let id = answer.payload.nlas.iter().find_map(|attribute| match attribute {
        GenlCtrlAttrs::FamilyId(id) => Some(*id),
        _ => None,
    });
    Ok(id.ok_or("the family has no id")?)
}

fn request(family: u16, flags: u16, message: &IpvsMessage) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(family.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]); // number and port
    bytes.extend([message.command(), message.version(), 0, 0]);
    message.append(&mut bytes);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if let Some(field) = bytes.first_chunk_mut() {
        *field = length.to_ne_bytes();
    }
    bytes
}

/// Some requests each, of which the last is acknowledged.
fn datagrams(family: u16, changes: impl IntoIterator<Item = Change>, batch: usize) -> Vec<Vec<u8>> {
    let mut changes = changes.into_iter().peekable();
    let mut datagrams = Vec::new();
    while changes.peek().is_some() {
        let mut datagram = Vec::new();
        for at in 1..=batch {
            let Some(change) = changes.next() else { break };
            let last = at == batch || changes.peek().is_none();
            let flags = if last { NLM_F_REQUEST | NLM_F_ACK } else { NLM_F_REQUEST };
            datagram.extend(request(family, flags, &change.into()));
        }
        datagrams.push(datagram);
    }
    datagrams
}

fn replay(socket: &Socket, datagrams: &[Vec<u8>]) -> Result<()> {
    let mut buffer = [0; 1024];
    for datagram in datagrams {
        send(socket, datagram, SendFlags::empty())?;
        let (length, _) = recv(socket, &mut buffer, RecvFlags::empty())?;
        walk(buffer.get(..length).unwrap_or_default())?;
    }
    Ok(())
}

fn dump_services(socket: &Socket, request: &[u8]) -> Result<usize> {
    let mut buffer = vec![0; LARGE];
    send(socket, request, SendFlags::empty())?;
    let mut count = 0;
    loop {
        let (length, _) = recv(socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        let walked = walk(buffer.get(..length).unwrap_or_default())?;
        count += walked.messages;
        if walked.done {
            return Ok(count);
        }
    }
}

/// With both datagrams of a small dump in one system call.
fn dump_destinations(socket: &Socket, requests: &[Vec<u8>], capacity: usize) -> Result<usize> {
    let (mut first, mut second) = (vec![0; capacity], vec![0; capacity]);
    let mut headers = MultiHeaders::<()>::preallocate(2, None);
    let mut count = 0;
    for request in requests {
        send(socket, request, SendFlags::empty())?;
        let mut done = false;
        while !done {
            let mut slices = [[IoSliceMut::new(&mut first)], [IoSliceMut::new(&mut second)]];
            let flags = MsgFlags::MSG_WAITFORONE;
            let fd = socket.as_raw_fd();
            let received = recvmmsg(fd, &mut headers, slices.iter_mut(), flags, None)?;
            let mut lengths = [0; 2];
            for (slot, message) in lengths.iter_mut().zip(received) {
                *slot = message.bytes;
            }
            for (buffer, length) in [&first, &second].into_iter().zip(lengths) {
                let walked = walk(buffer.get(..length).unwrap_or_default())?;
                count += walked.messages;
                done |= walked.done;
            }
        }
    }
    Ok(count)
}

struct Walked {
    messages: usize,
    done: bool,
}

/// Goes over the messages of a datagram by their lengths.
fn walk(mut rest: &[u8]) -> Result<Walked> {
    let mut walked = Walked { messages: 0, done: false };
    while let Some([l0, l1, l2, l3, t0, t1, ..]) = rest.first_chunk::<20>() {
        match u16::from_ne_bytes([*t0, *t1]) {
            NLMSG_DONE => walked.done = true,
            NLMSG_ERROR => refusal(rest)?,
            _ => walked.messages += 1,
        }
        let length = u32::from_ne_bytes([*l0, *l1, *l2, *l3]) as usize;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(walked)
}

fn refusal(message: &[u8]) -> Result<()> {
    match message.get(16..).and_then(<[u8]>::first_chunk).map(|code| i32::from_ne_bytes(*code)) {
        Some(0) => Ok(()),
        Some(code) => Err(std::io::Error::from_raw_os_error(-code).into()),
        None => Err("an answer is too short".into()),
    }
}
