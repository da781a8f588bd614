//! Synchronization daemons in a file.

use std::net::IpAddr;

use ipvs_netlink::{InterfaceName, Role, SyncDaemon};
use serde::Deserialize;

use super::super::tree::Id;
use super::reading::Reading;

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a synchronization daemon, a mapping with the keys role, interface, id, group, port, \
                 ttl and max_length"
)]
struct Shape {
    role: Side,
    interface: String,
    id: Option<u8>,
    group: Option<IpAddr>,
    port: Option<u16>,
    ttl: Option<u8>,
    max_length: Option<u16>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Master,
    Backup,
}

impl Reading<'_> {
    /// Reads a list of synchronization daemons.
    pub(super) fn synchronization(&mut self, id: Id) -> Option<Vec<SyncDaemon>> {
        let Some(items) = self.tree.items(id).map(<[Id]>::to_vec) else {
            self.unexpected(id, "synchronization, a list, [] for no daemon");
            return None;
        };
        let mut daemons: Vec<(SyncDaemon, u32)> = Vec::new();
        for item in items {
            let at = self.tree.at(item);
            let Some(shape) = self.read::<Shape>(item) else { continue };
            match daemon(shape) {
                Ok(daemon) => {
                    let same = daemons.iter().find(|(other, _)| other.role == daemon.role);
                    if let Some((_, first)) = same {
                        let what = format_args!("the role {}", daemon.role);
                        self.errors.push(super::super::tree::Finding::twice(at, what, *first));
                    }
                    daemons.push((daemon, at));
                }
                Err(invalid) => {
                    // The place of the setting that the message is about.
                    let key = match invalid.field() {
                        "sync id" => "id",
                        "multicast group" => "group",
                        "multicast port" => "port",
                        "multicast ttl" => "ttl",
                        "maximum length" => "max_length",
                        field => field,
                    };
                    let place = self.tree.get(item, key).unwrap_or(item);
                    self.error(self.tree.at(place), invalid);
                }
            }
        }
        Some(daemons.into_iter().map(|(daemon, _)| daemon).collect())
    }
}

fn daemon(shape: Shape) -> Result<SyncDaemon, ipvs_netlink::InvalidValue> {
    let role = match shape.role {
        Side::Master => Role::Master,
        Side::Backup => Role::Backup,
    };
    let mut daemon = SyncDaemon::new(role, InterfaceName::new(&shape.interface)?);
    daemon.sync_id = shape.id.unwrap_or(0).into();
    (daemon.group, daemon.port) = (shape.group, shape.port);
    (daemon.ttl, daemon.max_length) = (shape.ttl, shape.max_length);
    daemon.validate()?;
    Ok(daemon)
}
