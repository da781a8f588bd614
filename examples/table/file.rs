//! Tables in files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ipvs_netlink::table::Table;
use ipvs_netlink::{Names, NumericNames, SystemNames};

use crate::arguments::Source;
use crate::exit::Failure;
use crate::values::Format;

/// More than a table needs: 10,000 services with 10 destinations each are 6 MB of YAML.
const LONGEST: u64 = 16 << 20;

/// Parsing TOML takes up to 75 times as much memory as the text.
const LONGEST_TOML: usize = 4 << 20;

/// Reads the table in a file.
pub(crate) fn read(source: &Source) -> Result<Table, Failure> {
    table(source, &load(&source.path)?)
}

/// The table in what a file has.
pub(crate) fn table(source: &Source, bytes: &[u8]) -> Result<Table, Failure> {
    let name = source.path.display();
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::invalid(format!("{name}: longer than {} MiB", LONGEST >> 20)));
    }
    let format = match source.format.or_else(|| by_extension(&source.path)) {
        Some(format) => format,
        None => {
            return Err(Failure::new(format!("{name}: say --format yaml, toml, json or ipvsadm")));
        }
    };
    parse(bytes, format, source.names)
        .map_err(|error| Failure::invalid(format!("{name}: {}", short(error))))
}

/// What a file has, as far as it is read.
pub(crate) fn load(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match path == Path::new("-") {
        true => io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    Ok(bytes)
}

fn by_extension(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "yaml" | "yml" => Some(Format::Yaml),
        "toml" => Some(Format::Toml),
        "json" => Some(Format::Json),
        "ipvsadm" | "rules" | "save" => Some(Format::Ipvsadm),
        _ => None,
    }
}

fn parse(bytes: &[u8], format: Format, names: bool) -> Result<Table, String> {
    if format == Format::Ipvsadm {
        let system;
        let names: &dyn Names = match names {
            true => {
                system = SystemNames::new();
                &system
            }
            false => &NumericNames,
        };
        let table = Table::from_ipvsadm(bytes, names).map_err(|error| error.to_string())?;
        // An empty file may be one that is just being written.
        return match table.is_empty() {
            true => Err("there is no service in it; YAML can say `services: []`".into()),
            false => Ok(table),
        };
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line}: not UTF-8")
    })?;
    match format {
        Format::Yaml => yaml(text),
        Format::Toml if text.len() > LONGEST_TOML => {
            Err(format!("longer than {} MiB; use another format", LONGEST_TOML >> 20))
        }
        Format::Toml => toml::from_str(text).map_err(|error| error.to_string()),
        Format::Json | Format::Ipvsadm => {
            serde_json::from_str(text).map_err(|error| error.to_string())
        }
    }
}

/// Aliases of aliases are refused: there is no list of lists in a table. How often an
/// anchor is used does not matter; how much there is in all has a limit.
fn yaml(text: &str) -> Result<Table, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: 4_000_000,
            max_events: 16_000_000,
            enforce_alias_anchor_ratio: false,
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

/// A table as text.
pub(crate) fn write(table: &Table, format: Format) -> Result<String, Failure> {
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(table).map_err(|error| error.to_string()),
        Format::Toml => toml::to_string(table).map_err(|error| error.to_string()),
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
