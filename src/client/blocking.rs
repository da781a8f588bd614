use std::future::poll_fn;

use crate::client::{connecting, example, operations, table_operations};
use crate::engine::{BlockingSocket, Engine, Entries, Outcome, Submitted, ready};
use crate::error::Result;
use crate::model::{Change, DestinationEntry, ServiceEntry, ServiceId};

macro_rules! block {
    ($future:expr) => {
        ready(std::pin::pin!($future))
    };
}

/// A client that blocks the calling thread.
///
/// It steers the IPVS of one network namespace through two sockets of its own.
/// Dropping it closes them; what it wrote stays in the kernel.
///
/// Methods take `&mut self`, for a socket carries one conversation at a time. To
/// share a client, put it into a [`Mutex`](std::sync::Mutex); to work in parallel,
/// open several. What waits for connections to end (`drain`, `apply`, `reconcile`) keeps the
/// client until then: give it one of its own.
///
/// The kernel executes a request while it is being sent, which takes microseconds,
/// or some hundred milliseconds where it has to load a module. Nothing can cut that
/// short. Waiting for the answer afterwards ends at the deadline.
///
/// ```no_run
/// use ipvs_netlink::{Client, Destination, Scheduler, Service};
///
/// let mut ipvs = Client::connect()?;
/// let web = Service::tcp("192.0.2.10:80".parse()?).scheduler(Scheduler::LEAST_CONNECTION);
/// ipvs.add_service(&web)?;
/// ipvs.add_destination(web.id, &Destination::masquerade("10.0.0.2:8080".parse()?))?;
/// for entry in ipvs.services()? {
///     println!("{} {}: {}", entry.service.id, entry.service.scheduler, entry.stats.connections);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client {
    pub(crate) engine: Engine<BlockingSocket>,
}

connecting!(Client, BlockingSocket, {}, block);
operations!(Client, {}, block);
table_operations!(Client, {}, block);

/// Streaming.
impl Client {
    /// Does any number of changes in bounded memory, as
    /// [`submit`](Self::submit) does them: they are validated, sent and reported on
    /// in chunks of about 64 while the iterator is driven. Dropping it leaves the changes
    /// undone that come after the chunk under way; one of them it may have taken already, to
    /// see whether it belongs to that chunk.
    ///
    /// A chunk in which a change is invalid is not sent, the next one is. After lost
    /// answers or a failed send nothing more is sent.
    ///
    /// ```no_run
    /// # use ipvs_netlink::{Change, Client, Service};
    /// # let mut ipvs = Client::connect()?;
    /// let services = (1..=10_000).map(|port| {
    ///     Change::AddService(Service::tcp(([192, 0, 2, 10], port).into()))
    /// });
    /// for (change, outcome) in ipvs.submit_stream(services) {
    ///     if !outcome.is_done() {
    ///         eprintln!("{change}: {outcome}");
    ///     }
    /// }
    /// # Ok::<(), ipvs_netlink::Error>(())
    /// ```
    pub fn submit_stream<I>(&mut self, changes: I) -> SubmitStream<'_, I::IntoIter>
    where
        I: IntoIterator<Item = Change>,
    {
        SubmitStream(Submitted::new(&mut self.engine, changes.into_iter()))
    }

    /// Reads the services one after the other, in bounded memory.
    ///
    /// While others write, a service may be missing or come twice. Giving the iterator up
    /// early leaves the client usable; the rest of the dump is thrown away before the next
    /// request.
    #[doc = include_str!("errors_of_reads.md")]
    ///
    /// An item that is an error is the last one, unless it is a malformed entry.
    pub fn stream_services(&mut self) -> Result<Services<'_>> {
        let run = block!(self.engine.stream_services())?;
        Ok(Services(Entries::new(&mut self.engine, run)))
    }

    /// Reads the destinations of a service one after the other, in bounded memory.
    ///
    /// As [`stream_services`](Self::stream_services). The kernel reports no
    /// destinations, without an error, also when there is no such service;
    /// [`destinations`](Self::destinations) tells the one from the other.
    ///
    /// A stream borrows the client, so that those of all services take their names first, or
    /// another client:
    ///
    /// ```no_run
    /// # let mut ipvs = ipvs_netlink::Client::connect()?;
    /// let services: Result<Vec<_>, _> =
    ///     ipvs.stream_services()?.map(|entry| entry.map(|entry| entry.service.id)).collect();
    /// for service in services? {
    ///     for entry in ipvs.stream_destinations(service)? {
    ///         let entry = entry?;
    ///         println!("{service} -> {}: {}", entry.destination.id, entry.connections.active);
    ///     }
    /// }
    /// # Ok::<(), ipvs_netlink::Error>(())
    /// ```
    #[doc = include_str!("errors_of_reads.md")]
    ///
    /// An item that is an error is the last one, unless it is a malformed entry.
    pub fn stream_destinations(&mut self, service: ServiceId) -> Result<Destinations<'_>> {
        let run = block!(self.engine.stream_destinations(service))?;
        Ok(Destinations(Entries::new(&mut self.engine, run)))
    }
}

/// Changes and what became of them. See [`Client::submit_stream`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is driven"]
pub struct SubmitStream<'c, I>(Submitted<'c, BlockingSocket, I>);

impl<I: Iterator<Item = Change>> Iterator for SubmitStream<'_, I> {
    type Item = (Change, Outcome);

    fn next(&mut self) -> Option<Self::Item> {
        block!(poll_fn(|context| self.0.poll_next(context)))
    }
}

/// The services, one after the other. See [`Client::stream_services`].
#[derive(Debug)]
#[must_use = "it reads nothing until it is driven"]
pub struct Services<'c>(Entries<'c, BlockingSocket, ServiceEntry>);

impl Iterator for Services<'_> {
    type Item = Result<ServiceEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        block!(poll_fn(|context| self.0.poll_next(context)))
    }
}

/// The destinations of a service, one after the other. See
/// [`Client::stream_destinations`].
#[derive(Debug)]
#[must_use = "it reads nothing until it is driven"]
pub struct Destinations<'c>(Entries<'c, BlockingSocket, DestinationEntry>);

impl Iterator for Destinations<'_> {
    type Item = Result<DestinationEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        block!(poll_fn(|context| self.0.poll_next(context)))
    }
}
