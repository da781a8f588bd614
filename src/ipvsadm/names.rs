use std::net::IpAddr;

use crate::model::{AddressFamily, Protocol};

/// Looks up names of hosts and ports in commands.
///
/// `ipvsadm -S` without `-n` writes such names: `www.example.com:http`. This crate provides
/// [`NumericNames`], which refuses names, and [`SystemNames`](crate::SystemNames), which asks
/// the system.
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
    /// Looks up the address of the host `name`. The address must be of `family`: IPv6 if the
    /// command has the name in brackets, else IPv4, as with `ipvsadm`.
    ///
    /// # Errors
    ///
    /// When the host has no address of the family, or names are not looked up.
    fn host(&self, name: &str, family: AddressFamily) -> Result<IpAddr, NameError>;

    /// Looks up the port `name` of `protocol`. For destinations of a firewall mark the protocol
    /// is TCP.
    ///
    /// # Errors
    ///
    /// When the protocol has no such port, or names are not looked up.
    fn port(&self, name: &str, protocol: Protocol) -> Result<u16, NameError>;
}

/// Why the lookup of a name found nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Names are not looked up: [`NumericNames`] gives this error.
    #[error("names are not looked up")]
    NotLookedUp,
    /// The name does not exist, or it has no address of the family or no port of the protocol.
    #[error("there is no such name")]
    Unknown,
    /// The lookup failed for this reason.
    #[error("{0}")]
    Failed(String),
}

/// Refuses all names: addresses and ports must be numbers.
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
