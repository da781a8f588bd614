//! Reads which modules are loaded, and which can be.

use std::collections::BTreeSet;
use std::path::Path;

use super::files;
use crate::host::{Gaps, Modules, Part};

/// Where the modules of all kernels are.
pub(super) const FOLDER: &str = "/lib/modules";

/// Reads the modules of the kernel with this release, those on disk below `folder`.
pub(crate) fn read(folder: &Path, release: &str, unread: &mut Gaps) -> Modules {
    let loaded = files::text_or_report(Part::Modules, Path::new("/proc/modules"), unread)
        .unwrap_or_default();
    let loaded = loaded.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned);
    let mut on_disk = None;
    for (name, end) in [("modules.dep", ':'), ("modules.builtin", '\n')] {
        let path = folder.join(release).join(name);
        let text = files::text_or_report(Part::Modules, &path, unread);
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

#[cfg(test)]
mod tests {
    use super::named;

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
