use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::health::probe::tls::config;
use crate::health::probe::tls::options::ClientCertificate;
use crate::model::InvalidValue;

/// Reads the certificates of authorities.
pub(super) fn authorities(
    pem: &str,
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), InvalidValue> {
    let certificates = certificates("authorities", pem)?;
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store.add(certificate.clone()).map_err(|error| {
            invalid("authorities", &error, "must be certificates of version 3 in PEM")
        })?;
    }
    Ok((store, certificates))
}

/// Reads a chain and the key of its first certificate.
pub(super) fn certified_key(client: &ClientCertificate) -> Result<CertifiedKey, InvalidValue> {
    let chain = certificates("client certificate", &client.chain)?;
    let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes()).map_err(|error| {
        let rule = "must be a private key in PEM, as PKCS #8, PKCS #1 or SEC 1";
        invalid("client key", &cause(&error), rule)
    })?;
    CertifiedKey::from_der(chain, key, &config::provider())
        .map_err(|error| invalid("client key", &error, "must be the key of the client certificate"))
}

/// Reads certificates; there must be one.
fn certificates(
    field: &'static str,
    pem: &str,
) -> Result<Vec<CertificateDer<'static>>, InvalidValue> {
    let rule = "must be certificates in PEM";
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = read.map_err(|error| invalid(field, &cause(&error), rule))?;
    match certificates.is_empty() {
        true => Err(invalid(field, &"no certificate", rule)),
        false => Ok(certificates),
    }
}

/// Names the cause in the place of the value, which may be secret.
fn invalid(field: &'static str, cause: &dyn fmt::Display, rule: &'static str) -> InvalidValue {
    InvalidValue::new(field, format!("({cause})"), rule)
}

/// Says what is wrong without the text.
fn cause(error: &Error) -> &'static str {
    match error {
        Error::MissingSectionEnd { .. } => "a section has no end",
        Error::IllegalSectionStart { .. } => "a section has no beginning",
        Error::Base64Decode(_) => "a section is no Base64",
        Error::NoItemsFound => "no section of this kind",
        _ => "unreadable",
    }
}
