use std::io;

use rustls::{CertificateError, Error, InvalidMessage};

use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::meter::Meter;
use crate::health::probe::tls::validity::Validity;
use crate::health::probe::tls::verifier::Refusal;

/// Says why a handshake or a connection over TLS failed.
pub(in crate::health::probe) fn reason(error: &io::Error, meter: &Meter) -> String {
    if let Some(exceeded) = meter.exceeded() {
        return format!("TLS: {exceeded}");
    }
    let text = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(error)) => certificate(error),
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            format!("the server does not speak TLS: {}", Excerpt(&meter.begin()))
        }
        Some(Error::AlertReceived(alert)) => format!("the server sent the alert {alert:?}"),
        Some(error) => error.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection".to_owned()
        }
        None => error.to_string(),
    };
    format!("TLS: {text}")
}

/// The most names of a certificate that are shown.
const NAMES: usize = 3;

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Other(other) => match other.0.downcast_ref::<Refusal>() {
            Some(refusal) => refusal.to_string(),
            None => format!("the certificate is refused: {other}"),
        },
        // That of the server itself has been looked at before.
        CertificateError::ExpiredContext { time, not_after } => {
            let seconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
            let validity = Validity { begins: 0, ends: seconds(not_after.as_secs()) };
            let refusal = validity.refusal(seconds(time.as_secs()), 0).unwrap_or_default();
            format!("an authority's certificate: {refusal}")
        }
        CertificateError::UnknownIssuer => {
            "the certificate is of no authority that is trusted".to_owned()
        }
        CertificateError::BadSignature => {
            "the certificate has not been signed by an authority that is trusted".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let mut names = presented.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
            if presented.len() > NAMES {
                names += ", ...";
            }
            let expected = expected.to_str();
            format!("the certificate is not for {expected}, but for: {names}")
        }
        error => format!("the certificate is refused: {error}"),
    }
}
