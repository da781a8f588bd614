//! Certificates and keys in files of their own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::file;
use super::super::tree::{Id, Value};
use super::reading::Reading;

/// The longest file, in bytes.
const LONGEST: usize = 1 << 20;

/// The most files.
const MOST: usize = 1000;

/// The keys that name files, each with the key that the content is for.
const KEYS: [(&str, &str); 3] = [
    ("authorities_file", "authorities"),
    ("client_certificate_file", "client_certificate"),
    ("client_key_file", "client_key"),
];

/// The files that were read.
#[derive(Debug, Default)]
pub(in super::super) struct Files {
    /// What relative paths begin at.
    directory: PathBuf,
    read: HashMap<PathBuf, Result<String, String>>,
}

impl Files {
    pub(in super::super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), read: HashMap::new() }
    }

    fn content(&mut self, path: &str) -> Result<String, String> {
        let path = self.directory.join(path);
        if self.read.len() >= MOST && !self.read.contains_key(&path) {
            return Err(format!("more than {MOST} files of certificates"));
        }
        let read = |path: &Path| {
            let bytes = file::load(path, LONGEST).map_err(|error| error.to_string())?;
            match bytes.len() > LONGEST {
                true => Err("longer than 1 MiB".to_owned()),
                false => String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned()),
            }
        };
        let content = self.read.entry(path).or_insert_with_key(|path| read(path));
        content.clone().map_err(|reason| format!("the file cannot be read: {reason}"))
    }
}

impl Reading<'_> {
    /// Puts the content of files in place of their names into a check.
    pub(super) fn with_certificates(&mut self, check: Id) -> Id {
        let check = self.with_certificates_of(check, "tls");
        ["http", "grpc"].into_iter().fold(check, |check, kind| {
            let Some(settings) = self.tree.get(check, kind) else { return check };
            let changed = self.with_certificates_of(settings, "tls");
            self.replaced(check, settings, changed)
        })
    }

    fn with_certificates_of(&mut self, mapping: Id, key: &str) -> Id {
        let Some(tls) = self.tree.get(mapping, key) else { return mapping };
        let changed = KEYS.into_iter().fold(tls, |tls, (of_file, of_content)| {
            let Some(name) = self.tree.get(tls, of_file) else { return tls };
            let at = self.tree.at(name);
            let content = match self.tree.text(name).map(str::to_owned) {
                Some(path) if self.tree.get(tls, of_content).is_none() => self.files.content(&path),
                Some(_) => Err(format!("{of_file} and {of_content} exclude each other")),
                None => Err(format!("expected {of_file}, the path of a file as text")),
            };
            let (rest, _) = self.split(tls, [of_file]);
            match content {
                Ok(content) => {
                    let key = self.tree.scalar(at, Value::Text(Cow::Borrowed(of_content)));
                    let content = self.tree.scalar(at, Value::Text(Cow::Owned(content)));
                    let entries = self.tree.entries(rest).map(Iterator::collect::<Vec<_>>);
                    let mut entries = entries.unwrap_or_default();
                    entries.push((key, content));
                    self.tree.mapping(self.tree.at(tls), &entries)
                }
                Err(reason) => {
                    self.error(at, reason);
                    rest
                }
            }
        });
        self.replaced(mapping, tls, changed)
    }

    /// Returns a mapping with another value in place of one of its values.
    fn replaced(&mut self, mapping: Id, before: Id, after: Id) -> Id {
        if before == after {
            return mapping;
        }
        let Some(entries) = self.tree.entries(mapping) else { return mapping };
        let replace = |(key, value)| (key, if value == before { after } else { value });
        let entries: Vec<_> = entries.map(replace).collect();
        self.tree.mapping(self.tree.at(mapping), &entries)
    }
}
