//! `director events`.

use std::io;

use serde_json::{Value, json};

use crate::control::client::ClientError;
use crate::control::commands::screen::Screen;
use crate::control::commands::{EventsArguments, Outcome, status};
use crate::control::protocol::VERSION;
use crate::control::response::Received;
use crate::event::{Event, one_line};
use crate::exit::Exit;
use crate::status::text::{self, Clock};

pub(super) fn run(arguments: &EventsArguments) -> Outcome {
    let client = arguments.daemon.client();
    let (first, mut events) = client.follow(!arguments.from_now)?;
    let screen = Screen::new();
    let mut next = Some(first);
    while let Some(line) = next {
        let text = if arguments.json { as_json(line) } else { as_text(line)? };
        if let Err(error) = screen.try_print(&text) {
            return match error.kind() {
                // Whoever read has read enough.
                io::ErrorKind::BrokenPipe => Ok(Exit::Done),
                _ => Ok(screen.failed(&error)),
            };
        }
        next = events.next_line()?;
    }
    screen.note("the daemon has ended");
    Ok(Exit::NoDaemon)
}

/// Returns the line as it came.
fn as_json(line: Received) -> String {
    let line = match line {
        Received::Status { status } => {
            json!({"version": VERSION, "answer": "status", "status": status})
        }
        Received::Event { event } => json!({"version": VERSION, "answer": "event", "event": event}),
        Received::Lost { events } => {
            json!({"version": VERSION, "answer": "lost", "events": events})
        }
        _ => return String::new(),
    };
    format!("{line}\n")
}

fn as_text(line: Received) -> Result<String, ClientError> {
    Ok(match line {
        Received::Status { status } => {
            text::text(&status::parse(status)?, &status::view(true)) + "\n"
        }
        Received::Event { event } => event_text(event)?,
        Received::Lost { events } => {
            format!("({events} events are lost, because they were not read in time)\n")
        }
        Received::Error { text, .. } => format!("({})\n", one_line(&text)),
        _ => String::new(),
    })
}

fn event_text(event: Value) -> Result<String, ClientError> {
    let event: Event =
        serde_json::from_value(event).map_err(|error| ClientError::Malformed(error.to_string()))?;
    let clock = Clock::here();
    let text = clock.localized(&one_line(&event.text));
    // Some texts name their service.
    let service = match event.service.map(|service| service.to_string()) {
        Some(service) if !text.contains(&service) => format!(" {service}"),
        _ => String::new(),
    };
    let time = clock.text(event.time);
    Ok(format!("{time} {}{service}: {text}\n", one_line(&event.kind)))
}
