//! Commands and saved tables of `ipvsadm` 1.31: reads them and prints them.
//!
//! Reading goes through these files, from text to change:
//!
//! 1. `statements` splits a text into lines and parses each line;
//! 2. `shell_words` splits a line into words;
//! 3. `option_parser` turns words into options with their arguments;
//! 4. `change_parser` turns options into a [`Change`](crate::model::Change), with
//!    `option_values` and `address` for the arguments and `names` for names of hosts and ports.
//!
//! `printed_command` goes the other way. `check_command` finds changes for which `ipvsadm` has
//! no command. Nothing here opens a netlink socket; only `system_names` asks the system.

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
pub(crate) mod tests;

#[cfg(feature = "serde")]
pub(crate) use address::may_be_host;
pub(crate) use cached_names::CachedNames;
pub use check_command::Unsaid;
pub use command::Command;
pub use command_error::CommandError;
pub use names::{NameError, Names, NumericNames};
pub use options::{CommandOption, OptionArgument, OptionGroup};
pub(crate) use printed_command::PrintedCommand;
pub(crate) use statements::{Statement, first_line_about, statements};
pub use system_names::SystemNames;
pub use text_error::TextError;
pub(crate) use text_error::TextProblem;
