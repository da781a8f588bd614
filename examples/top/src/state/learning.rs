//! How news changes the state.

use std::collections::HashMap;

use ipvs_netlink::ServiceId;

use crate::Moment;
use crate::state::connections::{Part, Place};
use crate::state::director::{Absence, Status};
use crate::state::steering::{Errand, Failure};
use crate::state::{Note, Reading, Screen, State, View, row, totals};

/// How many orders can be taken back.
const MOST_UNDO: usize = 50;

/// Something that the program has learned.
#[derive(Clone, Debug)]
pub enum News {
    /// A reading of the kernel has begun.
    ReadingBegun(Moment),
    /// The table was read, or cannot be read for this reason.
    Read(Result<Reading, String>),
    /// The director's state, or why there is none.
    Director(Moment, Result<Status, Absence>),
    /// Connections were read.
    Connections(Part),
    /// The view is not remembered, for this reason.
    NotRemembered(String),
    /// An order was carried out, as this text says, or was not.
    Done {
        /// The order.
        errand: Box<Errand>,
        /// What came of it.
        result: Result<String, Failure>,
    },
}

impl State {
    /// Takes news.
    pub fn learn(&mut self, news: News) {
        match news {
            News::ReadingBegun(at) => self.reading_since = Some(at),
            News::Read(result) => {
                self.reading_since = None;
                match result {
                    Ok(reading) => self.take(reading),
                    Err(reason) => self.failure = Some(reason),
                }
            }
            News::Director(at, result) => {
                let before = self.director.push(at, result);
                self.changes.compare_director(at, &before, &self.director);
                self.arrange();
            }
            News::NotRemembered(reason) => self.complain(format!("not remembered: {reason}")),
            News::Connections(part) => self.connections.push(part),
            News::Done { errand, result } => {
                self.is_busy = false;
                let is_kept = match &result {
                    Ok(_) => !errand.is_undo(),
                    // It will fail again.
                    Err(Failure::Outdated(_)) => false,
                    Err(Failure::Unchanged(_)) => errand.is_undo(),
                    // What perhaps was done can be taken back. What was not is found to be outdated.
                    Err(Failure::Unknown(_)) => true,
                };
                if is_kept {
                    // Those before an undo that failed come first then: it may never succeed.
                    let at = if errand.is_undo() { 0 } else { self.undo.len() };
                    self.undo.splice(at..at, errand.undo);
                    let surplus = self.undo.len().saturating_sub(MOST_UNDO);
                    self.undo.drain(..surplus);
                }
                self.note = Some(match result {
                    Ok(text) => Note::good(text),
                    Err(failure) => Note::bad(failure.to_string()),
                });
            }
        }
    }

    fn take(&mut self, reading: Reading) {
        self.failure = None;
        let at = reading.at;
        let is_complete = reading.snapshot.is_complete();
        self.history.push(at, &reading.snapshot);
        self.readings.push(reading);
        if let Some(growth) = self.readings.last_growth() {
            self.changes.compare(&self.readings);
            for service in growth.services() {
                for destination in service.destinations() {
                    let weight = |it: &ipvs_netlink::DestinationEntry| it.destination.weight;
                    let place = (service.id(), destination.id());
                    match (destination.before().map(weight), destination.after().map(weight)) {
                        (Some(before), Some(0)) if before > 0 => {
                            self.last_weights.insert(place, before);
                        }
                        // What is missing in a reading that is not complete may be in the table.
                        (Some(_), None) if is_complete => {
                            self.last_weights.remove(&place);
                        }
                        _ => {}
                    }
                }
            }
        } else {
            self.changes.look(at);
        }
        self.arrange();
    }

    /// Makes the rows anew, and their order.
    pub(super) fn arrange(&mut self) {
        self.rows = row::rows(&self.readings, &self.director);
        self.totals = totals::totals(&self.rows);
        self.processors = totals::processors(&self.readings);
        self.sort();
        self.look();
    }

    /// Filters and sorts the rows.
    pub(crate) fn sort(&mut self) {
        let filter = &self.view.filter;
        let mut shown: Vec<usize> = (0..self.rows.len()).collect();
        if !filter.is_empty() {
            let snapshot = self.readings.latest().map(|latest| &latest.snapshot);
            let services = snapshot.into_iter().flat_map(|snapshot| snapshot.services());
            let mut scratch = String::new();
            let kept: Vec<bool> = self
                .rows
                .iter()
                .zip(services)
                .map(|(row, service)| {
                    filter.matches(
                        row,
                        service,
                        self.settings.labels.of_service(row.id),
                        &mut scratch,
                    )
                })
                .collect();
            shown.retain(|at| kept.get(*at).copied().unwrap_or_default());
        }
        let View { column, descending, .. } = self.view;
        let held: Option<HashMap<ServiceId, usize>> =
            self.is_held.then(|| self.shown.iter().copied().zip(0..).collect());
        shown.sort_by(|one, other| {
            let (Some(one), Some(other)) = (self.rows.get(*one), self.rows.get(*other)) else {
                return std::cmp::Ordering::Equal;
            };
            if let Some(held) = &held {
                // What is new comes last.
                let place = |row: &row::Row| held.get(&row.id).copied().unwrap_or(usize::MAX);
                return place(one).cmp(&place(other));
            }
            let order = column.compare(one, other);
            // Equal rows stay in the order of services in both directions.
            if descending { order.reverse() } else { order }
        });
        self.shown = shown.iter().filter_map(|at| self.rows.get(*at)).map(|row| row.id).collect();
        self.shown_totals = (!self.view.filter.is_empty())
            .then(|| totals::totals(shown.iter().filter_map(|at| self.rows.get(*at))));
        self.shown_rows = shown;
        self.service.follow(&self.shown);
    }

    /// Follows what the present screen shows.
    pub(super) fn look(&mut self) {
        let at = self.readings.latest().map_or(self.now, |latest| latest.at);
        match self.screen() {
            Screen::Service(id) => {
                let service = self.readings.latest().and_then(|it| it.snapshot.service(id));
                self.shares.follow(at, service);
                let ids = self.destination_ids(id);
                self.destination.follow(&ids);
            }
            Screen::Connections(Place { service: id, .. }) => {
                let service = self.readings.latest().and_then(|it| it.snapshot.service(id));
                self.shares.follow(at, service);
            }
            Screen::Overview | Screen::Changes => {}
        }
        let place = match self.screen() {
            Screen::Service(service) => Some(Place { service, destination: None }),
            Screen::Connections(place) => Some(place),
            Screen::Overview | Screen::Changes => None,
        };
        self.connections.look_at(place);
    }
}
