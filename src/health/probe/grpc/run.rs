use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use http::header::{CONTENT_TYPE, HeaderMap, TE, USER_AGENT};
use http::uri::Scheme;
use http::{Request, StatusCode, Uri};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::health::Outcome;
use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::grpc::GrpcCheck;
use crate::health::probe::grpc::message;
use crate::health::probe::http2::{connect, reason};
use crate::health::probe::meter::{Meter, Metered};
#[cfg(feature = "health-tls")]
use crate::health::probe::tls;
use crate::health::probe::{Origin, authority};

/// The most bytes that are read for a check, with the handshakes.
const LONGEST_CONVERSATION: usize = 64 * 1024;

const PATH: &str = "/grpc.health.v1.Health/Check";

impl GrpcCheck {
    pub(in crate::health::probe) async fn run(
        &self,
        target: SocketAddr,
        origin: &Origin,
    ) -> Outcome {
        let meter = Meter::new(LONGEST_CONVERSATION);
        match self.converse(target, origin, &meter).await {
            Err(Outcome::Failed(reason)) => Outcome::failed(meter.exceeded().unwrap_or(reason)),
            Ok(outcome) | Err(outcome) => outcome,
        }
    }

    /// Asks. An error is an outcome, too.
    async fn converse(
        &self,
        target: SocketAddr,
        origin: &Origin,
        meter: &Arc<Meter>,
    ) -> Result<Outcome, Outcome> {
        let request = self.request(target).map_err(Outcome::not_done)?;
        let stream = Metered::connect(target, origin, meter).await?;
        #[cfg(feature = "health-tls")]
        if let Some(options) = &self.tls {
            let host = self.host.as_ref().map(|host| authority::name(&host.value));
            let application = tls::Application::Http2;
            let stream = tls::handshake(stream, meter, target, host, options, application).await?;
            return self.exchange(stream, request, None).await;
        }
        self.exchange(stream, request, Some(meter)).await
    }

    fn scheme(&self) -> Scheme {
        #[cfg(feature = "health-tls")]
        if self.tls.is_some() {
            return Scheme::HTTPS;
        }
        Scheme::HTTP
    }

    fn request(&self, target: SocketAddr) -> Result<Request<()>, String> {
        let scheme = self.scheme();
        let host = match &self.host {
            Some(host) => host.value.clone(),
            None => authority::of(target, &scheme)?,
        };
        let uri = Uri::builder().scheme(scheme).authority(host).path_and_query(PATH).build();
        Request::post(uri.map_err(|error| error.to_string())?)
            .header(CONTENT_TYPE, "application/grpc")
            .header(TE, "trailers")
            .header(USER_AGENT, authority::USER_AGENT)
            .body(())
            .map_err(|error| error.to_string())
    }

    async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        request: Request<()>,
        shown: Option<&Meter>,
    ) -> Result<Outcome, Outcome> {
        let message = message::request(&self.service);
        let asked = connect(stream, shown, |sender| ask(sender, request, message, shown)).await;
        asked.map(|()| Outcome::passed()).map_err(Outcome::Failed)
    }
}

async fn ask(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    message: Bytes,
    shown: Option<&Meter>,
) -> Result<(), String> {
    let failed = |error| reason(&error, shown);
    let mut sender = sender.ready().await.map_err(failed)?;
    let (answer, mut sending) = sender.send_request(request, false).map_err(failed)?;
    sending.send_data(message, true).map_err(failed)?;
    let (head, mut body) = answer.await.map_err(failed)?.into_parts();
    if head.status != StatusCode::OK {
        return Err(format!("gRPC: HTTP status {}", head.status.as_u16()));
    }
    let kind = head.headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes()).unwrap_or_default();
    if !kind.starts_with(b"application/grpc") {
        return Err(format!("the answer is not gRPC, but: {}", Excerpt(kind)));
    }
    let mut answer = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.map_err(failed)?;
        if answer.len().saturating_add(part.len()) > message::LONGEST {
            return Err(format!("gRPC: an answer of more than {} bytes", message::LONGEST));
        }
        answer.extend_from_slice(&part);
        body.flow_control().release_capacity(part.len()).map_err(failed)?;
    }
    let trailers = body.trailers().await.map_err(failed)?;
    // Where there is no message, the headers may be the trailers.
    refusal(trailers.as_ref().unwrap_or(&head.headers))?;
    message::judge(&answer)
}

/// Returns an error unless the call succeeded.
fn refusal(trailers: &HeaderMap) -> Result<(), String> {
    let field = |name| trailers.get(name).map(|value| value.as_bytes()).unwrap_or_default();
    let name = match field("grpc-status") {
        b"0" => return Ok(()),
        b"" => return Err("gRPC: the answer has no status of the call".to_owned()),
        b"5" => "the service is not known".to_owned(),
        b"7" => "permission denied".to_owned(),
        b"12" => "the server has no health service".to_owned(),
        b"14" => "unavailable".to_owned(),
        b"16" => "not authenticated".to_owned(),
        other => format!("status {}", Excerpt(other)),
    };
    match field("grpc-message") {
        b"" => Err(format!("gRPC: {name}")),
        message => Err(format!("gRPC: {name}: {}", Excerpt(message))),
    }
}
