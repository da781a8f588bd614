use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Readings;
use crate::log;
use crate::server::answer::{Answers, text_time};

/// How many connections are open at once. Others wait in the queue of the kernel.
pub const MOST_CONNECTIONS: usize = 128;
/// How long a client may take to send its request.
pub const REQUEST_TIME: Duration = Duration::from_secs(3);
/// How long connections may still be served after the end was asked for.
pub const END_TIME: Duration = Duration::from_secs(5);
/// The longest head of a request, in bytes.
const LONGEST_REQUEST: usize = 16 << 10;

/// Serves until `end`, and then until the requests that have arrived are answered, at most for
/// [`END_TIME`].
///
/// `longest` is how long a scrape may take until its text begins. The client has half of that time for
/// the text. A connection is cut after both times and [`REQUEST_TIME`].
pub async fn serve(
    listener: TcpListener,
    readings: Readings,
    longest: Duration,
    end: impl Future<Output = ()>,
) {
    let answers = Arc::new(Answers::new(readings, longest));
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (ending, ended) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut end = pin!(end);
    loop {
        let arrival = tokio::select! {
            () = &mut end => break,
            Some(_) = connections.join_next() => continue,
            arrival = accept(&listener, &places) => arrival,
        };
        if let Some((stream, place)) = arrival {
            let connection = connection(stream, Arc::clone(&answers), longest, ended.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        }
    }
    drop((listener, ending));
    // What is still open then is cut.
    let _ = timeout(END_TIME, async { while connections.join_next().await.is_some() {} }).await;
}

/// Waits for a place, and then for a client.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            log::line(format_args!("cannot accept a connection: {error}"));
            // No descriptor may be left, for a while.
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    answers: Arc<Answers>,
    longest: Duration,
    mut ended: watch::Receiver<()>,
) {
    let service = service_fn(|request| {
        let answers = Arc::clone(&answers);
        async move { Ok::<_, Infallible>(answers.answer(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIME)
        .max_buf_size(LONGEST_REQUEST)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let served = async {
        tokio::select! {
            _ = connection.as_mut() => {}
            // The sender is gone.
            _ = ended.changed() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.as_mut().await;
            }
        }
    };
    // A client that does not read its answer must not keep a reading in memory.
    let _ = timeout(REQUEST_TIME + longest + text_time(longest), served).await;
}
