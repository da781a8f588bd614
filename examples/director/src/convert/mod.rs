//! Converts a `keepalived.conf` to a configuration of the director.
//!
//! What cannot be said is told, each keyword with its line: see [`Remarks`]. The file is taken for
//! hostile: its size, depth and number of lines are bounded, it includes only regular files of its
//! own folder, and nothing of it is executed.

mod blocks;
mod checkers;
mod command;
mod definitions;
mod error;
mod expansion;
mod files;
mod forwarding;
mod global;
mod group;
mod lexer;
mod limits;
mod quorum;
mod real_server;
mod script;
mod sequences;
mod settings;
#[cfg(test)]
mod tests;
mod timing;
mod unsaid;
mod values;
mod virtual_server;

use std::path::Path;

pub use command::{ConvertArguments, run};
pub use error::{ConvertError, SyntaxError};
pub use files::FileError;
pub use unsaid::{Fate, Place, Remark, Remarks};

use crate::configuration::Configuration;
use crate::convert::blocks::Statement;
use crate::convert::limits::{MOST_DESTINATIONS, MOST_SERVICES};
use crate::convert::virtual_server::{Groups, VirtualServer};

/// A converted file.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// What the converted file says.
    pub configuration: Configuration,
    /// What it does not say, or not as keepalived's did.
    pub remarks: Remarks,
}

/// Converts a file.
///
/// `id` is that of keepalived's option `--config-id`: it chooses among lines that begin with `@`.
/// Without it these are left out.
///
/// # Errors
///
/// The file cannot be read, its braces or quotes do not match, it includes itself, or it is larger or
/// deeper than what is read.
pub fn convert(path: &Path, id: Option<&str>) -> Result<Conversion, ConvertError> {
    let mut remarks = Remarks::default();
    let lines = expansion::lines(path, id, &mut remarks)?;
    let statements = blocks::statements(lines)?;
    let configuration = configuration(&statements, &mut remarks)?;
    Ok(Conversion { configuration, remarks })
}

fn configuration(
    statements: &[Statement],
    remarks: &mut Remarks,
) -> Result<Configuration, ConvertError> {
    let mut configuration = Configuration::default();
    let groups = groups(statements, remarks);
    let (mut services, mut destinations) = (0_usize, 0_usize);
    for statement in statements {
        match statement.keyword() {
            "virtual_server_group" => {}
            "virtual_server" => {
                let Some(server) = VirtualServer::read(statement, &groups, remarks) else {
                    continue;
                };
                let (more_services, more_destinations) = server.size();
                services = services.saturating_add(more_services);
                destinations = destinations.saturating_add(more_destinations);
                if services > MOST_SERVICES || destinations > MOST_DESTINATIONS {
                    return Err(SyntaxError::ManyServices.at(&statement.place));
                }
                server.add_to(&mut configuration, remarks);
            }
            _ => global::take(statement, &mut configuration, remarks),
        }
    }
    Ok(configuration)
}

/// Reads the groups, which may come after the virtual servers that use them.
fn groups(statements: &[Statement], remarks: &mut Remarks) -> Groups {
    let mut groups = Groups::new();
    let named: Vec<&str> = statements
        .iter()
        .filter(|statement| statement.keyword() == "virtual_server")
        .filter_map(|statement| match statement.arguments() {
            [group, name] if group == "group" => Some(name.as_str()),
            _ => None,
        })
        .collect();
    for statement in statements {
        if statement.keyword() != "virtual_server_group" {
            continue;
        }
        let Some(name) = statement.one("the name of the group", remarks) else { continue };
        if !named.contains(&name) {
            statement.tell(Fate::NotNeeded, "no virtual server uses the group", remarks);
            continue;
        }
        if groups.contains_key(name) {
            statement.tell(Fate::LeftOut, "a group of this name is there already", remarks);
            continue;
        }
        groups.insert(name.to_owned(), group::read(statement.inside(), remarks));
    }
    groups
}
