//! Turns words into options with their arguments, by the rules of the library `popt`.

use super::command_error::{CommandError, Place};
use super::options::{CommandOption, Opt, OptionArgument, option_of_letter, option_of_name};

/// The words of a command as options and arguments.
pub(super) struct ParsedOptions<'w> {
    /// The options, in the order in which they were given.
    pub(super) options: Vec<GivenOption<'w>>,
    /// The bits of [`Opt::choice`] of all options.
    pub(super) choices: u64,
    /// The words that belong to no option.
    pub(super) arguments: Vec<Value<'w>>,
    /// The number of words.
    pub(super) words: usize,
    /// Whether `-b` may stand without an argument, see [`parse_options`].
    bare_flags: bool,
}

impl<'w> ParsedOptions<'w> {
    fn push(&mut self, given: GivenOption<'w>) {
        self.choices |= given.option.choice().bit();
        self.options.push(given);
    }
}

/// An option as it was given.
#[derive(Clone, Copy)]
pub(super) struct GivenOption<'w> {
    pub(super) option: Opt,
    /// The letter without its dash, or the long name with its dashes.
    spelling: &'w str,
    /// Where the spelling is.
    pub(super) place: Place,
    pub(super) value: Option<Value<'w>>,
}

impl GivenOption<'_> {
    /// An error: something else was expected in place of this option.
    pub(super) fn expected(&self, expected: impl Into<String>) -> CommandError {
        CommandError::new(self.place, expected.into(), self.name())
    }

    /// The option as it was given, without its argument: `-t` or `--tcp-service`.
    pub(super) fn name(&self) -> String {
        let dash = if self.spelling.starts_with('-') { "" } else { "-" };
        format!("{dash}{}", self.spelling)
    }

    fn require_argument(&self, argument: OptionArgument, words: usize) -> Result<(), CommandError> {
        if argument == OptionArgument::Required && self.value.is_none() {
            return Err(CommandError::at_end(words, format!("an argument of {}", self.name())));
        }
        Ok(())
    }
}

/// A word, or the part of a word that is an argument.
#[derive(Clone, Copy)]
pub(super) struct Value<'w> {
    pub(super) text: &'w str,
    pub(super) place: Place,
}

impl Value<'_> {
    /// An error: something else was expected in place of this value.
    pub(super) fn expected(&self, expected: impl Into<String>) -> CommandError {
        CommandError::new(self.place, expected.into(), self.text)
    }
}

/// Parses the words of a command.
///
/// With `bare_flags`, the last word may be a `-b` without an argument. `ipvsadm -S` writes such
/// lines for scheduler flags that it has no name for.
pub(super) fn parse_options<'w>(
    words: &[&'w str],
    bare_flags: bool,
) -> Result<ParsedOptions<'w>, CommandError> {
    let mut parsed = ParsedOptions {
        options: Vec::with_capacity(words.len()),
        choices: 0,
        arguments: Vec::new(),
        words: words.len(),
        bare_flags,
    };
    let mut rest = words.iter().copied().enumerate().peekable();
    let mut only_arguments = false;
    while let Some((index, word)) = rest.next() {
        let place = Place { word: index, offset: 0 };
        if only_arguments || word == "-" || !word.starts_with('-') {
            parsed.arguments.push(Value { text: word, place });
            continue;
        }
        if word == "--" {
            only_arguments = true;
            continue;
        }
        let next = |argument| {
            let (word, text) = match argument {
                OptionArgument::Required => rest.next(),
                OptionArgument::Optional => rest.next_if(|(_, word)| !word.starts_with('-')),
                OptionArgument::No => None,
            }?;
            Some(Value { text, place: Place { word, offset: 0 } })
        };
        if word.starts_with("--") {
            parsed.push(parse_long(place, word, next, words.len())?);
        } else {
            parse_letters(word, place, &mut parsed, next)?;
        }
    }
    Ok(parsed)
}

const UNKNOWN: &str = "an option of ipvsadm";

/// Parses `--name`, `--name=value` or `--name value`.
fn parse_long<'w>(
    place: Place,
    word: &'w str,
    next: impl FnOnce(OptionArgument) -> Option<Value<'w>>,
    words: usize,
) -> Result<GivenOption<'w>, CommandError> {
    let (name, text) = match word.split_once('=') {
        Some((name, text)) => (name, Some(text)),
        None => (word, None),
    };
    let known = name.strip_prefix("--").and_then(option_of_name);
    let known = known.ok_or_else(|| CommandError::new(place, UNKNOWN, name))?;
    let attached = text.map(|text| Value { text, place: place.after(name.len() + 1) });
    let given = give(known, name, place, attached, next)?;
    given.require_argument(known.argument(), words)?;
    Ok(given)
}

/// Parses `-m`, `-w3`, `-w=3` or `-w 3`, or several letters of which the last may take an
/// argument: `-mw3`.
fn parse_letters<'w>(
    word: &'w str,
    place: Place,
    parsed: &mut ParsedOptions<'w>,
    mut next: impl FnMut(OptionArgument) -> Option<Value<'w>>,
) -> Result<(), CommandError> {
    for (offset, letter) in word.char_indices().skip(1) {
        let end = offset + letter.len_utf8();
        let spelling = word.get(offset..end).unwrap_or_default();
        let rest = word.get(end..).unwrap_or_default();
        // The place of the first letter is that of its dash.
        let own = if offset == 1 { place } else { place.after(offset) };
        let unknown = || CommandError::new(own, UNKNOWN, format!("-{letter}"));
        let known = option_of_letter(letter).ok_or_else(unknown)?;
        let argument = known.argument();
        let attached = match rest.strip_prefix('=') {
            Some(text) => Some(Value { text, place: place.after(end + 1) }),
            None if rest.is_empty() || argument == OptionArgument::No => None,
            None => Some(Value { text: rest, place: place.after(end) }),
        };
        let given = give(known, spelling, own, attached, &mut next)?;
        if !(parsed.bare_flags && given.option == Opt::SchedulerFlags) {
            given.require_argument(argument, parsed.words)?;
        }
        parsed.push(given);
        if argument != OptionArgument::No {
            break;
        }
    }
    Ok(())
}

/// Puts an option together with the argument from its own word or from the next word.
fn give<'w>(
    known: &CommandOption,
    spelling: &'w str,
    place: Place,
    attached: Option<Value<'w>>,
    next: impl FnOnce(OptionArgument) -> Option<Value<'w>>,
) -> Result<GivenOption<'w>, CommandError> {
    let (option, argument) = (known.id(), known.argument());
    let given = |value| GivenOption { option, spelling, place, value };
    match attached {
        Some(value) if argument == OptionArgument::No => {
            Err(value.expected(format!("no argument of {}", given(None).name())))
        }
        Some(value) => Ok(given(Some(value))),
        None => Ok(given(next(argument))),
    }
}
