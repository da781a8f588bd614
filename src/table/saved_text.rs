//! Tables as the text that `ipvsadm -S` writes and `ipvsadm -R` reads.

use std::fmt;
use std::str::FromStr;

use crate::ipvsadm::{
    CachedNames, Line, Names, NumericNames, Statement, TextError, Trouble, first_line_about,
    statements,
};
use crate::model::{Change, Object};
use crate::table::{Table, TableDestination, TableService};

impl Table {
    /// Reads a table from `text`: what `ipvsadm -S` writes, with or without `-n`, and what
    /// `ipvsadm -R` reads, as far as it adds services and destinations.
    ///
    /// Its lines are those of [`Command::parse_lines`](crate::Command::parse_lines). A
    /// destination without `-w` is one of any weight. Of one name there is one address: it
    /// is looked up once for the whole text.
    ///
    /// `ipvsadm -S` leaves out the thresholds of destinations and flags that a scheduler has
    /// no name for, and cannot say everything that a kernel may hold; use [`Client::snapshot`](crate::Client::snapshot) for a table
    /// that is there.
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
    /// The first of these, with its line and column:
    ///
    /// - a line that cannot be read, is not UTF-8, or is longer than 4096 bytes;
    /// - a command other than `-A` and `-a`;
    /// - a service or destination that the text added before, or a destination of a service
    ///   that it did not;
    /// - the comment of something that `ipvsadm` cannot say: without it the table would not
    ///   be the one that was written.
    ///
    /// Settings are not judged: [`Change::validate`] and every client do that.
    pub fn from_ipvsadm(text: impl AsRef<[u8]>, names: &dyn Names) -> Result<Self, TextError> {
        let names = CachedNames::new(names);
        let text = text.as_ref();
        let mut table = Self::new();
        // Destinations mostly follow their service, which is put into the table after them.
        let mut open: Option<TableService> = None;
        for statement in statements(text, &names) {
            let Statement { command, line, column } = statement?;
            let trouble = |trouble| TextError::new(line, column, trouble);
            let repeated = |object: Object| {
                trouble(Trouble::Repeated { object, line: first_line_about(text, &names, object) })
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
                    let service = service.ok_or_else(|| trouble(Trouble::NoSuchService(id)))?;
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
                _ => return Err(trouble(Trouble::NotOfTable)),
            }
        }
        table.extend(open);
        Ok(table)
    }

    /// What the text of the table leaves to comments, because `ipvsadm` has no words for
    /// it: destinations of direct routing or of a tunnel at a port that is not their
    /// service's; flags, tunnels, forwarding methods and protocols without a name; values
    /// that no kernel takes; and the destinations of such a service. A table that was read
    /// from text has none.
    pub fn unsaid(&self) -> impl Iterator<Item = Object> {
        let unsaid = self.lines().filter(|(_, line)| !line.is_said());
        unsaid.map(|(object, _)| object)
    }

    /// What the text is about, line by line.
    fn lines(&self) -> impl Iterator<Item = (Object, Line)> {
        self.services().flat_map(|entry| {
            let service = entry.service();
            let first = (Object::Service(service.id), Line::of_service(service));
            let destinations = entry.destinations().map(move |entry| {
                let weighted = entry.weight().is_some() || entry.destination().weight != 1;
                let line = Line::of_destination(service, entry.destination(), weighted);
                (Object::Destination(service.id, entry.id()), line)
            });
            std::iter::once(first).chain(destinations)
        })
    }
}

impl FromStr for Table {
    type Err = TextError;

    /// As [`Table::from_ipvsadm`], with addresses in numbers.
    ///
    /// # Errors
    ///
    /// As [`Table::from_ipvsadm`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_ipvsadm(text, &NumericNames)
    }
}

impl fmt::Display for Table {
    /// The text that [`Table::from_ipvsadm`] reads as the same table: for each service a
    /// line `-A`, then a line `-a` for each of its destinations. A weight that is not given
    /// is left out; [another one than 1 for the beginning](TableDestination::initially) is
    /// written, and is read as a weight that is given.
    ///
    /// `ipvsadm -R` reads it too, but refuses what [`Change::check_command`] tells of. What
    /// [`Table::unsaid`] names is in comments `# ipvsadm cannot say ...`, at which
    /// `ipvsadm -R` stops, and which are an error when the text is read back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (_, line) in self.lines() {
            line.write(f)?;
            f.write_str("\n")?;
        }
        Ok(())
    }
}
