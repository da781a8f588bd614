use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use rustls::pki_types::ServerName;

use crate::health::probe::tls::config::Configs;
use crate::health::probe::tls::pem;
use crate::model::InvalidValue;

/// How a check uses TLS 1.2 and 1.3.
///
/// By default the server needs a certificate of one of the system's authorities, for the name or
/// address under which it is checked, that is valid now. The system's authorities are read once
/// for a process, from the files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name or where OpenSSL
/// looks for them.
///
/// Each check makes a new handshake. Sessions are not resumed, because a server that resumes one
/// does not show its certificate.
///
/// ```
/// use ipvs_netlink::health::probe::TlsOptions;
///
/// let options = TlsOptions::new().server_name("www.example.com")?.minimum_days(14);
/// assert!(TlsOptions::new().authorities("no certificate").is_err());
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct TlsOptions(Arc<Inner>);

struct Inner {
    settings: Settings,
    configs: Configs,
}

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Settings {
    /// Certificates in PEM; `None` stands for the authorities of the system.
    pub(super) authorities: Option<String>,
    pub(super) client: Option<ClientCertificate>,
    pub(super) server_name: Option<String>,
    pub(super) minimum_days: Option<u32>,
    pub(super) unverified: bool,
}

/// A chain of certificates and the key of its first, in PEM.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClientCertificate {
    pub(super) chain: String,
    pub(super) key: String,
}

impl TlsOptions {
    /// Creates the default options.
    pub fn new() -> Self {
        Self::of(Settings::default())
    }

    fn of(settings: Settings) -> Self {
        Self(Arc::new(Inner { settings, configs: Configs::default() }))
    }

    fn with(self, set: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.0.settings.clone();
        set(&mut settings);
        Self::of(settings)
    }

    /// Trusts these authorities instead of the system's: certificates in PEM, one or more.
    ///
    /// A server whose own certificate is among them is trusted, too, if name and dates are right.
    /// So a server that signed its certificate itself is checked with that certificate.
    ///
    /// # Errors
    ///
    /// The text is no PEM, or holds no certificate or one that cannot be an authority's.
    pub fn authorities(self, pem: impl Into<String>) -> Result<Self, InvalidValue> {
        let pem = pem.into();
        pem::authorities(&pem)?;
        Ok(self.with(|settings| settings.authorities = Some(pem)))
    }

    /// Shows a certificate to servers that ask for one: its chain and its key, unencrypted, in PEM.
    ///
    /// A server of TLS 1.3 refuses a client after the handshake. A check sees that only if it waits
    /// for an answer, as an [`HttpCheck`](crate::health::probe::HttpCheck) does.
    ///
    /// # Errors
    ///
    /// One of the texts is no PEM, or holds no certificate or key; the kind of the key is unknown;
    /// or the key is not that of the first certificate.
    pub fn client_certificate(
        self,
        chain: impl Into<String>,
        key: impl Into<String>,
    ) -> Result<Self, InvalidValue> {
        let client = ClientCertificate { chain: chain.into(), key: key.into() };
        pem::certified_key(&client)?;
        Ok(self.with(|settings| settings.client = Some(client)))
    }

    /// Sets the name, or address, for which the server needs a certificate. A name is told to the
    /// server in the handshake (SNI), an address is not.
    ///
    /// The default is the host of a check over HTTP or gRPC that sets one, else the address of the
    /// server.
    ///
    /// # Errors
    ///
    /// The text is no name of the DNS and no address.
    pub fn server_name(self, name: impl Into<String>) -> Result<Self, InvalidValue> {
        let name = name.into();
        if ServerName::try_from(name.as_str()).is_err() {
            let rule = "must be a name of the DNS or an address";
            return Err(InvalidValue::new("server name", format!("{name:?}"), rule));
        }
        Ok(self.with(|settings| settings.server_name = Some(name)))
    }

    /// Fails a check if the server's own certificate ends in less than so many days. The dates of
    /// the authorities between are not part of this.
    pub fn minimum_days(self, days: u32) -> Self {
        self.with(|settings| settings.minimum_days = Some(days))
    }

    /// Takes any certificate: of any authority, for any name, and also an expired one unless
    /// [`minimum_days`](Self::minimum_days) is set. Whoever is on the way can answer in the
    /// server's place.
    pub fn without_verification(self) -> Self {
        self.with(|settings| settings.unverified = true)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn configs(&self) -> &Configs {
        &self.0.configs
    }
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows neither certificates nor keys.
impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings();
        f.debug_struct("TlsOptions")
            .field("authorities", &settings.authorities.is_some())
            .field("client_certificate", &settings.client.is_some())
            .field("server_name", &settings.server_name)
            .field("minimum_days", &settings.minimum_days)
            .field("unverified", &settings.unverified)
            .finish()
    }
}

impl PartialEq for TlsOptions {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for TlsOptions {}

impl PartialOrd for TlsOptions {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TlsOptions {
    fn cmp(&self, other: &Self) -> Ordering {
        match Arc::ptr_eq(&self.0, &other.0) {
            true => Ordering::Equal,
            false => self.settings().cmp(other.settings()),
        }
    }
}
