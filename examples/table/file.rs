//! Tables in files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ipvs_netlink::table::Table;

use crate::arguments::Source;
use crate::exit::Failure;
use crate::regular_file;
use crate::text;
use crate::values::Format;

/// Reads the table in a file.
pub(crate) fn read(source: &Source) -> Result<Table, Failure> {
    table(source, &load(&source.path)?)
}

/// Reads the table again after a wait for the lock, because the file may have been written
/// since. A stream cannot be read twice, so its table `before` is returned.
pub(crate) fn read_again(source: &Source, before: Table) -> Result<Table, Failure> {
    if is_stream(&source.path) {
        return Ok(before);
    }
    // Free the first table: the limit of memory is for one large table.
    drop(before);
    read(source)
}

/// Returns `true` if the content of the file is not `before`.
pub(crate) fn has_changed(path: &Path, before: &[u8]) -> bool {
    load(path).as_deref() != Ok(before)
}

pub(crate) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Returns `true` if the path names a stream that the caller has opened for this program, such as
/// the pipe of `<(command)`. A stream can be read once, and reading may wait for its writer.
pub(crate) fn is_stream(path: &Path) -> bool {
    let opened = path == Path::new("/dev/stdin") || path.starts_with("/dev/fd");
    is_standard_input(path) || opened && !fs::metadata(path).is_ok_and(|file| file.is_file())
}

/// Parses the content `bytes` of a file.
pub(crate) fn table(source: &Source, bytes: &[u8]) -> Result<Table, Failure> {
    let name = source.path.display();
    let format = format(source).ok_or_else(|| {
        Failure::new(format!("{name}: unknown extension; use --format yaml, toml, json or ipvsadm"))
    })?;
    text::parse(bytes, format, source.names).map_err(|error| {
        let other = looks_like(bytes).filter(|other| {
            // Every JSON text is a YAML text.
            *other != format && (format, *other) != (Format::Yaml, Format::Json)
        });
        let advice = other.map(|other| format!("; this looks like --format {other}"));
        Failure::invalid(format!("{name}: {}{}", short(error), advice.unwrap_or_default()))
    })
}

/// Guesses the format of a text by its first line that is neither empty nor a comment.
fn looks_like(bytes: &[u8]) -> Option<Format> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"))?;
    let begins = |with: &[&str]| with.iter().any(|with| line.starts_with(with.as_bytes()));
    if begins(&["{"]) {
        Some(Format::Json)
    } else if begins(&["[[", "[timeouts", "[settings", "services ="]) {
        Some(Format::Toml)
    } else if begins(&["services:", "timeouts:", "settings:", "---", "%YAML"]) {
        Some(Format::Yaml)
    } else if begins(&["-A", "-a", "--add-", "ipvsadm "]) {
        Some(Format::Ipvsadm)
    } else {
        None
    }
}

/// Reads the content of a file or stream, up to the limit of length.
pub(crate) fn load(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = text::LONGEST as u64 + 1;
    let read = match path {
        path if is_standard_input(path) => io::stdin().lock().take(limit).read_to_end(&mut bytes),
        path if is_stream(path) => {
            File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
        }
        path => regular_file::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    Ok(bytes)
}

/// The times at which a file was last written or renamed, in the resolution of its file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp([i64; 4]);

impl Stamp {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self([file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()]))
    }
}

/// Returns the format of a file: of `--format`, or else of its extension.
pub(crate) fn format(source: &Source) -> Option<Format> {
    source.format.or_else(|| by_extension(&source.path))
}

pub(crate) fn by_extension(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "yaml" | "yml" => Some(Format::Yaml),
        "toml" => Some(Format::Toml),
        "json" => Some(Format::Json),
        "ipvsadm" | "rules" | "save" => Some(Format::Ipvsadm),
        _ => None,
    }
}

/// Writes a table as text.
pub(crate) fn write(table: &Table, format: Format) -> Result<String, Failure> {
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(table).map_err(|error| error.to_string()),
        Format::Toml => text::to_toml(table),
        Format::Json => serde_json::to_string_pretty(table)
            .map(|text| text + "\n")
            .map_err(|error| error.to_string()),
        Format::Ipvsadm => match table.unsaid().next() {
            None => Ok(table.to_string()),
            Some(object) => Err(format!("ipvsadm text cannot express {object}; use --format yaml")),
        },
    };
    text.map_err(Failure::new)
}

/// Shortens a parser's message, so that a hostile file cannot fill the terminal.
fn short(mut text: String) -> String {
    const LONGEST: usize = 2000;
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text += "...";
    }
    text
}
