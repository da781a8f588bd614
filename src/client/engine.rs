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
        let context = request.context();
        if let Request::Service(id) = request {
            id.check_encodable().map_err(|invalid| Error::invalid(context, invalid))?;
        }
        match self.read_once(&request).await? {
            Ok(report) => Ok(report),
            Err(refusal) if self.is_stale(&refusal).await? => {
                let again = self.read_once(&request).await?;
                again.map_err(|refusal| refused(context, &refusal))
            }
            Err(refusal) => Err(refused(context, &refusal)),
        }
    }

    async fn read_once<R: Report>(&mut self, request: &Request<'_>) -> Result<Result<R, Refusal>> {
        let context = request.context();
        let link = &mut self.commands;
        let single = link.session.single(&mut link.outbox, self.family, request);
        link.send(context)?;
        let mut patience = Patience::new(self.deadline);
        loop {
            link.receive(&mut patience, context).await?;
            match single.read(link.datagram()) {
                Ok(Some(Answer::Data { command, attributes })) => {
                    let report = decode(command, attributes, None);
                    return report.map(Ok).map_err(|detail| Error::malformed(context, detail));
                }
                Ok(Some(Answer::Refused(refusal))) => return Ok(Err(refusal)),
                Ok(None) => {}
                Err(detail) => return Err(Error::malformed(context, detail)),
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
        let context = request.context();
        if let Request::Destinations(id) = request {
            id.check_encodable().map_err(|invalid| Error::invalid(context, invalid))?;
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
        })
    }

    fn send_dump(&mut self, request: &Request<'static>) -> Result<Dump> {
        let (family, context) = (self.family, request.context());
        let link = self.dump_link(request);
        if link.session.has_open_dump() {
            link.drain(context)?;
        }
        let dump = link.session.dump(&mut link.outbox, family, request);
        link.send(context)?;
        Ok(dump)
    }

    /// Reads the next thing of a dump, `None` at its end.
    pub(crate) async fn next<R: Report>(&mut self, run: &mut DumpRun) -> Result<Option<R>> {
        let (context, deadline) = (run.request.context(), self.deadline);
        let service = match run.request {
            Request::Destinations(id) => Some(id.family()),
            _ => None,
        };
        while !run.ended {
            let link = self.dump_link(&run.request);
            if !run.loaded {
                let received = link.receive(&mut Patience::new(deadline), context).await;
                if let Err(error) = received {
                    run.ended = true;
                    return Err(error);
                }
                run.loaded = true;
                run.datagrams += 1;
            }
            match run.dump.next(link.datagram()) {
                Ok(Step::Data { command, attributes }) => {
                    run.delivered = true;
                    let report = decode(command, attributes, service);
                    return report.map(Some).map_err(|detail| Error::malformed(context, detail));
                }
                Ok(Step::NeedsDatagram) => run.loaded = false,
                Ok(Step::End) => {
                    run.ended = true;
                    link.session.dump_ended();
                    if run.datagrams > MANY_DATAGRAMS {
                        link.grow(LARGE);
                    }
                }
                Ok(Step::Refused(refusal)) => {
                    run.ended = true;
                    link.session.dump_ended();
                    self.restart(run, &refusal).await?;
                }
                Err(detail) => return Err(Error::malformed(context, detail)),
            }
        }
        Ok(None)
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
            self.dump_link(&run.request).drain(context)?;
        }
        run.dump = self.send_dump(&run.request)?;
        (run.loaded, run.restarted, run.ended) = (false, true, false);
        Ok(())
    }

    /// Reads all things of a dump.
    pub(crate) async fn collect<R: Report>(&mut self, request: Request<'static>) -> Result<Vec<R>> {
        match self.collect_once(request).await {
            // The receive buffer has grown by now.
            Err(error) if error.is_cut_off() => self.collect_once(request).await,
            result => result,
        }
    }

    async fn collect_once<R: Report>(&mut self, request: Request<'static>) -> Result<Vec<R>> {
        let mut run = self.begin(request)?;
        let mut all = Vec::new();
        while let Some(report) = self.next(&mut run).await? {
            all.push(report);
        }
        Ok(all)
    }

    /// Reads the destinations of a service. The kernel answers nothing, without an
    /// error, also when there is no such service.
    pub(crate) async fn destinations(&mut self, id: ServiceId) -> Result<Vec<DestinationEntry>> {
        let request = Request::Destinations(id);
        let destinations = self.collect(request).await?;
        if destinations.is_empty() {
            let service = self.read::<ServiceEntry>(Request::Service(id)).await;
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
    link.send(RESOLVE)?;
    let mut patience = Patience::new(deadline);
    loop {
        link.receive(&mut patience, RESOLVE).await?;
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
    Error::refused(context, kind, refusal.errno, refusal.extack.clone())
}
