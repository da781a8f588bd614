//! Writes the condition `IpvsTableReady` of the own Node object.

use std::time::{Duration, Instant};

use ipvs_netlink::table::controller::Event;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time;

use super::table_state::{TableState, Writes};
use crate::log;

/// How long the API server may take for one write.
const LONGEST_WRITE: Duration = Duration::from_secs(30);

/// How long the end of the program waits for the last write.
const LONGEST_END: Duration = Duration::from_secs(2);

/// Writes the condition, if the command line asks for it. It ends when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct TableCondition {
    states: watch::Sender<TableState>,
    task: JoinSet<()>,
}

impl TableCondition {
    /// Begins to write it.
    pub(crate) fn start(&mut self, client: &Client, node: &str) {
        let nodes = Api::all(client.clone());
        self.task.spawn(follow(nodes, node.to_owned(), self.states.subscribe()));
    }

    /// Returns how the table is, now and later.
    pub(crate) fn states(&self) -> watch::Receiver<TableState> {
        self.states.subscribe()
    }

    /// Takes in an event of the controller.
    pub(crate) fn event(&self, event: &Event) {
        let state = self.states.borrow().after(event);
        if let Some(state) = state {
            self.set(state);
        }
    }

    /// Takes in that the table is as wanted. That ends no failure.
    pub(crate) fn kept(&self) {
        let awaits = *self.states.borrow() == TableState::Starting;
        if awaits {
            self.set(TableState::Kept);
        }
    }

    /// Writes that nobody keeps the table any more.
    pub(crate) async fn end(mut self) {
        self.set(TableState::Stopped);
        let _ = time::timeout(LONGEST_END, self.task.join_next()).await;
    }

    fn set(&self, state: TableState) {
        self.states.send_if_modified(|present| {
            let changes = *present != state;
            *present = state;
            changes
        });
    }
}

/// Writes each state, until the table is kept no more.
async fn follow(nodes: Api<Node>, name: String, mut states: watch::Receiver<TableState>) {
    let (mut writes, mut failing) = (Writes::default(), false);
    loop {
        let state = states.borrow_and_update().clone();
        let now = Instant::now();
        let pause = writes.pause(&state, now);
        if !pause.is_zero() {
            if let Ok(Err(_)) = time::timeout(pause, states.changed()).await {
                return;
            }
            continue;
        }
        let patch = writes.write(&state, now, Timestamp::now());
        let error = write(&nodes, &name, patch).await.err();
        if error.is_some() {
            writes.fail();
        }
        if let Some(error) = error.as_ref().filter(|_| !failing) {
            log::line(format_args!("the condition of Node {name} cannot be written: {error}"));
        }
        failing = error.is_some();
        if state == TableState::Stopped {
            return;
        }
    }
}

async fn write(nodes: &Api<Node>, name: &str, patch: Value) -> Result<(), String> {
    let (parameters, patch) = (PatchParams::default(), Patch::Strategic(patch));
    let written = nodes.patch_status(name, &parameters, &patch);
    match time::timeout(LONGEST_WRITE, written).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the API server does not answer".to_owned()),
    }
}
