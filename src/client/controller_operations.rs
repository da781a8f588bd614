/// Defines how a client runs controllers, with documentation, once for all clients. The parameters
/// are those of `reading_operations`.
macro_rules! controller_operations {
    ($client:ty, { $($async:tt)? }, $wait:ident) => {
        /// Controllers. See [`table::controller`](crate::table::controller).
        impl $client {
            /// Does what is due for a controller: reads and writes until the controller has events or
            /// nothing is due. **Never sleeps**: the returned value says how long the program may
            /// wait.
            ///
            /// Take the events after each step, because a step does nothing while events wait. So a
            /// program sees [`Leaving`](crate::table::controller::Event::Leaving) before the first
            /// destination of the service is taken away.
            ///
            /// Wishes may come between any two steps. One client may do the steps of several
            /// controllers with disjoint scopes. The time of
            /// [`Stepped::Until`](crate::table::controller::Stepped::Until) is one of the client's
            /// clock, which [`now`](Self::now) reads.
            ///
            #[doc = example!({ $($async)? } r#"
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Stepped};
use ipvs_netlink::table::TableService;
use ipvs_netlink::{Destination, Service};

let mut controller = Controller::new(ControllerOptions::new());
controller.wish(
    TableService::new(Service::tcp("192.0.2.10:80".parse()?))
        .with(Destination::masquerade("10.0.0.2:8080".parse()?)),
);
while ipvs.step(&mut controller)"# await r#" == Stepped::Again {
    controller.events().for_each(|event| println!("{event}"));
}"#)]
            ///
            /// A failure is an [`Event`](crate::table::controller::Event), and the controller makes
            /// another attempt.
            $(#[doc = cancel_safety!($async steps)])?
            pub $($async)? fn step(
                &mut self,
                controller: &mut $crate::table::controller::Controller,
            ) -> $crate::table::controller::Stepped {
                $wait!($crate::table::step(&mut self.engine, controller))
            }

            /// Steps and waits until the controller is
            /// [settled](crate::table::controller::Controller::is_settled), but at most so long.
            /// Returns `true` if the controller is settled. Hands each event to `events`.
            ///
            /// The end of a program calls this, so that what it has asked for last is done. With no
            /// wishes left, the services of the controller leave, with their drains:
            ///
            #[doc = example!({ $($async)? } r#"
use std::time::Duration;

use ipvs_netlink::table::controller::{Controller, ControllerOptions, Wish};
# use ipvs_netlink::table::TableService;
# use ipvs_netlink::{Destination, Service};

let mut controller = Controller::new(ControllerOptions::new());
# controller.wish(
#     TableService::new(Service::tcp("192.0.2.10:80".parse()?))
#         .with(Destination::masquerade("10.0.0.2:8080".parse()?)),
# );
// ... and at the end:
controller.wish_all(std::iter::empty::<Wish>());
let longest = Duration::from_secs(60);
if !ipvs.settle(&mut controller, longest, |event| println!("{event}"))"# await r#" {
    println!("not all has left");
}"#)]
            $(#[doc = cancel_safety!($async steps)])?
            pub $($async)? fn settle(
                &mut self,
                controller: &mut $crate::table::controller::Controller,
                longest: std::time::Duration,
                mut events: impl FnMut($crate::table::controller::Event),
            ) -> bool {
                let events = &mut events;
                let settled =
                    $wait!($crate::table::settle(&mut self.engine, controller, longest, events));
                // A client that cannot wait has not settled it.
                settled.unwrap_or(false)
            }

            /// Reads the client's clock, which tells controllers the time: that of the tokio runtime
            /// or of the fake kernel, else [`Instant::now`](std::time::Instant::now).
            #[must_use]
            pub fn now(&self) -> std::time::Instant {
                self.engine.now()
            }

            /// Does one task of a controller, for programs that call
            /// [`next`](crate::table::controller::Controller::next) and
            /// [`answer`](crate::table::controller::Controller::answer) themselves. They see each
            /// reading and writing, as a simulation or a detailed log does. Other programs call
            /// [`step`](Self::step).
            ///
            #[doc = example!({ $($async)? } r#"
use ipvs_netlink::Service;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Next};

let mut controller = Controller::new(ControllerOptions::new());
controller.wish(Service::tcp("192.0.2.10:80".parse()?));
while let Next::Do(task) = controller.next(ipvs.now()) {
    let answer = ipvs.perform(&task)"# await r#";
    controller.answer(task.number(), answer, ipvs.now());
}"#)]
            ///
            /// It never fails: the answer says what failed.
            $(#[doc = cancel_safety!($async steps)])?
            pub $($async)? fn perform(
                &mut self,
                task: &$crate::table::controller::Task,
            ) -> $crate::table::controller::Answer {
                $wait!($crate::table::perform(&mut self.engine, task.work()))
            }
        }
    };
}
pub(crate) use controller_operations;
