use std::io::Read;

use crate::model::Protocol;
use crate::procfs::ProcfsError;
use crate::procfs::connection::protocol;
use crate::procfs::fields::{decimal, word};
use crate::procfs::text::Text;

/// An application helper and a port that the helper watches, such as `ftp` and 21.
///
/// A helper changes addresses inside packets. The kernel has one: the module `ip_vs_ftp`, for
/// masquerading.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Application {
    /// The protocol.
    pub protocol: Protocol,
    /// The virtual port.
    pub port: u16,
    /// The number of connections that use the helper.
    pub connections: u64,
    /// The name. Bytes that are not printable ASCII are escaped.
    pub name: String,
}

/// Reads `/proc/net/ip_vs_app`. Source: `ip_vs_app.c:ip_vs_app_seq_show`.
pub(super) fn read_applications(
    path: &str,
    source: impl Read,
) -> Result<Vec<Application>, ProcfsError> {
    let mut text = Text::new(path, source);
    // Kernels have written the heading always, but a file may be empty.
    let heading = |line: &[u8]| match line.trim_ascii_end().ends_with(b"name") {
        true => Ok(()),
        false => Err("the line is not the expected heading"),
    };
    let mut applications = Vec::new();
    if text.next(heading)?.is_some() {
        while let Some(application) = text.next(application)? {
            applications.push(application);
        }
    }
    Ok(applications)
}

fn application(mut line: &[u8]) -> Result<Application, &'static str> {
    let line = &mut line;
    Ok(Application {
        protocol: protocol(word(line)).ok_or("the protocol has no known name")?,
        port: decimal(word(line)).and_then(|it| it.try_into().ok()).ok_or("there is no port")?,
        connections: decimal(word(line)).ok_or("the number of uses is not a number")?,
        name: match word(line) {
            b"" => return Err("there is no name"),
            name => name.escape_ascii().to_string(),
        },
    })
}
