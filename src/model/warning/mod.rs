//! Warnings: settings that the kernel accepts, but that cannot work or have no effect.

mod kind;
mod rules;

use std::fmt;

use crate::model::{Destination, Object, Service};

pub use kind::WarningKind;

/// A warning: a setting that the kernel accepts, but that cannot work or has no effect.
///
/// A warning is no error, and nothing is refused because of it. Programs print warnings.
/// [`WarningKind`] lists all kinds. [`Service::warnings`] checks the settings of a service,
/// and [`Destination::warnings`] those of a destination.
/// [`Table::warnings`](crate::table::Table::warnings) checks both, and also all destinations
/// of a service together.
///
/// ```
/// use ipvs_netlink::{Service, WarningKind};
///
/// let catch_all = Service::tcp("192.0.2.10:0".parse()?);
/// let warnings = catch_all.warnings();
/// assert_eq!(warnings[0].kind, WarningKind::PortZeroWithoutPersistence);
/// assert_eq!(
///     warnings[0].to_string(),
///     "TCP 192.0.2.10:0: port 0 works only with persistence, so every connection is refused"
/// );
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The service or destination that has the setting.
    pub object: Object,
    /// The kind of the warning.
    pub kind: WarningKind,
}

impl Warning {
    pub(crate) const fn service(service: &Service, kind: WarningKind) -> Self {
        Self { object: Object::Service(service.id), kind }
    }

    pub(crate) const fn destination(
        service: &Service,
        destination: &Destination,
        kind: WarningKind,
    ) -> Self {
        Self { object: Object::Destination(service.id, destination.id), kind }
    }
}

impl fmt::Display for Warning {
    /// One line: the object and the text of the kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.kind)
    }
}
