use crate::client::asynchronous::{async_client, async_stream};
use crate::client::{cancel_safety, connecting, example, operations, table_operations};
use crate::engine::SmolSocket;

async_client! {
    /// The client for programs on smol or any other runtime. It uses the reactor of async-io, which
    /// has a thread of its own.
    ///
    /// It has the methods of the [blocking client](crate::Client), with the same names and errors.
    /// Its futures are `Send`. Methods take `&mut self`, because a client does one operation at a
    /// time: share it in an `async_lock::Mutex`, or open several. `drain`, `apply` and `reconcile`
    /// may wait for connections to end, and keep the client until then: give them a client of their
    /// own.
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
    /// # Blocking
    ///
    /// The kernel executes a request while it is sent, and the thread is blocked for that time:
    /// microseconds, or some hundred milliseconds if the kernel loads a module. The answer is then
    /// there, so there is normally no trip through the reactor. To avoid the long block, load the
    /// modules when the host starts, or add the first service of each scheduler with the blocking
    /// client in `blocking::unblock`.
    ///
    /// # Cancel safety
    ///
    /// Every future may be dropped at any time. The client stays usable and discards answers that
    /// arrive late. The documentation of each method says what a dropped future may have written. A
    /// change that was sent has been executed or refused.
    SmolSocket
}
