//! One answer for several cases.

use std::collections::BTreeSet;

use crate::explain::{Answer, Missing};

/// Returns the answer for cases of which it is unknown which one holds. `missing` are the inputs
/// that would tell.
///
/// If all cases agree, this is their answer. If all go nowhere, this is the first one.
pub(super) fn joined(answers: Vec<Answer>, mut missing: Vec<Missing>) -> Option<Answer> {
    let mut distinct: Vec<Answer> = Vec::new();
    for answer in answers {
        if !distinct.contains(&answer) {
            distinct.push(answer);
        }
    }
    let goes_nowhere = |answer: &Answer| matches!(answer, Answer::Nowhere(_));
    if distinct.len() < 2 || distinct.iter().all(goes_nowhere) {
        return distinct.into_iter().next();
    }
    let (mut possible, mut known, mut can_be_refused) = (Vec::new(), BTreeSet::new(), false);
    for answer in distinct {
        let (ids, refusal) = match answer {
            Answer::Destination { id, .. } => (vec![id], false),
            Answer::OneOf { possible, .. } => (possible, false),
            Answer::Undetermined { possible, refusal, missing: more } => {
                missing.extend(more);
                (possible, refusal)
            }
            Answer::Nowhere(_) => (Vec::new(), true),
        };
        can_be_refused |= refusal;
        possible.extend(ids.into_iter().filter(|id| known.insert(*id)));
    }
    let mut unknown: Vec<Missing> = Vec::new();
    for input in missing {
        if !unknown.contains(&input) {
            unknown.push(input);
        }
    }
    Some(Answer::Undetermined { possible, refusal: can_be_refused, missing: unknown })
}
