//! Plans and their outcomes for other programs.

use ipvs_netlink::Error;
use ipvs_netlink::table::{Applied, Disruption, Plan, Step};
use serde_json::{Value, json};

pub(crate) fn plan(plan: &Plan) -> String {
    let steps: Vec<_> = plan.steps().map(step).collect();
    text(&json!({ "steps": steps }))
}

pub(crate) fn applied(plan: &Plan, applied: &Applied) -> String {
    let steps = plan.steps().zip(applied.outcomes()).map(|(step, outcome)| {
        let mut value = self::step(step);
        if let Value::Object(fields) = &mut value {
            fields.insert("outcome".into(), outcome.name().into());
            fields.insert("done".into(), outcome.is_done().into());
            fields.insert("text".into(), outcome.to_string().into());
        }
        value
    });
    let unverified = applied.unverified().map(Error::to_string);
    text(&json!({
        "steps": steps.collect::<Vec<_>>(),
        "done": applied.is_done(),
        "unverified": unverified,
    }))
}

fn step(step: &Step) -> Value {
    json!({
        "phase": step.phase.to_string(),
        "service": step.service().map(|id| id.to_string()),
        "destination": step.destination().map(|id| id.to_string()),
        "command": step.change.to_string(),
        "disruption": step.disruption().map(|disruption| match disruption {
            Disruption::SchedulerChange => "scheduler-change",
            Disruption::ConnectionsBreak => "connections-break",
            _ => "other",
        }),
    })
}

fn text(value: &Value) -> String {
    format!("{value:#}\n")
}
