use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::health::Outcome;
use crate::health::probe::meter::{Meter, Metered};
use crate::health::probe::tls::config::Application;
use crate::health::probe::tls::failure;
use crate::health::probe::tls::options::TlsOptions;

/// Makes the handshake, or returns the outcome of the check. `host` is the name of the server where the options have none.
pub(in crate::health::probe) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: Metered<S>,
    meter: &Meter,
    target: SocketAddr,
    host: Option<&str>,
    options: &TlsOptions,
    application: Application,
) -> Result<TlsStream<Metered<S>>, Outcome> {
    let settings = options.settings();
    let config = options.configs().of(settings, application).await;
    let config = config.map_err(|reason| Outcome::not_done(format!("TLS: {reason}")))?;
    let name = settings.server_name.as_deref().or(host).map(str::to_owned);
    let name = match name {
        Some(name) => ServerName::try_from(name)
            .map_err(|error| Outcome::not_done(format!("TLS: {error}")))?,
        None => ServerName::from(target.ip()),
    };
    let stream = TlsConnector::from(config).connect(name, stream).await;
    let stream = stream.map_err(|error| Outcome::failed(failure::reason(&error, meter)))?;
    let agreed = stream.get_ref().1.alpn_protocol();
    if application == Application::Http2 && agreed != Some(b"h2") {
        return Err(Outcome::failed("TLS: the server does not offer HTTP/2"));
    }
    Ok(stream)
}
