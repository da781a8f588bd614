use std::io;
use std::time::Duration;

use rustix::io::Errno;

use crate::client::Transport;
use crate::client::link::{LARGE, Link, Patience, SMALL};
use crate::error::{Certainty, Context, Error, ErrorKind, Result, kind_of_refusal};
use crate::model::{
    AddressFamily, Change, Destination, DestinationEntry, DestinationId, InvalidValue, Object,
    Operation, Service, ServiceEntry, ServiceId,
};
use crate::proto::{Answer, Dump, FamilyId, Refusal, Step, read_lookup};
use crate::wire::{Report, Request};

const RESOLVE: Context = Context::new(Operation::ResolveFamily);

/// A destination dump of more datagrams than this is worth a larger buffer.
const MANY_DATAGRAMS: u32 = 3;

/// Every operation, over any transport.
#[derive(Debug)]
pub(crate) struct Engine<T> {
    pub(crate) family: FamilyId,
    pub(crate) commands: Link<T>,
    /// The socket for the destinations, where there is one of its own.
    dumps: Option<Link<T>>,
    pub(crate) deadline: Option<Duration>,
}

/// A dump that is being read.
#[derive(Debug)]
pub(crate) struct DumpRun {
    dump: Dump,
    request: Request<'static>,
    /// Whether the received datagram is one of this dump's.
    loaded: bool,
    datagrams: u32,
    delivered: bool,
    restarted: bool,
    ended: bool,
    /// Why the kernel ended it, until that is dealt with.
    refusal: Option<Refusal>,
}

impl<T: Transport> Engine<T> {
    /// Looks IPVS up, for which the kernel loads the module.
    pub(crate) async fn open(
        commands: Link<T>,
        dumps: Option<Link<T>>,
        deadline: Option<Duration>,
    ) -> Result<Self> {
        let mut commands = commands;
        let family = resolve(&mut commands, deadline).await?;
        Ok(Self { family, commands, dumps, deadline })
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
    async fn is_stale(&mut self, refusal: &Refusal) -> Result<bool> {
        Ok(refusal.errno == Errno::NOENT.raw_os_error() && self.family_moved().await?)
    }

    /// Reads one thing.
    pub(crate) async fn read<R: Report>(&mut self, request: Request<'_>) -> Result<R> {
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
        let again = match Box::pin(self.is_stale(&refusal)).await? {
            true => Box::pin(self.read_once(&request)).await?,
            false => Err(refusal),
        };
        again.map_err(|refusal| refused(request.context(), &refusal))
    }

    async fn read_once<R: Report>(&mut self, request: &Request<'_>) -> Result<Result<R, Refusal>> {
        let link = &mut self.commands;
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

    fn dump_link(&mut self, request: &Request<'_>) -> &mut Link<T> {
        match (request, &mut self.dumps) {
            (Request::Destinations(_), Some(dumps)) => dumps,
            _ => &mut self.commands,
        }
    }

    /// Begins to read many things.
    pub(crate) fn begin(&mut self, request: Request<'static>) -> Result<DumpRun> {
        if let Request::Destinations(id) = request {
            let encodable = id.check_encodable();
            encodable.map_err(|invalid| Error::invalid(request.context(), invalid))?;
        }
        let dump = self.send_dump(&request)?;
        Ok(DumpRun {
            dump,
            request,
            loaded: false,
            datagrams: 0,
            delivered: false,
            restarted: false,
            ended: false,
            refusal: None,
        })
    }

    fn send_dump(&mut self, request: &Request<'static>) -> Result<Dump> {
        let family = self.family;
        let link = self.dump_link(request);
        let not_sent = |cause: io::Error| Error::not_sent(request.context(), &cause);
        if link.session.has_open_dump() {
            link.drain().map_err(not_sent)?;
        }
        let dump = link.session.dump(&mut link.outbox, family, request);
        link.send().map_err(not_sent)?;
        Ok(dump)
    }

    /// Reads the next thing of a dump, `None` at its end.
    pub(crate) async fn next<R: Report>(&mut self, run: &mut DumpRun) -> Result<Option<R>> {
        while self.load(run).await? {
            if let Some(report) = self.step(run)? {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }

    /// Receives the next datagram of a dump, where the last one is read; false at
    /// the end of the dump.
    async fn load(&mut self, run: &mut DumpRun) -> Result<bool> {
        if let Some(refusal) = run.refusal.take() {
            // Rare: boxed, so that every future of a dump need not have room for it.
            Box::pin(self.restart(run, &refusal)).await?;
        }
        if run.ended || run.loaded {
            return Ok(!run.ended);
        }
        let mut patience = Patience::new(self.deadline);
        let received = self.dump_link(&run.request).receive(&mut patience).await;
        run.ended = received.is_err();
        run.loaded = true;
        run.datagrams += 1;
        received.map_err(|cause| Error::unanswered(run.request.context(), &cause))?;
        Ok(true)
    }

    /// Reads the next thing in the received datagram; `None` where there is none.
    #[inline]
    fn step<R: Report>(&mut self, run: &mut DumpRun) -> Result<Option<R>> {
        let service = match run.request {
            Request::Destinations(id) => Some(id.family()),
            _ => None,
        };
        let link = self.dump_link(&run.request);
        match run.dump.next(link.datagram()) {
            Ok(Step::Data { command, attributes }) => {
                run.delivered = true;
                match decode(command, attributes, service) {
                    Ok(report) => Ok(Some(report)),
                    Err(detail) => Err(Error::malformed(run.request.context(), detail)),
                }
            }
            Ok(Step::NeedsDatagram) => {
                run.loaded = false;
                Ok(None)
            }
            Ok(Step::End) => {
                run.ended = true;
                link.session.dump_ended();
                if run.datagrams > MANY_DATAGRAMS {
                    link.grow(LARGE);
                }
                Ok(None)
            }
            Ok(Step::Refused(refusal)) => {
                run.ended = true;
                run.refusal = Some(refusal);
                link.session.dump_ended();
                Ok(None)
            }
            Err(detail) => Err(Error::malformed(run.request.context(), detail)),
        }
    }

    /// Sends a refused dump again, once, where the reason can be mended: the family
    /// has moved, or somebody before us left a dump of theirs on the socket.
    async fn restart(&mut self, run: &mut DumpRun, refusal: &Refusal) -> Result<()> {
        let context = run.request.context();
        let busy = refusal.errno == Errno::BUSY.raw_os_error();
        let again = !run.delivered && !run.restarted && (busy || self.is_stale(refusal).await?);
        if !again {
            return Err(refused(context, refusal));
        }
        if busy {
            let drained = self.dump_link(&run.request).drain();
            drained.map_err(|cause| Error::not_sent(context, &cause))?;
        }
        run.dump = self.send_dump(&run.request)?;
        (run.loaded, run.restarted, run.ended) = (false, true, false);
        Ok(())
    }

    /// Reads all things of a dump.
    pub(crate) async fn collect<R: Report>(&mut self, request: Request<'static>) -> Result<Vec<R>> {
        Ok(self.collect_counted(request).await?.0)
    }

    /// Reads all things of a dump, and says how many datagrams they came in.
    pub(crate) async fn collect_counted<R: Report>(
        &mut self,
        request: Request<'static>,
    ) -> Result<(Vec<R>, u32)> {
        match self.collect_once(request).await {
            // The receive buffer has grown by now.
            Err(error) if error.is_cut_off() => Box::pin(self.collect_once(request)).await,
            result => result,
        }
    }

    async fn collect_once<R: Report>(
        &mut self,
        request: Request<'static>,
    ) -> Result<(Vec<R>, u32)> {
        let mut run = self.begin(request)?;
        let mut all = Vec::new();
        while self.load(&mut run).await? {
            if all.is_empty() {
                all.reserve_exact(self.dump_link(&request).datagram().len() / R::LENGTH);
            }
            while let Some(report) = self.step(&mut run)? {
                all.push(report);
            }
        }
        Ok((all, run.datagrams))
    }

    /// Reads the destinations of a service. The kernel answers nothing, without an
    /// error, also when there is no such service.
    pub(crate) async fn destinations(&mut self, id: ServiceId) -> Result<Vec<DestinationEntry>> {
        let request = Request::Destinations(id);
        let destinations = self.collect(request).await?;
        if destinations.is_empty() {
            let service = Box::pin(self.read::<ServiceEntry>(Request::Service(id))).await;
            service.map_err(|error| error.within(request.context()))?;
        }
        Ok(destinations)
    }

    /// Reads one destination, for which all of its service's have to be read.
    pub(crate) async fn destination(
        &mut self,
        service: ServiceId,
        id: DestinationId,
    ) -> Result<DestinationEntry> {
        let context = Context::about(Operation::ReadDestinations, Object::Destination(service, id));
        id.check_encodable().map_err(|invalid| Error::invalid(context, invalid))?;
        let all = self.destinations(service).await.map_err(|error| error.within(context))?;
        all.into_iter()
            .find(|entry| entry.destination.id == id)
            .ok_or_else(|| Error::known(context, ErrorKind::NoSuchDestination, Certainty::Refused))
    }

    /// Reads a service, lets `edit` change it and writes it back.
    pub(crate) async fn modify_service(
        &mut self,
        id: ServiceId,
        edit: impl FnOnce(&mut Service),
    ) -> Result<()> {
        let context = Context::about(Operation::UpdateService, Object::Service(id));
        let entry = self.read::<ServiceEntry>(Request::Service(id)).await;
        let mut service = entry.map_err(|error| error.unwritten(context))?.service;
        edit(&mut service);
        if service.id != id {
            return Err(Error::invalid(context, moved_identity(service.id)));
        }
        self.change(&Change::UpdateService(service)).await
    }

    /// Reads a destination, lets `edit` change it and writes it back.
    pub(crate) async fn modify_destination(
        &mut self,
        service: ServiceId,
        id: DestinationId,
        edit: impl FnOnce(&mut Destination),
    ) -> Result<()> {
        let context =
            Context::about(Operation::UpdateDestination, Object::Destination(service, id));
        let entry = self.destination(service, id).await;
        let mut destination = entry.map_err(|error| error.unwritten(context))?.destination;
        edit(&mut destination);
        if destination.id != id {
            return Err(Error::invalid(context, moved_identity(destination.id)));
        }
        self.change(&Change::UpdateDestination(service, destination)).await
    }
}

impl<T: Transport> Link<T> {
    /// A link for commands and for the dumps of services.
    pub(crate) fn for_commands(transport: T, port: u32) -> Self {
        Self::new(transport, port, LARGE)
    }

    /// A link for the dumps of destinations, whose socket has not been read yet.
    pub(crate) fn for_destinations(transport: T, port: u32) -> Self {
        Self::new(transport, port, SMALL)
    }
}

fn moved_identity(id: impl ToString) -> InvalidValue {
    InvalidValue::new("id", id.to_string(), "an update cannot change what names the object")
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

fn decode<R: Report>(
    command: u8,
    attributes: &[u8],
    service: Option<AddressFamily>,
) -> Result<R, &'static str> {
    if command == R::COMMAND {
        R::decode(attributes, service)
    } else {
        Err("an answer to another question")
    }
}

fn refused(context: Context, refusal: &Refusal) -> Error {
    let kind = kind_of_refusal(context.operation, None, refusal.errno);
    Error::refused(context, kind, refusal.errno, refusal.extack.as_deref().cloned())
}
