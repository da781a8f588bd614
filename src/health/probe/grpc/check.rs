use http::uri::Authority;

#[cfg(feature = "health-tls")]
use crate::health::probe::TlsOptions;
use crate::health::probe::authority;
use crate::health::probe::parsed::Parsed;
use crate::model::InvalidValue;

/// A question by the health protocol of gRPC (`grpc.health.v1.Health/Check`), over HTTP/2.
///
/// The check passes if the server answers that the service is `SERVING`. It reads 4 KiB of the
/// answer, 32 KiB of headers, and 64 KiB from the network at most, and closes the connection by a
/// reset.
///
/// ```
/// use ipvs_netlink::health::probe::{GrpcCheck, Probe};
///
/// let check = GrpcCheck::new().service("shop.v1.Orders")?.host("orders.example.com")?;
/// let probe = Probe::grpc(check);
/// # let _ = probe;
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct GrpcCheck {
    pub(super) service: String,
    pub(super) host: Option<Parsed<Authority>>,
    #[cfg(feature = "health-tls")]
    pub(super) tls: Option<TlsOptions>,
}

/// The longest name of a service, in bytes.
const LONGEST_SERVICE: usize = 1024;

impl GrpcCheck {
    /// Creates a check of the server as a whole, for which the name of the service is empty.
    pub const fn new() -> Self {
        Self {
            service: String::new(),
            host: None,
            #[cfg(feature = "health-tls")]
            tls: None,
        }
    }

    /// Sets the name of the service that is asked for.
    ///
    /// # Errors
    ///
    /// The name is longer than 1024 bytes.
    pub fn service(mut self, service: impl Into<String>) -> Result<Self, InvalidValue> {
        let service = service.into();
        if service.len() > LONGEST_SERVICE {
            let length = format!("({} bytes)", service.len());
            return Err(InvalidValue::new("service", length, "must be at most 1024 bytes"));
        }
        self.service = service;
        Ok(self)
    }

    /// Sets the host that is asked for, with a port where that is not the scheme's. The default is
    /// the address of the server. The connection goes to the address of the server in any case.
    ///
    /// # Errors
    ///
    /// The text is no host.
    pub fn host(mut self, host: impl Into<String>) -> Result<Self, InvalidValue> {
        let text = host.into();
        let value = authority::parse(&text)?;
        self.host = Some(Parsed { text, value });
        Ok(self)
    }

    /// Asks over TLS.
    #[cfg(feature = "health-tls")]
    #[cfg_attr(docsrs, doc(cfg(all(feature = "health-grpc", feature = "health-tls"))))]
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = Some(options);
        self
    }
}
