//! The readings that are one request each, by their names.

use crate::engine::{DumpRun, Engine, Transport};
use crate::error::Result;
use crate::model::{Info, Listing, ServiceEntry, ServiceId, SyncDaemon, Timeouts};
use crate::wire::Request;

impl<T: Transport> Engine<T> {
    /// Reads what the kernel says about its IPVS.
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

    /// Begins to read all services one after the other.
    pub(crate) async fn stream_services(&mut self) -> Result<DumpRun> {
        self.begin(Request::Services).await
    }

    /// Begins to read the destinations of a service one after the other.
    pub(crate) async fn stream_destinations(&mut self, service: ServiceId) -> Result<DumpRun> {
        self.begin(Request::Destinations(service)).await
    }
}
