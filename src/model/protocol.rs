use std::fmt;
use std::str::FromStr;

use crate::model::InvalidValue;

/// The transport protocol of a service: an IP protocol number.
///
/// IPVS balances TCP, UDP and SCTP. The kernel stores services of other protocols, which
/// never get a packet. Clients read, zero and delete such services, but
/// [`Service::validate`] refuses to create one.
///
/// [`Service::validate`]: crate::Service::validate
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "IPVS_SVC_ATTR_PROTOCOL")]
pub struct Protocol(u16);

impl Protocol {
    /// TCP, IP protocol 6.
    pub const TCP: Self = Self(6);
    /// UDP, IP protocol 17.
    pub const UDP: Self = Self(17);
    /// SCTP, IP protocol 132.
    pub const SCTP: Self = Self(132);

    /// Creates a protocol from its IP protocol number.
    #[must_use]
    pub const fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// Returns the IP protocol number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Protocol {
    /// `TCP`, `UDP` or `SCTP`. Other protocols print as `IP_` and the number, as in
    /// `/proc/net/ip_vs`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TCP => f.pad("TCP"),
            Self::UDP => f.pad("UDP"),
            Self::SCTP => f.pad("SCTP"),
            Self(number) => f.pad(&format!("IP_{number}")),
        }
    }
}

impl FromStr for Protocol {
    type Err = InvalidValue;

    /// Parses the output of `Display`, in upper or lower case.
    ///
    /// # Errors
    ///
    /// The text is none of these, or the number is over 65535.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_uppercase().as_str() {
            "TCP" => Ok(Self::TCP),
            "UDP" => Ok(Self::UDP),
            "SCTP" => Ok(Self::SCTP),
            other => other
                .strip_prefix("IP_")
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .map(Self)
                .ok_or_else(|| {
                    let rule = "must be TCP, UDP, SCTP or IP_<number>";
                    InvalidValue::new("protocol", format!("{text:?}"), rule)
                }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn text_round_trips() {
        for protocol in
            [Protocol::TCP, Protocol::UDP, Protocol::SCTP, Protocol(50), Protocol(65535)]
        {
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
        }
        assert_eq!("IP_6".parse(), Ok(Protocol::TCP));
        assert_eq!("sctp".parse(), Ok(Protocol::SCTP));
        for text in ["", "ICMP", "IP_", "IP_+6", "IP_65536"] {
            assert!(text.parse::<Protocol>().is_err(), "{text}");
        }
    }
}
