//! Reads and writes sysctls of the own network namespace.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};

use ipvs_netlink::SettingValue;
use ipvs_netlink::procfs::{Procfs, ProcfsError, SettingError};

use super::wanted::Sysctl;

/// The longest file that is read, in bytes. A number is shorter.
const LONGEST: u64 = 64;

/// The failure to read or to write a sysctl.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SysctlError {
    /// The files of the namespace cannot be reached.
    #[error(transparent)]
    Namespace(#[from] ProcfsError),
    /// One of `net.ipv4.vs`.
    #[error("sysctl net.ipv4.vs: {0}")]
    Ipvs(#[from] SettingError),
    /// The file cannot be read or written.
    #[error("sysctl {sysctl}: {error}")]
    File {
        /// The sysctl.
        sysctl: Sysctl,
        /// The reason.
        error: io::Error,
    },
    /// The file has no number.
    #[error("sysctl {sysctl}: is no number")]
    NotANumber {
        /// The sysctl.
        sysctl: Sysctl,
    },
}

/// The files of the network namespace of the thread that opened this.
#[derive(Debug)]
pub(crate) struct Files {
    procfs: Procfs,
}

impl Files {
    /// Opens the files.
    ///
    /// # Errors
    ///
    /// [`Namespace`](SysctlError::Namespace): `/proc` is not mounted.
    pub(crate) fn open() -> Result<Self, SysctlError> {
        Ok(Self { procfs: Procfs::open()? })
    }

    /// Reads a sysctl. `None` means that the kernel does not have it.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no number.
    pub(crate) fn read(&self, sysctl: Sysctl) -> Result<Option<i32>, SysctlError> {
        let path = match sysctl {
            Sysctl::Ipvs(setting) => {
                return match self.procfs.setting(setting)? {
                    None => Ok(None),
                    Some(SettingValue::Number(value)) => {
                        value.try_into().map(Some).map_err(|_| SysctlError::NotANumber { sysctl })
                    }
                    Some(_) => Err(SysctlError::NotANumber { sysctl }),
                };
            }
            Sysctl::Path(path) => path,
        };
        let mut text = String::new();
        let read = OpenOptions::new()
            .read(true)
            .open(full(path))
            .and_then(|file| file.take(LONGEST).read_to_string(&mut text));
        match read {
            Ok(_) => {
                text.trim_ascii().parse().map(Some).map_err(|_| SysctlError::NotANumber { sysctl })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SysctlError::File { sysctl, error }),
        }
    }

    /// Writes a sysctl.
    ///
    /// # Errors
    ///
    /// The file is read-only, as in a container, or the kernel refuses the value.
    pub(crate) fn write(&self, sysctl: Sysctl, value: i32) -> Result<(), SysctlError> {
        match sysctl {
            Sysctl::Ipvs(setting) => {
                Ok(self.procfs.set_setting(setting, SettingValue::Number(value.into()))?)
            }
            Sysctl::Path(path) => OpenOptions::new()
                .write(true)
                .open(full(path))
                .and_then(|mut file| file.write_all(format!("{value}\n").as_bytes()))
                .map_err(|error| SysctlError::File { sysctl, error }),
        }
    }
}

fn full(path: &str) -> String {
    format!("/proc/sys/{path}")
}
