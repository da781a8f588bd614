//! Reading many things: a dump, one after the other or all.

use std::io;

use rustix::io::Errno;

use crate::engine::link::{Link, Patience, SMALL};
use crate::engine::refused;
use crate::engine::{Engine, Transport};
use crate::error::{Certainty, Context, Error, ErrorKind, Result};
use crate::model::{
    AddressFamily, DestinationEntry, DestinationId, Listing, Object, Operation, ServiceEntry,
    ServiceId,
};
use crate::proto::{Dump, Refusal, Step};
use crate::wire::{Reported, Request, decode};

/// Destinations that take more than this come faster in large datagrams.
const MANY: usize = 3 * SMALL;

/// So much longer than those before it one more entry may be, for what aligns its numbers.
const PADDING: usize = 16;

/// A dump that is being read.
#[derive(Debug)]
pub(crate) struct DumpRun {
    dump: Dump,
    request: Request<'static>,
    way: Way,
    /// Whether the received datagram is one of this dump's.
    loaded: bool,
    /// How long the datagrams were.
    length: usize,
    /// Whether something of this dump came in the received datagram.
    delivered: bool,
    /// Whether something of this dump came in an earlier datagram.
    begun: bool,
    restarted: bool,
    ended: bool,
    /// Why the kernel ended it, until that is dealt with.
    refusal: Option<Refusal>,
    /// For the next datagram of this dump; others do not prolong it.
    patience: Patience,
}

/// Over which socket a dump comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// That of commands, with large datagrams.
    Commands,
    /// That of destinations, if there is one, with small datagrams.
    Destinations,
}

impl Way {
    /// The way over which the kernel divides a list otherwise.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Commands => Self::Destinations,
            Self::Destinations => Self::Commands,
        }
    }
}

impl DumpRun {
    /// The family of the service whose destinations are read.
    const fn family_of_service(&self) -> Option<AddressFamily> {
        match self.request {
            Request::Destinations(id) => Some(id.family()),
            _ => None,
        }
    }

    /// Whether there is a received datagram to be read on.
    pub(crate) const fn is_loaded(&self) -> bool {
        self.loaded && !self.ended
    }
}

/// How long a datagram of so many entries would be with one more of them.
const fn with_one_more(length: usize, entries: usize) -> usize {
    if entries == 0 { 0 } else { length + length.div_ceil(entries) + PADDING }
}

impl<T: Transport> Engine<T> {
    /// The faster way: the next service likely has as many destinations as the last.
    pub(crate) const fn way_of(&self, request: &Request<'_>) -> Way {
        match request {
            Request::Destinations(_) if !self.many_destinations => Way::Destinations,
            _ => Way::Commands,
        }
    }

    /// The way on which a list of destinations likely need not be read again to be sure that
    /// nothing was left out: a list that fills a small datagram has to be.
    pub(crate) const fn way_of_whole(&self) -> Way {
        if self.few_destinations { Way::Destinations } else { Way::Commands }
    }

    fn dump_link(&mut self, way: Way) -> &mut Link<T> {
        match (way, &mut self.dumps) {
            (Way::Destinations, Some(dumps)) => dumps,
            _ => &mut self.commands,
        }
    }

    /// Begins to read many things.
    pub(crate) async fn begin(&mut self, request: Request<'static>) -> Result<DumpRun> {
        self.begin_over(self.way_of(&request), request).await
    }

    async fn begin_over(&mut self, way: Way, request: Request<'static>) -> Result<DumpRun> {
        if let Request::Destinations(id) = request {
            let encodable = id.check_encodable();
            encodable.map_err(|invalid| Error::invalid(request.context(), invalid))?;
        }
        let dump = self.send_dump(way, &request).await?;
        Ok(DumpRun {
            dump,
            request,
            way,
            loaded: false,
            length: 0,
            delivered: false,
            begun: false,
            restarted: false,
            ended: false,
            refusal: None,
            patience: Patience::new(self.deadline),
        })
    }

    async fn send_dump(&mut self, way: Way, request: &Request<'static>) -> Result<Dump> {
        let family = self.family;
        let link = self.dump_link(way);
        let not_sent = |cause: io::Error| Error::not_sent(request.context(), &cause);
        if link.session.has_unread() {
            Box::pin(link.drain()).await.map_err(not_sent)?;
        }
        let dump = link.session.dump(&mut link.outbox, family, request);
        link.send().map_err(not_sent)?;
        Ok(dump)
    }

    /// Reads the next thing of a dump, `None` at its end.
    #[cfg(test)]
    pub(crate) async fn next<R: Reported>(&mut self, run: &mut DumpRun) -> Result<Option<R>> {
        while self.load(run).await? {
            if let Some(report) = self.step(run)? {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }

    /// Receives the next datagram of a dump, where the last one is read; false at
    /// the end of the dump.
    pub(crate) async fn load(&mut self, run: &mut DumpRun) -> Result<bool> {
        if let Some(refusal) = run.refusal.take() {
            // Rare: boxed, so that every future of a dump need not have room for it.
            Box::pin(self.restart(run, &refusal)).await?;
        }
        if run.ended || run.loaded {
            return Ok(!run.ended);
        }
        if std::mem::take(&mut run.delivered) {
            run.begun = true;
            run.patience = Patience::new(self.deadline);
        }
        let link = self.dump_link(run.way);
        let received = link.receive(&mut run.patience).await;
        run.ended = received.is_err();
        run.loaded = true;
        run.length += link.datagram().len();
        received.map_err(|cause| Error::unanswered(run.request.context(), &cause))?;
        Ok(true)
    }

    /// Reads the next thing in the received datagram; `None` where there is none.
    #[inline]
    pub(crate) fn step<R: Reported>(&mut self, run: &mut DumpRun) -> Result<Option<R>> {
        let service = run.family_of_service();
        let link = self.dump_link(run.way);
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
                self.end(run, None);
                Ok(None)
            }
            Ok(Step::Refused(refusal)) => {
                self.end(run, Some(refusal));
                Ok(None)
            }
            Err(detail) => Err(Error::malformed(run.request.context(), detail)),
        }
    }

    /// Reads what is left in the received datagram.
    fn read_on<R: Reported>(&mut self, run: &mut DumpRun, all: &mut Vec<R>) -> Result<()> {
        let service = run.family_of_service();
        let before = all.len();
        let link = self.dump_link(run.way);
        let step = run.dump.read_on(link.datagram(), |command, attributes| {
            all.push(decode(command, attributes, service)?);
            Ok(())
        });
        run.delivered |= all.len() > before;
        match step {
            Ok(Step::Refused(refusal)) => self.end(run, Some(refusal)),
            Ok(Step::End) => self.end(run, None),
            Ok(_) => run.loaded = false,
            Err(detail) => return Err(Error::malformed(run.request.context(), detail)),
        }
        Ok(())
    }

    /// Notes that the kernel sends nothing more of a dump.
    fn end(&mut self, run: &mut DumpRun, refusal: Option<Refusal>) {
        run.ended = true;
        self.dump_link(run.way).session.all_read();
        if refusal.is_none() && matches!(run.request, Request::Destinations(_)) {
            self.many_destinations = run.length > MANY;
        }
        run.refusal = refusal;
    }

    /// Sends a refused dump again, once, where the reason can be mended: the family
    /// has moved, or somebody before us left a dump of theirs on the socket.
    async fn restart(&mut self, run: &mut DumpRun, refusal: &Refusal) -> Result<()> {
        let context = run.request.context();
        let busy = refusal.errno == Errno::BUSY.raw_os_error();
        let mut again = !run.delivered && !run.begun && !run.restarted;
        if again && !busy {
            again = self.is_stale(refusal).await.map_err(|error| error.within(context))?;
        }
        if !again {
            return Err(refused(context, refusal));
        }
        if busy {
            let drained = self.dump_link(run.way).drain().await;
            drained.map_err(|cause| Error::not_sent(context, &cause))?;
        }
        run.dump = self.send_dump(run.way, &run.request).await?;
        run.patience = Patience::new(self.deadline);
        (run.loaded, run.restarted, run.ended) = (false, true, false);
        Ok(())
    }

    /// Reads all things of a dump.
    pub(crate) async fn collect<R: Reported>(
        &mut self,
        request: Request<'static>,
    ) -> Result<Vec<R>> {
        Ok(self.collect_over(self.way_of(&request), request).await?.0)
    }

    /// Reads all things of a dump over a socket of choice, and says whether nothing can have
    /// been left out: the kernel continues a list by position, which others may change, but
    /// what has room in the first datagram it reports in one go.
    pub(crate) async fn collect_over<R: Reported>(
        &mut self,
        way: Way,
        request: Request<'static>,
    ) -> Result<(Vec<R>, bool)> {
        match self.collect_once(way, request).await {
            // The receive buffer has grown by now.
            Err(error) if error.is_cut_off() => Box::pin(self.collect_once(way, request)).await,
            result => result,
        }
    }

    async fn collect_once<R: Reported>(
        &mut self,
        way: Way,
        request: Request<'static>,
    ) -> Result<(Vec<R>, bool)> {
        let mut run = self.begin_over(way, request).await?;
        let filled = self.dump_link(way).filled();
        let is_of_destinations = matches!(run.request, Request::Destinations(_));
        let (mut all, mut whole, mut total) = (Vec::new(), true, 0);
        while self.load(&mut run).await? {
            if all.is_empty() {
                all.reserve_exact(self.dump_link(way).datagram().len() / R::LENGTH);
            }
            let before = all.len();
            self.read_on(&mut run, &mut all)?;
            if all.len() > before {
                total += self.dump_link(way).datagram().len();
                whole = before == 0 && with_one_more(total, all.len()) <= filled;
            }
        }
        if is_of_destinations {
            self.few_destinations = with_one_more(total, all.len()) <= SMALL;
        }
        if matches!(run.request, Request::Services) {
            self.listed_services = Some(all.len());
        }
        Ok((all, whole))
    }

    /// Reads all things of a dump, and says whether nothing can have been left out.
    pub(crate) async fn list<R: Reported>(
        &mut self,
        request: Request<'static>,
    ) -> Result<Listing<R>> {
        let (entries, whole) = self.collect_over(self.way_of(&request), request).await?;
        Ok(Listing::new(entries, whole))
    }

    /// Reads the destinations of a service.
    pub(crate) async fn destinations(
        &mut self,
        id: ServiceId,
    ) -> Result<Listing<DestinationEntry>> {
        let (entries, whole) = self.destinations_of(id).await?;
        Ok(Listing::new(entries, whole))
    }

    /// Reads the destinations of a service, and says whether nothing can have been left out.
    /// The kernel answers nothing, without an error, also when there is no such service.
    async fn destinations_of(&mut self, id: ServiceId) -> Result<(Vec<DestinationEntry>, bool)> {
        let request = Request::Destinations(id);
        let read = self.collect_over(self.way_of(&request), request).await?;
        if read.0.is_empty() {
            let service = Box::pin(self.read::<ServiceEntry>(Request::Service(id))).await;
            service.map_err(|error| error.within(request.context()))?;
        }
        Ok(read)
    }

    /// Reads one destination, for which all of its service's have to be read. Where it is
    /// not among them but may have been left out, they are read until nothing can have been.
    pub(crate) async fn destination(
        &mut self,
        service: ServiceId,
        id: DestinationId,
    ) -> Result<DestinationEntry> {
        let context = Context::about(Operation::ReadDestinations, Object::Destination(service, id));
        id.check_encodable().map_err(|invalid| Error::invalid(context, invalid))?;
        let read = self.destinations_of(service).await;
        let (all, whole) = read.map_err(|error| error.within(context))?;
        let is_it = |entry: &DestinationEntry| entry.destination.id == id;
        let mut found = all.into_iter().find(is_it);
        if found.is_none() && !whole {
            let settled = Box::pin(self.settled_destinations(service, Some(id), &mut true)).await;
            found = settled.map_err(|error| error.within(context))?.into_iter().find(is_it);
        }
        found.ok_or_else(|| Error::known(context, ErrorKind::NoSuchDestination, Certainty::Refused))
    }
}
