use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConfig, WebPkiClientVerifier};

pub(in crate::health::probe) const DAY: Duration = Duration::from_secs(86_400);

/// An authority that signs certificates for tests.
pub(in crate::health::probe) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(in crate::health::probe) pem: String,
}

/// A certificate with its key, in PEM.
pub(in crate::health::probe) struct Signed {
    pub(in crate::health::probe) certificate: String,
    pub(in crate::health::probe) key: String,
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let common_name = names.first().map_or("an authority", String::as_str).to_owned();
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    parameters
}

impl Authority {
    pub(in crate::health::probe) fn new() -> Self {
        let mut parameters = parameters(&[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// Signs a certificate for these names that begins and ends then.
    pub(in crate::health::probe) fn sign_between(
        &self,
        names: &[&str],
        begins: SystemTime,
        ends: SystemTime,
    ) -> Signed {
        let mut parameters = parameters(names);
        (parameters.not_before, parameters.not_after) = (begins.into(), ends.into());
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap().pem();
        Signed { certificate, key: key.serialize_pem() }
    }

    /// Signs a certificate for these names that ends in some days and an hour.
    pub(in crate::health::probe) fn sign(&self, names: &[&str], days: u32) -> Signed {
        let now = SystemTime::now();
        self.sign_between(names, now - DAY, now + DAY * days + DAY / 24)
    }
}

/// A certificate that nobody else has signed, as `openssl req -x509` makes one.
pub(in crate::health::probe) fn self_signed(names: &[&str]) -> Signed {
    let mut parameters = parameters(names);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap().pem();
    Signed { certificate, key: key.serialize_pem() }
}

impl Signed {
    /// Returns the configuration of a server with this certificate, which asks clients for one of
    /// an authority.
    pub(in crate::health::probe) fn server(
        &self,
        clients: Option<&Authority>,
        protocols: &[&str],
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut store = RootCertStore::empty();
                store
                    .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
                    .unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let chain = CertificateDer::pem_slice_iter(self.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let mut config =
            builder.with_single_cert(chain.map(Result::unwrap).collect(), key).unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_owned()).collect();
        Arc::new(config)
    }
}
