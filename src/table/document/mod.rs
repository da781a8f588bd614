//! A [`Table`] as YAML, TOML or JSON, for people to write.
//!
//! `Table` implements `Serialize` and `Deserialize`. To read names of hosts and ports, use
//! [`TableSeed`]. A whole example in YAML:
//!
//! ```
//! # use ipvs_netlink::table::Table;
//! let text = r#"
//! services:
//!   - tcp: 192.0.2.10:443
//!     scheduler: mh
//!     flags: [mh-port]
//!     forward: masquerade
//!     destinations:
//!       - address: 10.0.0.2:8443
//!         weight: 3
//!         thresholds: {upper: 1000, lower: 800}
//!       - address: 10.0.0.3:8443
//!         weight: 0
//!       - address: 10.1.0.2:8443
//!         forward: {tunnel: gue, port: 6080, checksum: full}
//!   - udp: "[2001:db8::10]:5060"
//!     flags: [ops]
//!     persistence: {timeout: 1h30m, prefix: 64, engine: sip}
//!     destinations:
//!       - address: "[2001:db8:1::2]:5060"
//!         forward: direct
//!   - fwmark: 5
//!     family: ipv6
//!     persistence: 5m
//! "#;
//! let table: Table = serde_saphyr::from_str(text)?;
//! assert_eq!(table.len(), 3);
//! assert_eq!(serde_saphyr::from_str::<Table>(&serde_saphyr::to_string(&table)?)?, table);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The table
//!
//! | key | meaning |
//! | --- | --- |
//! | `services` | the list of services, `[]` for none; must be there, so that an empty file does not ask for an empty table |
//! | `defaults` | the settings of services and destinations that do not have their own; must come before `services` |
//!
//! The keys of `defaults` are `scheduler`, `persistence`, `forward` and `weight`, as below, and
//! `port`, 1 to 65535:
//!
//! - Addresses that are written without a port, `192.0.2.10` or `"[2001:db8::1]"`, get the `port`:
//!   those of the keys `tcp`, `udp` and `sctp`, and of destinations. Destinations of a firewall mark
//!   always need a port of their own, because port 0 has a meaning there.
//! - A service with `persistence: false` does not get the `persistence`.
//! - A destination with an `initial_weight` does not get the `weight`.
//!
//! A table is written without defaults.
//!
//! # Names
//!
//! `Table` as `Deserialize` refuses names of hosts and ports. [`TableSeed::with_names`] looks them up,
//! in the addresses of `tcp`, `udp`, `sctp` and of destinations: `www.example.com:https`. A name in
//! brackets is that of an IPv6 host. The names of ports are those of the service's protocol, and those
//! of TCP for destinations of a firewall mark. The key `service` takes numbers only. A table is written
//! with numbers.
//!
//! In TOML a service is `[[services]]` and a destination `[[services.destinations]]`.
//!
//! # A service
//!
//! Exactly one of the first five keys names it.
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `tcp`, `udp`, `sctp` | the address and port, 0 to 65535, of a service of that protocol; that of IPv6 is like `"[2001:db8::1]:80"`, and in quotes in YAML too | |
//! | `fwmark` | the firewall mark, 1 to 4294967295 | |
//! | `service` | the name as `ipvsadm -L -n` prints it, and the only one for other protocols: `IP_50 192.0.2.10:0` | |
//! | `family` | with `fwmark`: `ipv4` or `ipv6` | `ipv4` |
//! | `scheduler` | the kernel's name for the scheduler ([`Scheduler`](crate::Scheduler)) | `wlc` |
//! | `flags` | a list of `ops`, `sh-fallback`, `sh-port`, `mh-fallback`, `mh-port`, `flag-1`, `flag-2`, `flag-3` and bits like `0x40` ([`ServiceFlags`](crate::ServiceFlags)) | none |
//! | `persistence` | a duration, a mapping as below, or `false` for none in spite of `defaults` | none |
//! | `forward` | how the destinations are reached that do not say so themselves | none |
//! | `destinations` | the list of destinations | none |
//! | `unchecked` | see below | `false` |
//!
//! # Persistence
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `timeout` | how long a client is remembered: a duration, 0 to 4294967 seconds | must be given |
//! | `netmask` | for IPv4: the bits of a client's address that count, like `255.255.255.0` | all |
//! | `prefix` | for IPv6: how many bits count, 1 to 128 | 128 |
//! | `engine` | the kernel's name for the persistence engine, such as `sip` | none |
//!
//! A duration is text of days, hours, minutes and seconds, like `5m`, `1h30m` and `1d`,
//! or a number of seconds. It is written as text.
//!
//! # A destination
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `address` | the address and port, 0 to 65535 | must be given |
//! | `forward` | how packets reach it, as below | the service's |
//! | `weight` | its share of new connections, 0 to 2147483647; 0 takes it out of rotation | left open ([`TableDestination::of_any_weight`]) |
//! | `initial_weight` | in place of `weight`: the weight with which it is added, while its weight is left open ([`TableDestination::initially`]) | 1 |
//! | `thresholds` | a mapping of how many connections it takes: `upper`, 0 to 2147483647, 0 for no limit, and `lower`, 0 to the upper one, 0 by default | no limit |
//! | `unchecked` | see below | `false` |
//!
//! There is no default for `forward`, because none is safe; a destination or its service
//! must say it:
//!
//! | `forward` | [`Forwarding`](crate::Forwarding) |
//! | --- | --- |
//! | `masquerade` | `Masquerade` |
//! | `direct` | `DirectRoute` |
//! | `tunnel` | `Tunnel(Tunnel::Ipip)` |
//! | `{tunnel: gue, port: 6080, checksum: full}` | `Tunnel(Tunnel::Gue)`; the port is 1 to 65535; `checksum` is `none`, the default, `full` or `remote-offload` |
//! | `{tunnel: gre, checksum: full}` | `Tunnel(Tunnel::Gre)`; `checksum` is `none`, the default, or `full` |
//! | `local`, `bypass` | `LocalNode`, `Bypass` |
//! | 5, 6, 7 | a method that this crate has no name for |
//! | `{tunnel: 3, port: 1, flags: 2}` | a tunnel that it has no name for; port and flags are 0 by default |
//!
//! # Other values
//!
//! As text, as they print, for configurations of a program's own: [`ServiceId`],
//! [`DestinationId`], [`Scheduler`], [`PersistenceEngine`], [`ServiceFlags`] and [`Network`].
//! [`Timeouts`] are a mapping of durations with the keys `tcp`, `tcp_fin` and `udp`. Options of
//! planning come from a file, too: [`PlanOptions`](crate::table::PlanOptions),
//! [`DrainPolicy`](crate::table::DrainPolicy) and [`Scope`](crate::table::Scope) list their keys.
//!
//! [`ServiceId`]: crate::ServiceId
//! [`DestinationId`]: crate::DestinationId
//! [`Scheduler`]: crate::Scheduler
//! [`PersistenceEngine`]: crate::PersistenceEngine
//! [`ServiceFlags`]: crate::ServiceFlags
//! [`Network`]: crate::table::Network
//! [`Timeouts`]: crate::Timeouts
//!
//! # Errors
//!
//! A key that is unknown, missing or given twice, a service or destination given twice, a
//! value of the wrong type (null too: a key that is not wanted is left out) and whatever
//! [`Service::validate`](crate::Service::validate) and
//! [`Destination::validate`](crate::Destination::validate) would refuse are errors, which
//! name field, value and rule. The format crate adds the line.
//!
//! What a kernel reports can break those rules, when another program wrote it or the
//! kernel is newer than this crate. It is written with `unchecked: true` beside it, on the
//! service or the destination that it is about, and so is read again; the rules are then
//! checked by whoever writes the entry to a kernel. A protocol that IPVS does not balance
//! needs no such mark: `service` says it expressly.
//!
//! # Untrusted text
//!
//! Reading takes time and memory in proportion to what the format gives: nothing is reserved
//! by a claimed length, and nothing here is recursive. The format crate has its own limits on
//! nesting and aliases, or has none; the size of a file, and of the table in it, is for the
//! program to limit. Text of more than 255 bytes is refused. Error messages quote values and
//! keys, without control characters and those that turn the writing round; what a format adds
//! of the text is its own.
//!
//! Formats must be self-describing, as YAML, TOML and JSON are.

mod address;
mod defaults;
mod destination;
mod duration;
mod flags;
mod forward;
mod list;
mod mapping;
mod persistence;
mod policies;
mod scalar;
mod seed;
mod service;
#[cfg(test)]
mod tests;
mod values;
mod written;

pub use self::seed::TableSeed;
use serde::de::{Deserialize, Deserializer, Error, MapAccess};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::ipvsadm::Names;
#[cfg(doc)]
use crate::table::TableDestination;
use crate::table::document::defaults::{Defaults, Shared};
use crate::table::document::list::{List, Sharing};
use crate::table::document::written::{AsWritten, Written, read};
use crate::table::{Table, TableService};

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Defaults,
    Services,
}

impl Written for Table {
    const EXPECTED: &'static str = "a table, a mapping with the key services";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        table(entries, None)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut mapping = serializer.serialize_struct("Table", 1)?;
        mapping.serialize_field("services", &Services(self))?;
        mapping.end()
    }
}

/// Reads a table, with names if they are looked up.
fn table<'de, A: MapAccess<'de>>(entries: A, names: Option<&dyn Names>) -> Result<Table, A::Error> {
    let mut entries = mapping::plain(entries);
    let mut defaults: Option<Defaults> = None;
    let mut services: Option<List<TableService>> = None;
    while let Some(key) = entries.next_key()? {
        match key {
            Key::Defaults if defaults.is_some() => {
                return Err(A::Error::duplicate_field("defaults"));
            }
            Key::Services if services.is_some() => {
                return Err(A::Error::duplicate_field("services"));
            }
            Key::Defaults if services.is_some() => {
                return Err(A::Error::custom("defaults must come before services"));
            }
            Key::Defaults => {
                let AsWritten(given) = entries.next_value()?;
                defaults = Some(given);
            }
            Key::Services => {
                let shared = Shared { defaults: defaults.unwrap_or_default(), names };
                services = Some(entries.next_value_seed(Sharing(shared))?);
            }
        }
    }
    let services = services.ok_or_else(|| A::Error::missing_field("services"))?;
    Ok(services.0.into_values().collect())
}

/// The services of a table, which are written one after the other.
struct Services<'t>(&'t Table);

impl Serialize for Services<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.services().map(AsWritten))
    }
}

/// In the form that [`document`](crate::table::document) describes, in the table's order,
/// without what is default.
///
/// An error for what neither a kernel could report nor text can say: a persistence
/// timeout with a fraction, an IPv6 scope or flow label, firewall mark 0.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

/// From the form that [`document`](crate::table::document) describes.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}
