//! Words of the API with a fixed set of meanings. A word that is none of them is kept, and
//! conversion tells it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

macro_rules! words {
    ($(
        $(#[$meta:meta])*
        $name:ident { $first:ident = $first_text:literal, $($variant:ident = $text:literal,)* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            #[doc = concat!("`", $first_text, "`, the default.")]
            #[default]
            $first,
            $(
                #[doc = concat!("`", $text, "`.")]
                $variant,
            )*
            /// Another word. No API server of a known version lets it through.
            Other(Box<str>),
        }

        impl $name {
            /// Returns the word of the API.
            #[must_use]
            pub const fn as_str(&self) -> &str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$variant => $text,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            /// Takes a word of the API. An empty one is the default.
            fn from(word: &str) -> Self {
                match word {
                    "" | $first_text => Self::$first,
                    $($text => Self::$variant,)*
                    _ => Self::Other(word.into()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.as_str().escape_debug())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Word(|word| Self::from(word)))
            }
        }
    )*};
}

/// Reads a word without a copy.
struct Word<T>(fn(&str) -> T);

impl<T> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        Ok((self.0)(word))
    }
}

words! {
    /// The type of a service (`spec.type`).
    ServiceType {
        ClusterIp = "ClusterIP",
        NodePort = "NodePort",
        LoadBalancer = "LoadBalancer",
        ExternalName = "ExternalName",
    }

    /// The protocol of a port.
    PortProtocol {
        Tcp = "TCP",
        Udp = "UDP",
        Sctp = "SCTP",
    }

    /// Whether a client keeps its endpoint (`spec.sessionAffinity`).
    SessionAffinity {
        None = "None",
        ClientIp = "ClientIP",
    }

    /// Which endpoints serve traffic (`spec.internalTrafficPolicy`,
    /// `spec.externalTrafficPolicy`).
    TrafficPolicy {
        Cluster = "Cluster",
        Local = "Local",
    }

    /// An address family of a service (`spec.ipFamilies`).
    IpFamily {
        Ipv4 = "IPv4",
        Ipv6 = "IPv6",
    }

    /// What the addresses of a slice are (`addressType`).
    AddressType {
        Ipv4 = "IPv4",
        Ipv6 = "IPv6",
        Fqdn = "FQDN",
    }

    /// How a load balancer delivers packets (`status.loadBalancer.ingress[].ipMode`). Absent
    /// means `VIP`.
    IpMode {
        Vip = "VIP",
        Proxy = "Proxy",
    }
}
