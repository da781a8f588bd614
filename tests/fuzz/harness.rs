//! Inputs for a parser: the files of a corpus, then changed copies of them.
//!
//! The changes follow from a seed, so that a run can be repeated. `FUZZ_SECONDS` makes every
//! target run that long, with another seed each time; `FUZZ_SEED` chooses the seed, and `FUZZ_COUNT`
//! the number of rounds.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

/// The longest input. Longer ones take more time and find no more paths.
const LONGEST: usize = 16 << 10;

/// Numbers at the limits of some type or rule.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "+1",
    "00",
    "128",
    "129",
    "255",
    "256",
    "65535",
    "65536",
    "2147483",
    "2147484",
    "4294967",
    "4294968",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "1e9",
    "0x10",
];

/// A generator of pseudo-random numbers (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `limit`. `limit` must not be 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Returns two positions within `length` bytes, in order.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let (one, other) = (self.below(length + 1), self.below(length + 1));
        (one.min(other), one.max(other))
    }
}

/// How long a run lasts, and the seed that it begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) seed: u64,
    pub(crate) count: usize,
    until: Option<Instant>,
}

impl Budget {
    /// Creates a run of `count` rounds from a fixed seed, unless the environment sets others.
    pub(crate) fn new(count: usize) -> Self {
        let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
        let until = number("FUZZ_SECONDS").map(|time| Instant::now() + Duration::from_secs(time));
        let count =
            number("FUZZ_COUNT").map_or(count, |count| usize::try_from(count).expect("FUZZ_COUNT"));
        let clock = || SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
        let seed = number("FUZZ_SEED")
            .unwrap_or_else(|| until.map_or(1, |_| u64::try_from(clock()).unwrap()));
        Self { seed, count, until }
    }

    /// Returns `true` if another round is to follow after `done` rounds.
    pub(crate) fn lasts(&self, done: usize) -> bool {
        self.until.map_or(done < self.count, |until| Instant::now() < until)
    }
}

/// The files of `tests/fuzz/corpus/NAME`, in order.
pub(crate) fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Returns the lines of these files; each line is an input.
pub(crate) fn lines(name: &str) -> Vec<Vec<u8>> {
    let files = corpus(name);
    let lines = files.iter().flat_map(|file| file.split(|byte| *byte == b'\n'));
    lines.map(<[u8]>::to_vec).collect()
}

/// Calls `target` with every seed, and then with `count` changed ones, or as many as
/// `FUZZ_SECONDS` allows.
///
/// # Panics
///
/// Panics if the target panics. The input is then in `target/fuzz`; add it to the corpus.
pub(crate) fn run(name: &str, seeds: &[Vec<u8>], count: usize, target: impl Fn(&[u8])) {
    assert!(!seeds.is_empty(), "{name}: the corpus is empty");
    let budget = Budget::new(count);
    let (seed, until) = (budget.seed, budget.until);
    let mut random = Random::new(seed);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");

    let attempt = |input: &[u8]| {
        if until.is_some() {
            // Write the input first, because a stack overflow ends the process.
            save(&folder, &format!("{name}.last"), input);
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
            let file = save(&folder, &format!("{name}.failed"), input);
            eprintln!("{name}: seed {seed}, input {file:?}: {}", input.escape_ascii());
            resume_unwind(panic);
        }
    };
    for seed in seeds {
        attempt(seed);
    }
    let mut done = 0;
    while budget.lasts(done) {
        attempt(&changed(&mut random, seeds));
        done += 1;
    }
    if until.is_some() {
        eprintln!("{name}: seed {seed}, {done} inputs");
    }
}

fn save(folder: &Path, name: &str, input: &[u8]) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let file = folder.join(name);
    fs::File::create(&file).unwrap().write_all(input).unwrap();
    file
}

/// Returns a seed with a few changes.
pub(crate) fn changed(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = random.one_of(seeds).clone();
    for _ in 0..=random.below(6) {
        change(random, &mut bytes, seeds);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let (start, end) = random.range(bytes.len());
    let near = end.min(start + 1 + random.below(12));
    match random.below(11) {
        0 if start < bytes.len() => bytes[start] ^= 1 << random.below(8),
        1 if start < bytes.len() => bytes[start] = random.number().to_le_bytes()[0],
        2 => bytes.insert(start, *random.one_of(b" \t\n\r\0\"'\\#-+:,.[]{}/&*!|>%@`=\x1b\xff")),
        3 => drop(bytes.drain(start..near)),
        4 => drop(bytes.drain(start..end)),
        5 => bytes.truncate(start),
        6 => {
            let copy = bytes[start..near].to_vec();
            bytes.splice(end..end, copy);
        }
        7 => {
            let other = random.one_of(seeds);
            let (from, to) = random.range(other.len());
            bytes.splice(start..end, other[from..to].iter().copied());
        }
        8 => replace_word(random, bytes, |random| random.one_of(NUMBERS).as_bytes().to_vec()),
        9 => replace_word(random, bytes, |random| {
            let other = random.one_of(seeds);
            let words = words(other);
            if words.is_empty() {
                return Vec::new();
            }
            let (from, to) = *random.one_of(&words);
            other[from..to].to_vec()
        }),
        _ => {
            let words = words(bytes);
            if let [_, _, ..] = words[..] {
                let ((a, b), (c, d)) = (*random.one_of(&words), *random.one_of(&words));
                let copy = bytes[a..b].to_vec();
                bytes.splice(c..d, copy);
            }
        }
    }
}

/// Returns the ranges of words: letters and digits in a row.
fn words(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    for (place, byte) in bytes.iter().chain([&b' ']).enumerate() {
        match (byte.is_ascii_alphanumeric(), start) {
            (true, None) => start = Some(place),
            (false, Some(from)) => {
                words.push((from, place));
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn replace_word(random: &mut Random, bytes: &mut Vec<u8>, by: impl FnOnce(&mut Random) -> Vec<u8>) {
    let words = words(bytes);
    if words.is_empty() {
        return;
    }
    let (from, to) = *random.one_of(&words);
    let word = by(random);
    bytes.splice(from..to, word);
}
