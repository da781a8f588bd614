//! Whether the kernel has a table, asked without `nft`.

use std::io;

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{NfTablesMessage, TableAttribute, TableMessage};
use rustix::io::Errno;

use crate::firewall::TableName;
use crate::firewall::netfilter::Netfilter;

/// Returns `true` if the kernel has a table of this name in the family `inet`, and `false` also if it has no nftables.
///
/// # Errors
///
/// The kernel refuses to tell, as without `CAP_NET_ADMIN`, or does not answer within 10 s.
pub(crate) async fn is_there(name: &TableName) -> io::Result<bool> {
    match ask(name).await {
        Ok(_) => Ok(true),
        Err(error) if is_absence(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn ask(name: &TableName) -> io::Result<NfTablesMessage> {
    let attributes = vec![TableAttribute::Name(name.as_str().to_owned())];
    let question = NfTablesMessage::GetTable(TableMessage { attributes });
    Netfilter::open()?.ask(NetfilterProtoFamily::Inet, question).await
}

/// There is no such table, no such subsystem of netfilter, or no netfilter in netlink.
fn is_absence(error: &io::Error) -> bool {
    let absences = [Errno::NOENT, Errno::INVAL, Errno::OPNOTSUPP, Errno::PROTONOSUPPORT];
    error.raw_os_error().is_some_and(|code| absences.iter().any(|it| it.raw_os_error() == code))
}
