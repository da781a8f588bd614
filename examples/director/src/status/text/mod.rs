//! The state for people at night: troubles first, and one line of reason for every state.

mod clock;
mod columns;
mod reason;

use crate::event::one_line;
use crate::status::{DestinationState, ServiceStatus, Status};

pub use clock::Clock;

/// How the state is shown.
#[derive(Clone, Debug)]
pub struct View {
    /// By which clock times are told.
    pub clock: Clock,
    /// The columns of the terminal. `None` if lines may have any length, as in a file.
    pub width: Option<usize>,
    /// Whether states have colours.
    pub is_coloured: bool,
    /// Whether destinations that are up are left out.
    pub only_troubles: bool,
}

/// Returns the state as text. It ends with the end of a line.
#[must_use]
pub fn text(status: &Status, view: &View) -> String {
    let mut out = String::new();
    view.line(&mut out, &summary(status, view), None, 0);
    for trouble in &status.troubles {
        let trouble = view.clock.localized(&one_line(trouble));
        view.line(&mut out, &format!("! {trouble}"), Some(RED), 2);
    }
    if !status.is_table_read {
        let trouble =
            "! the kernel's table cannot be read: weights in it and connections are unknown";
        view.line(&mut out, trouble, Some(RED), 2);
    }
    let mut services: Vec<&ServiceStatus> = status.services.iter().collect();
    // Stable: services alike stay in the order of their ids.
    services.sort_by_key(|service| urgency(service));
    for service in services {
        out.push('\n');
        service_text(service, view, &mut out);
    }
    out
}

pub(in crate::status) const RED: &str = "31";
pub(in crate::status) const YELLOW: &str = "33";
pub(in crate::status) const GREEN: &str = "32";

const fn colour(state: DestinationState) -> &'static str {
    match state {
        DestinationState::Down => RED,
        DestinationState::Up => GREEN,
        _ => YELLOW,
    }
}

/// Returns the place of a service: those that do not serve come first, then those with destinations
/// in trouble.
fn urgency(service: &ServiceStatus) -> (bool, bool, bool) {
    let is_well = |state| matches!(state, DestinationState::Up);
    let all_well = service.destinations.iter().all(|it| is_well(it.state));
    (service.is_serving, service.is_available, all_well && !service.has_sorry_server)
}

/// Says how many there are of what.
fn summary(status: &Status, view: &View) -> String {
    let clock = &view.clock;
    let mut text = format!(
        "director since {}, file of {}: {}",
        clock.text(status.since),
        clock.text(status.loaded),
        count(status.services.len(), "service")
    );
    let destinations = || status.services.iter().flat_map(|service| &service.destinations);
    text.push_str(&format!(", {}", count(destinations().count(), "destination")));
    for state in DestinationState::ALL {
        let of_state = destinations().filter(|destination| destination.state == state).count();
        if of_state > 0 {
            text.push_str(&format!(", {of_state} {}", state.name()));
        }
    }
    text
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn service_text(service: &ServiceStatus, view: &View, out: &mut String) {
    let serves = match (service.is_serving, service.has_sorry_server) {
        (true, true) => "the sorry server serves",
        (true, false) => "serving",
        (false, _) => "NOT SERVING",
    };
    let mut line = format!("{} ({}): {serves}", service.id, one_line(&service.scheduler));
    if !service.is_available {
        line.push_str(", not available");
    }
    for more in [&service.reason, &service.announcement] {
        if !more.is_empty() {
            line.push_str(&format!(", {}", one_line(more)));
        }
    }
    let colour = match (service.is_serving, service.is_available) {
        (false, _) => Some(RED),
        (true, false) => Some(YELLOW),
        _ => service.has_sorry_server.then_some(YELLOW),
    };
    view.line(out, &line, colour, 2);
    columns::write(service, view, out);
}

impl View {
    /// Appends a text that is broken at the width of the terminal. Its further lines are indented.
    pub(in crate::status) fn line(
        &self,
        out: &mut String,
        text: &str,
        colour: Option<&str>,
        indent: usize,
    ) {
        for (number, piece) in columns::broken(text, self.width, 0, indent).iter().enumerate() {
            if number > 0 {
                out.extend(std::iter::repeat_n(' ', indent));
            }
            self.paint(out, piece, colour);
            out.push('\n');
        }
    }

    pub(in crate::status) fn paint(&self, out: &mut String, text: &str, colour: Option<&str>) {
        match colour.filter(|_| self.is_coloured) {
            Some(colour) => out.push_str(&format!("\x1b[{colour}m{text}\x1b[0m")),
            None => out.push_str(text),
        }
    }
}

#[cfg(test)]
mod tests;
