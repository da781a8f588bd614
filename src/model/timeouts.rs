use std::fmt;
use std::time::Duration;

use crate::model::{InvalidValue, seconds};

/// The timeouts of idle connections, for the whole network namespace.
///
/// A client reads all three. When it sets timeouts, those that are `None` stay as they are.
///
/// The kernel counts timeouts in ticks and accepts at most 2147483647 ticks. The limit in
/// seconds depends on its ticks per second (`CONFIG_HZ`), which clients cannot read: 21474836 s
/// at 100, 8589934 s at 250, 2147483 s at 1000. The kernel refuses a longer timeout as
/// [`Rejected`](crate::ErrorKind::Rejected) and then changes none of the three. 32-bit kernels
/// have the same limit.
///
/// ```
/// use std::time::Duration;
/// use ipvs_netlink::Timeouts;
///
/// let shorter = Timeouts::default().tcp_fin(Duration::from_secs(60));
/// assert_eq!(shorter.tcp, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_CMD_SET_CONFIG")]
pub struct Timeouts {
    /// The timeout of established TCP connections in whole seconds, 1 to 21474836 (on every
    /// kernel up to 2147483). The default of the kernel is 900.
    pub tcp: Option<Duration>,
    /// The timeout of TCP connections after a FIN in whole seconds, 1 to 21474836 (on every
    /// kernel up to 2147483). The default of the kernel is 120.
    pub tcp_fin: Option<Duration>,
    /// The timeout of UDP in whole seconds, 1 to 21474836 (on every kernel up to 2147483). The
    /// default of the kernel is 300.
    pub udp: Option<Duration>,
}

impl Timeouts {
    /// Sets the timeout of established TCP connections, in whole seconds.
    #[must_use]
    pub const fn tcp(mut self, timeout: Duration) -> Self {
        self.tcp = Some(timeout);
        self
    }

    /// Sets the timeout of TCP connections after a FIN, in whole seconds.
    #[must_use]
    pub const fn tcp_fin(mut self, timeout: Duration) -> Self {
        self.tcp_fin = Some(timeout);
        self
    }

    /// Sets the timeout of UDP, in whole seconds.
    #[must_use]
    pub const fn udp(mut self, timeout: Duration) -> Self {
        self.udp = Some(timeout);
        self
    }

    /// Checks the timeouts against the rules of the kernel. Clients do this before they send
    /// anything.
    ///
    /// # Errors
    ///
    /// A timeout is 0, which means "unchanged" to the kernel, has a fraction of a second, or is
    /// over 21474836 s, which every kernel refuses.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        let fields = [
            ("tcp timeout", self.tcp),
            ("tcp fin timeout", self.tcp_fin),
            ("udp timeout", self.udp),
        ];
        for (field, timeout) in fields {
            match timeout {
                Some(Duration::ZERO) => {
                    return Err(InvalidValue::new(field, "0 s", "must be at least 1 s"));
                }
                Some(timeout) => seconds::check_timeout(field, timeout)?,
                None => {}
            }
        }
        Ok(())
    }
}

/// Which of the [`Timeouts`] is meant.
///
/// `Display` prints the name of the field: `tcp`, `tcp_fin` or `udp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TimeoutKind {
    /// The timeout of established TCP connections.
    Tcp,
    /// The timeout of TCP connections after a FIN.
    TcpFin,
    /// The timeout of UDP.
    Udp,
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::TcpFin => "tcp_fin",
            Self::Udp => "udp",
        })
    }
}

impl fmt::Display for Timeouts {
    /// One line: `tcp 900 tcpfin 120 udp 300`. A timeout that is `None` prints as `-`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |timeout: Option<Duration>| {
            timeout.map_or_else(|| "-".to_owned(), |timeout| timeout.as_secs().to_string())
        };
        write!(f, "tcp {} tcpfin {} udp {}", text(self.tcp), text(self.tcp_fin), text(self.udp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_timeout_is_checked_by_name() {
        let bad = [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(21_474_837)];
        for timeout in bad {
            let all = [
                (Timeouts::default().tcp(timeout), "tcp timeout"),
                (Timeouts::default().tcp_fin(timeout), "tcp fin timeout"),
                (Timeouts::default().udp(timeout), "udp timeout"),
            ];
            for (timeouts, field) in all {
                assert_eq!(timeouts.validate().unwrap_err().field(), field);
            }
        }
        assert!(Timeouts::default().validate().is_ok());
        assert!(Timeouts::default().tcp(Duration::from_secs(21_474_836)).validate().is_ok());
    }
}
