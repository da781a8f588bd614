//! Families of what programs count.

use std::ops::ControlFlow;

use super::{Entry, Of, Sink, entry, of_service};
use crate::metrics::{CheckResult, Family, Label, Sample, Source, Unit, Value};

/// Of destinations.
pub(super) static DESTINATIONS: &[Entry] = &[
    entry(
        Family::gauge("ipvs_health_check_up", "Whether a destination passes its checks, 1 or 0."),
        Of::Source(up),
    ),
    entry(
        Family::counter("ipvs_health_checks", "Checks of a destination by result."),
        Of::Source(checks),
    ),
    entry(
        Family::gauge(
            "ipvs_health_passive_sign",
            "1 while the traffic shows that a destination may not work, by kind of sign.",
        ),
        Of::Source(signs),
    ),
];

/// Of services.
pub(super) static SERVICES: &[Entry] = &[entry(
    Family::gauge(
        "ipvs_health_panic",
        "1 if dead destinations of a service stay in rotation, because too few are live.",
    ),
    Of::Source(panic),
)];

pub(super) static ENTRIES: &[Entry] = &[
    entry(
        Family::histogram("ipvs_health_check_duration_seconds", "How long checks took, by kind.")
            .unit(Unit::Seconds),
        Of::Source(durations),
    ),
    entry(
        Family::counter("ipvs_apply_operations", "Writes to the table by operation and result."),
        Of::Source(operations),
    ),
    entry(
        Family::gauge(
            "ipvs_apply_last_success_timestamp_seconds",
            "When the table was last as wished, in seconds since 1970.",
        )
        .unit(Unit::Seconds),
        Of::Source(last_success),
    ),
];

fn up(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for (id, service) in source.health.into_iter().flat_map(|it| it.services()) {
        for (destination, counts) in &service.destinations {
            let Some(up) = counts.up else { continue };
            let (destination, value) = (Some(*destination), Value::Integer(up.into()));
            sink(&Sample { destination, value, ..of_service(source, id) })?;
        }
    }
    ControlFlow::Continue(())
}

fn checks(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for (id, service) in source.health.into_iter().flat_map(|it| it.services()) {
        for (destination, counts) in &service.destinations {
            for (result, count) in CheckResult::ALL.into_iter().zip(counts.results) {
                let labels = [Label::text("result", result.name())];
                let (destination, value) = (Some(*destination), Value::Integer(count));
                let sample = Sample { destination, value, ..of_service(source, id) };
                sink(&sample.with(&labels))?;
            }
        }
    }
    ControlFlow::Continue(())
}

fn signs(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for (id, destination, kind) in source.health.into_iter().flat_map(|it| it.signs()) {
        let labels = [Label::text("kind", kind)];
        let sample = Sample { destination: Some(destination), ..of_service(source, id) };
        sink(&sample.with(&labels))?;
    }
    ControlFlow::Continue(())
}

fn panic(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for (id, service) in source.health.into_iter().flat_map(|it| it.services()) {
        let Some(panic) = service.panic else { continue };
        sink(&Sample { value: Value::Integer(panic.into()), ..of_service(source, id) })?;
    }
    ControlFlow::Continue(())
}

fn durations(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for (check, durations) in source.health.into_iter().flat_map(|it| it.durations()) {
        let labels = [Label::text("check", check)];
        sink(&Sample::new(source.netns, Value::Histogram(durations)).with(&labels))?;
    }
    ControlFlow::Continue(())
}

fn operations(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for (operation, counts) in source.apply.into_iter().flat_map(|it| it.operations()) {
        for (result, count) in ["success", "failure"].into_iter().zip(counts) {
            let labels = [Label::text("operation", operation), Label::text("result", result)];
            sink(&Sample::new(source.netns, Value::Integer(count)).with(&labels))?;
        }
    }
    ControlFlow::Continue(())
}

fn last_success(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(time) = source.apply.and_then(|it| it.last_success()) else {
        return ControlFlow::Continue(());
    };
    sink(&Sample::new(source.netns, Value::Float(time.as_secs_f64())))
}
