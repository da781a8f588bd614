//! Every operation of IPVS, once, for all clients. Only this layer has sockets.
//!
//! [`Engine`] does each operation as an `async` function over a [`Transport`]. The futures of the
//! blocking transport complete at their first poll, so the same engine serves blocking and async
//! clients.

mod channel;
mod confirm;
mod destinations;
mod dumps;
mod family;
mod link;
mod lists;
mod modify;
mod observer;
mod order;
mod outcomes;
mod patience;
mod portions;
mod reads;
mod report;
#[cfg(feature = "serde")]
mod serialized;
mod snapshot;
mod socket;
mod streams;
mod submit;
mod transport;

#[cfg(test)]
pub(crate) mod tests;

use std::time::{Duration, Instant};

#[cfg(feature = "packet")]
use netlink_sys::Socket;

use crate::engine::channel::Channel;
use crate::engine::family::resolve;
use crate::engine::link::Link;
use crate::engine::observer::Observer;
#[cfg(feature = "packet")]
use crate::engine::socket::Endpoint;
use crate::error::{Context, Error, Failure, Result, kind_of_refusal};
use crate::model::Operation;
use crate::proto::{FamilyId, Refusal};

pub(crate) use dumps::DumpRun;
pub use observer::Exchange;
pub(crate) use outcomes::not_attempted;
pub(crate) use portions::portion;
pub use report::{Failed, Failures, Outcome, Outcomes, Report};
pub(crate) use socket::{Endpoints, Home};
pub(crate) use streams::{Entries, Submitted};
#[cfg(feature = "smol")]
pub(crate) use transport::SmolSocket;
#[cfg(feature = "tokio")]
pub(crate) use transport::TokioSocket;
pub(crate) use transport::{BlockingSocket, Transport, ready};

const CONNECT: Context = Context::new(Operation::Connect);

const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// All operations, over any transport.
#[derive(Debug)]
pub(crate) struct Engine<T> {
    pub(crate) family: FamilyId,
    pub(crate) commands: Link<T>,
    /// The separate socket for destinations, if there is one.
    pub(crate) dumps: Option<Link<T>>,
    /// Whether the last service had so many destinations that large datagrams are faster.
    pub(crate) many_destinations: bool,
    /// Whether the destinations of the last service, and one more, fit into a small datagram.
    pub(crate) few_destinations: bool,
    /// The number of services in the last list of all services.
    pub(crate) listed_services: Option<usize>,
    /// Who is told of each exchange.
    pub(crate) observer: Observer,
    /// The longest wait for one answer. `None` waits without end.
    pub(crate) deadline: Option<Duration>,
    /// The network namespace of the sockets.
    pub(crate) home: Home,
}

impl<T: Transport> Engine<T> {
    /// Creates an engine over sockets that this crate opened.
    pub(crate) async fn over(endpoints: Endpoints) -> Result<Self> {
        let commands =
            Link::for_commands(transport(endpoints.commands.channel)?, endpoints.commands.port)
                .bounded(endpoints.commands.buffers);
        let dumps =
            Link::for_destinations(transport(endpoints.dumps.channel)?, endpoints.dumps.port);
        let engine = Self::open(commands, Some(dumps), Some(DEFAULT_DEADLINE)).await?;
        Ok(Self { home: endpoints.home, ..engine })
    }

    /// Creates an engine over sockets that the caller opened, and may have read with large
    /// buffers before.
    #[cfg(feature = "packet")]
    pub(crate) async fn adopt(commands: Socket, dumps: Option<Socket>) -> Result<Self> {
        let link = |socket| {
            let Endpoint { channel, port, buffers } = Endpoint::adopt(socket)?;
            Ok(Link::for_commands(transport(channel)?, port).bounded(buffers))
        };
        let (commands, dumps) = (link(commands)?, dumps.map(link).transpose()?);
        Self::open(commands, dumps, Some(DEFAULT_DEADLINE)).await
    }

    /// Creates an engine over links, and looks the family up.
    pub(crate) async fn open(
        commands: Link<T>,
        dumps: Option<Link<T>>,
        deadline: Option<Duration>,
    ) -> Result<Self> {
        let mut commands = commands;
        let family = resolve(&mut commands, deadline).await?;
        Ok(Self {
            family,
            commands,
            dumps,
            many_destinations: false,
            few_destinations: false,
            listed_services: None,
            observer: Observer::default(),
            deadline,
            home: Home::Unknown,
        })
    }

    /// Reads the transport's clock. Operations read no other clock.
    pub(crate) fn now(&self) -> Instant {
        self.commands.now()
    }

    /// Waits for `time`.
    pub(crate) async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        self.commands.sleep(time).await
    }
}

fn transport<T: Transport>(channel: Channel) -> Result<T> {
    T::new(channel).map_err(|failure| Error::not_sent(CONNECT, failure))
}

/// Makes an error of the kernel's refusal of something other than a change.
pub(crate) fn refused(context: Context, refusal: &Refusal) -> Error {
    let kind = kind_of_refusal(context.operation, None, refusal.errno);
    Error::refused(context, kind, refusal.errno, refusal.extack.as_deref().cloned())
}
