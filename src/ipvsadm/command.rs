use std::str::FromStr;

use super::change_parser;
use super::command_error::CommandError;
use super::names::{Names, NumericNames};
use super::statements::{self, statements};
use super::text_error::{TextError, Trouble};
use crate::model::Change;

/// A command line of `ipvsadm` that changes something.
///
/// All commands of ipvsadm 1.31 that change something are read, with every option that
/// they take, in every spelling: `-A -t 192.0.2.10:80`, `-At192.0.2.10:80`,
/// `--add-service --tcp-service=192.0.2.10:80`. What is left out is `ipvsadm`'s default:
/// scheduler `wlc`, direct routing, weight 1, 360 s for a `-p` without a number, the
/// service's port for a destination without one (0 for a firewall mark), a whole mask,
/// the interface `eth0`. An empty value of `-s`, `-b` or `--pe` is left out, too.
///
/// Settings are read, not judged: see [`Change::validate`]. So some are accepted that
/// `ipvsadm` itself refuses: persistence of 0 s, port 0 without persistence, one-packet
/// scheduling of TCP, `-n` with any command, `-6` before `-f`, brackets without a port.
///
/// Packets keep their port with direct routing and tunnels, so `-a` and `-e` with `-g`, with
/// `-i` or with no method put the destination at its service's port, whatever port is
/// written. With a firewall mark the written port counts. `-d` knows no method and names the
/// port that is written: delete such a destination by its service's port, or by no port.
///
/// A mask without persistence, `-M` without `-p`, is without effect and is dropped, and so is
/// an engine without persistence.
///
/// Where `ipvsadm` guesses, this reads what the words say or refuses them:
///
/// - The order of options does not matter. With `ipvsadm`, `-r` before `-t` gets port 0,
///   and `-M` before an IPv6 `-t` is lost.
/// - Refused: numbers with a sign or blanks; addresses in octal, in hexadecimal or with
///   fewer than four parts; `-M 24` for IPv4 (which it takes for 0.0.0.24) and `-M 64x`
///   for IPv6; names that it would cut.
/// - A negative mark is read, because `ipvsadm -S` prints marks over 2147483647 that way.
/// - `-r [2001:db8::2]` without a port is read, as `-r 2001:db8::2` and `-r 10.0.0.2` are:
///   the brackets leave no doubt. `ipvsadm` refuses the brackets only.
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
    /// What it does.
    pub change: Change,
    /// Whether there was a weight. Without one a destination of the change has
    /// weight 1, which is what `ipvsadm` would set.
    pub weight_given: bool,
}

impl Command {
    /// Reads the words of a command, without the name of the program.
    ///
    /// # Errors
    ///
    /// When the words are not a command that changes something, or miss or repeat an
    /// option, or a value cannot be read. The error tells the word.
    pub fn parse<W: AsRef<str>>(words: &[W], names: &dyn Names) -> Result<Self, CommandError> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        change_parser::command(&words, names, false)
    }

    /// Splits a line into words, as [`parse_lines`](Self::parse_lines) does, and leaves out a
    /// first word `ipvsadm`. A program that knows more commands than this crate, such as
    /// those that list, takes the words of their lines from here.
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
    /// When a quote has no end, or a backslash is the last character. The line of the error
    /// is 1.
    pub fn words(line: &str) -> Result<Vec<String>, TextError> {
        let words = statements::words(1, line)?;
        Ok(words.into_iter().map(|word| word.text.into_owned()).collect())
    }

    /// Reads the commands of a text, one a line, each with the number of its line from 1:
    /// what `ipvsadm -R` reads.
    ///
    /// A line is split as a shell would do it: blanks separate, quotes and backslashes
    /// quote, `#` begins a comment. The first word may be `ipvsadm`. Lines without words
    /// are passed over. `ipvsadm -R` itself knows neither quotes nor comments.
    ///
    /// A `-b` that ends a line is no flag: so `ipvsadm -S` writes those that it has no name
    /// for, `flag-3` of `sh` and `mh`. `ipvsadm -R` refuses it.
    ///
    /// ```
    /// use ipvs_netlink::{Command, NumericNames};
    ///
    /// let text = "# All gone.\n-C\n-A -f 5 -s rr\n";
    /// for command in Command::parse_lines(text, &NumericNames) {
    ///     let (line, command) = command?;
    ///     println!("{line}: {command}");
    /// }
    /// # Ok::<(), ipvs_netlink::TextError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A line is an error when it cannot be read, is not UTF-8, is longer than 4096 bytes,
    /// or is the comment of something that `ipvsadm` cannot say. Reading may go on after it.
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

    /// Reads what `Display` writes, and any other line of [`Command::parse_lines`], with
    /// addresses in numbers.
    ///
    /// # Errors
    ///
    /// When there is not exactly one command, it is the comment of a change for which
    /// `ipvsadm` has no words, or it cannot be read.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut found: Option<Self> = None;
        for statement in statements(text.as_bytes(), &NumericNames) {
            let statement = statement?;
            if found.is_some() {
                let (line, column) = (statement.line, statement.column);
                return Err(TextError::new(line, column, Trouble::SecondCommand));
            }
            found = Some(statement.command.change);
        }
        found.ok_or_else(|| TextError::new(1, 1, Trouble::NoCommand))
    }
}
