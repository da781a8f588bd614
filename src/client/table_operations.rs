/// The operations on tables of a client, with their documentation, written once for all of
/// them. Parameters as of `operations`.
macro_rules! table_operations {
    ($client:ty, { $($async:tt)? }, $wait:ident) => {
        /// Whole tables and draining. See [`table`](crate::table).
        impl $client {
            /// Does a plan, phase by phase, and reads what it touched again.
            ///
            /// The changes of a phase are sent together. In a service in which something
            /// failed nothing more is done: what it has is not taken away before the
            /// replacement is there. Other services go on. Where somebody else has added
            /// an object in the meantime, its settings are replaced, if the plan may do
            /// that; where somebody else has deleted what was to be deleted, all is well. A
            /// service that was added while none of its usable destinations could be is
            /// deleted again, unless somebody else has given it one. Where an answer was
            /// lost, the table tells what was done.
            ///
            /// Destinations that drain are waited for, all at the same time, up to the
            /// deadline of the plan's [`DrainPolicy`](crate::table::DrainPolicy). With
            /// [`OnFailure::Stop`](crate::table::OnFailure::Stop) a failure ends all work.
            ///
            /// Before a destination is taken away, its service is looked at: where somebody
            /// else has deleted or stopped the destinations that were to take over, it is
            /// kept. All else that was changed since the plan was made shows only in a new
            /// plan, so do not apply an old one; after an interruption make a new one.
            ///
            /// It never fails as a whole: see [`Applied::into_result`](crate::table::Applied::into_result) and
            /// [`Applied::failures`](crate::table::Applied::failures). [`Applied::cut`](crate::table::Applied::cut) tells which connections broke.
            $(#[doc = cancel_safety!($async plans)])?
            pub $($async)? fn apply(&mut self, plan: &$crate::table::Plan) -> $crate::table::Applied {
                $wait!($crate::table::apply(&mut self.engine, plan, &mut |_| std::ops::ControlFlow::Continue(())))
            }

            /// As [`apply_with`](Self::apply_with), for a plan that was made from `snapshot`,
            /// which is brought up to date: after the last step the list of services is read,
            /// and the services that the plan is about. Then [`Plan::new`](crate::table::Plan::new) tells what differs
            /// still, and the next plan needs no reading before it.
            ///
            /// `snapshot` keeps the destinations of other services, with their counters, as they
            /// were: what others have changed there in the meantime is not noticed. It becomes
            /// empty, and not [complete](crate::Snapshot::is_complete), where the table
            /// could not be read again, which [`Applied::unverified`](crate::table::Applied::unverified) tells. A snapshot that is
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

            /// As [`apply`](Self::apply). `observer` is told of each phase before it begins,
            /// and, while connections are waited for, at every look how far that has come.
            /// When it breaks, the rest is not done: before a phase, what has no outcome yet
            /// is [`Stopped`](crate::table::StepOutcome::Stopped); while connections are
            /// waited for, what drains is left with weight 0, and applying a new plan goes
            /// on.
            ///
            /// The observer is where a caller binds addresses of new services, and withdraws
            /// those of services that leave.
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

            /// Makes the table as desired: reads it, makes a plan, applies that, and reads
            /// again the list of services and the services that the plan was about. What
            /// differs then is planned and applied once more, and what differs after that is
            /// reported. What others change meanwhile in the destinations of other services is
            /// not noticed by this call but by the next.
            ///
            /// If the scope of `options` names its services, as [`Scope::new`](crate::table::Scope::new)
            /// does, only these services are read, and after a plan only the services that the plan
            /// was about.
            ///
            /// Nothing is written when nothing differs. It can be called again and again.
            ///
            /// It waits for what drains, up to the deadline of [`PlanOptions::drain`](crate::table::PlanOptions::drain), and that
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

            /// Takes a destination out of its service without breaking connections: gives
            /// it weight 0, waits until its connections have ended, or until the deadline,
            /// and deletes it.
            ///
            /// It may be interrupted: weight 0 is in the table, and draining again goes on.
            /// Where weight 0 does no good
            /// ([`Service::drains_at_weight_zero`](crate::Service::drains_at_weight_zero))
            /// the destination is deleted at once.
            ///
            /// It is not looked whether another destination takes over: when the last one
            /// drains, the service refuses clients.
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

            /// As [`drain`](Self::drain). `observer` is told at every look how far it has
            /// come; when it breaks, the destination stays, with weight 0.
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
