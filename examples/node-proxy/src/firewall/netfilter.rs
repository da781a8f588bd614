//! Asks the kernel's nftables by netlink, without `nft`.

use std::io;
use std::time::Duration;

use futures::stream::StreamExt as _;
use netlink_packet_core::{NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::nftables::NfTablesMessage;
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
};
use netlink_proto::sys::{SocketAddr, protocols::NETLINK_NETFILTER};
use netlink_proto::{ConnectionHandle, new_connection};
use tokio::time::timeout;

/// How long the kernel may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A socket in the network namespace of the thread that opened it.
#[derive(Clone, Debug)]
pub(super) struct Netfilter(ConnectionHandle<NetfilterMessage>);

impl Netfilter {
    /// Opens the socket.
    ///
    /// # Errors
    ///
    /// The kernel gives no socket.
    pub(super) fn open() -> io::Result<Self> {
        let (connection, handle, _) = new_connection(NETLINK_NETFILTER)?;
        // It ends when the last handle is dropped.
        tokio::spawn(connection);
        Ok(Self(handle))
    }

    /// Returns the kernel's answer to one question.
    ///
    /// # Errors
    ///
    /// The kernel refuses to tell, or does not answer within 10 s.
    pub(super) async fn ask(
        &self,
        family: NetfilterProtoFamily,
        question: NfTablesMessage,
    ) -> io::Result<NfTablesMessage> {
        let header = NetfilterHeader::new(family, 0, 0);
        let mut request = NetlinkMessage::from(NetfilterMessage::new(header, question));
        request.header.flags = NLM_F_REQUEST;
        let to_kernel = SocketAddr::new(0, 0);
        let mut answers = self.0.request(request, to_kernel).map_err(io::Error::other)?;
        match timeout(DEADLINE, answers.next()).await?.map(|answer| answer.payload) {
            Some(NetlinkPayload::InnerMessage(NetfilterMessage {
                inner: NetfilterMessageInner::NfTables(answer),
                ..
            })) => Ok(answer),
            Some(NetlinkPayload::Error(error)) => Err(error.to_io()),
            _ => Err(io::Error::other("the kernel did not answer")),
        }
    }
}
