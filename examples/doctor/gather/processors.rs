//! Counts the processors.

use std::path::Path;
use std::thread;

use super::files;

/// Returns the number of processors that the kernel keeps counters for.
pub(super) fn count() -> u64 {
    let possible = files::text(Path::new("/sys/devices/system/cpu/possible"));
    let possible = possible.ok().flatten().and_then(|text| in_ranges(text.trim()));
    let running = || thread::available_parallelism().map_or(1, |count| count.get() as u64);
    possible.unwrap_or_else(running)
}

/// Returns how many numbers ranges such as `0-3,8` have.
fn in_ranges(text: &str) -> Option<u64> {
    let mut count: u64 = 0;
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::in_ranges;

    #[test]
    fn processors_are_counted_in_ranges() {
        for (text, expected) in
            [("0", Some(1)), ("0-3", Some(4)), ("0-1,8", Some(3)), ("", None), ("3-0", None)]
        {
            assert_eq!(in_ranges(text), expected, "{text}");
        }
        assert_eq!(in_ranges("0-18446744073709551615"), None);
    }
}
