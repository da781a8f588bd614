//! Tables in files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ipvs_netlink::table::Table;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::arguments::Source;
use crate::exit::Failure;
use crate::text;
use crate::values::Format;

/// Reads the table in a file.
pub(crate) fn read(source: &Source) -> Result<Table, Failure> {
    table(source, &load(&source.path)?)
}

/// The table in a file that was read as `before`, as it is by now: while another program had
/// the lock somebody may have written it. A stream has nothing more to say.
pub(crate) fn read_again(source: &Source, before: Table) -> Result<Table, Failure> {
    if is_stream(&source.path) {
        return Ok(before);
    }
    // There is memory for one large table.
    drop(before);
    read(source)
}

/// Whether a file has anything but `before` by now.
pub(crate) fn has_changed(path: &Path, before: &[u8]) -> bool {
    load(path).as_deref() != Ok(before)
}

pub(crate) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether the path names what the caller has opened for this program, such as a pipe in
/// place of `<(command)`. That can be read once, and waiting for it is what the caller wants.
pub(crate) fn is_stream(path: &Path) -> bool {
    let opened = path == Path::new("/dev/stdin") || path.starts_with("/dev/fd");
    is_standard_input(path) || opened && !fs::metadata(path).is_ok_and(|file| file.is_file())
}

/// The table in what a file has.
pub(crate) fn table(source: &Source, bytes: &[u8]) -> Result<Table, Failure> {
    let name = source.path.display();
    let format = format(source)
        .ok_or_else(|| Failure::new(format!("{name}: say --format yaml, toml, json or ipvsadm")))?;
    text::parse(bytes, format, source.names).map_err(|error| {
        let other = looks_like(bytes).filter(|other| {
            // JSON is YAML, too.
            *other != format && (format, *other) != (Format::Yaml, Format::Json)
        });
        let advice = other.map(|other| format!("; this looks like --format {other}"));
        Failure::invalid(format!("{name}: {}{}", short(error), advice.unwrap_or_default()))
    })
}

/// What is in a text, by its first line that is not empty and no comment.
fn looks_like(bytes: &[u8]) -> Option<Format> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"))?;
    let begins = |with: &[&str]| with.iter().any(|with| line.starts_with(with.as_bytes()));
    if begins(&["{"]) {
        Some(Format::Json)
    } else if begins(&["[[", "services ="]) {
        Some(Format::Toml)
    } else if begins(&["services:", "---", "%YAML"]) {
        Some(Format::Yaml)
    } else if begins(&["-A", "-a", "--add-", "ipvsadm "]) {
        Some(Format::Ipvsadm)
    } else {
        None
    }
}

/// What a file has, as far as it is read.
pub(crate) fn load(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = text::LONGEST as u64 + 1;
    let read = match path {
        path if is_standard_input(path) => io::stdin().lock().take(limit).read_to_end(&mut bytes),
        path if is_stream(path) => {
            File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
        }
        path => open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    Ok(bytes)
}

/// Opens a regular file. To open anything else can take until somebody else opens its other
/// end, or make a device do something; to read it can take for ever.
fn open(path: &Path) -> io::Result<File> {
    let check = |file: fs::Metadata| match file.is_file() {
        true => Ok(()),
        false if file.is_dir() => Err(Errno::ISDIR.into()),
        false => Err(io::Error::other("not a regular file")),
    };
    check(fs::metadata(path)?)?;
    // Something else may have come into its place.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    check(file.metadata()?)?;
    Ok(file)
}

/// When a file was last written or put in its place, as far as the file system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp([i64; 4]);

impl Stamp {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self([file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()]))
    }
}

/// What is in a file.
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

/// A table as text.
pub(crate) fn write(table: &Table, format: Format) -> Result<String, Failure> {
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(table).map_err(|error| error.to_string()),
        Format::Toml => text::to_toml(table),
        Format::Json => serde_json::to_string_pretty(table)
            .map(|text| text + "\n")
            .map_err(|error| error.to_string()),
        Format::Ipvsadm => match table.unsaid().next() {
            None => Ok(table.to_string()),
            Some(object) => Err(format!("ipvsadm has no words for {object}; export as YAML")),
        },
    };
    text.map_err(Failure::new)
}

/// What a hostile file makes a parser say must not fill the terminal.
fn short(mut text: String) -> String {
    const LONGEST: usize = 2000;
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text += "...";
    }
    text
}
