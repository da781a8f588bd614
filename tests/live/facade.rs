//! A blocking face for the async clients, so that the same tests run with all clients.

/// `Client` over `$client`, whose futures `$wait` waits for. With `@connect`, the ways to connect
/// to the kernel that runs the program.
macro_rules! facade {
    (@connect $client:ty, $wait:path) => {
        impl Client {
            pub(crate) fn connect() -> ipvs_netlink::Result<Self> {
                $wait(<$client>::connect()).map(Self)
            }

            pub(crate) fn in_namespace(
                path: impl AsRef<std::path::Path>,
            ) -> ipvs_netlink::Result<Self> {
                $wait(<$client>::in_namespace(path)).map(Self)
            }

            pub(crate) fn in_namespace_fd(
                namespace: impl std::os::fd::AsFd,
            ) -> ipvs_netlink::Result<Self> {
                $wait(<$client>::in_namespace_fd(namespace)).map(Self)
            }

            pub(crate) fn from_sockets(
                commands: netlink_sys::Socket,
                dumps: Option<netlink_sys::Socket>,
            ) -> ipvs_netlink::Result<Self> {
                $wait(<$client>::from_sockets(commands, dumps)).map(Self)
            }
        }
    };
    ($client:ty, $wait:path) => {
        use std::ops::ControlFlow;
        use std::time::Duration;

        use ipvs_netlink::table::controller::{Controller, Event, Stepped};
        use ipvs_netlink::table::{
            Applied, DrainPolicy, Drained, Plan, PlanOptions, Progress, ReconcileError, Reconciled,
            Table,
        };
        use ipvs_netlink::{
            Change, Destination, DestinationEntry, DestinationId, Info, Listing, Outcome, Report, Result,
            Role, Scheduler, Service, ServiceEntry, ServiceId, Snapshot, SyncDaemon, Timeouts,
        };
        #[derive(Debug)]
        pub(crate) struct Client($client);

        impl Client {
            pub(crate) fn deadline(&self) -> Option<Duration> {
                self.0.deadline()
            }

            pub(crate) fn set_deadline(&mut self, deadline: Option<Duration>) {
                self.0.set_deadline(deadline);
            }

            pub(crate) fn stream_services(
                &mut self,
            ) -> Result<impl Iterator<Item = Result<ServiceEntry>>> {
                let mut stream = $wait(self.0.stream_services())?;
                Ok(std::iter::from_fn(move || $wait(stream.next())))
            }

            pub(crate) fn stream_destinations(
                &mut self,
                service: ServiceId,
            ) -> Result<impl Iterator<Item = Result<DestinationEntry>>> {
                let mut stream = $wait(self.0.stream_destinations(service))?;
                Ok(std::iter::from_fn(move || $wait(stream.next())))
            }

            pub(crate) fn submit_stream(
                &mut self,
                changes: impl Iterator<Item = Change> + Unpin,
            ) -> impl Iterator<Item = (Change, Outcome)> {
                let mut stream = self.0.submit_stream(changes);
                std::iter::from_fn(move || $wait(stream.next()))
            }

            pub(crate) fn modify_service(
                &mut self,
                service: ServiceId,
                edit: impl FnOnce(&mut Service),
            ) -> Result<()> {
                $wait(self.0.modify_service(service, edit))
            }

            pub(crate) fn modify_destination(
                &mut self,
                service: ServiceId,
                destination: DestinationId,
                edit: impl FnOnce(&mut Destination),
            ) -> Result<()> {
                $wait(self.0.modify_destination(service, destination, edit))
            }

            pub(crate) fn apply_with(
                &mut self,
                plan: &Plan,
                observer: impl FnMut(&Progress<'_>) -> ControlFlow<()> + Send,
            ) -> Applied {
                $wait(self.0.apply_with(plan, observer))
            }

            pub(crate) fn apply_from(
                &mut self,
                plan: &Plan,
                snapshot: &mut Snapshot,
                observer: impl FnMut(&Progress<'_>) -> ControlFlow<()> + Send,
            ) -> Applied {
                $wait(self.0.apply_from(plan, snapshot, observer))
            }

            pub(crate) fn reconcile_with(
                &mut self,
                desired: &Table,
                options: &PlanOptions,
                observer: impl FnMut(&Progress<'_>) -> ControlFlow<()> + Send,
            ) -> std::result::Result<Reconciled, ReconcileError> {
                $wait(self.0.reconcile_with(desired, options, observer))
            }
        }

        facade!(@forward $wait,
            check() -> Result<()>;
            info() -> Result<Info>;
            services() -> Result<Listing<ServiceEntry>>;
            snapshot() -> Result<Snapshot>;
            snapshot_of(ids: &[ServiceId]) -> Result<Snapshot>;
            service(id: ServiceId) -> Result<ServiceEntry>;
            destinations(id: ServiceId) -> Result<Listing<DestinationEntry>>;
            destination(service: ServiceId, id: DestinationId) -> Result<DestinationEntry>;
            timeouts() -> Result<Timeouts>;
            daemons() -> Result<Listing<SyncDaemon>>;
            apply_change(change: &Change) -> Result<()>;
            submit(changes: &[Change]) -> Report;
            add_service(service: &Service) -> Result<()>;
            update_service(service: &Service) -> Result<()>;
            set_scheduler(id: ServiceId, scheduler: Scheduler) -> Result<()>;
            delete_service(id: ServiceId) -> Result<()>;
            add_destination(id: ServiceId, destination: &Destination) -> Result<()>;
            update_destination(id: ServiceId, destination: &Destination) -> Result<()>;
            set_weight(service: ServiceId, id: DestinationId, weight: u32) -> Result<()>;
            set_weight_of(service: ServiceId, entry: &DestinationEntry, weight: u32) -> Result<()>;
            delete_destination(service: ServiceId, id: DestinationId) -> Result<()>;
            set_timeouts(timeouts: Timeouts) -> Result<()>;
            start_daemon(daemon: &SyncDaemon) -> Result<()>;
            stop_daemon(role: Role) -> Result<()>;
            zero_service(id: ServiceId) -> Result<()>;
            zero_all() -> Result<()>;
            flush() -> Result<()>;
            apply(plan: &Plan) -> Applied;
            reconcile(
                desired: &Table,
                options: &PlanOptions
            ) -> std::result::Result<Reconciled, ReconcileError>;
            step(controller: &mut Controller) -> Stepped;
            settle(
                controller: &mut Controller,
                longest: Duration,
                events: impl FnMut(Event)
            ) -> bool;
            drain(
                service: ServiceId,
                id: DestinationId,
                policy: DrainPolicy
            ) -> Result<Drained>;
        );
    };
    (@forward $wait:path, $($name:ident($($argument:ident: $type:ty),*) -> $output:ty;)*) => {
        impl Client {
            $(
                pub(crate) fn $name(&mut self $(, $argument: $type)*) -> $output {
                    $wait(self.0.$name($($argument),*))
                }
            )*
        }
    };
}
pub(crate) use facade;
