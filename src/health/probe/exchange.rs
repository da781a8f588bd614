/// The largest answer that a check reads, in bytes.
pub(super) const LONGEST_ANSWER: usize = 64 * 1024;

/// What a check sends, and what it expects in the answer.
///
/// Over TCP and TLS the check passes as soon as the expected bytes have come, and fails when the server
/// closes the connection or has sent 64 KiB without them. Over UDP the first datagram from the server
/// decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Exchange {
    /// What is sent, at most 65536 bytes, 65507 over UDP. Empty sends nothing over TCP, and an empty
    /// datagram over UDP.
    pub send: Vec<u8>,
    /// What the answer must contain, at most 65536 bytes, 65507 over UDP. Any answer will do if it is
    /// empty.
    pub expect: Vec<u8>,
}

impl Exchange {
    /// Creates an exchange.
    #[must_use]
    pub fn new(send: impl Into<Vec<u8>>, expect: impl Into<Vec<u8>>) -> Self {
        Self { send: send.into(), expect: expect.into() }
    }

    /// Returns `true` if the answer has what is expected. The first bytes, up to `searched`, have been
    /// looked at before: an answer that comes byte by byte must not be searched again for each.
    pub(super) fn is_met_since(&self, answer: &[u8], searched: usize) -> bool {
        let from = searched.saturating_sub(self.expect.len().saturating_sub(1));
        self.is_met(answer.get(from..).unwrap_or_default())
    }

    /// Returns `true` if the answer has what is expected.
    pub(super) fn is_met(&self, answer: &[u8]) -> bool {
        match self.expect.is_empty() {
            true => !answer.is_empty(),
            false => answer.windows(self.expect.len()).any(|part| part == self.expect),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_must_contain_what_is_expected() {
        let exchange = Exchange::new("PING", "PONG");
        assert!(exchange.is_met(b"+PONG\r\n") && !exchange.is_met(b"+PON"));
        assert!(exchange.is_met_since(b"+PONG", 4) && !exchange.is_met_since(b"+PONG+", 5));
        let any = Exchange::new("", "");
        assert!(any.is_met(b"x") && !any.is_met(b""));
    }
}
