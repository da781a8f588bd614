mod errors;
mod hostile;
mod random;
mod valid;

use std::path::Path;

use super::{Configuration, Format, Loaded, Problems, parse};

fn read(text: &str, format: Format) -> Result<Loaded, Problems> {
    parse(text.as_bytes(), format, Path::new("f"))
}

/// Reads a valid text that has no warnings.
fn yaml(text: &str) -> Configuration {
    let loaded = read(text, Format::Yaml).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.configuration
}

/// Returns the lines about a text that is not valid.
fn refused(text: &str, format: Format) -> Vec<String> {
    let problems = read(text, format).expect_err(text);
    let lines: Vec<_> = problems.to_string().lines().map(str::to_owned).collect();
    let places: Vec<_> = problems.first.iter().map(|it| (it.line, it.column)).collect();
    assert!(places.is_sorted(), "{problems}");
    lines
}
