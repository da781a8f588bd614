use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::*;
use crate::client::Client;
use crate::engine::ready;
use crate::fake::{Errno, Fault, Kernel};
use crate::model::{Setting, SettingValue};
use crate::table::OnFailure;

/// Files in memory. Those after `refused` in the order of names are not written.
#[derive(Default)]
struct Memory {
    settings: Mutex<Settings>,
    refused: Option<Setting>,
    unreadable: bool,
}

fn unreadable() -> SettingError {
    SettingError::Unreadable { path: "/x".into(), errno: 5 }
}

impl Files for Memory {
    fn read(&self) -> Result<Settings, SettingError> {
        if self.unreadable {
            return Err(unreadable());
        }
        Ok(self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn write(&self, settings: &Settings) -> Result<(), SettingError> {
        let mut all = self.settings.lock().unwrap();
        for (setting, value) in settings.iter() {
            if self.refused == Some(setting) {
                let value = value.clone();
                return Err(SettingError::Refused { setting, value, errno: 22 });
            }
            all.insert(setting, value.clone());
        }
        Ok(())
    }
}

/// Declares two settings and a timeout. All differ from the kernel's.
fn declared() -> Table {
    let mut table = Table::new();
    table.set_timeouts(Timeouts::default().udp(Duration::from_secs(60)));
    let settings = Settings::new().with(Setting::CONNTRACK, true);
    table.set_settings(settings.with(Setting::SYNC_RETRIES, 3));
    table
}

fn files() -> Memory {
    let settings = Settings::new().with(Setting::CONNTRACK, false);
    Memory { settings: settings.with(Setting::SYNC_RETRIES, 0).into(), ..Memory::default() }
}

fn texts(changes: &[SettingsChange]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

const CONNTRACK: &str = "setting conntrack 0 -> 1";
const RETRIES: &str = "setting sync_retries 0 -> 3";
const UDP: &str = "timeout udp 300 s -> 60 s";
const REFUSED: &str =
    "setting sync_retries 3: the kernel refuses the value: Invalid argument (os error 22)";

struct Told {
    told: WrittenSettings,
    kernel: Kernel,
}

impl Told {
    fn lists(&self) -> [Vec<String>; 3] {
        [texts(&self.told.written), texts(&self.told.left), texts(&self.told.unknown)]
    }

    fn errors(&self) -> Vec<String> {
        self.told.errors().iter().map(ToString::to_string).collect()
    }
}

/// Plans, lets `fail` break something, and writes.
fn written(
    mut files: Memory,
    of: impl FnOnce(SettingsPlan) -> SettingsPlan,
    fail: impl FnOnce(&Kernel, &mut Memory),
) -> Told {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    let plan = ready(pin!(compare(&mut ipvs.engine, &files, &declared()))).unwrap();
    assert_eq!(texts(&plan.changes().collect::<Vec<_>>()), [UDP, CONNTRACK, RETRIES]);
    fail(&kernel, &mut files);
    let told = ready(pin!(write(&mut ipvs.engine, &files, &of(plan))));
    Told { told, kernel }
}

fn write_it(plan: SettingsPlan) -> SettingsPlan {
    plan.to_be_written(true)
}

fn udp(kernel: &Kernel) -> u64 {
    kernel.initial().timeouts().udp.unwrap().as_secs()
}

#[test]
fn all_is_written_and_read_again() {
    let told = written(files(), write_it, |_, _| ());
    assert!(told.told.is_done());
    assert_eq!(texts(told.told.written()), [UDP, CONNTRACK, RETRIES]);
    assert_eq!(udp(&told.kernel), 60);
}

#[test]
fn a_plan_that_is_not_to_be_written_is_left() {
    let told = written(files(), |plan| plan, |_, _| ());
    assert!(!told.told.is_done() && told.errors().is_empty());
    assert_eq!(texts(told.told.left()), [UDP, CONNTRACK, RETRIES]);
    assert_eq!(udp(&told.kernel), 300);
}

#[test]
fn both_errors_and_what_was_written_are_told() {
    let told = written(files(), write_it, |kernel, files| {
        files.refused = Some(Setting::SYNC_RETRIES);
        kernel.fail(1, Fault::Refused(Errno::NOMEM));
    });
    let [written, left, unknown] = told.lists();
    assert_eq!((written, left), (vec![CONNTRACK.into()], vec![UDP.into(), RETRIES.into()]));
    assert!(unknown.is_empty());
    let errors = told.errors();
    assert_eq!((errors.len(), errors[0].as_str()), (2, REFUSED));
    assert!(matches!(told.told.errors()[1], SettingsError::Timeouts(_)), "{errors:?}");
    assert_eq!(udp(&told.kernel), 300);
}

#[test]
fn timeouts_are_written_after_a_failure_unless_it_stops() {
    let fail = |_: &Kernel, files: &mut Memory| files.refused = Some(Setting::SYNC_RETRIES);
    let told = written(files(), write_it, fail);
    assert_eq!(told.lists()[..2], [vec![UDP.to_owned(), CONNTRACK.into()], vec![RETRIES.into()]]);
    assert_eq!((told.errors(), udp(&told.kernel)), (vec![REFUSED.to_owned()], 60));
    let stop = |plan| write_it(plan).on_failure(OnFailure::Stop);
    let told = written(files(), stop, fail);
    assert_eq!(told.lists()[..2], [vec![CONNTRACK.to_owned()], vec![UDP.into(), RETRIES.into()]]);
    assert_eq!((told.errors(), udp(&told.kernel)), (vec![REFUSED.to_owned()], 300));
}

#[test]
fn settings_that_were_written_are_told_when_timeouts_fail() {
    let told = written(files(), write_it, |kernel, _| {
        kernel.fail(1, Fault::Refused(Errno::NOMEM));
    });
    assert_eq!(told.lists()[..2], [vec![CONNTRACK.to_owned(), RETRIES.into()], vec![UDP.into()]]);
    assert_eq!(told.errors().len(), 1);
}

#[test]
fn a_lost_answer_is_no_failure_to_write() {
    let told = written(files(), write_it, |kernel, _| kernel.fail(1, Fault::AnswerLost));
    assert_eq!(told.lists()[0], [UDP, CONNTRACK, RETRIES]);
    assert_eq!((told.errors().len(), told.told.is_done()), (1, false));
}

#[test]
fn what_cannot_be_read_again_is_unknown_if_it_failed() {
    let told = written(files(), write_it, |_, files| {
        files.refused = Some(Setting::SYNC_RETRIES);
        files.unreadable = true;
    });
    let expected = [vec![UDP.to_owned()], vec![], vec![CONNTRACK.into(), RETRIES.into()]];
    assert_eq!(told.lists(), expected);
    assert_eq!(told.errors(), [REFUSED.to_owned(), unreadable().to_string()]);
    assert!(!told.told.is_done());
}

#[test]
fn what_another_program_writes_is_left_without_an_error() {
    struct Overruled(Memory);
    impl Files for Overruled {
        fn read(&self) -> Result<Settings, SettingError> {
            self.0.read()
        }
        fn write(&self, settings: &Settings) -> Result<(), SettingError> {
            self.0.write(settings)?;
            self.0.settings.lock().unwrap().insert(Setting::SYNC_RETRIES, SettingValue::from(2));
            Ok(())
        }
    }
    let (kernel, files) = (Kernel::new(), Overruled(files()));
    let mut ipvs = Client::fake(&kernel).unwrap();
    let plan = ready(pin!(compare(&mut ipvs.engine, &files, &declared()))).unwrap();
    let told = ready(pin!(write(&mut ipvs.engine, &files, &plan.to_be_written(true))));
    assert_eq!(texts(told.written()), [UDP, CONNTRACK]);
    assert_eq!(texts(told.left()), ["setting sync_retries 2 -> 3"]);
    assert!(told.errors().is_empty() && !told.is_done());
}

#[test]
fn only_what_is_declared_is_read() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    assert!(ipvs.settings_plan(&Table::new()).unwrap().is_empty());
    let mut timeouts = Table::new();
    timeouts.set_timeouts(Timeouts::default().udp(Duration::from_secs(60)));
    let plan = ipvs.settings_plan(&timeouts).unwrap().to_be_written(true);
    assert!(ipvs.write_settings(&plan).is_done());
    assert_eq!(udp(&kernel), 60);
    let error = ipvs.settings_plan(&declared()).unwrap_err();
    assert!(matches!(error, SettingsError::Settings(SettingError::Files(_))), "{error}");
}
