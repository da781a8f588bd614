use std::fmt;
use std::time::Duration;

use crate::model::{InvalidValue, seconds};

/// How long idle connections are remembered, for the whole network namespace.
///
/// Reading gives all three. In writing, what is `None` stays as it is.
///
/// The kernel counts timeouts in ticks and takes at most 2147483647 of them. How long that
/// is depends on its tick rate (`CONFIG_HZ`), which no client sees: 21474836 s at 100 Hz,
/// 8589934 s at 250 Hz, 2147483 s at 1000 Hz. It refuses more as
/// [`Rejected`](crate::ErrorKind::Rejected), and changes none of the three then. 32-bit
/// kernels have the same limit.
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
    /// Established TCP connections: whole seconds, 1 to 21474836 (to 2147483 on any
    /// kernel), the kernel's default is 900.
    pub tcp: Option<Duration>,
    /// TCP connections after a FIN: whole seconds, 1 to 21474836 (to 2147483 on any
    /// kernel), the kernel's default is 120.
    pub tcp_fin: Option<Duration>,
    /// UDP: whole seconds, 1 to 21474836 (to 2147483 on any kernel), the kernel's
    /// default is 300.
    pub udp: Option<Duration>,
}

impl Timeouts {
    /// Sets the timeout of established TCP connections.
    #[must_use]
    pub const fn tcp(mut self, timeout: Duration) -> Self {
        self.tcp = Some(timeout);
        self
    }

    /// Sets the timeout of TCP connections after a FIN.
    #[must_use]
    pub const fn tcp_fin(mut self, timeout: Duration) -> Self {
        self.tcp_fin = Some(timeout);
        self
    }

    /// Sets the timeout of UDP.
    #[must_use]
    pub const fn udp(mut self, timeout: Duration) -> Self {
        self.udp = Some(timeout);
        self
    }

    /// Checks what setting these timeouts asks for. Clients do so before they send
    /// anything.
    ///
    /// # Errors
    ///
    /// When a timeout is 0 (which the kernel would take for "unchanged"), has a
    /// fraction of a second, or is over 21474836 s, which no kernel takes.
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

impl fmt::Display for Timeouts {
    /// As `ipvsadm -L --timeout` shows it: `tcp 900 tcpfin 120 udp 300`; what is
    /// unchanged is `-`.
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
