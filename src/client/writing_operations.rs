/// Defines the operations of a client that write. Parameters as of `reading_operations`.
macro_rules! writing_operations {
    ($client:ty, { $($async:tt)? }, $wait:ident) => {
        /// Writing.
        ///
        /// Every method first checks its arguments against the kernel's rules. If one is broken,
        /// the method sends nothing. The kernel executes a request before the method continues.
        impl $client {
            /// Does one change, like the method for that change, for example
            /// [`add_service`](Self::add_service).
            #[doc = include_str!("errors_of_writes.md")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn apply_change(&mut self, change: &$crate::model::Change) -> $crate::error::Result<()> {
                $wait!(self.engine.change(change))
            }

            /// Does many changes in order, with few system calls.
            ///
            /// The client first validates all changes, and sends nothing if one is invalid. It then
            /// sends about 64 changes at a time: fewer if the buffers of the socket are small, and one
            /// more rather than send a new service without its first destination. The kernel executes
            /// every change that it does not refuse. There is no rollback.
            ///
            /// The report has one outcome for each change, in order. After lost answers (an overflow, a
            /// deadline), after a failed send, and if the module is gone, the client sends nothing
            /// more.
            ///
            /// After an overflow the client reads the table to find out whether updates, timeouts and a
            /// flush were done. Additions and deletions stay unknown, and so do updates whose effect
            /// another change of the same send can explain.
            ///
            /// The calling thread is blocked while the kernel executes the changes: some microseconds
            /// for each, longer if the kernel loads a module.
            ///
            #[doc = example!({ $($async)? } r#"
use ipvs_netlink::{Change, Destination, Service};

let web = Service::tcp("192.0.2.10:80".parse()?);
let server = Destination::masquerade("10.0.0.2:8080".parse()?);
let changes = [Change::AddDestination(web.id, server), Change::DeleteService(web.id)];
let report = ipvs.submit(&changes)"# await r#";
for failed in report.failures() {
    eprintln!("{}: {}", changes[failed.index], failed.outcome);
}"#)]
            $(#[doc = cancel_safety!($async submits)])?
            pub $($async)? fn submit(&mut self, changes: &[$crate::model::Change]) -> $crate::engine::Report {
                $wait!(self.engine.submit(changes))
            }

            /// Adds a service (`ipvsadm -A`).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::ServiceExists`](crate::ErrorKind::ServiceExists): the service exists.
            /// - [`ErrorKind::UnknownScheduler`](crate::ErrorKind::UnknownScheduler),
            ///   [`ErrorKind::UnknownPersistenceEngine`](crate::ErrorKind::UnknownPersistenceEngine),
            ///   [`ErrorKind::UnknownSchedulerOrEngine`](crate::ErrorKind::UnknownSchedulerOrEngine):
            ///   the kernel cannot load the module of the scheduler or of the persistence engine.
            #[doc(alias = "IPVS_CMD_NEW_SERVICE")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn add_service(&mut self, service: &$crate::model::Service) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::AddService(service.clone())))
            }

            /// Replaces all settings of a service (`ipvsadm -E`). Its destinations and connections
            /// stay.
            ///
            /// The kernel resets the settings that `service` does not have. To change one setting and
            /// keep the others, use [`modify_service`](Self::modify_service).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist. The
            /// other errors are those of [`add_service`](Self::add_service).
            #[doc(alias = "IPVS_CMD_SET_SERVICE")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn update_service(&mut self, service: &$crate::model::Service) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::UpdateService(service.clone())))
            }

            /// Changes some settings of a service and keeps the others: reads the service, applies
            /// `edit`, and writes the service back.
            ///
            /// This takes two requests and is not atomic: it overwrites what another program wrote in
            /// between.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - The errors of [`service`](Self::service) and [`update_service`](Self::update_service).
            /// - [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue): `edit` changed the id.
            $(#[doc = cancel_safety!($async modifies)])?
            pub $($async)? fn modify_service(
                &mut self,
                service: $crate::model::ServiceId,
                edit: impl FnOnce(&mut $crate::model::Service),
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.modify_service(service, edit))
            }

            /// Sets the scheduler of a service and keeps everything else, like
            /// [`modify_service`](Self::modify_service).
            ///
            /// The kernel discards the state of the old scheduler, such as the assignments of `lblc`.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// The errors of [`update_service`](Self::update_service).
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
            /// Its connections break. The kernel keeps their entries but drops their packets. If this
            /// was the last service, the host receives the packets and resets the connections. To avoid
            /// this, drain the destinations first.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            #[doc(alias = "IPVS_CMD_DEL_SERVICE")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn delete_service(&mut self, service: $crate::model::ServiceId) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::DeleteService(service)))
            }

            /// Adds a destination to a service (`ipvsadm -a`).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            /// - [`ErrorKind::DestinationExists`](crate::ErrorKind::DestinationExists): the
            ///   service has that destination.
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
            /// The kernel resets the settings that `destination` does not have. To change one setting
            /// and keep the others, use [`modify_destination`](Self::modify_destination).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            /// - [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination): the
            ///   service has no such destination.
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
            /// applies `edit`, and writes the destination back.
            ///
            /// The kernel cannot report a single destination, so this reads all destinations of the
            /// service. It is not atomic: it overwrites what another program wrote in between.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            /// - [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination): the
            ///   service has no such destination.
            /// - [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue): `edit` changed the id.
            $(#[doc = cancel_safety!($async modifies)])?
            pub $($async)? fn modify_destination(
                &mut self,
                service: $crate::model::ServiceId,
                destination: $crate::model::DestinationId,
                edit: impl FnOnce(&mut $crate::model::Destination),
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.modify_destination(service, destination, edit))
            }

            /// Sets the weight of a destination, 0 to 2147483647, and keeps everything else. A
            /// destination of weight 0 receives no new connections.
            ///
            /// This reads all destinations of the service, like
            /// [`modify_destination`](Self::modify_destination).
            /// [`set_weight_of`](Self::set_weight_of) takes an entry that was read before, and sends a
            /// single request.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            /// - [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination): the
            ///   service has no such destination.
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

            /// Sets the weight of a destination that was read as `entry`, 0 to 2147483647. A
            /// destination of weight 0 receives no new connections.
            ///
            /// This sends one request and reads nothing. It writes all other settings as they are
            /// in `entry`, so it overwrites what another program wrote since. For many weights at
            /// once submit [`Change::weight_of`](crate::Change::weight_of).
            ///
            #[doc = example!({ $($async)? } r#"
let web = "TCP 192.0.2.10:80".parse()?;
let entries = ipvs.destinations(web)"# await r#"?;
for entry in &entries {
    ipvs.set_weight_of(web, entry, 1)"# await r#"?;
}"#)]
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            /// - [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination): the
            ///   service has no such destination.
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
            /// Its connections break. They continue if the destination is added again while the kernel
            /// remembers them and the sysctl `net.ipv4.vs.expire_nodest_conn` is 0. To let the
            /// connections end first, use [`drain`](Self::drain).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
            /// - [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination): the
            ///   service has no such destination.
            #[doc(alias = "IPVS_CMD_DEL_DEST")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn delete_destination(
                &mut self,
                service: $crate::model::ServiceId,
                destination: $crate::model::DestinationId,
            ) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::DeleteDestination(service, destination)))
            }

            /// Sets the timeouts of the network namespace that are not `None` (`ipvsadm --set`).
            ///
            /// A connection gets the new timeout when its state changes next.
            #[doc = include_str!("errors_of_writes.md")]
            #[doc(alias = "IPVS_CMD_SET_CONFIG")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn set_timeouts(&mut self, timeouts: $crate::model::Timeouts) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::SetTimeouts(timeouts)))
            }

            /// Starts a synchronization daemon (`ipvsadm --start-daemon`).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::DaemonExists`](crate::ErrorKind::DaemonExists): a daemon of this role
            ///   runs.
            /// - [`ErrorKind::NoSuchInterface`](crate::ErrorKind::NoSuchInterface): the interface does
            ///   not exist.
            /// - [`ErrorKind::NetworkUnavailable`](crate::ErrorKind::NetworkUnavailable): the daemon's
            ///   socket cannot be opened or bound.
            /// - [`ErrorKind::Rejected`](crate::ErrorKind::Rejected): a destination exists whose family
            ///   differs from that of its service.
            #[doc(alias = "IPVS_CMD_NEW_DAEMON")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn start_daemon(&mut self, daemon: &$crate::model::SyncDaemon) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::StartDaemon(daemon.clone())))
            }

            /// Stops a synchronization daemon (`ipvsadm --stop-daemon`).
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchDaemon`](crate::ErrorKind::NoSuchDaemon): no daemon of this role runs.
            #[doc(alias = "IPVS_CMD_DEL_DAEMON")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn stop_daemon(&mut self, role: $crate::model::Role) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::StopDaemon(role)))
            }

            /// Sets the counters of a service and of its destinations to 0 (`ipvsadm -Z -t`). The
            /// totals of the namespace stay.
            ///
            /// The kernel adds recent traffic to the counters every two seconds. Traffic that it has
            /// not added yet is counted after the reset.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does not exist.
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
            /// programs (`ipvsadm -C`). Their connections break. Synchronization daemons keep running.
            #[doc = include_str!("errors_of_writes.md")]
            #[doc(alias = "IPVS_CMD_FLUSH")]
            $(#[doc = cancel_safety!($async writes)])?
            pub $($async)? fn flush(&mut self) -> $crate::error::Result<()> {
                $wait!(self.engine.change(&$crate::model::Change::Flush))
            }
        }
    };
}
pub(crate) use writing_operations;
