/// How a client is opened, with the documentation, written once for all of them.
/// Parameters as of `operations`, and the transport.
macro_rules! connecting {
    ($client:ty, $transport:ty, { $($async:tt)? }, $wait:ident) => {
        /// Connecting.
        impl $client {
            /// Opens a client for the network namespace of the calling thread.
            ///
            /// The kernel loads the module `ip_vs` if it is not loaded. Connecting takes no privilege,
            /// but every command does; [`check`](Self::check) tells whether they are allowed.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the
            /// kernel has no IPVS, [`ErrorKind::Socket`](crate::ErrorKind::Socket)
            /// when no socket can be opened, and of the async clients
            /// [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime).
            $(#[doc = cancel_safety!($async connects)])?
            pub $($async)? fn connect() -> $crate::error::Result<Self> {
                let endpoints = $crate::engine::Endpoints::open()?;
                $wait!($crate::engine::Engine::<$transport>::over(endpoints)).map(|engine| Self { engine })
            }

            /// Opens a client for the network namespace of the file at `path`, such as
            /// `/run/netns/blue` or `/proc/1234/ns/net`. The calling thread stays in its own
            /// namespace.
            #[doc(alias = "netns")]
            ///
            /// # Errors
            ///
            /// As [`connect`](Self::connect),
            /// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied) when the
            /// caller may not open the file or has no `CAP_SYS_ADMIN`,
            /// [`ErrorKind::NoSuchNamespace`](crate::ErrorKind::NoSuchNamespace) when there is
            /// no such file, [`ErrorKind::NotANamespace`](crate::ErrorKind::NotANamespace) when
            /// it is not that of a network namespace, and
            /// [`ErrorKind::Socket`](crate::ErrorKind::Socket) when it cannot be opened for
            /// another reason. [`Error::namespace`](crate::Error::namespace) is the path.
            $(#[doc = cancel_safety!($async connects)])?
            pub $($async)? fn in_namespace(path: impl AsRef<std::path::Path>) -> $crate::error::Result<Self> {
                let endpoints = $crate::engine::Endpoints::open_at(path.as_ref())?;
                $wait!($crate::engine::Engine::<$transport>::over(endpoints)).map(|engine| Self { engine })
            }

            /// Opens a client for the network namespace of an open file. The calling thread stays in
            /// its own namespace.
            ///
            /// # Errors
            ///
            /// As [`in_namespace`](Self::in_namespace).
            $(#[doc = cancel_safety!($async connects)])?
            pub $($async)? fn in_namespace_fd(
                namespace: impl std::os::fd::AsFd,
            ) -> $crate::error::Result<Self> {
                let endpoints = $crate::engine::Endpoints::open_in(namespace.as_fd())?;
                $wait!($crate::engine::Engine::<$transport>::over(endpoints)).map(|engine| Self { engine })
            }

            /// Creates a client from open netlink sockets of the protocol `NETLINK_GENERIC`, such as
            /// sockets of another process. The client reads destinations with `dumps`, or with
            /// `commands` if it is `None`.
            ///
            /// The client connects the sockets to the kernel and discards datagrams that wait in them.
            /// The kernel also checks `CAP_NET_ADMIN` of the process that opened the sockets.
            ///
            /// # Errors
            ///
            /// As [`connect`](Self::connect), and
            /// [`ErrorKind::Socket`](crate::ErrorKind::Socket) when a socket is not one of
            /// generic netlink.
            $(#[doc = cancel_safety!($async connects)])?
            #[cfg(feature = "packet")]
            #[cfg_attr(docsrs, doc(cfg(feature = "packet")))]
            pub $($async)? fn from_sockets(
                commands: netlink_sys::Socket,
                dumps: Option<netlink_sys::Socket>,
            ) -> $crate::error::Result<Self> {
                $wait!($crate::engine::Engine::<$transport>::adopt(commands, dumps)).map(|engine| Self { engine })
            }

            /// Returns how long an operation waits for each answer, 5 seconds by default. `None` waits
            /// for ever.
            #[must_use]
            pub const fn deadline(&self) -> Option<std::time::Duration> {
                self.engine.deadline
            }

            /// Sets how long an operation waits for each answer. An operation with many answers, such
            /// as a snapshot, may take longer as a whole. 0 does not wait, and `None` waits for ever.
            ///
            /// An answer is normally there when its request has been sent, so reaching the deadline
            /// means that an answer was lost.
            #[doc(alias = "timeout")]
            pub const fn set_deadline(&mut self, deadline: Option<std::time::Duration>) {
                self.engine.deadline = deadline;
            }
        }
    };
}
pub(crate) use connecting;
