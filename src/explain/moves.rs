use std::fmt;

use crate::explain::slots;
use crate::explain::slots::SlotOutcome::{self, Differs, Refused, Served};
use crate::explain::view::View;
use crate::model::{DestinationEntry, DestinationId};

/// How much a change moves, counted in slots of the table of `sh`, `dh` or `mh`: the answer of [`View::moves`].
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
    /// Slots of which it is unknown what their clients get. The fallback of `mh` hashes each client
    /// of a slot again, so the clients differ. So do slots of a destination of which it is unknown
    /// whether it is overloaded.
    pub depend: usize,
}

impl View {
    /// Returns how many slots, and so about which share of the clients, get another destination if
    /// the service changes from this view to another.
    ///
    /// `None` if a scheduler has no table, if a table is unknown, or if the two tables have
    /// different sizes or schedulers.
    ///
    /// ```
    /// use ipvs_netlink::explain::{TableSizes, View};
    /// use ipvs_netlink::{Change, Connections, Destination, DestinationEntry, Scheduler};
    /// use ipvs_netlink::{Service, Stats};
    ///
    /// let web = Service::tcp("192.0.2.10:80".parse()?).scheduler(Scheduler::MAGLEV_HASHING);
    /// let server = |host: u8| Destination::masquerade(([10, 0, 0, host], 80).into());
    /// let idle = |host| DestinationEntry::new(server(host), Connections::default(), Stats::default());
    /// let view = View::new(&web, (2..=5).map(idle).collect()).table_sizes(TableSizes::DEFAULT_BUILD);
    ///
    /// let moves = view.moves(&view.after(&Change::AddDestination(web.id, server(6)))).unwrap();
    /// assert_eq!(moves.to_string(), "20.9 % of the slots move (857 of 4093)");
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn moves(&self, after: &Self) -> Option<Moves> {
        let scheduler = |view: &Self| view.service().map(|service| service.scheduler);
        let (mine, other) = (self.outcomes()?, after.outcomes()?);
        if mine.len() != other.len() || scheduler(self) != scheduler(after) {
            return None;
        }
        let mut moves = Moves { slots: mine.len(), ..Moves::default() };
        for (now, then) in mine.into_iter().zip(other) {
            let is_same = || self.served(now) == after.served(then);
            let count = match (now, then) {
                (Differs, _) | (_, Differs) => &mut moves.depend,
                (Refused, Refused) => &mut moves.refused,
                (Served(_), Refused) => &mut moves.lost,
                (Refused, Served(_)) => &mut moves.gained,
                (Served(_), Served(_)) if is_same() => &mut moves.stay,
                (Served(_), Served(_)) => &mut moves.moved,
            };
            *count += 1;
        }
        Some(moves)
    }

    /// What the slots give, if the scheduler has a table and the table is known.
    fn outcomes(&self) -> Option<Vec<SlotOutcome>> {
        let service = self.service()?;
        let sizes = slots::sizes(self, service)?.ok()?;
        let size = (sizes.start() == sizes.end()).then_some(*sizes.start())?;
        Some(slots::table(self, service, &slots::availabilities(self), size)?.outcomes())
    }

    fn served(&self, outcome: SlotOutcome) -> Option<DestinationId> {
        let Served(at) = outcome else { return None };
        self.destinations().get(at).map(DestinationEntry::id)
    }
}

impl Moves {
    /// Returns the part of the slots whose clients go elsewhere or are newly refused or served,
    /// between 0 and 1.
    ///
    /// Slots in [`depend`](Self::depend) are not counted. Where there are any, a part of their
    /// clients may move as well, so the part is the least that moves.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "there are at most 2^20 slots")]
    pub fn share(&self) -> f64 {
        let changed = self.moved + self.lost + self.gained;
        if self.slots == 0 { 0.0 } else { changed as f64 / self.slots as f64 }
    }
}

impl fmt::Display for Moves {
    /// One line: `20.9 % of the slots move (857 of 4093)`, and what else happens. The line begins
    /// with `at least` if there are slots that depend on the client.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = self.moved + self.lost + self.gained;
        let percent = self.share() * 100.0;
        let least = if self.depend > 0 { "at least " } else { "" };
        write!(f, "{least}{percent:.1} % of the slots move ({changed} of {})", self.slots)?;
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
