//! Lines to statements, which may hold others in braces.

use crate::convert::error::{ConvertError, SyntaxError};
use crate::convert::expansion::Line;
use crate::convert::lexer::{self, is_blank};
use crate::convert::limits::DEEPEST_BLOCK;
use crate::convert::unsaid::Place;

/// A keyword with what follows it on its line, and perhaps a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) place: Place,
    /// The text without the brace.
    pub(super) text: String,
    /// The words, one at least.
    pub(super) words: Vec<String>,
    /// What is in the braces, or `None` without braces.
    pub(super) block: Option<Vec<Self>>,
}

impl Statement {
    pub(super) fn keyword(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Returns the words after the keyword.
    pub(super) fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    pub(super) fn inside(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// Makes statements of lines.
pub(super) fn statements(lines: Vec<Line>) -> Result<Vec<Statement>, ConvertError> {
    // The blocks that are open, each without the statement that it belongs to in the block around.
    let mut open: Vec<Vec<Statement>> = vec![Vec::new()];
    for Line { place, text } in lines {
        let mut rest = text.as_str();
        loop {
            let at = lexer::brace(rest).unwrap_or(rest.len());
            let (before, after) = rest.split_at(at);
            statement(&mut open, &place, before)?;
            let mut after = after.chars();
            match after.next() {
                None => break,
                Some('{') => begin(&mut open, &place)?,
                Some(_) => end(&mut open, &place)?,
            }
            rest = after.as_str();
        }
    }
    while open.len() > 1 {
        let place = open.get(open.len() - 2).and_then(|block| block.last()).map(|it| &it.place);
        if let Some(place) = place {
            return Err(SyntaxError::NotClosed.at(place));
        }
        open.pop();
    }
    Ok(open.pop().unwrap_or_default())
}

fn statement(open: &mut [Vec<Statement>], place: &Place, text: &str) -> Result<(), ConvertError> {
    let text = text.trim_matches(is_blank);
    let words = lexer::words(text).map_err(|_| SyntaxError::OpenQuote.at(place))?;
    if let (false, Some(block)) = (words.is_empty(), open.last_mut()) {
        let place = place.clone();
        block.push(Statement { place, text: text.to_owned(), words, block: None });
    }
    Ok(())
}

fn begin(open: &mut Vec<Vec<Statement>>, place: &Place) -> Result<(), ConvertError> {
    match open.last().and_then(|block| block.last()) {
        Some(statement) if statement.block.is_none() && open.len() <= DEEPEST_BLOCK => {
            open.push(Vec::new());
            Ok(())
        }
        Some(statement) if statement.block.is_none() => Err(SyntaxError::DeepBlock.at(place)),
        _ => Err(SyntaxError::NoKeyword.at(place)),
    }
}

fn end(open: &mut Vec<Vec<Statement>>, place: &Place) -> Result<(), ConvertError> {
    if open.len() < 2 {
        return Err(SyntaxError::NotOpen.at(place));
    }
    let inside = open.pop();
    if let Some(statement) = open.last_mut().and_then(|block| block.last_mut()) {
        statement.block = inside;
    }
    Ok(())
}
