/// Defines the operations of a client on tables, with documentation, once for all clients. The
/// parameters are those of `reading_operations`.
macro_rules! table_operations {
    ($client:ty, { $($async:tt)? }, $wait:ident) => {
        /// Whole tables and draining. See [`table`](crate::table).
        impl $client {
            /// Applies a plan, phase by phase, then reads the services of the plan again.
            ///
            /// The client sends the changes of a phase together. If a change fails, the client does
            /// nothing more in that service, so it never deletes a destination before its replacement
            /// is there. It continues with other services, unless the plan has
            /// [`OnFailure::Stop`](crate::table::OnFailure::Stop).
            ///
            /// The client handles what other programs did since the plan was made:
            ///
            /// - An object to be added exists: the client replaces its settings, if the plan allows
            ///   updates.
            /// - An object to be deleted does not exist: the step is done.
            /// - The destinations that were to take over are gone or have weight 0: the client keeps the
            ///   destinations that the plan deletes.
            ///
            /// Other changes show only in a new plan. So do not apply an old plan, and make a new one
            /// after an interruption.
            ///
            /// If the kernel accepts a new service but none of its usable destinations, the client
            /// deletes the service again, unless another program has given it a destination. If an
            /// answer is lost, the client reads the table to find out whether the change was done.
            ///
            /// The client waits for all draining destinations at the same time, up to the deadline of
            /// the plan's [`DrainPolicy`](crate::table::DrainPolicy).
            ///
            /// This method returns no error. [`Applied::into_result`](crate::table::Applied::into_result)
            /// makes one of the outcomes, [`Applied::failures`](crate::table::Applied::failures) lists
            /// the failures, and [`Applied::cut`](crate::table::Applied::cut) the connections that
            /// broke.
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn apply(&mut self, plan: &$crate::table::Plan) -> $crate::table::Applied {
                $wait!($crate::table::apply(&mut self.engine, plan, &mut |_| std::ops::ControlFlow::Continue(())))
            }

            /// Applies a plan that was made from `snapshot`, and brings `snapshot` up to date. It takes
            /// an observer, like [`apply_with`](Self::apply_with).
            ///
            /// After the last step the client reads the list of services and the services of the plan.
            /// [`Plan::new`](crate::table::Plan::new) then finds the remaining differences without
            /// another read.
            ///
            /// `snapshot` keeps the destinations and counters of all other services as they were. If
            /// the table cannot be read again, `snapshot` becomes empty and is not
            /// [complete](crate::Snapshot::is_complete), and
            /// [`Applied::unverified`](crate::table::Applied::unverified) returns the error. A snapshot
            /// that was not complete is read again as a whole. For an empty plan the client reads
            /// nothing. While the plan is applied, `snapshot` is empty and not complete, and stays so if
            /// the observer panics.
            ///
            #[doc = example!({ $($async)? } r#"
use std::ops::ControlFlow;

use ipvs_netlink::table::{Plan, PlanOptions, Table};
# fn desired() -> Table { Table::new() }

let (desired, options) = (desired(), PlanOptions::new());
let mut snapshot = ipvs.snapshot()"# await r#"?;
let plan = Plan::new(&snapshot, &desired, &options)?;
print!("{plan}");
let applied = ipvs.apply_from(&plan, &mut snapshot, |_| ControlFlow::Continue(()))"# await r#";
applied.into_result()?;
let rest = Plan::new(&snapshot, &desired, &options)?;
assert!(rest.is_empty(), "another program writes the table");"#)]
            $(#[doc = cancel_safety!($async plans_from)])?
            pub $($async)? fn apply_from(
                &mut self,
                plan: &$crate::table::Plan,
                snapshot: &mut $crate::model::Snapshot,
                mut observer: impl FnMut(&$crate::table::Progress<'_>) -> std::ops::ControlFlow<()> + Send,
            ) -> $crate::table::Applied {
                $wait!($crate::table::apply_from(&mut self.engine, plan, snapshot, &mut observer))
            }

            /// Applies a plan like [`apply`](Self::apply), and reports progress to `observer`: before
            /// each phase, and each time it looks at draining connections.
            ///
            /// If the observer breaks before a phase, the steps without an outcome are
            /// [`Stopped`](crate::table::StepOutcome::Stopped). If it breaks while connections drain,
            /// the draining destinations stay with weight 0, and applying a new plan continues.
            ///
            /// Use the observer to bind the addresses of new services, and to withdraw those of leaving
            /// services:
            ///
            #[doc = example!({ $($async)? } r#"
use std::ops::ControlFlow;

use ipvs_netlink::table::{Phase, Plan, Progress};
# use ipvs_netlink::ServiceId;
# fn announce(_: ServiceId) {}
# fn withdraw(_: ServiceId) {}
# fn plan() -> Plan { unimplemented!() }

let plan = plan();
let applied = ipvs.apply_with(&plan, |progress| {
    if let Progress::Phase(next) = progress {
        match next.phase() {
            Phase::Extend => next.added().for_each(announce),
            Phase::Reduce => next.leaving().for_each(withdraw),
            _ => {}
        }
    }
    ControlFlow::Continue(())
})"# await r#";
applied.into_result()?;"#)]
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn apply_with(
                &mut self,
                plan: &$crate::table::Plan,
                mut observer: impl FnMut(&$crate::table::Progress<'_>) -> std::ops::ControlFlow<()> + Send,
            ) -> $crate::table::Applied {
                $wait!($crate::table::apply(&mut self.engine, plan, &mut observer))
            }

            /// Makes the table as desired: reads it, makes a plan, and applies the plan. Then reads the
            /// list of services and the services of the plan again. Plans and applies the remaining
            /// differences once more, and reports those that remain after that.
            ///
            /// If the scope of `options` names its services, as
            /// [`Scope::new`](crate::table::Scope::new) does, the client reads only these services,
            /// and afterwards only the services of the plan.
            ///
            /// If nothing differs, this writes nothing. Call it as often as you like. Changes that
            /// other programs make meanwhile in the destinations of other services show in the next
            /// call.
            ///
            /// This waits for draining connections up to the deadline of
            /// [`PlanOptions::drain`](crate::table::PlanOptions::drain), twice if differences remain
            /// after the first time. To return earlier, break on
            /// [`Progress::Draining`](crate::table::Progress::Draining) in
            /// [`reconcile_with`](Self::reconcile_with). The next call continues the drain, with a new
            /// deadline.
            ///
            /// A service that you remove from `desired` stays in the kernel, unless
            /// [`PlanOptions::scope`](crate::table::PlanOptions::scope) says that the service is yours:
            /// pass the previous table to [`Scope::formerly`](crate::table::Scope::formerly).
            ///
            #[doc = example!({ $($async)? } r#"
use ipvs_netlink::table::{PlanOptions, Table, TableService};
use ipvs_netlink::{Destination, Service};

let mut desired = Table::new();
desired.insert(
    TableService::new(Service::tcp("192.0.2.10:80".parse()?))
        .with(Destination::masquerade("10.0.0.2:8080".parse()?)),
);
let reconciled = ipvs.reconcile(&desired, &PlanOptions::new())"# await r#"?;
print!("{reconciled}");
reconciled.into_result()?;"#)]
            ///
            /// # Errors
            ///
            /// - [`ReconcileError::Read`](crate::table::ReconcileError::Read): the table cannot be read.
            /// - [`ReconcileError::Plan`](crate::table::ReconcileError::Plan): no plan can be made.
            ///
            /// **Changes that fail are no errors of this call**, even if all fail. They are in the
            /// returned value; [`Reconciled::into_result`](crate::table::Reconciled::into_result) makes
            /// an error of them.
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn reconcile(
                &mut self,
                desired: &$crate::table::Table,
                options: &$crate::table::PlanOptions,
            ) -> $crate::error::Result<$crate::table::Reconciled, $crate::table::ReconcileError> {
                $wait!($crate::table::reconcile(&mut self.engine, desired, options, &mut |_| std::ops::ControlFlow::Continue(())))
            }

            /// Does the work of [`reconcile`](Self::reconcile) with an observer, as in
            /// [`apply_with`](Self::apply_with). If the observer breaks before the first phase of a
            /// plan, nothing of that plan is written.
            ///
            /// # Errors
            ///
            /// The errors of [`reconcile`](Self::reconcile).
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn reconcile_with(
                &mut self,
                desired: &$crate::table::Table,
                options: &$crate::table::PlanOptions,
                mut observer: impl FnMut(&$crate::table::Progress<'_>) -> std::ops::ControlFlow<()> + Send,
            ) -> $crate::error::Result<$crate::table::Reconciled, $crate::table::ReconcileError> {
                $wait!($crate::table::reconcile(&mut self.engine, desired, options, &mut observer))
            }

            /// Removes a destination from its service without breaking connections: sets its weight to
            /// 0, waits until its connections have ended or the deadline has passed, and deletes it.
            ///
            /// A drain may be interrupted: the weight is 0 then, and a new call continues. If weight 0
            /// does not help (see
            /// [`Service::drains_at_weight_zero`](crate::Service::drains_at_weight_zero)), the client
            /// deletes the destination at once.
            ///
            /// The client does not check whether another destination takes over. While the last
            /// destination drains, the service refuses clients.
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// - [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService): the service does
            ///   not exist.
            /// - [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination): the
            ///   service has no such destination.
            ///
            /// After any other error the destination may have weight 0.
            $(#[doc = cancel_safety!($async drains)])?
            pub $($async)? fn drain(
                &mut self,
                service: $crate::model::ServiceId,
                destination: $crate::model::DestinationId,
                policy: $crate::table::DrainPolicy,
            ) -> $crate::error::Result<$crate::table::Drained> {
                let mut observer = |_: &$crate::table::DrainProgress<'_>| std::ops::ControlFlow::Continue(());
                $wait!($crate::table::drain(&mut self.engine, service, destination, policy, &mut observer))
            }

            /// Drains a destination like [`drain`](Self::drain), and reports progress to `observer` each
            /// time it looks at the connections. If the observer breaks, the destination stays, with
            /// weight 0.
            ///
            #[doc = example!({ $($async)? } r#"
use std::ops::ControlFlow;

use ipvs_netlink::table::{DrainPolicy, Drained};
# fn is_wanted_again() -> bool { true }

let (web, server) = ("TCP 192.0.2.10:80".parse()?, "10.0.0.2:8080".parse()?);
let drained = ipvs.drain_with(web, server, DrainPolicy::new(), |progress| {
    println!("{progress}");
    if is_wanted_again() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
})"# await r#"?;
if let Drained::Cancelled { weight, .. } = drained {
    ipvs.set_weight(web, server, weight)"# await r#"?;
}"#)]
            ///
            /// # Errors
            ///
            /// The errors of [`drain`](Self::drain).
            $(#[doc = cancel_safety!($async drains)])?
            pub $($async)? fn drain_with(
                &mut self,
                service: $crate::model::ServiceId,
                destination: $crate::model::DestinationId,
                policy: $crate::table::DrainPolicy,
                mut observer: impl FnMut(&$crate::table::DrainProgress<'_>) -> std::ops::ControlFlow<()> + Send,
            ) -> $crate::error::Result<$crate::table::Drained> {
                $wait!($crate::table::drain(&mut self.engine, service, destination, policy, &mut observer))
            }
        }
    };
}
pub(crate) use table_operations;
