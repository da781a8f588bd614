use ipvs_netlink::ServiceId;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::state::director::{self, Director};
use crate::state::{Row, State};

/// Writes everything that is known as JSON, in one line.
///
/// Services come in the order of the view, and only those that its filter shows.
#[must_use]
pub fn to_json(state: &State) -> String {
    let reading = state.reading();
    let time = reading.and_then(|reading| Timestamp::try_from(reading.at.clock).ok());
    let services: Vec<Value> = state
        .shown_rows()
        .flatten()
        .filter_map(|row| Some(service(state, row, state.service_of(row.id)?)))
        .collect();
    let totals = state.totals();
    let processors: Vec<Value> = reading
        .and_then(|reading| reading.processors.as_ref())
        .into_iter()
        .flat_map(|all| &all.processors)
        .map(|it| json!({"processor": it.processor, "stats": it.stats}))
        .collect();
    let writers: Vec<Value> = reading
        .into_iter()
        .flat_map(|reading| &reading.writers.found)
        .map(|it| json!({"name": it.name, "process": it.process}))
        .collect();
    let everything = json!({
        "time": time.map(|it| it.to_string()),
        "namespace": state.settings.namespace,
        "complete": reading.map(|reading| reading.snapshot.is_complete()),
        "estimation_enabled": reading.and_then(|reading| reading.estimation),
        "director": told(&state.director),
        "writers": writers,
        "processes_hidden": reading.map(|reading| reading.writers.are_hidden),
        "totals": {
            "services": totals.services,
            "down": totals.down,
            "up": totals.count.up,
            "drained": totals.count.drained,
            "overloaded": totals.count.overloaded,
            "dead": totals.count.dead,
            "active": totals.active,
            "inactive": totals.inactive,
            "connections": totals.connections,
            "namespace": reading
                .and_then(|reading| reading.processors.as_ref())
                .map(|all| json!(all.totals)),
        },
        "processors": processors,
        "services": services,
    });
    format!("{everything}\n")
}

fn told(director: &Director) -> &'static str {
    match director {
        Director::Unknown => "not-asked",
        Director::Absent(_) => "absent",
        Director::Elsewhere => "elsewhere",
        Director::Silent { .. } => "silent",
        Director::Present(..) => "present",
    }
}

fn service(state: &State, row: &Row, service: &ipvs_netlink::ServiceSnapshot) -> Value {
    let labels = state.settings.labels.of_service(row.id).into_iter().flat_map(|it| it.iter());
    let labels: serde_json::Map<String, Value> =
        labels.map(|(name, text)| (name.to_owned(), Value::from(text))).collect();
    let destinations: Vec<Value> = state
        .destinations(row.id)
        .map(|(_, rows)| rows)
        .unwrap_or_default()
        .into_iter()
        .map(|it| {
            json!({
                "destination": it.id,
                "state": it.standing.name(),
                "reason": it.reason,
                "in_table": it.entry,
                "promised_share": it.promised,
                "director": checked(state, row.id, it.id),
            })
        })
        .collect();
    json!({
        "service": service.entry.service,
        "labels": labels,
        "stats": service.entry.stats,
        "up": row.count.up,
        "drained": row.count.drained,
        "overloaded": row.count.overloaded,
        "dead": row.count.dead,
        "active": row.active,
        "inactive": row.inactive,
        "destinations": destinations,
    })
}

/// What the director says of a destination.
fn checked(
    state: &State,
    service: ServiceId,
    destination: ipvs_netlink::DestinationId,
) -> Option<Value> {
    let checked: &director::Destination = state.director.destination(service, destination)?;
    let time = |at| Timestamp::try_from(at).ok().map(|it| it.to_string());
    Some(json!({
        "state": checked.state.name(),
        "since": checked.since.and_then(time),
        "reason": checked.reason,
        "weight": checked.weight,
    }))
}
