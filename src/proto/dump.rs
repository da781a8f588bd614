use crate::proto::Refusal;
use crate::proto::datagram::{Content, Messages};
use crate::wire::Malformed;

/// A request that any number of messages answers, in any number of datagrams.
#[derive(Debug)]
pub(crate) struct Dump {
    port: u32,
    sequence: u32,
    /// How much of the present datagram has been read.
    position: usize,
}

/// What comes next in a [`Dump`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// A message.
    Data { command: u8, attributes: &'a [u8] },
    /// The datagram is at its end, the dump is not.
    NeedsDatagram,
    /// The dump is complete.
    End,
    /// The dump failed; the kernel sends no more of it.
    Refused(Refusal),
}

impl Dump {
    pub(crate) const fn new(port: u32, sequence: u32) -> Self {
        Self { port, sequence, position: 0 }
    }

    /// Reads the messages of `datagram` that are left, as [`next`](Self::next) does, and
    /// gives what is in them to `each`. Never [`Step::Data`].
    #[inline]
    pub(crate) fn read_on<'a>(
        &mut self,
        datagram: &'a [u8],
        mut each: impl FnMut(u8, &'a [u8]) -> Result<(), Malformed>,
    ) -> Result<Step<'static>, Malformed> {
        loop {
            let mut messages = Messages::new(datagram.get(self.position..).unwrap_or_default());
            while let Some((command, attributes)) = messages.next_data(self.sequence, self.port) {
                each(command, attributes)?;
            }
            self.position = datagram.len() - messages.remaining();
            match self.next(datagram)? {
                Step::Data { command, attributes } => each(command, attributes)?,
                Step::NeedsDatagram => return Ok(Step::NeedsDatagram),
                Step::End => return Ok(Step::End),
                Step::Refused(refusal) => return Ok(Step::Refused(refusal)),
            }
        }
    }

    /// Reads the next message of `datagram`. After [`Step::NeedsDatagram`] the next
    /// call takes the next datagram. A malformed message ends the datagram.
    #[inline]
    pub(crate) fn next<'a>(&mut self, datagram: &'a [u8]) -> Result<Step<'a>, Malformed> {
        let mut messages = Messages::new(datagram.get(self.position..).unwrap_or_default());
        while let Some(message) = messages.next() {
            self.position = datagram.len() - messages.remaining();
            let message = message?;
            if message.sequence != self.sequence || message.port != self.port {
                continue;
            }
            return match message.content {
                Content::Data { command, attributes } => Ok(Step::Data { command, attributes }),
                Content::Done(None) => Ok(Step::End),
                Content::Done(Some(refusal)) | Content::Refused(refusal) => {
                    Ok(Step::Refused(refusal))
                }
                Content::Ack => Err("an acknowledgement in the midst of a dump"),
                Content::Overrun => Err("the kernel lost a part of the dump"),
                Content::Noop => continue,
            };
        }
        self.position = 0;
        Ok(Step::NeedsDatagram)
    }
}
