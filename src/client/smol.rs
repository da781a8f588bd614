use crate::client::asynchronous::{async_client, async_stream};
use crate::client::{
    cancel_safety, connecting, controller_operations, example, reading_operations,
    settings_operations, table_operations, writing_operations,
};
use crate::engine::SmolSocket;

/// The public path of the client, for examples.
macro_rules! client_path {
    () => {
        "ipvs_netlink::smol::Client"
    };
}

async_client! {
    /// A client for programs on smol, or on any other runtime: it waits through the reactor of
    /// async-io, which has a thread of its own.
    ///
    /// The client has the methods of the [blocking client](crate::Client), with the same names,
    /// meanings and errors. Its futures are `Send`.
    ///
    /// Methods take `&mut self`, because a socket carries one conversation at a time. To share a
    /// client, put it into a `async_lock::Mutex`. To work in parallel, open several clients.
    /// `drain`, `apply` and `reconcile` use the client until connections have ended, so give them
    /// a client of their own.
    ///
    /// ```no_run
    /// use ipvs_netlink::{Destination, Service, smol::Client};
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
    /// # What blocks
    ///
    /// The kernel executes a request while it is sent. So the answer is there when the send
    /// returns, and the client reads it without waiting. This blocks the thread for microseconds,
    /// or for some hundred milliseconds if the kernel loads a module. To avoid that, load the
    /// modules when the host starts, or add the first service of each scheduler with the blocking
    /// client in `blocking::unblock`.
    ///
    /// # Cancel safety
    ///
    /// Every future may be dropped at any time. The client stays usable and ignores late answers.
    /// Each method says what a dropped write may have done.
    SmolSocket
}
