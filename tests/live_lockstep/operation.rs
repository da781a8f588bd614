//! What is done with the sockets of one namespace, and what comes of it.

use std::fmt;

use rustix::io::Errno;

use crate::message::{Message, hex};

/// An option of a socket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Setting {
    ExtendedAcknowledgement(bool),
    CappedAcknowledgement(bool),
    NoOverflowError(bool),
    ReceiveBuffer(u32),
    SendBuffer(u32),
}

/// The number of network namespaces.
pub(crate) const NAMESPACES: usize = 2;

/// The namespace of a socket: the first has two sockets.
pub(crate) const fn namespace_of(socket: usize) -> usize {
    socket / 2
}

/// One step of a sequence. Sockets and namespaces are numbered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operation {
    /// Closes the socket if it is open, and opens it.
    Open(usize),
    Set(usize, Setting),
    /// Sends a datagram.
    ///
    /// The kernel forgets to acknowledge the stop of a daemon whose thread has not run yet, which
    /// depends on its scheduler. Such a request is sent when everything before has been received.
    /// Its answers are received at once, and compared without the acknowledgement. The buffer is
    /// too short to be remembered for the length of later datagrams.
    Send(usize, Vec<Message>),
    /// Sets the loopback interface of a namespace up or down. It is down at first.
    Loopback(usize, bool),
    /// Sets whether the sender has `CAP_NET_ADMIN`. Sockets are always opened with it.
    Privilege(bool),
    /// Receives a datagram into a buffer of so many bytes.
    Receive(usize, usize),
    /// Receives until nothing is left.
    Drain(usize, usize),
}

impl Operation {
    pub(crate) fn requests(&self) -> usize {
        match self {
            Self::Send(_, messages) => messages.len(),
            _ => 0,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(socket) => write!(f, "{socket}: open"),
            Self::Set(socket, setting) => write!(f, "{socket}: {setting:?}"),
            Self::Send(socket, messages) => {
                write!(f, "{socket}: send")?;
                messages.iter().try_for_each(|message| write!(f, "\n      {message}"))
            }
            Self::Loopback(namespace, up) => {
                write!(f, "loopback of {namespace} {}", if *up { "up" } else { "down" })
            }
            Self::Privilege(on) => write!(f, "privilege {}", if *on { "on" } else { "off" }),
            Self::Receive(socket, size) => write!(f, "{socket}: receive {size}"),
            Self::Drain(socket, size) => write!(f, "{socket}: drain {size}"),
        }
    }
}

/// What an operation gave, without what differs between kernels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Done,
    Failed(Errno),
    /// A datagram of this length, of which the buffer took so much.
    Datagram(usize, Vec<u8>),
}

impl Answer {
    /// What two datagrams have from a little before their first difference on.
    pub(crate) fn compared(&self, other: &Self) -> String {
        let (Self::Datagram(_, one), Self::Datagram(_, other)) = (self, other) else {
            return String::new();
        };
        let equal = one.iter().zip(other).take_while(|(one, other)| one == other).count();
        let shown = |bytes: &[u8]| {
            let end = bytes.len().min(equal + 100);
            hex(&bytes[equal.saturating_sub(60)..end]).to_string()
        };
        format!("       at byte {equal}:\n       < {}\n       > {}", shown(one), shown(other))
    }
}

impl fmt::Display for Answer {
    /// A precision limits how many bytes of a datagram are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => write!(f, "done"),
            Self::Failed(errno) => write!(f, "{errno}"),
            Self::Datagram(length, bytes) => {
                write!(f, "{length}: ")?;
                let shown = f.precision().unwrap_or(usize::MAX).min(bytes.len());
                write!(f, "{}", hex(&bytes[..shown]))?;
                match (shown < bytes.len(), bytes.len() < *length) {
                    (true, _) => write!(f, ".."),
                    (false, true) => write!(f, " (truncated)"),
                    (false, false) => Ok(()),
                }
            }
        }
    }
}

/// A netlink socket that never waits.
pub(crate) trait Socket {
    fn port(&self) -> u32;
    fn set(&mut self, setting: Setting) -> Result<(), Errno>;
    fn send(&mut self, datagram: &[u8]) -> Result<(), Errno>;
    /// Returns the length of the datagram, also if it is longer than the buffer.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Errno>;
}

/// The namespaces of a kernel.
pub(crate) trait Namespaces {
    type Socket: Socket;
    fn family(&self) -> u16;
    fn open(&mut self, namespace: usize) -> Self::Socket;
    fn set_loopback(&mut self, namespace: usize, up: bool);
    fn set_privileged(&mut self, privileged: bool);
}

/// The sockets of a sequence on one kernel.
pub(crate) struct Side<N: Namespaces> {
    namespaces: N,
    sockets: Vec<Option<N::Socket>>,
}

/// The length of an acknowledgement.
const SHORT: usize = 36;

/// The most datagrams that draining reads, so that a kernel in a loop is noticed.
const MOST: usize = 100_000;

impl<N: Namespaces> Side<N> {
    pub(crate) fn new(namespaces: N) -> Self {
        Self { namespaces, sockets: Vec::new() }
    }

    fn socket(&mut self, number: usize) -> &mut N::Socket {
        while self.sockets.len() <= number {
            self.sockets.push(None);
        }
        let namespaces = &mut self.namespaces;
        self.sockets[number].get_or_insert_with(|| namespaces.open(namespace_of(number)))
    }

    pub(crate) fn run(&mut self, operation: &Operation) -> Vec<Answer> {
        let family = self.namespaces.family();
        match operation {
            Operation::Open(number) => {
                if let Some(socket) = self.sockets.get_mut(*number) {
                    drop(socket.take());
                }
                self.socket(*number);
                Vec::new()
            }
            Operation::Set(number, setting) => vec![done(self.socket(*number).set(*setting))],
            Operation::Send(number, messages) => {
                let socket = self.socket(*number);
                let mut datagram = Vec::new();
                messages.iter().for_each(|message| message.write(family, &mut datagram));
                let stops: Vec<_> = messages.iter().filter(|it| it.stops_daemon()).collect();
                if stops.is_empty() {
                    return vec![done(socket.send(&datagram))];
                }
                let mut answers = drain(socket, SHORT);
                answers.push(done(socket.send(&datagram)));
                answers.extend(drain(socket, SHORT));
                answers.retain(|answer| !stops.iter().any(|stop| is_acknowledged(stop, answer)));
                answers
            }
            Operation::Loopback(namespace, up) => {
                self.namespaces.set_loopback(*namespace, *up);
                Vec::new()
            }
            Operation::Privilege(on) => {
                self.namespaces.set_privileged(*on);
                Vec::new()
            }
            Operation::Receive(number, size) => vec![receive(self.socket(*number), *size)],
            Operation::Drain(number, size) => drain(self.socket(*number), *size),
        }
    }
}

fn done(result: Result<(), Errno>) -> Answer {
    result.map_or_else(Answer::Failed, |()| Answer::Done)
}

fn drain(socket: &mut impl Socket, size: usize) -> Vec<Answer> {
    let mut answers = Vec::new();
    while answers.last() != Some(&Answer::Failed(Errno::AGAIN)) && answers.len() < MOST {
        answers.push(receive(socket, size));
    }
    answers
}

fn receive(socket: &mut impl Socket, size: usize) -> Answer {
    let mut buffer = vec![0; size];
    match socket.receive(&mut buffer) {
        Err(errno) => Answer::Failed(errno),
        Ok(length) => {
            buffer.truncate(length);
            mask(&mut buffer, socket.port());
            Answer::Datagram(length, buffer)
        }
    }
}

/// Replaces the port of the socket, which every kernel chooses anew, in the headers of messages.
fn mask(datagram: &mut [u8], port: u32) {
    let mut rest = datagram;
    while rest.len() >= 16 {
        let length = u32::from_ne_bytes(rest[..4].try_into().unwrap());
        let length = usize::try_from(length).unwrap().clamp(16, rest.len());
        let (message, others) = rest.split_at_mut(length);
        if message[12..16] == port.to_ne_bytes() {
            message[12..16].fill(0xff);
        }
        let padding = (length.next_multiple_of(4) - length).min(others.len());
        rest = &mut others[padding..];
    }
    // The buffer took a part of a header.
    if let Some(part) = rest.get_mut(12..) {
        part.fill(0xff);
    }
}

/// Whether an answer is the acknowledgement of this request.
fn is_acknowledged(request: &Message, answer: &Answer) -> bool {
    match answer {
        Answer::Datagram(_, bytes) if bytes.len() >= 20 => {
            bytes[4..6] == 2_u16.to_ne_bytes()
                && bytes[8..12] == request.sequence.to_ne_bytes()
                && bytes[16..20] == [0; 4]
        }
        _ => false,
    }
}
