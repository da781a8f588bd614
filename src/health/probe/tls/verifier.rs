use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::health::probe::tls::config;
use crate::health::probe::tls::validity::Validity;

/// Decides on certificates of servers.
#[derive(Debug)]
pub(super) struct Verifier {
    /// `None` takes certificates of any authority, for any name.
    chains: Option<Arc<WebPkiServerVerifier>>,
    /// Servers' own certificates that are trusted without a chain.
    trusted: Vec<CertificateDer<'static>>,
    minimum_days: Option<u32>,
}

/// Why a certificate is refused, for people.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

fn refused(reason: impl Into<String>) -> Error {
    CertificateError::Other(OtherError(Arc::new(Refusal(reason.into())))).into()
}

impl Verifier {
    pub(super) fn new(
        authorities: Arc<RootCertStore>,
        trusted: Vec<CertificateDer<'static>>,
        minimum_days: Option<u32>,
    ) -> Result<Self, VerifierBuilderError> {
        let provider = config::provider();
        let chains = WebPkiServerVerifier::builder_with_provider(authorities, provider).build()?;
        Ok(Self { chains: Some(chains), trusted, minimum_days })
    }

    pub(super) const fn of_nothing(minimum_days: Option<u32>) -> Self {
        Self { chains: None, trusted: Vec::new(), minimum_days }
    }

    fn verify_dates(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
        let days = match (&self.chains, self.minimum_days) {
            (None, None) => return Ok(()),
            (_, days) => days.unwrap_or(0),
        };
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let validity = Validity::of(certificate)
            .ok_or_else(|| refused("the dates of the certificate cannot be read"))?;
        validity.refusal(now, days).map_or(Ok(()), |reason| Err(refused(reason)))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // First, so that the failure names the days.
        self.verify_dates(end_entity, now)?;
        let Some(chains) = &self.chains else { return Ok(ServerCertVerified::assertion()) };
        if self.trusted.contains(end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        chains.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.chains {
            Some(chains) => chains.verify_tls12_signature(message, certificate, signature),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.chains {
            Some(chains) => chains.verify_tls13_signature(message, certificate, signature),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        config::provider().signature_verification_algorithms.supported_schemes()
    }
}
