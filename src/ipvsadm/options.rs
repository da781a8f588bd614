//! The options of `ipvsadm` in one table: names, arguments, help, and the commands that take
//! them.

use OptionArgument::{No, Optional, Required};

/// An option of `ipvsadm` 1.31: how it is written, what it takes and what it does.
///
/// Commands such as `-A` are options, too. [`Command::options`](crate::Command::options) lists
/// all options, those of the commands that list, save and restore included. A program that
/// speaks the language of `ipvsadm` can print its help from this list.
///
/// ```
/// use ipvs_netlink::{Command, OptionArgument};
///
/// let find = |name| Command::options().iter().find(|option| option.name() == name).unwrap();
/// let weight = find("weight");
/// assert_eq!(weight.letters(), "w");
/// assert_eq!(weight.argument(), OptionArgument::Required);
/// assert_eq!(weight.operand(), "NUMBER");
/// assert!(find("add-server").takes(weight));
/// assert!(!find("add-service").takes(weight));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandOption {
    id: Opt,
    letters: &'static str,
    name: &'static str,
    argument: OptionArgument,
    operand: &'static str,
    group: OptionGroup,
    help: &'static str,
}

/// Whether an option takes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptionArgument {
    /// The option takes no argument.
    No,
    /// The option takes the next word, unless that word begins with `-`.
    Optional,
    /// The option takes the next word, whatever the word is.
    Required,
}

/// What an option is about. Each command takes the options of some groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OptionGroup {
    /// The option is a command.
    Command,
    /// The option identifies a virtual service.
    Service,
    /// The option is a setting of a service.
    ServiceSettings,
    /// The option identifies a destination.
    Destination,
    /// The option is a setting of a destination.
    DestinationSettings,
    /// The option is a setting of a connection synchronization daemon.
    Daemon,
    /// The option says what is listed, or how.
    List,
}

/// Makes the enum [`Opt`] and the table [`OPTIONS`] of one list.
macro_rules! options {
    ($($group:ident {
        $($id:ident, $letters:literal, $name:literal, $argument:ident, $operand:literal, $help:literal;)*
    })*) => {
        /// Identifies an option. The value is the option's row in [`OPTIONS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Opt { $($($id,)*)* }

        /// All options, by group.
        pub(super) const OPTIONS: &[CommandOption] = &[$($(CommandOption {
            id: Opt::$id,
            letters: $letters,
            name: $name,
            argument: $argument,
            operand: $operand,
            group: OptionGroup::$group,
            help: $help,
        },)*)*];
    };
}

// Each row: the variant of `Opt`, letters, name, argument, what follows the name in help, help.
options! {
    Command {
        AddService, "A", "add-service", No, "SERVICE [SETTINGS]", "add a virtual service";
        EditService, "E", "edit-service", No, "SERVICE [SETTINGS]", "replace all settings of a service";
        DeleteService, "D", "delete-service", No, "SERVICE", "delete a service and its destinations";
        Clear, "C", "clear", No, "", "delete all services";
        Zero, "Z", "zero", No, "[SERVICE]", "set the counters of one or all services to 0";
        AddServer, "a", "add-server", No, "SERVICE -r SERVER [SETTINGS]", "add a destination to a service";
        EditServer, "e", "edit-server", No, "SERVICE -r SERVER [SETTINGS]", "replace all settings of a destination";
        DeleteServer, "d", "delete-server", No, "SERVICE -r SERVER", "delete a destination from a service";
        Set, "", "set", No, "TCP TCPFIN UDP", "set timeouts in seconds; 0 keeps a timeout";
        StartDaemon, "", "start-daemon", Required, "master|backup [SETTINGS]", "start a connection synchronization daemon";
        StopDaemon, "", "stop-daemon", Required, "master|backup", "stop a connection synchronization daemon";
        Save, "S", "save", No, "[-n]", "print the table as commands for -R";
        Restore, "R", "restore", No, "", "run the commands from standard input";
        List, "Ll", "list", No, "[SERVICE] [OPTIONS]", "list the table (default command)";
        Help, "h", "help", No, "", "print this help";
        Version, "v", "version", No, "", "print the version";
    }
    Service {
        Tcp, "t", "tcp-service", Required, "HOST:PORT", "TCP service; an IPv6 host is in brackets";
        Udp, "u", "udp-service", Required, "HOST:PORT", "UDP service";
        Sctp, "", "sctp-service", Required, "HOST:PORT", "SCTP service";
        Fwmark, "f", "fwmark-service", Required, "MARK", "packets with this firewall mark";
        Ipv6, "6", "ipv6", No, "", "with -f: IPv6 packets instead of IPv4";
    }
    ServiceSettings {
        Scheduler, "s", "scheduler", Required, "NAME", "scheduler (default: wlc)";
        Persistent, "p", "persistent", Optional, "[SECONDS]", "persistence with this timeout (default: 360)";
        Netmask, "M", "netmask", Required, "MASK", "with -p: IPv4 mask or IPv6 prefix length";
        Engine, "", "pe", Required, "NAME", "with -p: persistence engine, such as sip";
        SchedulerFlags, "b", "sched-flags", Required, "FLAG,...", "flags of the scheduler, such as sh-port";
        OnePacket, "o", "ops", No, "", "schedule each UDP packet on its own";
    }
    Destination {
        Server, "r", "real-server", Required, "HOST[:PORT]", "destination (default port: the service's)";
    }
    DestinationSettings {
        Gatewaying, "g", "gatewaying", No, "", "forward by direct routing (default)";
        Masquerading, "m", "masquerading", No, "", "forward by masquerading (NAT)";
        Ipip, "i", "ipip", No, "", "forward through a tunnel";
        TunnelType, "", "tun-type", Required, "ipip|gue|gre", "with -i: type of the tunnel (default: ipip)";
        TunnelPort, "", "tun-port", Required, "PORT", "with --tun-type gue: UDP port of the tunnel";
        NoChecksum, "", "tun-nocsum", No, "", "with gue or gre: no checksum (default)";
        Checksum, "", "tun-csum", No, "", "with gue or gre: checksum";
        RemoteChecksum, "", "tun-remcsum", No, "", "with gue: remote checksum offload";
        Weight, "w", "weight", Required, "NUMBER", "weight (default: 1)";
        UpperThreshold, "x", "u-threshold", Required, "NUMBER", "no new connections at this many; 0: no limit";
        LowerThreshold, "y", "l-threshold", Required, "NUMBER", "new connections again below this many";
    }
    Daemon {
        Interface, "", "mcast-interface", Required, "NAME", "network interface (default: eth0)";
        SyncId, "", "syncid", Required, "NUMBER", "synchronization id (default: 0)";
        MaxLength, "", "sync-maxlen", Required, "BYTES", "length of the longest message";
        Group, "", "mcast-group", Required, "ADDRESS", "multicast group";
        Port, "", "mcast-port", Required, "PORT", "UDP port";
        Ttl, "", "mcast-ttl", Required, "NUMBER", "TTL of multicast packets";
    }
    List {
        Connection, "c", "connection", No, "", "list connections instead of the table";
        TimeoutList, "", "timeout", No, "", "print the timeouts instead of the table";
        DaemonList, "", "daemon", No, "", "print the daemons instead of the table";
        Stats, "", "stats", No, "", "show counters";
        Rate, "", "rate", No, "", "show rates per second";
        Thresholds, "", "thresholds", No, "", "show thresholds of destinations";
        PersistentConn, "", "persistent-conn", No, "", "show persistent connections; with -c, engines";
        TunInfo, "", "tun-info", No, "", "show tunnels";
        Exact, "X", "exact", No, "", "print numbers in full";
        Numeric, "n", "numeric", No, "", "print numbers for names of hosts and ports";
        NoSort, "", "nosort", No, "", "keep the order of the kernel";
        Sort, "", "sort", No, "", "sort (default)";
    }
}

/// Row in [`OPTIONS`] of each ASCII letter; `u8::MAX` where no option has the letter.
#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, where a panic is a compile error"
)]
const ROW_OF_LETTER: [u8; 128] = {
    let mut rows = [u8::MAX; 128];
    let mut row = 0;
    while row < OPTIONS.len() {
        let letters = OPTIONS[row].letters.as_bytes();
        let mut at = 0;
        while at < letters.len() {
            rows[letters[at] as usize] = row as u8;
            at += 1;
        }
        row += 1;
    }
    rows
};

impl CommandOption {
    /// The long name, without its dashes, such as `tcp-service`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The letters that are short names of the option: none, one, or `Ll` for `--list`.
    #[must_use]
    pub const fn letters(&self) -> &'static str {
        self.letters
    }

    /// Whether the option takes an argument.
    #[must_use]
    pub const fn argument(&self) -> OptionArgument {
        self.argument
    }

    /// What follows the name in a help text, such as `HOST:PORT`. For a command, these are
    /// all words that it needs or takes. Empty where nothing follows.
    #[must_use]
    pub const fn operand(&self) -> &'static str {
        self.operand
    }

    /// What the option is about.
    #[must_use]
    pub const fn group(&self) -> OptionGroup {
        self.group
    }

    /// What the option does, in at most 46 characters.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// Whether `self` is a command that takes `option`. Every command takes `--numeric` and
    /// `--sort`; both are without effect on commands that do not print.
    #[must_use]
    pub fn takes(&self, option: &Self) -> bool {
        self.id.takes(option.id)
    }

    pub(super) const fn id(&self) -> Opt {
        self.id
    }
}

/// Finds the option with a one-letter name.
pub(super) fn option_of_letter(letter: char) -> Option<&'static CommandOption> {
    let row = *ROW_OF_LETTER.get(usize::try_from(u32::from(letter)).ok()?)?;
    OPTIONS.get(usize::from(row))
}

/// Finds the option with a long name. An abbreviation finds nothing: `ipvsadm` refuses
/// `--add-serv`.
pub(super) fn option_of_name(name: &str) -> Option<&'static CommandOption> {
    OPTIONS.iter().find(|option| option.name == name)
}

impl Opt {
    fn group(self) -> Option<OptionGroup> {
        OPTIONS.get(self as usize).map(CommandOption::group)
    }

    /// Whether this is a command that changes something, which is what this crate reads.
    pub(super) fn is_change(self) -> bool {
        let prints =
            matches!(self, Self::List | Self::Save | Self::Restore | Self::Help | Self::Version);
        self.group() == Some(OptionGroup::Command) && !prints
    }

    /// Whether the command `self` takes `option`.
    pub(super) fn takes(self, option: Self) -> bool {
        use OptionGroup::{
            Command, Daemon, Destination, DestinationSettings, List, Service, ServiceSettings,
        };
        let groups: &[OptionGroup] = match self {
            Self::AddService | Self::EditService => &[Service, ServiceSettings],
            Self::DeleteService | Self::Zero => &[Service],
            Self::AddServer | Self::EditServer => &[Service, Destination, DestinationSettings],
            Self::DeleteServer => &[Service, Destination],
            Self::StartDaemon => &[Daemon],
            Self::List => &[Service, List],
            _ => &[],
        };
        match option {
            Self::Numeric | Self::Sort => self.group() == Some(Command),
            // `ipvsadm` takes an id and ignores it: a daemon is stopped whatever its id.
            Self::SyncId if self == Self::StopDaemon => true,
            _ => option.group().is_some_and(|group| groups.contains(&group)),
        }
    }

    /// A bit of its own, for sets of options.
    pub(super) const fn bit(self) -> u64 {
        1 << self as u32
    }

    /// The representative of the options that exclude each other, of which a command takes
    /// one. An option that excludes only its repetition represents itself.
    pub(super) const fn choice(self) -> Self {
        match self {
            Self::Udp | Self::Sctp | Self::Fwmark => Self::Tcp,
            Self::Gatewaying | Self::Ipip => Self::Masquerading,
            Self::Checksum | Self::RemoteChecksum => Self::NoChecksum,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_found_by_all_its_names() {
        for (row, option) in OPTIONS.iter().enumerate() {
            assert_eq!(option.id as usize, row);
            assert_eq!(option_of_name(option.name), Some(option));
            for letter in option.letters.chars() {
                assert_eq!(option_of_letter(letter), Some(option));
            }
        }
        assert_eq!(option_of_name("add-serv"), None);
        assert_eq!(option_of_letter('Q'), None);
        assert_eq!(option_of_letter('\u{e9}'), None);
        assert!(OPTIONS.len() <= 64, "a set of options has 64 bits");
    }

    #[test]
    fn every_option_but_commands_belongs_to_a_command() {
        for option in OPTIONS {
            let taken = OPTIONS.iter().any(|command| command.takes(option));
            assert_eq!(taken, option.group != OptionGroup::Command, "{option:?}");
        }
    }

    #[test]
    fn help_names_the_argument_and_fits_its_column() {
        for option in OPTIONS {
            assert!(!option.help.is_empty() && option.help.len() <= 46, "{option:?}");
            if option.group != OptionGroup::Command {
                let named = !option.operand.is_empty();
                assert_eq!(named, option.argument != No, "{option:?}");
                let brackets = option.operand.starts_with('[');
                assert_eq!(brackets, option.argument == Optional, "{option:?}");
            }
        }
    }
}
