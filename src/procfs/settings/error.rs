use std::io;

use rustix::io::Errno;

use crate::model::{InvalidSetting, KnownSetting, Setting, SettingValue, SettingWritable};
use crate::procfs::ProcfsError;

/// The failure to read or to write a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// The value breaks the rule of its setting. Nothing was written.
    #[error(transparent)]
    Invalid(#[from] InvalidSetting),
    /// The kernel has no such setting. Nothing was written.
    #[error("setting {setting}: {}", absent(*setting, *any))]
    #[non_exhaustive]
    Absent {
        /// The setting.
        setting: Setting,
        /// `true` if the network namespace has other settings, `false` if it has none at all.
        any: bool,
    },
    /// Nobody can write the setting in this network namespace. Nothing was written.
    #[error("setting {setting}: {}", read_only(*setting))]
    #[non_exhaustive]
    ReadOnly {
        /// The setting.
        setting: Setting,
    },
    /// `/proc/sys` is mounted read-only, as container runtimes do it. Nothing was written.
    #[error("setting {setting}: /proc/sys is mounted read-only, as in a container")]
    #[non_exhaustive]
    ReadOnlyMount {
        /// The setting.
        setting: Setting,
    },
    /// The caller may not write the setting. Nothing was written.
    #[error(
        "setting {setting}: permission denied: it takes root of the user namespace that owns the \
         network namespace"
    )]
    #[non_exhaustive]
    PermissionDenied {
        /// The setting.
        setting: Setting,
    },
    /// The kernel does not take the value, although it is in the range that this crate knows.
    /// Settings with earlier names may have been written.
    #[error(
        "setting {setting} {}: the kernel refuses the value: {}", .value.shown(), text(*.errno)
    )]
    #[non_exhaustive]
    Refused {
        /// The setting.
        setting: Setting,
        /// The value.
        value: SettingValue,
        /// The errno.
        errno: i32,
    },
    /// Writing failed for another reason. Settings with earlier names may have been written.
    #[error("setting {setting}: cannot be written: {}", text(*.errno))]
    #[non_exhaustive]
    Unwritable {
        /// The setting.
        setting: Setting,
        /// The errno.
        errno: i32,
    },
    /// The file of a setting, or the folder, cannot be read.
    #[error("{path}: cannot be read: {}", text(*.errno))]
    #[non_exhaustive]
    Unreadable {
        /// The file.
        path: Box<str>,
        /// The errno.
        errno: i32,
    },
    /// The file of a setting is longer than any value, or has other characters than printable ASCII.
    #[error("setting {setting}: not what the kernel writes: \"{text}\"")]
    #[non_exhaustive]
    Malformed {
        /// The setting.
        setting: Setting,
        /// The beginning of the file, escaped.
        text: Box<str>,
    },
    /// The files of the network namespace cannot be reached.
    #[error(transparent)]
    Files(ProcfsError),
}

impl SettingError {
    /// Writing a value failed.
    pub(super) fn of_writing(setting: Setting, value: &SettingValue, errno: Errno) -> Self {
        match errno {
            // `cpulist_parse` has the last two for processors that the kernel cannot have.
            Errno::INVAL | Errno::RANGE | Errno::OVERFLOW => {
                let errno = errno.raw_os_error();
                Self::Refused { setting, value: value.clone(), errno }
            }
            Errno::PERM | Errno::ACCESS => Self::PermissionDenied { setting },
            _ => Self::Unwritable { setting, errno: errno.raw_os_error() },
        }
    }

    /// Opening a file to write failed. `writable` is whether the file has a permission to write.
    pub(super) fn of_opening(setting: Setting, errno: Errno, any: bool, writable: bool) -> Self {
        match errno {
            Errno::NOENT => Self::Absent { setting, any },
            Errno::ROFS => Self::ReadOnlyMount { setting },
            Errno::PERM | Errno::ACCESS if !writable => Self::ReadOnly { setting },
            Errno::PERM | Errno::ACCESS => Self::PermissionDenied { setting },
            _ => Self::Unwritable { setting, errno: errno.raw_os_error() },
        }
    }

    /// Reading a file failed.
    pub(super) fn of_reading(path: &str, errno: Errno) -> Self {
        Self::Unreadable { path: path.into(), errno: errno.raw_os_error() }
    }
}

fn text(errno: i32) -> io::Error {
    io::Error::from_raw_os_error(errno)
}

fn absent(setting: Setting, any: bool) -> String {
    if !any {
        return "this network namespace has no settings of IPVS: the module ip_vs is not loaded, or \
                the namespace belongs to a user namespace for which this kernel shows none"
            .to_owned();
    }
    let mut text = "this kernel has no such setting".to_owned();
    if let Some(KnownSetting { since, needs, .. }) = setting.known() {
        if let Some((major, minor)) = since {
            text += &format!("; Linux from {major}.{minor} has it");
        }
        if let Some(needs) = needs {
            text += &format!("; it needs {}", needs.replace('`', ""));
        }
    }
    text
}

fn read_only(setting: Setting) -> &'static str {
    match setting.known().map(|known| known.writable) {
        Some(SettingWritable::InitialNetworkNamespace) => {
            "read-only outside of the initial network namespace, because it is one value for the \
             whole host"
        }
        _ => {
            "read-only in this network namespace, because the namespace belongs to another user \
             namespace than the initial one"
        }
    }
}
