//! Finds the scheduler that a wrong name may mean.

use crate::model::Scheduler;

/// Names of schedulers in other programs, without `-` and `_`.
const SYNONYMS: [(&str, Scheduler); 16] = [
    ("roundrobin", Scheduler::ROUND_ROBIN),
    ("weightedrr", Scheduler::WEIGHTED_ROUND_ROBIN),
    ("leastconn", Scheduler::LEAST_CONNECTION),
    ("leastconns", Scheduler::LEAST_CONNECTION),
    ("weightedlc", Scheduler::WEIGHTED_LEAST_CONNECTION),
    ("sourcehash", Scheduler::SOURCE_HASHING),
    ("sourcehashing", Scheduler::SOURCE_HASHING),
    ("source", Scheduler::SOURCE_HASHING),
    ("iphash", Scheduler::SOURCE_HASHING),
    ("desthash", Scheduler::DESTINATION_HASHING),
    ("maglev", Scheduler::MAGLEV_HASHING),
    ("maglevhash", Scheduler::MAGLEV_HASHING),
    ("failover", Scheduler::WEIGHTED_FAILOVER),
    ("overflow", Scheduler::WEIGHTED_OVERFLOW),
    ("neverqueue", Scheduler::NEVER_QUEUE),
    ("random", Scheduler::WEIGHTED_RANDOM_TWOS_CHOICE),
];

impl Scheduler {
    /// Returns the scheduler in [`Scheduler::ALL`] that this name may mean, or `None`.
    ///
    /// A name may mean a scheduler if other programs use the name for it, if the names differ
    /// only in case, or if they differ in one letter.
    #[must_use]
    pub fn similar(&self) -> Option<Self> {
        let name: Vec<u8> = self
            .as_bytes()
            .iter()
            .filter(|byte| !matches!(byte, b'-' | b'_'))
            .map(u8::to_ascii_lowercase)
            .collect();
        let synonym = SYNONYMS.iter().find(|(synonym, _)| synonym.as_bytes() == name);
        if let Some((_, scheduler)) = synonym {
            return Some(*scheduler);
        }
        let same = Self::ALL.iter().copied().find(|known| known.as_bytes() == name);
        // The names are too short to allow more than one different letter.
        let near = |known: &Self| {
            let first = known.as_bytes().first() == name.first();
            first && differs_by_one_letter(known.as_bytes(), &name)
        };
        same.or_else(|| Self::ALL.iter().copied().find(near))
    }
}

/// Returns `true` if one inserted, deleted or replaced letter, or two swapped letters, turn
/// one name into the other.
fn differs_by_one_letter(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (short, long) = (short.get(same..).unwrap_or(&[]), long.get(same..).unwrap_or(&[]));
    match (short, long) {
        ([], [_]) => true,
        ([a, short @ ..], [b, long @ ..]) if short.len() == long.len() => {
            short == long
                || matches!((short, long), ([c, short @ ..], [d, long @ ..])
                    if a == d && b == c && short == long)
        }
        (short, [_, long @ ..]) => short == long,
        _ => false,
    }
}
