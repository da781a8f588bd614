//! One line of reason for every state.

use crate::event::one_line;
use crate::status::text::Clock;
use crate::status::{DestinationState, DestinationStatus};

/// Returns the state of a destination and its reason, in one line.
pub(super) fn of(destination: &DestinationStatus, clock: &Clock) -> String {
    let since = match destination.since {
        Some(since) => format!(" since {}", clock.text(since)),
        None => String::new(),
    };
    let mut reason = without_numbers(&one_line(&destination.reason));
    for sign in &destination.signs {
        let mark = if reason.is_empty() { "" } else { "; " };
        reason.push_str(&format!("{mark}{}", one_line(sign)));
    }
    let because = |mark: &str| match reason.as_str() {
        "" => String::new(),
        reason => format!("{mark}{reason}"),
    };
    let mut text = match destination.state {
        DestinationState::Up => format!("up{since}{}", because(": ")),
        DestinationState::Down => format!("down{since}{}", because(": ")),
        DestinationState::Kept => {
            format!("kept though dead{since}: too few are live{}", because("; "))
        }
        DestinationState::Out => maintained("out", destination, clock) + &because("; checks: "),
        DestinationState::Drained => {
            maintained("drained", destination, clock) + &because("; checks: ")
        }
        DestinationState::Leaving => {
            let connections = match destination.connections.map(|all| all.active) {
                None => String::new(),
                Some(1) => ": 1 connection".to_owned(),
                Some(active) => format!(": {active} connections"),
            };
            format!("leaving{since}{connections}{}", because("; "))
        }
        DestinationState::Unknown => format!("unknown{since}{}", because(": ")),
    };
    if destination.is_weight_ordered {
        text.push_str("; weight by order");
    }
    text
}

/// Says who has ordered the maintenance, and until when it lasts.
fn maintained(state: &str, destination: &DestinationStatus, clock: &Clock) -> String {
    let Some(maintenance) = &destination.maintenance else { return state.to_owned() };
    let until = match maintenance.until {
        Some(until) => format!("until {}", clock.text(until)),
        None => "until ended".to_owned(),
    };
    format!("{state} by {} {until}", one_line(&maintenance.by))
}

/// Leaves out the numbers of errors, such as ` (os error 111)`, which tell people nothing more.
fn without_numbers(reason: &str) -> String {
    let mut pieces = reason.split(" (os error ");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.push_str(rest);
            }
            _ => {
                text.push_str(" (os error ");
                text.push_str(piece);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::status::example;

    #[test]
    fn numbers_of_errors_are_left_out() {
        let text = "connect: Connection refused (os error 111); read: reset (os error 104)";
        assert_eq!(without_numbers(text), "connect: Connection refused; read: reset");
        for text in ["", " (os error ", "x (os error 1", "x (os error x)", "a (b) c"] {
            assert_eq!(without_numbers(text), text);
        }
    }

    #[test]
    fn every_state_has_its_reason() {
        let clock = Clock { now: example::at(12, 30, 0), zone: TimeZone::UTC };
        let status = example::status();
        let of = |destination: &DestinationStatus| of(destination, &clock);
        let [up, drained, down] = &*status.services[0].destinations else { panic!() };
        assert_eq!(of(up), "up since 09:00");
        assert_eq!(of(drained), "drained by alice until 14:00; weight by order");
        assert_eq!(of(down), "down since 12:03:04: 3 of 3 failed, connection refused");
        let mut other = down.clone();
        other.state = DestinationState::Kept;
        assert_eq!(
            of(&other),
            "kept though dead since 12:03:04: too few are live; 3 of 3 failed, connection refused"
        );
        other.state = DestinationState::Out;
        other.maintenance = drained.maintenance.clone();
        other.maintenance.as_mut().unwrap().until = None;
        assert_eq!(
            of(&other),
            "out by alice until ended; checks: 3 of 3 failed, connection refused"
        );
        other = drained.clone();
        (other.state, other.since, other.is_weight_ordered) =
            (DestinationState::Leaving, None, false);
        assert_eq!(of(&other), "leaving: 12 connections");
        other = up.clone();
        other.signs = vec!["12 connections half open, none established".to_owned()];
        assert_eq!(of(&other), "up since 09:00: 12 connections half open, none established");
        other = down.clone();
        other.signs = vec!["340 packets without an answer".to_owned()];
        let text =
            "down since 12:03:04: 3 of 3 failed, connection refused; 340 packets without an answer";
        assert_eq!(of(&other), text);
        other = drained.clone();
        (other.since, other.is_weight_ordered) = (None, false);
        other.state = DestinationState::Unknown;
        other.reason = "no check\x1b[2J has decided".to_owned();
        assert_eq!(of(&other), "unknown: no check\\u{1b}[2J has decided");
    }
}
