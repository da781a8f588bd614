//! The command line and the saved text of `ipvsadm` 1.31, read and printed.
//!
//! The module has one grammar for both directions. Nothing in it opens a socket.

mod address;
mod cached_names;
mod change_parser;
mod check_command;
mod command;
mod command_error;
mod names;
mod option_parser;
mod option_values;
mod options;
mod printed_command;
mod shell_words;
mod statements;
mod system_names;
mod text_error;

#[cfg(test)]
mod tests;

pub(crate) use cached_names::CachedNames;
pub use check_command::Unsaid;
pub use command::Command;
pub use command_error::CommandError;
pub use names::{NameError, Names, NumericNames};
pub(crate) use printed_command::Line;
pub(crate) use statements::{Statement, first_line_about, statements};
pub use system_names::SystemNames;
pub use text_error::TextError;
pub(crate) use text_error::Trouble;
