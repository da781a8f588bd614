//! What the async clients have in common.

/// An async client over `$transport`, with its streams.
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
        operations!(Client, { async }, wait);
        table_operations!(Client, { async }, wait);

        /// Streaming.
        impl Client {
            /// Submits any number of changes in bounded memory, and yields each change with its
            /// outcome.
            ///
            /// The stream validates, sends and reports chunks of about 64 changes as it is driven. A
            /// chunk with an invalid change is not sent as a whole; the next chunk is. After a lost
            /// answer or a failed send nothing more is sent.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future of [`SubmitStream::next`] loses nothing. If the stream is dropped,
            /// the changes of the present chunk have been executed, or none of them has been sent.
            /// The changes after it are not sent; the stream may already have taken one of them from
            /// `changes`.
            pub fn submit_stream<I>(&mut self, changes: I) -> SubmitStream<'_, I::IntoIter>
            where
                I: IntoIterator<Item = $crate::model::Change>,
            {
                SubmitStream($crate::engine::Submitted::new(&mut self.engine, changes.into_iter()))
            }

            /// Reads the services one after the other, in bounded memory.
            ///
            /// If other programs write meanwhile, a service may be missing or occur twice. If the
            /// stream is dropped early, the client discards the rest of the list before its next
            /// request. The stream borrows the client until it is dropped.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// An item that is an error is the last one, unless it is a malformed
            /// entry.
            #[doc = cancel_safety!(async reads)]
            pub async fn stream_services(&mut self) -> $crate::error::Result<Services<'_>> {
                let run = self.engine.stream_services().await?;
                Ok(Services($crate::engine::Entries::new(&mut self.engine, run)))
            }

            /// Reads the destinations of a service one after the other, in bounded
            /// memory.
            ///
            /// For a service that does not exist the kernel reports no destinations and no error;
            /// [`destinations`](Self::destinations) reports an error.
            #[doc = include_str!("errors_of_reads.md")]
            ///
            /// An item that is an error is the last one, unless it is a malformed
            /// entry.
            #[doc = cancel_safety!(async reads)]
            pub async fn stream_destinations(
                &mut self,
                service: $crate::model::ServiceId,
            ) -> $crate::error::Result<Destinations<'_>> {
                let run = self.engine.stream_destinations(service).await?;
                Ok(Destinations($crate::engine::Entries::new(&mut self.engine, run)))
            }
        }

        /// A stream of services. See [`Client::stream_services`].
        #[derive(Debug)]
        #[must_use = "it reads nothing until it is driven"]
        pub struct Services<'c>($crate::engine::Entries<'c, $transport, $crate::model::ServiceEntry>);

        /// A stream of the destinations of a service. See
        /// [`Client::stream_destinations`].
        #[derive(Debug)]
        #[must_use = "it reads nothing until it is driven"]
        pub struct Destinations<'c>($crate::engine::Entries<'c, $transport, $crate::model::DestinationEntry>);

        /// A stream of changes and their outcomes. See [`Client::submit_stream`].
        #[derive(Debug)]
        #[must_use = "nothing is sent until it is driven"]
        pub struct SubmitStream<'c, I>($crate::engine::Submitted<'c, $transport, I>);

        async_stream!({} Services<'_>, $crate::error::Result<$crate::model::ServiceEntry>);
        async_stream!({} Destinations<'_>, $crate::error::Result<$crate::model::DestinationEntry>);
        async_stream!({ <I: Iterator<Item = $crate::model::Change> + Unpin> } SubmitStream<'_, I>, ($crate::model::Change, $crate::engine::Outcome));
    };
}

/// Makes a newtype over something with `poll_next` a stream.
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
            /// The next item, `None` at the end.
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
