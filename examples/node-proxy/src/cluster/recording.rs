//! Sends Kubernetes Events.

use std::time::Duration;

use ipvs_netlink::kubernetes::{ObjectKind, ObjectName};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time;

use crate::log;

/// How many reports may wait for the API server. More are lost.
const MOST_WAITING: usize = 64;

/// How long the API server may take for one event.
const LONGEST_WRITE: Duration = Duration::from_secs(30);

/// Something that the users of an object are to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) kind: ObjectKind,
    pub(crate) name: ObjectName,
    /// The identity of the object, or empty.
    pub(crate) uid: String,
    /// One word, in PascalCase.
    pub(crate) reason: &'static str,
    /// A line for people.
    pub(crate) note: String,
}

/// Sends reports as events, one after the other. Those that wait are lost when this is dropped.
#[derive(Debug)]
pub(crate) struct Recording {
    reports: mpsc::Sender<Report>,
    _task: JoinSet<()>,
}

impl Recording {
    pub(crate) fn start(client: &Client, node: &str) -> Self {
        let reporter =
            Reporter { controller: "node-proxy".to_owned(), instance: Some(node.to_owned()) };
        let (reports, waiting) = mpsc::channel(MOST_WAITING);
        let mut task = JoinSet::new();
        task.spawn(send(Recorder::new(client.clone(), reporter), waiting));
        Self { reports, _task: task }
    }

    /// Sends a report when those before it are sent.
    pub(crate) fn send(&self, report: Report) {
        // The log has it anyway.
        let _ = self.reports.try_send(report);
    }
}

async fn send(recorder: Recorder, mut waiting: mpsc::Receiver<Report>) {
    let mut failing = false;
    while let Some(report) = waiting.recv().await {
        let event = Event {
            type_: EventType::Warning,
            reason: report.reason.to_owned(),
            note: Some(report.note.clone()),
            action: "Proxying".to_owned(),
            secondary: None,
        };
        let regarding = reference(&report);
        let sent = time::timeout(LONGEST_WRITE, recorder.publish(&event, &regarding)).await;
        let error = match sent {
            Ok(sent) => sent.err().map(|error| error.to_string()),
            Err(_) => Some("the API server does not answer".to_owned()),
        };
        if let Some(error) = error.as_ref().filter(|_| !failing) {
            let Report { kind, name, .. } = &report;
            log::line(format_args!("events cannot be sent, as that about {kind} {name}: {error}"));
        }
        failing = error.is_some();
    }
}

fn reference(report: &Report) -> ObjectReference {
    let api_version = match report.kind {
        ObjectKind::EndpointSlice => "discovery.k8s.io/v1",
        _ => "v1",
    };
    ObjectReference {
        api_version: Some(api_version.to_owned()),
        kind: Some(report.kind.to_string()),
        namespace: Some(report.name.namespace().to_owned()),
        name: Some(report.name.name().to_owned()),
        uid: (!report.uid.is_empty()).then(|| report.uid.clone()),
        ..ObjectReference::default()
    }
}
