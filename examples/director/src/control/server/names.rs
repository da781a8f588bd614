//! Names of users and groups, from the files `/etc/passwd` and `/etc/group`.
//!
//! The daemon's loop must not wait for a directory service, so only these files are asked.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The most bytes that are read of a file.
const MOST: u64 = 4 << 20;

/// Returns the name of a user, or `user 1000` if the file has none.
pub(super) fn user(uid: u32) -> String {
    let is_wanted = |fields: &[&str]| fields.get(2).and_then(|id| id.parse().ok()) == Some(uid);
    field(Path::new("/etc/passwd"), is_wanted, 0).unwrap_or_else(|| format!("user {uid}"))
}

/// Returns the id of a group that is given by its name or its number.
pub(super) fn group(name: &str) -> Option<u32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    field(Path::new("/etc/group"), |fields| fields.first() == Some(&name), 2)?.parse().ok()
}

/// Returns a field of the first line that is wanted.
fn field(path: &Path, is_wanted: impl Fn(&[&str]) -> bool, number: usize) -> Option<String> {
    let lines = BufReader::new(File::open(path).ok()?.take(MOST)).lines();
    for line in lines.map_while(Result::ok) {
        let fields: Vec<&str> = line.split(':').collect();
        if is_wanted(&fields) {
            return fields.get(number).map(|field| (*field).to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_a_name_and_a_user_without_one_a_number() {
        assert_eq!(user(0), "root");
        assert_eq!(user(4_000_000_000), "user 4000000000");
        assert_eq!(group("root"), Some(0));
        assert_eq!(group("4711"), Some(4711));
        assert_eq!(group("no such group"), None);
    }
}
