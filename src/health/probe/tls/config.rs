use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::sign::SingleCertAndKey;

use crate::health::probe::tls::options::Settings;
use crate::health::probe::tls::{pem, verifier};

/// What is spoken over TLS, to be agreed on in the handshake (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::health::probe) enum Application {
    /// Nothing is offered.
    Any,
    #[cfg(feature = "health-http")]
    Http1,
    Http2,
}

/// The configurations of equal options, each made once.
#[derive(Default)]
pub(super) struct Configs {
    any: OnceLock<Arc<ClientConfig>>,
    #[cfg(feature = "health-http")]
    http1: OnceLock<Arc<ClientConfig>>,
    http2: OnceLock<Arc<ClientConfig>>,
}

impl Configs {
    pub(super) async fn of(
        &self,
        settings: &Settings,
        application: Application,
    ) -> Result<Arc<ClientConfig>, String> {
        let (cell, protocol): (_, Option<&[u8]>) = match application {
            Application::Any => (&self.any, None),
            #[cfg(feature = "health-http")]
            Application::Http1 => (&self.http1, Some(b"http/1.1")),
            Application::Http2 => (&self.http2, Some(b"h2")),
        };
        if let Some(config) = cell.get() {
            return Ok(Arc::clone(config));
        }
        let mut config = make(settings).await?;
        config.alpn_protocols = protocol.map(<[u8]>::to_owned).into_iter().collect();
        Ok(Arc::clone(cell.get_or_init(|| Arc::new(config))))
    }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

async fn make(settings: &Settings) -> Result<ClientConfig, String> {
    let verifier = match (settings.unverified, &settings.authorities) {
        (true, _) => verifier::Verifier::of_nothing(settings.minimum_days),
        (false, None) => {
            verifier::Verifier::new(system_authorities().await?, Vec::new(), settings.minimum_days)
                .map_err(|error| error.to_string())?
        }
        (false, Some(authorities)) => {
            let (store, trusted) =
                pem::authorities(authorities).map_err(|error| error.to_string())?;
            verifier::Verifier::new(Arc::new(store), trusted, settings.minimum_days)
                .map_err(|error| error.to_string())?
        }
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &settings.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let key = pem::certified_key(client).map_err(|error| error.to_string())?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Reads the system's authorities once for the process; again if that failed.
async fn system_authorities() -> Result<Arc<RootCertStore>, String> {
    static AUTHORITIES: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(authorities) = AUTHORITIES.get() {
        return Ok(Arc::clone(authorities));
    }
    // Reads files.
    let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    let read = read.map_err(|error| error.to_string())?;
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(read.certs);
    if store.is_empty() {
        let errors: Vec<_> = read.errors.iter().map(ToString::to_string).collect();
        return Err(format!("the system has no authorities: {}", errors.join(", ")));
    }
    Ok(Arc::clone(AUTHORITIES.get_or_init(|| Arc::new(store))))
}
