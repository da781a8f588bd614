//! The state of everything, for `director status`.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{MaintenanceKind, MemberStatus, ServiceStatus as Checked, TargetStatus};
use ipvs_netlink::health::{PoolStatus, Verdict};
use ipvs_netlink::{DestinationEntry, DestinationId, ServiceId, ServiceSnapshot, Snapshot};

use crate::configuration::ServiceConfiguration;
use crate::desk::Desk;
use crate::event::one_line;
use crate::moment::Moment;
use crate::state::SavedMaintenance;
use crate::status::{
    Connections, DestinationState, DestinationStatus, MaintenanceStatus, ServiceStatus, Status,
};

/// What is said of a destination of which the checks say nothing.
const SILENT: &str = "the thread of the checks does not answer";

impl Desk {
    /// Returns the state of all services. `checked` is what the runner knows; `None` if it does not
    /// answer. `snapshot` is the kernel's table; `None` if it cannot be read.
    /// `announced` says what is announced of a service.
    #[must_use]
    pub fn status(
        &self,
        checked: Option<&[Checked<Probe>]>,
        snapshot: Option<&Snapshot>,
        announced: impl Fn(ServiceId) -> String,
        now: Moment,
    ) -> Status {
        let checked: Option<BTreeMap<_, _>> =
            checked.map(|all| all.iter().map(|it| (it.pool.service, it)).collect());
        let configured = self.configuration.services.keys().copied();
        let marks = self.configuration.marks;
        // Those of marks serve the checks alone.
        let leaving = self.saved.owned.iter().copied().filter(|id| {
            !self.is_configured(*id) && marks.is_none_or(|marks| !marks.contains(*id))
        });
        let mut ids: Vec<_> = configured.chain(leaving).collect();
        ids.sort_unstable();
        Status {
            taken: now.wall,
            since: self.since,
            loaded: self.loaded,
            troubles: self.troubles.values().map(|text| one_line(text)).collect(),
            is_table_read: snapshot.is_some(),
            services: ids
                .into_iter()
                .map(|id| {
                    let known = checked.as_ref().map(|all| all.get(&id).copied());
                    let held = snapshot.and_then(|snapshot| snapshot.service(id));
                    let mut status = self.service_status(id, known, held, now);
                    status.announcement = one_line(&announced(id));
                    status
                })
                .collect(),
        }
    }

    /// `known` is `None` if the runner does not answer, and has nothing in it if the runner does not
    /// watch the service.
    fn service_status(
        &self,
        id: ServiceId,
        known: Option<Option<&Checked<Probe>>>,
        held: Option<&ServiceSnapshot>,
        now: Moment,
    ) -> ServiceStatus {
        let configured = self.configuration.services.get(&id);
        let scheduler = match (configured, held) {
            (Some(configured), _) => configured.table.service().scheduler.to_string(),
            (None, Some(held)) => held.entry.service.scheduler.to_string(),
            (None, None) => String::new(),
        };
        let pool = known.flatten().map(|known| &known.pool);
        ServiceStatus {
            id,
            scheduler,
            is_available: pool.is_some_and(|pool| pool.is_available),
            is_serving: self.serving.contains(&id),
            has_sorry_server: pool.is_some_and(|pool| pool.sorry.is_some()),
            reason: self.service_reason(id, known.map(|_| pool), now),
            announcement: String::new(),
            destinations: self.destinations(id, configured, known, held, now),
        }
    }

    fn service_reason(
        &self,
        id: ServiceId,
        pool: Option<Option<&PoolStatus>>,
        now: Moment,
    ) -> String {
        if !self.is_configured(id) || self.is_withdrawn {
            return "it leaves the table".to_owned();
        }
        let Some(pool) = pool else { return SILENT.to_owned() };
        let Some(pool) = pool else { return "it is not checked".to_owned() };
        let all = pool.members.values().filter(|member| !member.is_former).count();
        let mut reason = format!("{} of {all} live, {} needed", pool.live, pool.needed);
        if pool.is_available && !self.serving.contains(&id) {
            reason.push_str(", not in the table yet");
        }
        if let Some(until) = pool.hold_until {
            let left = until.saturating_duration_since(now.instant).as_secs_f32();
            reason.push_str(&format!(", a maintenance waits {left:.1} s for the withdrawal"));
        }
        reason
    }

    fn destinations(
        &self,
        id: ServiceId,
        configured: Option<&ServiceConfiguration>,
        known: Option<Option<&Checked<Probe>>>,
        held: Option<&ServiceSnapshot>,
        now: Moment,
    ) -> Vec<DestinationStatus> {
        let mut destinations = Vec::new();
        for desired in configured.iter().flat_map(|it| it.table.destinations()) {
            let destination = desired.id();
            let ordered = self.saved.weights.get(&(id, destination)).copied();
            let entry = held.and_then(|held| held.destination(destination));
            let saved = self.saved.maintenances.get(&(id, destination));
            let member = known.flatten().and_then(|it| it.pool.members.get(&destination));
            let checks = known.flatten().map_or(&[][..], |it| it.checks(destination));
            let reason = match known {
                Some(_) => reason(member, checks, now),
                None => SILENT.to_owned(),
            };
            destinations.push(DestinationStatus {
                id: destination,
                state: state(member, saved),
                since: member.and_then(|it| it.since).and_then(|since| wall(since, now)),
                reason,
                signs: self.signs_of(id, destination),
                maintenance: saved.map(|saved| {
                    let SavedMaintenance { kind, by, until } = saved.clone();
                    MaintenanceStatus { kind, by, until }
                }),
                weight: ordered.unwrap_or(desired.destination().weight),
                is_weight_ordered: ordered.is_some(),
                in_table: entry.map(|entry| entry.destination.weight),
                connections: entry.map(connections),
            });
        }
        // What leaves, and the sorry server.
        for entry in held.iter().flat_map(|held| &held.destinations) {
            let destination = entry.destination.id;
            if configured.is_none_or(|it| it.table.destination(destination).is_none()) {
                destinations.push(guest(configured, entry));
            }
        }
        destinations.sort_by_key(|destination| destination.id);
        destinations
    }
}

impl Desk {
    fn signs_of(&self, service: ServiceId, destination: DestinationId) -> Vec<String> {
        let signs = self.signs.get(&(service, destination)).into_iter().flatten();
        signs.map(ToString::to_string).collect()
    }
}

/// Describes a destination that the table has, and the file has not among those of the service.
fn guest(configured: Option<&ServiceConfiguration>, entry: &DestinationEntry) -> DestinationStatus {
    let destination = entry.destination.id;
    let sorry = configured.and_then(|it| it.policy.sorry.as_ref());
    let (state, reason, weight) = match sorry.filter(|sorry| sorry.id == destination) {
        Some(sorry) => (DestinationState::Up, "it is the sorry server", sorry.weight.max(1)),
        None => (DestinationState::Leaving, "it is not in the file", 0),
    };
    DestinationStatus {
        id: destination,
        state,
        since: None,
        reason: reason.to_owned(),
        signs: Vec::new(),
        maintenance: None,
        weight,
        is_weight_ordered: false,
        in_table: Some(entry.destination.weight),
        connections: Some(connections(entry)),
    }
}

fn state(member: Option<&MemberStatus>, saved: Option<&SavedMaintenance>) -> DestinationState {
    match (saved, member) {
        (Some(saved), _) => match saved.kind {
            MaintenanceKind::Drain => DestinationState::Drained,
            _ => DestinationState::Out,
        },
        (None, None) => DestinationState::Unknown,
        (None, Some(member)) if member.is_kept => DestinationState::Kept,
        (None, Some(member)) => match member.verdict {
            Verdict::Unknown => DestinationState::Unknown,
            Verdict::Up => DestinationState::Up,
            Verdict::Down => DestinationState::Down,
        },
    }
}

/// Says what the checks of a destination say.
fn reason(
    member: Option<&MemberStatus>,
    checks: &[(std::sync::Arc<Probe>, TargetStatus)],
    now: Moment,
) -> String {
    let mut said = Vec::new();
    for (probe, target) in checks {
        let text = check_reason(target, now);
        match checks.len() {
            1 => said.push(text),
            _ if text.is_empty() => {}
            _ => said.push(format!("{}: {text}", probe.kind.name())),
        }
    }
    said.retain(|text| !text.is_empty());
    let Some(member) = member else { return "it is not watched yet".to_owned() };
    if checks.is_empty() {
        said.push("no checks".to_owned());
    }
    if let Some(slow_start) = &member.slow_start {
        said.push(format!("slow start at {}", slow_start.share));
    }
    if member.held.is_some() {
        said.push("its weight stays until a check has decided".to_owned());
    }
    one_line(&said.join("; "))
}

/// Says what one check says: `3 of 3 failed, connection refused`.
fn check_reason(target: &TargetStatus, now: Moment) -> String {
    let fall = target.pace.fall;
    let failed = target.row.min(fall);
    let because = match target.reason.as_str() {
        "" => String::new(),
        reason => format!(", {reason}"),
    };
    let mut text = match (target.verdict, target.passed) {
        (_, None) if target.reason.is_empty() => "no check has ended yet".to_owned(),
        (_, None) => format!("not done{because}"),
        (Verdict::Up, Some(true)) => String::new(),
        (_, Some(false)) => format!("{failed} of {fall} failed{because}"),
        (Verdict::Down | Verdict::Unknown, Some(true)) => {
            format!("{} of {} passed{because}", target.counted, target.needed)
        }
    };
    if let Some(until) = target.damped_until.filter(|_| target.verdict == Verdict::Down) {
        let left = until.saturating_duration_since(now.instant).as_secs();
        text.push_str(&format!(", damped for {left} s because it went down too often"));
    }
    text
}

/// Returns when a moment of the other clock was by that of the wall.
fn wall(instant: Instant, now: Moment) -> Option<SystemTime> {
    now.wall.checked_sub(now.instant.saturating_duration_since(instant))
}

fn connections(entry: &DestinationEntry) -> Connections {
    let ipvs_netlink::Connections { active, inactive, .. } = entry.connections;
    Connections { active, inactive }
}
