//! Words into options with their arguments, by the rules of `popt`.

use super::command_error::{CommandError, Place};
use super::options::{Argument, Opt};

/// The options of a command, in their order, and the words that belong to none.
pub(super) struct Scanned<'w> {
    pub(super) options: Vec<Given<'w>>,
    /// The bits of the choices that the options make.
    pub(super) choices: u64,
    pub(super) arguments: Vec<Value<'w>>,
    /// How many words there were.
    pub(super) words: usize,
    saved: bool,
}

impl<'w> Scanned<'w> {
    fn push(&mut self, given: Given<'w>) {
        self.choices |= given.option.choice().bit();
        self.options.push(given);
    }
}

/// An option as it was given.
#[derive(Clone, Copy)]
pub(super) struct Given<'w> {
    pub(super) option: Opt,
    /// Its letter or, with the dashes, its name.
    name: &'w str,
    /// Where that is.
    pub(super) place: Place,
    pub(super) value: Option<Value<'w>>,
}

impl Given<'_> {
    /// The option should not be here.
    pub(super) fn refused(&self, expected: impl Into<String>) -> CommandError {
        CommandError::new(self.place, expected.into(), self.written())
    }

    /// As it was given, without its argument.
    pub(super) fn written(&self) -> String {
        if self.name.starts_with('-') { self.name.to_owned() } else { format!("-{}", self.name) }
    }

    fn check(&self, argument: Argument, words: usize) -> Result<(), CommandError> {
        if argument == Argument::Required && self.value.is_none() {
            let expected = format!("an argument of {}", self.written());
            return Err(CommandError::at_end(words, expected));
        }
        Ok(())
    }
}

/// A word, or the part of one that is a value.
#[derive(Clone, Copy)]
pub(super) struct Value<'w> {
    pub(super) text: &'w str,
    pub(super) place: Place,
}

impl Value<'_> {
    /// The value is not what it should be.
    pub(super) fn refused(&self, expected: impl Into<String>) -> CommandError {
        CommandError::new(self.place, expected.into(), self.text)
    }
}

/// In a line that may be a saved one, nothing need follow `-b`: `ipvsadm -S` ends lines so
/// when it has no name for a flag.
pub(super) fn scan<'w>(words: &[&'w str], saved: bool) -> Result<Scanned<'w>, CommandError> {
    let mut scanned = Scanned {
        options: Vec::with_capacity(words.len()),
        choices: 0,
        arguments: Vec::new(),
        words: words.len(),
        saved,
    };
    let mut rest = words.iter().copied().enumerate().peekable();
    let mut only_arguments = false;
    while let Some((index, word)) = rest.next() {
        let place = Place { word: index, offset: 0 };
        if only_arguments || word == "-" || !word.starts_with('-') {
            scanned.arguments.push(Value { text: word, place });
            continue;
        }
        if word == "--" {
            only_arguments = true;
            continue;
        }
        let next = |argument| {
            let (word, text) = match argument {
                Argument::Required => rest.next(),
                Argument::Optional => rest.next_if(|(_, word)| !word.starts_with('-')),
                Argument::No => None,
            }?;
            Some(Value { text, place: Place { word, offset: 0 } })
        };
        if word.starts_with("--") {
            scanned.push(long(place, word, next, words.len())?);
        } else {
            letters(word, place, &mut scanned, next)?;
        }
    }
    Ok(scanned)
}

const UNKNOWN: &str = "an option of a command that changes something";

/// `--name`, `--name=value` or `--name value`.
fn long<'w>(
    place: Place,
    word: &'w str,
    next: impl FnOnce(Argument) -> Option<Value<'w>>,
    words: usize,
) -> Result<Given<'w>, CommandError> {
    let (name, text) = match word.split_once('=') {
        Some((name, text)) => (name, Some(text)),
        None => (word, None),
    };
    let known = name.strip_prefix("--").and_then(Opt::of_name);
    let (option, argument) = known.ok_or_else(|| CommandError::new(place, UNKNOWN, name))?;
    let attached = text.map(|text| Value { text, place: place.after(name.len() + 1) });
    if let (Argument::No, Some(value)) = (argument, attached) {
        return Err(value.refused(format!("no argument of {name}")));
    }
    let given = Given { option, name, place, value: attached.or_else(|| next(argument)) };
    given.check(argument, words)?;
    Ok(given)
}

/// `-m`, `-w3`, `-w=3`, `-w 3`, or several letters of which the last takes the argument.
fn letters<'w>(
    word: &'w str,
    place: Place,
    scanned: &mut Scanned<'w>,
    mut next: impl FnMut(Argument) -> Option<Value<'w>>,
) -> Result<(), CommandError> {
    for (offset, letter) in word.char_indices().skip(1) {
        let end = offset + letter.len_utf8();
        let name = word.get(offset..end).unwrap_or_default();
        let rest = word.get(end..).unwrap_or_default();
        // The first one is at its dash.
        let own = if offset == 1 { place } else { place.after(offset) };
        let unknown = || CommandError::new(own, UNKNOWN, format!("-{letter}"));
        let (option, argument) = Opt::of_letter(letter).ok_or_else(unknown)?;
        let attached = match rest.strip_prefix('=') {
            Some(text) => Some(Value { text, place: place.after(end + 1) }),
            None if rest.is_empty() || argument == Argument::No => None,
            None => Some(Value { text: rest, place: place.after(end) }),
        };
        if let (Argument::No, Some(value)) = (argument, attached) {
            return Err(value.refused(format!("no argument of -{letter}")));
        }
        let given = Given { option, name, place: own, value: attached.or_else(|| next(argument)) };
        if !(scanned.saved && option == Opt::SchedulerFlags) {
            given.check(argument, scanned.words)?;
        }
        scanned.push(given);
        if argument != Argument::No {
            break;
        }
    }
    Ok(())
}
