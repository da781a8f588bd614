//! Taking parts out of a sequence.

use std::ops::Range;

use crate::message::{Attribute, Body, Message, Value};
use crate::operation::Operation;

/// Returns a sequence without the parts whose numbers are in the range, or `None` if it has no
/// such part.
pub(crate) type Removal = fn(&[Operation], Range<usize>) -> Option<Vec<Operation>>;

/// Takes out operations.
pub(crate) fn without_operations(
    operations: &[Operation],
    range: Range<usize>,
) -> Option<Vec<Operation>> {
    let end = range.end.min(operations.len());
    (range.start < end).then(|| [&operations[..range.start], &operations[end..]].concat())
}

/// Takes out messages of datagrams, and the datagrams that would be empty.
pub(crate) fn without_messages(
    operations: &[Operation],
    range: Range<usize>,
) -> Option<Vec<Operation>> {
    let mut number = 0;
    let mut fewer = operations.to_vec();
    fewer.retain_mut(|operation| match operation {
        Operation::Send(_, messages) => {
            let before = messages.len();
            messages.retain(|_| {
                number += 1;
                !range.contains(&(number - 1))
            });
            !messages.is_empty() || before == 0
        }
        _ => true,
    });
    (range.start < number).then_some(fewer)
}

/// Takes out attributes of messages.
pub(crate) fn without_attributes(
    operations: &[Operation],
    range: Range<usize>,
) -> Option<Vec<Operation>> {
    let mut number = 0;
    let mut fewer = operations.to_vec();
    for operation in &mut fewer {
        if let Operation::Send(_, messages) = operation {
            for Message { body, .. } in messages {
                if let Body::Command { attributes, .. } = body {
                    remove(attributes, &range, &mut number);
                }
            }
        }
    }
    (range.start < number).then_some(fewer)
}

fn remove(attributes: &mut Vec<Attribute>, range: &Range<usize>, number: &mut usize) {
    attributes.retain_mut(|attribute| {
        let own = *number;
        *number += 1;
        if let Value::Nest(inner) = &mut attribute.value {
            remove(inner, range, number);
        }
        !range.contains(&own)
    });
}
