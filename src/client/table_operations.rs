/// The operations on tables of a client, with their documentation, written once for all of
/// them. Parameters as of `operations`.
macro_rules! table_operations {
    ($client:ty, { $($async:tt)? }, $wait:ident) => {
        /// Whole tables and draining. See [`table`](crate::table).
        impl $client {
            /// Applies a plan, phase by phase, and reads the services of the plan again.
            ///
            /// The changes of a phase are sent together. If a step fails, later steps of its service
            /// are skipped, so nothing is removed before its replacement exists. The steps of other
            /// services are executed.
            ///
            /// | what happens | what `apply` does |
            /// | --- | --- |
            /// | Another program has added an object of the plan. | It replaces the settings, if the plan allows updates. |
            /// | Another program has deleted an object that the plan deletes. | It counts the step as done. |
            /// | A new service gets none of its usable destinations. | It deletes the service again, unless another program has given it one. |
            /// | An answer was lost. | It reads the table to find out what was done. |
            ///
            /// `apply` waits for all draining destinations at the same time, up to the
            /// deadline of the plan's [`DrainPolicy`](crate::table::DrainPolicy). With
            /// [`OnFailure::Stop`](crate::table::OnFailure::Stop) a failure ends all work.
            ///
            /// Before it removes a destination, it reads the service. If another program has deleted
            /// the destinations that were to take over, or set their weight to 0, the destination is
            /// kept. Other changes since the plan was made go unnoticed, so do not apply an old plan.
            /// After an interruption make a new one.
            ///
            /// `apply` never fails as a whole: see [`Applied::into_result`](crate::table::Applied::into_result) and
            /// [`Applied::failures`](crate::table::Applied::failures). [`Applied::cut`](crate::table::Applied::cut) returns the connections that broke.
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn apply(&mut self, plan: &$crate::table::Plan) -> $crate::table::Applied {
                $wait!($crate::table::apply(&mut self.engine, plan, &mut |_| std::ops::ControlFlow::Continue(())))
            }

            /// Applies a plan that was made from `snapshot`, and brings `snapshot` up to date.
            ///
            /// It works as [`apply_with`](Self::apply_with). After the last step it reads the list of
            /// services, and the services of the plan, into `snapshot`. Then [`Plan::new`](crate::table::Plan::new) tells what differs
            /// still, and the next plan needs no reading before it.
            ///
            /// `snapshot` keeps the destinations of other services, with their counters, as they
            /// were, so changes of other programs there go unnoticed. If the table cannot be read
            /// again, `snapshot` becomes empty and is not [complete](crate::Snapshot::is_complete), as [`Applied::unverified`](crate::table::Applied::unverified) tells. A snapshot that is
            /// not complete is replaced as a whole. For an empty plan nothing is read.
            ///
            #[doc = example!($($async)? apply_from)]
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn apply_from(
                &mut self,
                plan: &$crate::table::Plan,
                snapshot: &mut $crate::model::Snapshot,
                mut observer: impl FnMut(&$crate::table::Progress<'_>) -> std::ops::ControlFlow<()> + Send,
            ) -> $crate::table::Applied {
                $wait!($crate::table::apply_from(&mut self.engine, plan, snapshot, &mut observer))
            }

            /// Applies a plan as [`apply`](Self::apply) does, and reports the progress to `observer`.
            ///
            /// `observer` is called before each phase, and at every look at draining connections. If it
            /// breaks before a phase, the remaining steps are
            /// [`Stopped`](crate::table::StepOutcome::Stopped). If it breaks during a drain,
            /// destinations keep weight 0, and a new plan continues.
            ///
            /// Use the observer to bind the addresses of new services, and to withdraw those of
            /// services that leave.
            ///
            #[doc = example!($($async)? apply_with)]
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn apply_with(
                &mut self,
                plan: &$crate::table::Plan,
                mut observer: impl FnMut(&$crate::table::Progress<'_>) -> std::ops::ControlFlow<()> + Send,
            ) -> $crate::table::Applied {
                $wait!($crate::table::apply(&mut self.engine, plan, &mut observer))
            }

            /// Makes the kernel's table as desired: reads it, plans, applies the plan, and verifies.
            ///
            /// To verify, it reads the list of services and the services of the plan. If they still
            /// differ, it plans and applies once more, and reports what differs after that. Changes
            /// that other programs make meanwhile to destinations of other services show in the next
            /// call.
            ///
            /// If the scope of `options` names its services, as [`Scope::new`](crate::table::Scope::new)
            /// does, only these services are read, and after a plan only the services that the plan
            /// was about.
            ///
            /// It writes nothing if nothing differs, so it can be called again and again.
            ///
            /// It waits for draining destinations, up to the deadline of [`PlanOptions::drain`](crate::table::PlanOptions::drain), and that
            /// twice if something differs after the first time. To return earlier, break on
            /// [`Progress::Draining`](crate::table::Progress::Draining) in [`reconcile_with`](Self::reconcile_with): the next
            /// call goes on, with a deadline of its own.
            ///
            /// A service that is taken out of the desired table stays in the kernel, unless
            /// [`PlanOptions::scope`](crate::table::PlanOptions::scope) says that it is yours: give what was desired the last
            /// time to [`Scope::formerly`](crate::table::Scope::formerly).
            ///
            #[doc = example!($($async)? reconcile)]
            ///
            /// # Errors
            ///
            /// [`ReconcileError::Read`](crate::table::ReconcileError::Read) when the table cannot be read,
            /// [`ReconcileError::Plan`](crate::table::ReconcileError::Plan) when there is no plan. **Changes that failed are no
            /// errors of this call**, even if all did: they are in what is returned, of which
            /// [`Reconciled::into_result`](crate::table::Reconciled::into_result) makes one.
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn reconcile(
                &mut self,
                desired: &$crate::table::Table,
                options: &$crate::table::PlanOptions,
            ) -> $crate::error::Result<$crate::table::Reconciled, $crate::table::ReconcileError> {
                $wait!($crate::table::reconcile(&mut self.engine, desired, options, &mut |_| std::ops::ControlFlow::Continue(())))
            }

            /// As [`reconcile`](Self::reconcile), with an observer as in
            /// [`apply_with`](Self::apply_with). One that breaks before the first phase of
            /// a plan that it does not like has nothing written of it.
            ///
            /// # Errors
            ///
            /// As [`reconcile`](Self::reconcile).
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn reconcile_with(
                &mut self,
                desired: &$crate::table::Table,
                options: &$crate::table::PlanOptions,
                mut observer: impl FnMut(&$crate::table::Progress<'_>) -> std::ops::ControlFlow<()> + Send,
            ) -> $crate::error::Result<$crate::table::Reconciled, $crate::table::ReconcileError> {
                $wait!($crate::table::reconcile(&mut self.engine, desired, options, &mut observer))
            }

            /// Takes a destination out of its service without breaking connections: sets weight 0,
            /// waits until its connections have ended or until the deadline, and deletes it.
            ///
            /// After an interruption the destination has weight 0, and another drain continues. If
            /// weight 0 does not drain in the service
            /// ([`Service::drains_at_weight_zero`](crate::Service::drains_at_weight_zero)), the
            /// destination is deleted at once.
            ///
            /// It does not check whether another destination takes over. When the last destination
            /// drains, the service refuses clients.
            #[doc(alias = "graceful")]
            #[doc = include_str!("errors_of_writes.md")]
            ///
            /// [`ErrorKind::NoSuchService`](crate::ErrorKind::NoSuchService) and
            /// [`ErrorKind::NoSuchDestination`](crate::ErrorKind::NoSuchDestination). After
            /// any other error the destination may have weight 0 already.
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

            /// Drains a destination as [`drain`](Self::drain) does, and reports the progress to
            /// `observer` at every look at its connections. If `observer` breaks, the destination
            /// stays with weight 0.
            ///
            #[doc = example!($($async)? drain_with)]
            ///
            /// # Errors
            ///
            /// As [`drain`](Self::drain).
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
