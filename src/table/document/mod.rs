//! Reads and writes a [`Table`] as YAML, TOML or JSON.
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
//! | `services` | the list of services, `[]` for none; required, so that an empty file is not read as an empty table |
//! | `defaults` | the settings of services and destinations that have none of their own; must come before `services` |
//! | `timeouts` | the timeouts of the network namespace: durations with the keys `tcp`, `tcp_fin` and `udp` ([`Timeouts`]) |
//! | `settings` | settings `net.ipv4.vs.*` of the network namespace: a mapping of names such as `conntrack` to values ([`Setting::KNOWN`](crate::Setting::KNOWN)) |
//!
//! A value of `settings` is a number, `true` or `false` for a switch, a list of two numbers such as
//! `[3, 50]`, or a text such as `"0-3"`. A setting that this crate does not know is kept as it is.
//! Timeouts and settings are no steps of a plan and are not written with the services:
//! [`Table::settings_plan`] compares them with the kernel's.
//!
//! The keys of `defaults` are `scheduler`, `persistence`, `forward` and `weight`, as below, and
//! `port`, 1 to 65535:
//!
//! - Addresses that are written without a port, `192.0.2.10` or `"[2001:db8::1]"`, get the `port`:
//!   those of the keys `tcp`, `udp` and `sctp`, and of destinations. Destinations of a firewall
//!   mark always need a port of their own, because port 0 has a meaning there.
//! - A service with `persistence: false` does not get the `persistence`.
//! - A destination with an `initial_weight` does not get the `weight`.
//!
//! Serializing a table writes no defaults: each entry has its own settings.
//!
//! In TOML, begin a service with `[[services]]` and a destination with
//! `[[services.destinations]]`.
//!
//! # Names
//!
//! The `Deserialize` of `Table` refuses names of hosts and ports. [`TableSeed::with_names`] looks
//! them up in addresses of `tcp`, `udp`, `sctp` and of destinations: `www.example.com:https`.
//!
//! - A host in brackets is looked up as IPv6, any other host as IPv4.
//! - A port is looked up for the protocol of the service. For a destination of a firewall mark it
//!   is looked up for TCP.
//! - The key `service` takes numbers only.
//!
//! Serializing a table writes numbers.
//!
//! # A service
//!
//! A service has exactly one of the first five keys, which gives its id.
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `tcp`, `udp`, `sctp` | the address and port, 0 to 65535, of a service of that protocol; write IPv6 as `"[2001:db8::1]:80"`, with the quotes in YAML too | |
//! | `fwmark` | the firewall mark, 1 to 4294967295 | |
//! | `service` | the id as `ipvsadm -L -n` prints it; required for other protocols: `IP_50 192.0.2.10:0` | |
//! | `family` | with `fwmark`: `ipv4` or `ipv6` | `ipv4` |
//! | `scheduler` | the kernel's name for the scheduler ([`Scheduler`](crate::Scheduler)) | `wlc` |
//! | `flags` | a list of `ops`, `sh-fallback`, `sh-port`, `mh-fallback`, `mh-port`, `flag-1`, `flag-2`, `flag-3` and bits like `0x40` ([`ServiceFlags`](crate::ServiceFlags)) | none |
//! | `persistence` | a duration, a mapping as below, or `false` for none in spite of `defaults` | none |
//! | `forward` | the forwarding method of destinations that have none of their own | none |
//! | `destinations` | the list of destinations | none |
//! | `labels` | labels for metrics, a mapping of names to texts ([`Labels`]): never sent to the kernel, never a difference in a plan | none |
//! | `unchecked` | see below | `false` |
//!
//! # Persistence
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `timeout` | how long the kernel remembers a client: a duration, 0 to 4294967 seconds | required |
//! | `netmask` | for IPv4: the bits of a client's address that are compared, such as `255.255.255.0` | all |
//! | `prefix` | for IPv6: the number of bits that are compared, 1 to 128 | 128 |
//! | `engine` | the kernel's name for the persistence engine, such as `sip` | none |
//!
//! A duration is a text of days, hours, minutes and seconds, such as `5m`, `1h30m` or `1d`, or a
//! number of seconds. Serializing writes the text.
//!
//! # A destination
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `address` | the address and port, 0 to 65535 | required |
//! | `forward` | the forwarding method, as below | the service's |
//! | `weight` | the share of new connections, 0 to 2147483647; 0 takes the destination out of rotation | left open ([`TableDestination::of_any_weight`]) |
//! | `initial_weight` | in place of `weight`: the weight with which the destination is added, while its weight is left open ([`TableDestination::initially`]) | 1 |
//! | `thresholds` | limits to the number of connections: a mapping of `upper`, 0 to 2147483647, 0 for no limit, and `lower`, 0 to the upper one, 0 by default | no limit |
//! | `unchecked` | see below | `false` |
//!
//! `forward` has no default of its own, because none is safe. A destination, its service or
//! `defaults` must give it:
//!
//! | `forward` | [`Forwarding`](crate::Forwarding) |
//! | --- | --- |
//! | `masquerade` | `Masquerade` |
//! | `direct` | `DirectRoute` |
//! | `tunnel` | `Tunnel(Tunnel::Ipip)` |
//! | `{tunnel: gue, port: 6080, checksum: full}` | `Tunnel(Tunnel::Gue)`; the port is 1 to 65535; `checksum` is `none`, the default, `full` or `remote-offload` |
//! | `{tunnel: gre, checksum: full}` | `Tunnel(Tunnel::Gre)`; `checksum` is `none`, the default, or `full` |
//! | `local`, `bypass` | `LocalNode`, `Bypass` |
//! | 5, 6, 7 | the number of a method that this crate has no name for |
//! | `{tunnel: 3, port: 1, flags: 2}` | a tunnel that this crate has no name for; port and flags are 0 by default |
//!
//! # Other values
//!
//! A program can use these types in its own configuration:
//!
//! - [`ServiceId`], [`DestinationId`], [`Scheduler`], [`PersistenceEngine`], [`ServiceFlags`] and
//!   [`Network`] are the text that `Display` writes.
//! - [`Timeouts`] are a mapping of durations with the keys `tcp`, `tcp_fin` and `udp`.
//! - [`PlanOptions`](crate::table::PlanOptions), [`DrainPolicy`](crate::table::DrainPolicy) and
//!   [`Scope`](crate::table::Scope) can be read only. Their `Deserialize` lists the keys.
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
//! Reading returns an error for:
//!
//! - a key that is unknown, missing or given twice;
//! - a service or destination given twice;
//! - a value of the wrong type. Null is one, too: leave out the key instead;
//! - a timeout or setting outside of its range;
//! - settings that [`Service::validate`](crate::Service::validate) or
//!   [`Destination::validate`](crate::Destination::validate) refuses.
//!
//! The error names the field, the value and the rule. The format crate adds the line.
//!
//! An entry that a kernel reports can break these rules if another program wrote the entry, or if
//! the kernel is newer than this crate. Serializing writes such a service or destination with
//! `unchecked: true`, and reading does not validate an entry with this key. The rules are checked
//! when the entry is written to a kernel. A protocol that IPVS does not balance needs no
//! `unchecked`, because the key `service` names the protocol.
//!
//! # Untrusted text
//!
//! Reading takes time and memory in proportion to the values that the format crate delivers: no
//! memory is reserved for a claimed length, and no function here is recursive. A value or key of
//! more than 255 bytes is refused. Error messages quote values and keys with escapes for control
//! characters and for characters that change the direction of text.
//!
//! With [`TableSeed::with_names`] the text decides which names are looked up, and lookups take
//! time. Do not look up names for text of unknown origin.
//!
//! The program must limit the size of the text and of the table. Limits on nesting and aliases, and
//! the parts of the text that a format crate adds to an error, are up to that crate.
//!
//! The format must be self-describing, as YAML, TOML and JSON are.

mod address;
mod defaults;
mod destination;
pub(crate) mod duration;
mod flags;
mod forward;
mod labels;
mod list;
mod lone;
pub(crate) mod mapping;
mod persistence;
pub(crate) mod plain_types;
mod policies;
mod scalar;
mod seed;
mod service;
mod settings;
#[cfg(test)]
mod tests;
mod values;
pub(crate) mod written;

pub(crate) use self::lone::LoneDestination;
pub use self::seed::TableSeed;
use serde::de::{Deserialize, Deserializer, Error, MapAccess};
use serde::ser::{Error as _, Serialize, SerializeStruct, Serializer};

use crate::ipvsadm::Names;
use crate::model::{Settings, Timeouts};
use crate::table::document::defaults::{Defaults, Shared};
use crate::table::document::list::{List, Sharing};
use crate::table::document::written::{AsWritten, Written, read};
#[cfg(doc)]
use crate::table::{Labels, TableDestination};
use crate::table::{Table, TableService};

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Timeouts,
    Settings,
    Defaults,
    Services,
}

impl Written for Table {
    const EXPECTED: &'static str = "a table, a mapping with the key services";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        table(entries, None)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let timeouts = self.timeouts() != Timeouts::default();
        let settings = !self.settings().is_empty();
        let length = 1 + usize::from(timeouts) + usize::from(settings);
        let mut mapping = serializer.serialize_struct("Table", length)?;
        if timeouts {
            self.timeouts().validate().map_err(S::Error::custom)?;
            mapping.serialize_field("timeouts", &AsWritten(&self.timeouts()))?;
        }
        if settings {
            mapping.serialize_field("settings", &AsWritten(self.settings()))?;
        }
        mapping.serialize_field("services", &Services(self))?;
        mapping.end()
    }
}

/// Reads a table, with names if they are looked up.
fn table<'de, A: MapAccess<'de>>(entries: A, names: Option<&dyn Names>) -> Result<Table, A::Error> {
    let mut entries = mapping::plain(entries);
    let mut defaults: Option<Defaults> = None;
    let mut services: Option<List<TableService>> = None;
    let mut timeouts: Option<Timeouts> = None;
    let mut settings: Option<Settings> = None;
    while let Some(key) = entries.next_key()? {
        match key {
            Key::Defaults if defaults.is_some() => {
                return Err(A::Error::duplicate_field("defaults"));
            }
            Key::Services if services.is_some() => {
                return Err(A::Error::duplicate_field("services"));
            }
            Key::Timeouts if timeouts.is_some() => {
                return Err(A::Error::duplicate_field("timeouts"));
            }
            Key::Settings if settings.is_some() => {
                return Err(A::Error::duplicate_field("settings"));
            }
            Key::Timeouts => {
                let ValidTimeouts(given) = entries.next_value()?;
                timeouts = Some(given);
            }
            Key::Settings => {
                let AsWritten(given) = entries.next_value()?;
                settings = Some(given);
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
    let mut table: Table = services.0.into_values().collect();
    table.set_timeouts(timeouts.unwrap_or_default());
    table.set_settings(settings.unwrap_or_default());
    Ok(table)
}

/// Timeouts that can be set. They are checked while the format visits them, so that the format can
/// add its line to an error.
struct ValidTimeouts(Timeouts);

impl<'de> Deserialize<'de> for ValidTimeouts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let timeouts: Timeouts = read(deserializer)?;
        timeouts.validate().map_err(D::Error::custom)?;
        Ok(Self(timeouts))
    }
}

/// Writes the services of a table.
struct Services<'t>(&'t Table);

impl Serialize for Services<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.services().map(AsWritten))
    }
}

/// Writes the format that [`document`](crate::table::document) describes, in the order of the
/// table. Settings with their default value are left out.
///
/// Returns an error for values that no kernel reports and the format cannot express: a persistence
/// timeout with a fraction of a second, an IPv6 scope or flow label, firewall mark 0.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

/// Reads the format that [`document`](crate::table::document) describes. Names of hosts and ports
/// are refused; [`TableSeed`](crate::table::document::TableSeed) looks them up.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}
