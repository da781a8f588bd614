//! Lists and deletes tracked flows by ctnetlink.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::stream::{StreamExt as _, iter};
use ipvs_netlink::AddressFamily;
use netlink_packet_core::{
    DefaultNla, Emitable, NLA_F_NESTED, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage,
    NetlinkPayload, Nla as _,
};
use netlink_packet_netfilter::conntrack::{
    ConntrackAttribute, ConntrackMessage, ConntrackMessageType, IPTuple, ProtoTuple, Protocol,
    Tuple,
};
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
    NetfilterSubsystem,
};
use netlink_proto::sys::{SocketAddr as Peer, protocols::NETLINK_NETFILTER};
use netlink_proto::{ConnectionHandle, new_connection};
use tokio::time::timeout;

use super::stale::Flow;

/// How long the kernel may take for the next part of a list, or for a deletion.
const DEADLINE: Duration = Duration::from_secs(10);

/// The number of deletions whose answers are awaited together.
const PIPELINED: usize = 64;

// linux/errno.h
const NO_ENTRY: i32 = 2;

// linux/netfilter/nfnetlink_conntrack.h
const CTA_TUPLE_ORIG: u16 = 1;
const CTA_ID: u16 = 12;
const CTA_ZONE: u16 = 18;
const CTA_FILTER: u16 = 25;
const CTA_FILTER_ORIG_FLAGS: u16 = 1;
const CTA_FILTER_REPLY_FLAGS: u16 = 2;
/// Compare the protocol, `1 << 3` by `CTA_FILTER_FLAG`.
const COMPARE_PROTOCOL: u32 = 1 << 3;

/// Tracked flows of the own network namespace.
#[derive(Debug)]
pub(crate) struct Entries {
    handle: ConnectionHandle<NetfilterMessage>,
}

/// A flow, and what names it for the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    family: NetfilterProtoFamily,
    names: Vec<ConntrackAttribute>,
}

impl Entries {
    /// Opens the socket.
    ///
    /// # Errors
    ///
    /// The kernel gives no socket, as without the module `nf_conntrack_netlink`.
    pub(crate) fn open() -> io::Result<Self> {
        let (connection, handle, _) = new_connection(NETLINK_NETFILTER)?;
        // It ends when the last handle is dropped.
        tokio::spawn(connection);
        Ok(Self { handle })
    }

    /// Lists the UDP flows of a family, and returns those that are stale.
    ///
    /// # Errors
    ///
    /// The kernel refuses, or does not go on within 10 s.
    pub(crate) async fn stale(
        &mut self,
        family: AddressFamily,
        is_stale: impl Fn(Flow) -> bool,
    ) -> io::Result<Vec<Entry>> {
        let family = match family {
            AddressFamily::Ipv4 => NetfilterProtoFamily::IPv4,
            AddressFamily::Ipv6 => NetfilterProtoFamily::IPv6,
        };
        let mut list = self.request(family, only_udp(), NLM_F_DUMP)?;
        let mut stale = Vec::new();
        while let Some(message) = timeout(DEADLINE, list.next()).await? {
            match message.payload {
                NetlinkPayload::InnerMessage(NetfilterMessage {
                    inner: NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)),
                    ..
                }) if flow(&attributes).is_some_and(&is_stale) => {
                    stale.push(Entry { family, names: names(attributes) });
                }
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::Overrun(_) => {
                    return Err(io::Error::other("the kernel lost a part of the list"));
                }
                _ => {}
            }
        }
        Ok(stale)
    }

    /// Deletes flows. Returns how many there were, also if the kernel refuses another deletion or does not answer within
    /// 10 s; a flow that has ended by itself does not count.
    pub(crate) async fn delete(&mut self, entries: Vec<Entry>) -> (usize, io::Result<()>) {
        let this = &*self;
        let deletions = entries.into_iter().map(async |entry| {
            let Entry { family, names } = entry;
            let mut answers =
                this.request(family, ConntrackMessage::Delete(names).into(), NLM_F_ACK)?;
            while let Some(answer) = timeout(DEADLINE, answers.next()).await? {
                match answer.payload {
                    NetlinkPayload::Error(error) if error.code.is_some() => {
                        return Err(error.to_io());
                    }
                    _ => {}
                }
            }
            Ok(())
        });
        let mut outcomes = iter(deletions).buffer_unordered(PIPELINED);
        let mut deleted = 0;
        let mut failure = None;
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(()) => deleted += 1,
                Err(error) if error.raw_os_error() == Some(NO_ENTRY) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        (deleted, failure.map_or(Ok(()), Err))
    }

    fn request(
        &self,
        family: NetfilterProtoFamily,
        message: NetfilterMessageInner,
        flags: u16,
    ) -> io::Result<impl futures::Stream<Item = NetlinkMessage<NetfilterMessage>> + use<>> {
        let message = NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), message);
        let mut message = NetlinkMessage::from(message);
        message.header.flags = NLM_F_REQUEST | flags;
        self.handle.request(message, Peer::new(0, 0)).map_err(io::Error::other)
    }
}

/// Asks the kernel for UDP flows only. Kernels before 5.8 pass over the filter and list all flows.
fn only_udp() -> NetfilterMessageInner {
    let flags = [
        DefaultNla::new(CTA_FILTER_ORIG_FLAGS, COMPARE_PROTOCOL.to_ne_bytes().to_vec()),
        DefaultNla::new(CTA_FILTER_REPLY_FLAGS, 0_u32.to_ne_bytes().to_vec()),
    ];
    let udp = Tuple::Proto(vec![ProtoTuple::Protocol(Protocol::Udp)]);
    // As a `ConntrackAttribute` an attribute of another kind would lose the flag for nested ones.
    NetfilterMessageInner::Other {
        subsys: NetfilterSubsystem::Conntrack,
        message_type: ConntrackMessageType::Get.into(),
        attributes: vec![
            DefaultNla::new(CTA_TUPLE_ORIG | NLA_F_NESTED, emitted(&udp)),
            DefaultNla::new(CTA_FILTER | NLA_F_NESTED, emitted(&flags.as_slice())),
        ],
    }
}

fn emitted(attributes: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    bytes
}

/// Returns where the client of a UDP flow sends to, and where its answers come from. `None` for other flows and
/// for what no kernel sends.
fn flow(attributes: &[ConntrackAttribute]) -> Option<Flow> {
    let original = attributes.iter().find_map(|it| match it {
        ConntrackAttribute::CtaTupleOrig(tuples) => Some(tuples),
        _ => None,
    })?;
    let reply = attributes.iter().find_map(|it| match it {
        ConntrackAttribute::CtaTupleReply(tuples) => Some(tuples),
        _ => None,
    })?;
    let to = address(original, |it| match it {
        IPTuple::DestinationAddress(address) => Some(*address),
        _ => None,
    })?;
    let from = address(reply, |it| match it {
        IPTuple::SourceAddress(address) => Some(*address),
        _ => None,
    })?;
    proto(original, |it| (*it == ProtoTuple::Protocol(Protocol::Udp)).then_some(()))?;
    let to_port = proto(original, |it| match it {
        ProtoTuple::DestinationPort(port) => Some(*port),
        _ => None,
    })?;
    let from_port = proto(reply, |it| match it {
        ProtoTuple::SourcePort(port) => Some(*port),
        _ => None,
    })?;
    Some(Flow { to: SocketAddr::new(to, to_port), from: SocketAddr::new(from, from_port) })
}

fn address(tuples: &[Tuple], find: impl Fn(&IPTuple) -> Option<IpAddr>) -> Option<IpAddr> {
    tuples.iter().find_map(|it| match it {
        Tuple::Ip(parts) => parts.iter().find_map(&find),
        _ => None,
    })
}

fn proto<T>(tuples: &[Tuple], find: impl Fn(&ProtoTuple) -> Option<T>) -> Option<T> {
    tuples.iter().find_map(|it| match it {
        Tuple::Proto(parts) => parts.iter().find_map(&find),
        _ => None,
    })
}

/// Returns what names a flow for the kernel. The number tells it from a later flow with the same addresses.
fn names(attributes: Vec<ConntrackAttribute>) -> Vec<ConntrackAttribute> {
    let names = |attribute: &ConntrackAttribute| match attribute {
        ConntrackAttribute::CtaTupleOrig(_) => true,
        ConntrackAttribute::Other(other) => [CTA_ID, CTA_ZONE].contains(&other.kind()),
        _ => false,
    };
    attributes.into_iter().filter(names).collect()
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::{
        NetlinkDeserializable as _, NetlinkHeader, NetlinkSerializable as _,
    };
    use proptest::prelude::*;

    use super::*;

    /// The kernel's text of a flow: `struct nfgenmsg` and attributes, as Linux 6.1 sends it.
    fn message(bytes: &[u8]) -> Result<NetfilterMessage, netlink_packet_core::DecodeError> {
        let mut header = NetlinkHeader::default();
        header.message_type = 1 << 8;
        NetfilterMessage::deserialize(&header, bytes)
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        emitted(&DefaultNla::new(kind, value.to_vec()))
    }

    fn tuple(kind: u16, [source, destination]: [[u8; 4]; 2], ports: [u16; 2]) -> Vec<u8> {
        let ip = [attribute(1, &source), attribute(2, &destination)].concat();
        let [from, to] = ports.map(u16::to_be_bytes);
        let proto = [attribute(1, &[17]), attribute(2, &from), attribute(3, &to)].concat();
        let parts = [attribute(1 | NLA_F_NESTED, &ip), attribute(2 | NLA_F_NESTED, &proto)];
        attribute(kind | NLA_F_NESTED, &parts.concat())
    }

    fn dns() -> Vec<u8> {
        let client = [192, 0, 2, 9];
        [
            vec![2, 0, 0, 0],
            tuple(1, [client, [10, 96, 0, 10]], [40000, 53]),
            tuple(2, [[10, 244, 1, 3], client], [5353, 40000]),
            attribute(3, &[0, 0, 1, 0x8e]),
            attribute(CTA_ID, &[1, 2, 3, 4]),
        ]
        .concat()
    }

    fn attributes(message: NetfilterMessage) -> Option<Vec<ConntrackAttribute>> {
        match message.inner {
            NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)) => Some(attributes),
            _ => None,
        }
    }

    #[test]
    fn a_flow_is_read_and_named() {
        let attributes = attributes(message(&dns()).unwrap()).unwrap();
        let to = "10.96.0.10:53".parse().unwrap();
        let from = "10.244.1.3:5353".parse().unwrap();
        assert_eq!(flow(&attributes), Some(Flow { to, from }));
        let names = names(attributes);
        assert_eq!(names.iter().map(|it| it.kind()).collect::<Vec<_>>(), [CTA_TUPLE_ORIG, CTA_ID]);
    }

    #[test]
    fn only_udp_is_asked_for() {
        let header = NetfilterHeader::new(NetfilterProtoFamily::IPv4, 0, 0);
        let message = NetfilterMessage::new(header, only_udp());
        assert_eq!(message.message_type(), 1 << 8 | 1);
        let bytes = emitted(&message);
        let proto = attribute(2 | NLA_F_NESTED, &attribute(1, &[17]));
        let flags = [attribute(1, &8_u32.to_ne_bytes()), attribute(2, &[0; 4])].concat();
        let expected = [
            vec![2, 0, 0, 0],
            attribute(1 | NLA_F_NESTED, &proto),
            attribute(25 | NLA_F_NESTED, &flags),
        ];
        assert_eq!(bytes, expected.concat());
    }

    proptest! {
        #[test]
        fn what_no_kernel_sends_is_an_error_or_no_flow(at in 0_usize..160, byte: u8, length in 0_usize..160) {
            let mut bytes = dns();
            if let Some(changed) = bytes.get_mut(at) {
                *changed = byte;
            }
            bytes.truncate(length);
            if let Some(attributes) = message(&bytes).ok().and_then(attributes) {
                let _ = (flow(&attributes), names(attributes));
            }
        }
    }
}
