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
    read_once(&AUTHORITIES, || {
        let read = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(read.certs);
        if store.is_empty() {
            let errors: Vec<_> = read.errors.iter().map(ToString::to_string).collect();
            return Err(format!("the system has no authorities: {}", errors.join(", ")));
        }
        Ok(Arc::new(store))
    })
    .await
}

/// Returns what is in the cell, or reads it on another thread. What comes after the end of the check
/// is kept for the next one.
async fn read_once<T: Clone + Send + Sync>(
    cell: &'static OnceLock<T>,
    read: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    if let Some(value) = cell.get() {
        return Ok(value.clone());
    }
    let read = move || read().map(|value| cell.get_or_init(|| value).clone());
    tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_read_late_is_kept() {
        static CELL: OnceLock<u8> = OnceLock::new();
        let slow = || {
            thread::sleep(Duration::from_millis(200));
            Ok(1)
        };
        let check = tokio::time::timeout(Duration::from_millis(1), read_once(&CELL, slow));
        assert!(check.await.is_err(), "the check has ended");
        while CELL.get().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(read_once(&CELL, || Err("read again".to_owned())).await, Ok(1));
    }
}
