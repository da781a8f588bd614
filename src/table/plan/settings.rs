//! The timeouts and settings that a table declares, beside those of the kernel.

use std::time::Duration;

use crate::model::{Setting, SettingValue, Settings, TimeoutKind, Timeouts};
use crate::table::plan::{DiffLine, Plan, PlanError, SettingsChange, Sign};
use crate::table::{OnFailure, Table};

/// What of the timeouts and settings of a network namespace differs from a [`Table`], and whether it
/// is to be written.
///
/// Timeouts and settings belong to the whole network namespace, and other programs may rely on them.
/// So a plan shows the differences, and nothing here is written by
/// [`apply`](crate::Client::apply) or [`reconcile`](crate::Client::reconcile). A program that is told
/// to write them says so by [`to_be_written`](Self::to_be_written) and calls
/// [`Client::write_settings`](crate::Client::write_settings).
///
/// ```
/// use std::time::Duration;
/// use ipvs_netlink::table::{Plan, Table};
/// use ipvs_netlink::{Setting, Settings, Timeouts};
///
/// let mut table = Table::new();
/// table.set_timeouts(Timeouts::default().tcp(Duration::from_secs(900)));
/// table.set_settings(Settings::new().with(Setting::CONNTRACK, true));
/// // `Client::settings_plan` reads them.
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
    to_be_written: bool,
    on_failure: OnFailure,
}

impl Table {
    /// Compares the timeouts and settings that the table declares with these ones of the kernel.
    /// [`Client::settings_plan`](crate::Client::settings_plan) reads them and does this. The plan is
    /// not [to be written](SettingsPlan::to_be_written).
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
            to_be_written: false,
            on_failure: OnFailure::default(),
        })
    }
}

impl SettingsPlan {
    /// Sets whether [`Client::write_settings`](crate::Client::write_settings) writes the differences,
    /// `false` by default. The text of the plan says `not written` otherwise.
    pub const fn to_be_written(mut self, to_be_written: bool) -> Self {
        self.to_be_written = to_be_written;
        self
    }

    /// Returns `true` if the differences are to be written.
    #[must_use]
    pub const fn is_to_be_written(&self) -> bool {
        self.to_be_written
    }

    /// Sets whether timeouts are written if a setting could not be written. They are by default, and
    /// are not with [`OnFailure::Stop`].
    pub const fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// Returns `true` if nothing is to be written after a failure.
    pub(crate) fn stops_on_failure(&self) -> bool {
        self.on_failure == OnFailure::Stop
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
            (TimeoutKind::Tcp, before.tcp, after.tcp),
            (TimeoutKind::TcpFin, before.tcp_fin, after.tcp_fin),
            (TimeoutKind::Udp, before.udp, after.udp),
        ];
        let timeouts = timeouts.into_iter().filter_map(|(kind, before, after)| {
            Some(SettingsChange::Timeout { kind, before, after: after? })
        });
        let settings = self.settings.iter().map(|(setting, before, after)| {
            let (before, after) = (before.clone(), after.clone());
            SettingsChange::Setting { setting: *setting, before, after }
        });
        timeouts.chain(settings)
    }

    /// The lines of the differences of a plan.
    pub(super) fn lines(&self) -> impl Iterator<Item = DiffLine> {
        let end = if self.to_be_written { "" } else { ", not written" };
        self.changes().map(move |change| DiffLine {
            sign: Sign::Changed,
            text: format!("{change}{end}"),
            disruption: None,
        })
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
    pub const fn settings_plan(&self) -> &SettingsPlan {
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
        let nice = plan.changes().nth(2);
        let (setting, after) = (Setting::EST_NICE, SettingValue::from(5));
        assert_eq!(nice, Some(SettingsChange::Setting { setting, before: None, after }));
        let (kind, before) = (TimeoutKind::Udp, Some(seconds(300)));
        let udp = SettingsChange::Timeout { kind, before, after: seconds(60) };
        assert_eq!(plan.changes().next(), Some(udp));
        let whole = Plan::default().with_settings(plan.clone());
        let text = "~ timeout udp 300 s -> 60 s, not written\n\
                    ~ setting est_cpulist \"0-1\" -> \"\", not written\n\
                    ~ setting est_nice absent -> 5, not written\n\
                    ~ setting sync_threshold 3 50 -> 3 0, not written\n";
        assert_eq!(whole.to_string(), text);
        assert!(whole.is_empty() && !whole.settings_plan().is_empty());
        let written = Plan::default().with_settings(plan.to_be_written(true)).to_string();
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
        let of = |written| Plan::default().with_settings(plan(&table).to_be_written(written));
        assert_eq!(of(false).commands().to_string(), "");
        let commands = "sysctl -w 'net.ipv4.vs.sync_threshold=3 0'\nipvsadm --set 0 0 60\n";
        assert_eq!(of(true).commands().to_string(), commands);
        let tomorrow = "tomorrow".parse().unwrap();
        table.set_timeouts(Timeouts::default());
        table.set_settings(Settings::new().with(tomorrow, "';reboot"));
        let (timeouts, settings) = kernel();
        let plan = table.settings_plan(timeouts, &settings).unwrap().to_be_written(true);
        let commands = Plan::default().with_settings(plan).commands().to_string();
        assert_eq!(commands, "sysctl -w 'net.ipv4.vs.tomorrow='\\'';reboot'\n");
    }
}
