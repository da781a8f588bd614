//! Reads that take one request each.

use crate::engine::patience::Patience;
use crate::engine::{DumpRun, Engine, Transport, refused};
use crate::error::{Error, Result};
use crate::model::{Info, Listing, ServiceEntry, ServiceId, SyncDaemon, Timeouts};
use crate::proto::{Answer, Refusal};
use crate::wire::{Reported, Request, decode};

impl<T: Transport> Engine<T> {
    /// Reads the version and the size of the kernel's IPVS.
    pub(crate) async fn info(&mut self) -> Result<Info> {
        self.read(Request::Info).await
    }

    /// Reads the timeouts of the network namespace.
    pub(crate) async fn timeouts(&mut self) -> Result<Timeouts> {
        self.read(Request::Timeouts).await
    }

    /// Reads one service.
    pub(crate) async fn service(&mut self, id: ServiceId) -> Result<ServiceEntry> {
        self.read(Request::Service(id)).await
    }

    /// Reads all services.
    pub(crate) async fn services(&mut self) -> Result<Listing<ServiceEntry>> {
        self.list(Request::Services).await
    }

    /// Reads the synchronization daemons.
    pub(crate) async fn daemons(&mut self) -> Result<Listing<SyncDaemon>> {
        self.list(Request::Daemons).await
    }

    /// Starts a stream of all services.
    pub(crate) async fn stream_services(&mut self) -> Result<DumpRun> {
        self.begin(Request::Services).await
    }

    /// Starts a stream of the destinations of a service.
    pub(crate) async fn stream_destinations(&mut self, service: ServiceId) -> Result<DumpRun> {
        self.begin(Request::Destinations(service)).await
    }

    /// Reads one thing that the kernel answers with one message.
    pub(crate) async fn read<R: Reported>(&mut self, request: Request<'_>) -> Result<R> {
        if let Request::Service(id) = request {
            let encodable = id.check_encodable();
            encodable.map_err(|invalid| Error::invalid(request.context(), invalid))?;
        }
        let refusal = match self.read_once(&request).await? {
            Ok(report) => return Ok(report),
            Err(refusal) => refusal,
        };
        // Futures of rare steps are boxed. Otherwise every future would have room for them and
        // be expensive to move.
        let stale = Box::pin(self.is_stale(&refusal)).await;
        if !stale.map_err(|error| error.within(request.context()))? {
            return Err(refused(request.context(), &refusal));
        }
        match Box::pin(self.read_once(&request)).await? {
            Ok(report) => Ok(report),
            Err(refusal) => Err(Box::pin(self.refused_again(request.context(), &refusal)).await),
        }
    }

    /// Reads once, and tells the observer.
    async fn read_once<R: Reported>(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Result<R, Refusal>> {
        if !self.observer.is_set() {
            return self.read_unobserved(request).await;
        }
        let begun = self.commands.begun();
        let read = Box::pin(self.read_unobserved(request)).await;
        let taken = self.commands.taken_since(begun);
        let result = match &read {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(refusal)) => Err(&refused(request.context(), refusal)),
            Err(error) => Err(error),
        };
        self.observer.tell(request.context(), taken, result);
        read
    }

    async fn read_unobserved<R: Reported>(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Result<R, Refusal>> {
        let link = &mut self.commands;
        if link.session.has_unread() {
            // A failure comes again in the next call.
            let _ = Box::pin(link.discard_unread()).await;
        }
        let single = link.session.single(&mut link.outbox, self.family, request);
        link.send().map_err(|failure| Error::not_sent(request.context(), failure))?;
        let mut patience = Patience::new(self.deadline);
        loop {
            let received = link.receive(&mut patience).await;
            received.map_err(|failure| Error::unanswered(request.context(), failure))?;
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
