/// Defines how clients are opened, with documentation, once for all clients. The parameters are
/// those of `reading_operations`, and the transport.
macro_rules! connecting {
    ($client:ty, $transport:ty, { $($async:tt)? }, $wait:ident) => {
        /// Connecting.
        impl $client {
            /// Opens a client for the network namespace of the calling thread.
            ///
            /// The kernel loads the module `ip_vs` if needed. Connecting needs no privilege, but
            /// every command does: [`check`](Self::check) finds out whether commands are allowed.
            ///
            /// # Errors
            ///
            /// - [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable): the kernel has no
            ///   IPVS and cannot load it.
            /// - [`ErrorKind::Socket`](crate::ErrorKind::Socket): no socket can be opened.
            /// - [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime): the tokio client is
            ///   opened outside a runtime.
            $(#[doc = cancel_safety!($async connects)])?
            pub $($async)? fn connect() -> $crate::error::Result<Self> {
                let endpoints = $crate::engine::Endpoints::open()?;
                $wait!($crate::engine::Engine::<$transport>::over(endpoints)).map(|engine| Self { engine })
            }

            /// Opens a client for the network namespace of the file at `path`, such as
            /// `/run/netns/blue` or `/proc/1234/ns/net`. The calling thread keeps its namespace.
            ///
            /// # Errors
            ///
            /// The errors of [`connect`](Self::connect), and:
            ///
            /// - [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied): the caller
            ///   may not open the file, or has no `CAP_SYS_ADMIN`.
            /// - [`ErrorKind::NoSuchNamespace`](crate::ErrorKind::NoSuchNamespace): the file does
            ///   not exist.
            /// - [`ErrorKind::NotANamespace`](crate::ErrorKind::NotANamespace): the file is not a
            ///   network namespace.
            /// - [`ErrorKind::Socket`](crate::ErrorKind::Socket): the file cannot be opened for
            ///   another reason.
            ///
            /// [`Error::namespace`](crate::Error::namespace) returns the path.
            $(#[doc = cancel_safety!($async connects)])?
            pub $($async)? fn in_namespace(path: impl AsRef<std::path::Path>) -> $crate::error::Result<Self> {
                let endpoints = $crate::engine::Endpoints::open_at(path.as_ref())?;
                $wait!($crate::engine::Engine::<$transport>::over(endpoints)).map(|engine| Self { engine })
            }

            /// Opens a client for the network namespace of the open file `namespace`. The calling
            /// thread keeps its namespace.
            ///
            /// # Errors
            ///
            /// The errors of [`in_namespace`](Self::in_namespace).
            $(#[doc = cancel_safety!($async connects)])?
            pub $($async)? fn in_namespace_fd(
                namespace: impl std::os::fd::AsFd,
            ) -> $crate::error::Result<Self> {
                let endpoints = $crate::engine::Endpoints::open_in(namespace.as_fd())?;
                $wait!($crate::engine::Engine::<$transport>::over(endpoints)).map(|engine| Self { engine })
            }

            /// Opens a client for the initial network namespace of a fake kernel. It works as with
            /// Linux, but nothing leaves the process.
            ///
            /// # Errors
            ///
            /// The errors of [`connect`](Self::connect): `Unavailable` if the module of the kernel
            /// cannot be loaded, and `Socket` if the process has no descriptor left.
            $(#[doc = cancel_safety!($async connects)])?
            #[cfg(feature = "fake")]
            #[cfg_attr(docsrs, doc(cfg(feature = "fake")))]
            pub $($async)? fn fake(kernel: &$crate::fake::Kernel) -> $crate::error::Result<Self> {
                let endpoints = $crate::engine::Endpoints::fake(&kernel.initial())?;
                $wait!($crate::engine::Engine::<$transport>::over(endpoints)).map(|engine| Self { engine })
            }

            /// Opens a client for a network namespace of a fake kernel.
            ///
            /// # Errors
            ///
            /// The errors of [`fake`](Self::fake).
            $(#[doc = cancel_safety!($async connects)])?
            #[cfg(feature = "fake")]
            #[cfg_attr(docsrs, doc(cfg(feature = "fake")))]
            pub $($async)? fn fake_in(
                namespace: &$crate::fake::Namespace,
            ) -> $crate::error::Result<Self> {
                let endpoints = $crate::engine::Endpoints::fake(namespace)?;
                $wait!($crate::engine::Engine::<$transport>::over(endpoints)).map(|engine| Self { engine })
            }

            /// Creates a client from open netlink sockets of the protocol `NETLINK_GENERIC`. The
            /// client works in the network namespace in which the sockets were opened.
            ///
            /// The client lists destinations over the socket `dumps`. Without one it uses
            /// `commands` for everything.
            ///
            /// The client connects the sockets to the kernel, discards the datagrams in them, and
            /// turns the option `NETLINK_NO_ENOBUFS` off: with it, lost answers go unnoticed.
            /// The kernel requires `CAP_NET_ADMIN` of the process that opened the sockets, too.
            ///
            /// # Errors
            ///
            /// The errors of [`connect`](Self::connect), and
            /// [`ErrorKind::Socket`](crate::ErrorKind::Socket) if a socket is not a generic
            /// netlink socket.
            $(#[doc = cancel_safety!($async connects)])?
            #[cfg(feature = "packet")]
            #[cfg_attr(docsrs, doc(cfg(feature = "packet")))]
            pub $($async)? fn from_sockets(
                commands: netlink_sys::Socket,
                dumps: Option<netlink_sys::Socket>,
            ) -> $crate::error::Result<Self> {
                $wait!($crate::engine::Engine::<$transport>::adopt(commands, dumps)).map(|engine| Self { engine })
            }

            /// Returns a handle on the files of this client's network namespace under `/proc`, such
            /// as its connections. The calling thread keeps its namespace. The handle lives longer
            /// than the client if need be.
            ///
            /// Reading these files blocks the calling thread: see
            /// [`procfs`](crate::procfs).
            ///
            /// # Errors
            ///
            /// - [`UnknownNamespace`](crate::procfs::ProcfsError::UnknownNamespace): the client is
            ///   one of a fake kernel, or was created from sockets.
            /// - [`NoProc`](crate::procfs::ProcfsError::NoProc): `/proc` was not mounted when the
            ///   client was opened.
            /// - [`System`](crate::procfs::ProcfsError::System): no descriptor was or is left.
            pub fn procfs(
                &self,
            ) -> ::std::result::Result<$crate::procfs::Procfs, $crate::procfs::ProcfsError> {
                $crate::client::procfs::of(&self.engine.home)
            }

            /// Calls `observe` with each [`Exchange`](crate::Exchange) with the kernel from now on,
            /// when it ends. Replaces the former function. Without one, an exchange costs
            /// a few instructions more, because its bytes are counted all the same.
            ///
            /// The function is called on the thread that uses the client, so it should be fast. A
            /// list of entries is told when it has been read to its end; a stream that is dropped
            /// before is not told.
            ///
            #[doc = example!({ $($async)? } r#"
ipvs.observe(|exchange| eprintln!("{exchange}"));
ipvs.services()"# await "?;")]
            pub fn observe(
                &mut self,
                observe: impl FnMut(&$crate::engine::Exchange<'_>) + Send + Sync + 'static,
            ) {
                self.engine.observer.set(Some(Box::new(observe)));
            }

            /// Ends what [`observe`](Self::observe) began.
            pub fn stop_observing(&mut self) {
                self.engine.observer.set(None);
            }

            /// Returns how long an operation waits for each answer: 5 seconds by default. `None`
            /// waits without end.
            #[must_use]
            pub const fn deadline(&self) -> Option<std::time::Duration> {
                self.engine.deadline
            }

            /// Sets how long an operation waits for each answer. `Duration::ZERO` accepts only
            /// answers that are there at once. `None` waits without end.
            ///
            /// The deadline is for one answer, not for the whole operation: a snapshot takes many
            /// answers. The answer is normally there when the request has been sent, so a missed
            /// deadline means that an answer was lost.
            pub const fn set_deadline(&mut self, deadline: Option<std::time::Duration>) {
                self.engine.deadline = deadline;
            }
        }
    };
}
pub(crate) use connecting;
