use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_saphyr::Spanned;

use super::document::Document;
use super::regular_file::open;
use super::{ManifestError, ManifestErrors, Objects, folder};

/// The longest file. 44,125 services with 3 endpoints each are 184 MB as `kubectl get -o json` prints
/// them.
const LONGEST: usize = 512 << 20;

/// The most bytes of all files together.
const LONGEST_TOGETHER: usize = 1 << 30;

/// The most errors that are told.
const MOST_ERRORS: usize = 100;

/// Reads the manifests of a folder and its subfolders (`.yaml`, `.yml`, `.json`), or a single file.
///
/// # Errors
///
/// All files that cannot be read, are no text, or have something else than objects of the API with a
/// version, a kind and a name. No object at all is an error, too. Files of more than 512 MiB, more than 1 GiB, 100,000 files, and folders more
/// than 16 deep are refused.
pub fn read(path: &Path) -> Result<Objects, ManifestErrors> {
    let is_folder = path.is_dir();
    let files = match is_folder {
        true => folder::files(path).map_err(|error| ManifestErrors(vec![error]))?,
        false => vec![path.to_owned()],
    };
    let mut objects = Objects::default();
    let mut errors = Vec::new();
    let mut left = LONGEST_TOGETHER;
    for file in files {
        let read = load(&file, LONGEST.min(left)).and_then(|bytes| {
            left = left.saturating_sub(bytes.len());
            let invalid = |message| ManifestError::Invalid { path: file.clone(), message };
            parse(&bytes, is_json(&file), &mut objects).map_err(invalid)
        });
        errors.extend(read.err());
        if errors.len() == MOST_ERRORS {
            break;
        }
    }
    if errors.is_empty() && objects == Objects::default() {
        errors.push(ManifestError::Empty { path: path.to_owned(), is_folder });
    }
    if errors.is_empty() { Ok(objects) } else { Err(ManifestErrors(errors)) }
}

fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json")
}

/// Reads a regular file of at most so many bytes.
pub(crate) fn load(path: &Path, longest: usize) -> Result<Vec<u8>, ManifestError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        open(path)?.take(longest as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let path = || PathBuf::from(path);
    let bytes = read().map_err(|source| ManifestError::Unreadable { path: path(), source })?;
    match bytes.len() > longest {
        true => Err(ManifestError::TooMuch { path: path(), limit: format!("{longest} bytes") }),
        false => Ok(bytes),
    }
}

/// Reads the objects of one file, and adds them to `objects`.
///
/// # Errors
///
/// The first error in the text, with line and column where they are known. Objects before it may have been
/// added.
pub fn parse(bytes: &[u8], json: bool, objects: &mut Objects) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line}: not UTF-8")
    })?;
    match json {
        true => parse_json(text, objects),
        false => parse_yaml(text, objects),
    }
}

fn parse_json(text: &str, objects: &mut Objects) -> Result<(), String> {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Document>();
    loop {
        let before = text.get(..documents.byte_offset()).unwrap_or_default();
        let Some(document) = documents.next() else { return Ok(()) };
        let Document(items) = document.map_err(|error| {
            let (line, column, message) = (error.line(), error.column(), error.to_string());
            match message.strip_suffix(&format!(" at line {line} column {column}")) {
                Some(message) => format!("line {line}, column {column}: {message}"),
                None => message,
            }
        })?;
        let line = || 1 + before.matches('\n').count();
        let items = items.map_err(|message| format!("after line {}: {message}", line()))?;
        objects.extend(items);
    }
}

fn parse_yaml(text: &str, objects: &mut Objects) -> Result<(), String> {
    // A node takes at least two bytes of text, unless an alias repeats it.
    let most = text.len().max(10_000);
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: most,
            max_events: most.saturating_mul(4),
            max_documents: most,
            max_total_scalar_bytes: most,
            max_depth: 100,
        },
        // Switch off what takes memory and is not needed.
        emit_comments: false,
        with_snippet: false,
    };
    let documents: Vec<Spanned<Document>> =
        serde_saphyr::from_str_multiple_with_options(text, options)
            .map_err(|error| told(&error))?;
    for document in documents {
        let line = document.referenced.line();
        let Document(items) = document.value;
        objects.extend(items.map_err(|message| format!("line {line}: {message}"))?);
    }
    Ok(())
}

/// Returns what is wrong with a text in YAML, the place first if it is known.
pub(crate) fn told(error: &serde_saphyr::Error) -> String {
    let place = error.location().map(|location| (location.line(), location.column()));
    let message = error.without_snippet().to_string();
    match place {
        Some((line, column)) => {
            let place = format!("line {line}, column {column}");
            let message = message.strip_suffix(&place).unwrap_or(&message);
            format!("{place}: {}", message.trim_end_matches(" at "))
        }
        None => message,
    }
}
