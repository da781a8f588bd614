//! Connections of HTTP: they work only while they are polled.

use std::future::Future;
use std::pin::pin;

/// The most bytes of status and headers of an answer.
pub(super) const LONGEST_HEAD: u32 = 32 * 1024;

/// Polls a connection until the answer over it has come.
pub(super) async fn answer<T>(connection: impl Future, answer: impl Future<Output = T>) -> T {
    let mut answer = pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => return answer,
        _ = connection => {}
    }
    // The connection has ended: the answer or its failure is there to be taken.
    answer.await
}
