use crate::proto::Refusal;
use crate::proto::datagram::{Content, Messages};
use crate::wire::Malformed;

/// A request that the kernel answers with one message.
#[derive(Debug)]
pub(crate) struct Single {
    port: u32,
    sequence: u32,
}

/// The answer to a [`Single`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    Data { command: u8, attributes: &'a [u8] },
    Refused(Refusal),
}

impl Single {
    pub(crate) const fn new(port: u32, sequence: u32) -> Self {
        Self { port, sequence }
    }

    /// Looks for the answer in `datagram`. Returns `None` if it is not there.
    pub(crate) fn read<'a>(&self, datagram: &'a [u8]) -> Result<Option<Answer<'a>>, Malformed> {
        for message in Messages::new(datagram) {
            let message = message?;
            if message.sequence != self.sequence || message.port != self.port {
                continue;
            }
            return match message.content {
                Content::Data { command, attributes } => {
                    Ok(Some(Answer::Data { command, attributes }))
                }
                Content::Refused(refusal) | Content::Done(Some(refusal)) => {
                    Ok(Some(Answer::Refused(refusal)))
                }
                Content::Ack | Content::Done(None) => Err("an acknowledgement without an answer"),
                Content::Overrun => Err("the kernel lost the answer"),
                Content::Noop => continue,
            };
        }
        Ok(None)
    }
}
