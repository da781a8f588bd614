//! The command `-L` and its options.

use std::io::Write;
use std::time::Duration;

use ipvs_netlink::{AddressFamily, Change, Client, Command, CommandOption, ServiceId, SystemNames};

use crate::command_line::{Part, Parts, is_command};
use crate::connections;
use crate::failure::Failure;
use crate::names::Names;
use crate::reading::Reading;
use crate::table::{self, Columns, Printer};

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Table,
    Service(ServiceId),
    Connections,
    Timeouts,
    Daemons,
}

/// A list to print.
#[derive(Debug)]
pub(crate) struct List {
    subject: Subject,
    columns: Columns,
    /// Whether a list of connections shows the data of persistence engines.
    engine_data: bool,
    numeric: bool,
    exact: bool,
    sorted: bool,
}

impl List {
    /// The list that the program prints without arguments.
    pub(crate) const PLAIN: Self = Self {
        subject: Subject::Table,
        columns: Columns::Plain,
        engine_data: false,
        numeric: false,
        exact: false,
        sorted: true,
    };

    /// Parses `-L`, the `command`, and the options after it.
    pub(crate) fn parse(command: &CommandOption, parts: Parts) -> Result<Self, Failure> {
        let mut seen = Vec::new();
        let mut subject = Subject::Table;
        // Errors of meaning are reported only if the syntax has no errors.
        let mut wrong = None;
        for part in parts {
            let (option, spelling, value) = match part? {
                Part::Argument(word) => {
                    wrong = Some(Failure::usage(format!("unexpected argument {word:?}")));
                    continue;
                }
                Part::Option { option, spelling, value } => {
                    (option, spelling, value.unwrap_or_default())
                }
            };
            let name = option.name();
            if !matches!(name, "sort" | "ipv6") && seen.contains(&name) {
                return Err(Failure::usage(format!("{spelling}: given twice")));
            }
            if is_command(option) {
                return Err(Failure::usage(format!("{spelling}: a second command")));
            }
            if !command.takes(option) {
                wrong = Some(Failure::usage(format!("{spelling}: not with -L")));
                continue;
            }
            let another = match name {
                "tcp-service" | "udp-service" | "sctp-service" | "fwmark-service" => {
                    Some(Subject::Service(service(name, &value)?))
                }
                "connection" => Some(Subject::Connections),
                "timeout" => Some(Subject::Timeouts),
                "daemon" => Some(Subject::Daemons),
                _ => None,
            };
            if another.is_some_and(|_| subject != Subject::Table) {
                wrong = Some(Failure::usage(format!("{spelling}: -L lists one thing at a time")));
            }
            subject = another.unwrap_or(subject);
            seen.push(name);
        }
        wrong.map_or(Ok(()), Err)?;
        if seen.contains(&"ipv6") {
            let Subject::Service(ServiceId::Fwmark { mark, .. }) = subject else {
                return Err(Failure::usage("-6: only with -f"));
            };
            subject = Subject::Service(ServiceId::fwmark(mark, AddressFamily::Ipv6));
        }
        Self::of(subject, &seen)
    }

    /// Makes the list of a subject with the options that were given.
    fn of(subject: Subject, seen: &[&str]) -> Result<Self, Failure> {
        let has = |name| seen.contains(&name);
        // If several are given, the first one of this order counts, as in the original.
        let columns = [
            ("stats", Columns::Stats),
            ("rate", Columns::Rate),
            ("thresholds", Columns::Thresholds),
            ("persistent-conn", Columns::PersistentConn),
            ("tun-info", Columns::TunInfo),
        ];
        let columns = columns.into_iter().find(|(name, _)| has(name));
        let columns = columns.map_or(Columns::Plain, |(_, columns)| columns);
        let without = match subject {
            Subject::Table | Subject::Service(_) => &[][..],
            Subject::Connections => &["stats", "rate", "thresholds"],
            Subject::Timeouts | Subject::Daemons => {
                &["stats", "rate", "thresholds", "persistent-conn"]
            }
        };
        if let Some(name) = without.iter().find(|name| has(name)) {
            return Err(Failure::usage(format!("--{name}: this list has no such columns")));
        }
        Ok(Self {
            subject,
            columns,
            engine_data: has("persistent-conn"),
            numeric: has("numeric"),
            exact: has("exact"),
            sorted: !has("nosort"),
        })
    }

    /// Reads from the kernel and prints the list.
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
        reading.check_complete()
    }
}

/// Parses the value of an option that identifies a service. The library parses commands that
/// change something, such as `-Z`, so this makes one of the option.
fn service(option: &str, value: &str) -> Result<ServiceId, Failure> {
    let option = format!("--{option}");
    match Command::parse(&["-Z", &option, value], &SystemNames::new()) {
        Ok(Command { change: Change::ZeroService(id), .. }) => Ok(id),
        Ok(_) => Err(Failure::usage(format!("{option} {value:?}: not a service"))),
        Err(error) => Err(Failure::usage(format!("{option} {value:?}: {error}"))),
    }
}
