//! The form of plans and results for status pages and logs (feature `serde`).
//!
//! The form is for programs to read, and is not read back. Keys are the names of fields, and
//! every key is always there. Names are text, as `Display` or `name` gives them.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::table::plan::Before;
use crate::table::{
    Actions, Applied, DiffLine, Disruption, DrainPolicy, DrainProgress, DrainUntil, Drained,
    Draining, Incomplete, InvalidEntry, OnFailure, Phase, Plan, PlanError, ReconcileError,
    Reconciled, Round, SettingsChange, SettingsPlan, Sign, Step, StepOutcome,
};

/// Implements `Serialize` as a mapping with these keys and values.
macro_rules! as_mapping {
    ($($(#[doc = $doc:literal])+ $type:ty, $name:literal ($it:ident) {
        $($key:literal: $value:expr,)+
    })*) => {$(
        $(#[doc = $doc])+
        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $it = self;
                let length = [$($key),+].len();
                let mut mapping = serializer.serialize_struct($name, length)?;
                $(mapping.serialize_field($key, &$value)?;)+
                mapping.end()
            }
        }
    )*};
}

as_mapping! {
    /// As a mapping with the keys `drain`, `settings` and `steps`.
    Plan, "Plan" (it) {
        "drain": it.drain(),
        "settings": it.settings_plan(),
        "steps": it.steps,
    }

    /// As a mapping with the keys `written` and `changes`.
    SettingsPlan, "SettingsPlan" (it) {
        "written": it.is_to_be_written(),
        "changes": it.changes().collect::<Vec<_>>(),
    }

    /// As a mapping with the keys `name`, `before` and `after`, which are text. `before` is null for
    /// a setting that the kernel does not have.
    SettingsChange, "SettingsChange" (it) {
        "name": it.name(),
        "before": it.before(),
        "after": it.after(),
    }

    /// As a mapping with the keys `phase`, `change`, `before` and `disruption`.
    Step, "Step" (it) {
        "phase": it.phase,
        "change": it.change,
        "before": it.before(),
        "disruption": it.disruption(),
    }

    /// As a mapping with the keys `sign`, `text` and `disruption`.
    DiffLine, "DiffLine" (it) {
        "sign": it.sign,
        "text": it.text,
        "disruption": it.disruption,
    }

    /// As a mapping with the keys `outcome`, which is the name, `because`, the index of the step
    /// that failed, `cut`, the connections that broke, and `error`.
    StepOutcome, "StepOutcome" (it) {
        "outcome": it.name(),
        "because": because(it),
        "cut": it.cut(),
        "error": error(it),
    }

    /// As a mapping with the keys `done`, `outcomes` and `unverified`.
    Applied, "Applied" (it) {
        "done": it.is_done(),
        "outcomes": it.outcomes().collect::<Vec<_>>(),
        "unverified": it.unverified(),
    }

    /// As a mapping with the keys `plan` and `applied`.
    Round, "Round" (it) { "plan": it.plan, "applied": it.applied, }

    /// As a mapping with the keys `done`, `rounds`, `rest`, `complete` and `unfinished`.
    Reconciled, "Reconciled" (it) {
        "done": it.is_done(),
        "rounds": it.rounds,
        "rest": it.rest,
        "complete": it.complete,
        "unfinished": it.unfinished,
    }

    /// As a mapping with the keys `kind` and `text`.
    PlanError, "PlanError" (it) { "kind": it.kind(), "text": it.to_string(), }

    /// As a mapping with the keys `kind` and `text`.
    ReconcileError, "ReconcileError" (it) { "kind": it.kind(), "text": it.to_string(), }

    /// As a mapping with the keys `kind`, `text` and `error`.
    Incomplete, "Incomplete" (it) {
        "kind": it.kind(),
        "text": it.to_string(),
        "error": it.error(),
    }

    /// As a mapping with the keys `object` and `text`.
    InvalidEntry, "InvalidEntry" (it) { "object": it.object, "text": it.invalid.to_string(), }

    /// As a mapping with the keys `until`, `quiet`, `deadline` and `interval`, of which the last
    /// three are seconds. `deadline` is null for none.
    DrainPolicy, "DrainPolicy" (it) {
        "until": it.until,
        "quiet": it.quiet.as_secs_f64(),
        "deadline": it.deadline.map(|deadline| deadline.as_secs_f64()),
        "interval": it.interval.as_secs_f64(),
    }

    /// As a mapping with the keys `waiting`, `connections`, `elapsed` and `left`, in seconds, and
    /// `draining`.
    DrainProgress<'_>, "DrainProgress" (it) {
        "waiting": it.waiting,
        "connections": it.connections,
        "elapsed": it.elapsed.as_secs_f64(),
        "left": it.left.map(|left| left.as_secs_f64()),
        "draining": it.draining,
    }

    /// As a mapping with the keys `object`, `connections` and `quiet`, in seconds.
    Draining, "Draining" (it) {
        "object": it.object,
        "connections": it.connections,
        "quiet": it.quiet.as_secs_f64(),
    }
}

fn because(outcome: &StepOutcome) -> Option<usize> {
    match outcome {
        StepOutcome::Skipped { because } | StepOutcome::Undone { because } => Some(*because),
        _ => None,
    }
}

const fn error(outcome: &StepOutcome) -> Option<&crate::error::Error> {
    if let StepOutcome::Failed(error) = outcome { Some(error) } else { None }
}

/// As a mapping with the keys `service`, `destinations` and `connections` for a service, or
/// `destination` and `connections` for a destination.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Before {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Service { service, destinations, connections } => {
                let mut mapping = serializer.serialize_struct("Before", 3)?;
                mapping.serialize_field("service", service)?;
                mapping.serialize_field("destinations", destinations)?;
                mapping.serialize_field("connections", connections)?;
                mapping.end()
            }
            Self::Destination { destination, connections } => {
                let mut mapping = serializer.serialize_struct("Before", 2)?;
                mapping.serialize_field("destination", destination)?;
                mapping.serialize_field("connections", connections)?;
                mapping.end()
            }
        }
    }
}

/// Implements `Serialize` as one of these names.
macro_rules! as_name {
    ($($(#[doc = $doc:literal])+ $type:ty { $($variant:pat => $name:literal,)+ })*) => {$(
        $(#[doc = $doc])+
        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self { $($variant => $name,)+ })
            }
        }
    )*};
}

as_name! {
    /// As `same`, `added`, `changed` or `removed`.
    Sign {
        Self::Same => "same",
        Self::Added => "added",
        Self::Changed => "changed",
        Self::Removed => "removed",
    }

    /// As `scheduler-change` or `connections-break`.
    Disruption {
        Self::SchedulerChange => "scheduler-change",
        Self::ConnectionsBreak => "connections-break",
    }

    /// As `no-traffic`, `no-active`, `no-connections` or `no-clients`.
    DrainUntil {
        Self::NoTraffic => "no-traffic",
        Self::NoActive => "no-active",
        Self::NoConnections => "no-connections",
        Self::NoClients => "no-clients",
    }

    /// As `keep-service` or `stop`.
    OnFailure {
        Self::KeepService => "keep-service",
        Self::Stop => "stop",
    }

    /// As `emptied`, `cut`, `already-gone`, `restored` or `cancelled`.
    Drained {
        Self::Emptied => "emptied",
        Self::Cut(_) => "cut",
        Self::AlreadyGone => "already-gone",
        Self::Restored => "restored",
        Self::Cancelled { .. } => "cancelled",
    }
}

/// As text, as `Display` prints it: `add`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Phase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As a list of names, such as `add-service`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Actions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-"));
        serializer.collect_seq(names)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::error::{Error, ErrorKind};
    use crate::model::{Connections, Operation};
    use crate::table::tests::planning::{everything, server, there, wanted, web};
    use crate::table::{Applied, DrainPolicy, Plan, Reconciled, Round, StepOutcome};

    #[test]
    fn a_result_is_told_with_steps_outcomes_and_errors() {
        let current = there(web(), &[server(1)]);
        let plan = Plan::new(&current, &wanted(web(), &[server(2)]), &everything()).unwrap();
        let failed = Error::for_test(ErrorKind::DestinationExists, Operation::AddDestination);
        let cut = Connections { active: 2, inactive: 1, persistent: 0 };
        let outcomes = [
            StepOutcome::Failed(failed.clone()),
            StepOutcome::Skipped { because: 0 },
            StepOutcome::Cut(cut),
        ];
        let round = Round::new(plan.clone(), Applied::new(outcomes, None));
        let told = serde_json::to_value(Reconciled::new([round], plan)).unwrap();
        assert_eq!(told["done"], json!(false));
        assert_eq!(told["complete"], json!(true));
        let applied = &told["rounds"][0]["applied"]["outcomes"];
        assert_eq!(applied[0]["outcome"], "failed");
        assert_eq!(applied[0]["error"], serde_json::to_value(failed).unwrap());
        assert_eq!(applied[1]["because"], 0);
        assert_eq!(applied[2]["cut"]["active"], 2);
        let steps = &told["rest"]["steps"];
        assert_eq!(steps[0]["phase"], "extend");
        assert_eq!(steps[0]["before"], json!(null));
        assert_eq!(steps[1]["before"]["destination"]["weight"], 1);
        let policy = json!({
            "until": "no-traffic", "quiet": 5.0, "deadline": 30.0, "interval": 0.5,
        });
        assert_eq!(told["rest"]["drain"], policy);
        assert_eq!(serde_json::to_value(DrainPolicy::new()).unwrap(), policy);
    }
}
