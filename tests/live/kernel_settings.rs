//! The settings `net.ipv4.vs.*`: the facts in the crate's table against the kernel, and each error.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::procfs::{Procfs, SettingError};
use ipvs_netlink::{
    KnownSetting, Setting, SettingDefault, SettingRange, SettingValue, SettingWritable, Settings,
};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::namespace::fresh;

fn files() -> Procfs {
    Procfs::open().unwrap()
}

fn path(setting: Setting) -> String {
    format!("/proc/sys/net/ipv4/vs/{setting}")
}

/// Writes text that this crate would refuse.
fn raw(setting: Setting, text: &str) -> Result<(), i32> {
    fs::write(path(setting), format!("{text}\n")).map_err(|error| error.raw_os_error().unwrap())
}

/// Returns the kernel's version, such as (6, 1).
fn version() -> (u16, u16) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// Returns a network namespace of another user namespace, and the process that holds it.
fn foreign() -> (Procfs, Child) {
    let mut child = Command::new("unshare")
        .args(["-U", "-r", "-n", "sleep", "60"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let namespace = format!("/proc/{}/ns/net", child.id());
    let ours = fs::read_link("/proc/thread-self/ns/net").unwrap();
    let begin = Instant::now();
    while fs::read_link(&namespace).is_ok_and(|link| link == ours) {
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", child.try_wait());
        thread::sleep(Duration::from_millis(10));
    }
    (Procfs::in_namespace(namespace).unwrap(), child)
}

#[test]
fn the_table_has_each_file_of_the_kernel() {
    fresh();
    let settings = files().settings().unwrap();
    let known: Vec<Setting> = Setting::KNOWN.iter().map(|known| known.setting).collect();
    let listed = fs::read_dir("/proc/sys/net/ipv4/vs").unwrap();
    for file in listed {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name.parse().unwrap()), "{name} is not in the table");
    }
    assert!(settings.iter().all(|(setting, _)| known.contains(&setting)));
    let has = |known: &&KnownSetting| settings.get(known.setting).is_some();
    let (there, absent): (Vec<&KnownSetting>, Vec<&KnownSetting>) =
        Setting::KNOWN.iter().partition(has);
    let new = |known: &KnownSetting| known.since.is_some_and(|since| since > version());
    assert!(there.iter().all(|known| !new(known)));
    for known in absent {
        assert!(new(known) || known.needs.is_some(), "{} is absent", known.setting);
    }
}

#[test]
fn a_new_namespace_has_the_defaults() {
    fresh();
    for (setting, value) in files().settings().unwrap().iter() {
        let known = setting.known().unwrap();
        match known.default {
            SettingDefault::Number(number) => assert_eq!(*value, number.into(), "{setting}"),
            SettingDefault::Pair(one, two) => assert_eq!(*value, (one, two).into(), "{setting}"),
            SettingDefault::ByNamespace { others, .. } => assert_eq!(*value, others.into()),
            _ => {}
        }
        assert!(known.range.contains(value), "{setting} {value}");
    }
}

/// Values at the ends of a range, and beyond.
fn ends(range: SettingRange) -> (Vec<SettingValue>, Vec<SettingValue>) {
    let numbers = |all: &[i64]| all.iter().map(|number| (*number).into()).collect();
    match range {
        SettingRange::Switch => (numbers(&[0, 1]), numbers(&[-1, 2])),
        SettingRange::Numbers { least, most, .. } => {
            let beyond = [least.checked_sub(1), most.checked_add(1)];
            let beyond: Vec<i64> = beyond.into_iter().flatten().collect();
            (numbers(&[least, most]), numbers(&beyond))
        }
        SettingRange::PowerOfTwo { most, .. } => {
            (numbers(&[1, 2, most]), numbers(&[0, 3, most - 1, -2]))
        }
        SettingRange::Threshold => {
            let most = i64::from(i32::MAX);
            let inside = [(3, 50), (0, 0), (most, 0), (0, 1), (most - 1, most)];
            let outside = [(50, 3), (3, 3), (-1, 0), (0, -1), (0, most + 1)];
            (inside.map(Into::into).into(), outside.map(Into::into).into())
        }
        SettingRange::Processors => {
            (["", "0"].map(Into::into).into(), ["-1", "0x1", "a"].map(Into::into).into())
        }
        other => panic!("{other}"),
    }
}

#[test]
fn each_range_is_the_kernels() {
    fresh();
    let files = files();
    let present = files.settings().unwrap();
    let mut checked = 0;
    for known in Setting::KNOWN {
        let setting = known.setting;
        if present.get(setting).is_none()
            || known.writable == SettingWritable::InitialNetworkNamespace
        {
            continue;
        }
        let (inside, outside) = ends(known.range);
        for value in inside {
            match files.set_setting(setting, value.clone()) {
                Ok(()) => {
                    let read = files.setting(setting).unwrap().unwrap();
                    assert!(setting.is_same(&read, &value), "{setting} {value}: {read}");
                }
                // Ticks a second differ.
                Err(SettingError::Refused { errno, .. }) => {
                    assert_eq!((known.unit, errno), (Some("seconds"), Errno::EINVAL as i32));
                    assert!(value.as_number() > Some(2_147_483), "{setting} {value}");
                }
                Err(error) => panic!("{error}"),
            }
        }
        let before = files.setting(setting).unwrap();
        for value in outside {
            let error = files.set_setting(setting, value.clone()).unwrap_err();
            assert!(matches!(error, SettingError::Invalid(_)), "{error}");
            assert_eq!(files.setting(setting).unwrap(), before);
            if known.beyond.is_none() {
                assert_eq!(
                    raw(setting, &value.to_string()),
                    Err(Errno::EINVAL as i32),
                    "{setting}"
                );
            }
        }
        checked += 1;
    }
    assert!(checked >= 29, "{checked}");
}

/// What the table says that the kernel takes beside the range.
#[test]
fn the_kernel_takes_more_where_the_table_says_so() {
    fresh();
    let files = files();
    let most = i64::from(i32::MAX);
    let any = ["-2147483648", "2147483647"];
    for known in Setting::KNOWN.iter().filter(|known| known.beyond.is_some()) {
        let setting = known.setting;
        let texts: &[&str] = match known.range {
            _ if setting == Setting::SYNC_QLEN_MAX => &["18446744073709551615"],
            SettingRange::Numbers { .. } if known.unit == Some("seconds") => &["-1"],
            SettingRange::Numbers { .. } | SettingRange::Switch => &any,
            SettingRange::PowerOfTwo { .. } => &["128"],
            _ => continue,
        };
        if known.writable == SettingWritable::InitialNetworkNamespace
            || files.setting(setting).unwrap().is_none()
        {
            continue;
        }
        for text in texts {
            assert_eq!(raw(setting, text), Ok(()), "{setting} {text}");
            // What is there can be read, whatever it is.
            assert_eq!(files.setting(setting).unwrap(), Some(SettingValue::parse(text)));
        }
    }
    assert_eq!(raw(Setting::SYNC_THRESHOLD, "5"), Ok(()));
    assert_eq!(files.setting(Setting::SYNC_THRESHOLD).unwrap(), Some((5, 50).into()));
    assert_eq!(raw(Setting::AMEMTHRESH, &(most + 1).to_string()), Err(Errno::EINVAL as i32));
}

#[test]
fn the_automatic_mode_is_the_kernels_to_change() {
    fresh();
    let files = files();
    files.set_setting(Setting::DROP_ENTRY, 2).unwrap();
    let read = files.setting(Setting::DROP_ENTRY).unwrap().unwrap();
    assert!(Setting::DROP_ENTRY.is_same(&read, &2.into()), "{read}");
}

#[test]
fn processors_that_the_machine_lacks_are_refused_by_the_kernel() {
    fresh();
    let files = files();
    let result = files.set_setting(Setting::EST_CPULIST, "9999");
    match files.setting(Setting::EST_CPULIST).unwrap() {
        Some(_) => {
            let error = result.unwrap_err();
            assert!(matches!(error, SettingError::Refused { .. }), "{error}");
            let text = "setting est_cpulist 9999: the kernel refuses the value: ";
            assert!(error.to_string().starts_with(text), "{error}");
            files.set_setting(Setting::EST_CPULIST, "").unwrap();
            assert_eq!(files.setting(Setting::EST_CPULIST).unwrap(), Some("".into()));
        }
        None => {
            let text =
                "setting est_cpulist: this kernel has no such setting; Linux from 6.2 has it";
            assert_eq!(result.unwrap_err().to_string(), text);
        }
    }
}

#[test]
fn an_unknown_setting_is_absent_and_stops_all_others() {
    fresh();
    let files = files();
    let tomorrow: Setting = "tomorrow".parse().unwrap();
    assert_eq!(files.setting(tomorrow), Ok(None));
    let both = Settings::new().with(Setting::CONNTRACK, true).with(tomorrow, 1);
    let error = files.set_settings(&both).unwrap_err();
    assert!(matches!(error, SettingError::Absent { any: true, .. }), "{error:?}");
    assert_eq!(files.setting(Setting::CONNTRACK), Ok(Some(0.into())));
    let both = Settings::new().with(Setting::CONNTRACK, true).with(Setting::SYNC_PORTS, 3);
    assert!(matches!(files.set_settings(&both), Err(SettingError::Invalid(_))));
    assert_eq!(files.setting(Setting::CONNTRACK), Ok(Some(0.into())));
}

#[test]
fn the_settings_of_another_namespace_are_its_own() {
    fresh();
    let (told, name) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let other = thread::spawn(move || {
        fresh();
        told.send(fs::canonicalize("/proc/thread-self").unwrap()).unwrap();
        ended.recv().unwrap_err();
        files().setting(Setting::CONNTRACK).unwrap()
    });
    let there = Procfs::in_namespace(name.recv().unwrap().join("ns/net")).unwrap();
    there.set_setting(Setting::CONNTRACK, true).unwrap();
    assert_eq!(there.settings().unwrap().is_on(Setting::CONNTRACK), Some(true));
    assert_eq!(files().settings().unwrap().is_on(Setting::CONNTRACK), Some(false));
    drop(end);
    assert_eq!(other.join().unwrap(), Some(1.into()));
}

#[test]
fn a_foreign_user_namespace_says_what_is_read_only_or_not_there() {
    fresh();
    let (files, mut child) = foreign();
    let all = files.settings().unwrap();
    let error = files.set_setting(Setting::SYNC_QLEN_MAX, 100).unwrap_err();
    if all.is_empty() {
        assert!(version() < (6, 12), "{:?}", version());
        assert!(matches!(error, SettingError::Absent { any: false, .. }), "{error:?}");
        assert!(error.to_string().contains("user namespace"), "{error}");
    } else {
        for known in Setting::KNOWN {
            let Some(value) = all.get(known.setting) else { continue };
            let result = files.set_setting(known.setting, value.clone());
            match known.writable {
                SettingWritable::Everywhere => assert_eq!(result, Ok(()), "{}", known.setting),
                _ => {
                    let error = result.unwrap_err();
                    assert!(matches!(error, SettingError::ReadOnly { .. }), "{error:?}");
                }
            }
        }
        let text = "setting sync_qlen_max: read-only in this network namespace, because the \
                    namespace belongs to another user namespace than the initial one";
        assert_eq!(error.to_string(), text);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_level_of_debugging_belongs_to_the_host() {
    fresh();
    let files = files();
    if files.setting(Setting::DEBUG_LEVEL).unwrap().is_some() {
        let error = files.set_setting(Setting::DEBUG_LEVEL, 0).unwrap_err();
        assert!(matches!(error, SettingError::ReadOnly { .. }), "{error:?}");
        assert!(error.to_string().contains("whole host"), "{error}");
    }
}

#[test]
fn who_is_not_root_reads_and_may_not_write() {
    fresh();
    // The thread ends with the test.
    let nobody = rustix::thread::Uid::from_raw(65534);
    rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
    let error = files().set_setting(Setting::CONNTRACK, true).unwrap_err();
    assert!(matches!(error, SettingError::PermissionDenied { .. }), "{error:?}");
    assert_eq!(files().setting(Setting::CONNTRACK), Ok(Some(0.into())));
}

#[test]
fn a_read_only_mount_is_named() {
    fresh();
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some("/proc/sys"), "/proc/sys", none, MsFlags::MS_BIND, none).unwrap();
    let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(none, "/proc/sys", none, again, none).unwrap();
    let error = files().set_setting(Setting::CONNTRACK, true).unwrap_err();
    assert!(matches!(error, SettingError::ReadOnlyMount { .. }), "{error:?}");
}
