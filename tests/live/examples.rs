//! The programs among the examples.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// An example, which `cargo test` builds beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join("examples").join(name);
    let built = example.metadata().and_then(|metadata| metadata.modified()).ok();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let written = ["src".into(), format!("examples/{name}"), format!("examples/{name}.rs")]
        .map(|path| last_written(&sources.join(path)));
    assert!(built >= written.into_iter().max().flatten(), "run `cargo build --examples` first");
    example
}

/// Returns when a file, or the newest file of a folder, was written. `cargo test --test live` does
/// not build examples, so a test could run old ones.
fn last_written(path: &Path) -> Option<SystemTime> {
    match fs::read_dir(path) {
        Ok(entries) => entries.filter_map(|entry| last_written(&entry.ok()?.path())).max(),
        Err(_) => path.metadata().ok()?.modified().ok(),
    }
}
