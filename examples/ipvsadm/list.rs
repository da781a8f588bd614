//! `-L` and its options.

use std::io::Write;
use std::time::Duration;

use ipvs_netlink::{AddressFamily, Change, Client, Command, Protocol, ServiceId, SystemNames};

use crate::connections;
use crate::failure::Failure;
use crate::names::Names;
use crate::reading::Reading;
use crate::table::{self, Columns, Printer};
use crate::words::{Meaning, Piece, Pieces};

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Table,
    Service(ServiceId),
    Connections,
    Timeouts,
    Daemons,
}

/// The options of `-L`.
#[derive(Debug)]
pub(crate) struct List {
    subject: Subject,
    columns: Columns,
    /// With the data of persistence engines, in the list of connections.
    engine_data: bool,
    numeric: bool,
    exact: bool,
    sorted: bool,
}

impl List {
    /// What the program does without arguments.
    pub(crate) const PLAIN: Self = Self {
        subject: Subject::Table,
        columns: Columns::Plain,
        engine_data: false,
        numeric: false,
        exact: false,
        sorted: true,
    };

    /// Reads the options after `-L`.
    pub(crate) fn parse(pieces: Pieces) -> Result<Self, Failure> {
        let mut seen = Vec::new();
        let mut subject = Subject::Table;
        // What is wrong with the meaning comes after what is wrong with the words.
        let mut wrong = None;
        for piece in pieces {
            let (meaning, spelling, value) = match piece? {
                Piece::Argument(word) => {
                    wrong = Some(Failure::usage(format!("unexpected argument {word:?}")));
                    continue;
                }
                Piece::Option { meaning, spelling, value } => (meaning, spelling, value),
            };
            if !matches!(meaning, Meaning::Sort | Meaning::Ipv6) && seen.contains(&meaning) {
                return Err(Failure::usage(format!("{spelling}: given twice")));
            }
            let another = match (meaning, value.unwrap_or_default()) {
                (Meaning::Service(protocol), value) => {
                    Some(Subject::Service(service(&value, protocol)?))
                }
                (Meaning::Fwmark, value) => Some(Subject::Service(named(&["-f", &value])?)),
                (Meaning::Connection, _) => Some(Subject::Connections),
                (Meaning::Timeout, _) => Some(Subject::Timeouts),
                (Meaning::Daemon, _) => Some(Subject::Daemons),
                (meaning, _) if meaning.is_command() => {
                    return Err(Failure::usage(format!("{spelling}: a second command")));
                }
                (Meaning::Other, _) => {
                    wrong = Some(Failure::usage(format!("{spelling}: not with -L")));
                    continue;
                }
                _ => None,
            };
            if another.is_some_and(|_| subject != Subject::Table) {
                wrong = Some(Failure::usage(format!("{spelling}: one subject at a time")));
            }
            subject = another.unwrap_or(subject);
            seen.push(meaning);
        }
        wrong.map_or(Ok(()), Err)?;
        if seen.contains(&Meaning::Ipv6) {
            let Subject::Service(ServiceId::Fwmark { mark, .. }) = subject else {
                return Err(Failure::usage("-6: goes with -f"));
            };
            subject = Subject::Service(ServiceId::fwmark(mark, AddressFamily::Ipv6));
        }
        Self::of(subject, &seen)
    }

    /// The list of a subject with the options that were seen.
    fn of(subject: Subject, seen: &[Meaning]) -> Result<Self, Failure> {
        let has = |meaning| seen.contains(&meaning);
        // Of several, the first one counts, as in the original.
        let columns = [
            (Meaning::Stats, Columns::Stats),
            (Meaning::Rate, Columns::Rate),
            (Meaning::Thresholds, Columns::Thresholds),
            (Meaning::PersistentConn, Columns::PersistentConn),
            (Meaning::TunInfo, Columns::TunInfo),
        ];
        let columns = columns.into_iter().find(|(meaning, _)| has(*meaning));
        let columns = columns.map_or(Columns::Plain, |(_, columns)| columns);
        let without = match subject {
            Subject::Table | Subject::Service(_) => &[][..],
            Subject::Connections => &[Meaning::Stats, Meaning::Rate, Meaning::Thresholds],
            Subject::Timeouts | Subject::Daemons => {
                &[Meaning::Stats, Meaning::Rate, Meaning::Thresholds, Meaning::PersistentConn]
            }
        };
        if without.iter().any(|meaning| has(*meaning)) {
            return Err(Failure::usage("columns that this list does not have"));
        }
        Ok(Self {
            subject,
            columns,
            engine_data: has(Meaning::PersistentConn),
            numeric: has(Meaning::Numeric),
            exact: has(Meaning::Exact),
            sorted: !has(Meaning::NoSort),
        })
    }

    /// Reads what is to be listed and prints it.
    pub(crate) fn print(&self, ipvs: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let mut names = Names::new(self.numeric);
        match self.subject {
            Subject::Table => {
                let info = ipvs.info()?;
                let (version, size) = (info.version, info.connection_table_size);
                writeln!(out, "IP Virtual Server version {version} (size={size})")?;
                self.print_services(&Reading::table(ipvs, self.sorted)?, &mut names, out)?;
            }
            Subject::Service(id) => {
                let reading = Reading::service(ipvs, id, self.sorted)?;
                self.print_services(&reading, &mut names, out)?;
            }
            Subject::Connections => connections::print(out, self.engine_data, &mut names)?,
            Subject::Timeouts => {
                let timeouts = ipvs.timeouts()?;
                let seconds = |timeout: Option<Duration>| timeout.unwrap_or_default().as_secs();
                let [tcp, fin, udp] = [timeouts.tcp, timeouts.tcp_fin, timeouts.udp].map(seconds);
                writeln!(out, "Timeout (tcp tcpfin udp): {tcp} {fin} {udp}")?;
            }
            Subject::Daemons => {
                for daemon in ipvs.daemons()? {
                    writeln!(out, "{daemon}")?;
                }
            }
        }
        Ok(())
    }

    fn print_services(
        &self,
        reading: &Reading,
        names: &mut Names,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        table::print_title(out, self.columns)?;
        let printer = Printer { columns: self.columns, exact: self.exact };
        for (entry, destinations) in &reading.services {
            printer.service(out, entry, names)?;
            for destination in destinations {
                printer.destination(out, entry.service.id, destination, names)?;
            }
        }
        reading.told()
    }
}

fn service(text: &str, protocol: Protocol) -> Result<ServiceId, Failure> {
    match protocol {
        Protocol::UDP => named(&["-u", text]),
        Protocol::SCTP => named(&["--sctp-service", text]),
        _ => named(&["-t", text]),
    }
}

/// The library reads commands that change something, such as `-Z`.
fn named(words: &[&str; 2]) -> Result<ServiceId, Failure> {
    let [option, text] = words;
    match Command::parse(&["-Z", option, text], &SystemNames::new()) {
        Ok(Command { change: Change::ZeroService(id), .. }) => Ok(id),
        Ok(_) => Err(Failure::usage(format!("{option} {text:?}: not a service"))),
        Err(error) => Err(Failure::usage(format!("{option} {text:?}: {error}"))),
    }
}
