//! Running a dump: sending the request, receiving its datagrams, and reading their entries.

use rustix::io::Errno;

use crate::engine::link::Link;
use crate::engine::observer::Begun;
use crate::engine::patience::Patience;
use crate::engine::{Engine, Transport, refused};
use crate::error::{Error, Failure, Result};
use crate::model::AddressFamily;
use crate::proto::{Dump, Refusal, Step};
use crate::wire::{Malformed, Reported, Request, decode};

/// A dump of destinations that is longer than this is read faster in large datagrams.
const MANY: usize = 3 * crate::engine::link::SMALL;

/// A dump that is being read.
#[derive(Debug)]
pub(crate) struct DumpRun {
    dump: Dump,
    pub(super) request: Request<'static>,
    way: Way,
    state: State,
    /// Whether a refused dump may be sent again: once, and only if no entry has come.
    may_restart: bool,
    /// The length of all datagrams of this dump.
    length: usize,
    /// The number of entries that were read.
    entries: usize,
    /// When the dump began, if an observer wants to know of its end.
    begun: Option<Begun>,
    /// The deadline for the next datagram of this dump. Other datagrams do not extend it.
    patience: Patience,
}

/// Where a dump stands.
#[derive(Debug)]
enum State {
    /// The next datagram must be received.
    Waiting,
    /// The datagram that was received last is being read.
    Reading {
        /// Whether it had an entry of this dump.
        delivered: bool,
    },
    /// The kernel refused the dump, and that has not been handled.
    Refused(Refusal),
    /// The kernel sends no more of it.
    Ended,
}

/// The socket for a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The command socket, with large datagrams.
    Commands,
    /// The socket for destinations, if the engine has one, with small datagrams.
    Destinations,
}

impl Way {
    /// Returns the other socket, on which the kernel splits the same list differently.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Commands => Self::Destinations,
            Self::Destinations => Self::Commands,
        }
    }
}

impl DumpRun {
    /// Returns the family of the service whose destinations are read.
    const fn family_of_service(&self) -> Option<AddressFamily> {
        match self.request {
            Request::Destinations(id) => Some(id.family()),
            _ => None,
        }
    }

    /// Returns `true` if [`Engine::step`] can read on in the received datagram.
    pub(crate) const fn is_loaded(&self) -> bool {
        matches!(self.state, State::Reading { .. })
    }

    /// Notes that entries came.
    fn note_delivered(&mut self, entries: usize) {
        self.entries += entries;
        self.state = State::Reading { delivered: true };
        self.may_restart = false;
    }
}

impl<T: Transport> Engine<T> {
    /// Chooses the socket for `request`. If the last service had many destinations, the next
    /// one probably has many, too.
    pub(crate) const fn way_of(&self, request: &Request<'_>) -> Way {
        match request {
            Request::Destinations(_) if !self.many_destinations => Way::Destinations,
            _ => Way::Commands,
        }
    }

    pub(super) fn dump_link(&mut self, way: Way) -> &mut Link<T> {
        match (way, &mut self.dumps) {
            (Way::Destinations, Some(dumps)) => dumps,
            _ => &mut self.commands,
        }
    }

    /// Starts a dump on the socket that fits it.
    pub(crate) async fn begin(&mut self, request: Request<'static>) -> Result<DumpRun> {
        self.begin_over(self.way_of(&request), request).await
    }

    /// Starts a dump on a given socket.
    pub(super) async fn begin_over(
        &mut self,
        way: Way,
        request: Request<'static>,
    ) -> Result<DumpRun> {
        if let Request::Destinations(id) = request {
            let encodable = id.check_encodable();
            encodable.map_err(|invalid| Error::invalid(request.context(), invalid))?;
        }
        let begun = self.begun_over(way);
        let sent = self.send_dump(way, &request).await;
        let dump =
            sent.inspect_err(|error| self.tell_dump(way, &request, begun, None, Err(error)))?;
        Ok(DumpRun {
            dump,
            request,
            way,
            state: State::Waiting,
            may_restart: true,
            length: 0,
            entries: 0,
            begun,
            patience: Patience::new(self.deadline),
        })
    }

    async fn send_dump(&mut self, way: Way, request: &Request<'static>) -> Result<Dump> {
        let family = self.family;
        let link = self.dump_link(way);
        let not_sent = |failure: Failure| Error::not_sent(request.context(), failure);
        if link.session.has_unread() {
            Box::pin(link.discard_unread()).await.map_err(not_sent)?;
        }
        let dump = link.session.dump(&mut link.outbox, family, request);
        link.send().map_err(not_sent)?;
        Ok(dump)
    }

    /// Reads the next entry of a dump, `None` at its end.
    #[cfg(test)]
    pub(crate) async fn next<R: Reported>(&mut self, run: &mut DumpRun) -> Result<Option<R>> {
        while self.load(run).await? {
            if let Some(report) = self.step(run)? {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }

    /// Receives the next datagram if the last one has been read. Returns `false` at the end of
    /// the dump.
    pub(crate) async fn load(&mut self, run: &mut DumpRun) -> Result<bool> {
        match std::mem::replace(&mut run.state, State::Ended) {
            // Rare, so boxed: otherwise the future of every dump would have room for it.
            State::Refused(refusal) => Box::pin(self.restart(run, &refusal)).await?,
            State::Ended => return Ok(false),
            state @ State::Reading { .. } => {
                run.state = state;
                return Ok(true);
            }
            State::Waiting => run.state = State::Waiting,
        }
        let link = self.dump_link(run.way);
        let received = link.receive(&mut run.patience).await;
        run.length += link.datagram().len();
        run.state = match received {
            Ok(()) => State::Reading { delivered: false },
            Err(_) => State::Ended,
        };
        match received {
            Ok(()) => Ok(true),
            Err(failure) => {
                Err(self.failed(run, Error::unanswered(run.request.context(), failure)))
            }
        }
    }

    /// Reads the next entry of the received datagram. Returns `None` if it has no more.
    #[inline]
    pub(crate) fn step<R: Reported>(&mut self, run: &mut DumpRun) -> Result<Option<R>> {
        let service = run.family_of_service();
        let link = self.dump_link(run.way);
        let step = run.dump.next(link.datagram());
        match step {
            Ok(Step::Data { command, attributes }) => {
                run.note_delivered(1);
                match decode(command, attributes, service) {
                    Ok(report) => return Ok(Some(report)),
                    Err(detail) => return Err(self.malformed(run, detail)),
                }
            }
            Ok(Step::NeedsDatagram) => self.datagram_is_read(run),
            Ok(Step::End) => self.end(run),
            Ok(Step::Refused(refusal)) => self.end_refused(run, refusal),
            // The end of the dump may be in what cannot be read. What still comes of it is unread.
            Err(detail) => {
                run.state = State::Ended;
                return Err(self.malformed(run, detail));
            }
        }
        Ok(None)
    }

    /// Appends the entries that are left in the received datagram to `all`.
    pub(super) fn read_on<R: Reported>(
        &mut self,
        run: &mut DumpRun,
        all: &mut Vec<R>,
    ) -> Result<()> {
        let service = run.family_of_service();
        let before = all.len();
        let link = self.dump_link(run.way);
        let step = run.dump.read_on(link.datagram(), |command, attributes| {
            all.push(decode(command, attributes, service)?);
            Ok(())
        });
        if all.len() > before {
            run.note_delivered(all.len() - before);
        }
        match step {
            Ok(Step::Refused(refusal)) => self.end_refused(run, refusal),
            Ok(Step::End) => self.end(run),
            Ok(_) => self.datagram_is_read(run),
            Err(detail) => return Err(self.malformed(run, detail)),
        }
        Ok(())
    }

    /// Notes that the next datagram must be received. A datagram with an entry renews the
    /// deadline.
    fn datagram_is_read(&self, run: &mut DumpRun) {
        if matches!(run.state, State::Reading { delivered: true }) {
            run.patience = Patience::new(self.deadline);
        }
        run.state = State::Waiting;
    }

    /// Notes that the kernel has sent all of a dump.
    fn end(&mut self, run: &mut DumpRun) {
        run.state = State::Ended;
        self.dump_link(run.way).session.all_read();
        if matches!(run.request, Request::Destinations(_)) {
            self.many_destinations = run.length > MANY;
        }
        self.tell_end(run, Ok(()));
    }

    /// Notes that the kernel refused a dump. The next [`load`](Self::load) handles that.
    fn end_refused(&mut self, run: &mut DumpRun, refusal: Refusal) {
        if run.begun.is_some() {
            self.tell_end(run, Err(&refused(run.request.context(), &refusal)));
        }
        run.state = State::Refused(refusal);
        self.dump_link(run.way).session.all_read();
    }

    /// Sends a refused dump again, once, if that helps: the id of the family has changed, or
    /// another dump is open on a socket that the caller provided.
    async fn restart(&mut self, run: &mut DumpRun, refusal: &Refusal) -> Result<()> {
        let context = run.request.context();
        let busy = refusal.errno == Errno::BUSY.raw_os_error();
        if !run.may_restart {
            return Err(self.refused_again(context, refusal).await);
        }
        if !busy && !self.is_stale(refusal).await.map_err(|error| error.within(context))? {
            return Err(refused(context, refusal));
        }
        if busy {
            let discarded = self.dump_link(run.way).discard_unread().await;
            discarded.map_err(|failure| Error::not_sent(context, failure))?;
        }
        run.begun = self.begun_over(run.way);
        let sent = self.send_dump(run.way, &run.request).await;
        run.dump = sent.inspect_err(|error| self.tell_end(run, Err(error)))?;
        run.patience = Patience::new(self.deadline);
        (run.state, run.may_restart) = (State::Waiting, false);
        Ok(())
    }

    /// Returns the error for an answer that cannot be read.
    #[cold]
    fn malformed(&mut self, run: &mut DumpRun, detail: Malformed) -> Error {
        self.failed(run, Error::malformed(run.request.context(), detail))
    }

    /// Notes that a dump has failed.
    #[cold]
    fn failed(&mut self, run: &mut DumpRun, error: Error) -> Error {
        self.tell_end(run, Err(&error));
        error
    }

    fn begun_over(&mut self, way: Way) -> Option<Begun> {
        self.observer.is_set().then(|| self.dump_link(way).begun())
    }

    /// Tells the observer, if there is one, that a dump has ended. Tells it once.
    #[inline]
    fn tell_end(&mut self, run: &mut DumpRun, result: Result<(), &Error>) {
        if run.begun.is_some() {
            let begun = run.begun.take();
            self.tell_dump(run.way, &run.request, begun, Some(run.entries), result);
        }
    }

    #[cold]
    fn tell_dump(
        &mut self,
        way: Way,
        request: &Request<'_>,
        begun: Option<Begun>,
        entries: Option<usize>,
        result: Result<(), &Error>,
    ) {
        let Some(begun) = begun else { return };
        let mut taken = self.dump_link(way).taken_since(begun);
        taken.entries = entries;
        self.observer.tell(request.context(), taken, result);
    }
}
