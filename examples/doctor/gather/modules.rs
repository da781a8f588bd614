//! Reads which modules are loaded, and which can be.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use super::files;
use crate::host::Modules;

/// Where the modules of all kernels are.
pub(super) const FOLDER: &str = "/lib/modules";

/// Reads the modules of the kernel with this release, those on disk below `folder`.
pub(crate) fn read(folder: &Path, release: &str, unread: &mut Vec<String>) -> Modules {
    let loaded = files::text_or_report(Path::new("/proc/modules"), unread).unwrap_or_default();
    let loaded = loaded.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned);
    let mut on_disk = None;
    for (name, end) in [("modules.dep", ':'), ("modules.builtin", '\n')] {
        let path = folder.join(release).join(name);
        let text = files::text_or_report(&path, unread);
        let Some(text) = text else { continue };
        let modules = text.lines().filter_map(|line| named(line.split(end).next()?));
        on_disk.get_or_insert_with(BTreeSet::new).extend(modules);
    }
    Modules { loaded: loaded.collect(), on_disk }
}

/// Returns the name of a module from its path, such as `ip_vs` from `kernel/net/ip_vs.ko.xz`.
fn named(path: &str) -> Option<String> {
    let file = Path::new(path).file_name()?.to_str()?;
    Some(file.split(".ko").next()?.replace('-', "_"))
}

/// Returns the number of processors that the kernel keeps counters for.
pub(super) fn processors() -> u64 {
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
    use super::{in_ranges, named};

    #[test]
    fn processors_are_counted_in_ranges() {
        for (text, expected) in
            [("0", Some(1)), ("0-3", Some(4)), ("0-1,8", Some(3)), ("", None), ("3-0", None)]
        {
            assert_eq!(in_ranges(text), expected, "{text}");
        }
        assert_eq!(in_ranges("0-18446744073709551615"), None);
    }

    #[test]
    fn modules_are_named_by_their_files() {
        for (path, expected) in [
            ("kernel/net/netfilter/ipvs/ip_vs.ko", "ip_vs"),
            ("kernel/net/netfilter/ipvs/ip_vs_sh.ko.xz", "ip_vs_sh"),
            ("kernel/crypto/crc-ccitt.ko", "crc_ccitt"),
        ] {
            assert_eq!(named(path).as_deref(), Some(expected));
        }
        assert_eq!(named(""), None);
    }
}
