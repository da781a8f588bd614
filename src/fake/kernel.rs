use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fake::faults::{Event, Faults};
use crate::fake::state::State;
use crate::fake::{Fault, Namespace, Request, Socket, Version};

/// A kernel in memory, with its network namespaces, clock and faults.
///
/// Clones are the same kernel. The kernel lives as long as a clone, a namespace, a socket or a
/// client of it. See the [module](crate::fake) for an example.
#[derive(Clone)]
pub struct Kernel(Arc<Shared>);

/// A fake kernel for all its handles.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Whether clients wait in real time.
    pub(super) real_time: bool,
}

impl Default for Kernel {
    fn default() -> Self {
        Self::new()
    }
}

impl Kernel {
    /// Creates a kernel of the newest [`Version`] with a virtual clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_version(Version::default())
    }

    /// Creates a kernel of this version with a virtual clock.
    ///
    /// The clock moves only by [`advance`](Self::advance), by waits of the clients, which then
    /// return at once, and by [`Fault::Latency`].
    #[must_use]
    pub fn with_version(version: Version) -> Self {
        Self::build(version, false)
    }

    /// Creates a kernel of this version whose clients wait in real time: in that of the operating
    /// system, or in tokio's, which a test may pause.
    ///
    /// The kernel's clock follows those of its clients whenever they send or receive.
    #[must_use]
    pub fn in_real_time(version: Version) -> Self {
        Self::build(version, true)
    }

    fn build(version: Version, real_time: bool) -> Self {
        let state = Mutex::new(State::new(version, real_time));
        Self(Arc::new(Shared { state, real_time }))
    }

    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self(Arc::clone(shared))
    }

    /// Returns the version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.lock().table.version
    }

    /// Returns the initial network namespace.
    #[must_use]
    pub fn initial(&self) -> Namespace {
        Namespace::new(Arc::clone(&self.0), 0)
    }

    /// Returns the network namespace of this name. Creates it if there is none. The initial one
    /// has the empty name.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Namespace {
        let space = self.0.lock().space_named(name);
        Namespace::new(Arc::clone(&self.0), space)
    }

    /// Opens a netlink socket in the initial network namespace.
    ///
    /// # Errors
    ///
    /// The process has no descriptor left.
    pub fn socket(&self) -> io::Result<Socket> {
        Socket::open(&self.0, 0)
    }

    /// Returns the time of the kernel's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.lock().clock.now()
    }

    /// Returns how far the clock has gone since the kernel was created.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.lock().now()
    }

    /// Moves the clock forward. Connections end, the trash is emptied and counters grow as in
    /// that time.
    ///
    /// In real time, the clocks of the clients do not move: for the kernel, more time has passed
    /// than for them.
    pub fn advance(&self, time: Duration) {
        self.0.lock().advance(time);
    }

    /// Sets whether senders have `CAP_NET_ADMIN`, which they have at first. Without it, the
    /// kernel refuses every command with `EPERM`. Clients can still connect.
    pub fn set_privileged(&self, privileged: bool) {
        self.0.lock().privileged = privileged;
    }

    /// Unloads the module `ip_vs`: services, destinations, timeouts and daemons of all namespaces
    /// are gone, and requests are refused with `ENOENT`.
    ///
    /// The kernel loads the module again when a client looks its family up, which clients do
    /// after `ENOENT`. The family then has another id. To keep the module away, call
    /// [`set_loadable`](Self::set_loadable).
    ///
    /// All requests of a datagram meet the same family. Between two requests of one datagram, this
    /// therefore takes effect when the datagram has been executed.
    pub fn unload(&self) {
        self.0.lock().unload();
    }

    /// Sets whether the kernel can load the module `ip_vs`, which it can at first. Says nothing
    /// about a module that is loaded.
    pub fn set_loadable(&self, loadable: bool) {
        self.0.lock().module.loadable = loadable;
    }

    /// Plans a fault for the `nth` request from now, of all clients. 1 is the next request.
    /// Several faults may be planned for one request: the first that decides about it counts.
    ///
    /// Each netlink message to IPVS, and each look-up of its family, is a request. Clients send
    /// several requests in one datagram.
    pub fn fail(&self, nth: u64, fault: Fault) {
        self.0.lock().faults.plan(nth, Event::Fault(fault));
    }

    /// Runs `hook` right before the kernel executes the `nth` request from now, of all clients. 1
    /// is the next request. The hook may do anything but wait for the client that sends the
    /// request: change tables as a foreign writer, move the clock, plan further faults.
    ///
    /// A hook gets the kernel. It should not own a handle of the kernel: the kernel would live
    /// until the hook has run.
    pub fn before(&self, nth: u64, hook: impl FnOnce(&Self) + Send + 'static) {
        self.0.lock().faults.plan(nth, Event::Hook(Box::new(hook)));
    }

    /// Calls `interceptor` right before the kernel executes each request, and lets it choose a
    /// fault. An interceptor may do what a hook of [`before`](Self::before) may do. Requests that
    /// are sent by the interceptor itself are not intercepted.
    ///
    /// It takes the place of the interceptor that was set before.
    ///
    /// ```
    /// use ipvs_netlink::fake::{Errno, Fault, Kernel};
    /// use ipvs_netlink::{Client, Operation};
    ///
    /// let kernel = Kernel::new();
    /// kernel.intercept(|_, request| {
    ///     let flush = request.operation() == Some(Operation::Flush);
    ///     flush.then_some(Fault::Refused(Errno::NOMEM))
    /// });
    /// let mut ipvs = Client::fake(&kernel)?;
    /// assert_eq!(ipvs.flush().unwrap_err().errno(), Some(12));
    /// # Ok::<(), ipvs_netlink::Error>(())
    /// ```
    pub fn intercept(
        &self,
        interceptor: impl FnMut(&Self, &Request) -> Option<Fault> + Send + 'static,
    ) {
        let mut state = self.0.lock();
        state.faults.interceptors += 1;
        let old = state.faults.interceptor.replace(Box::new(interceptor));
        drop(state);
        drop(old);
    }

    /// Forgets all faults and hooks that are planned, and the interceptor.
    pub fn clear_faults(&self) {
        let mut faults = Faults::default();
        let mut state = self.0.lock();
        faults.requests = state.faults.requests;
        faults.interceptors = state.faults.interceptors + 1;
        let old = std::mem::replace(&mut state.faults, faults);
        drop(state);
        // The hooks may own handles of this kernel.
        drop(old);
    }

    /// Returns how many requests the kernel has received. It does not count messages to the
    /// netlink core, such as `NLMSG_NOOP`.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.lock().faults.requests
    }

    /// Returns the last requests, the oldest first: 256 unless [`keep_log`](Self::keep_log) sets
    /// another number.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        let state = self.0.lock();
        let name = |space: usize| state.table.spaces.get(space).map_or("", |it| it.name.as_str());
        state.log.entries().map(|entry| Request::new(entry.clone(), name(entry.space))).collect()
    }

    /// Sets how many requests the log keeps. 0 turns it off.
    pub fn keep_log(&self, requests: usize) {
        self.0.lock().log.resize(requests);
    }

    /// Forgets all requests in the log.
    pub fn clear_log(&self) {
        self.0.lock().log.clear();
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        let mut kernel = f.debug_struct("Kernel");
        kernel.field("version", &state.table.version).field("elapsed", &state.now());
        kernel.field("requests", &state.faults.requests).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a test's hook leaves the state as it was between two requests.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the clock is virtual.
    pub(crate) const fn is_virtual(&self) -> bool {
        !self.real_time
    }

    pub(crate) fn now(&self) -> Instant {
        self.lock().clock.now()
    }

    /// Moves a virtual clock to `until`.
    pub(crate) fn wait_until(&self, until: Instant) {
        let mut state = self.lock();
        let until = state.clock.until(until);
        state.pass(until);
    }
}
