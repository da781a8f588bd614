//! Converts manifests without a cluster and without a kernel.

use std::io::{self, Write as _};
use std::path::Path;

use ipvs_netlink::kubernetes::{Converted, Node, Options, convert};
use ipvs_netlink::table::{PlanOptions, Table};
use ipvs_netlink::{NumericNames, Snapshot};

use crate::arguments::{Conversion, Offline, Subject};
use crate::checks::{self, CheckOptions};
use crate::cluster::internal_addresses;
use crate::exit::Exit;
use crate::explanation::Explanation;
use crate::log;
use crate::manifests::{self, ManifestError, ManifestErrors, Objects};
use crate::planned;

/// The longest table of `--current`.
const LONGEST_TABLE: usize = 512 << 20;

/// The most names of nodes in one line.
const MOST_NODES: usize = 5;

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Manifests cannot be used.
    #[error(transparent)]
    Manifests(#[from] ManifestErrors),
    /// The current table cannot be read.
    #[error(transparent)]
    Current(#[from] ManifestError),
    /// The current table is not what `ipvsadm -S -n` prints, or there is no plan from it.
    #[error("{file}: {message}")]
    Plan {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// No manifest has the service or port that is to be explained.
    #[error("no manifest has {0}")]
    NoSubject(String),
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Output(io::Error),
}

impl Failure {
    /// Returns how the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Manifests(errors) => errors.exit(),
            Self::Current(ManifestError::Unreadable { .. }) | Self::Output(_) => Exit::Failed,
            Self::Current(_) | Self::Plan { .. } | Self::NoSubject(_) => Exit::Invalid,
        }
    }
}

/// Reads manifests, converts them, and prints what was asked for.
#[must_use]
pub fn run(arguments: &Offline) -> Exit {
    match print(arguments) {
        Ok(()) => Exit::Done,
        Err(failure) => {
            log::line(format_args!("node-proxy: {failure}"));
            failure.exit()
        }
    }
}

fn print(arguments: &Offline) -> Result<(), Failure> {
    let objects = manifests::read(&arguments.from_files.clone().unwrap_or_default())?;
    let options = options(arguments, &objects);
    let all = ipvs_netlink::kubernetes::Objects::new(&objects.services, &objects.slices)
        .nodes(&objects.nodes)
        .pods(&objects.pods);
    let converted = convert(&all, &options);
    if !converted.own_node {
        tell_other_nodes(&options.node_name, &objects.nodes);
    }
    if let Some(subject) = &arguments.explain {
        return explain(subject, &objects, &converted, &options.node_name);
    }
    let text = match &arguments.current {
        Some(file) => plan(file, &converted, &arguments.conversion)?,
        None => converted.table.to_string(),
    };
    for (kind, count) in &objects.others {
        log::line(format_args!("passed over: {count} of {kind}"));
    }
    for skipped in &converted.skipped {
        log::line(format_args!("left out: {skipped}"));
    }
    let bounds = CheckOptions::default();
    for (service, facts) in &converted.services {
        let text = facts.health_checks.as_deref();
        if let Some(Err(told)) = text.map(|text| checks::examine(service, text, &bounds)) {
            log::line(told);
        }
    }
    for object in converted.table.unsaid() {
        log::line(format_args!("ipvsadm cannot say this, so it is a comment: {object}"));
    }
    output(&text)
}

/// Says that manifests have nodes, and not the own one: then perhaps its name is wrong.
fn tell_other_nodes(own: &str, nodes: &[Node]) {
    let mut names: Vec<_> = nodes.iter().map(|node| node.metadata.name.as_str()).collect();
    names.sort_unstable();
    let (shown, rest) = names.split_at(names.len().min(MOST_NODES));
    let Some((first, others)) = shown.split_first() else { return };
    let mut text = format!(
        "no manifest has Node {own:?}, so its addresses and its zone are unknown: there is {first}"
    );
    others.iter().for_each(|name| text.extend([", ", *name]));
    if !rest.is_empty() {
        text.push_str(&format!(" and {} more", rest.len()));
    }
    log::line(text);
}

/// Takes the node's addresses from its manifest if the command line has none.
fn options(arguments: &Offline, objects: &Objects) -> Options {
    let mut options = arguments.conversion.options();
    if options.node_addresses.is_empty() {
        let node = objects.nodes.iter().rfind(|node| node.metadata.name == options.node_name);
        options.node_addresses = node.map(internal_addresses).unwrap_or_default();
    }
    options
}

/// Returns the commands that turn a table into the converted one.
fn plan(file: &Path, converted: &Converted, conversion: &Conversion) -> Result<String, Failure> {
    let failed = |message| Failure::Plan { file: file.display().to_string(), message };
    let text = manifests::load(file, LONGEST_TABLE)?;
    let current = Table::from_ipvsadm(text, &NumericNames).map_err(|it| failed(it.to_string()))?;
    let planning = PlanOptions::new().scope(conversion.scope());
    planned::commands(&Snapshot::from(&current), &converted.table, &planning)
        .map_err(|error| failed(error.to_string()))
}

fn explain(
    subject: &Subject,
    objects: &Objects,
    converted: &Converted,
    node: &str,
) -> Result<(), Failure> {
    match Explanation::of(subject, objects, converted, node) {
        Some(explanation) => output(&explanation.to_string()),
        None => Err(Failure::NoSubject(subject.to_string())),
    }
}

fn output(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
}
