//! What happens to a request before and after the kernel executes it: counting, the log, faults
//! and hooks.

use std::sync::{Arc, MutexGuard};

use crate::fake::faults::Event;
use crate::fake::kernel::Shared;
use crate::fake::log::Entry;
use crate::fake::netlink::acknowledgement::Reason;
use crate::fake::netlink::inbox::Fate;
use crate::fake::netlink::message::Message;
use crate::fake::state::State;
use crate::fake::table::slab::Slot;
use crate::fake::{Errno, Fault, Kernel, Request};

/// What becomes of a request, by its faults.
#[derive(Default)]
struct Verdict {
    refusal: Option<Errno>,
    not_sent: Option<Errno>,
    fate: Fate,
}

impl Shared {
    /// Executes one message, with what is planned for it.
    pub(super) fn receive<'s>(
        self: &'s Arc<Self>,
        mut state: MutexGuard<'s, State>,
        socket: Slot,
        message: &Message<'_>,
    ) -> (MutexGuard<'s, State>, Result<(), Errno>) {
        if !message.is_request() || message.is_control() {
            state.receive(socket, message);
            return (state, Ok(()));
        }
        state.note(socket, message);
        if state.faults.are_none() {
            state.receive(socket, message);
            return (state, Ok(()));
        }
        let (mut state, verdict) = self.meddle(state, socket, message);
        if let Some(errno) = verdict.not_sent {
            return (state, Err(errno));
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
        (state, Ok(()))
    }

    /// Lets happen what is planned for the request that was counted last. Hooks run without the
    /// lock.
    fn meddle<'s>(
        self: &'s Arc<Self>,
        mut state: MutexGuard<'s, State>,
        socket: Slot,
        message: &Message<'_>,
    ) -> (MutexGuard<'s, State>, Verdict) {
        let kernel = Kernel::of(self);
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
            let request = Request::new(entry, &name.unwrap_or_default());
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
                state.advance(time);
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
