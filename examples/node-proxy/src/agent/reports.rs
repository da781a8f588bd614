//! Reports what has been decided.

use std::time::Instant;

use ipvs_netlink::kubernetes::{Changes, Converter, ObjectName};
use ipvs_netlink::table::controller::Event;
use kube::Client;

use super::reporting::Reporting;
use crate::cluster::{Notice, Recording, Source};

/// Decides on reports and sends them, if the command line asks for events.
#[derive(Debug)]
pub(super) struct Reports(Option<(Reporting, Recording)>);

impl Reports {
    pub(super) fn start(wanted: bool, client: &Client, node: &str) -> Self {
        Self(wanted.then(|| (Reporting::new(), Recording::start(client, node))))
    }

    pub(super) fn noticed(&mut self, source: Source, notice: &Notice) {
        if let Some((reporting, _)) = &mut self.0 {
            reporting.noticed(source, notice);
        }
    }

    pub(super) fn changed(&mut self, changes: &Changes, now: Instant) {
        if let Some((reporting, recording)) = &mut self.0 {
            reporting.skipped(changes, now).into_iter().for_each(|it| recording.send(it));
        }
    }

    pub(super) fn not_served(&mut self, service: &ObjectName, why: &str, now: Instant) {
        if let Some((reporting, recording)) = &mut self.0 {
            reporting.not_served(service, why, now).into_iter().for_each(|it| recording.send(it));
        }
    }

    pub(super) fn event(&mut self, event: &Event, converter: &Converter, now: Instant) {
        if let Some((reporting, recording)) = &mut self.0 {
            let report = reporting.event(event, converter, now);
            report.into_iter().for_each(|it| recording.send(it));
        }
    }
}
