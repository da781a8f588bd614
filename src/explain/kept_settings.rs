//! The settings that say whether what the kernel keeps of a client decides.

use crate::model::{Setting, Settings};

/// The values of the three settings, `None` where a value is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeptSettings {
    conn_reuse_mode: Option<u32>,
    expire_nodest_conn: Option<bool>,
    expire_quiescent_template: Option<bool>,
}

/// One possible state of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assumed {
    pub(super) conn_reuse_mode: u32,
    pub(super) expire_nodest_conn: bool,
    pub(super) expire_quiescent_template: bool,
}

/// The values of `conn_reuse_mode` that differ in what they do here: bits 0 and 1.
const REUSE_MODES: [u32; 3] = [0, 1, 3];

impl KeptSettings {
    pub(super) const UNKNOWN: Self =
        Self { conn_reuse_mode: None, expire_nodest_conn: None, expire_quiescent_template: None };

    pub(super) fn of(settings: &Settings) -> Self {
        let mode = settings.number(Setting::CONN_REUSE_MODE);
        Self {
            conn_reuse_mode: mode.and_then(|mode| mode.try_into().ok()),
            expire_nodest_conn: settings.is_on(Setting::EXPIRE_NODEST_CONN),
            expire_quiescent_template: settings.is_on(Setting::EXPIRE_QUIESCENT_TEMPLATE),
        }
    }

    /// The states that are possible: one if all is known, at most twelve.
    pub(super) fn possible(self) -> Vec<Assumed> {
        let modes = self.conn_reuse_mode.map_or(REUSE_MODES.to_vec(), |mode| vec![mode]);
        let of = |switch: Option<bool>| switch.map_or(vec![false, true], |is_on| vec![is_on]);
        let mut possible = Vec::new();
        for &conn_reuse_mode in &modes {
            for expire_nodest_conn in of(self.expire_nodest_conn) {
                for expire_quiescent_template in of(self.expire_quiescent_template) {
                    possible.push(Assumed {
                        conn_reuse_mode,
                        expire_nodest_conn,
                        expire_quiescent_template,
                    });
                }
            }
        }
        possible
    }
}

impl Assumed {
    /// The one setting in which two states differ, or `None` if they differ in more or in nothing.
    pub(super) fn only_difference(self, other: Self) -> Option<Setting> {
        let differs = [
            (self.conn_reuse_mode != other.conn_reuse_mode, Setting::CONN_REUSE_MODE),
            (self.expire_nodest_conn != other.expire_nodest_conn, Setting::EXPIRE_NODEST_CONN),
            (
                self.expire_quiescent_template != other.expire_quiescent_template,
                Setting::EXPIRE_QUIESCENT_TEMPLATE,
            ),
        ];
        let mut differing = differs.into_iter().filter(|(differs, _)| *differs);
        let (_, setting) = differing.next()?;
        differing.next().is_none().then_some(setting)
    }
}
