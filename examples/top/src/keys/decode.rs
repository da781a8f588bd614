//! Bytes of a terminal to keys.

use crate::keys::Key;

/// The longest sequence that is waited for. More is dropped.
const LONGEST: usize = 32;

/// How many characters of a pasted text count.
const LONGEST_PASTE: usize = 200;

/// Something that the user did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted. It is no keys: nobody should drain a server by pasting.
    Paste(String),
    /// The wheel of the mouse was turned up or down.
    Wheel {
        /// Up.
        up: bool,
    },
    /// The first button of the mouse was pressed on this line of the screen, counted from 0.
    Click {
        /// The line.
        line: u16,
    },
}

/// Decodes what a terminal sends, in pieces of any size.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// What the beginning of the pending bytes is.
enum Found {
    /// So many bytes, which mean this, or nothing that the program knows.
    Whole(usize, Option<Input>),
    /// The beginning of something longer.
    Part,
}

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

impl Decoder {
    /// Takes bytes, and returns what they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        let mut inputs = Vec::new();
        for byte in bytes {
            self.pending.push(*byte);
            if self.paste.is_some() {
                self.pasted(&mut inputs);
                continue;
            }
            // A byte may show that those before it were complete.
            while let Found::Whole(length, input) = first(&self.pending) {
                let taken: Vec<u8> = self.pending.drain(..length).collect();
                if taken == PASTE_BEGINS {
                    self.paste = Some(Vec::new());
                }
                inputs.extend(input);
            }
        }
        inputs
    }

    /// Whether bytes wait for others. If none come soon, call [`flush`](Self::flush).
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.paste.is_none() && !self.pending.is_empty()
    }

    /// Says that no other bytes came: what waits is the key Escape, or nothing.
    pub fn flush(&mut self) -> Option<Input> {
        let pending = std::mem::take(&mut self.pending);
        (pending == b"\x1b").then_some(Input::Key(Key::Escape))
    }

    /// Takes pasted bytes until their end.
    fn pasted(&mut self, inputs: &mut Vec<Input>) {
        if PASTE_ENDS.starts_with(&self.pending) {
            if self.pending == PASTE_ENDS {
                let text = self.paste.take().unwrap_or_default();
                self.pending.clear();
                inputs.push(Input::Paste(String::from_utf8_lossy(&text).into_owned()));
            }
            return;
        }
        // The last byte may begin the end.
        let last = self.pending.pop_if(|byte| *byte == 0x1b);
        if let Some(text) = &mut self.paste {
            let room = (LONGEST_PASTE * 4).saturating_sub(text.len());
            text.extend(self.pending.drain(..).take(room));
        }
        self.pending.clear();
        self.pending.extend(last);
    }
}

/// Looks at the beginning of bytes.
fn first(bytes: &[u8]) -> Found {
    let key = |length, key| Found::Whole(length, Some(Input::Key(key)));
    match bytes {
        [] | [0x1b] | [0x1b, b'[' | b'O'] => Found::Part,
        [0x1b, b'[', rest @ ..] => sequence(rest),
        [0x1b, b'O', last, ..] => Found::Whole(3, letter(*last).map(Input::Key)),
        // Escape, and the next key.
        [0x1b, ..] => key(1, Key::Escape),
        [b'\r' | b'\n', ..] => key(1, Key::Enter),
        [0x7f | 0x08, ..] => key(1, Key::Backspace),
        [byte @ 1..=26, ..] => key(1, Key::Control(char::from(byte - 1 + b'a'))),
        [0..=31, ..] => Found::Whole(1, None),
        [byte, ..] if byte.is_ascii() => key(1, Key::Char(char::from(*byte))),
        _ => character(bytes),
    }
}

/// What follows `ESC [`.
fn sequence(rest: &[u8]) -> Found {
    let last = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
    let broken = rest.iter().position(|byte| !(0x20..=0x7e).contains(byte));
    let Some(at) = last.filter(|last| broken.is_none_or(|broken| *last < broken)) else {
        return match broken {
            Some(at) => Found::Whole(2 + at, None),
            None if rest.len() > LONGEST => Found::Whole(2 + rest.len(), None),
            None => Found::Part,
        };
    };
    let parameters = rest.get(..at).unwrap_or_default();
    let input = match (parameters, rest.get(at)) {
        (_, Some(b'~')) => number(parameters).and_then(tilde).map(Input::Key),
        ([b'<', place @ ..], Some(b'M')) => mouse(place),
        (_, Some(last)) => letter(*last).map(Input::Key),
        _ => None,
    };
    Found::Whole(2 + at + 1, input)
}

/// The first number of parameters.
fn number(parameters: &[u8]) -> Option<u16> {
    let first = parameters.split(|byte| *byte == b';').next()?;
    std::str::from_utf8(first).ok()?.parse().ok()
}

fn letter(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'M' => Key::Enter,
        b'P'..=b'S' => Key::Function(last - b'P' + 1),
        _ => return None,
    })
}

const fn tilde(number: u16) -> Option<Key> {
    Some(match number {
        1 | 7 => Key::Home,
        4 | 8 => Key::End,
        5 => Key::PageUp,
        6 => Key::PageDown,
        11 => Key::Function(1),
        _ => return None,
    })
}

/// A report of the mouse, in the form of SGR: button, column and line.
fn mouse(place: &[u8]) -> Option<Input> {
    let text = std::str::from_utf8(place).ok()?;
    let mut numbers = text.split(';').map(|it| it.parse::<u16>().ok());
    let (button, _column, line) = (numbers.next()??, numbers.next()??, numbers.next()??);
    match button {
        0 => Some(Input::Click { line: line.checked_sub(1)? }),
        64 => Some(Input::Wheel { up: true }),
        65 => Some(Input::Wheel { up: false }),
        _ => None,
    }
}

/// A character of UTF-8 beyond ASCII.
fn character(bytes: &[u8]) -> Found {
    let longest = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let valid = match std::str::from_utf8(longest) {
        Ok(text) => text,
        Err(error) => match (error.valid_up_to(), error.error_len()) {
            (0, None) => return Found::Part,
            (0, Some(length)) => return Found::Whole(length, None),
            (valid, _) => {
                let valid = longest.get(..valid).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        },
    };
    match valid.chars().next() {
        Some(character) => {
            let input = Input::Key(Key::Char(character));
            Found::Whole(character.len_utf8(), (!character.is_control()).then_some(input))
        }
        None => Found::Whole(1, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Input> {
        let mut decoder = Decoder::default();
        let mut inputs = decoder.feed(bytes);
        inputs.extend(decoder.flush());
        inputs
    }

    #[test]
    fn terminals_send_keys() {
        for (bytes, key) in [
            (&b"j"[..], Key::Char('j')),
            ("ä".as_bytes(), Key::Char('ä')),
            ("港".as_bytes(), Key::Char('港')),
            (b"\x04", Key::Control('d')),
            (b"\x1a", Key::Control('z')),
            (b"\r", Key::Enter),
            (b"\x7f", Key::Backspace),
            (b"\x1b", Key::Escape),
            (b"\x1b[A", Key::Up),
            (b"\x1bOB", Key::Down),
            (b"\x1b[1;5C", Key::Right),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[6~", Key::PageDown),
            (b"\x1b[1~", Key::Home),
            (b"\x1b[4~", Key::End),
            (b"\x1bOP", Key::Function(1)),
            (b"\x1b[11~", Key::Function(1)),
        ] {
            assert_eq!(keys(bytes), [Input::Key(key)], "{bytes:?}");
        }
    }

    #[test]
    fn the_mouse_and_pasted_text_are_no_keys() {
        assert_eq!(keys(b"\x1b[<64;10;5M"), [Input::Wheel { up: true }]);
        assert_eq!(keys(b"\x1b[<0;10;5M\x1b[<0;10;5m"), [Input::Click { line: 4 }]);
        let pasted = keys(b"\x1b[200~dy\x1b[A\r\x1b[201~q");
        let text = Input::Paste("dy\x1b[A\r".to_owned());
        assert_eq!(pasted, [text, Input::Key(Key::Char('q'))]);
    }

    #[test]
    fn what_is_not_known_is_no_key() {
        assert_eq!(keys(b"\x1b[?1;2c\x1b[99~\x00\xff\xfe"), []);
        assert_eq!(keys(b"\x1b[\x03"), [Input::Key(Key::Control('c'))]);
        assert_eq!(keys(&[b"\x1b[".to_vec(), vec![b'1'; 50]].concat()).len(), 50 - LONGEST - 1);
    }

    #[test]
    fn a_long_paste_is_cut() {
        let bytes = [PASTE_BEGINS, &[b'x'; 100_000], PASTE_ENDS].concat();
        assert_eq!(keys(&bytes), [Input::Paste("x".repeat(LONGEST_PASTE * 4))]);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), prop::sample::select(&b"\x1b[O<;~0126MA"[..])], 0..100),
            at: prop::sample::Index,
        ) {
            let at = if bytes.is_empty() { 0 } else { at.index(bytes.len()) };
            let mut pieces = Decoder::default();
            let mut inputs = pieces.feed(&bytes[..at]);
            inputs.extend(pieces.feed(&bytes[at..]));
            inputs.extend(pieces.flush());
            prop_assert_eq!(inputs, keys(&bytes));
        }

        #[test]
        fn little_is_kept(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes);
            prop_assert!(decoder.pending.len() <= LONGEST + 3);
        }
    }
}
