use std::path::Path;

use node_proxy::api_server::ApiServer;

use crate::agent::{Agent, StateDir};
use crate::network::Namespace;

/// Starts the program on a node, which is a network namespace.
#[track_caller]
pub(crate) fn start(node: &Namespace, state: &StateDir, server: &ApiServer) -> Agent {
    let program = Path::new(env!("CARGO_BIN_EXE_node-proxy"));
    Agent::start(node, state, program, &server.url()).unwrap()
}
