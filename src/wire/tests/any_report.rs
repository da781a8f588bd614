use proptest::prelude::*;

use crate::model::strategies;
use crate::model::{DestinationEntry, Info, ServiceEntry, SyncDaemon, Timeouts};
use crate::uapi::*;
use crate::wire::tests::written;
use crate::wire::{Malformed, Reported, daemon, report, timeouts};

/// One thing of those that a kernel reports.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AnyReport {
    Service(ServiceEntry),
    Destination(DestinationEntry),
    Daemon(SyncDaemon),
    Timeouts(Timeouts),
    Info(Info),
}

pub(crate) fn any_report() -> impl Strategy<Value = AnyReport> {
    prop_oneof![
        3 => strategies::service_entry().prop_map(AnyReport::Service),
        3 => strategies::destination_entry().prop_map(AnyReport::Destination),
        2 => strategies::daemon().prop_map(AnyReport::Daemon),
        1 => strategies::timeouts().prop_map(AnyReport::Timeouts),
        1 => strategies::info().prop_map(AnyReport::Info),
    ]
}

impl AnyReport {
    /// The commands of all reports.
    pub(crate) const COMMANDS: [u8; 5] = [
        IPVS_CMD_NEW_SERVICE,
        IPVS_CMD_NEW_DEST,
        IPVS_CMD_NEW_DAEMON,
        IPVS_CMD_SET_CONFIG,
        IPVS_CMD_SET_INFO,
    ];

    pub(crate) fn command(&self) -> u8 {
        match self {
            Self::Service(_) => ServiceEntry::COMMAND,
            Self::Destination(_) => DestinationEntry::COMMAND,
            Self::Daemon(_) => SyncDaemon::COMMAND,
            Self::Timeouts(_) => Timeouts::COMMAND,
            Self::Info(_) => Info::COMMAND,
        }
    }

    /// The attributes with which a kernel would report it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        written(|writer| match self {
            Self::Service(it) => report::service_entry(writer, it),
            Self::Destination(it) => report::destination_entry(writer, it),
            Self::Daemon(it) => daemon::encode(writer, it),
            Self::Timeouts(it) => timeouts::encode(writer, it),
            Self::Info(it) => report::info(writer, it),
        })
    }

    pub(crate) fn decode(command: u8, bytes: &[u8]) -> Result<Self, Malformed> {
        match command {
            ServiceEntry::COMMAND => Reported::decode(bytes, None).map(Self::Service),
            DestinationEntry::COMMAND => Reported::decode(bytes, None).map(Self::Destination),
            SyncDaemon::COMMAND => Reported::decode(bytes, None).map(Self::Daemon),
            Timeouts::COMMAND => Reported::decode(bytes, None).map(Self::Timeouts),
            Info::COMMAND => Reported::decode(bytes, None).map(Self::Info),
            _ => Err("no report"),
        }
    }

    /// The kinds of the nests in its attributes, level by level.
    pub(crate) fn nests(&self) -> &'static [&'static [u16]] {
        match self {
            Self::Service(_) => {
                &[&[IPVS_CMD_ATTR_SERVICE], &[IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64]]
            }
            Self::Destination(_) => {
                &[&[IPVS_CMD_ATTR_DEST], &[IPVS_DEST_ATTR_STATS, IPVS_DEST_ATTR_STATS64]]
            }
            Self::Daemon(_) => &[&[IPVS_CMD_ATTR_DAEMON]],
            Self::Timeouts(_) | Self::Info(_) => &[],
        }
    }
}
