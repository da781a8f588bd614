//! The options of `ipvsadm`: their names, what they take, and which command has which.

use Argument::{No, Optional, Required};

/// Whether an option takes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    No,
    /// The next word too, unless it begins with `-`.
    Optional,
    /// The next word, whatever it is.
    Required,
}

/// An option, commands among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opt {
    AddService,
    EditService,
    DeleteService,
    Clear,
    Zero,
    AddServer,
    EditServer,
    DeleteServer,
    Set,
    StartDaemon,
    StopDaemon,
    Tcp,
    Udp,
    Sctp,
    Fwmark,
    Ipv6,
    Scheduler,
    Persistent,
    Netmask,
    Engine,
    SchedulerFlags,
    OnePacket,
    Server,
    Masquerading,
    Gatewaying,
    Ipip,
    Weight,
    UpperThreshold,
    LowerThreshold,
    TunnelType,
    TunnelPort,
    NoChecksum,
    Checksum,
    RemoteChecksum,
    Interface,
    SyncId,
    MaxLength,
    Group,
    Port,
    Ttl,
    Numeric,
    Sort,
}

/// All of them, with their letter, name and argument.
const OPTIONS: [(Opt, Option<char>, &str, Argument); 42] = [
    (Opt::AddService, Some('A'), "add-service", No),
    (Opt::EditService, Some('E'), "edit-service", No),
    (Opt::DeleteService, Some('D'), "delete-service", No),
    (Opt::Clear, Some('C'), "clear", No),
    (Opt::Zero, Some('Z'), "zero", No),
    (Opt::AddServer, Some('a'), "add-server", No),
    (Opt::EditServer, Some('e'), "edit-server", No),
    (Opt::DeleteServer, Some('d'), "delete-server", No),
    (Opt::Set, None, "set", No),
    (Opt::StartDaemon, None, "start-daemon", Required),
    (Opt::StopDaemon, None, "stop-daemon", Required),
    (Opt::Tcp, Some('t'), "tcp-service", Required),
    (Opt::Udp, Some('u'), "udp-service", Required),
    (Opt::Sctp, None, "sctp-service", Required),
    (Opt::Fwmark, Some('f'), "fwmark-service", Required),
    (Opt::Ipv6, Some('6'), "ipv6", No),
    (Opt::Scheduler, Some('s'), "scheduler", Required),
    (Opt::Persistent, Some('p'), "persistent", Optional),
    (Opt::Netmask, Some('M'), "netmask", Required),
    (Opt::Engine, None, "pe", Required),
    (Opt::SchedulerFlags, Some('b'), "sched-flags", Required),
    (Opt::OnePacket, Some('o'), "ops", No),
    (Opt::Server, Some('r'), "real-server", Required),
    (Opt::Masquerading, Some('m'), "masquerading", No),
    (Opt::Gatewaying, Some('g'), "gatewaying", No),
    (Opt::Ipip, Some('i'), "ipip", No),
    (Opt::Weight, Some('w'), "weight", Required),
    (Opt::UpperThreshold, Some('x'), "u-threshold", Required),
    (Opt::LowerThreshold, Some('y'), "l-threshold", Required),
    (Opt::TunnelType, None, "tun-type", Required),
    (Opt::TunnelPort, None, "tun-port", Required),
    (Opt::NoChecksum, None, "tun-nocsum", No),
    (Opt::Checksum, None, "tun-csum", No),
    (Opt::RemoteChecksum, None, "tun-remcsum", No),
    (Opt::Interface, None, "mcast-interface", Required),
    (Opt::SyncId, None, "syncid", Required),
    (Opt::MaxLength, None, "sync-maxlen", Required),
    (Opt::Group, None, "mcast-group", Required),
    (Opt::Port, None, "mcast-port", Required),
    (Opt::Ttl, None, "mcast-ttl", Required),
    (Opt::Numeric, Some('n'), "numeric", No),
    (Opt::Sort, None, "sort", No),
];

/// The row of [`OPTIONS`] for each ASCII letter, or a row that is not there.
#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and would not accept a panic"
)]
const BY_LETTER: [u8; 128] = {
    let mut rows = [u8::MAX; 128];
    let mut row = 0;
    while row < OPTIONS.len() {
        if let Some(letter) = OPTIONS[row].1 {
            rows[letter as usize] = row as u8;
        }
        row += 1;
    }
    rows
};

/// What an option is about. A command takes the options of some parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Command,
    Identity,
    Service,
    Server,
    Destination,
    Daemon,
    /// Of the listing, and without effect on changes.
    Listing,
}

impl Opt {
    pub(super) fn of_letter(letter: char) -> Option<(Self, Argument)> {
        let row = *BY_LETTER.get(usize::try_from(u32::from(letter)).ok()?)?;
        let (option, _, _, argument) = OPTIONS.get(usize::from(row))?;
        Some((*option, *argument))
    }

    /// Names are not shortened: `ipvsadm` does not understand `--add-serv`.
    pub(super) fn of_name(name: &str) -> Option<(Self, Argument)> {
        let found = OPTIONS.iter().find(|(_, _, known, _)| *known == name);
        found.map(|(option, _, _, argument)| (*option, *argument))
    }

    const fn part(self) -> Part {
        match self {
            Self::AddService
            | Self::EditService
            | Self::DeleteService
            | Self::Clear
            | Self::Zero
            | Self::AddServer
            | Self::EditServer
            | Self::DeleteServer
            | Self::Set
            | Self::StartDaemon
            | Self::StopDaemon => Part::Command,
            Self::Tcp | Self::Udp | Self::Sctp | Self::Fwmark | Self::Ipv6 => Part::Identity,
            Self::Scheduler
            | Self::Persistent
            | Self::Netmask
            | Self::Engine
            | Self::SchedulerFlags
            | Self::OnePacket => Part::Service,
            Self::Server => Part::Server,
            Self::Masquerading
            | Self::Gatewaying
            | Self::Ipip
            | Self::Weight
            | Self::UpperThreshold
            | Self::LowerThreshold
            | Self::TunnelType
            | Self::TunnelPort
            | Self::NoChecksum
            | Self::Checksum
            | Self::RemoteChecksum => Part::Destination,
            Self::Interface
            | Self::SyncId
            | Self::MaxLength
            | Self::Group
            | Self::Port
            | Self::Ttl => Part::Daemon,
            Self::Numeric | Self::Sort => Part::Listing,
        }
    }

    pub(super) fn is_command(self) -> bool {
        self.part() == Part::Command
    }

    /// Whether the command `self` takes `option`.
    pub(super) fn takes(self, option: Self) -> bool {
        // A daemon is stopped whatever its id, but `ipvsadm` lets one be given.
        if (self, option) == (Self::StopDaemon, Self::SyncId) {
            return true;
        }
        let parts: &[Part] = match self {
            Self::AddService | Self::EditService => &[Part::Identity, Part::Service],
            Self::DeleteService | Self::Zero => &[Part::Identity],
            Self::AddServer | Self::EditServer => {
                &[Part::Identity, Part::Server, Part::Destination]
            }
            Self::DeleteServer => &[Part::Identity, Part::Server],
            Self::StartDaemon => &[Part::Daemon],
            _ => &[],
        };
        option.part() == Part::Listing || parts.contains(&option.part())
    }

    /// A bit of its own.
    pub(super) const fn bit(self) -> u64 {
        1 << self as u32
    }

    /// What may be given only once, though under several names.
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
        for (option, letter, name, argument) in OPTIONS {
            assert_eq!(Opt::of_name(name), Some((option, argument)));
            if let Some(letter) = letter {
                assert_eq!(Opt::of_letter(letter), Some((option, argument)));
            }
        }
        assert_eq!(Opt::of_name("add-serv"), None);
        assert_eq!(Opt::of_letter('L'), None);
    }

    #[test]
    fn every_option_belongs_to_a_command() {
        for (option, ..) in OPTIONS {
            let taken = OPTIONS.iter().any(|(command, ..)| command.takes(option));
            assert_eq!(taken, !option.is_command(), "{option:?}");
        }
    }
}
