//! Every operation of IPVS, once, for all clients: the only place with sockets.
//!
//! [`Engine`] does each operation as an `async` function over a [`Transport`]. The futures
//! of the blocking transport are always ready, so one engine serves blocking and async clients.

mod confirm;
mod dumps;
mod link;
mod modify;
mod reads;
mod report;
mod snapshot;
mod socket;
mod streams;
mod submit;
mod transport;

#[cfg(test)]
pub(crate) mod tests;

use std::io;
use std::time::{Duration, Instant};

use netlink_sys::Socket;
use rustix::io::Errno;

use crate::engine::link::{Link, Patience};
#[cfg(feature = "packet")]
use crate::engine::socket::Endpoint;
use crate::error::{Context, Error, Result, kind_of_refusal};
use crate::model::Operation;
use crate::proto::{Answer, FamilyId, Refusal, read_lookup};
use crate::wire::{Reported, Request, decode};

pub(crate) use dumps::DumpRun;
pub use report::{Outcome, Report};
pub(crate) use socket::Endpoints;
pub(crate) use streams::{Entries, Submitted};
pub(crate) use submit::{not_attempted, portion};
#[cfg(feature = "smol")]
pub(crate) use transport::SmolSocket;
#[cfg(feature = "tokio")]
pub(crate) use transport::TokioSocket;
pub(crate) use transport::{BlockingSocket, Transport, ready};

const RESOLVE: Context = Context::new(Operation::ResolveFamily);

/// Every operation, over any transport.
#[derive(Debug)]
pub(crate) struct Engine<T> {
    pub(crate) family: FamilyId,
    pub(crate) commands: Link<T>,
    /// The socket for the destinations, where there is one of its own.
    pub(crate) dumps: Option<Link<T>>,
    /// Whether the destinations that were read last were so many that large datagrams
    /// are better.
    pub(crate) many_destinations: bool,
    /// Whether a small datagram had room for them and one more.
    pub(crate) few_destinations: bool,
    /// How many services the last list of all had, if all were ever read.
    pub(crate) listed_services: Option<usize>,
    pub(crate) deadline: Option<Duration>,
}

const CONNECT: Context = Context::new(Operation::Connect);

const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

impl<T: Transport> Engine<T> {
    /// An engine over sockets of its own.
    pub(crate) async fn over(endpoints: Endpoints) -> Result<Self> {
        let commands =
            Link::for_commands(transport(endpoints.commands.socket)?, endpoints.commands.port)
                .bounded(endpoints.commands.buffers);
        let dumps =
            Link::for_destinations(transport(endpoints.dumps.socket)?, endpoints.dumps.port);
        Self::open(commands, Some(dumps), Some(DEFAULT_DEADLINE)).await
    }

    /// An engine over sockets that somebody opened, and may have read with large
    /// buffers before.
    #[cfg(feature = "packet")]
    pub(crate) async fn adopt(commands: Socket, dumps: Option<Socket>) -> Result<Self> {
        let link = |socket| {
            let Endpoint { socket, port, buffers } = Endpoint::adopt(socket)?;
            Ok(Link::for_commands(transport(socket)?, port).bounded(buffers))
        };
        let (commands, dumps) = (link(commands)?, dumps.map(link).transpose()?);
        Self::open(commands, dumps, Some(DEFAULT_DEADLINE)).await
    }

    /// Looks IPVS up, for which the kernel loads the module.
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
            deadline,
        })
    }

    /// Whether the family has another id than before: the module was loaded anew.
    pub(crate) async fn family_moved(&mut self) -> Result<bool> {
        let family = resolve(&mut self.commands, self.deadline).await?;
        let moved = family != self.family;
        self.family = family;
        Ok(moved)
    }

    /// Whether the request has to be sent again because it went to a family that
    /// is no more; the kernel did not look at it then.
    pub(crate) async fn is_stale(&mut self, refusal: &Refusal) -> Result<bool> {
        Ok(refusal.errno == Errno::NOENT.raw_os_error() && self.family_moved().await?)
    }

    /// Reads the transport's clock: the only clock of operations that wait.
    pub(crate) fn now(&self) -> Instant {
        self.commands.now()
    }

    /// Waits for `time`.
    pub(crate) async fn sleep(&self, time: Duration) -> io::Result<()> {
        self.commands.sleep(time).await
    }

    /// Reads one thing.
    pub(crate) async fn read<R: Reported>(&mut self, request: Request<'_>) -> Result<R> {
        if let Request::Service(id) = request {
            let encodable = id.check_encodable();
            encodable.map_err(|invalid| Error::invalid(request.context(), invalid))?;
        }
        let refusal = match self.read_once(&request).await? {
            Ok(report) => return Ok(report),
            Err(refusal) => refusal,
        };
        // Futures of what is rare are boxed: every future has room for all that it may
        // wait for, and is moved about.
        let stale = Box::pin(self.is_stale(&refusal)).await;
        let again = match stale.map_err(|error| error.within(request.context()))? {
            true => Box::pin(self.read_once(&request)).await?,
            false => Err(refusal),
        };
        again.map_err(|refusal| refused(request.context(), &refusal))
    }

    async fn read_once<R: Reported>(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Result<R, Refusal>> {
        let link = &mut self.commands;
        if link.session.has_unread() {
            // A failure shows again in what follows.
            let _ = Box::pin(link.drain()).await;
        }
        let single = link.session.single(&mut link.outbox, self.family, request);
        link.send().map_err(|cause| Error::not_sent(request.context(), &cause))?;
        let mut patience = Patience::new(self.deadline);
        loop {
            let received = link.receive(&mut patience).await;
            received.map_err(|cause| Error::unanswered(request.context(), &cause))?;
            let malformed = |detail| Error::malformed(request.context(), detail);
            match single.read(link.datagram()).map_err(malformed)? {
                Some(Answer::Data { command, attributes }) => {
                    return decode(command, attributes, None).map(Ok).map_err(malformed);
                }
                Some(Answer::Refused(refusal)) => return Ok(Err(refusal)),
                None => {}
            }
        }
    }
}

fn transport<T: Transport>(socket: Socket) -> Result<T> {
    T::new(socket).map_err(|cause| Error::not_sent(CONNECT, &cause))
}

async fn resolve<T: Transport>(link: &mut Link<T>, deadline: Option<Duration>) -> Result<FamilyId> {
    let single = link.session.lookup(&mut link.outbox);
    link.send().map_err(|cause| Error::not_sent(RESOLVE, &cause))?;
    let mut patience = Patience::new(deadline);
    loop {
        let received = link.receive(&mut patience).await;
        received.map_err(|cause| Error::unanswered(RESOLVE, &cause))?;
        match single.read(link.datagram()) {
            Ok(Some(Answer::Data { command, attributes })) => {
                return read_lookup(command, attributes)
                    .map_err(|detail| Error::malformed(RESOLVE, detail));
            }
            Ok(Some(Answer::Refused(refusal))) => return Err(refused(RESOLVE, &refusal)),
            Ok(None) => {}
            Err(detail) => return Err(Error::malformed(RESOLVE, detail)),
        }
    }
}

/// The kernel's refusal of something that is not a change.
pub(crate) fn refused(context: Context, refusal: &Refusal) -> Error {
    let kind = kind_of_refusal(context.operation, None, refusal.errno);
    Error::refused(context, kind, refusal.errno, refusal.extack.as_deref().cloned())
}
