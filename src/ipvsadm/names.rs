use std::net::IpAddr;

use crate::model::{AddressFamily, Protocol};

/// Where the names in a command come from: `ipvsadm -S` without `-n` writes names of hosts
/// and ports, such as `www.example.com:http`.
///
/// ```
/// use std::net::IpAddr;
/// use ipvs_netlink::{AddressFamily, Command, NameError, Names, Protocol};
///
/// /// Knows one host.
/// struct Web;
///
/// impl Names for Web {
///     fn host(&self, name: &str, _: AddressFamily) -> Result<IpAddr, NameError> {
///         if name == "web" { Ok([192, 0, 2, 10].into()) } else { Err(NameError::Unknown) }
///     }
///
///     fn port(&self, _: &str, _: Protocol) -> Result<u16, NameError> {
///         Err(NameError::Unknown)
///     }
/// }
///
/// let command = Command::parse(&["-D", "-t", "web:80"], &Web)?;
/// assert_eq!(command.change.to_string(), "ipvsadm -D -t 192.0.2.10:80");
/// # Ok::<(), ipvs_netlink::CommandError>(())
/// ```
pub trait Names {
    /// The address of `family` of the host `name`. As with `ipvsadm` it is IPv6 for a name
    /// in brackets, else IPv4.
    ///
    /// # Errors
    ///
    /// When there is none, or names are not looked up.
    fn host(&self, name: &str, family: AddressFamily) -> Result<IpAddr, NameError>;

    /// The port that `name` is for `protocol`; TCP for destinations of a firewall mark.
    ///
    /// # Errors
    ///
    /// When there is none, or names are not looked up.
    fn port(&self, name: &str, protocol: Protocol) -> Result<u16, NameError>;
}

/// Why a name has no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Names are not looked up.
    #[error("names need a resolver")]
    NotLookedUp,
    /// There is no such name, or it has no address of the family, or no port for the
    /// protocol.
    #[error("there is no such name")]
    Unknown,
    /// Looking it up failed, for this reason.
    #[error("{0}")]
    Failed(String),
}

/// Every name is an error: addresses and ports are numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NumericNames;

impl Names for NumericNames {
    fn host(&self, _: &str, _: AddressFamily) -> Result<IpAddr, NameError> {
        Err(NameError::NotLookedUp)
    }

    fn port(&self, _: &str, _: Protocol) -> Result<u16, NameError> {
        Err(NameError::NotLookedUp)
    }
}
