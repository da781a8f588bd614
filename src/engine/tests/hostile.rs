//! Conversations with what only looks like a kernel: whatever comes back, every operation
//! ends, nothing panics, and nothing is said to be done that nobody has acknowledged.
//!
//! A fuzz target, as those in `tests/fuzz`, which says how to run it for longer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::engine::channel::Channel;
use crate::engine::tests::changes::{server, service};
use crate::engine::tests::script::{Event, drive, found};
use crate::engine::{Engine, Link, Transport};
use crate::error::{Error, Failure, Result};
use crate::model::{Change, Info, Role, ServiceEntry, SyncDaemon, Timeouts};
use crate::proto::tests::PORT;
use crate::proto::tests::reply::{FAMILY, Reply, datagram};
use crate::wire::Request;
use crate::wire::tests::capture::Capture;
use crate::wire::tests::raw::Raw;

#[path = "../../../tests/fuzz/harness.rs"]
#[allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    dead_code,
    reason = "it is shared with tests/fuzz, which uses all of it"
)]
mod harness;

/// More sends than any operation needs, however often it begins anew.
const MOST_SENDS: usize = 200;

#[derive(Debug, Default)]
struct State {
    /// Whether the family has been.
    found: bool,
    /// What comes back after each send.
    answers: VecDeque<Vec<Vec<u8>>>,
    waiting: VecDeque<Vec<u8>>,
    sends: usize,
    /// The numbers of the acknowledgements that were received.
    acknowledged: Vec<u32>,
    overflowed: bool,
}

#[derive(Clone, Debug, Default)]
struct Impostor(Arc<Mutex<State>>);

impl Impostor {
    /// An engine that has found the family, and hears `input` from then on.
    fn engine(input: &[u8]) -> (Self, Engine<Self>) {
        let impostor = Self::default();
        let commands = Link::for_commands(impostor.clone(), PORT);
        let engine = drive(Engine::open(commands, None, Some(Duration::from_secs(5)))).unwrap();
        *impostor.0.lock().unwrap() =
            State { found: true, answers: conversation(input), ..State::default() };
        (impostor, engine)
    }
}

impl Transport for Impostor {
    fn new(_: Channel) -> Result<Self, Failure> {
        unreachable!("an impostor has no socket")
    }

    fn send(&self, datagram: &[u8]) -> Result<(), Failure> {
        let mut state = self.0.lock().unwrap();
        state.sends += 1;
        assert!(state.sends < MOST_SENDS, "the operation does not end");
        let sent = Raw::all(datagram);
        if !state.found {
            let events = found(FAMILY)(&sent).into_iter();
            state.waiting.extend(events.map(|event| match event {
                Event::Datagram(datagram) => datagram,
                other => panic!("{other:?}"),
            }));
            return Ok(());
        }
        let first = sent[0].sequence;
        let answers = state.answers.pop_front().unwrap_or_default();
        state.waiting.extend(answers.into_iter().map(|datagram| numbered(datagram, first)));
        Ok(())
    }

    fn try_receive(&self, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
        let mut state = self.0.lock().unwrap();
        let Some(datagram) = state.waiting.pop_front() else {
            return Err(Failure::Empty);
        };
        // A socket gives no datagram without a byte, so that this can stand for an overflow.
        if datagram.is_empty() {
            state.overflowed = true;
            return Err(Failure::Overflow);
        }
        let room = buffer.capacity() - buffer.len();
        buffer.extend_from_slice(&datagram[..datagram.len().min(room)]);
        state.acknowledged.extend(acknowledgements(&datagram));
        Ok(datagram.len())
    }

    async fn sleep(&self, _: Duration) -> Result<(), Failure> {
        Ok(())
    }

    async fn readable(&self, until: Option<Instant>) -> Result<(), Failure> {
        assert!(until.is_some(), "this would wait for ever");
        if self.0.lock().unwrap().waiting.is_empty() {
            return Err(Failure::DeadlineExceeded);
        }
        Ok(())
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(word.try_into().unwrap()))
}

/// Where messages begin, as far as their lengths make sense.
fn beginnings(datagram: &[u8]) -> Vec<usize> {
    let mut beginnings = Vec::new();
    let mut at = 0;
    while let (Some(length), true) = (word(datagram, at), at + 16 <= datagram.len()) {
        beginnings.push(at);
        let length = usize::try_from(length).unwrap();
        if length < 16 {
            break;
        }
        at = at.saturating_add(length.next_multiple_of(4));
    }
    beginnings
}

/// The datagram with `first` added to all numbers.
fn numbered(mut datagram: Vec<u8>, first: u32) -> Vec<u8> {
    for at in beginnings(&datagram) {
        let number = word(&datagram, at + 8).unwrap().wrapping_add(first);
        datagram[at + 8..at + 12].copy_from_slice(&number.to_ne_bytes());
    }
    datagram
}

/// The numbers of the messages that say that a request was done.
fn acknowledgements(datagram: &[u8]) -> Vec<u32> {
    let mut numbers = Vec::new();
    for at in beginnings(datagram) {
        let is_error = datagram[at + 4..at + 6] == 2_u16.to_ne_bytes();
        if is_error && word(datagram, at + 16) == Some(0) {
            numbers.extend(word(datagram, at + 8));
        }
    }
    numbers
}

/// The datagrams of an input: each behind its length, those of one send up to the length
/// 0xffff.
fn conversation(mut input: &[u8]) -> VecDeque<Vec<Vec<u8>>> {
    let mut turns = VecDeque::from([Vec::new()]);
    while let [low, high, rest @ ..] = input {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        if length == 0xffff {
            turns.push_back(Vec::new());
            input = rest;
        } else {
            let (datagram, rest) = rest.split_at(length.min(rest.len()));
            turns.back_mut().unwrap().push(datagram.to_vec());
            input = rest;
        }
    }
    turns
}

/// The captured answers as inputs, each for every operation, which the first byte chooses.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let said = |replies: &[Reply]| {
        let bytes = datagram(replies);
        [&u16::try_from(bytes.len()).unwrap().to_le_bytes()[..], &bytes].concat()
    };
    let done = said(&[Reply::ack(0)]);
    let all: Vec<_> = (0..5).map(Reply::ack).collect();
    seeds.push([&[SUBMITS], said(&all).as_slice()].concat());
    for capture in Capture::all() {
        let mut bytes = Vec::new();
        for datagram in capture.received.iter().filter(|datagram| datagram.len() < 5000) {
            let mut datagram = datagram.clone();
            let first = word(&datagram, 8).unwrap();
            for at in beginnings(&datagram) {
                datagram[at + 12..at + 16].copy_from_slice(&PORT.to_ne_bytes());
            }
            datagram = numbered(datagram, first.wrapping_neg());
            bytes.extend(u16::try_from(datagram.len()).unwrap().to_le_bytes());
            bytes.extend(datagram);
        }
        for operation in 0..OPERATIONS {
            // Some operations ask three times, and one writes what it has read.
            let turn = [&bytes[..], &[0xff, 0xff]].concat();
            seeds.push([&[operation], turn.repeat(3).as_slice()].concat());
            if operation == MODIFIES {
                seeds.push([&[operation], &turn[..], &done].concat());
                seeds.push([&[operation], turn.repeat(2).as_slice(), &done].concat());
            }
        }
    }
    seeds
}

const OPERATIONS: u8 = 10;
const MODIFIES: u8 = 8;
const SUBMITS: u8 = 9;

/// Does the operation of this number.
async fn operate(operation: u8, engine: &mut Engine<Impostor>) -> Result<()> {
    let (service, server) = (service(), server());
    match operation % OPERATIONS {
        0 => engine.change(&Change::AddService(service)).await,
        1 => engine.collect::<ServiceEntry>(Request::Services).await.map(drop),
        2 => engine.collect::<SyncDaemon>(Request::Daemons).await.map(drop),
        3 => engine.destinations(service.id).await.map(drop),
        4 => engine.read::<Info>(Request::Info).await.map(drop),
        5 => engine.read::<Timeouts>(Request::Timeouts).await.map(drop),
        6 => engine.read::<ServiceEntry>(Request::Service(service.id)).await.map(drop),
        7 => engine.snapshot().await.map(drop),
        MODIFIES => engine.modify_destination(service.id, server.id, |it| it.weight = 7).await,
        _ => {
            let changes = [
                Change::AddDestination(service.id, server),
                Change::StopDaemon(Role::Master),
                Change::DeleteService(service.id),
            ];
            let report = engine.submit(&changes).await;
            assert_eq!(report.len(), 3);
            report.into_result()
        }
    }
}

fn assert_presentable(error: &Error) {
    let message = error.to_string();
    assert!(message.len() < 2000, "{} bytes", message.len());
    assert!(!message.contains(char::is_control), "{message:?}");
}

fn converse(input: &[u8]) {
    let Some((operation, input)) = input.split_first() else { return };
    let (impostor, mut engine) = Impostor::engine(input);
    match drive(operate(*operation, &mut engine)) {
        Err(error) => assert_presentable(&error),
        Ok(()) if operation % OPERATIONS == 0 => {
            let state = impostor.0.lock().unwrap();
            assert!(state.overflowed || !state.acknowledged.is_empty(), "nobody has said so");
        }
        Ok(()) => {}
    }
    // What is left of it disturbs nothing.
    let _ = drive(operate(4, &mut engine));
}

/// Else the seeds would not lead far.
#[test]
fn every_operation_takes_some_capture_for_its_answers() {
    let seeds = seeds();
    for operation in 0..OPERATIONS {
        let seeds = seeds.iter().filter(|seed| seed[0] == operation);
        let mut outcomes = seeds.map(|seed| {
            let (_, mut engine) = Impostor::engine(&seed[1..]);
            drive(operate(operation, &mut engine))
        });
        assert!(outcomes.any(|outcome| outcome.is_ok()), "operation {operation}");
    }
}

#[test]
fn impostors() {
    harness::run("impostors", &seeds(), 20_000, converse);
}
