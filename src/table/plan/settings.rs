//! The timeouts and settings that a table declares, beside those of the kernel.

use std::fmt;
use std::time::Duration;

use crate::model::{Setting, SettingValue, Settings, Timeouts};
use crate::table::Table;
use crate::table::plan::{DiffLine, Plan, PlanError, Sign};

/// What of the timeouts and settings of a network namespace differs from a [`Table`], and whether the
/// program writes it.
///
/// Timeouts and settings belong to the whole network namespace, and other programs may rely on them.
/// So a plan shows the differences, and nothing here is written by
/// [`apply`](crate::Client::apply) or [`reconcile`](crate::Client::reconcile). A program that is told
/// to write them calls [`Procfs::set_settings`](crate::procfs::Procfs::set_settings) with
/// [`settings`](Self::settings), and then [`Client::set_timeouts`](crate::Client::set_timeouts) with
/// [`timeouts`](Self::timeouts).
///
/// ```
/// use std::time::Duration;
/// use ipvs_netlink::table::{Plan, Table};
/// use ipvs_netlink::{Setting, Settings, Timeouts};
///
/// let mut table = Table::new();
/// table.set_timeouts(Timeouts::default().tcp(Duration::from_secs(900)));
/// table.set_settings(Settings::new().with(Setting::CONNTRACK, true));
/// // A program reads them with `Client::timeouts` and `Procfs::settings`.
/// let timeouts = Timeouts::default().tcp(Duration::from_secs(600));
/// let settings = Settings::new().with(Setting::CONNTRACK, false);
/// let plan = Plan::default().with_settings(table.settings_plan(timeouts, &settings)?);
/// let text = "~ timeout tcp 600 s -> 900 s, not written\n~ setting conntrack 0 -> 1, not written\n";
/// assert_eq!(plan.to_string(), text);
/// # Ok::<(), ipvs_netlink::table::PlanError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it does nothing until a program writes what it says"]
pub struct SettingsPlan {
    /// The timeouts that differ, and all of the kernel's.
    timeouts: Timeouts,
    timeouts_before: Timeouts,
    /// The settings that differ, each with what the kernel has.
    settings: Vec<(Setting, Option<SettingValue>, SettingValue)>,
    written: bool,
}

/// One difference of a [`SettingsPlan`].
///
/// `Display` prints `timeout tcp 600 s -> 900 s` or `setting conntrack 0 -> 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsChange {
    /// The timeout or the setting: `timeout tcp`, `setting conntrack`.
    pub name: String,
    /// What the kernel has, or `None` for a setting that the kernel does not have.
    pub before: Option<String>,
    /// What the table declares.
    pub after: String,
}

impl fmt::Display for SettingsChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, before, after } = self;
        write!(f, "{name} {} -> {after}", before.as_deref().unwrap_or("absent"))
    }
}

impl Table {
    /// Compares the timeouts and settings that the table declares with those of the kernel, which
    /// `Client::timeouts` and `Procfs::settings` read. The plan is not to be
    /// [written](SettingsPlan::written).
    ///
    /// The automatic modes 1 and 2 of `drop_entry`, `drop_packet` and `secure_tcp` do not differ,
    /// because the kernel changes one into the other by itself.
    ///
    /// # Errors
    ///
    /// [`PlanError::InvalidTimeouts`] or [`PlanError::InvalidSetting`] if a declared value breaks a
    /// rule.
    pub fn settings_plan(
        &self,
        timeouts: Timeouts,
        settings: &Settings,
    ) -> Result<SettingsPlan, PlanError> {
        let declared = self.timeouts();
        declared.validate().map_err(PlanError::InvalidTimeouts)?;
        self.settings().validate().map_err(PlanError::InvalidSetting)?;
        let differs = |declared: Option<Duration>, now| declared.filter(|_| declared != now);
        let differing = self.settings().iter().filter_map(|(setting, after)| {
            let before = settings.get(setting);
            let same = before.is_some_and(|before| setting.is_same(before, after));
            (!same).then(|| (setting, before.cloned(), after.clone()))
        });
        Ok(SettingsPlan {
            timeouts: Timeouts {
                tcp: differs(declared.tcp, timeouts.tcp),
                tcp_fin: differs(declared.tcp_fin, timeouts.tcp_fin),
                udp: differs(declared.udp, timeouts.udp),
            },
            timeouts_before: timeouts,
            settings: differing.collect(),
            written: false,
        })
    }
}

impl SettingsPlan {
    /// Sets whether the program writes the differences. The text says `not written` otherwise.
    pub const fn written(mut self, written: bool) -> Self {
        self.written = written;
        self
    }

    /// Returns `true` if the program writes the differences.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        self.written
    }

    /// Returns `true` if nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timeouts == Timeouts::default() && self.settings.is_empty()
    }

    /// Returns the timeouts that differ, as declared. Others are `None`.
    #[must_use]
    pub const fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Returns the settings that differ, as declared.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings.iter().map(|(setting, _, after)| (*setting, after.clone())).collect()
    }

    /// Returns the differences: timeouts, and then settings in the order of their names.
    pub fn changes(&self) -> impl Iterator<Item = SettingsChange> {
        let (after, before) = (self.timeouts, self.timeouts_before);
        let timeouts = [
            ("timeout tcp", after.tcp, before.tcp),
            ("timeout tcp_fin", after.tcp_fin, before.tcp_fin),
            ("timeout udp", after.udp, before.udp),
        ];
        let text = |timeout: Duration| format!("{} s", timeout.as_secs());
        let timeouts = timeouts.into_iter().filter_map(move |(name, after, before)| {
            let after = text(after?);
            Some(SettingsChange { name: name.to_owned(), before: before.map(text), after })
        });
        let settings = self.settings.iter().map(|(setting, before, after)| SettingsChange {
            name: format!("setting {setting}"),
            before: before.as_ref().map(shown),
            after: shown(after),
        });
        timeouts.chain(settings)
    }

    /// The lines of the differences of a plan.
    pub(super) fn lines(&self) -> impl Iterator<Item = DiffLine> {
        let end = if self.written { "" } else { ", not written" };
        self.changes().map(move |change| DiffLine {
            sign: Sign::Changed,
            text: format!("{change}{end}"),
            disruption: None,
        })
    }
}

/// Returns a value for people. An empty list of processors is visible.
fn shown(value: &SettingValue) -> String {
    match value {
        SettingValue::Text(_) => value.shown(),
        other => other.to_string(),
    }
}

impl Plan {
    /// Adds what differs in timeouts and settings. The text of the plan shows the differences.
    ///
    /// They are no steps: [`len`](Self::len), [`is_empty`](Self::is_empty) and
    /// [`apply`](crate::Client::apply) do not know them.
    pub fn with_settings(mut self, settings: SettingsPlan) -> Self {
        self.settings = settings;
        self
    }

    /// Returns what differs in timeouts and settings. It is empty unless
    /// [`with_settings`](Self::with_settings) has set it.
    pub const fn settings(&self) -> &SettingsPlan {
        &self.settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn kernel() -> (Timeouts, Settings) {
        let timeouts =
            Timeouts::default().tcp(seconds(900)).tcp_fin(seconds(120)).udp(seconds(300));
        let settings = Settings::new()
            .with(Setting::CONNTRACK, false)
            .with(Setting::DROP_ENTRY, 2)
            .with(Setting::EST_CPULIST, "0-1")
            .with(Setting::SYNC_THRESHOLD, (3, 50));
        (timeouts, settings)
    }

    fn plan(table: &Table) -> SettingsPlan {
        let (timeouts, settings) = kernel();
        table.settings_plan(timeouts, &settings).unwrap()
    }

    #[test]
    fn only_what_differs_is_told_and_set() {
        let mut table = Table::new();
        table.set_timeouts(Timeouts::default().tcp(seconds(900)).udp(seconds(60)));
        let settings = Settings::new()
            .with(Setting::CONNTRACK, false)
            .with(Setting::DROP_ENTRY, 1)
            .with(Setting::EST_CPULIST, "")
            .with(Setting::EST_NICE, 5)
            .with(Setting::SYNC_THRESHOLD, (3, 0));
        table.set_settings(settings);
        let plan = plan(&table);
        assert_eq!(plan.timeouts(), Timeouts::default().udp(seconds(60)));
        let set: Vec<String> = plan.settings().iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(set, ["est_cpulist", "est_nice", "sync_threshold"]);
        let whole = Plan::default().with_settings(plan.clone());
        let text = "~ timeout udp 300 s -> 60 s, not written\n\
                    ~ setting est_cpulist \"0-1\" -> \"\", not written\n\
                    ~ setting est_nice absent -> 5, not written\n\
                    ~ setting sync_threshold 3 50 -> 3 0, not written\n";
        assert_eq!(whole.to_string(), text);
        assert!(whole.is_empty() && !whole.settings().is_empty());
        let written = Plan::default().with_settings(plan.written(true)).to_string();
        assert_eq!(written, text.replace(", not written", ""));
    }

    #[test]
    fn a_table_that_declares_nothing_has_no_differences() {
        assert!(plan(&Table::new()).is_empty());
        let (timeouts, settings) = kernel();
        let mut table = Table::new();
        table.set_timeouts(timeouts);
        table.set_settings(settings);
        assert!(plan(&table).is_empty());
        assert_eq!(Plan::default().with_settings(plan(&table)).to_string(), "no changes\n");
    }

    #[test]
    fn what_breaks_a_rule_is_no_plan() {
        let (timeouts, settings) = kernel();
        let mut table = Table::new();
        table.set_timeouts(Timeouts::default().tcp(Duration::ZERO));
        let error = table.settings_plan(timeouts, &settings).unwrap_err();
        assert_eq!(error.to_string(), "tcp timeout 0 s: must be at least 1 s");
        table.set_timeouts(Timeouts::default());
        table.set_settings(Settings::new().with(Setting::SYNC_PORTS, 3));
        let error = table.settings_plan(timeouts, &settings).unwrap_err();
        assert_eq!(error.to_string(), "setting sync_ports 3: must be a power of two, 1 to 64");
    }

    #[test]
    fn commands_write_what_is_to_be_written() {
        let mut table = Table::new();
        table.set_timeouts(Timeouts::default().udp(seconds(60)));
        table.set_settings(Settings::new().with(Setting::SYNC_THRESHOLD, (3, 0)));
        let of = |written| Plan::default().with_settings(plan(&table).written(written));
        assert_eq!(of(false).commands().to_string(), "");
        let commands = "sysctl -w 'net.ipv4.vs.sync_threshold=3 0'\nipvsadm --set 0 0 60\n";
        assert_eq!(of(true).commands().to_string(), commands);
        let tomorrow = "tomorrow".parse().unwrap();
        table.set_timeouts(Timeouts::default());
        table.set_settings(Settings::new().with(tomorrow, "';reboot"));
        let (timeouts, settings) = kernel();
        let plan = table.settings_plan(timeouts, &settings).unwrap().written(true);
        let commands = Plan::default().with_settings(plan).commands().to_string();
        assert_eq!(commands, "sysctl -w 'net.ipv4.vs.tomorrow='\\'';reboot'\n");
    }
}
