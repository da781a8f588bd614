//! Tables as text, with limits of size.
//!
//! The limits allow more than 10,000 services with 10 destinations each. Reading and planning a
//! table within the limits takes at most 256 MB of memory.

use std::borrow::Cow;

use ipvs_netlink::table::document::TableSeed;
use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{NameError, Names, NumericNames, SystemNames};
use serde::de::DeserializeSeed;
use serde_saphyr::options::{MergeKeyPolicy, NonFiniteFloatPolicy};

use crate::fault;
use crate::values::Format;
use crate::yaml_keys;

/// The longest text. A table of 10,000 x 10 is 13 MB of JSON, and less in other formats.
pub(crate) const LONGEST: usize = 32 << 20;

/// The largest number of services and destinations together.
const MOST: usize = 250_000;

/// Reads a table.
pub(crate) fn parse(bytes: &[u8], format: Format, names: bool) -> Result<Table, String> {
    if bytes.len() > LONGEST {
        return Err(format!("longer than {} MiB", LONGEST >> 20));
    }
    let system = SystemNames::new();
    let seed = if names { TableSeed::with_names(&system) } else { TableSeed::new() };
    let table = match format {
        Format::Ipvsadm => ipvsadm(bytes, if names { &system } else { &NumericNames }),
        Format::Yaml => yaml(utf8(bytes)?, &seed),
        Format::Toml => toml(utf8(bytes)?, &seed),
        Format::Json => json(utf8(bytes)?, &seed),
    };
    let table = table.map_err(|message| {
        match !names && message.contains(&NameError::NotLookedUp.to_string()) {
            true => format!("{message}; --names looks them up"),
            false => message,
        }
    })?;
    let sum = table.services().map(objects).sum();
    at_most(MOST, sum, "services and destinations")?;
    Ok(table)
}

/// Counts a service and its destinations.
fn objects(service: &TableService) -> usize {
    1 + service.destinations().len()
}

fn at_most(most: usize, count: usize, what: &str) -> Result<(), String> {
    match count > most {
        true => Err(format!("more than {most} {what}")),
        false => Ok(()),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + count(before, b'\n');
        format!("line {line}: not UTF-8")
    })
}

fn count(text: &[u8], byte: u8) -> usize {
    text.iter().filter(|other| **other == byte).count()
}

fn ipvsadm(bytes: &[u8], names: &dyn Names) -> Result<Table, String> {
    at_most(MOST, count(bytes, b'\n'), "lines")?;
    let table = Table::from_ipvsadm(bytes, names).map_err(|error| error.to_string())?;
    // Refuse an empty file: another program may be writing it.
    match table.is_empty() {
        true => Err("no service; to ask for an empty table, write `services: []` as YAML".into()),
        false => Ok(table),
    }
}

fn json(text: &str, seed: &TableSeed<'_>) -> Result<Table, String> {
    // Services, destinations and their settings are all mappings.
    at_most(2 * MOST, count(text.as_bytes(), b'{'), "mappings")?;
    let mut json = serde_json::Deserializer::from_str(text);
    let table = seed.deserialize(&mut json).and_then(|table| json.end().map(|()| table));
    table.map_err(|error| {
        let (line, column, message) = (error.line(), error.column(), error.to_string());
        match message.strip_suffix(&format!(" at line {line} column {column}")) {
            Some(message) => format!("line {line}, column {column}: {message}"),
            None => message,
        }
    })
}

/// Reads YAML. The number of nodes is limited, after aliases are expanded; the number of uses of
/// an anchor is not. Aliases inside aliases are refused: a table has no list of lists. A table of
/// the largest size has 840,000 nodes, or 2,100,000 if every destination has every key.
fn yaml(text: &str, seed: &TableSeed<'_>) -> Result<Table, String> {
    yaml_keys::check(text)?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: 2_200_000,
            max_events: 16_000_000,
            max_recorded_anchor_events: 200_000,
            enforce_alias_anchor_ratio: false,
        },
        // Switch off what takes much memory and is not needed: merge keys (`<<`), comments,
        // numbers in errors, and the lines around an error.
        merge_keys: MergeKeyPolicy::Error,
        emit_comments: false,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    let read = |yaml: serde_saphyr::Deserializer<'_, '_>| seed.deserialize(yaml);
    serde_saphyr::with_deserializer_from_str_with_options(text, options, read)
        .map_err(|error| fault::told(text, &error))
}

/// Reads TOML service by service. The whole text at once would take 2 KB of memory for each
/// destination.
fn toml(text: &str, seed: &TableSeed<'_>) -> Result<Table, String> {
    let mut table = Table::new();
    let (mut line, mut sum) = (1, 0);
    let defaults = toml_defaults(text)?;
    for (index, service) in toml_services(text).enumerate() {
        if service.len() > LONGEST_TOML {
            return Err(format!("line {line}: {TOO_LONG_TOML}"));
        }
        // The first piece has the defaults in it.
        let defaults = if index == 0 { "" } else { defaults };
        let piece = match defaults {
            "" => Cow::Borrowed(service),
            defaults => Cow::Owned(format!("{defaults}{service}")),
        };
        let read = toml::Deserializer::parse(&piece).and_then(|toml| seed.deserialize(toml));
        let read = read.map_err(|error| {
            let before = error.span().and_then(|span| piece.get(defaults.len()..span.start));
            let before = before.unwrap_or_default();
            let line = line + count(before.as_bytes(), b'\n');
            let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
            format!("line {line}, column {column}: {}", error.message())
        })?;
        if index == 0 {
            table.set_timeouts(read.timeouts());
            table.set_settings(read.settings().clone());
        } else if read.declares_settings()
            && (defaults.is_empty() || !declares_the_same(&read, &table))
        {
            return Err(format!("line {line}: timeouts and settings must come before services"));
        }
        for service in read {
            sum += objects(&service);
            at_most(MOST, sum, "services and destinations")?;
            let id = service.id();
            if table.insert(service).is_some() {
                return Err(format!("line {line}: service {id}: must not be given twice"));
            }
        }
        line += count(service.as_bytes(), b'\n');
    }
    Ok(table)
}

/// Returns `true` if two tables declare the same timeouts and settings.
fn declares_the_same(one: &Table, other: &Table) -> bool {
    one.timeouts() == other.timeouts() && one.settings() == other.settings()
}

/// The longest text of one service, room for more than 2,000 destinations. Nested text takes 560
/// times its length of memory.
const LONGEST_TOML: usize = 256 << 10;

const TOO_LONG_TOML: &str = "a service of more than 256 KiB; use another format";

/// The longest text before the first service, which is read again with each service.
const LONGEST_DEFAULTS: usize = 4 << 10;

const HEADER: &str = "\n[[services]]";

/// The tables of a text that come before the services.
const FIRST: [&str; 3] = ["defaults", "timeouts", "settings"];

/// Returns the text before the first service if it may have defaults. Refuses defaults after it:
/// they would count for one service only. Refuses timeouts and settings there, too.
fn toml_defaults(text: &str) -> Result<&str, String> {
    let first = match text.starts_with(HEADER.trim_start()) {
        true => 0,
        false => text.find(HEADER).map_or(text.len(), |end| end + 1),
    };
    let (before, after) = text.split_at(first);
    let late = after.lines().filter_map(|line| {
        let name = line.trim_start().strip_prefix('[')?.trim_start().trim_matches(['"', '\'']);
        FIRST.into_iter().find(|first| name.starts_with(first))
    });
    if let Some(late) = late.take(1).next() {
        return Err(format!("{late} must come before services"));
    }
    match before.contains("defaults") {
        true if before.len() > LONGEST_DEFAULTS => {
            Err(format!("more than {} KiB before the first service", LONGEST_DEFAULTS >> 10))
        }
        true => Ok(before),
        false => Ok(""),
    }
}

/// Splits a text into services.
fn toml_services(text: &str) -> impl Iterator<Item = &str> {
    let first = usize::from(!text.starts_with(HEADER.trim_start()));
    let begins = text.match_indices(HEADER).skip(first).map(|(end, _)| end + 1);
    let mut begin = 0;
    begins.chain([text.len()]).map(move |end| {
        let service = text.get(begin..end).unwrap_or_default();
        begin = end;
        service
    })
}

/// Writes a table as TOML. Returns an error if the limits would not allow to read it again.
pub(crate) fn to_toml(table: &Table) -> Result<String, String> {
    let text = toml::to_string(table).map_err(|error| error.to_string())?;
    let too_long = toml_services(&text).any(|service| service.len() > LONGEST_TOML);
    match too_long {
        true => Err(format!("as TOML this would be {TOO_LONG_TOML}")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(text: &str) -> Result<Table, String> {
        super::toml(text, &TableSeed::new())
    }

    #[test]
    fn defaults_count_for_every_service_of_a_toml_file() {
        let service = |host: u8| format!("[[services]]\ntcp = \"192.0.2.{host}:80\"\n");
        let defaults = "# Web\n[defaults]\nscheduler = \"rr\"\n\n";
        let table = toml(&format!("{defaults}{}{}", service(1), service(2))).unwrap();
        let schedulers: Vec<String> =
            table.services().map(|service| service.service().scheduler.to_string()).collect();
        assert_eq!(schedulers, ["rr", "rr"]);
        let late = toml(&format!("{}{}{defaults}", service(1), service(2))).unwrap_err();
        assert_eq!(late, "defaults must come before services");
        let odd = format!("{defaults}{}{}x = 1\n", service(1), service(2));
        assert!(toml(&odd).unwrap_err().starts_with("line 9, column 1: unknown field `x`"));
        let long = format!("{}{defaults}{}", "#".repeat(5000), service(1));
        assert!(toml(&long).unwrap_err().contains("4 KiB"));
    }

    #[test]
    fn timeouts_and_settings_of_a_toml_file_come_before_its_services() {
        let service = |host: u8| format!("[[services]]\ntcp = \"192.0.2.{host}:80\"\n");
        let services = format!("{}{}", service(1), service(2));
        let declared = "[timeouts]\ntcp = 900\n[settings]\nconntrack = 1\n";
        for defaults in ["", "[defaults]\nscheduler = \"rr\"\n"] {
            let table = toml(&format!("{defaults}{declared}{services}")).unwrap();
            assert_eq!(table.len(), 2);
            let seconds = table.timeouts().tcp.map(|timeout| timeout.as_secs());
            assert_eq!((seconds, table.settings().len()), (Some(900), 1));
            for late in ["[settings]\nconntrack = 1\n", "[\"timeouts\"]\ntcp = 900\n"] {
                let late = toml(&format!("{defaults}{services}{late}")).unwrap_err();
                assert!(late.ends_with("must come before services"), "{late}");
            }
            let hidden = format!("{defaults}{services}[\"s\\u0065ttings\"]\nconntrack = 1\n");
            let hidden = toml(&hidden).unwrap_err();
            assert_eq!(
                hidden.split_once(": ").unwrap().1,
                "timeouts and settings must come before services"
            );
        }
    }

    #[test]
    fn a_name_is_refused_in_every_format_with_advice() {
        let texts = [
            (Format::Yaml, "services: [{tcp: \"localhost:80\"}]"),
            (Format::Toml, "[[services]]\ntcp = \"localhost:80\"\n"),
            (Format::Json, r#"{"services": [{"tcp": "localhost:80"}]}"#),
            (Format::Ipvsadm, "-A -t localhost:80\n"),
        ];
        for (format, text) in texts {
            let refused = parse(text.as_bytes(), format, false).unwrap_err();
            assert!(refused.ends_with("; --names looks them up"), "{refused}");
        }
        let twice = parse(br#"{"services": []} {}"#, Format::Json, true).unwrap_err();
        assert!(twice.contains("trailing characters"), "{twice}");
    }
}
