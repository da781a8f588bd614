//! `UDP_CHECK`.

use ipvs_netlink::health::probe::{Exchange, Probe};

use crate::convert::blocks::Statement;
use crate::convert::checkers::{Around, Common};
use crate::convert::real_server::Check;
use crate::convert::settings::Slot;
use crate::convert::timing::Defaults;
use crate::convert::unsaid::{Fate, Remarks};

/// What is sent where keepalived sends random bytes.
const PAYLOAD: &[u8] = b"health check";

pub(super) fn read(
    statement: &Statement,
    around: Around<'_>,
    remarks: &mut Remarks,
) -> Option<Check> {
    let (mut payload, mut reply): (Slot<Vec<u8>>, Slot<Vec<u8>>) = Default::default();
    let common = Common::read(statement, &[], remarks, |statement, remarks| {
        match statement.keyword() {
            "payload" => match bytes(statement.arguments()) {
                Some(bytes) if bytes.iter().all(Option::is_some) && !bytes.is_empty() => {
                    payload.set(statement, bytes.into_iter().flatten().collect(), remarks);
                }
                _ => statement.refuse("hexadecimal digits", remarks),
            },
            "require_reply" => match bytes(statement.arguments()) {
                Some(bytes) => {
                    let longest = longest_run(&bytes);
                    if longest.len() < bytes.len() {
                        let reason = "a check looks for the longest part without X";
                        statement.tell(Fate::Changed, reason, remarks);
                    }
                    reply.set(statement, longest, remarks);
                }
                None => statement.refuse("hexadecimal digits and X", remarks),
            },
            "min_reply_length" | "max_reply_length" => {
                let reason = "no check counts the bytes of an answer";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            _ => return false,
        }
        true
    });
    let payload = payload.get().map_or(PAYLOAD, Vec::as_slice);
    let probe = match reply.get() {
        Some(reply) => Probe::udp(Exchange::new(payload, reply.as_slice())),
        None => Probe::udp_send(payload.to_vec()),
    };
    common.check(probe, Defaults::USUAL, around, remarks)
}

/// Reads bytes of hexadecimal digits. Blanks end a byte, so that one digit alone is a byte. `None`
/// stands for a byte with an `X`.
fn bytes(words: &[String]) -> Option<Vec<Option<u8>>> {
    let mut bytes = Vec::new();
    for word in words {
        let digits: Vec<char> = word.chars().collect();
        for pair in digits.chunks(2) {
            let mut byte = Some(0);
            for digit in pair {
                byte = match (digit.to_digit(16).and_then(|it| u8::try_from(it).ok()), digit) {
                    (Some(digit), _) => byte.map(|byte: u8| byte << 4 | digit),
                    (None, 'x' | 'X') => None,
                    (None, _) => return None,
                };
            }
            bytes.push(byte);
        }
    }
    Some(bytes)
}

/// Returns the longest part without a byte that may be any.
fn longest_run(bytes: &[Option<u8>]) -> Vec<u8> {
    let runs = bytes.split(Option::is_none);
    let longest = runs.rev().max_by_key(|run| run.len()).unwrap_or_default();
    longest.iter().copied().flatten().collect()
}
