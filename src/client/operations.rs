/// The operations of a client, with their documentation, written once for all of
/// them. `$async` is `async` or nothing, `$wait` turns an engine's future into what
/// the method returns.
macro_rules! operations {
    ($client:ty, { $($async:tt)? }, $wait:ident) => {
        /// Reading.
        impl $client {
            /// Checks, by one cheap request, whether the kernel allows commands.
            ///
            /// Connecting needs no privilege; every command does, reading too.
            ///
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// `PermissionDenied` without `CAP_NET_ADMIN` in the initial user namespace.
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
            /// The kernel sends a long list in several parts. If other programs write meanwhile, a
            /// service may be missing or occur twice, unless the listing
            /// [is complete](crate::Listing::is_complete). [`snapshot`](Self::snapshot)
            /// reads until two readings agree.
            #[doc = include_str!("errors_of_reads.md")]
            #[doc(alias = "IPVS_CMD_GET_SERVICE")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn services(&mut self) -> $crate::error::Result<$crate::model::Listing<$crate::model::ServiceEntry>> {
                $wait!(self.engine.services())
            }

            /// Reads the whole table, with all counters.
            ///
            /// The kernel continues a list by position and does not report changes, so a single
            /// reading during writes of other programs may lack objects. A snapshot reads the list
            /// of services again at the end, and lists that did not fit into one datagram, until two
            /// readings agree on the objects and their order. It gives up after 8 readings.
            ///
            /// No object occurs twice. The objects are not read at a single moment.
            /// Where [`is_complete`](crate::Snapshot::is_complete) is true, two readings
            /// agreed; where it is false, others kept writing during all readings, and
            /// objects may be missing.
            ///
            /// Two readings that agree may still lack the same object, if during both others
            /// deleted objects that are listed before it, and added them again. That is
            /// unlikely, since the second reading divides a list otherwise than the first;
            /// but not with more than 4,000 services, nor with a client that was made of
            /// opened sockets. Up to Linux 7.0 services of other network namespaces count,
            /// too. And while the kernel is so short of memory that it makes smaller
            /// datagrams than usual, one destination may be missed.
            #[doc = include_str!("errors_of_reads.md")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn snapshot(&mut self) -> $crate::error::Result<$crate::model::Snapshot> {
                $wait!(self.engine.snapshot())
            }

            /// Reads the services with these ids and their destinations, with all counters.
            ///
            /// The snapshot holds nothing else: an id that no service has is not in it, and
            /// neither is a service whose id is not among `services`. For a few services of many
            /// this costs a small part of [`snapshot`](Self::snapshot); for most of them about
            /// as much.
            ///
            /// Every service in it is as complete as in a [`snapshot`](Self::snapshot): the
            /// destinations of a service are read until nothing can have been left out, or 8
            /// times. Where others kept writing for that long,
            /// [`is_complete`](crate::Snapshot::is_complete) is false. The services are read
            /// one after the other, not at a single moment.
            ///
            /// Plan from such a snapshot only changes of the services that you asked for: a
            /// plan takes every other service for absent.
            ///
            #[doc = example!($($async)? snapshot_of)]
            #[doc = include_str!("errors_of_reads.md")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn snapshot_of(&mut self, services: &[$crate::model::ServiceId]) -> $crate::error::Result<$crate::model::Snapshot> {
                $wait!(self.engine.snapshot_of(services))
            }

            /// Reads one service, with its counters.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) when
            /// it does not exist.
            #[doc(alias = "IPVS_CMD_GET_SERVICE")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn service(&mut self, id: $crate::model::ServiceId) -> $crate::error::Result<$crate::model::ServiceEntry> {
                $wait!(self.engine.service(id))
            }

            /// Reads the destinations of a service, with their connections and counters. The newest
            /// destination is the first.
            ///
            /// If other programs write meanwhile, a destination may be missing or occur twice, unless
            /// the listing [is complete](crate::Listing::is_complete). If the service is deleted
            /// meanwhile, the list ends early.
            ///
            /// The kernel reports no destinations, without an error, for a service that does not
            /// exist. If the list is empty, this method therefore checks that the service exists.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) when
            /// the service does not exist.
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
            /// The kernel has no command for it, so this reads all destinations of the service. If
            /// the destination is not among them, it reads again until none can have been left out, 8
            /// times at most.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) and
            /// [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination).
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

            /// Reads the running synchronization daemons: none, one, or the master
            /// and then the backup.
            #[doc = include_str!("errors_of_reads.md")]
            #[doc(alias = "IPVS_CMD_GET_DAEMON")]
            $(#[doc = cancel_safety!($async reads)])?
            pub $($async)? fn daemons(&mut self) -> $crate::error::Result<$crate::model::Listing<$crate::model::SyncDaemon>> {
                $wait!(self.engine.daemons())
            }
        }

        /// Writing.
        ///
        /// Every method checks what it is given against the kernel's rules and
        /// sends nothing if one is broken. The kernel executes the request before
        /// the method goes on.
        impl $client {
            /// Does one change, as the method of that name does, such as
            /// [`add_service`](Self::add_service).
            #[doc = include_str!("errors_of_writes.md")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn apply_change(&mut self, change: &$crate::model::Change) -> $crate::error::Result<()> {
                $wait!(self.engine.change(change))
            }

            /// Does many changes, in their order, at the cost of a few system calls.
            ///
            /// All are validated first; if one is invalid nothing is sent. Then they
            /// go to the kernel 64 at a time (fewer where the socket's buffers are
            /// small, one more where a new service would be parted from its first
            /// destination), of which only the last is acknowledged: the kernel reports
            /// each one that it refuses and executes the others all the same. There is no
            /// rollback.
            ///
            /// The report has one outcome for each change, in order, whatever
            /// happens. After lost answers (a receive overflow, a deadline), a send that
            /// failed, or where the module is gone, nothing more is sent. After an overflow
            /// the table is read again to find out about updates, timeouts and a flush; it
            /// cannot tell whether an addition or a deletion was done, nor an update where
            /// another change of the same send can be why the table is as it asks.
            ///
            /// The thread is blocked while the kernel executes a chunk, which takes
            /// some microseconds for each change and longer where it loads a module.
            $(#[doc = cancel_safety!($async submits)])?
            pub $($async)? fn submit(&mut self, changes: &[$crate::model::Change]) -> $crate::engine::Report {
                $wait!(self.engine.submit(changes))
            }

            /// Adds a service (`ipvsadm -A`).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::ServiceExists`](crate::ErrorKind::ServiceExists), and
            /// [`UnknownScheduler`](crate::ErrorKind::UnknownScheduler),
            /// [`UnknownPersistenceEngine`](crate::ErrorKind::UnknownPersistenceEngine) or
            /// [`UnknownSchedulerOrEngine`](crate::ErrorKind::UnknownSchedulerOrEngine) when
            /// the kernel cannot load a module for the scheduler or the persistence engine.
            #[doc(alias = "IPVS_CMD_NEW_SERVICE")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn add_service(&mut self, service: &$crate::model::Service) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::AddService(service.clone())))
            }

            /// Replaces all settings of a service (`ipvsadm -E`). Its destinations
            /// and connections stay; what the new settings do not mention is gone,
            /// for that is how the kernel's command works. See
            /// [`modify_service`](Self::modify_service) for changing one setting.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService), and
            /// as [`add_service`](Self::add_service).
            #[doc(alias = "IPVS_CMD_SET_SERVICE")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn update_service(&mut self, service: &$crate::model::Service) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::UpdateService(service.clone())))
            }

            /// Changes some settings of a service and keeps the others: reads the service, calls
            /// `edit`, and writes the service back.
            ///
            /// This takes two requests. A change that another program makes between them is
            /// overwritten.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// As [`update_service`](Self::update_service) and [`service`](Self::service), and
            /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) when
            /// `edit` changes the identity.
            $(#[doc = cancel_safety!($async modifies)])?
            pub $($async)? fn modify_service(
                &mut self,
                service: $crate::model::ServiceId,
                edit: impl FnOnce(&mut $crate::model::Service),
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.modify_service(service, edit))
            }

            /// Sets the scheduler of a service and keeps all other settings.
            ///
            /// It works as [`modify_service`](Self::modify_service), by two requests. The kernel
            /// discards the state of the old scheduler, such as the assignments of `lblc`.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// As [`update_service`](Self::update_service).
            $(#[doc = cancel_safety!($async modifies)])?
            pub $($async)? fn set_scheduler(
                &mut self,
                service: $crate::model::ServiceId,
                scheduler: $crate::model::Scheduler,
            ) -> $crate::error::Result<()> {
                let edit = |service: &mut $crate::model::Service| service.scheduler = scheduler;
                $wait!(self.engine.modify_service(service, edit))
            }

            /// Deletes a service and its destinations (`ipvsadm -D`).
            ///
            /// Its connections break. The kernel keeps entries for them and drops their packets. If
            /// this was the last service, the packets go to the host, which resets the connections.
            /// To keep connections, set weight 0 for all destinations first and wait.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService).
            #[doc(alias = "IPVS_CMD_DEL_SERVICE")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn delete_service(&mut self, service: $crate::model::ServiceId) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::DeleteService(service)))
            }

            /// Adds a destination to a service (`ipvsadm -a`).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) and
            /// [`ErrorKind::DestinationExists`](crate::ErrorKind::DestinationExists).
            #[doc(alias = "IPVS_CMD_NEW_DEST")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn add_destination(
                &mut self,
                service: $crate::model::ServiceId,
                destination: &$crate::model::Destination,
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::AddDestination(service, destination.clone())))
            }

            /// Replaces all settings of a destination (`ipvsadm -e`).
            ///
            /// The kernel's command has no way to keep a setting. To change one setting, call
            /// [`modify_destination`](Self::modify_destination).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) and
            /// [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination).
            #[doc(alias = "IPVS_CMD_SET_DEST")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn update_destination(
                &mut self,
                service: $crate::model::ServiceId,
                destination: &$crate::model::Destination,
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::UpdateDestination(service, destination.clone())))
            }

            /// Changes some settings of a destination and keeps the others: reads the destination,
            /// calls `edit`, and writes the destination back.
            ///
            /// The kernel cannot report a single destination, so this reads all destinations of the
            /// service. A change that another program makes in between is overwritten.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService),
            /// [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination),
            /// and [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) when
            /// `edit` changes the identity.
            $(#[doc = cancel_safety!($async modifies)])?
            pub $($async)? fn modify_destination(
                &mut self,
                service: $crate::model::ServiceId,
                destination: $crate::model::DestinationId,
                edit: impl FnOnce(&mut $crate::model::Destination),
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.modify_destination(service, destination, edit))
            }

            /// Sets the weight of a destination, 0 to 2147483647, and keeps all other settings.
            /// Weight 0 takes the destination out of rotation.
            ///
            /// It works as [`modify_destination`](Self::modify_destination), and reads all
            /// destinations of the service. If you have an entry of the destination, call
            /// [`set_weight_of`](Self::set_weight_of), which takes one request.
            #[doc(alias = "drain")]
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) and
            /// [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination).
            $(#[doc = cancel_safety!($async modifies)])?
            pub $($async)? fn set_weight(
                &mut self,
                service: $crate::model::ServiceId,
                destination: $crate::model::DestinationId,
                weight: u32,
            ) -> $crate::error::Result<()> {
                let edit = |destination: &mut $crate::model::Destination| destination.weight = weight;
                $wait!(self.engine.modify_destination(service, destination, edit))
            }

            /// Sets the weight of a destination that was read as `entry`, 0 to 2147483647;
            /// 0 takes it out of rotation.
            ///
            /// This takes one request and reads nothing. It writes all other settings as `entry` has
            /// them, so it overwrites changes that another program has made since. To set many
            /// weights at once, see [`Change::weight_of`](crate::Change::weight_of).
            ///
            #[doc = example!($($async)? set_weight_of)]
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) and
            /// [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination).
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn set_weight_of(
                &mut self,
                service: $crate::model::ServiceId,
                entry: &$crate::model::DestinationEntry,
                weight: u32,
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.set_weight_of(service, entry, weight))
            }

            /// Deletes a destination from a service (`ipvsadm -d`).
            ///
            /// Its connections break. If the destination is added again while the kernel remembers
            /// them, they continue, unless the sysctl `net.ipv4.vs.expire_nodest_conn` is 1. To let
            /// connections end first, call [`drain`](Self::drain).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) and
            /// [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination).
            #[doc(alias = "IPVS_CMD_DEL_DEST")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn delete_destination(
                &mut self,
                service: $crate::model::ServiceId,
                destination: $crate::model::DestinationId,
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::DeleteDestination(service, destination)))
            }

            /// Sets the timeouts of the network namespace that are not `None` (`ipvsadm --set`). The
            /// new timeouts hold for connections that change their state from now on.
            #[doc = include_str!("errors_of_writes.md")]
            #[doc(alias = "IPVS_CMD_SET_CONFIG")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn set_timeouts(&mut self, timeouts: $crate::model::Timeouts) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::SetTimeouts(timeouts)))
            }

            /// Starts a synchronization daemon (`ipvsadm --start-daemon`).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::DaemonExists`](crate::ErrorKind::DaemonExists),
            /// [`ErrorKind::NoSuchInterface`](crate::ErrorKind::NoSuchInterface),
            /// [`ErrorKind::NetworkUnavailable`](crate::ErrorKind::NetworkUnavailable),
            /// and [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) while a
            /// destination of the other family than its service's exists.
            #[doc(alias = "IPVS_CMD_NEW_DAEMON")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn start_daemon(&mut self, daemon: &$crate::model::SyncDaemon) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::StartDaemon(daemon.clone())))
            }

            /// Stops a synchronization daemon (`ipvsadm --stop-daemon`).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchDaemon`](crate::ErrorKind::NoSuchDaemon).
            #[doc(alias = "IPVS_CMD_DEL_DAEMON")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn stop_daemon(&mut self, role: $crate::model::Role) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::StopDaemon(role)))
            }

            /// Sets the counters of a service and of its destinations to 0
            /// (`ipvsadm -Z -t`). The totals of the namespace stay.
            ///
            /// The kernel updates counters every two seconds. Traffic since the last update is counted
            /// after the reset.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService).
            #[doc(alias = "IPVS_CMD_ZERO")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn zero_service(&mut self, service: $crate::model::ServiceId) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::ZeroService(service)))
            }

            /// Sets all counters of the network namespace to 0 (`ipvsadm -Z`).
            #[doc = include_str!("errors_of_writes.md")]
            #[doc(alias = "IPVS_CMD_ZERO")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn zero_all(&mut self) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::ZeroAll))
            }

            /// Deletes all services and destinations of the network namespace, also those of other
            /// programs (`ipvsadm -C`). Their connections break. Synchronization daemons continue.
            #[doc = include_str!("errors_of_writes.md")]
            #[doc(alias = "IPVS_CMD_FLUSH")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn flush(&mut self) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::Flush))
            }
        }
    };
}
pub(crate) use operations;
