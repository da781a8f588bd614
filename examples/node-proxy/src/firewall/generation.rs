//! Reads the generation of the kernel's nftables: a number that grows by 1 with each transaction of a network
//! namespace, whoever makes it.

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{GenAttribute, GenMessage, NfTablesMessage};

use crate::firewall::netfilter::Netfilter;

/// A generation.
pub(crate) type Generation = u32;

/// Returns the generation after one transaction more. It is never 0.
pub(super) fn next(generation: Generation) -> Generation {
    generation.checked_add(1).unwrap_or(1)
}

/// Returns the generation, or `None` if the kernel does not tell it, as one without nftables.
pub(super) async fn read(netfilter: Option<&Netfilter>) -> Option<Generation> {
    let question = NfTablesMessage::GetGen(GenMessage { attributes: Vec::new() });
    match netfilter?.ask(NetfilterProtoFamily::Unspec, question).await {
        Ok(NfTablesMessage::NewGen(answer)) => answer.attributes.iter().find_map(|it| match it {
            GenAttribute::Id(generation) => Some(*generation),
            _ => None,
        }),
        _ => None,
    }
}
