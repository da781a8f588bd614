//! TOML as a tree.

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::{Builder, Finding, Id, Tree, Value, offset};

/// The longest text. The parser takes 50 bytes of memory for each sign of a text.
const LONGEST: usize = 4 << 20;

/// The most signs that begin a table. The parser takes 1.2 KB of memory for each table with a key. A
/// destination under a header of its own has five.
const MOST: usize = 250_000;

/// Reads a text. Returns the tree with its outermost value, or everything that is wrong.
pub(in super::super) fn read(text: &str) -> Result<(Tree<'_>, Id, Vec<Finding>), Vec<Finding>> {
    limit(text).map_err(|finding| vec![finding])?;
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let tell = |error: &toml::de::Error| {
            let at = error.span().map_or(text.len(), |span| span.start);
            Finding::new(offset(at.min(text.len())), error.message().replace('\n', ", "))
        };
        return Err(errors.iter().map(tell).collect());
    }
    let mut builder = Builder::default();
    add_table(&mut builder, 0, table.into_inner()).map_err(|finding| vec![finding])?;
    let root = match builder.finished.first() {
        Some(root) => *root,
        None => builder.scalar(0, Value::Null).map_err(|finding| vec![finding])?,
    };
    Ok((builder.tree, root, builder.findings))
}

fn limit(text: &str) -> Result<(), Finding> {
    if text.len() > LONGEST {
        let text = format!("longer than {} MiB; YAML may be longer", LONGEST >> 20);
        return Err(Finding::new(offset(LONGEST), text));
    }
    let mut begins = Source::new(text).lex().filter(|token| {
        let kind = token.kind();
        matches!(kind, TokenKind::Dot | TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket)
    });
    match begins.nth(MOST) {
        Some(token) => {
            let text = "too many tables for TOML; YAML may have more";
            Err(Finding::new(offset(token.span().start()), text))
        }
        None => Ok(()),
    }
}

fn add_table<'t>(builder: &mut Builder<'t>, at: u32, table: DeTable<'t>) -> Result<(), Finding> {
    builder.open(at, true)?;
    // In the order of the text.
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let at = offset(key.span().start);
        builder.scalar(at, Value::Text(key.into_inner()))?;
        add(builder, value)?;
    }
    builder.close();
    Ok(())
}

fn add<'t>(builder: &mut Builder<'t>, value: Spanned<DeValue<'t>>) -> Result<(), Finding> {
    let at = offset(value.span().start);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text),
        DeValue::Boolean(truth) => Value::Truth(truth),
        DeValue::Integer(number) => {
            let (digits, radix) = (number.as_str(), number.radix());
            if let Ok(number) = u64::from_str_radix(digits, radix) {
                Value::Unsigned(number)
            } else if let Ok(number) = i64::from_str_radix(digits, radix) {
                Value::Signed(number)
            } else {
                Value::Other("a number of more than 64 bits")
            }
        }
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Float(number),
            _ => Value::Other("a number that is not finite"),
        },
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(items) => {
            builder.open(at, false)?;
            for item in items {
                add(builder, item)?;
            }
            builder.close();
            return Ok(());
        }
        DeValue::Table(table) => return add_table(builder, at, table),
    };
    builder.scalar(at, value)?;
    Ok(())
}
