use std::future::poll_fn;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::client::{
    connecting, controller_operations, example, reading_operations, settings_operations,
    table_operations, writing_operations,
};
use crate::engine::{BlockingSocket, Engine, Entries, Outcome, Submitted, ready};
use crate::error::Result;
use crate::model::{Change, DestinationEntry, ServiceEntry, ServiceId};
use crate::table;
use crate::table::controller::{Controller, Event};

macro_rules! block {
    ($future:expr) => {
        ready(std::pin::pin!($future))
    };
}

/// The public path of the client, for examples.
macro_rules! client_path {
    () => {
        "ipvs_netlink::Client"
    };
}

/// A client that blocks the calling thread.
///
/// The client controls the IPVS of one network namespace over two sockets. Dropping the client
/// closes the sockets; the table stays in the kernel.
///
/// Methods take `&mut self`, because a socket carries one conversation at a time. To share a
/// client, put it into a [`Mutex`](std::sync::Mutex). To work in parallel, open several clients.
/// `drain`, `apply` and `reconcile` use the client until connections have ended, so give them a
/// client of their own.
///
/// The kernel executes a request while it is sent. That takes microseconds, or some hundred
/// milliseconds if the kernel loads a module, and nothing can interrupt it. The wait for the
/// answer afterwards ends at the deadline.
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
/// # Code for all three clients
///
/// No trait covers this client and the async ones: the methods of the async clients return futures,
/// so code over such a trait would have to be async for everyone. Write the code that decides as
/// functions of values, which all clients read and write: from a [`Snapshot`](crate::Snapshot) to
/// a list of [`Change`]s, or to a [`Plan`](crate::table::Plan). Reading and submitting are then two
/// lines for each client:
///
/// ```no_run
/// use ipvs_netlink::{Change, Client, Snapshot};
///
/// /// Doubles every weight. Works for all clients, and in tests without a kernel.
/// fn changes(snapshot: &Snapshot) -> Vec<Change> {
///     let mut changes = Vec::new();
///     for service in snapshot {
///         for entry in &service.destinations {
///             let weight = entry.destination.weight.saturating_mul(2);
///             changes.push(Change::weight_of(service.id(), entry, weight));
///         }
///     }
///     changes
/// }
///
/// let mut ipvs = Client::connect()?;
/// let changes = changes(&ipvs.snapshot()?);
/// ipvs.submit(&changes).into_result()?;
/// # Ok::<(), ipvs_netlink::Error>(())
/// ```
#[derive(Debug)]
pub struct Client {
    pub(crate) engine: Engine<BlockingSocket>,
}

connecting!(Client, BlockingSocket, {}, block);
reading_operations!(Client, {}, block);
writing_operations!(Client, {}, block);
table_operations!(Client, {}, block);
settings_operations!(Client, {}, block);
controller_operations!(Client, {}, block);

/// A loop for controllers.
impl Client {
    /// Keeps the table as a controller says, for programs and threads that have nothing else to do:
    /// does what is due, waits, and calls `callback`, until `callback` breaks. Returns the value of
    /// the break.
    ///
    /// `callback` gets each event, and `None` before each step, so at least every `longest`. It
    /// also gets the controller. Look there for new wishes: whether a file has changed, whether a
    /// channel has a message, whether a signal has come. Wishes are carried out at once.
    ///
    /// A thread that waits for its wishes, such as for a channel, reacts without the delay of
    /// `longest` with a loop of its own around [`step`](Self::step):
    /// [`table::controller`](crate::table::controller) has one.
    ///
    /// ```no_run
    /// use std::ops::ControlFlow;
    /// use std::time::Duration;
    ///
    /// use ipvs_netlink::Client;
    /// use ipvs_netlink::table::Table;
    /// use ipvs_netlink::table::controller::{Controller, ControllerOptions};
    ///
    /// let mut ipvs = Client::connect()?;
    /// let mut controller = Controller::new(ControllerOptions::new());
    /// let mut applied = String::new();
    /// let error = ipvs.keep(&mut controller, Duration::from_secs(1), |controller, event| {
    ///     if let Some(event) = event {
    ///         println!("{event}");
    ///         return ControlFlow::Continue(());
    ///     }
    ///     match std::fs::read_to_string("/etc/ipvs.rules") {
    ///         Ok(text) if text != applied => {
    ///             match text.parse::<Table>() {
    ///                 Ok(table) => controller.wish_all(table),
    ///                 Err(error) => eprintln!("{error}"),
    ///             }
    ///             applied = text;
    ///         }
    ///         Ok(_) => {}
    ///         Err(error) => return ControlFlow::Break(error),
    ///     }
    ///     ControlFlow::Continue(())
    /// });
    /// eprintln!("{error}");
    /// # Ok::<(), ipvs_netlink::Error>(())
    /// ```
    pub fn keep<B>(
        &mut self,
        controller: &mut Controller,
        longest: Duration,
        mut callback: impl FnMut(&mut Controller, Option<Event>) -> ControlFlow<B>,
    ) -> B {
        block!(table::keep(&mut self.engine, controller, longest, &mut callback))
    }
}

/// Streaming.
impl Client {
    /// Sends any number of changes in bounded memory, and iterates over each change with its
    /// outcome.
    ///
    /// The client takes, validates and sends about 64 changes at a time, like
    /// [`submit`](Self::submit), while the iterator is driven. It does not send a chunk with an
    /// invalid change, but continues with the next chunk. After lost answers or a failed send it
    /// sends nothing more.
    ///
    /// Dropping the iterator leaves the changes after the current chunk undone; it may have taken
    /// one of them from `changes` already.
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

    /// Iterates over all services, in bounded memory.
    ///
    /// If other programs write meanwhile, a service may be missing or come twice. Dropping the
    /// iterator early leaves the client usable: the client discards the rest before its next
    /// request.
    #[doc = include_str!("errors_of_reads.md")]
    ///
    /// The first error ends the iteration, unless it is
    /// [`MalformedReply`](crate::ErrorKind::MalformedReply) for a single entry.
    pub fn stream_services(&mut self) -> Result<Services<'_>> {
        let run = block!(self.engine.stream_services())?;
        Ok(Services(Entries::new(&mut self.engine, run)))
    }

    /// Iterates over the destinations of a service, in bounded memory.
    ///
    /// The iterator behaves like that of [`stream_services`](Self::stream_services). It is empty,
    /// without an error, if the service does not exist; [`destinations`](Self::destinations)
    /// reports that as an error.
    ///
    /// The iterator borrows the client. To read the destinations of all services, collect the ids
    /// first or use a second client:
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
    /// The first error ends the iteration, unless it is
    /// [`MalformedReply`](crate::ErrorKind::MalformedReply) for a single entry.
    pub fn stream_destinations(&mut self, service: ServiceId) -> Result<Destinations<'_>> {
        let run = block!(self.engine.stream_destinations(service))?;
        Ok(Destinations(Entries::new(&mut self.engine, run)))
    }
}

/// Iterates over changes with their outcomes. See [`Client::submit_stream`].
#[derive(Debug)]
#[must_use = "the iterator sends nothing until it is driven"]
pub struct SubmitStream<'c, I>(Submitted<'c, BlockingSocket, I>);

impl<I: Iterator<Item = Change>> Iterator for SubmitStream<'_, I> {
    type Item = (Change, Outcome);

    fn next(&mut self) -> Option<Self::Item> {
        block!(poll_fn(|context| self.0.poll_next(context)))
    }
}

/// Iterates over services. See [`Client::stream_services`].
#[derive(Debug)]
#[must_use = "the iterator reads nothing until it is driven"]
pub struct Services<'c>(Entries<'c, BlockingSocket, ServiceEntry>);

impl Iterator for Services<'_> {
    type Item = Result<ServiceEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        block!(poll_fn(|context| self.0.poll_next(context)))
    }
}

/// Iterates over the destinations of a service. See [`Client::stream_destinations`].
#[derive(Debug)]
#[must_use = "the iterator reads nothing until it is driven"]
pub struct Destinations<'c>(Entries<'c, BlockingSocket, DestinationEntry>);

impl Iterator for Destinations<'_> {
    type Item = Result<DestinationEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        block!(poll_fn(|context| self.0.poll_next(context)))
    }
}
