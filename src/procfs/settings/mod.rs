//! The settings `net.ipv4.vs.*`: read and write the files of one network namespace.

mod error;
mod files;

pub use error::SettingError;

use crate::model::{Setting, SettingValue, Settings};
use crate::procfs::{Procfs, ProcfsError};

impl Procfs {
    /// Reads all settings, in the order of their names.
    ///
    /// Settings that the kernel does not have are absent. The result is empty if the module `ip_vs`
    /// is not loaded, and on kernels such as 6.1 in a network namespace that belongs to another user
    /// namespace than the initial one. Settings that this crate does not know are there, too,
    /// unless their files cannot be read or have other text than a [`SettingValue`] holds;
    /// [`setting`](Self::setting) says why. [`Setting::KNOWN`] has the meaning and the range of all
    /// others. Each file is read for itself: what others write meanwhile may be in the result in
    /// part.
    ///
    /// Source in the kernel: `net/netfilter/ipvs/ip_vs_ctl.c`.
    ///
    /// ```no_run
    /// use ipvs_netlink::Setting;
    /// use ipvs_netlink::procfs::Procfs;
    ///
    /// let settings = Procfs::open()?.settings()?;
    /// if settings.is_on(Setting::RUN_ESTIMATION) == Some(false) {
    ///     println!("all counters stand still");
    /// }
    /// # Ok::<(), ipvs_netlink::procfs::SettingError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Files`](SettingError::Files): `/proc` is not mounted, or the network namespace cannot be
    ///   entered.
    /// - [`Unreadable`](SettingError::Unreadable), [`Malformed`](SettingError::Malformed): the
    ///   folder, or the file of a known setting, cannot be read, or is not what the kernel writes.
    pub fn settings(&self) -> Result<Settings, SettingError> {
        self.within(files::read_all)?
    }

    /// Reads one setting. `None` if the kernel does not have it, or `ip_vs` is not loaded.
    ///
    /// # Errors
    ///
    /// The errors of [`settings`](Self::settings), also for a setting that this crate does not know.
    pub fn setting(&self, setting: Setting) -> Result<Option<SettingValue>, SettingError> {
        self.within(|| files::read(setting))?
    }

    /// Writes one setting.
    ///
    /// The value is checked first; nothing is written if it breaks a rule. The kernel applies a
    /// setting at once, for new packets. Takes root of the user namespace that owns the network
    /// namespace.
    ///
    /// ```no_run
    /// use ipvs_netlink::Setting;
    /// use ipvs_netlink::procfs::Procfs;
    ///
    /// Procfs::open()?.set_setting(Setting::EXPIRE_NODEST_CONN, true)?;
    /// # Ok::<(), ipvs_netlink::procfs::SettingError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Invalid`](SettingError::Invalid): the value is outside of the range of the setting.
    /// - [`Absent`](SettingError::Absent): the kernel has no such setting.
    /// - [`ReadOnly`](SettingError::ReadOnly): nobody can write the setting in this network
    ///   namespace.
    /// - [`ReadOnlyMount`](SettingError::ReadOnlyMount): `/proc/sys` is mounted read-only.
    /// - [`PermissionDenied`](SettingError::PermissionDenied): the caller is not root.
    /// - [`Refused`](SettingError::Refused): the kernel does not take the value (`EINVAL`).
    /// - [`Unwritable`](SettingError::Unwritable): the write failed for another reason.
    /// - [`Files`](SettingError::Files): as for [`settings`](Self::settings).
    pub fn set_setting(
        &self,
        setting: Setting,
        value: impl Into<SettingValue>,
    ) -> Result<(), SettingError> {
        self.set_settings(&Settings::new().with(setting, value))
    }

    /// Writes these settings, and leaves others as they are.
    ///
    /// All values are checked and all files are opened before the first one is written. So nothing
    /// is written if a value breaks a rule, a setting is absent, or the caller may not write one of
    /// them. The kernel has no transaction: if it refuses a value, the settings before it in the
    /// order of their names have been written.
    ///
    /// # Errors
    ///
    /// The errors of [`set_setting`](Self::set_setting), of the first setting that has one.
    pub fn set_settings(&self, settings: &Settings) -> Result<(), SettingError> {
        settings.validate()?;
        self.within(|| files::write_all(settings))?
    }
}

impl From<ProcfsError> for SettingError {
    fn from(error: ProcfsError) -> Self {
        Self::Files(error)
    }
}
