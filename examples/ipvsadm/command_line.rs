//! Splits a command line into options and arguments, in all spellings that the original reads:
//! options in groups (`-Ln`), a value in the same word or in the next (`-t1.2.3.4:80`, `-t=...`,
//! `--tcp-service=...`), arguments anywhere, and only arguments after `--`.

use std::collections::VecDeque;

use ipvs_netlink::{Command, CommandOption, OptionArgument, OptionGroup};

use crate::failure::Failure;

/// A part of a command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// An option, its spelling, and its value.
    Option { option: &'static CommandOption, spelling: String, value: Option<String> },
    /// A word that belongs to no option.
    Argument(String),
}

/// A command line. Its first option is the command.
#[derive(Debug)]
pub(crate) struct CommandLine {
    pub(crate) command: &'static CommandOption,
    /// The parts after the command.
    pub(crate) rest: Parts,
    /// An argument before the command. Every command refuses it, after its own errors.
    pub(crate) argument: Option<String>,
}

impl CommandLine {
    pub(crate) fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut rest = Parts::of(words);
        let mut argument = None;
        loop {
            match rest.next() {
                Some(Ok(Part::Option { option: command, .. })) if is_command(command) => {
                    return Ok(Self { command, rest, argument });
                }
                Some(Ok(Part::Argument(word))) => argument = Some(word),
                Some(Err(failure)) => return Err(failure),
                _ => return Err(Failure::syntax("no command; -h lists the commands")),
            }
        }
    }
}

pub(crate) fn is_command(option: &CommandOption) -> bool {
    option.group() == OptionGroup::Command
}

/// Iterates over the parts of a command line. After an error there is no use in going on.
#[derive(Debug)]
pub(crate) struct Parts {
    words: VecDeque<String>,
    /// The letters of a group of options that are still to come.
    letters: VecDeque<char>,
    /// Whether `--` has come, after which all words are arguments.
    only_arguments: bool,
}

impl Parts {
    pub(crate) fn of(words: &[String]) -> Self {
        let words = words.iter().cloned().collect();
        Self { words, letters: VecDeque::new(), only_arguments: false }
    }

    fn long(&mut self, word: &str) -> Result<Part, Failure> {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let spelling = format!("--{name}");
        let option = find(&spelling, |option| option.name() == name)?;
        if attached.is_some() && option.argument() == OptionArgument::No {
            return Err(Failure::syntax(format!("{spelling}: the option takes no value")));
        }
        self.with_value(option, spelling, attached)
    }

    fn letter(&mut self, letter: char) -> Result<Part, Failure> {
        let spelling = format!("-{letter}");
        let option = find(&spelling, |option| option.letters().contains(letter))?;
        let mut attached = None;
        if option.argument() != OptionArgument::No && !self.letters.is_empty() {
            let rest: String = self.letters.drain(..).collect();
            attached = Some(rest.strip_prefix('=').unwrap_or(&rest).to_owned());
        }
        self.with_value(option, spelling, attached)
    }

    /// Takes the value of an option from its own word, else from the next word.
    fn with_value(
        &mut self,
        option: &'static CommandOption,
        spelling: String,
        attached: Option<String>,
    ) -> Result<Part, Failure> {
        let next_is_value = self.words.front().is_some_and(|word| !word.starts_with('-'));
        let takes_next = match option.argument() {
            OptionArgument::No => false,
            OptionArgument::Optional => next_is_value,
            OptionArgument::Required => true,
        };
        let value = match attached {
            None if takes_next => self.words.pop_front(),
            attached => attached,
        };
        if value.is_none() && option.argument() == OptionArgument::Required {
            return Err(Failure::syntax(format!("{spelling}: the value is missing")));
        }
        Ok(Part::Option { option, spelling, value })
    }
}

fn find(
    spelling: &str,
    is_it: impl Fn(&CommandOption) -> bool,
) -> Result<&'static CommandOption, Failure> {
    let found = Command::options().iter().find(|option| is_it(option));
    found.ok_or_else(|| Failure::syntax(format!("{spelling:?}: unknown option")))
}

impl Iterator for Parts {
    type Item = Result<Part, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(letter) = self.letters.pop_front() {
            return Some(self.letter(letter));
        }
        let word = self.words.pop_front()?;
        if self.only_arguments {
            return Some(Ok(Part::Argument(word)));
        }
        if word == "--" {
            self.only_arguments = true;
            return self.next();
        }
        if let Some(long) = word.strip_prefix("--") {
            return Some(self.long(long));
        }
        match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() => {
                self.letters = letters.chars().collect();
                self.next()
            }
            _ => Some(Ok(Part::Argument(word))),
        }
    }
}
