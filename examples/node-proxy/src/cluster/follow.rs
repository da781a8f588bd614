//! One watch, for ever.

use std::error::Error;
use std::fmt::Debug;
use std::hash::{BuildHasher as _, RandomState};
use std::iter;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use hyper::Request;
use kube::client::Body;
use kube::core::Status;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::Sender;
use tokio::time;
use tower::service_fn;

use super::pace::Pace;
use super::watched::Watched;
use super::{Notice, Source, WatchFailure, Watchable};

/// How long a list may take from one object to the next.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The first and the longest pause after a failure, as those of Kubernetes' own clients.
///
/// Source: `tools/cache/reflector.go:NewReflectorWithOptions` of client-go.
const SHORTEST_WAIT: Duration = Duration::from_millis(800);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The longest line about an error, in characters.
const LONGEST_LINE: usize = 500;

/// Lists and watches all objects of a kind, and begins anew after every failure, until nobody wants the
/// notices.
pub(super) async fn follow<T>(
    client: Client,
    config: watcher::Config,
    notices: Sender<(Source, Notice)>,
) where
    T: Watchable + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let api = Api::<Watched<T>>::all(telling(client, T::SOURCE, notices.clone()));
    let mut pace = Pace::new(SHORTEST_WAIT, LONGEST_WAIT);
    while !notices.is_closed() {
        let mut watch = pin!(watcher(api.clone(), config.clone()));
        let mut listing = true;
        loop {
            let next = match listing {
                true => time::timeout(LONGEST_PAUSE, watch.next()).await,
                false => Ok(watch.next().await),
            };
            let (notice, anew) = match next {
                Ok(None) => break,
                Ok(Some(Ok(event))) => {
                    listing = matches!(event, watcher::Event::Init | watcher::Event::InitApply(_));
                    (notice(event), false)
                }
                Ok(Some(Err(error))) => (Notice::Failed(failure(&error)), is_gone(&error)),
                Err(_) => {
                    let pause = LONGEST_PAUSE.as_secs();
                    let text = format!("the list stood still for {pause} s");
                    (Notice::Failed(WatchFailure { is_away: true, text }), true)
                }
            };
            let failed = matches!(notice, Notice::Failed(_));
            if matches!(notice, Notice::Complete | Notice::Changed(_)) {
                pace.goes(Instant::now());
            }
            if notices.send((T::SOURCE, notice)).await.is_err() {
                return;
            }
            if failed {
                time::sleep(pace.pause(Instant::now(), chance())).await;
            }
            if anew {
                break;
            }
        }
    }
}

/// Returns a client that says when the server begins to answer a watch: `kube` says nothing until an object changes.
fn telling(client: Client, source: Source, notices: Sender<(Source, Notice)>) -> Client {
    let namespace = client.default_namespace().to_owned();
    let send = service_fn(move |request: Request<Body>| {
        let (client, notices) = (client.clone(), notices.clone());
        let mut words = request.uri().query().unwrap_or_default().split('&');
        let is_watch = words.any(|word| word == "watch=true");
        async move {
            let answer = client.send(request).await?;
            if is_watch && answer.status().is_success() {
                // Nobody wants the notices any more if this fails.
                let _ = notices.send((source, Notice::Watching)).await;
            }
            Ok::<_, kube::Error>(answer)
        }
    });
    Client::new(send, namespace)
}

/// Returns a random number from 0 to 1.
fn chance() -> f64 {
    let random = RandomState::new().hash_one(());
    f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

fn notice<T: Watchable>(event: watcher::Event<Watched<T>>) -> Notice {
    match event {
        watcher::Event::Init => Notice::Begun,
        watcher::Event::InitApply(it) => Notice::Listed(Box::new(it.object.present())),
        watcher::Event::InitDone => Notice::Complete,
        watcher::Event::Apply(it) => Notice::Changed(Box::new(it.object.present())),
        watcher::Event::Delete(it) => Notice::Changed(Box::new(it.object.deleted())),
    }
}

/// Returns what the server answered, or else the causes.
fn failure(error: &watcher::Error) -> WatchFailure {
    use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
    let answer: Option<&Status> = match error {
        WatchError(status) => Some(status),
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status)) => Some(status),
        _ => None,
    };
    let line = match answer {
        Some(status) => format!("answered {}: {}", status.code, status.message),
        None => {
            let first: &dyn Error = error;
            let causes = iter::successors(Some(first), |error| (*error).source());
            causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        }
    };
    // An overloaded server, or a balancer before none, answers nothing about this watch.
    let is_about_server = |status: &Status| status.code == 429 || status.code >= 500;
    WatchFailure {
        is_away: answer.is_none_or(is_about_server) && !is_gone(error),
        text: line.escape_debug().take(LONGEST_LINE).collect(),
    }
}

/// Returns `true` if a watch cannot go on from its version: it is too old (410), or newer than the server's
/// (504), which lost some of its memory. Servers tell the former within the watch, and then `kube` begins
/// anew; if they refuse the watch itself, it would ask for the same version for ever.
fn is_gone(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::WatchStartFailed(kube::Error::Api(status)) => {
            matches!(status.code, 410 | 504)
        }
        _ => false,
    }
}
