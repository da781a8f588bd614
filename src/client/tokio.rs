use crate::client::asynchronous::{async_client, async_stream};
use crate::client::{cancel_safety, connecting, example, operations, table_operations};
use crate::engine::TokioSocket;

async_client! {
    /// A client for programs on tokio.
    ///
    /// It has the operations of the [blocking client](crate::Client) under the same
    /// names, with the same errors. Its futures are `Send`. Methods take `&mut self`,
    /// for a socket carries one conversation at a time: share a client in a
    /// `tokio::sync::Mutex`, or open several. What waits for connections to end (`drain`,
    /// `apply`, `reconcile`) keeps the client until then: give it one of its own.
    ///
    /// ```no_run
    /// use ipvs_netlink::{Destination, Service, tokio::Client};
    ///
    /// # async fn program() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut ipvs = Client::connect().await?;
    /// let web = Service::tcp("192.0.2.10:80".parse()?);
    /// ipvs.add_service(&web).await?;
    /// ipvs.add_destination(web.id, &Destination::masquerade("10.0.0.2:8080".parse()?)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// **What blocks.** The kernel executes a request while it is being sent, so the
    /// answer is there when the sending returns and is read without a trip through the
    /// reactor. That takes microseconds, but some hundred milliseconds where the kernel
    /// loads a module, and the worker thread is blocked meanwhile. Where that hurts, add
    /// the first service of each scheduler in `tokio::task::spawn_blocking` with the
    /// blocking client, or load the modules when the host starts.
    ///
    /// # Cancel safety
    ///
    /// Every future may be dropped at any time; the client stays usable, and what comes
    /// late for a dropped one is known for what it is. What a dropped write may have done
    /// each method says; a change that was sent has been executed or refused.
    ///
    /// # Panics
    ///
    /// tokio panics where its I/O or time driver is switched off; enable both. Outside
    /// any runtime connecting, and whatever has to wait, ends in
    /// [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime).
    TokioSocket
}
