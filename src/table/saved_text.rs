//! Reads and prints tables as the text that `ipvsadm -S` writes and `ipvsadm -R` reads.

use std::fmt;
use std::str::FromStr;

use crate::ipvsadm::{
    CachedNames, Names, NumericNames, PrintedCommand, Statement, TextError, TextProblem,
    first_line_about, statements,
};
use crate::model::{Change, Object};
use crate::table::{Table, TableDestination, TableService};

impl Table {
    /// Reads a table from the text that `ipvsadm -S` writes, with or without `-n`.
    ///
    /// [`Command::parse_lines`](crate::Command::parse_lines) says how a line is read. The text
    /// may have only commands that add services and destinations. A destination without `-w` gets
    /// no weight of its own: a plan keeps whatever weight the kernel has. Each name of a host is
    /// looked up once, so that it is the same address in all lines.
    ///
    /// To copy the table of a kernel, use [`Client::snapshot`](crate::Client::snapshot) instead:
    /// `ipvsadm -S` leaves out thresholds, and flags that the scheduler has no name for, and has
    /// no commands for some objects.
    ///
    /// ```
    /// use ipvs_netlink::NumericNames;
    /// use ipvs_netlink::table::Table;
    ///
    /// let saved = b"-A -t 192.0.2.10:80 -s rr\n-a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 0\n";
    /// let table = Table::from_ipvsadm(saved, &NumericNames)?;
    /// assert_eq!(table.to_string().as_bytes(), saved);
    /// # Ok::<(), ipvs_netlink::TextError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first error in the text, with its line and column:
    ///
    /// - a line cannot be read, is not UTF-8, or is longer than 4096 bytes;
    /// - a command is neither `-A` nor `-a`;
    /// - an earlier line adds the same service or destination;
    /// - no earlier line adds the service of a destination;
    /// - a comment `# ipvsadm cannot say ...` takes the place of an object, which the table would
    ///   lack.
    ///
    /// Reading does not judge settings; [`Change::validate`] and every client do.
    pub fn from_ipvsadm(text: impl AsRef<[u8]>, names: &dyn Names) -> Result<Self, TextError> {
        let names = CachedNames::new(names);
        let text = text.as_ref();
        let mut table = Self::new();
        // Most destinations follow their service. The service goes into the table after them.
        let mut open: Option<TableService> = None;
        for statement in statements(text, &names) {
            let Statement { command, line, column } = statement?;
            let problem = |problem| TextError::new(line, column, problem);
            let repeated = |object: Object| {
                problem(TextProblem::Repeated {
                    object,
                    line: first_line_about(text, &names, object),
                })
            };
            match command.change {
                Change::AddService(service) => {
                    let id = service.id;
                    table.extend(open.take());
                    if table.service(id).is_some() {
                        return Err(repeated(Object::Service(id)));
                    }
                    open = Some(TableService::new(service));
                }
                Change::AddDestination(id, destination) => {
                    if open.as_ref().is_none_or(|service| service.id() != id) {
                        table.extend(open.take());
                        open = table.remove(id);
                    }
                    let service = open.as_mut();
                    let service = service.ok_or_else(|| problem(TextProblem::NoSuchService(id)))?;
                    let object = Object::Destination(id, destination.id);
                    let before = service.insert(if command.weight_given {
                        TableDestination::from(destination)
                    } else {
                        TableDestination::of_any_weight(destination)
                    });
                    if before.is_some() {
                        return Err(repeated(object));
                    }
                }
                _ => return Err(problem(TextProblem::NotOfTable)),
            }
        }
        table.extend(open);
        Ok(table)
    }

    /// Lists the objects that print as comments, because `ipvsadm` has no command for them.
    ///
    /// These are: direct routing or a tunnel to another port than the service's; flags, tunnels,
    /// forwarding methods and protocols without a name; values that every kernel refuses; and all
    /// destinations of such a service. A table that was read from text has no such objects.
    pub fn unsaid(&self) -> impl Iterator<Item = Object> {
        let lines = self.lines().filter(|(_, line)| !line.is_expressible());
        lines.map(|(object, _)| object)
    }

    /// The lines of the text, each with its object.
    fn lines(&self) -> impl Iterator<Item = (Object, PrintedCommand)> {
        self.services().flat_map(|entry| {
            let service = entry.service();
            let first = (Object::Service(service.id), PrintedCommand::saved_service(service));
            let destinations = entry.destinations().map(move |entry| {
                let weighted = entry.weight().is_some() || entry.destination().weight != 1;
                let line =
                    PrintedCommand::saved_destination(service, entry.destination(), weighted);
                (Object::Destination(service.id, entry.id()), line)
            });
            std::iter::once(first).chain(destinations)
        })
    }
}

impl FromStr for Table {
    type Err = TextError;

    /// Reads a table as [`Table::from_ipvsadm`] does. Hosts and ports must be numbers.
    ///
    /// # Errors
    ///
    /// The errors of [`Table::from_ipvsadm`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_ipvsadm(text, &NumericNames)
    }
}

impl fmt::Display for Table {
    /// Prints for each service a line `-A`, then a line `-a` for each of its destinations.
    /// [`Table::from_ipvsadm`] reads the same table back.
    ///
    /// Labels, timeouts and settings are left out. A destination without a weight of its own prints
    /// without `-w`. If it has
    /// [an initial weight](TableDestination::initially) other than 1, that weight is printed, and
    /// is read back as a weight of its own.
    ///
    /// `ipvsadm -R` reads the text, too. `ipvsadm -R` refuses lines for which
    /// [`Change::check_command`] returns an error. The objects of [`Table::unsaid`] print as
    /// comments `# ipvsadm cannot say ...`. `ipvsadm -R` stops at such a comment, and
    /// [`Table::from_ipvsadm`] returns an error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (_, line) in self.lines() {
            line.write(f)?;
            f.write_str("\n")?;
        }
        Ok(())
    }
}
