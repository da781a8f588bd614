//! A kernel that follows a script: for each datagram that is sent, one step says
//! what comes back, and when.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::engine::channel::Channel;
use crate::engine::{Engine, Link, Transport};
use crate::error::Failure;
use crate::proto::tests::PORT;
use crate::proto::tests::reply::FAMILY;
pub(crate) use crate::proto::tests::reply::{Reply, datagram};
pub(crate) use crate::wire::tests::any_report::AnyReport;
pub(crate) use crate::wire::tests::raw::Raw;
use crate::wire::tests::raw::attribute;

/// What receiving meets next.
#[derive(Debug)]
pub(crate) enum Event {
    Datagram(Vec<u8>),
    Failure(Errno),
    /// Nothing is there until one waits for it.
    Late,
    /// Nothing comes until the deadline.
    Never,
    /// Nothing comes until [`Script::unblock`].
    Blocked,
}

/// What a client did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Send,
    Receive,
    Wait,
}

type Answers = Box<dyn FnOnce(&[Raw]) -> Vec<Event> + Send>;
type Server = Box<dyn FnMut(&[Raw], Duration) -> Vec<Event> + Send>;

#[derive(Default)]
struct State {
    steps: VecDeque<Result<Answers, Errno>>,
    /// Answers sends for which no step is left.
    server: Option<Server>,
    events: VecDeque<Event>,
    sent: Vec<Vec<u8>>,
    calls: Vec<Call>,
    deadlines: Vec<Instant>,
    /// How far the clock has gone since the script began.
    elapsed: Duration,
}

/// The scripted kernel's end of a socket. Clones are the same one.
///
/// Its clock stands still, but for waiting: a sleep moves the clock on by its length, and
/// waiting for an answer that never comes moves the clock to the deadline.
#[derive(Clone)]
pub(crate) struct Script {
    state: Arc<Mutex<State>>,
    begin: Instant,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default(), begin: Instant::now() }
    }

    /// How far the clock has gone.
    pub(crate) fn elapsed(&self) -> Duration {
        self.state().elapsed
    }

    /// An engine that has found the family, over this socket alone.
    pub(crate) fn engine(&self) -> Engine<Self> {
        self.engine_with(None)
    }

    /// An engine with a socket of its own for destinations.
    pub(crate) fn engine_with(&self, dumps: Option<&Self>) -> Engine<Self> {
        self.then(found(FAMILY));
        let engine = self.open(dumps).unwrap();
        self.forget();
        engine
    }

    pub(crate) fn open(&self, dumps: Option<&Self>) -> crate::error::Result<Engine<Self>> {
        let commands = Link::for_commands(self.clone(), PORT);
        let dumps = dumps.map(|script| Link::for_destinations(script.clone(), PORT));
        ready(Engine::open(commands, dumps, Some(Duration::from_secs(5))))
    }

    /// What the next send that has no step yet leads to.
    pub(crate) fn then(&self, answers: impl FnOnce(&[Raw]) -> Vec<Event> + Send + 'static) {
        self.state().steps.push_back(Ok(Box::new(answers)));
    }

    /// The next send that has no step yet fails.
    pub(crate) fn then_send_fails(&self, errno: Errno) {
        self.state().steps.push_back(Err(errno));
    }

    /// Every send for which no step is left leads to what `server` answers, given the requests
    /// and how far the clock has gone.
    pub(crate) fn serve(
        &self,
        server: impl FnMut(&[Raw], Duration) -> Vec<Event> + Send + 'static,
    ) {
        self.state().server = Some(Box::new(server));
    }

    /// What receiving meets after all that is there already.
    pub(crate) fn queue(&self, event: Event) {
        self.state().events.push_back(event);
    }

    /// The messages that were sent, and forgets them and the calls.
    pub(crate) fn forget(&self) -> Vec<Raw> {
        let mut state = self.state();
        state.calls.clear();
        let sent = std::mem::take(&mut state.sent);
        sent.iter().flat_map(|datagram| Raw::all(datagram)).collect()
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many answers wait to be received.
    pub(crate) fn waiting(&self) -> usize {
        self.state().events.len()
    }

    /// Until when each waiting was to last.
    pub(crate) fn deadlines(&self) -> Vec<Instant> {
        self.state().deadlines.clone()
    }

    /// How many datagrams were sent, or tried to be.
    pub(crate) fn sends(&self) -> usize {
        self.calls().iter().filter(|call| **call == Call::Send).count()
    }

    /// Every step was taken and every datagram received.
    pub(crate) fn assert_finished(&self) {
        let state = self.state();
        assert_eq!(state.steps.len(), 0, "requests that were not sent");
        assert!(state.events.is_empty(), "not received: {:?}", state.events);
    }

    /// What was not sent is not going to be.
    pub(crate) fn give_up(&self) {
        self.state().steps.clear();
    }

    /// What was held back comes.
    pub(crate) fn unblock(&self) {
        self.state().events.retain(|event| !matches!(event, Event::Blocked));
    }

    /// What was held back comes when somebody waits for it.
    pub(crate) fn delay(&self) {
        for event in &mut self.state().events {
            if matches!(event, Event::Blocked) {
                *event = Event::Late;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

/// The same on a thread on which other tasks want to run.
#[derive(Debug)]
pub(crate) struct Shared(pub(crate) Script);

impl Shared {
    pub(crate) fn engine(script: &Script) -> Engine<Self> {
        script.then(found(FAMILY));
        let commands = Link::for_commands(Self(script.clone()), PORT);
        let engine = drive(Engine::open(commands, None, Some(Duration::from_secs(5)))).unwrap();
        script.forget();
        engine
    }
}

impl Transport for Shared {
    const SHARES_THREAD: bool = true;

    fn new(_: Channel) -> Result<Self, Failure> {
        unreachable!("a script has no socket")
    }

    fn send(&self, datagram: &[u8]) -> Result<(), Failure> {
        self.0.send(datagram)
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
        self.0.try_receive(buffer)
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        self.0.sleep(time).await
    }

    async fn readable(&self, until: Option<Instant>) -> Result<(), Failure> {
        self.0.readable(until).await
    }
}

impl Transport for Script {
    fn new(_: Channel) -> Result<Self, Failure> {
        unreachable!("a script has no socket")
    }

    fn send(&self, datagram: &[u8]) -> Result<(), Failure> {
        let mut state = self.state();
        state.calls.push(Call::Send);
        let requests = Raw::all(datagram);
        let elapsed = state.elapsed;
        let events = match (state.steps.pop_front(), &mut state.server) {
            (Some(answers), _) => answers?(&requests),
            (None, Some(server)) => server(&requests, elapsed),
            (None, None) => panic!("nothing more was to be sent"),
        };
        state.events.extend(events);
        state.sent.push(datagram.to_vec());
        Ok(())
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
        let mut state = self.state();
        state.calls.push(Call::Receive);
        match state.events.front() {
            None | Some(Event::Late | Event::Never | Event::Blocked) => Err(Failure::Empty),
            Some(Event::Failure(errno)) => {
                let errno = *errno;
                state.events.pop_front();
                Err(Failure::to_receive(errno))
            }
            Some(Event::Datagram(bytes)) => {
                let room = buffer.capacity() - buffer.len();
                let length = bytes.len();
                buffer.extend_from_slice(&bytes[..length.min(room)]);
                state.events.pop_front();
                Ok(length)
            }
        }
    }

    fn now(&self) -> Instant {
        self.begin + self.elapsed()
    }

    async fn sleep(&self, time: Duration) -> Result<(), Failure> {
        self.state().elapsed += time;
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> Result<(), Failure> {
        {
            let mut state = self.state();
            state.calls.push(Call::Wait);
            state.deadlines.extend(until);
        }
        poll_fn(|_| {
            let mut state = self.state();
            match state.events.front() {
                Some(Event::Late) => {
                    state.events.pop_front();
                    state.elapsed += Duration::from_millis(1);
                    Poll::Ready(Ok(()))
                }
                Some(Event::Datagram(_) | Event::Failure(_)) => Poll::Ready(Ok(())),
                Some(Event::Blocked) => Poll::Pending,
                None | Some(Event::Never) => {
                    state.events.pop_front();
                    let until = until.expect("this would wait for ever");
                    let left = until.saturating_duration_since(self.begin);
                    state.elapsed = state.elapsed.max(left);
                    Poll::Ready(Err(Failure::DeadlineExceeded))
                }
            }
        })
        .await
    }
}

/// The output of a future over scripts, which never block.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a script does not block"),
    }
}

/// The output of a future over scripts, which may let others run.
pub(crate) fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("this waits for something that does not come")
}

/// Polls a future over scripts so often and drops it, unless it is ready before: then false.
pub(crate) fn give_up_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).all(|_| future.as_mut().poll(&mut context).is_pending())
}

/// Polls a future over scripts once and drops it.
pub(crate) fn give_up<F: Future>(future: F) {
    assert!(give_up_after(1, future), "it was to be given up while it waits");
}

/// A datagram of one message.
pub(crate) fn one(reply: Reply) -> Event {
    Event::Datagram(datagram(&[reply]))
}

/// The number of the last message that was sent, which the answer has.
pub(crate) fn number(sent: &[Raw]) -> u32 {
    sent.last().unwrap().sequence
}

/// The last request is acknowledged.
pub(crate) fn done(sent: &[Raw]) -> Vec<Event> {
    vec![one(Reply::ack(number(sent)))]
}

/// The request is refused.
pub(crate) fn refused(errno: Errno) -> impl FnOnce(&[Raw]) -> Vec<Event> + Send + 'static {
    move |sent| vec![one(Reply::refused(number(sent), errno.raw_os_error()))]
}

/// The answer to a read.
pub(crate) fn reported(report: AnyReport) -> impl FnOnce(&[Raw]) -> Vec<Event> + Send + 'static {
    move |sent| vec![one(Reply::report(number(sent), &report))]
}

/// The answer to a dump: each slice is a datagram, and so is the end.
pub(crate) fn dumped(
    datagrams: Vec<Vec<AnyReport>>,
) -> impl FnOnce(&[Raw]) -> Vec<Event> + Send + 'static {
    move |sent| {
        let number = number(sent);
        let entries = datagrams.iter().map(|reports| {
            let replies: Vec<_> = reports.iter().map(|it| Reply::report(number, it)).collect();
            Event::Datagram(datagram(&replies))
        });
        entries.chain([one(Reply::done(number))]).collect()
    }
}

/// The answer to the question for the family.
pub(crate) fn found(id: u16) -> impl FnOnce(&[Raw]) -> Vec<Event> + Send + 'static {
    const NEWFAMILY: u8 = 1;
    const FAMILY_ID: u16 = 1;
    move |sent| {
        assert_eq!(sent[0].kind, 16, "not a question for the family");
        vec![one(Reply::data(number(sent), NEWFAMILY, &attribute(FAMILY_ID, &id.to_ne_bytes())))]
    }
}
