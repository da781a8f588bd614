//! The common definition of the async clients.

/// Defines an async client over `$transport`, and its streams.
macro_rules! async_client {
    ($(#[$attribute:meta])* $transport:ty) => {
        $(#[$attribute])*
        #[derive(Debug)]
        pub struct Client {
            pub(crate) engine: $crate::engine::Engine<$transport>,
        }

        macro_rules! wait {
            ($future:expr) => {
                $future.await
            };
        }

        connecting!(Client, $transport, { async }, wait);
        reading_operations!(Client, { async }, wait);
        writing_operations!(Client, { async }, wait);
        table_operations!(Client, { async }, wait);
        settings_operations!(Client, { async }, wait);
        controller_operations!(Client, { async }, wait);

        /// A loop for controllers.
        impl Client {
            /// Keeps the table as a controller says: does what is due, waits for the next time or
            /// wish, and hands each event to `events`. Ends when `wishes` returns `None`, as
            /// `ending` says.
            ///
            /// `wishes` returns the next request: a wish, a service that is to leave, or a whole
            /// table. A closure that awaits the receiver of a channel does. A request is taken at
            /// once while the client waits, else between two tasks, which take milliseconds. So the
            /// newest wish counts also while others are carried out or drained. The future of
            /// `wishes` is kept until it is ready, so it need not be cancel-safe by itself.
            ///
            /// `events` is called before the next task begins. To do something that awaits before
            /// the controller goes on, such as withdrawing a route, call [`step`](Self::step) in a
            /// loop of your own, or set a
            /// [hold time](crate::table::controller::ControllerOptions::hold).
            ///
            /// The future is `Send` if the closures own what they use: write `async move`, as in
            /// this example.
            ///
            #[doc = example!({ async } r#"
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Ending, Request};
use tokio::sync::mpsc;

let (sender, mut receiver) = mpsc::channel::<Request>(16);
// Other tasks send the wishes. When the last sender is dropped, `run` ends.
# drop(sender);
let mut controller = Controller::new(ControllerOptions::new());
let wishes = async move || receiver.recv().await;
ipvs.run(&mut controller, Ending::Keep, wishes, |event| println!("{event}")).await?;"#)]
            ///
            /// With [`Ending::Withdraw`](crate::table::controller::Ending::Withdraw) the end comes
            /// when everything has left. That may take as long as the deadline of
            /// [`PlanOptions::drain`](crate::table::PlanOptions::drain), and has no end if the
            /// kernel's module is gone. Drop the future to end earlier.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime): the tokio client is used
            /// outside a runtime. Failures of the kernel are no errors of this call but
            /// [events](crate::table::controller::Event), and the controller makes another attempt.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves the table as it is, and client and controller usable. The
            /// controller takes the outcome of a task that was being done as unknown, and reads what
            /// it is. Events that were not handed out stay in the controller. A request is lost only
            /// if dropping the future of `wishes` loses it.
            pub async fn run(
                &mut self,
                controller: &mut $crate::table::controller::Controller,
                ending: $crate::table::controller::Ending,
                mut wishes: impl AsyncFnMut() -> Option<$crate::table::controller::Request>,
                mut events: impl FnMut($crate::table::controller::Event),
            ) -> $crate::error::Result<()> {
                let (wishes, events) = (&mut wishes, &mut events);
                $crate::table::run(&mut self.engine, controller, ending, wishes, events).await
            }
        }

        /// Streaming.
        impl Client {
            /// Sends any number of changes in bounded memory, and streams each change with its
            /// outcome.
            ///
            /// The client takes, validates and sends about 64 changes at a time, like
            /// [`submit`](Self::submit), while the stream is polled. It does not send a chunk with
            /// an invalid change, but continues with the next chunk. After lost answers or a failed
            /// send it sends nothing more.
            ///
            #[doc = example!({ async } r#"
use ipvs_netlink::{Change, Service};

let services = (1..=10_000).map(|port| {
    Change::AddService(Service::tcp(([192, 0, 2, 10], port).into()))
});
let mut stream = ipvs.submit_stream(services);
while let Some((change, outcome)) = stream.next()"# await r#" {
    if !outcome.is_done() {
        eprintln!("{change}: {outcome}");
    }
}"#)]
            ///
            /// # Cancel safety
            ///
            /// Dropping the future of [`SubmitStream::next`] loses nothing. Dropping the stream
            /// leaves the changes after the current chunk undone; the stream may have taken one of
            /// them from the iterator already. The changes of the current chunk were all sent, or
            /// none was.
            pub fn submit_stream<I>(&mut self, changes: I) -> SubmitStream<'_, I::IntoIter>
            where
                I: IntoIterator<Item = $crate::model::Change>,
            {
                SubmitStream($crate::engine::Submitted::new(&mut self.engine, changes.into_iter()))
            }

            /// Streams all services, in bounded memory.
            ///
            /// If other programs write meanwhile, a service may be missing or come twice. Dropping
            /// the stream early leaves the client usable: the client discards the rest before its
            /// next request. The stream borrows the client until it is dropped.
            ///
            #[doc = example!({ async } r#"
let mut services = ipvs.stream_services()"# await r#"?;
while let Some(entry) = services.next()"# await r#" {
    println!("{}", entry?.id());
}"#)]
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// The first error ends the stream, unless it is
            /// [`MalformedReply`](crate::ErrorKind::MalformedReply) for a single entry.
            #[doc = cancel_safety!(async reads)]
            pub async fn stream_services(&mut self) -> $crate::error::Result<Services<'_>> {
                let run = self.engine.stream_services().await?;
                Ok(Services($crate::engine::Entries::new(&mut self.engine, run)))
            }

            /// Streams the destinations of a service, in bounded memory.
            ///
            /// The stream behaves like that of [`stream_services`](Self::stream_services). It is
            /// empty, without an error, if the service does not exist;
            /// [`destinations`](Self::destinations) reports that as an error.
            ///
            /// The stream borrows the client. To read the destinations of all services, collect
            /// the ids first or use a second client.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// The first error ends the stream, unless it is
            /// [`MalformedReply`](crate::ErrorKind::MalformedReply) for a single entry.
            #[doc = cancel_safety!(async reads)]
            pub async fn stream_destinations(
                &mut self,
                service: $crate::model::ServiceId,
            ) -> $crate::error::Result<Destinations<'_>> {
                let run = self.engine.stream_destinations(service).await?;
                Ok(Destinations($crate::engine::Entries::new(&mut self.engine, run)))
            }
        }

        /// Streams services. See [`Client::stream_services`].
        #[derive(Debug)]
        #[must_use = "the stream reads nothing until it is polled"]
        pub struct Services<'c>($crate::engine::Entries<'c, $transport, $crate::model::ServiceEntry>);

        /// Streams the destinations of a service. See [`Client::stream_destinations`].
        #[derive(Debug)]
        #[must_use = "the stream reads nothing until it is polled"]
        pub struct Destinations<'c>($crate::engine::Entries<'c, $transport, $crate::model::DestinationEntry>);

        /// Streams changes with their outcomes. See [`Client::submit_stream`].
        #[derive(Debug)]
        #[must_use = "the stream sends nothing until it is polled"]
        pub struct SubmitStream<'c, I>($crate::engine::Submitted<'c, $transport, I>);

        async_stream!({} Services<'_>, $crate::error::Result<$crate::model::ServiceEntry>);
        async_stream!({} Destinations<'_>, $crate::error::Result<$crate::model::DestinationEntry>);
        async_stream!({ <I: Iterator<Item = $crate::model::Change> + Unpin> } SubmitStream<'_, I>, ($crate::model::Change, $crate::engine::Outcome));
    };
}

/// Implements `Stream` and `next` for a newtype over a type with `poll_next`.
macro_rules! async_stream {
    ({ $($generics:tt)* } $stream:ty, $item:ty) => {
        impl $($generics)* futures_core::Stream for $stream {
            type Item = $item;

            fn poll_next(
                self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Self::Item>> {
                self.get_mut().0.poll_next(context)
            }
        }

        impl $($generics)* $stream {
            /// Returns the next item, `None` at the end.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn next(&mut self) -> Option<$item> {
                std::future::poll_fn(|context| self.0.poll_next(context)).await
            }
        }
    };
}

pub(crate) use {async_client, async_stream};
