//! Wishes, tasks and answers as lines of a trace.

use ipvs_netlink::table::controller::{Answer, Wish, Work};
use ipvs_netlink::{Connections, DestinationEntry};

pub(crate) fn wish_text(wish: &Wish) -> String {
    let service = wish.service();
    let servers = service.destinations().map(|to| {
        let at_once = if wish.leaves_at_once(to.id()) { "!" } else { "" };
        let weight = to.weight().map_or("any".to_owned(), |weight| weight.to_string());
        format!("{at_once}{}*{weight} {}", to.id(), to.destination().forwarding)
    });
    format!("{}: {}", service.service(), servers.collect::<Vec<_>>().join(", "))
}

pub(crate) fn work_text(work: &Work) -> String {
    match work {
        Work::Write(writes) => {
            let texts: Vec<_> = writes.iter().take(12).map(|write| write.to_string()).collect();
            format!("write {}: {}", writes.len(), texts.join("; "))
        }
        Work::ReadServices(ids) | Work::ReadDestinations(ids) => {
            let texts: Vec<_> = ids.iter().take(12).map(ToString::to_string).collect();
            let what =
                if matches!(work, Work::ReadServices(_)) { "services" } else { "destinations" };
            format!("read {} {what}: {}", ids.len(), texts.join(", "))
        }
        other => format!("{other:?}"),
    }
}

pub(crate) fn answer_text(work: &Work, answer: &Answer) -> String {
    let servers = |entries: &[DestinationEntry]| {
        let text = entries.iter().map(|entry| {
            let Connections { active, inactive, persistent, .. } = entry.connections;
            let to = &entry.destination;
            format!("{}*{} ({active}/{inactive}/{persistent})", to.id, to.weight)
        });
        text.collect::<Vec<_>>().join(", ")
    };
    match (work, answer) {
        (Work::Write(_), Answer::Written(report)) if report.is_done() => report.to_string(),
        (Work::Write(writes), Answer::Written(report)) => {
            let failures = report
                .failures()
                .map(|failed| format!("{}: {}", writes[failed.index], failed.outcome));
            format!("{report}: {}", failures.take(12).collect::<Vec<_>>().join("; "))
        }
        (_, Answer::Readings(readings)) => {
            let texts = readings.iter().map(|reading| {
                let complete = if reading.complete { "" } else { " (incomplete)" };
                match &reading.present {
                    Ok(Some(present)) => {
                        let servers = servers(&present.destinations);
                        format!("{}: {servers}{complete}", present.entry.service)
                    }
                    Ok(None) => format!("{}: absent{complete}", reading.id),
                    Err(error) => format!("{}: {error}", reading.id),
                }
            });
            texts.take(12).collect::<Vec<_>>().join("; ")
        }
        (_, Answer::Services(listing)) => {
            let texts = listing.iter().map(|entry| entry.service.to_string()).take(12);
            let complete = listing.is_complete();
            format!("complete {complete}: {}", texts.collect::<Vec<_>>().join("; "))
        }
        (_, Answer::Destinations(all)) => {
            let texts = all.iter().take(12).map(|(id, listing)| {
                format!("{id}: {} complete {}", servers(listing), listing.is_complete())
            });
            texts.collect::<Vec<_>>().join("; ")
        }
        (_, other) => format!("{other:?}"),
    }
}
