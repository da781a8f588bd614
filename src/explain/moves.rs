use std::fmt;

use crate::explain::slots::{self, Table};
use crate::explain::view::View;
use crate::model::DestinationId;

/// How many clients a change moves to another destination, counted in slots of the table of `sh`,
/// `dh` or `mh`: the answer of [`View::moves`].
///
/// Clients spread evenly over the slots, so the share of slots is about the share of clients. It is
/// the share of new connections: those that the kernel keeps stay where they are.
///
/// Each slot is counted in exactly one of the fields `stay` to `depend`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moves {
    /// The number of slots.
    pub slots: usize,
    /// Slots whose clients go to the same destination as before.
    pub stay: usize,
    /// Slots whose clients go to another destination.
    pub moved: usize,
    /// Slots whose clients were served and will be refused.
    pub lost: usize,
    /// Slots whose clients were refused and will be served.
    pub gained: usize,
    /// Slots whose clients are refused before and after.
    pub refused: usize,
    /// Slots whose clients differ among each other: the fallback of `mh` hashes each client again.
    /// So do slots where it is unknown whether the destination is overloaded.
    pub depend: usize,
}

impl View {
    /// Returns how many clients move if the service changes from this view to another.
    ///
    /// `None` if a scheduler has no table, if a table is unknown, or if the two tables have
    /// different sizes or schedulers.
    ///
    /// ```
    /// use ipvs_netlink::explain::{Tables, View};
    /// use ipvs_netlink::{Change, Connections, Destination, DestinationEntry, Scheduler};
    /// use ipvs_netlink::{Service, Stats};
    ///
    /// let web = Service::tcp("192.0.2.10:80".parse()?).scheduler(Scheduler::MAGLEV_HASHING);
    /// let server = |host: u8| Destination::masquerade(([10, 0, 0, host], 80).into());
    /// let idle = |host| DestinationEntry::new(server(host), Connections::default(), Stats::default());
    /// let view = View::new(&web, (2..=5).map(idle).collect()).tables(Tables::DEFAULT_BUILD);
    ///
    /// let moves = view.moves(&view.after(&Change::AddDestination(web.id, server(6)))).unwrap();
    /// assert_eq!(moves.to_string(), "20.9 % of the slots move (857 of 4093)");
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn moves(&self, after: &Self) -> Option<Moves> {
        let (mine, other) = (self.table()?, after.table()?);
        let scheduler = |view: &Self| view.service().map(|service| service.scheduler);
        if mine.len() != other.len() || scheduler(self) != scheduler(after) {
            return None;
        }
        let mut moves = Moves { slots: mine.len(), ..Moves::default() };
        for slot in 0..mine.len() {
            let now = self.outcome_of(&mine, slot);
            let then = after.outcome_of(&other, slot);
            let count = match (now, then) {
                (None, _) | (_, None) => &mut moves.depend,
                (Some(None), Some(None)) => &mut moves.refused,
                (Some(Some(_)), Some(None)) => &mut moves.lost,
                (Some(None), Some(Some(_))) => &mut moves.gained,
                (Some(Some(now)), Some(Some(then))) if now == then => &mut moves.stay,
                (Some(Some(_)), Some(Some(_))) => &mut moves.moved,
            };
            *count += 1;
        }
        Some(moves)
    }

    /// The table of the service, if it has one that is known.
    fn table(&self) -> Option<Table> {
        let mut tables = slots::tables(self, self.service()?)?.ok()?;
        let table = tables.pop()?;
        tables.is_empty().then_some(table)
    }

    fn outcome_of(&self, table: &Table, slot: usize) -> Option<Option<DestinationId>> {
        let outcome = table.outcome_of(slot)?;
        Some(outcome.and_then(|at| self.destinations().get(at)).map(|entry| entry.id()))
    }
}

impl Moves {
    /// Returns the part of the slots whose clients go elsewhere or are newly refused or served,
    /// between 0 and 1. Slots that depend on the client are not counted.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "there are at most 2^20 slots")]
    pub fn share(&self) -> f64 {
        let changed = self.moved + self.lost + self.gained;
        if self.slots == 0 { 0.0 } else { changed as f64 / self.slots as f64 }
    }
}

impl fmt::Display for Moves {
    /// One line: `20.9 % of the slots move (857 of 4093)`, and what else happens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = self.moved + self.lost + self.gained;
        let percent = self.share() * 100.0;
        write!(f, "{percent:.1} % of the slots move ({changed} of {})", self.slots)?;
        let rest = [
            (self.lost, "will be refused"),
            (self.gained, "are refused now and will be served"),
            (self.refused, "stay refused"),
            (self.depend, "depend on the client"),
        ];
        for (count, what) in rest {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}
