//! Certificates of a server: one that is good, and one that has expired.

use std::sync::Arc;

use ipvs_netlink::health::probe::TlsOptions;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The name of the server.
pub(crate) const NAME: &str = "web.example";

/// Both sides of TLS, for a server whose certificate expires.
#[derive(Clone)]
pub(crate) struct Certificates {
    /// The server while its certificate is good.
    pub(crate) good: TlsAcceptor,
    /// The server after that.
    pub(crate) expired: TlsAcceptor,
    pub(crate) client: TlsConnector,
    /// The certificate of the authority, in PEM.
    authority: String,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = parameters.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(parameters, key);
        let provider = Arc::new(ring::default_provider());
        let server = |last_year| {
            let mut parameters = CertificateParams::new([NAME.to_owned()]).unwrap();
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(last_year, 12, 31);
            let key = KeyPair::generate().unwrap();
            let certificate = parameters.signed_by(&key, &issuer).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
            let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key);
            TlsAcceptor::from(Arc::new(config.unwrap()))
        };
        let (good, expired) = (server(2999), server(2020));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { good, expired, client: Arc::new(client).into(), authority }
    }

    /// What a check needs to know.
    pub(crate) fn options(&self) -> TlsOptions {
        TlsOptions::new().authorities(&self.authority).unwrap().server_name(NAME).unwrap()
    }
}
