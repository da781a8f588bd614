//! The findings as text and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::checks::CHECKS;
use super::finding::Finding;

/// How many lines of evidence are printed unless all are asked for.
const SHOWN: usize = 5;
/// The width that reasons and fixes are broken at.
const WIDTH: usize = 92;

/// The names of the checks and what they look for.
pub(crate) fn list() -> String {
    let width = CHECKS.iter().map(|check| check.name.len()).max().unwrap_or_default();
    CHECKS.iter().map(|check| format!("{:width$}  {}\n", check.name, check.about)).collect()
}

pub(crate) fn text(unread: &[&str], findings: &[Finding], all: bool) -> String {
    let mut text = String::new();
    for finding in findings {
        let Finding { check, severity, title, reason, evidence, fix, source } = finding;
        line(&mut text, "", &format!("{severity}: {title} [{check}]"));
        paragraph(&mut text, "why   ", reason);
        let shown = if all { evidence.len() } else { SHOWN.min(evidence.len()) };
        for (n, seen) in evidence.iter().take(shown).enumerate() {
            line(&mut text, if n == 0 { "  seen  " } else { "        " }, seen);
        }
        if shown < evidence.len() {
            let more = evidence.len() - shown;
            line(&mut text, "        ", &format!("and {more} more: --all prints them"));
        }
        paragraph(&mut text, "fix   ", fix);
        paragraph(&mut text, "from  ", source);
        text.push('\n');
    }
    for unread in unread {
        line(&mut text, "", &format!("not looked at: {unread}"));
    }
    let count = |severity, what: &str| {
        let count = findings.iter().filter(|it| it.severity == severity).count();
        format!("{count} {what}{}", if count == 1 { "" } else { "s" })
    };
    use super::finding::Severity::{Error, Note, Warning};
    let counts = [count(Error, "error"), count(Warning, "warning"), count(Note, "note")];
    line(&mut text, "", &counts.join(", "));
    text
}

pub(crate) fn json(unread: &[&str], findings: &[Finding]) -> String {
    let severity = findings.iter().map(|finding| finding.severity).max();
    let value = json!({
        "severity": severity.map(|severity| severity.to_string()),
        "findings": findings.iter().map(Finding::json).collect::<Vec<Value>>(),
        "unread": unread,
    });
    format!("{value:#}\n")
}

fn line(text: &mut String, indent: &str, words: &str) {
    // Writing to a String does not fail.
    writeln!(text, "{indent}{}", visible(words)).ok();
}

/// Breaks words into lines below each other.
fn paragraph(text: &mut String, label: &str, words: &str) {
    let mut row = String::new();
    let mut label = format!("  {label}");
    for word in words.split_whitespace() {
        if !row.is_empty() && row.chars().count() + word.chars().count() >= WIDTH {
            line(text, &label, &row);
            row.clear();
            label = " ".repeat(8);
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    if !row.is_empty() {
        line(text, &label, &row);
    }
}

/// Replaces control characters, which names of processes and interfaces may have.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
