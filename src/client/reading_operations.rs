/// Defines the operations of a client that read, with documentation, once for all clients. `$async` is
/// `async` or nothing. `$wait` turns a future of the engine into the value that the method
/// returns.
macro_rules! reading_operations {
    ($client:ty, { $($async:tt)? }, $wait:ident) => {
        /// Reading.
        impl $client {
            /// Finds out whether commands are allowed, with one cheap request.
            ///
            /// Connecting needs no privilege. Every command does, also those that only read.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) means that the process has no
            /// `CAP_NET_ADMIN` in the initial user namespace.
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn check(&mut self) -> $crate::error::Result<()> {
                $wait!(self.engine.info()).map(drop)
            }

            /// Reads the version of the kernel's IPVS and the size of its connection table.
            #[doc = include_str!("errors_of_reads.md")]
            #[doc(alias = "IPVS_CMD_GET_INFO")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn info(&mut self) -> $crate::error::Result<$crate::model::Info> {
                $wait!(self.engine.info())
            }

            /// Reads all services of the network namespace, with their counters.
            ///
            /// The kernel sends a long list in pieces. If other programs write meanwhile, a service may
            /// be missing or come twice, unless the listing is
            /// [complete](crate::Listing::is_complete). [`snapshot`](Self::snapshot) reads again until
            /// two readings agree.
            #[doc = include_str!("errors_of_reads.md")]
            #[doc(alias = "IPVS_CMD_GET_SERVICE")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn services(&mut self) -> $crate::error::Result<$crate::model::Listing<$crate::model::ServiceEntry>> {
                $wait!(self.engine.services())
            }

            /// Reads the whole table: all services and destinations, with their counters.
            ///
            /// The kernel continues a long list by position and does not report changes in between. So
            /// the client reads the services again at the end, and reads what changed until two
            /// readings agree on the entries and their order. The same goes for the destinations of a
            /// service if one datagram may not have held all of them. The client gives up after 8
            /// readings.
            ///
            /// No object is in a snapshot twice. The objects are not read at a single moment. If
            /// [`is_complete`](crate::Snapshot::is_complete) returns `false`, other programs kept
            /// writing, and objects may be missing.
            ///
            /// Even in a complete snapshot an object may be missing, with small probability:
            ///
            /// - During both readings another program deleted objects that come before it in the list,
            ///   and added them again. The second reading splits the list differently to make that
            ///   unlikely, but not if there are more than 4,000 services, nor if the client was created
            ///   from open sockets. Up to Linux 7.0 the services of other network namespaces count,
            ///   too.
            /// - The kernel was so short of memory that it made smaller datagrams than usual.
            ///
            #[doc = example!({ $($async)? } r#"
let snapshot = ipvs.snapshot()"# await r#"?;
for service in &snapshot {
    println!("{}: {} destinations", service.id(), service.destinations.len());
}"#)]
            #[doc = include_str!("errors_of_reads.md")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn snapshot(&mut self) -> $crate::error::Result<$crate::model::Snapshot> {
                $wait!(self.engine.snapshot())
            }

            /// Reads the services with these ids and their destinations, with their counters.
            ///
            /// The snapshot contains nothing else. An id without a service is not in the snapshot. For
            /// a few services of many this costs a small part of [`snapshot`](Self::snapshot), for most
            /// of the services about as much.
            ///
            /// Each service is as complete as in a [`snapshot`](Self::snapshot): the client reads the
            /// destinations again until none can be missing, up to 8 times. If other programs kept
            /// writing for that long, [`is_complete`](crate::Snapshot::is_complete) returns `false`.
            /// The client reads one service after the other, not all at a single moment.
            ///
            /// A plan takes every service that is not in its snapshot for absent. So plan only changes
            /// of the services that you asked for.
            ///
            #[doc = example!({ $($async)? } r#"
let web = "TCP 192.0.2.10:80".parse()?;
let snapshot = ipvs.snapshot_of(&[web])"# await r#"?;
match snapshot.service(web) {
    Some(service) => println!("{} destinations", service.destinations.len()),
    None => println!("{web} does not exist"),
}"#)]
            #[doc = include_str!("errors_of_reads.md")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn snapshot_of(&mut self, services: &[$crate::model::ServiceId]) -> $crate::error::Result<$crate::model::Snapshot> {
                $wait!(self.engine.snapshot_of(services))
            }

            /// Reads one service, with its counters.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            #[doc(alias = "IPVS_CMD_GET_SERVICE")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn service(&mut self, id: $crate::model::ServiceId) -> $crate::error::Result<$crate::model::ServiceEntry> {
                $wait!(self.engine.service(id))
            }

            /// Reads the destinations of a service, with their connections and counters. The newest
            /// destination comes first.
            ///
            /// The kernel sends a long list in pieces. If other programs write meanwhile, a destination
            /// may be missing or come twice, unless the listing is
            /// [complete](crate::Listing::is_complete). If another program deletes the service
            /// meanwhile, the list ends early.
            ///
            /// The kernel returns an empty list for a service that does not exist, too. So the client
            /// reads the service if the list is empty.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            #[doc(alias = "IPVS_CMD_GET_DEST")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn destinations(
                &mut self,
                service: $crate::model::ServiceId,
            ) -> $crate::error::Result<$crate::model::Listing<$crate::model::DestinationEntry>> {
                $wait!(self.engine.destinations(service))
            }

            /// Reads one destination.
            ///
            /// The kernel cannot report a single destination. So the client reads all destinations of
            /// the service. If the destination is not among them, the client reads again until none can
            /// be missing, up to 8 times.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// - [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            /// - [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination): the
            ///   service has no such destination.
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn destination(
                &mut self,
                service: $crate::model::ServiceId,
                destination: $crate::model::DestinationId,
            ) -> $crate::error::Result<$crate::model::DestinationEntry> {
                $wait!(self.engine.destination(service, destination))
            }

            /// Reads the timeouts of the network namespace.
            #[doc = include_str!("errors_of_reads.md")]
            #[doc(alias = "IPVS_CMD_GET_CONFIG")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn timeouts(&mut self) -> $crate::error::Result<$crate::model::Timeouts> {
                $wait!(self.engine.timeouts())
            }

            /// Reads the synchronization daemons that run: none, one, or the master and then the
            /// backup.
            #[doc = include_str!("errors_of_reads.md")]
            #[doc(alias = "IPVS_CMD_GET_DAEMON")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn daemons(&mut self) -> $crate::error::Result<$crate::model::Listing<$crate::model::SyncDaemon>> {
                $wait!(self.engine.daemons())
            }
        }
    };
}
pub(crate) use reading_operations;
