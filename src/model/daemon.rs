use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::model::InvalidValue;
use crate::model::name::{Name, name_traits};
use crate::uapi::IP_VS_IFNAME_MAXLEN;

/// The role of a synchronization daemon. A host may run one daemon of each role.
///
/// The enum is exhaustive: connection synchronization has two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "IPVS_DAEMON_ATTR_STATE")]
pub enum Role {
    /// Sends the connections of this host to other hosts.
    Master,
    /// Receives the connections that masters send.
    Backup,
}

impl fmt::Display for Role {
    /// `master` or `backup`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Master => "master",
            Self::Backup => "backup",
        })
    }
}

impl FromStr for Role {
    type Err = InvalidValue;

    /// Parses the output of `Display`.
    ///
    /// # Errors
    ///
    /// The text is neither `master` nor `backup`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "master" => Ok(Self::Master),
            "backup" => Ok(Self::Backup),
            _ => Err(InvalidValue::new("role", format!("{text:?}"), "must be master or backup")),
        }
    }
}

/// A connection synchronization daemon of the network namespace. It sends or receives
/// connections by multicast, so that a backup host can continue them.
///
/// The kernel chooses the values that are `None`. A daemon that is read has all values.
///
/// A daemon and destinations whose address family differs from that of their service exclude
/// each other: the kernel refuses whichever comes second.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_CMD_NEW_DAEMON")]
pub struct SyncDaemon {
    /// Whether the daemon sends (master) or receives (backup).
    pub role: Role,
    /// The network interface for the multicast.
    pub interface: InterfaceName,
    /// The synchronization id, 0 to 255, 0 by default. A backup accepts messages of masters
    /// with its own id; a backup with id 0 accepts all.
    pub sync_id: u32,
    /// The maximum length of a message in bytes of UDP payload, 1 to 65535. The default fits
    /// the MTU of the interface. The kernel adjusts a value that does not fit, without an
    /// error; the minimum of a backup is 1024. Linux 4.3.
    pub max_length: Option<u16>,
    /// The multicast group, an IPv4 or IPv6 address, 224.0.0.81 by default. Linux 4.3.
    pub group: Option<IpAddr>,
    /// The UDP port, 1 to 65535, 8848 by default. Linux 4.3.
    pub port: Option<u16>,
    /// The multicast TTL or hop limit, 1 to 255, 1 by default. Linux 4.3.
    pub ttl: Option<u8>,
}

impl SyncDaemon {
    /// Creates a daemon on `interface` with the defaults of the kernel.
    #[must_use]
    pub const fn new(role: Role, interface: InterfaceName) -> Self {
        Self { role, interface, sync_id: 0, max_length: None, group: None, port: None, ttl: None }
    }

    /// Sets the synchronization id (`ipvsadm --syncid`), 0 to 255.
    #[must_use]
    pub const fn sync_id(mut self, sync_id: u32) -> Self {
        self.sync_id = sync_id;
        self
    }

    /// Sets the maximum length of a message (`ipvsadm --sync-maxlen`) in bytes, 1 to 65535.
    #[must_use]
    pub const fn max_length(mut self, bytes: u16) -> Self {
        self.max_length = Some(bytes);
        self
    }

    /// Sets the multicast group (`ipvsadm --mcast-group`).
    #[must_use]
    pub const fn group(mut self, group: IpAddr) -> Self {
        self.group = Some(group);
        self
    }

    /// Sets the UDP port (`ipvsadm --mcast-port`), 1 to 65535.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets the multicast TTL (`ipvsadm --mcast-ttl`), 1 to 255.
    #[must_use]
    pub const fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Returns `true` if a daemon that runs is this one. What is `None` here, the kernel chose, so any
    /// value meets it.
    ///
    /// The kernel may shorten a maximum length that does not fit the interface. Such a daemon does not
    /// meet the one that was asked for.
    ///
    /// ```
    /// use ipvs_netlink::{Role, SyncDaemon};
    ///
    /// let wanted = SyncDaemon::new(Role::Master, "eth0".parse()?).sync_id(5);
    /// let running = wanted.clone().max_length(1472).port(8848).ttl(1);
    /// assert!(wanted.is_met_by(&running));
    /// assert!(!wanted.port(8849).is_met_by(&running));
    /// # Ok::<(), ipvs_netlink::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn is_met_by(&self, running: &Self) -> bool {
        fn meets<T: PartialEq>(wanted: Option<T>, running: Option<T>) -> bool {
            wanted.is_none() || wanted == running
        }
        self.role == running.role
            && self.interface == running.interface
            && self.sync_id == running.sync_id
            && meets(self.max_length, running.max_length)
            && meets(self.group, running.group)
            && meets(self.port, running.port)
            && meets(self.ttl, running.ttl)
    }

    /// Checks the daemon against the rules of the kernel. Clients do this before they send
    /// anything.
    ///
    /// # Errors
    ///
    /// The error names the first field that breaks a rule, and the rule:
    ///
    /// - No interface can have the name.
    /// - The synchronization id is over 255. The kernel would store it, but send one byte.
    /// - The group is not a multicast address.
    /// - The length, port or TTL is 0, which means "default" to the kernel.
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
    /// Checks the name of the interface. No daemon is exempt.
    pub(crate) fn check_names(&self) -> Result<(), InvalidValue> {
        self.interface.validate()
    }
}

impl fmt::Display for SyncDaemon {
    /// The form of `ipvsadm -L --daemon`: `master sync daemon (mcast=eth0, syncid=5)`.
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

/// The name of a network interface, 1 to 15 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(Name<IP_VS_IFNAME_MAXLEN>);

const INTERFACE_RULE: &str = "must be 1 to 15 bytes without blanks, slashes or colons";

impl InterfaceName {
    /// The default interface of `ipvsadm`.
    pub(crate) const ETH0: Self = Self(Name::known("eth0"));

    /// Creates an interface name. The interface need not exist; starting a daemon fails if it
    /// does not.
    ///
    /// # Errors
    ///
    /// No interface can have the name: it is empty, longer than 15 bytes, `.` or `..`, or
    /// contains blanks, slashes or colons.
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
        // isspace() of the kernel includes the vertical tab and the Latin-1 no-break space.
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
    fn what_is_not_wanted_the_kernel_chooses() {
        let running =
            daemon().sync_id(5).max_length(1472).group([224, 0, 0, 81].into()).port(8848).ttl(1);
        assert!(daemon().sync_id(5).is_met_by(&running) && running.is_met_by(&running));
        assert!(!running.is_met_by(&daemon().sync_id(5)));
        let others = [
            SyncDaemon { role: Role::Backup, ..running.clone() },
            SyncDaemon { interface: "eth1".parse().unwrap(), ..running.clone() },
            running.clone().sync_id(6),
            running.clone().max_length(1471),
            running.clone().group([224, 0, 0, 82].into()),
            running.clone().port(8849),
            running.clone().ttl(2),
        ];
        for other in others {
            assert!(!other.is_met_by(&running), "{other}");
        }
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
