use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::model::InvalidValue;
use crate::model::name::{Name, name_traits};
use crate::uapi::IP_VS_IFNAME_MAXLEN;

/// Which half of connection synchronization a daemon does. A director may run
/// both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "IPVS_DAEMON_ATTR_STATE")]
pub enum Role {
    /// Sends this host's connections to the others.
    Master,
    /// Takes over what the masters send.
    Backup,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Master => "master",
            Self::Backup => "backup",
        })
    }
}

impl FromStr for Role {
    type Err = InvalidValue;

    /// Reads what `Display` writes.
    ///
    /// # Errors
    ///
    /// When the text is anything else.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "master" => Ok(Self::Master),
            "backup" => Ok(Self::Backup),
            _ => Err(InvalidValue::new("role", format!("{text:?}"), "must be master or backup")),
        }
    }
}

/// A connection synchronization daemon of the network namespace.
///
/// What is `None` is the kernel's to choose; reading a running daemon gives every
/// value that it chose.
///
/// While a daemon runs, the kernel refuses destinations of the other address
/// family than their service's, and where there is one it refuses to start a
/// daemon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_CMD_NEW_DAEMON")]
pub struct SyncDaemon {
    /// Which half of the work it does.
    pub role: Role,
    /// The interface that the multicast goes through.
    pub interface: InterfaceName,
    /// Which masters and backups belong together, 0 to 255, 0 by default. A backup
    /// of id 0 takes all. The kernel stores larger numbers but sends one byte.
    pub sync_id: u32,
    /// The length of a message, in bytes of UDP payload. By default as fits the
    /// interface; 1 to 65535. The kernel clamps it (a backup's to 1024 and more) without
    /// an error. Linux 4.3.
    pub max_length: Option<u16>,
    /// The multicast group, of IPv4 or IPv6, by default 224.0.0.81. Linux 4.3.
    pub group: Option<IpAddr>,
    /// The UDP port, 1 to 65535, by default 8848. Linux 4.3.
    pub port: Option<u16>,
    /// How many routers the multicast may pass, 1 to 255, by default 1. Linux 4.3.
    pub ttl: Option<u8>,
}

impl SyncDaemon {
    /// A daemon on `interface` with the kernel's defaults.
    #[must_use]
    pub const fn new(role: Role, interface: InterfaceName) -> Self {
        Self { role, interface, sync_id: 0, max_length: None, group: None, port: None, ttl: None }
    }

    /// Sets the synchronization id (`--syncid`).
    #[must_use]
    pub const fn sync_id(mut self, sync_id: u32) -> Self {
        self.sync_id = sync_id;
        self
    }

    /// Sets the length of a message (`--sync-maxlen`).
    #[must_use]
    pub const fn max_length(mut self, bytes: u16) -> Self {
        self.max_length = Some(bytes);
        self
    }

    /// Sets the multicast group (`--mcast-group`).
    #[must_use]
    pub const fn group(mut self, group: IpAddr) -> Self {
        self.group = Some(group);
        self
    }

    /// Sets the UDP port (`--mcast-port`).
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets the multicast TTL (`--mcast-ttl`).
    #[must_use]
    pub const fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Checks what starting this daemon asks for. Clients do so before they send
    /// anything.
    ///
    /// # Errors
    ///
    /// When the interface's name cannot be one, the id is over 255, the group is not a multicast address, or the
    /// length, port or TTL is 0 (which the kernel would take for "default").
    pub fn validate(&self) -> Result<(), InvalidValue> {
        self.check_names()?;
        if self.sync_id > 255 {
            let rule = "must be at most 255";
            return Err(InvalidValue::new("sync id", self.sync_id.to_string(), rule));
        }
        if let Some(group) = self.group.filter(|group| !group.is_multicast()) {
            let rule = "must be a multicast address";
            return Err(InvalidValue::new("multicast group", group.to_string(), rule));
        }
        let zero = [
            ("maximum length", self.max_length == Some(0)),
            ("multicast port", self.port == Some(0)),
            ("multicast ttl", self.ttl == Some(0)),
        ];
        match zero.iter().find(|(_, is_zero)| *is_zero) {
            Some((field, _)) => Err(InvalidValue::new(field, "0", "must be at least 1")),
            None => Ok(()),
        }
    }
}

impl SyncDaemon {
    /// Checks the interface's name. This check is never excused.
    pub(crate) fn check_names(&self) -> Result<(), InvalidValue> {
        self.interface.validate()
    }
}

impl fmt::Display for SyncDaemon {
    /// As `ipvsadm -L --daemon` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, interface, sync_id, .. } = self;
        write!(f, "{role} sync daemon (mcast={interface}, syncid={sync_id}")?;
        if let Some(max_length) = self.max_length {
            write!(f, ", maxlen={max_length}")?;
        }
        if let Some(group) = self.group {
            write!(f, ", group={group}")?;
        }
        if let Some(port) = self.port {
            write!(f, ", port={port}")?;
        }
        if let Some(ttl) = self.ttl {
            write!(f, ", ttl={ttl}")?;
        }
        f.write_str(")")
    }
}

/// The name of a network interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(Name<IP_VS_IFNAME_MAXLEN>);

const INTERFACE_RULE: &str = "must be 1 to 15 bytes without blanks, slashes and colons";

impl InterfaceName {
    /// Where `ipvsadm` starts a daemon by default.
    pub(crate) const ETH0: Self = Self(Name::known("eth0"));

    /// An interface by its name. Whether it exists is the kernel's to say.
    ///
    /// # Errors
    ///
    /// When no interface can have that name: it is empty, longer than 15 bytes,
    /// `.` or `..`, or has blanks, slashes or colons.
    pub fn new(name: &str) -> Result<Self, InvalidValue> {
        let name = Self(Name::given("interface", name, INTERFACE_RULE)?);
        name.validate()?;
        Ok(name)
    }

    pub(crate) fn reported(value: &[u8]) -> Option<Self> {
        Name::reported(value).map(Self)
    }

    /// Source: `net/core/dev.c:dev_valid_name`.
    fn validate(&self) -> Result<(), InvalidValue> {
        let name = self.as_bytes();
        // The kernel's isspace() also counts the vertical tab and the Latin-1 hard blank.
        let odd = |byte: &u8| matches!(byte, b'/' | b':' | b' ' | 0x09..=0x0d | 0xa0);
        if matches!(name, b"" | b"." | b"..") || name.iter().any(odd) {
            let value = format!("\"{}\"", name.escape_ascii());
            return Err(InvalidValue::new("interface", value, INTERFACE_RULE));
        }
        Ok(())
    }
}

name_traits!(InterfaceName, InterfaceName::new);

#[cfg(test)]
mod tests {
    use super::*;

    fn daemon() -> SyncDaemon {
        SyncDaemon::new(Role::Master, "eth0".parse().unwrap())
    }

    #[test]
    fn each_rule_names_its_field() {
        let bad = [
            (daemon().sync_id(256), "sync id"),
            (daemon().group([10, 0, 0, 1].into()), "multicast group"),
            (daemon().group("fe80::1".parse().unwrap()), "multicast group"),
            (daemon().max_length(0), "maximum length"),
            (daemon().port(0), "multicast port"),
            (daemon().ttl(0), "multicast ttl"),
        ];
        for (daemon, field) in bad {
            assert_eq!(daemon.validate().unwrap_err().field(), field);
        }
        assert!(daemon().sync_id(255).group("ff02::81".parse().unwrap()).validate().is_ok());
    }

    #[test]
    fn interface_names_are_the_kernels() {
        for name in ["", ".", "..", "a b", "a/b", "a:b", "a\tb", "sixteen_letters_", "a\0"] {
            assert!(InterfaceName::new(name).is_err(), "{name:?}");
        }
        for name in ["lo", "eth0.100", "fifteen_letters", "-"] {
            assert_eq!(InterfaceName::new(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn it_prints_as_ipvsadm_does() {
        let daemon =
            daemon().sync_id(5).max_length(1472).group([224, 0, 0, 81].into()).port(8848).ttl(1);
        let text = "master sync daemon (mcast=eth0, syncid=5, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)";
        assert_eq!(daemon.to_string(), text);
    }
}
