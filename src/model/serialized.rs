//! The form of the model for status pages and logs (feature `serde`).
//!
//! The form is for programs to read, and nothing here is read back: a table for people to
//! write is `table::document`. Keys are the names of fields. Identities and names are text,
//! as `Display` prints them. Durations are seconds. Every key is always there; what is not
//! set is null.

use std::time::Duration;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::model::{
    Change, Connections, Destination, DestinationEntry, DestinationId, Forwarding, Info,
    InterfaceName, Listing, Netmask, Object, Operation, Persistence, Rates, Role, Service,
    ServiceEntry, ServiceId, ServiceSnapshot, Snapshot, Stats, SyncDaemon, Thresholds, Timeouts,
    Tunnel, Version, Warning, WarningKind,
};

macro_rules! as_text {
    ($($type:ty,)*) => {$(
        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl Serialize for $type {
            /// As text, as `Display` prints it.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

as_text! {
    InterfaceName,
    Netmask,
    Object,
    Operation,
    Role,
    Tunnel,
    Version,
}

/// As its [name](WarningKind::name): `"port-zero-without-persistence"`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for WarningKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Writes a mapping: the keys and the values that belong to them.
macro_rules! as_mapping {
    ($(
        $(#[doc = $doc:literal])+
        $type:ident $(<$parameter:ident>)? ($it:ident) { $($key:literal: $value:expr,)+ }
    )*) => {$(
        $(#[doc = $doc])+
        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl $(<$parameter: Serialize>)? Serialize for $type $(<$parameter>)? {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $it = self;
                let length = [$($key),+].len();
                let mut mapping = serializer.serialize_struct(stringify!($type), length)?;
                $(mapping.serialize_field($key, &$value)?;)+
                mapping.end()
            }
        }
    )*};
}

as_mapping! {
    /// As a mapping with the keys `complete` and `services`. The time of reading is left out:
    /// an `Instant` has no meaning outside of this process.
    Snapshot(it) { "complete": it.is_complete(), "services": Sequence(|| it.services()), }

    /// As a mapping with the keys `service`, `stats` and `destinations`.
    ServiceSnapshot(it) {
        "service": it.entry.service,
        "stats": it.entry.stats,
        "destinations": it.destinations,
    }

    /// As a mapping with the keys `service` and `stats`.
    ServiceEntry(it) { "service": it.service, "stats": it.stats, }

    /// As a mapping with the keys `destination`, `connections` and `stats`.
    DestinationEntry(it) {
        "destination": it.destination,
        "connections": it.connections,
        "stats": it.stats,
    }

    /// As a mapping with the keys `id`, `scheduler`, `flags` and `persistence`. `flags` is
    /// text, empty for none.
    Service(it) {
        "id": it.id,
        "scheduler": it.scheduler,
        "flags": it.flags.named_for(it.scheduler),
        "persistence": it.persistence,
    }

    /// As a mapping with the keys `timeout`, in seconds, `netmask`, which is text, and
    /// `engine`.
    Persistence(it) {
        "timeout": it.timeout.as_secs(),
        "netmask": it.netmask,
        "engine": it.engine,
    }

    /// As a mapping with the keys `id`, `forwarding`, `tunnel`, `weight` and `thresholds`.
    /// `forwarding` is `Masq`, `Route`, `Tunnel`, `Local` or `Bypass`, as `ipvsadm -L` shows
    /// it. `tunnel` is text such as `gue 6080 csum`, and null without a tunnel.
    Destination(it) {
        "id": it.id,
        "forwarding": Text(it.forwarding),
        "tunnel": match it.forwarding {
            Forwarding::Tunnel(tunnel) => Some(tunnel),
            _ => None,
        },
        "weight": it.weight,
        "thresholds": it.thresholds,
    }

    /// As a mapping with the keys `upper` and `lower`.
    Thresholds(it) { "upper": it.upper, "lower": it.lower, }

    /// As a mapping with the keys `active`, `inactive` and `persistent`.
    Connections(it) {
        "active": it.active,
        "inactive": it.inactive,
        "persistent": it.persistent,
    }

    /// As a mapping with one key for each counter, and `rates`.
    Stats(it) {
        "connections": it.connections,
        "incoming_packets": it.incoming_packets,
        "outgoing_packets": it.outgoing_packets,
        "incoming_bytes": it.incoming_bytes,
        "outgoing_bytes": it.outgoing_bytes,
        "rates": it.rates,
    }

    /// As a mapping with one key for each rate.
    Rates(it) {
        "connections": it.connections,
        "incoming_packets": it.incoming_packets,
        "outgoing_packets": it.outgoing_packets,
        "incoming_bytes": it.incoming_bytes,
        "outgoing_bytes": it.outgoing_bytes,
    }

    /// As a mapping with the keys `complete` and `entries`.
    Listing<T>(it) { "complete": it.is_complete(), "entries": **it, }

    /// As a mapping with the keys `version`, such as `"1.2.1"`, and `connection_table_size`.
    Info(it) {
        "version": it.version,
        "connection_table_size": it.connection_table_size,
    }

    /// As a mapping with the keys `object`, `kind` and `text`. `kind` is the
    /// [name](WarningKind::name) of the kind, `text` the text for people.
    Warning(it) { "object": it.object, "kind": it.kind, "text": Text(it.kind), }

    /// As a mapping with the keys `role`, `interface`, `sync_id`, `max_length`, `group`,
    /// `port` and `ttl`.
    SyncDaemon(it) {
        "role": it.role,
        "interface": it.interface,
        "sync_id": it.sync_id,
        "max_length": it.max_length,
        "group": it.group,
        "port": it.port,
        "ttl": it.ttl,
    }

    /// As a mapping with the keys `operation`, `service`, `destination` and `settings`.
    /// `service` and `destination` are identities. `settings` is the service, destination,
    /// daemon or timeouts that are written, the role of a daemon that is stopped, and null for
    /// other changes.
    Change(it) {
        "operation": it.operation(),
        "service": service(it),
        "destination": destination(it),
        "settings": Settings(it),
    }
}

/// A value as `Display` prints it.
struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What an iterator gives, as a list.
struct Sequence<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Sequence<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

fn service(change: &Change) -> Option<ServiceId> {
    match change.object()? {
        Object::Service(service) | Object::Destination(service, _) => Some(service),
        Object::Daemon(_) => None,
    }
}

fn destination(change: &Change) -> Option<DestinationId> {
    match change.object()? {
        Object::Destination(_, destination) => Some(destination),
        Object::Service(_) | Object::Daemon(_) => None,
    }
}

/// What a change writes.
struct Settings<'c>(&'c Change);

impl Serialize for Settings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Change::AddService(service) | Change::UpdateService(service) => {
                service.serialize(serializer)
            }
            Change::AddDestination(_, destination) | Change::UpdateDestination(_, destination) => {
                destination.serialize(serializer)
            }
            Change::SetTimeouts(timeouts) => in_seconds(*timeouts, serializer),
            Change::StartDaemon(daemon) => daemon.serialize(serializer),
            Change::StopDaemon(role) => role.serialize(serializer),
            Change::DeleteService(_)
            | Change::ZeroService(_)
            | Change::DeleteDestination(..)
            | Change::ZeroAll
            | Change::Flush => serializer.serialize_none(),
        }
    }
}

/// Timeouts by themselves are durations for people, as in a document.
fn in_seconds<S: Serializer>(timeouts: Timeouts, serializer: S) -> Result<S::Ok, S::Error> {
    let mut mapping = serializer.serialize_struct("Timeouts", 3)?;
    mapping.serialize_field("tcp", &timeouts.tcp.map(|it| Duration::as_secs(&it)))?;
    mapping.serialize_field("tcp_fin", &timeouts.tcp_fin.map(|it| Duration::as_secs(&it)))?;
    mapping.serialize_field("udp", &timeouts.udp.map(|it| Duration::as_secs(&it)))?;
    mapping.end()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{GueChecksum, PersistenceEngine, ServiceFlags, strategies};

    fn value(it: impl Serialize) -> Value {
        serde_json::to_value(it).unwrap()
    }

    fn web() -> Service {
        Service::udp("192.0.2.10:5060".parse().unwrap())
            .scheduler_named("sh")
            .unwrap()
            .flags(ServiceFlags::SH_PORT)
            .one_packet()
            .persistence(
                Persistence::new(Duration::from_secs(300))
                    .netmask(Ipv4Addr::new(255, 255, 255, 0))
                    .engine(PersistenceEngine::SIP),
            )
    }

    #[test]
    fn a_snapshot_is_what_a_status_page_shows() {
        let tunnel = Tunnel::Gue { port: 6080, checksum: GueChecksum::Full };
        let server = Destination::tunnel("10.0.0.2:5060".parse().unwrap(), tunnel)
            .weight(3)
            .thresholds(10, 8);
        let connections = Connections { active: 1, inactive: 2, persistent: 3 };
        let stats = Stats { connections: 7, ..Stats::default() };
        let snapshot: Snapshot = [ServiceSnapshot::new(
            ServiceEntry::new(web(), stats),
            vec![DestinationEntry::new(server, connections, Stats::default())],
        )]
        .into_iter()
        .collect();
        let none = json!({
            "connections": 0, "incoming_packets": 0, "outgoing_packets": 0,
            "incoming_bytes": 0, "outgoing_bytes": 0,
        });
        let stats = |connections: u64| {
            let mut stats = none.clone();
            stats["connections"] = connections.into();
            stats["rates"] = none.clone();
            stats
        };
        let expected = json!({"complete": false, "services": [{
            "service": {
                "id": "UDP 192.0.2.10:5060",
                "scheduler": "sh",
                "flags": "sh-port,ops",
                "persistence": {"timeout": 300, "netmask": "255.255.255.0", "engine": "sip"},
            },
            "stats": stats(7),
            "destinations": [{
                "destination": {
                    "id": "10.0.0.2:5060",
                    "forwarding": "Tunnel",
                    "tunnel": "gue 6080 csum",
                    "weight": 3,
                    "thresholds": {"upper": 10, "lower": 8},
                },
                "connections": {"active": 1, "inactive": 2, "persistent": 3},
                "stats": stats(0),
            }],
        }]});
        assert_eq!(value(&snapshot), expected);
        let service = &expected["services"][0];
        let entry = &snapshot.services().next().unwrap().entry;
        let listed = value(Listing::new(vec![entry.clone()], true));
        let entry = json!({"service": service["service"], "stats": service["stats"]});
        assert_eq!(listed, json!({"complete": true, "entries": [entry]}));
    }

    #[test]
    fn changes_say_what_they_write_and_to_what() {
        let id = web().id;
        let server = Destination::masquerade("10.0.0.2:0".parse().unwrap());
        assert_eq!(
            value(Change::AddDestination(id, server.clone())),
            json!({
                "operation": "add destination",
                "service": "UDP 192.0.2.10:5060",
                "destination": "10.0.0.2:0",
                "settings": value(&server),
            })
        );
        assert_eq!(value(&server)["tunnel"], Value::Null);
        let timeouts = Timeouts::default().tcp(Duration::from_secs(900));
        let timeouts = value(Change::SetTimeouts(timeouts));
        assert_eq!(timeouts["settings"], json!({"tcp": 900, "tcp_fin": null, "udp": null}));
        assert_eq!(value(Change::StopDaemon(Role::Master))["settings"], "master");
    }

    #[test]
    fn warnings_and_info_are_for_programs() {
        let warning = Service::tcp("192.0.2.10:0".parse().unwrap()).warnings().remove(0);
        assert_eq!(
            value(warning),
            json!({
                "object": "TCP 192.0.2.10:0",
                "kind": "port-zero-without-persistence",
                "text": warning.kind.to_string(),
            })
        );
        let version = Version { major: 1, minor: 2, patch: 1 };
        let info = Info { version, connection_table_size: 4096 };
        assert_eq!(value(info), json!({"version": "1.2.1", "connection_table_size": 4096}));
    }

    proptest! {
        #[test]
        fn every_change_and_entry_has_a_form(
            change in strategies::change(),
            service in strategies::service_entry(),
            destination in strategies::destination_entry(),
        ) {
            let change_form = value(&change);
            prop_assert_eq!(&change_form["operation"], &change.operation().to_string());
            let service_form = value(&service);
            prop_assert_eq!(&service_form["service"]["id"], &service.id().to_string());
            let destination_form = value(&destination);
            prop_assert_eq!(
                &destination_form["destination"]["id"],
                &destination.id().to_string()
            );
        }
    }
}
