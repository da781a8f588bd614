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

/// The blocking client: reads and changes the IPVS table of one network namespace.
///
/// A client has two sockets. Dropping it closes them; the kernel keeps everything that it wrote.
///
/// Methods take `&mut self`, because a client does one operation at a time. To share a client, put
/// it into a [`Mutex`](std::sync::Mutex); to work in parallel, open several. `drain`, `apply` and
/// `reconcile` may wait for connections to end, and keep the client until then: give them a client of
/// their own.
///
/// The kernel executes a request while it is sent. That takes microseconds, or some hundred
/// milliseconds if it loads a module, and cannot be interrupted. The wait for the answer afterwards
/// ends at the [deadline](Self::set_deadline).
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
    /// Submits any number of changes in bounded memory, and yields each change with its outcome.
    ///
    /// The iterator validates, sends and reports chunks of about 64 changes as it is driven. If it is
    /// dropped, the changes after the present chunk are not sent; it may already have taken one of
    /// them from `changes`.
    ///
    /// A chunk with an invalid change is not sent as a whole; the next chunk is. After a lost answer
    /// or a failed send nothing more is sent.
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
    /// If other programs write meanwhile, a service may be missing or occur twice. If the iterator is
    /// dropped early, the client discards the rest of the list before its next request.
    #[doc = include_str!("errors_of_reads.md")]
    ///
    /// An item that is an error is the last one, unless it is a malformed entry.
    pub fn stream_services(&mut self) -> Result<Services<'_>> {
        let run = block!(self.engine.stream_services())?;
        Ok(Services(Entries::new(&mut self.engine, run)))
    }

    /// Reads the destinations of a service one after the other, in bounded memory.
    ///
    /// For a service that does not exist the kernel reports no destinations and no error;
    /// [`destinations`](Self::destinations) reports an error.
    ///
    /// The iterator borrows the client. To read the destinations of every service, collect the ids
    /// first, or use a second client:
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

/// An iterator over changes and their outcomes. See [`Client::submit_stream`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is driven"]
pub struct SubmitStream<'c, I>(Submitted<'c, BlockingSocket, I>);

impl<I: Iterator<Item = Change>> Iterator for SubmitStream<'_, I> {
    type Item = (Change, Outcome);

    fn next(&mut self) -> Option<Self::Item> {
        block!(poll_fn(|context| self.0.poll_next(context)))
    }
}

/// An iterator over services. See [`Client::stream_services`].
#[derive(Debug)]
#[must_use = "it reads nothing until it is driven"]
pub struct Services<'c>(Entries<'c, BlockingSocket, ServiceEntry>);

impl Iterator for Services<'_> {
    type Item = Result<ServiceEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        block!(poll_fn(|context| self.0.poll_next(context)))
    }
}

/// An iterator over the destinations of a service. See
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
