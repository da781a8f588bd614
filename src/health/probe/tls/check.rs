use std::net::SocketAddr;

use crate::health::Outcome;
use crate::health::probe::meter::{Meter, Metered};
use crate::health::probe::tls::config::Application;
use crate::health::probe::tls::{TlsOptions, handshake};
use crate::health::probe::{Exchange, Origin, tcp};

/// The most bytes that are read for a check over TLS, with the handshake.
const LONGEST_CONVERSATION: usize = 256 * 1024;

/// A handshake over TLS, and what is exchanged after it.
///
/// The check passes once the handshake is done and the server's certificate is as the options ask,
/// or where there is an exchange, once the expected bytes have come. It reads 256 KiB at most, and
/// closes the connection by a reset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[must_use]
pub struct TlsCheck {
    /// How TLS is used.
    pub options: TlsOptions,
    /// What is exchanged after the handshake; nothing by default.
    pub exchange: Option<Exchange>,
}

impl TlsCheck {
    /// Creates a check of the handshake.
    pub const fn new(options: TlsOptions) -> Self {
        Self { options, exchange: None }
    }

    /// Sets what is exchanged after the handshake.
    pub fn exchange(mut self, exchange: Exchange) -> Self {
        self.exchange = Some(exchange);
        self
    }

    pub(in crate::health::probe) async fn run(
        &self,
        target: SocketAddr,
        origin: &Origin,
    ) -> Outcome {
        let meter = Meter::new(LONGEST_CONVERSATION);
        let stream = match Metered::connect(target, origin, &meter).await {
            Ok(stream) => stream,
            Err(outcome) => return outcome,
        };
        let application = Application::Any;
        let shaken = handshake(stream, &meter, target, None, &self.options, application).await;
        match (shaken, &self.exchange) {
            (Err(outcome), _) => outcome,
            (Ok(_), None) => Outcome::passed(),
            (Ok(stream), Some(exchange)) => tcp::converse(stream, exchange).await,
        }
    }
}
