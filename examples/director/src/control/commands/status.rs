//! `director status`.

use ipvs_netlink::{DestinationId, ServiceId};
use serde_json::Value;

use crate::control::client::{Client, ClientError};
use crate::control::commands::screen::Screen;
use crate::control::commands::{Outcome, StatusArguments};
use crate::control::protocol::Order;
use crate::control::response::Received;
use crate::status::Status;
use crate::status::text::{self, Clock, View};

pub(super) fn run(arguments: &StatusArguments) -> Outcome {
    let client = arguments.daemon.client();
    let value = ask(&client, arguments.service, arguments.destination)?;
    let screen = Screen::new();
    if arguments.json {
        let malformed = |error: serde_json::Error| ClientError::Malformed(error.to_string());
        let json = serde_json::to_string_pretty(&value).map_err(malformed)?;
        return Ok(screen.print(&(json + "\n")));
    }
    Ok(screen.print(&text::text(&parse(value)?, &view(arguments.troubles))))
}

/// Returns how the state is shown here.
pub(super) fn view(only_troubles: bool) -> View {
    let (width, is_coloured) = (Screen::width(), Screen::is_coloured());
    View { clock: Clock::here(), width, is_coloured, only_troubles }
}

/// Asks for the state, as the daemon tells it.
pub(super) fn ask(
    client: &Client,
    service: Option<ServiceId>,
    destination: Option<DestinationId>,
) -> Result<Value, ClientError> {
    match client.ask(&Order::Status { service, destination })? {
        Received::Status { status } => Ok(status),
        _ => Err(ClientError::Malformed("another answer than `status`".to_owned())),
    }
}

pub(super) fn parse(value: Value) -> Result<Status, ClientError> {
    serde_json::from_value(value).map_err(|error| ClientError::Malformed(error.to_string()))
}
