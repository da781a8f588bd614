use std::str::FromStr;

use super::change_parser::parse_command;
use super::command_error::CommandError;
use super::names::{Names, NumericNames};
use super::options::{CommandOption, OPTIONS};
use super::statements::{command_words, statements};
use super::text_error::{TextError, TextProblem};
use crate::model::Change;

/// A command of `ipvsadm` that changes something.
///
/// This type reads all commands of `ipvsadm` 1.31 that change something, with every option and
/// in every spelling: `-A -t 192.0.2.10:80`, `-At192.0.2.10:80`,
/// `--add-service --tcp-service=192.0.2.10:80`. [`Command::options`] lists the options.
///
/// # Defaults
///
/// What a command leaves out has the default of `ipvsadm`:
///
/// - scheduler: `wlc`; an empty argument of `-s`, `-b` or `--pe` counts as left out, too;
/// - timeout of `-p` without a number: 360 s; netmask: the whole address;
/// - forwarding method: direct routing; weight: 1;
/// - port of a destination: that of the service, or 0 for a firewall mark;
/// - interface of a daemon: `eth0`.
///
/// `-M` or `--pe` without `-p` is dropped, because both are without effect.
///
/// # Ports of direct routing and tunnels
///
/// Direct routing and tunnels do not change the port of a packet. `-a` and `-e` with `-g`, with
/// `-i` or without a method therefore put the destination at the port of its service, whatever
/// port the command has. With a firewall mark, the port of the command counts. `-d` has no
/// method, so the port of the command counts: to delete such a destination, give the service's
/// port or no port.
///
/// # Differences from `ipvsadm`
///
/// Reading does not judge settings; [`Change::validate`] and
/// [`Change::check_command`] do. This type therefore accepts some commands that `ipvsadm`
/// refuses: persistence of 0 s, port 0 without persistence, one-packet scheduling of TCP, `-n`
/// with any command, `-6` before `-f`, brackets without a port.
///
/// `ipvsadm` guesses at some arguments. This type reads exactly what the words say, or refuses
/// them:
///
/// - The order of options does not matter. `ipvsadm` gives a `-r` before `-t` port 0, and loses
///   a `-M` before an IPv6 `-t`.
/// - Refused are: numbers with a sign or blanks; addresses in octal, in hexadecimal or with
///   fewer than four parts; `-M 24` for IPv4, which `ipvsadm` reads as 0.0.0.24; `-M 64x` for
///   IPv6; names that `ipvsadm` would cut.
/// - A negative firewall mark is read, because `ipvsadm -S` prints a mark over 2147483647 as a
///   negative number.
/// - `-r [2001:db8::2]` without a port is read like `-r 2001:db8::2`. `ipvsadm` refuses the
///   brackets.
///
/// ```
/// use ipvs_netlink::{Command, NumericNames};
///
/// let words = ["-a", "-t", "192.0.2.10:80", "-r", "10.0.0.2", "-m"];
/// let command = Command::parse(&words, &NumericNames)?;
/// assert!(!command.weight_given);
/// assert_eq!(
///     command.change.to_string(),
///     "ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 1"
/// );
/// # Ok::<(), ipvs_netlink::CommandError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// What the command does.
    pub change: Change,
    /// Whether the command has a weight. A destination without one gets weight 1, as from
    /// `ipvsadm`.
    pub weight_given: bool,
}

impl Command {
    /// Lists the options of `ipvsadm` 1.31 with their help, grouped by
    /// [`OptionGroup`](crate::OptionGroup).
    ///
    /// The list includes the commands that print, such as `-L`, and their options.
    /// [`parse`](Self::parse) refuses those commands.
    #[must_use]
    pub const fn options() -> &'static [CommandOption] {
        OPTIONS
    }

    /// Reads the words of a command. The name of the program is not among them.
    ///
    /// # Errors
    ///
    /// - The first option is not a command that changes something.
    /// - An option is unknown, missing, given twice, or not taken by the command.
    /// - An argument cannot be read, or `names` does not know a name in it.
    ///
    /// The error has the index of the wrong word.
    pub fn parse<W: AsRef<str>>(words: &[W], names: &dyn Names) -> Result<Self, CommandError> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        parse_command(&words, names, false)
    }

    /// Splits a line into words, as [`parse_lines`](Self::parse_lines) does. A first word
    /// `ipvsadm` is left out.
    ///
    /// This is for programs that also run the commands that this crate does not read, such as
    /// `-L`.
    ///
    /// ```
    /// use ipvs_netlink::Command;
    ///
    /// assert_eq!(Command::words("ipvsadm -L -t '[2001:db8::1]:80' # all")?.len(), 3);
    /// # Ok::<(), ipvs_netlink::TextError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a quote is not closed, a backslash is the last character, or `ipvsadm` is the only
    /// word. The line of the error is 1.
    pub fn words(line: &str) -> Result<Vec<String>, TextError> {
        let words = command_words(1, line)?;
        Ok(words.into_iter().map(|word| word.text.into_owned()).collect())
    }

    /// Reads a text with one command a line, such as `ipvsadm -S` writes. Each command comes
    /// with the number of its line, from 1.
    ///
    /// Lines are split as by a shell: blanks separate words, quotes and backslashes quote, `#`
    /// begins a comment. The first word may be `ipvsadm`. A line without words is skipped.
    /// (`ipvsadm -R` knows neither quotes nor comments.)
    ///
    /// A `-b` at the end of a line sets no flag. `ipvsadm -S` writes such a line for a flag that
    /// it has no name for, `flag-3` of `sh` and `mh`, and `ipvsadm -R` refuses the line.
    ///
    /// ```
    /// use ipvs_netlink::{Command, NumericNames};
    ///
    /// let text = "# Start with an empty table.\n-C\n-A -f 5 -s rr\n";
    /// for command in Command::parse_lines(text, &NumericNames) {
    ///     let (line, command) = command?;
    ///     println!("{line}: {command}");
    /// }
    /// # Ok::<(), ipvs_netlink::TextError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A line gives an error if it cannot be read, is not UTF-8, is longer than 4096 bytes, or
    /// is a comment `# ipvsadm cannot say ...`. The iterator goes on with the next line.
    pub fn parse_lines(
        text: &(impl AsRef<[u8]> + ?Sized),
        names: &dyn Names,
    ) -> impl Iterator<Item = Result<(usize, Self), TextError>> {
        statements(text.as_ref(), names)
            .map(|statement| statement.map(|statement| (statement.line, statement.command)))
    }
}

impl FromStr for Change {
    type Err = TextError;

    /// Reads the command that `Display` writes, or any other command that
    /// [`Command::parse_lines`] reads. Hosts and ports must be numbers.
    ///
    /// # Errors
    ///
    /// When the text does not have exactly one command, the command cannot be read, or the text
    /// is the comment of a change that `ipvsadm` has no command for.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut found: Option<Self> = None;
        for statement in statements(text.as_bytes(), &NumericNames) {
            let statement = statement?;
            if found.is_some() {
                let (line, column) = (statement.line, statement.column);
                return Err(TextError::new(line, column, TextProblem::SecondCommand));
            }
            found = Some(statement.command.change);
        }
        found.ok_or_else(|| TextError::new(1, 1, TextProblem::NoCommand))
    }
}
