use std::net::SocketAddr;
use std::sync::Arc;

use hyper::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::health::Outcome;
use crate::health::probe::Origin;
#[cfg(feature = "health-tls")]
use crate::health::probe::authority;
use crate::health::probe::http::check::{HttpCheck, HttpVersion, Settings};
use crate::health::probe::http::rules::{Judge, Step};
use crate::health::probe::http::{http1, http2, redirect};
use crate::health::probe::meter::{Meter, Metered};
#[cfg(feature = "health-tls")]
use crate::health::probe::tls;

/// The most bytes that a check reads beside the body, over all its connections.
const BESIDE_THE_BODY: usize = 256 * 1024;

impl HttpCheck {
    pub(in crate::health::probe) async fn run(
        &self,
        target: SocketAddr,
        origin: &Origin,
    ) -> Outcome {
        let settings = self.settings();
        let meter = Meter::new(BESIDE_THE_BODY.saturating_add(settings.body_limit));
        match converse(target, origin, settings, &meter).await {
            Err(Outcome::Failed(reason)) => Outcome::failed(meter.exceeded().unwrap_or(reason)),
            Ok(outcome) | Err(outcome) => outcome,
        }
    }
}

/// Asks, and follows redirects. An error is an outcome, too.
async fn converse(
    target: SocketAddr,
    origin: &Origin,
    settings: &Settings,
    meter: &Arc<Meter>,
) -> Result<Outcome, Outcome> {
    let host = settings.host_for(target).map_err(Outcome::not_done)?;
    let mut path = settings.path.value.clone();
    let mut method = settings.method.value.clone();
    for _ in 0..=settings.redirects {
        let stream = Metered::connect(target, origin, meter).await?;
        let request = settings.request(&host, &path, method.clone());
        let request = request.map_err(Outcome::not_done)?;
        match exchange(stream, target, request, settings, meter).await? {
            Step::Passed => return Ok(Outcome::passed()),
            Step::Redirected { status, location } => {
                let followed = redirect::follow(&settings.scheme(), &host, &path, &location);
                path = followed.map_err(Outcome::failed)?;
                method = redirect::method(status, method);
            }
        }
    }
    Err(Outcome::failed(format!("more than {} redirects", settings.redirects)))
}

/// Sends one request, over TLS if asked to, and judges the answer.
async fn exchange(
    stream: Metered<TcpStream>,
    target: SocketAddr,
    request: Request<String>,
    settings: &Settings,
    meter: &Meter,
) -> Result<Step, Outcome> {
    #[cfg(feature = "health-tls")]
    if let Some(options) = &settings.tls {
        let application = match settings.version {
            HttpVersion::Http1 => tls::Application::Http1,
            HttpVersion::Http2 => tls::Application::Http2,
        };
        let host = settings.host.as_ref().map(|host| authority::name(&host.value));
        let stream = tls::handshake(stream, meter, target, host, options, application).await?;
        return speak(stream, request, settings, None).await;
    }
    // The target is in the request already.
    let _ = target;
    speak(stream, request, settings, Some(meter)).await
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<String>,
    settings: &Settings,
    shown: Option<&Meter>,
) -> Result<Step, Outcome> {
    let judge = Judge::new(settings);
    let step = match settings.version {
        HttpVersion::Http1 => http1::exchange(stream, request, judge, shown).await,
        HttpVersion::Http2 => http2::exchange(stream, request, judge, shown).await,
    };
    step.map_err(Outcome::Failed)
}
