use std::fmt;
use std::str::FromStr;

use crate::model::InvalidValue;

/// How packets reach a destination.
///
/// It prints as `ipvsadm -L` shows it: `Masq`, `Local`, `Tunnel`, `Route`,
/// `Bypass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_DEST_ATTR_FWD_METHOD")]
pub enum Forwarding {
    /// The destination address is rewritten and the answers come back through this
    /// host (`ipvsadm -m`, NAT). Needs `net.ipv4.ip_forward=1` (or
    /// `net.ipv6.conf.all.forwarding=1`) for destinations on other hosts.
    Masquerade,
    /// The packet goes to the destination's link-layer address unchanged and the
    /// answer goes straight to the client (`ipvsadm -g`, direct routing). The
    /// destination has the service's address too.
    DirectRoute,
    /// The packet goes to the destination inside another one (`ipvsadm -i`). The
    /// only method that reaches a destination of the other address family.
    Tunnel(Tunnel),
    /// The packet is for this host itself. The kernel finds that out for any
    /// method, so there is no need to set it.
    LocalNode,
    /// The packet goes on to where it was bound.
    Bypass,
    /// A method that this version of the crate does not know, as a kernel
    /// reported it.
    Unknown(UnknownForwarding),
}

impl fmt::Display for Forwarding {
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

    /// Reads the names that `ipvsadm -L` shows. They do not tell one tunnel from
    /// another: `Tunnel` is IPIP.
    ///
    /// # Errors
    ///
    /// When the text is anything else.
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

/// A forwarding method that this version of the crate has no name for. Only
/// reading makes one; it can be written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownForwarding(u32);

impl UnknownForwarding {
    pub(crate) const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The kernel's number for it.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The packet around a tunnelled packet.
///
/// Linux before 5.2 knows only IPIP (GRE came with 5.3) and makes an IPIP tunnel
/// of the others without a word; read the destination back where such kernels are
/// possible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_DEST_ATTR_TUN_TYPE")]
pub enum Tunnel {
    /// IP in IP (`--tun-type ipip`), the default.
    #[default]
    Ipip,
    /// Generic UDP encapsulation (`--tun-type gue`). Linux 5.2.
    Gue {
        /// The UDP port of the destination (`--tun-port`), not 0.
        port: u16,
        /// How the outer packet is checksummed. Linux 5.3.
        checksum: GueChecksum,
    },
    /// GRE (`--tun-type gre`). Linux 5.3.
    Gre {
        /// Whether the GRE header has a checksum (`--tun-csum`).
        checksum: bool,
    },
    /// A tunnel that this version of the crate does not know, as a kernel reported
    /// it.
    Unknown(UnknownTunnel),
}

impl fmt::Display for Tunnel {
    /// `ipip`, `gue 6080 csum`, `gre csum`.
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

    /// Reads what `Display` writes of the tunnels that have a name.
    ///
    /// # Errors
    ///
    /// When the text is anything else.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = "must be ipip, gre, gre csum, or gue with a port and maybe csum or remcsum";
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

/// How a GUE packet is checksummed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_DEST_ATTR_TUN_FLAGS")]
pub enum GueChecksum {
    /// Not at all (`--tun-nocsum`), the default.
    #[default]
    None,
    /// The outer UDP header has a checksum (`--tun-csum`).
    Full,
    /// Remote checksum offload (`--tun-remcsum`).
    RemoteOffload,
}

/// A tunnel that this version of the crate has no name for: an unknown type, or a
/// known one with unknown flags. Only reading makes one; it can be written back.
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

    /// The kernel's number for the type.
    #[must_use]
    pub const fn kind(self) -> u8 {
        self.kind
    }

    /// The port.
    #[must_use]
    pub const fn port(self) -> u16 {
        self.port
    }

    /// The flags.
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
