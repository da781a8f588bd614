//! Files to lines: comments are removed, files included, parameters replaced, sequences expanded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::convert::definitions::{Definitions, definition};
use crate::convert::error::{ConvertError, SyntaxError};
use crate::convert::files::{Files, Text};
use crate::convert::lexer::{self, Bare, is_blank};
use crate::convert::limits::{DEEPEST_INCLUDE, MOST_BYTES, MOST_LINES};
use crate::convert::sequences;
use crate::convert::unsaid::{Fate, Place, Remarks};

/// A line of statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) place: Place,
    pub(super) text: String,
}

/// Reads a file and what it includes. `id` is that of keepalived's `--config-id`, which chooses the
/// lines that begin with `@`. Without it, they stay as they are.
pub(super) fn lines(
    path: &Path,
    id: Option<&str>,
    remarks: &mut Remarks,
) -> Result<Vec<Line>, ConvertError> {
    let opened = Files::open(path);
    let (files, first) =
        opened.map_err(|reason| ConvertError::File { path: path.to_owned(), reason })?;
    let mut expansion = Expansion {
        files,
        id,
        remarks,
        open: Vec::new(),
        definitions: Definitions::default(),
        pending: Vec::new(),
        taken: 0,
        bytes: 0,
        lines: Vec::new(),
    };
    expansion.enter(path.to_string_lossy().into(), first)?;
    while let Some(step) = expansion.pending.pop() {
        expansion.take(step)?;
    }
    Ok(expansion.lines)
}

/// What is to be done next. The last one is the next one.
#[derive(Debug)]
enum Step {
    /// A line as it is in a file.
    Written(Line),
    /// A line without comments.
    Bare(Line),
    Define(Place, String, String),
    /// The end of an included file.
    Leave,
}

struct Expansion<'e> {
    files: Files,
    id: Option<&'e str>,
    remarks: &'e mut Remarks,
    /// The files that are being read, without links.
    open: Vec<PathBuf>,
    definitions: Definitions,
    pending: Vec<Step>,
    taken: usize,
    bytes: usize,
    lines: Vec<Line>,
}

impl Expansion<'_> {
    fn enter(&mut self, name: Arc<str>, text: Text) -> Result<(), ConvertError> {
        self.open.push(text.path);
        self.pending.push(Step::Leave);
        for (at, line) in text.lines.into_iter().enumerate().rev() {
            let line_number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            let place = Place { file: Arc::clone(&name), line: line_number };
            self.pending.push(Step::Written(Line { place, text: line }));
        }
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), ConvertError> {
        match step {
            Step::Leave => {
                self.open.pop();
                Ok(())
            }
            Step::Define(place, name, value) => {
                let defined = self.definitions.define(&name, vec![value]);
                defined.map_err(|reason| reason.at(&place))
            }
            Step::Written(line) => self.written(line),
            Step::Bare(line) => self.bare(line),
        }
    }

    fn written(&mut self, line: Line) -> Result<(), ConvertError> {
        let place = line.place;
        let Bare { mut text, mut continues } = bare(&place, &line.text)?;
        if continues && definition(&text).is_some() {
            return self.definition_of_lines(&place, &text);
        }
        while continues {
            let Some(next) = self.next_written()? else { break };
            text = format!("{text} {}", next.text).trim().to_owned();
            continues = next.continues;
        }
        self.bare(Line { place, text })
    }

    /// Reads the further lines of a definition.
    fn definition_of_lines(&mut self, place: &Place, first: &str) -> Result<(), ConvertError> {
        let Some((name, value)) = definition(first) else { return Ok(()) };
        let mut lines = vec![value.to_owned()];
        while let Some(next) = self.next_written()? {
            lines.push(next.text);
            if !next.continues {
                break;
            }
        }
        lines.retain(|line| !line.is_empty());
        if lines.is_empty() {
            lines.push(String::new());
        }
        self.definitions.define(name, lines).map_err(|reason| reason.at(place))
    }

    /// Returns the next line of the same file without its comment.
    fn next_written(&mut self) -> Result<Option<Bare>, ConvertError> {
        match self.pending.pop() {
            Some(Step::Written(line)) => bare(&line.place, &line.text).map(Some),
            Some(other) => {
                self.pending.push(other);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    fn bare(&mut self, line: Line) -> Result<(), ConvertError> {
        let Line { place, text } = line;
        self.taken += 1;
        self.bytes += text.len();
        if self.taken > MOST_LINES || self.pending.len() > MOST_LINES {
            return Err(SyntaxError::ManyLines.at(&place));
        }
        if self.bytes > MOST_BYTES {
            return Err(SyntaxError::ManyBytes.at(&place));
        }
        let text = text.trim_matches(is_blank);
        if text.is_empty() {
            return Ok(());
        }
        if let (Some(id), Some(conditional)) = (self.id, text.strip_prefix('@')) {
            if let Some(rest) = chosen(conditional, id) {
                self.pending.push(Step::Bare(Line { place, text: rest.to_owned() }));
            }
            return Ok(());
        }
        if let Some((name, value)) = definition(text) {
            let defined = self.definitions.define(name, vec![value.to_owned()]);
            return defined.map_err(|reason| reason.at(&place));
        }
        if sequences::is_sequence(text) {
            return self.sequence(&place, text);
        }
        let folder = self.open.last().and_then(|path| path.parent());
        let folder = folder.map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
        let replaced = self.definitions.replace(text, &folder);
        let replaced = replaced.map_err(|reason| reason.at(&place))?;
        for further in replaced.further.into_iter().rev() {
            self.pending.push(Step::Bare(Line { place: place.clone(), text: further }));
        }
        // What was replaced may be a condition, a definition or a sequence.
        let again = replaced.first != text
            && (replaced.first.starts_with(['$', '~'])
                || self.id.is_some() && replaced.first.starts_with('@'));
        let line = Line { place, text: replaced.first };
        if again {
            self.pending.push(Step::Bare(line));
            return Ok(());
        }
        if let Some((keyword, pattern)) = inclusion(&line.text) {
            return self.include(&line.place, keyword, pattern);
        }
        self.lines.push(line);
        Ok(())
    }

    fn sequence(&mut self, place: &Place, text: &str) -> Result<(), ConvertError> {
        let Some(sequence) = sequences::read(text) else {
            let reason = "the sequence cannot be read, or has more than 100,000 rounds";
            self.remarks.add(place, text, Fate::LeftOut, reason);
            return Ok(());
        };
        if sequence.rounds.len().saturating_mul(2) + self.pending.len() > MOST_LINES {
            return Err(SyntaxError::ManyLines.at(place));
        }
        for round in sequence.rounds.into_iter().rev() {
            let line = Line { place: place.clone(), text: sequence.rest.to_owned() };
            self.bytes += line.text.len();
            self.pending.push(Step::Bare(line));
            let define = |(name, value)| Step::Define(place.clone(), name, value);
            self.pending.extend(round.into_iter().map(define));
        }
        match self.bytes > MOST_BYTES {
            true => Err(SyntaxError::ManyBytes.at(place)),
            false => Ok(()),
        }
    }

    fn include(&mut self, place: &Place, word: &str, pattern: &str) -> Result<(), ConvertError> {
        let keyword = format!("{word} {pattern}");
        let folder = self.open.last().and_then(|path| path.parent()).unwrap_or(Path::new("/"));
        let paths = match self.files.find(folder, pattern) {
            Ok(paths) => paths,
            Err(error) => {
                self.remarks.add(place, keyword, Fate::LeftOut, error.to_string());
                return Ok(());
            }
        };
        if paths.is_empty() {
            self.remarks.add(place, &keyword, Fate::NotNeeded, "no file is there");
        }
        let mut texts = Vec::new();
        for path in paths {
            let name = path.to_string_lossy().into_owned();
            match self.files.include(&path) {
                Ok(text) if self.open.contains(&text.path) => {
                    return Err(SyntaxError::Cycle.at(place));
                }
                Ok(text) => texts.push((name, text)),
                Err(error) => {
                    let reason = format!("{name}: {error}");
                    self.remarks.add(place, &keyword, Fate::LeftOut, reason);
                }
            }
        }
        if self.open.len() >= DEEPEST_INCLUDE && !texts.is_empty() {
            return Err(SyntaxError::DeepInclude.at(place));
        }
        texts.into_iter().rev().try_for_each(|(name, text)| self.enter(name.into(), text))
    }
}

fn bare(place: &Place, text: &str) -> Result<Bare, ConvertError> {
    lexer::without_comment(text).map_err(|_| SyntaxError::OpenQuote.at(place))
}

/// Returns what follows the condition of a line, if the id fulfills it.
fn chosen<'t>(conditional: &'t str, id: &str) -> Option<&'t str> {
    let (not, conditional) = match conditional.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, conditional),
    };
    let (name, rest) = conditional.split_once(is_blank)?;
    ((name == id) != not).then(|| rest.trim_start_matches(is_blank))
}

/// Returns the keyword and the pattern of a line that includes files.
fn inclusion(text: &str) -> Option<(&str, &str)> {
    let (word, pattern) = text.split_once(is_blank)?;
    let includes = ["include", "includer", "includem", "includew", "includeb", "includea"];
    let pattern = pattern.trim_matches(is_blank).trim_matches('"');
    includes.contains(&word).then_some((word, pattern))
}
