use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fake::faults::{Event, Faults};
use crate::fake::log::Entry;
use crate::fake::netlink::acknowledgement::Reason;
use crate::fake::netlink::inbox::Fate;
use crate::fake::netlink::message::Message;
use crate::fake::state::State;
use crate::fake::table::slab::Slot;
use crate::fake::{Errno, Fault, Namespace, Request, Socket, Version};

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
    real_time: bool,
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
    pub fn advance(&self, time: Duration) {
        let mut state = self.0.lock();
        let now = state.now() + time;
        state.pass(now);
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
        state.log.entries().map(|entry| Request::new(entry, name(entry.space))).collect()
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

/// What becomes of a request, by its faults.
#[derive(Default)]
struct Verdict {
    refusal: Option<Errno>,
    not_sent: Option<Errno>,
    fate: Fate,
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

    /// Executes one message, with what is planned for it.
    pub(super) fn receive<'s>(
        self: &'s Arc<Self>,
        mut state: MutexGuard<'s, State>,
        socket: Slot,
        message: &Message<'_>,
    ) -> Result<MutexGuard<'s, State>, Errno> {
        if !message.is_request() || message.is_control() {
            state.receive(socket, message);
            return Ok(state);
        }
        state.note(socket, message);
        if state.faults.are_none() {
            state.receive(socket, message);
            return Ok(state);
        }
        let (mut state, verdict) = self.meddle(state, socket, message);
        if let Some(errno) = verdict.not_sent {
            return Err(errno);
        }
        state.set_fate(socket, verdict.fate);
        match verdict.refusal {
            Some(errno) => state.acknowledge(socket, message, Err(errno), &Reason::default()),
            None => state.receive(socket, message),
        }
        state.set_fate(socket, Fate::Delivered);
        if matches!(verdict.fate, Fate::Lost | Fate::Overflowing) {
            state.end_dump(socket, message.sequence);
        }
        Ok(state)
    }

    /// Lets happen what is planned for the request that was counted last. Hooks run without the
    /// lock.
    fn meddle<'s>(
        self: &'s Arc<Self>,
        mut state: MutexGuard<'s, State>,
        socket: Slot,
        message: &Message<'_>,
    ) -> (MutexGuard<'s, State>, Verdict) {
        let kernel = Kernel(Arc::clone(self));
        let mut verdict = Verdict::default();
        for event in state.faults.take_due() {
            match event {
                Event::Fault(fault) => state = self.judge(state, fault, &mut verdict),
                Event::Hook(hook) => {
                    drop(state);
                    hook(&kernel);
                    state = self.lock();
                }
            }
        }
        if let Some(mut interceptor) = state.faults.interceptor.take() {
            let which = state.faults.interceptors;
            let entry = state.entry(socket, message);
            let name = state.table.spaces.get(entry.space).map(|space| space.name.clone());
            drop(state);
            let request = Request::new(&entry, &name.unwrap_or_default());
            let fault = interceptor(&kernel, &request);
            state = self.lock();
            if state.faults.interceptors == which {
                state.faults.interceptor = Some(interceptor);
            }
            if let Some(fault) = fault {
                state = self.judge(state, fault, &mut verdict);
            }
        }
        (state, verdict)
    }

    fn judge<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        fault: Fault,
        verdict: &mut Verdict,
    ) -> MutexGuard<'s, State> {
        let fate = match fault {
            Fault::Refused(errno) => {
                verdict.refusal.get_or_insert(errno);
                return state;
            }
            Fault::NotSent(errno) => {
                verdict.not_sent.get_or_insert(errno);
                return state;
            }
            Fault::Latency(time) if self.real_time => {
                drop(state);
                std::thread::sleep(time);
                return self.lock();
            }
            Fault::Latency(time) => {
                let now = state.now() + time;
                state.pass(now);
                return state;
            }
            Fault::AnswerLost => Fate::Lost,
            Fault::Overflow => Fate::Overflowing,
            Fault::Truncated => Fate::Cut,
        };
        if verdict.fate == Fate::Delivered {
            verdict.fate = fate;
        }
        state
    }
}

impl State {
    /// Follows the clock of a client, in real time.
    pub(super) fn follow(&mut self, clock: impl FnOnce() -> Instant) {
        if let Some(now) = self.clock.follow(clock) {
            self.pass(now);
        }
    }

    /// Counts a request and writes it into the log.
    fn note(&mut self, socket: Slot, message: &Message<'_>) {
        self.faults.count();
        let space = self.sockets.get(socket).map_or(0, |socket| socket.space);
        let when = (self.faults.requests, self.clock.now());
        self.log.note(when, space, self.module.family, message.bytes);
    }

    fn entry(&self, socket: Slot, message: &Message<'_>) -> Entry {
        Entry {
            number: self.faults.requests,
            at: self.clock.now(),
            space: self.sockets.get(socket).map_or(0, |socket| socket.space),
            family: self.module.family,
            bytes: message.bytes.to_vec(),
        }
    }

    fn set_fate(&mut self, socket: Slot, fate: Fate) {
        if let Some(socket) = self.sockets.get_mut(socket) {
            socket.inbox.fate = fate;
        }
    }

    /// Ends a dump whose first datagram was lost: nothing would ever be received that makes the
    /// next one.
    fn end_dump(&mut self, socket: Slot, sequence: u32) {
        if let Some(socket) = self.sockets.get_mut(socket) {
            socket.dump = socket.dump.take_if(|dump| dump.sequence != sequence);
        }
    }
}
