//! Which scheduler may have been meant by a name that none has.

use crate::model::Scheduler;

/// What others call the schedulers, without `-` and `_`.
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
    /// The scheduler of [`Scheduler::ALL`] that may have been meant by this name: the one that
    /// other programs call so, or whose name differs in one letter or in capitals.
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
        // Of names as short as these nothing is left when more than one letter differs.
        let near = |known: &Self| {
            let first = known.as_bytes().first() == name.first();
            first && differs_by_one_letter(known.as_bytes(), &name)
        };
        same.or_else(|| Self::ALL.iter().copied().find(near))
    }
}

/// Whether one letter more, less, another one, or two exchanged make one name of the other.
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
