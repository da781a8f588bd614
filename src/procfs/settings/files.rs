//! Reads and writes the files, on a thread that is in the network namespace.

use std::fs::File;
use std::io::Read;

use rustix::fs::{Dir, Mode, OFlags, open, stat};
use rustix::io::{Errno, write};

use crate::model::{Setting, SettingValue, Settings};
use crate::procfs::SettingError;

const FOLDER: &str = "/proc/sys/net/ipv4/vs";

/// The longest file that is read, in bytes. The kernel's lists of processors may be long.
const LONGEST: u64 = 4096;

/// The most files that are read: several times those of Linux 7.3.
const MOST_FILES: usize = 256;

fn path(setting: Setting) -> String {
    path_below(FOLDER, setting)
}

fn path_below(folder: &str, setting: Setting) -> String {
    format!("{folder}/{setting}")
}

pub(super) fn read_all() -> Result<Settings, SettingError> {
    read_all_below(FOLDER)
}

fn read_all_below(folder: &str) -> Result<Settings, SettingError> {
    let failed = |errno| SettingError::of_reading(folder, errno);
    let mut settings = Settings::new();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let files = match open(folder, flags, Mode::empty()) {
        Ok(opened) => Dir::new(opened).map_err(failed)?,
        Err(Errno::NOENT) => return Ok(settings),
        Err(errno) => return Err(failed(errno)),
    };
    // The kernel lists `.` and `..`, too, which are no names of settings.
    for file in files.take(MOST_FILES) {
        let file = file.map_err(failed)?;
        let name = file.file_name().to_str().ok();
        let Some(setting) = name.and_then(|name| Setting::new(name).ok()) else { continue };
        match read_below(folder, setting) {
            Ok(Some(value)) => drop(settings.insert(setting, value)),
            Ok(None) => {}
            // A setting of a newer kernel may be of another kind, or for writing only.
            Err(_) if setting.known().is_none() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(settings)
}

pub(super) fn read(setting: Setting) -> Result<Option<SettingValue>, SettingError> {
    read_below(FOLDER, setting)
}

fn read_below(folder: &str, setting: Setting) -> Result<Option<SettingValue>, SettingError> {
    let path = path_below(folder, setting);
    let failed = |errno| SettingError::of_reading(&path, errno);
    let file = match open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(failed(errno)),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
    value(setting, &bytes).map(Some)
}

/// Reads the text of a file of the kernel.
fn value(setting: Setting, bytes: &[u8]) -> Result<SettingValue, SettingError> {
    let printable = |byte: &u8| byte.is_ascii_graphic() || b" \t\n".contains(byte);
    let short = u64::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST);
    match std::str::from_utf8(bytes) {
        Ok(text) if short && bytes.iter().all(printable) => Ok(SettingValue::parse(text)),
        _ => {
            let shown = bytes.get(..64).unwrap_or(bytes);
            Err(SettingError::Malformed { setting, text: shown.escape_ascii().to_string().into() })
        }
    }
}

/// Returns `true` if the network namespace has a setting. Linux 6.1 shows an empty folder in other
/// user namespaces.
fn has_any() -> bool {
    let files = open(FOLDER, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .and_then(Dir::new);
    let is_setting = |name: &str| Setting::new(name).is_ok();
    files.is_ok_and(|files| {
        files.flatten().take(MOST_FILES).any(|file| file.file_name().to_str().is_ok_and(is_setting))
    })
}

pub(super) fn write_all(settings: &Settings) -> Result<(), SettingError> {
    let mut opened = Vec::with_capacity(settings.len());
    for (setting, value) in settings.iter() {
        let path = path(setting);
        let file =
            open(&path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).map_err(|errno| {
                let writable = stat(&path).is_ok_and(|file| file.st_mode & 0o222 != 0);
                SettingError::of_opening(setting, errno, has_any(), writable)
            })?;
        opened.push((setting, value, file));
    }
    for (setting, value, file) in opened {
        let text = format!("{value}\n");
        match write(&file, text.as_bytes()) {
            Ok(written) if written == text.len() => {}
            // The kernel takes a prefix of a text that it does not understand.
            Ok(_) => return Err(SettingError::of_writing(setting, value, Errno::INVAL)),
            Err(errno) => return Err(SettingError::of_writing(setting, value, errno)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_no_kernel_writes_is_an_error() {
        let read = |bytes: &[u8]| value(Setting::CONNTRACK, bytes);
        assert_eq!(read(b"3\t50\n"), Ok(SettingValue::Pair(3, 50)));
        assert_eq!(read(b""), Ok(SettingValue::Text(String::new())));
        for odd in [&b"\x1b[31m"[..], b"\xff", b"1\0", &[b'1'; 4097]] {
            let error = read(odd).unwrap_err();
            assert!(error.to_string().is_ascii() && error.to_string().len() < 300, "{error}");
            assert!(matches!(error, SettingError::Malformed { .. }), "{error:?}");
        }
        assert!(read(&[b'1'; 4096]).is_ok());
    }

    /// A folder that is removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = temp_dir().join(format!("settings-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, bytes: &[u8]) {
            fs::write(self.0.join(name), bytes).unwrap();
        }

        fn read(&self) -> Result<Settings, SettingError> {
            read_all_below(self.0.to_str().unwrap())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn a_setting_of_a_newer_kernel_does_not_hide_the_others() {
        let folder = Folder::new();
        folder.write("conntrack", b"1\n");
        folder.write("tomorrow", b"7\n");
        let tomorrow = Setting::new("tomorrow").unwrap();
        let plain = Settings::new().with(Setting::CONNTRACK, true);
        let expected = plain.clone().with(tomorrow, 7);
        assert_eq!(folder.read(), Ok(expected.clone()));
        folder.write("odd", b"\xff\n");
        folder.write("long", &[b'1'; 4097]);
        // Reading a folder fails, as that of a file that is for writing only.
        fs::create_dir(folder.0.join("unreadable")).unwrap();
        assert_eq!(folder.read(), Ok(expected));
        folder.write("tomorrow", b"\x1b[31m");
        assert_eq!(folder.read(), Ok(plain));
        let odd = folder.0.to_str().unwrap();
        let asked = read_below(odd, tomorrow).unwrap_err();
        assert!(matches!(asked, SettingError::Malformed { .. }), "{asked:?}");
        // What this crate knows, programs decide on.
        folder.write("conntrack", b"\xff");
        let error = folder.read().unwrap_err();
        assert_eq!(error.to_string(), r#"setting conntrack: not what the kernel writes: "\xff""#);
    }
}
