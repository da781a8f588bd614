use crate::proto::Refusal;
use crate::proto::datagram::{Content, Messages};
use crate::wire::Malformed;

/// A request that the kernel answers with any number of messages, in any number of datagrams.
#[derive(Debug)]
pub(crate) struct Dump {
    port: u32,
    sequence: u32,
    /// The number of bytes of the current datagram that have been read.
    position: usize,
}

/// The next step of a [`Dump`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// A message.
    Data { command: u8, attributes: &'a [u8] },
    /// The datagram has been read; the dump continues in the next one.
    NeedsDatagram,
    /// The dump has ended.
    End,
    /// The dump failed. The kernel sends no more of it.
    Refused(Refusal),
}

impl Dump {
    pub(crate) const fn new(port: u32, sequence: u32) -> Self {
        Self { port, sequence, position: 0 }
    }

    /// Reads the rest of `datagram` like [`next`](Self::next), and passes each message to `each`.
    /// Never returns [`Step::Data`].
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

    /// Reads the next message of `datagram`. After [`Step::NeedsDatagram`] pass the next datagram. A
    /// malformed message ends the datagram.
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
