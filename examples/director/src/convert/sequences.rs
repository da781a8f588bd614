//! Lines that stand for several: `~SEQ(name, first, step, last) rest` and `~LST(name, value, ...) rest`.

/// The most rounds of one sequence.
const MOST_ROUNDS: usize = 100_000;

/// What a line stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sequence<'l> {
    /// For each round the names and values of its parameters.
    pub(super) rounds: Vec<Vec<(String, String)>>,
    /// The line of all rounds.
    pub(super) rest: &'l str,
}

/// Returns `true` if the line is meant to be a sequence.
pub(super) fn is_sequence(line: &str) -> bool {
    line.starts_with("~SEQ") || line.starts_with("~LST")
}

/// Reads a sequence. `None` if it is none, or too long.
pub(super) fn read(line: &str) -> Option<Sequence<'_>> {
    let (head, after) = line.split_once('(')?;
    let (inside, rest) = after.split_once(')')?;
    let rounds = match head {
        "~SEQ" => numbers(inside, false),
        "~SEQx" => numbers(inside, true),
        "~LST" => values(inside),
        _ => None,
    }?;
    Some(Sequence { rounds, rest: rest.trim() })
}

fn numbers(inside: &str, hexadecimal: bool) -> Option<Vec<Vec<(String, String)>>> {
    let parts: Vec<&str> = inside.split(',').map(str::trim).collect();
    let (name, first, step, last) = match *parts.as_slice() {
        [name, last] => (name, None, None, last),
        [name, first, last] => (name, Some(first), None, last),
        [name, first, step, last] => (name, Some(first), Some(step), last),
        _ => return None,
    };
    let last = number(last)?;
    let first = match first {
        Some(first) => number(first)?,
        None => last.signum(),
    };
    let step = match step {
        Some(step) => number(step)?,
        None if first <= last => 1,
        None => -1,
    };
    if step == 0 || name.is_empty() {
        return None;
    }
    let mut rounds = Vec::new();
    let mut value = first;
    while (step > 0 && value <= last) || (step < 0 && value >= last) {
        if rounds.len() >= MOST_ROUNDS {
            return None;
        }
        let text = if hexadecimal { format!("{value:x}") } else { value.to_string() };
        rounds.push(vec![(name.to_owned(), text)]);
        value = value.checked_add(step)?;
    }
    Some(rounds)
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('-')),
        None => text.parse().ok(),
    }
}

/// Reads `name, value, ...` or `{name, name}, {value, value}, ...`.
fn values(inside: &str) -> Option<Vec<Vec<(String, String)>>> {
    let mut groups = Vec::new();
    let mut rest = inside.trim();
    while !rest.is_empty() {
        let (group, after) = match rest.strip_prefix('{') {
            Some(inner) => inner.split_once('}')?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        groups.push(group.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>());
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    let (names, values) = groups.split_first()?;
    let fits = values.iter().all(|group| group.len() == names.len());
    if !fits || values.is_empty() || names.iter().any(String::is_empty) {
        return None;
    }
    let round = |group: &Vec<String>| names.iter().cloned().zip(group.iter().cloned()).collect();
    Some(values.iter().map(round).collect())
}
