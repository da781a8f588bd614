//! Checks that imports only go down: each folder of `src` is a layer. Also checks which layers name
//! the netlink crates and sockets.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Who may use whom, from the bottom up: a layer and all that it may name. Layers of one floor
/// are not in each other's list.
const LAYERS: &[(&str, &[&str])] = &[
    ("uapi", &[]),
    ("random", &[]),
    ("model", &["uapi"]),
    // Its tests hash ids.
    ("hashing", &["model"]),
    ("error", &["uapi", "model"]),
    ("fake", &["uapi", "model"]),
    ("wire", &["uapi", "model", "error"]),
    ("ipvsadm", &["model"]),
    ("proto", &["uapi", "model", "error", "wire"]),
    ("engine", &["uapi", "model", "error", "fake", "wire", "proto"]),
    ("table", &["uapi", "random", "hashing", "model", "error", "ipvsadm", "engine"]),
    ("procfs", &["uapi", "model", "error"]),
    ("growth", &["model"]),
    ("metrics", &["model", "table", "procfs", "growth"]),
    ("explain", &["model", "table", "procfs"]),
    ("kubernetes", &["random", "hashing", "model", "table"]),
    ("health", &["model", "error", "random", "table", "procfs", "growth"]),
    ("client", &["model", "error", "fake", "engine", "table", "procfs"]),
    ("cookbook", &[]),
    // Tests of all error types.
    ("error_texts", &["model", "error", "client", "ipvsadm", "fake", "table", "procfs", "health"]),
];

/// Crates and the layers that may name them. The root re-exports a socket type, and the clients
/// take one with the feature `packet`.
const CRATES: &[(&str, &[&str])] = &[
    ("netlink_packet_core", &["wire", "proto"]),
    ("netlink_packet_generic", &["wire", "proto"]),
    ("netlink_sys", &["engine", "client", "lib"]),
];

/// Words that must not occur in `proto`, which has no I/O and no clock.
const NOT_IN_PROTO: &[&str] = &[
    "async",
    "await",
    "thread",
    "Instant",
    "SystemTime",
    "TcpStream",
    "UdpSocket",
    "Socket",
    "io",
];

/// The one folder of `table` with I/O.
const DRIVE: &str = "table/drive";

/// Words that must not occur in the rest of `table`: it has no I/O, waits for nothing, and is told
/// the time. Only tests of its modules may read a clock.
const NOT_IN_TABLE: &[&str] = &[
    "async",
    "await",
    "Future",
    "thread",
    "sleep",
    "SystemTime",
    "TcpStream",
    "UdpSocket",
    "Socket",
    "Transport",
    "Engine",
    "Client",
    "fs",
    "drive",
];

/// What reads a clock or waits.
const CLOCKS: &[&str] =
    &["Instant::now", "SystemTime::now", "thread::sleep", "time::sleep", "park_timeout", "Timer::"];

struct Source {
    path: PathBuf,
    layer: String,
    code: String,
}

fn sources() -> io::Result<Vec<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some(OsStr::new("rs")) {
                let within = path.strip_prefix(&root).map_err(io::Error::other)?;
                let top = within.iter().next().unwrap_or_default().to_string_lossy();
                let layer = top.trim_end_matches(".rs").to_owned();
                let code = without_comments(&fs::read_to_string(&path)?);
                sources.push(Source { path, layer, code });
            }
        }
    }
    Ok(sources)
}

/// Leaves out comments, and raw strings, which are programs in documentation.
fn without_comments(text: &str) -> String {
    let mut code = String::new();
    for (at, part) in text.split("r#\"").enumerate() {
        let rest = if at == 0 { part } else { part.split_once("\"#").map_or("", |(_, rest)| rest) };
        code.push_str(rest);
    }
    let code_of = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    code.lines().map(code_of).collect::<Vec<_>>().join("\n")
}

/// Returns the layers that a layer may name, beside itself.
fn allowed(layer: &str) -> Option<&'static [&'static str]> {
    LAYERS.iter().find(|(name, _)| *name == layer).map(|(_, allowed)| *allowed)
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Returns the first word after each `crate::`, one for each member of a group.
fn imports(code: &str) -> Vec<String> {
    let mut imports = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => imports.extend(members(group)),
            None => imports.extend(words(rest).next().map(str::to_owned)),
        }
    }
    imports
}

/// The first word of each member of a group, up to the brace that closes it.
fn members(group: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let mut top = String::new();
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ if depth == 0 => top.push(character),
            _ => {}
        }
    }
    top.split(',').filter_map(|member| words(member).next()).map(str::to_owned).collect()
}

#[test]
fn every_top_folder_of_src_is_a_layer() -> io::Result<()> {
    for Source { path, layer, .. } in sources()? {
        assert!(layer == "lib" || allowed(&layer).is_some(), "{path:?} is in no layer");
    }
    Ok(())
}

#[test]
fn layers_name_only_what_is_below_them() -> io::Result<()> {
    let mut seen = 0;
    for Source { path, layer, code } in sources()? {
        let Some(allowed) = allowed(&layer) else { continue };
        for import in imports(&code) {
            let may = import == layer || allowed.contains(&import.as_str());
            assert!(may, "{path:?} names {import}, which is not below {layer}");
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} imports were found");
    Ok(())
}

#[test]
fn the_list_of_layers_goes_from_the_bottom_up() {
    for (at, (layer, allowed)) in LAYERS.iter().enumerate() {
        let below: Vec<&str> = LAYERS.iter().take(at).map(|(name, _)| *name).collect();
        assert!(allowed.iter().all(|name| below.contains(name)), "{layer} names what comes later");
    }
}

#[test]
fn netlink_crates_stay_in_their_layers() -> io::Result<()> {
    for (name, allowed) in CRATES {
        let mut named = 0;
        for Source { path, layer, code } in sources()? {
            if words(&code).any(|word| word == *name) {
                assert!(allowed.contains(&layer.as_str()), "{path:?} names {name}");
                named += 1;
            }
        }
        assert!(named > 0, "{name} is not used any more");
    }
    Ok(())
}

#[test]
fn the_protocol_knows_no_socket_clock_thread_or_future() -> io::Result<()> {
    let sources = sources()?;
    let proto: Vec<_> = sources.iter().filter(|source| source.layer == "proto").collect();
    assert!(!proto.is_empty());
    for Source { path, code, .. } in proto {
        if let Some(word) = words(code).find(|word| NOT_IN_PROTO.contains(word)) {
            panic!("{path:?} says {word}");
        }
    }
    Ok(())
}

/// Returns the sources without tests, each with its path below `src`.
fn sources_without_tests() -> io::Result<Vec<(PathBuf, Source)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    for mut source in sources()? {
        let within = source.path.strip_prefix(&root).map_err(io::Error::other)?.to_owned();
        if !within.iter().any(|part| part == "tests" || part == "tests.rs") {
            let code = source.code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            source.code = code.to_owned();
            all.push((within, source));
        }
    }
    Ok(all)
}

#[test]
fn what_decides_about_tables_knows_no_engine_clock_thread_or_future() -> io::Result<()> {
    let mut folders = BTreeSet::new();
    for (within, Source { path, layer, code }) in sources_without_tests()? {
        folders.extend(within.parent().map(Path::to_owned));
        if layer != "table" || within.starts_with(DRIVE) {
            continue;
        }
        // The module itself has to name the folder.
        let may_drive = within == Path::new("table/mod.rs");
        let forbidden =
            |word: &&str| NOT_IN_TABLE.contains(word) && !(may_drive && *word == "drive");
        if let Some(word) = words(&code).find(forbidden) {
            panic!("{path:?} says {word}");
        }
    }
    for folder in ["table", "table/plan", "table/execute", "table/controller", DRIVE] {
        assert!(folders.contains(Path::new(folder)), "{folder} was not found");
    }
    Ok(())
}

/// Returns `true` for the fake kernel, which has a clock of its own, for the checks of servers, which
/// take their time, and for the reading of long files, which a program may limit in time.
fn has_clock(within: &Path) -> bool {
    ["fake", "health/probe", "procfs/lines.rs", "procfs/connections.rs"]
        .iter()
        .any(|with_clock| within.starts_with(with_clock))
}

/// A test with a clock of its own runs minutes in milliseconds. The fake kernel has that clock.
#[test]
fn only_transports_read_a_clock_and_wait() -> io::Result<()> {
    let mut transports = 0;
    for (within, Source { path, code, .. }) in sources_without_tests()? {
        let found = CLOCKS.iter().find(|name| code.contains(**name));
        if within.starts_with("engine/transport") {
            transports += usize::from(found.is_some());
        } else if let Some(name) = found.filter(|_| !has_clock(&within)) {
            panic!("{path:?} says {name}");
        }
    }
    assert!(transports >= 3, "only {transports} transports were found");
    Ok(())
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::model::{A, b::C};\nuse crate::{wire, proto::{self, X}, client as c};
        fn f() -> crate::error::Result<()> { $crate::table::plan() } pub(crate) fn g() {}";
    let code = format!("{code} // crate::fake\n/// [`crate::health`]\nx(r#\"crate::proxy\"# y)");
    let code = without_comments(&code);
    assert_eq!(imports(&code), ["model", "wire", "proto", "client", "error", "table"]);
}
