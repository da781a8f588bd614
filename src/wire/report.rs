//! Writing reports, in the attributes of the newest kernels.

use crate::model::{DestinationEntry, Info, ServiceEntry, Stats};
use crate::uapi::*;
use crate::wire::{Put, Writer, destination, service};

/// Writes a service with its counters.
pub(crate) fn service_entry(writer: &mut Writer<'_>, entry: &ServiceEntry) {
    writer.nest(IPVS_CMD_ATTR_SERVICE, |writer| {
        service::put_service(writer, &entry.service);
        stats(writer, IPVS_SVC_ATTR_STATS64, &entry.stats);
    });
}

/// Writes a destination with its connections and counters.
pub(crate) fn destination_entry(writer: &mut Writer<'_>, entry: &DestinationEntry) {
    writer.nest(IPVS_CMD_ATTR_DEST, |writer| {
        destination::put_id(writer, &entry.destination.id, None);
        destination::put_settings(writer, &entry.destination);
        writer.u32(IPVS_DEST_ATTR_ACTIVE_CONNS, entry.connections.active);
        writer.u32(IPVS_DEST_ATTR_INACT_CONNS, entry.connections.inactive);
        writer.u32(IPVS_DEST_ATTR_PERSIST_CONNS, entry.connections.persistent);
        stats(writer, IPVS_DEST_ATTR_STATS64, &entry.stats);
    });
}

/// Writes the version of IPVS and the size of its connection table.
pub(crate) fn info(writer: &mut Writer<'_>, info: &Info) {
    let version = [0, info.version.major, info.version.minor, info.version.patch];
    writer.u32(IPVS_INFO_ATTR_VERSION, u32::from_be_bytes(version));
    writer.u32(IPVS_INFO_ATTR_CONN_TAB_SIZE, info.connection_table_size);
}

fn stats(writer: &mut Writer<'_>, kind: u16, stats: &Stats) {
    let counters = [
        (IPVS_STATS_ATTR_CONNS, stats.connections),
        (IPVS_STATS_ATTR_INPKTS, stats.incoming_packets),
        (IPVS_STATS_ATTR_OUTPKTS, stats.outgoing_packets),
        (IPVS_STATS_ATTR_INBYTES, stats.incoming_bytes),
        (IPVS_STATS_ATTR_OUTBYTES, stats.outgoing_bytes),
        (IPVS_STATS_ATTR_CPS, stats.rates.connections),
        (IPVS_STATS_ATTR_INPPS, stats.rates.incoming_packets),
        (IPVS_STATS_ATTR_OUTPPS, stats.rates.outgoing_packets),
        (IPVS_STATS_ATTR_INBPS, stats.rates.incoming_bytes),
        (IPVS_STATS_ATTR_OUTBPS, stats.rates.outgoing_bytes),
    ];
    writer.nest(kind, |writer| {
        for (kind, counter) in counters {
            writer.eight(kind, counter.to_ne_bytes());
        }
    });
}
