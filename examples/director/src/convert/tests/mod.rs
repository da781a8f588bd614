mod files;
mod hostile;
mod keywords;
mod text;
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::convert::{Conversion, ConvertError, convert};

/// A folder that is removed when it is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("convert-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn with(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Converts text. Its lines are those of a file of any name.
pub(super) fn try_text(text: impl AsRef<[u8]>) -> Result<Conversion, ConvertError> {
    let folder = Folder::new();
    convert(&folder.with("keepalived.conf", text), None)
}

pub(super) fn convert_text(text: impl AsRef<[u8]>) -> Conversion {
    try_text(text).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the remarks as messages show them, without the path of the file.
pub(super) fn remarks(conversion: &Conversion) -> Vec<String> {
    let all = conversion.remarks.list();
    let text = |line: String| {
        line.split_once("keepalived.conf:").map_or(line.clone(), |it| it.1.to_owned())
    };
    all.map(|remark| text(remark.to_string())).collect()
}
