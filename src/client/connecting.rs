/// How a client is opened, with the documentation, written once for all of them.
/// Parameters as of `operations`, and the transport.
macro_rules! connecting {
    ($client:ty, $transport:ty, { $($async:tt)? }, $wait:ident) => {
        /// Connecting.
        impl $client {
            /// Opens a client for the network namespace of the calling thread.
            ///
            /// The kernel loads the module `ip_vs` if it is not loaded. That takes no
            /// privilege, unlike every command; [`check`](Self::check) tells whether
            /// those will be allowed.
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

            /// Opens a client for the network namespace that the file at `path` stands
            /// for, such as `/run/netns/blue` or `/proc/1234/ns/net`. The calling
            /// thread stays in its own.
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

            /// Opens a client for the network namespace that `namespace` is open on.
            /// The calling thread stays in its own.
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

            /// Makes a client of netlink sockets of the protocol `NETLINK_GENERIC`
            /// that somebody opened, wherever that was. `dumps` is for the
            /// destinations; without it the one socket does everything.
            ///
            /// The sockets are connected to the kernel, and what waits in them is
            /// thrown away. The kernel also asks for `CAP_NET_ADMIN` of whoever opened
            /// them.
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

            /// How long an operation waits for each answer, 5 seconds by default;
            /// `None` is for ever.
            #[must_use]
            pub const fn deadline(&self) -> Option<std::time::Duration> {
                self.engine.deadline
            }

            /// Sets how long an operation waits for each answer, which is not how long it
            /// takes as a whole: a snapshot has many. 0 takes only what is there at once,
            /// `None` waits for ever.
            ///
            /// Answers are normally there when the request has been sent, so a
            /// deadline that is reached means that one was lost.
            pub const fn set_deadline(&mut self, deadline: Option<std::time::Duration>) {
                self.engine.deadline = deadline;
            }
        }
    };
}
pub(crate) use connecting;
