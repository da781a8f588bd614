mod counts;
mod place;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use ipvs_netlink::procfs::{Connection, ConnectionState};

pub use counts::Counts;
pub use place::{Belonging, Finder, Place};

use crate::Moment;

/// How many connections are kept for the screen.
pub const MOST_ROWS: usize = 2000;

/// The connections of a place, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    place: Option<Place>,
    /// The pass that is shown.
    shown: Pass,
    /// The pass under way, while an older one is shown.
    coming: Pass,
}

/// One pass through the kernel's list.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// When it began.
    pub at: Option<Moment>,
    /// The first connections, as [`Kept`] orders them.
    pub rows: Vec<Connection>,
    /// All of them, counted.
    pub counts: Counts,
    /// How it ended, or `None` while it is under way.
    pub ended: Option<Ended>,
}

/// The first connections in the order of the screen, at most [`MOST_ROWS`]: by state, established ones
/// first, then by client. Templates come last.
#[derive(Debug, Default)]
pub struct Kept(BinaryHeap<Placed>);

impl Kept {
    /// Takes a connection, and leaves the last one out if there are too many.
    pub fn add(&mut self, connection: Connection) {
        self.0.push(Placed(connection));
        if self.0.len() > MOST_ROWS {
            self.0.pop();
        }
    }

    /// The connections in their order.
    #[must_use]
    pub fn rows(&self) -> Vec<Connection> {
        self.0.clone().into_sorted_vec().into_iter().map(|it| it.0).collect()
    }
}

/// A connection that is ordered by its place in the list.
#[derive(Clone, Debug)]
struct Placed(Connection);

impl Placed {
    fn key(&self) -> impl Ord + use<> {
        let Self(it) = self;
        let (is_template, rank) = (it.is_template(), rank_of(it.state));
        (is_template, rank, it.state, it.client, it.destination, it.virtual_address)
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Placed {}

/// Where connections of a state stand in the list: established ones first, ended ones last.
#[must_use]
pub fn rank_of(state: ConnectionState) -> u8 {
    match state {
        ConnectionState::ESTABLISHED => 0,
        ConnectionState::TIME_WAIT | ConnectionState::CLOSE => 2,
        _ => 1,
    }
}

/// How a pass ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The whole list was read.
    Complete,
    /// So many lines were read, and there are more.
    Lines(u64),
    /// The time was up, and there are more.
    Time,
    /// The list cannot be read.
    Failed(String),
}

/// A part of a pass.
#[derive(Clone, Debug)]
pub struct Part {
    /// Whose connections.
    pub place: Place,
    /// When the pass began.
    pub at: Moment,
    /// The first connections so far.
    pub rows: Vec<Connection>,
    /// The counts so far.
    pub counts: Counts,
    /// How the pass ended, if it did.
    pub ended: Option<Ended>,
}

impl Connections {
    /// Looks at another place, or at none. Returns `true` if it is another.
    pub fn look_at(&mut self, place: Option<Place>) -> bool {
        if self.place == place {
            return false;
        }
        *self = Self { place, ..Self::default() };
        true
    }

    /// Whose connections are wanted.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        self.place
    }

    /// Takes a part of a pass. One of another place is dropped.
    pub fn push(&mut self, part: Part) {
        if self.place != Some(part.place) {
            return;
        }
        // The first pass is shown as it comes; later ones when they are complete.
        let is_first = self.shown.ended.is_none();
        let pass = if is_first { &mut self.shown } else { &mut self.coming };
        if pass.at != Some(part.at) {
            *pass = Pass { at: Some(part.at), ..Pass::default() };
        }
        pass.rows = part.rows;
        pass.counts = part.counts;
        pass.ended = part.ended;
        if !is_first && pass.ended.is_some() {
            self.shown = std::mem::take(&mut self.coming);
        }
    }

    /// The pass that is shown.
    #[must_use]
    pub const fn shown(&self) -> &Pass {
        &self.shown
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use ipvs_netlink::Snapshot;
    use ipvs_netlink::procfs::ConnectionReader;

    use super::*;
    use crate::reading::pass;

    fn place() -> Place {
        Place { service: "TCP 192.0.2.10:80".parse().unwrap(), destination: None }
    }

    /// The kernel's text with so many connections.
    fn list(connections: u32) -> String {
        let mut text =
            "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
                .to_owned();
        for number in 0..connections {
            let client = 0x0a00_0000 + number;
            let _ = writeln!(
                text,
                "TCP {client:08X} B2C1 C000020A 0050 0A000002 1F90 ESTABLISHED     895"
            );
        }
        text
    }

    fn push(connections: &mut Connections, at: Moment, text: &str) {
        let reader = ConnectionReader::new(text.as_bytes());
        pass(reader, place(), &Snapshot::default(), at, &mut |part| {
            connections.push(part);
            true
        });
    }

    #[test]
    fn rows_are_bounded_and_counts_are_not() {
        let mut connections = Connections::default();
        assert!(connections.look_at(Some(place())));
        assert!(!connections.look_at(Some(place())));
        push(&mut connections, Moment::now(), &list(5000));
        let shown = connections.shown();
        assert_eq!((shown.rows.len(), shown.counts.all), (MOST_ROWS, 5000));
        assert_eq!(shown.ended, Some(Ended::Complete));
    }

    #[test]
    fn established_connections_are_kept_first() {
        let mut connections = Connections::default();
        connections.look_at(Some(place()));
        let many = list(5000).replace("ESTABLISHED     ", "TIME_WAIT       ");
        let row =
            |client| format!("TCP {client} B2C1 C000020A 0050 0A000002 1F90 ESTABLISHED     895\n");
        let text = many + &row("CB007109") + &row("CB007108") + &row("0A000001");
        push(&mut connections, Moment::now(), &text);
        let rows = &connections.shown().rows;
        assert_eq!(rows.len(), MOST_ROWS);
        let clients: Vec<_> = rows.iter().take(5).map(|it| it.client.ip().to_string()).collect();
        // Of all others those with the lowest addresses.
        assert_eq!(clients, ["10.0.0.1", "203.0.113.8", "203.0.113.9", "10.0.0.0", "10.0.0.1"]);
        assert_eq!(rows.last().unwrap().client.ip().to_string(), "10.0.7.204");
    }

    #[test]
    fn lines_are_bounded() {
        let mut connections = Connections::default();
        connections.look_at(Some(place()));
        push(&mut connections, Moment::now(), &list(200_001));
        assert_eq!(connections.shown().ended, Some(Ended::Lines(200_000)));
        assert_eq!(connections.shown().counts.all, 200_000);
    }

    #[test]
    fn a_later_pass_is_shown_when_it_is_complete() {
        let begun = Moment::now();
        let mut connections = Connections::default();
        connections.look_at(Some(place()));
        let part = |at, all, ended| {
            let mut counts = Counts::default();
            counts.all = all;
            Part { place: place(), at, rows: Vec::new(), counts, ended }
        };
        connections.push(part(begun, 3, None));
        assert_eq!(connections.shown().counts.all, 3);
        connections.push(part(begun, 9, Some(Ended::Complete)));
        let later = begun.after(std::time::Duration::from_secs(3));
        connections.push(part(later, 1, None));
        assert_eq!(connections.shown().counts.all, 9);
        connections.push(part(later, 8, Some(Ended::Complete)));
        assert_eq!((connections.shown().counts.all, connections.shown().at), (8, Some(later)));

        let elsewhere = Place { destination: Some("10.0.0.2:80".parse().unwrap()), ..place() };
        connections.look_at(Some(elsewhere));
        connections.push(part(later, 5, Some(Ended::Complete)));
        assert_eq!(connections.shown().counts.all, 0);
    }

    #[test]
    fn lines_that_cannot_be_read_are_counted() {
        let mut connections = Connections::default();
        connections.look_at(Some(place()));
        let text = list(2) + "TCP nonsense\n" + "TCP a b c d e f g h\n";
        push(&mut connections, Moment::now(), &text);
        let shown = connections.shown();
        assert_eq!((shown.counts.all, shown.counts.malformed), (2, 2));
        push(&mut connections, Moment::now(), "something else\n");
        assert!(matches!(connections.shown().ended, Some(Ended::Failed(_))));
    }
}
