use std::fmt;
use std::str::FromStr;

use crate::model::InvalidValue;

/// The forwarding method of a destination: how packets reach it.
///
/// `Display` and `FromStr` use the names of `ipvsadm -L`: `Masq`, `Route`, `Tunnel`, `Local`,
/// `Bypass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_DEST_ATTR_FWD_METHOD")]
pub enum Forwarding {
    /// Masquerading (NAT, `ipvsadm -m`): the kernel rewrites address and port of the
    /// destination. Answers must return through this host. If the destination is another
    /// host, set the sysctl `net.ipv4.ip_forward=1` or `net.ipv6.conf.all.forwarding=1`.
    Masquerade,
    /// Direct routing (`ipvsadm -g`): the kernel sends the unchanged packet to the link-layer
    /// address of the destination. The destination must be on the same link and must have the
    /// address of the service, too. It answers the client directly.
    DirectRoute,
    /// Tunnel (`ipvsadm -i`): the kernel wraps the packet in another packet to the
    /// destination, which answers the client directly. Only this method reaches destinations
    /// of the other address family.
    Tunnel(Tunnel),
    /// Local node: the destination is this host. The kernel recognizes its own addresses with
    /// every method, so programs need not set this one.
    LocalNode,
    /// Bypass: the kernel sends the packet to its original address. For transparent caches.
    Bypass,
    /// A method that a kernel reported and this version of the crate does not know.
    Unknown(UnknownForwarding),
}

impl fmt::Display for Forwarding {
    /// The name of `ipvsadm -L`. An unknown method prints as `Method-5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Masquerade => f.pad("Masq"),
            Self::DirectRoute => f.pad("Route"),
            Self::Tunnel(_) => f.pad("Tunnel"),
            Self::LocalNode => f.pad("Local"),
            Self::Bypass => f.pad("Bypass"),
            Self::Unknown(UnknownForwarding(number)) => f.pad(&format!("Method-{number}")),
        }
    }
}

impl FromStr for Forwarding {
    type Err = InvalidValue;

    /// Parses the names of `ipvsadm -L`. `Tunnel` gives an IPIP tunnel, because the name does
    /// not say the type.
    ///
    /// # Errors
    ///
    /// The text is none of the five names.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "Masq" => Ok(Self::Masquerade),
            "Route" => Ok(Self::DirectRoute),
            "Tunnel" => Ok(Self::Tunnel(Tunnel::Ipip)),
            "Local" => Ok(Self::LocalNode),
            "Bypass" => Ok(Self::Bypass),
            _ => {
                let rule = "must be Masq, Route, Tunnel, Local or Bypass";
                Err(InvalidValue::new("forwarding", format!("{text:?}"), rule))
            }
        }
    }
}

/// A forwarding method that this version of the crate does not know. Only a client creates
/// it, from what a kernel reports. It can be written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownForwarding(u32);

impl UnknownForwarding {
    pub(crate) const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Returns the kernel's number of the method.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The type of a tunnel: how packets are wrapped.
///
/// GUE needs Linux 5.2, and GRE needs Linux 5.3. An older kernel ignores the type and creates
/// an IPIP tunnel without an error. If a program may run on such kernels, let it read the
/// destination after it added one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_DEST_ATTR_TUN_TYPE")]
pub enum Tunnel {
    /// IP in IP (`ipvsadm --tun-type ipip`), the default.
    #[default]
    Ipip,
    /// Generic UDP encapsulation (`ipvsadm --tun-type gue`). Linux 5.2.
    Gue {
        /// The UDP port of the destination (`ipvsadm --tun-port`), 1 to 65535.
        port: u16,
        /// The checksum of the outer packet. Linux 5.3.
        checksum: GueChecksum,
    },
    /// GRE (`ipvsadm --tun-type gre`). Linux 5.3.
    Gre {
        /// Whether the GRE header has a checksum (`ipvsadm --tun-csum`).
        checksum: bool,
    },
    /// A tunnel that a kernel reported and this version of the crate does not know.
    Unknown(UnknownTunnel),
}

impl fmt::Display for Tunnel {
    /// Type, port and checksum: `ipip`, `gue 6080 csum`, `gre csum`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipip => f.write_str("ipip"),
            Self::Gue { port, checksum: GueChecksum::None } => write!(f, "gue {port}"),
            Self::Gue { port, checksum: GueChecksum::Full } => write!(f, "gue {port} csum"),
            Self::Gue { port, checksum: GueChecksum::RemoteOffload } => {
                write!(f, "gue {port} remcsum")
            }
            Self::Gre { checksum: false } => f.write_str("gre"),
            Self::Gre { checksum: true } => f.write_str("gre csum"),
            Self::Unknown(UnknownTunnel { kind, port, flags }) => {
                write!(f, "type-{kind} {port} flags-{flags:#x}")
            }
        }
    }
}

impl FromStr for Tunnel {
    type Err = InvalidValue;

    /// Parses the output of `Display`, except that of unknown tunnels.
    ///
    /// # Errors
    ///
    /// The text does not have that form, or the port is not 1 to 65535.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule =
            "must be ipip, gre, gre csum, or gue and a port, with csum or remcsum after the port";
        let invalid = || InvalidValue::new("tunnel", format!("{text:?}"), rule);
        let gue = |port: &str, checksum| {
            let plain = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| plain && *port != 0);
            port.map(|port| Self::Gue { port, checksum }).ok_or_else(invalid)
        };
        let words: Vec<&str> = text.split(' ').take(4).collect();
        match words.as_slice() {
            ["ipip"] => Ok(Self::Ipip),
            ["gre"] => Ok(Self::Gre { checksum: false }),
            ["gre", "csum"] => Ok(Self::Gre { checksum: true }),
            ["gue", port] => gue(port, GueChecksum::None),
            ["gue", port, "csum"] => gue(port, GueChecksum::Full),
            ["gue", port, "remcsum"] => gue(port, GueChecksum::RemoteOffload),
            _ => Err(invalid()),
        }
    }
}

/// The checksum of GUE packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_DEST_ATTR_TUN_FLAGS")]
pub enum GueChecksum {
    /// No checksum (`ipvsadm --tun-nocsum`), the default.
    #[default]
    None,
    /// A checksum in the outer UDP header (`ipvsadm --tun-csum`).
    Full,
    /// Remote checksum offload (`ipvsadm --tun-remcsum`).
    RemoteOffload,
}

/// A tunnel that this version of the crate does not know: its type is unknown, or its flags
/// are. Only a client creates it, from what a kernel reports. It can be written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownTunnel {
    kind: u8,
    port: u16,
    flags: u16,
}

impl UnknownTunnel {
    pub(crate) const fn new(kind: u8, port: u16, flags: u16) -> Self {
        Self { kind, port, flags }
    }

    /// Returns the kernel's number of the type.
    #[must_use]
    pub const fn kind(self) -> u8 {
        self.kind
    }

    /// Returns the UDP port.
    #[must_use]
    pub const fn port(self) -> u16 {
        self.port
    }

    /// Returns the flags.
    #[must_use]
    pub const fn flags(self) -> u16 {
        self.flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["Masq", "Route", "Tunnel", "Local", "Bypass"] {
            assert_eq!(name.parse::<Forwarding>().unwrap().to_string(), name);
        }
        for name in ["ipip", "gre", "gre csum", "gue 6080", "gue 1 csum", "gue 65535 remcsum"] {
            assert_eq!(name.parse::<Tunnel>().unwrap().to_string(), name);
        }
        for name in [
            "",
            "gue",
            "gue 0",
            "gue +1",
            "gue 65536",
            "gre 1",
            "ipip csum",
            "gue 1 csum x",
            "Masq ",
        ] {
            assert!(name.parse::<Tunnel>().is_err() && name.parse::<Forwarding>().is_err());
        }
    }
}
