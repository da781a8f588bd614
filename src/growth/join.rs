//! Pairs the entries of two sorted lists.

use std::cmp::Ordering;

/// An entry of the earlier list, of the later one, or of both under the same key.
pub(super) type Pair<'s, T> = (Option<&'s T>, Option<&'s T>);

/// Yields all entries of two lists that are sorted by `key`.
pub(super) fn join<'s, T: 's, K: Ord>(
    before: impl IntoIterator<Item = &'s T>,
    after: impl IntoIterator<Item = &'s T>,
    key: fn(&T) -> K,
) -> impl Iterator<Item = Pair<'s, T>> {
    let mut before = before.into_iter().peekable();
    let mut after = after.into_iter().peekable();
    std::iter::from_fn(move || {
        let order = match (before.peek(), after.peek()) {
            (Some(before), Some(after)) => key(before).cmp(&key(after)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        Some((
            if order.is_le() { before.next() } else { None },
            if order.is_ge() { after.next() } else { None },
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn entries_of_the_same_key_are_paired() {
        let pairs: Vec<_> = join(&[1, 2, 4, 4], &[2, 3, 4], |it: &i32| *it).collect();
        let expected = [
            (Some(&1), None),
            (Some(&2), Some(&2)),
            (None, Some(&3)),
            (Some(&4), Some(&4)),
            (Some(&4), None),
        ];
        assert_eq!(pairs, expected);
    }
}
