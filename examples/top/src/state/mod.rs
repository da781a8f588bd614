//! What the program knows, and what the user looks at. It has no terminal, no socket, no clock and no
//! thread: the same news and keys give the same state.

mod changes;
/// Times for people.
pub mod clock;
mod column;
/// Connections of a service or a destination.
pub mod connections;
mod destinations;
pub mod director;
mod filter;
mod history;
mod known;
mod learning;
mod mode;
mod promise;
mod reading;
mod readings;
mod row;
mod selection;
mod shares;
mod speed;
pub mod steering;
mod totals;
mod view;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ipvs_netlink::metrics::ServiceLabels;
use ipvs_netlink::{DestinationId, ServiceId, ServiceSnapshot, Snapshot};
use jiff::tz::TimeZone;

pub use changes::{Change, Changes, Mark, What};
pub use column::Column;
pub use destinations::{DestinationRow, Standing};
pub use filter::{Filter, LONGEST as LONGEST_FILTER};
pub use history::History;
pub use learning::News;
pub use mode::{Mode, Note, Screen};
pub use promise::promised;
pub use reading::{Reading, Writer, Writers};
pub use readings::Readings;
pub use row::{Count, Row};
pub use selection::{Selection, Step, first_shown};
pub use shares::{Basis, Shares};
pub use totals::{Processor, Totals};
pub use view::View;

use crate::Moment;
use connections::{Connections, Place};
use director::Director;
use steering::{Circumstances, Intent, Order, Proposal, Refusal, Undo};

/// What the program was told at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the network namespace, or `None` for the own one.
    pub namespace: Option<String>,
    /// How often the table is read.
    pub interval: Duration,
    /// Whether no order may be given.
    pub read_only: bool,
    /// The users' labels of services.
    pub labels: Arc<ServiceLabels>,
    /// The time zone of the host.
    pub zone: TimeZone,
}

/// Everything that is known.
#[derive(Clone, Debug)]
pub struct State {
    /// What the program was told at its start.
    pub settings: Settings,
    /// The time.
    pub now: Moment,
    readings: Readings,
    /// Since when a reading is under way.
    pub(crate) reading_since: Option<Moment>,
    /// Why the table cannot be read, if the last attempt failed.
    pub(crate) failure: Option<String>,
    rows: Vec<Row>,
    /// The services that are shown, in their order.
    shown: Vec<ServiceId>,
    /// The rows that are shown.
    shown_rows: Vec<usize>,
    totals: Totals,
    /// The sums over the services that are shown, where these are not all.
    shown_totals: Option<Totals>,
    processors: Vec<Processor>,
    /// Whether the order of the overview stays as it is.
    pub(crate) is_held: bool,
    history: History,
    pub(crate) changes: Changes,
    pub(crate) director: Director,
    pub(crate) connections: Connections,
    shares: Shares,
    /// The last weight above 0 of destinations that were seen to be drained.
    last_weights: HashMap<(ServiceId, DestinationId), u32>,
    /// How the overview is sorted and filtered.
    pub(crate) view: View,
    screens: Vec<Screen>,
    pub(crate) mode: Mode,
    pub(crate) service: Selection<ServiceId>,
    pub(crate) destination: Selection<DestinationId>,
    /// The first line of a list without a selection.
    pub(crate) scroll: usize,
    /// How many entries of the list the screen has.
    pub(crate) page: usize,
    /// The line of the screen on which the list begins.
    pub(crate) list_line: usize,
    undo: Vec<Undo>,
    /// Whether an order is being carried out.
    pub(crate) is_busy: bool,
    pub(crate) note: Option<Note>,
}

impl State {
    /// Begins without any knowledge.
    #[must_use]
    pub fn new(settings: Settings, view: View, now: Moment) -> Self {
        Self {
            settings,
            now,
            readings: Readings::default(),
            reading_since: None,
            failure: None,
            rows: Vec::new(),
            shown: Vec::new(),
            shown_rows: Vec::new(),
            totals: Totals::default(),
            shown_totals: None,
            processors: Vec::new(),
            is_held: false,
            history: History::default(),
            changes: Changes::default(),
            director: Director::default(),
            connections: Connections::default(),
            shares: Shares::default(),
            last_weights: HashMap::new(),
            view,
            screens: Vec::new(),
            mode: Mode::Normal,
            service: Selection::default(),
            destination: Selection::default(),
            scroll: 0,
            page: 10,
            list_line: 0,
            undo: Vec::new(),
            is_busy: false,
            note: None,
        }
    }

    /// The screen that is shown.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.screens.last().copied().unwrap_or(Screen::Overview)
    }

    /// Opens a screen above the present one.
    pub(crate) fn open(&mut self, screen: Screen) {
        if self.screen() != screen {
            self.screens.push(screen);
            self.scroll = 0;
            if matches!(screen, Screen::Service(_)) {
                self.destination = Selection::default();
            }
            self.look();
        }
    }

    /// Goes back to the screen below. Returns `false` if there is none.
    pub(crate) fn close(&mut self) -> bool {
        self.scroll = 0;
        let closed = self.screens.pop().is_some();
        self.look();
        closed
    }

    /// Tells the user that something went wrong.
    pub fn complain(&mut self, text: String) {
        self.note = Some(Note::bad(text));
    }

    /// Selects the entry on this line of the screen.
    pub fn click(&mut self, line: u16) {
        let Some(nth) = usize::from(line).checked_sub(self.list_line) else { return };
        if self.mode != Mode::Normal || nth >= self.page {
            return;
        }
        let at = self.scroll + nth;
        match self.screen() {
            Screen::Overview if at < self.shown.len() => self.service.select(&self.shown, at),
            Screen::Service(id) => {
                let ids = self.destination_ids(id);
                if at < ids.len() {
                    self.destination.select(&ids, at);
                }
            }
            _ => {}
        }
    }

    /// The latest reading.
    #[must_use]
    pub const fn reading(&self) -> Option<&Reading> {
        self.readings.latest()
    }

    /// A service in the latest reading.
    #[must_use]
    pub fn service_of(&self, id: ServiceId) -> Option<&ServiceSnapshot> {
        self.reading()?.snapshot.service(id)
    }

    /// Whose connections are wanted, and the table in which they are found.
    pub(crate) fn wanted_connections(&self) -> Option<(Place, Arc<Snapshot>)> {
        Some((self.connections.place()?, Arc::clone(&self.reading()?.snapshot)))
    }

    /// How many services are shown in the overview.
    #[must_use]
    pub const fn shown(&self) -> usize {
        self.shown.len()
    }

    /// The services that are shown, in their order.
    pub(crate) fn shown_ids(&self) -> &[ServiceId] {
        &self.shown
    }

    /// The rows of the overview, in their order.
    pub fn shown_rows(&self) -> impl ExactSizeIterator<Item = Option<&Row>> {
        self.shown_rows.iter().map(|at| self.rows.get(*at))
    }

    /// The labels of a service as text, such as `name=web team=checkout`. They are a user's, and may hold
    /// anything.
    #[must_use]
    pub fn labels(&self, id: ServiceId) -> Option<String> {
        let labels = self.settings.labels.of_service(id)?;
        let pairs: Vec<_> = labels.iter().map(|(name, text)| format!("{name}={text}")).collect();
        Some(pairs.join(" "))
    }

    /// The row of a service.
    #[must_use]
    pub fn row(&self, id: ServiceId) -> Option<&Row> {
        let at = self.rows.binary_search_by_key(&id, |row| row.id).ok()?;
        self.rows.get(at)
    }

    /// The sums over all services.
    #[must_use]
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The sums over the services that are shown.
    #[must_use]
    pub fn shown_totals(&self) -> &Totals {
        self.shown_totals.as_ref().unwrap_or(&self.totals)
    }

    /// The traffic of each processor, of all services.
    #[must_use]
    pub fn processors(&self) -> &[Processor] {
        &self.processors
    }

    /// The history of rates.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// The destinations of a service.
    #[must_use]
    pub fn destinations(&self, id: ServiceId) -> Option<(Basis, Vec<DestinationRow>)> {
        let service = self.service_of(id)?;
        let Self { readings, director, shares, now, settings, .. } = self;
        Some(destinations::rows(service, readings, director, shares, *now, &settings.zone))
    }

    pub(crate) fn destination_ids(&self, id: ServiceId) -> Vec<DestinationId> {
        let rows = self.destinations(id).map(|(_, rows)| rows).unwrap_or_default();
        rows.iter().map(|row| row.id).collect()
    }

    /// The last weight above 0 of a destination that was seen to be drained.
    pub(crate) fn last_weight(
        &self,
        service: ServiceId,
        destination: DestinationId,
    ) -> Option<u32> {
        self.last_weights.get(&(service, destination)).copied()
    }

    /// The order that carries out what a user wants.
    pub(crate) fn propose(&self, service: ServiceId, intent: Intent) -> Result<Proposal, Refusal> {
        self.circumstances().propose(service, intent)
    }

    /// Says whether an order may still be given.
    pub(crate) fn check(&self, order: &Order) -> Result<(), Refusal> {
        self.circumstances().check(order)
    }

    const fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            read_only: self.settings.read_only,
            reading: self.reading(),
            director: &self.director,
            now: self.now,
        }
    }

    /// The order that takes an earlier one back.
    pub(crate) fn take_back(&self, undo: &Undo) -> Result<Proposal, Refusal> {
        self.circumstances().take_back(undo)
    }

    /// What takes the last order back, which is then no longer the last one.
    pub(crate) fn take_undo(&mut self) -> Option<Undo> {
        self.undo.pop()
    }

    /// Keeps what takes an order back, because it was not done.
    pub(crate) fn keep_undo(&mut self, undo: Undo) {
        self.undo.push(undo);
    }

    /// How long ago the table was read, if that is longer ago than it should be.
    #[must_use]
    pub fn lateness(&self) -> Option<Duration> {
        let latest = self.reading();
        let age = self.now.since(&latest.map(|latest| latest.at).or(self.reading_since)?);
        // What takes long is read less often.
        let took = latest.map(|latest| latest.took).unwrap_or_default();
        let late = self.settings.interval * 2 + took * 8 + Duration::from_secs(1);
        (age > late).then_some(age)
    }
}
