//! Programs with arguments, as keepalived reads them.

use crate::convert::blocks::Statement;
use crate::convert::lexer::shell_words;
use crate::convert::unsaid::{Fate, Remarks};

/// Returns the program and its arguments. A user after them is left out.
pub(super) fn read(statement: &Statement, remarks: &mut Remarks) -> Option<Vec<String>> {
    let words = shell_words(&statement.text);
    let (script, user) = match words.as_deref() {
        Some([_, script, user @ ..]) => (shell_words(script), user),
        _ => (None, &[] as &[String]),
    };
    let script = script.filter(|script| script.first().is_some_and(|program| !program.is_empty()));
    let Some(script) = script else {
        statement.refuse("a program with its arguments in quotes", remarks);
        return None;
    };
    if script.iter().any(|word| word.contains('\0')) {
        statement.refuse("a program with arguments without zero bytes", remarks);
        return None;
    }
    if !user.is_empty() {
        let reason = format!("the director runs it as its own user, not as {:?}", user.join(" "));
        statement.tell(Fate::Changed, reason, remarks);
    }
    Some(script)
}
