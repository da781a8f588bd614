use serde::de::{Error, MapAccess};
use serde::ser::{Serialize, Serializer};

use crate::model::{
    Forwarding, GueChecksum, InvalidValue, Tunnel, UnknownForwarding, UnknownTunnel,
};
use crate::table::document::mapping;
use crate::table::document::scalar::{Port, TunnelFlags};
use crate::table::document::written::{Refused, Written, given, needed};
use crate::uapi::{
    IP_VS_CONN_F_BYPASS, IP_VS_CONN_F_FWD_MASK, IP_VS_CONN_F_TUNNEL_TYPE_GRE,
    IP_VS_CONN_F_TUNNEL_TYPE_GUE, IP_VS_CONN_F_TUNNEL_TYPE_IPIP, IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
    IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
};

impl Written for Forwarding {
    const EXPECTED: &'static str = "forward, a name like \"masquerade\", a mapping with the key \
                                    tunnel, or the number of a method that has no name";

    fn of_text(text: &str) -> Result<Self, Refused> {
        Ok(match text {
            "masquerade" => Self::Masquerade,
            "direct" => Self::DirectRoute,
            "tunnel" => Self::Tunnel(Tunnel::Ipip),
            "local" => Self::LocalNode,
            "bypass" => Self::Bypass,
            _ => {
                let rule = "must be masquerade, direct, tunnel, local, bypass or a mapping with \
                            the key tunnel";
                Err(InvalidValue::new("forward", format!("{text:?}"), rule))?
            }
        })
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        let unnamed = IP_VS_CONN_F_BYPASS + 1..=IP_VS_CONN_F_FWD_MASK;
        let number = u32::try_from(number).ok().filter(|number| unnamed.contains(number));
        let method = UnknownForwarding::new(number.ok_or(Refused::Value)?);
        Ok(Self::Unknown(method))
    }

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        shape.tunnel().map(Self::Tunnel).map_err(A::Error::custom)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match self {
            Self::Masquerade => "masquerade",
            Self::DirectRoute => "direct",
            Self::Tunnel(Tunnel::Ipip) => "tunnel",
            Self::Tunnel(tunnel) => return Shape::of(*tunnel).serialize(serializer),
            Self::LocalNode => "local",
            Self::Bypass => "bypass",
            Self::Unknown(method) => return serializer.serialize_u32(method.number()),
        };
        serializer.serialize_str(name)
    }
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(with = "needed")]
    tunnel: Kind,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    port: Option<Port>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    checksum: Option<GueChecksum>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    flags: Option<TunnelFlags>,
}

#[derive(Clone, Copy)]
enum Kind {
    Ipip,
    Gue,
    Gre,
    Number(u8),
}

impl Shape {
    fn of(tunnel: Tunnel) -> Self {
        let bare = |tunnel| Self { tunnel, port: None, checksum: None, flags: None };
        let some = |checksum| Some(checksum).filter(|checksum| *checksum != GueChecksum::None);
        match tunnel {
            Tunnel::Ipip => bare(Kind::Ipip),
            Tunnel::Gue { port, checksum } => {
                Self { port: Some(Port(port)), checksum: some(checksum), ..bare(Kind::Gue) }
            }
            Tunnel::Gre { checksum } => {
                Self { checksum: checksum.then_some(GueChecksum::Full), ..bare(Kind::Gre) }
            }
            Tunnel::Unknown(unknown) => Self {
                port: Some(Port(unknown.port())).filter(|port| port.0 != 0),
                flags: Some(TunnelFlags(unknown.flags())).filter(|flags| flags.0 != 0),
                ..bare(Kind::Number(unknown.kind()))
            },
        }
    }

    fn tunnel(self) -> Result<Tunnel, String> {
        let checksum = self.checksum.unwrap_or_default();
        let only = |kind, key, given: bool| {
            if given { Err(format!("tunnel {kind}: must not have {key}")) } else { Ok(()) }
        };
        match self.tunnel {
            Kind::Ipip => {
                only("ipip", "port", self.port.is_some())?;
                only("ipip", "checksum", self.checksum.is_some())?;
                only("ipip", "flags", self.flags.is_some())?;
                Ok(Tunnel::Ipip)
            }
            Kind::Gue => {
                only("gue", "flags", self.flags.is_some())?;
                let Port(port) = self.port.ok_or("tunnel gue: must have port")?;
                Ok(Tunnel::Gue { port, checksum })
            }
            Kind::Gre => {
                only("gre", "port", self.port.is_some())?;
                only("gre", "flags", self.flags.is_some())?;
                only("gre", "checksum remote-offload", checksum == GueChecksum::RemoteOffload)?;
                Ok(Tunnel::Gre { checksum: checksum == GueChecksum::Full })
            }
            Kind::Number(kind) => {
                let TunnelFlags(flags) = self.flags.unwrap_or(TunnelFlags(0));
                let Port(port) = self.port.unwrap_or(Port(0));
                if self.checksum.is_some() || has_name(kind, flags) {
                    return Err(format!(
                        "tunnel {kind}, flags {flags:#x}: must be ipip, gue or gre by name, or \
                         have flags without a name"
                    ));
                }
                Ok(Tunnel::Unknown(UnknownTunnel::new(kind, port, flags)))
            }
        }
    }
}

/// Whether reading from a kernel makes a named tunnel of it.
const fn has_name(kind: u8, flags: u16) -> bool {
    match kind {
        IP_VS_CONN_F_TUNNEL_TYPE_IPIP => true,
        IP_VS_CONN_F_TUNNEL_TYPE_GUE => flags <= IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
        IP_VS_CONN_F_TUNNEL_TYPE_GRE => flags <= IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
        _ => false,
    }
}

impl Written for Kind {
    const EXPECTED: &'static str = "tunnel, one of \"ipip\", \"gue\" and \"gre\", or the number \
                                    of a type that has no name";

    fn of_text(text: &str) -> Result<Self, Refused> {
        match text {
            "ipip" => Ok(Self::Ipip),
            "gue" => Ok(Self::Gue),
            "gre" => Ok(Self::Gre),
            _ => Err(InvalidValue::new("tunnel", format!("{text:?}"), "must be ipip, gue or gre"))?,
        }
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        number.try_into().map(Self::Number).map_err(|_| Refused::Value)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ipip => serializer.serialize_str("ipip"),
            Self::Gue => serializer.serialize_str("gue"),
            Self::Gre => serializer.serialize_str("gre"),
            Self::Number(number) => serializer.serialize_u8(*number),
        }
    }
}

impl Written for GueChecksum {
    const EXPECTED: &'static str = "checksum, one of \"none\", \"full\" and \"remote-offload\"";

    fn of_text(text: &str) -> Result<Self, Refused> {
        match text {
            "none" => Ok(Self::None),
            "full" => Ok(Self::Full),
            "remote-offload" => Ok(Self::RemoteOffload),
            _ => {
                let rule = "must be none, full or remote-offload";
                Err(InvalidValue::new("tunnel checksum", format!("{text:?}"), rule))?
            }
        }
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::None => "none",
            Self::Full => "full",
            Self::RemoteOffload => "remote-offload",
        })
    }
}
