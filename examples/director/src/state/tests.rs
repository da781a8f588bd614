//! Tests of the state file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};
use proptest::prelude::*;

use crate::configuration::SharedAddress;
use crate::state::{LoadError, Lock, Saved, SavedMaintenance, StateFile, Withdrawal};

/// A folder of a test's own, which is removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("director-state-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> StateFile {
        StateFile::new(self.0.join("state.json"))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn withdrawal() -> Withdrawal {
    Withdrawal {
        command: vec!["/bin/down".to_owned(), "a \"b\"\n".to_owned()],
        timeout: Duration::from_millis(1500),
        retry: Duration::from_secs(5),
        shared_address: SharedAddress::All,
    }
}

fn saved() -> Saved {
    let service = "TCP 192.0.2.10:80".parse().unwrap();
    let place = (service, "10.0.0.1:8080".parse().unwrap());
    let until = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_000_000_123));
    let maintenance =
        SavedMaintenance { kind: MaintenanceKind::Drain, by: "alice \"x\"\n".to_owned(), until };
    Saved {
        owned: [service].into(),
        maintenances: [(place, maintenance)].into(),
        weights: [(place, 7)].into(),
        withdrawals: [(service, withdrawal())].into(),
    }
}

#[test]
fn a_file_is_read_as_written() {
    let folder = Folder::new("round");
    assert_eq!(folder.file().load().unwrap(), None);
    folder.file().save(&saved()).unwrap();
    assert_eq!(folder.names(), ["state.json"]);
    let mode = fs::metadata(folder.0.join("state.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(folder.file().load().unwrap(), Some(saved()));
}

#[test]
fn a_file_is_written_only_on_a_change() {
    let folder = Folder::new("change");
    let inode = || fs::metadata(folder.0.join("state.json")).unwrap().ino();
    let mut file = folder.file();
    file.save(&saved()).unwrap();
    let first = inode();
    file.save(&saved()).unwrap();
    assert_eq!(inode(), first);
    file.save(&Saved::default()).unwrap();
    assert_eq!(folder.file().load().unwrap(), Some(Saved::default()));
    let mut read = folder.file();
    read.load().unwrap();
    let second = inode();
    read.save(&Saved::default()).unwrap();
    assert_eq!(inode(), second);
}

#[test]
fn a_broken_file_is_set_aside_and_nothing_of_it_counts() {
    let texts: [&[u8]; 8] = [
        b"",
        b"{",
        b"[]",
        b"{\"version\": 2, \"more\": true}",
        b"{\"version\": 1, \"owned\": [\"TCP 192.0.2.10:99999\"]}",
        b"{\"version\": 1, \"ownd\": []}",
        b"{\"version\": 1, \"weights\": [{\"service\": \"TCP 192.0.2.10:80\", \
          \"destination\": \"10.0.0.1:80\", \"weight\": 2147483648}]}",
        b"\xff\xfe",
    ];
    let folder = Folder::new("broken");
    for text in texts {
        fs::write(folder.0.join("state.json"), text).unwrap();
        let error = folder.file().load().unwrap_err();
        assert!(matches!(error, LoadError::Broken { .. }), "{error}");
        assert_eq!(folder.names(), ["state.json.broken"]);
        assert_eq!(fs::read(folder.0.join("state.json.broken")).unwrap(), text);
        assert_eq!(folder.file().load().unwrap(), None);
    }
    let twice = saved().text().replace(
        "\"weights\": [",
        "\"weights\": [{\"service\": \
        \"TCP 192.0.2.10:80\", \"destination\": \"10.0.0.1:8080\", \"weight\": 1},",
    );
    let error = Saved::parse(twice.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("TCP 192.0.2.10:80 -> 10.0.0.1:8080 has two weights"), "{error}");
}

#[test]
fn a_file_of_any_size_or_depth_is_refused_in_bounds() {
    let folder = Folder::new("large");
    let path = folder.0.join("state.json");
    let file = fs::File::create(&path).unwrap();
    file.set_len(65 << 20).unwrap();
    let error = folder.file().load().unwrap_err().to_string();
    assert!(error.contains("more than 67108864 bytes"), "{error}");
    fs::write(&path, "[".repeat(1 << 20)).unwrap();
    assert!(matches!(folder.file().load(), Err(LoadError::Broken { .. })));
}

#[test]
fn what_is_no_file_does_not_block_the_start() {
    let folder = Folder::new("fifo");
    let path = folder.0.join("state.json");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(matches!(folder.file().load(), Err(LoadError::Broken { .. })));
    fs::create_dir(&path).unwrap();
    assert!(matches!(folder.file().load(), Err(LoadError::Unreadable { .. })));
}

#[test]
fn a_file_that_others_may_write_runs_nothing() {
    let folder = Folder::new("writable");
    folder.file().save(&saved()).unwrap();
    let path = folder.0.join("state.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
    let error = folder.file().load().unwrap_err().to_string();
    assert!(error.contains("others than the daemon may write it"), "{error}");
    assert_eq!(folder.names(), ["state.json.broken"]);
}

#[test]
fn a_link_that_somebody_has_put_there_is_not_followed() {
    let folder = Folder::new("link");
    let victim = folder.0.join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, folder.0.join("state.json.new")).unwrap();
    symlink(&victim, folder.0.join("state.json")).unwrap();
    folder.file().save(&saved()).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(folder.file().load().unwrap(), Some(saved()));
}

#[test]
fn the_old_text_stays_if_the_new_one_cannot_be_written() {
    let folder = Folder::new("full");
    let mut file = folder.file();
    file.save(&saved()).unwrap();
    // A folder that is not empty has the name of the new text.
    fs::create_dir_all(folder.0.join("state.json.new/x")).unwrap();
    file.save(&Saved::default()).unwrap_err();
    assert_eq!(folder.file().load().unwrap(), Some(saved()));
    fs::remove_dir_all(folder.0.join("state.json.new")).unwrap();
    file.save(&Saved::default()).unwrap();
    assert_eq!(folder.file().load().unwrap(), Some(Saved::default()));
}

#[test]
fn a_second_daemon_does_not_get_the_lock() {
    let folder = Folder::new("lock");
    let path = folder.0.join("state.json");
    let first = Lock::take(&path).unwrap().unwrap();
    assert!(Lock::take(&path).unwrap().is_none());
    drop(first);
    assert!(Lock::take(&path).unwrap().is_some());
}

fn place() -> impl Strategy<Value = (ServiceId, DestinationId)> {
    let service = prop_oneof![
        any::<([u8; 4], u16)>().prop_map(|address| ServiceId::tcp(address.into())),
        any::<([u8; 16], u16)>().prop_map(|address| ServiceId::udp(address.into())),
    ];
    (service, any::<([u8; 4], u16)>().prop_map(|it| std::net::SocketAddr::from(it).into()))
}

proptest! {
    #[test]
    fn whatever_is_saved_comes_back(
        owned in prop::collection::btree_set(place().prop_map(|place| place.0), 0..9),
        weights in prop::collection::btree_map(place(), 0..=u32::MAX / 2, 0..9),
        maintenances in prop::collection::btree_map(
            place(), (any::<bool>(), ".*", prop::option::of(0_u64..200_000_000_000)), 0..9
        ),
    ) {
        let maintenance = |(place, (drain, by, seconds)): (_, (bool, String, Option<u64>))| {
            let kind = if drain { MaintenanceKind::Drain } else { MaintenanceKind::Out };
            let until = seconds.map(|it| SystemTime::UNIX_EPOCH + Duration::from_secs(it));
            (place, SavedMaintenance { kind, by, until })
        };
        let maintenances: BTreeMap<_, _> = maintenances.into_iter().map(maintenance).collect();
        let owned: BTreeSet<_> = owned;
        let withdrawals = owned.iter().map(|id| (*id, withdrawal())).collect();
        let saved = Saved { owned, maintenances, weights, withdrawals };
        prop_assert_eq!(Saved::parse(saved.text().as_bytes()).unwrap(), saved);
    }

    #[test]
    fn no_text_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..400) {
        let _ = Saved::parse(&text);
        let mut near = saved().text().into_bytes();
        let at = at.min(near.len());
        near.splice(at..at, text);
        let _ = Saved::parse(&near);
    }
}
