//! Tests that no error repeats the text of its source. `Display` says everything about an error,
//! and a program that prints the error with its sources must not print anything twice.

use std::any::type_name_of_val;
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fs;
use std::path::Path;

use crate::client::SettingsError;
use crate::error::{Certainty, Context, Error, ErrorKind, Reason};
#[cfg(feature = "health")]
use crate::health::probe::{StatusError, WatchError};
use crate::health::through::{ForeignServices, ThroughError};
use crate::ipvsadm::{Command, NameError, NumericNames, Unsaid};
use crate::model::{Change, Object, Operation, Scheduler, Service, ServiceId, Setting, Stats};
use crate::procfs::{ProcfsError, SettingError};
use crate::table::{Actions, Applied, Incomplete, PlanError, ReconcileError, StepOutcome, Table};

fn web() -> ServiceId {
    "TCP 192.0.2.10:80".parse().unwrap()
}

/// Returns at least one error of every type, with all its optional parts.
fn samples() -> Vec<Box<dyn StdError>> {
    let invalid = Scheduler::new("../x").unwrap_err();
    let context = Context::about(Operation::AddService, Object::Service(web()));
    let refused = Error::refused(context, ErrorKind::Rejected, 22, None)
        .likely(&[Reason::SyncDaemonRuns, Reason::NoLoopback]);
    let plan_error =
        PlanError::Invalid { object: Object::Service(web()), invalid: invalid.clone() };
    let not_allowed = PlanError::NotAllowed {
        missing: Actions::ADD_SERVICE,
        changes: vec![Change::AddService(Service::new(web()))],
    };
    let busy = Stats { connections: 1, ..Stats::default() };
    let command_error =
        Command::parse(&["-A", "-t", "192.0.2.10:http"], &NumericNames).unwrap_err();
    vec![
        Box::new(invalid.clone()),
        Box::new(command_error),
        Box::new("-A -t 192.0.2.10:http\n".parse::<Table>().unwrap_err()),
        Box::new("-A\n".parse::<Table>().unwrap_err()),
        Box::new(Unsaid::NoWords("port 8080 with -g".into())),
        Box::new(Unsaid::Refused("persistence of 0 s")),
        Box::new(NameError::NotLookedUp),
        Box::new(NameError::Unknown),
        Box::new(NameError::Failed("the reason".into())),
        Box::new(Stats::default().since(&busy).unwrap_err()),
        Box::new(Error::invalid(context, invalid)),
        Box::new(Error::known(context, ErrorKind::DeadlineExceeded, Certainty::Unknown)),
        Box::new(
            Error::known(context, ErrorKind::NoSuchNamespace, Certainty::NotSent).at("/x".as_ref()),
        ),
        Box::new(std::io::Error::from(refused.clone())),
        Box::new(ReconcileError::from(refused.clone())),
        Box::new(ReconcileError::from(plan_error.clone())),
        Box::new(
            Applied::new(vec![StepOutcome::Failed(refused.clone())], None)
                .into_result()
                .unwrap_err(),
        ),
        Box::new(SettingsError::from(refused.clone())),
        Box::new(SettingsError::from(plan_error.clone())),
        Box::new(refused),
        Box::new(plan_error),
        Box::new(PlanError::OutOfScope(web())),
        Box::new(not_allowed),
        #[cfg(feature = "fake")]
        Box::new(crate::fake::Errno::SRCH),
        Box::new(ProcfsError::NoSuchNamespace { path: "/x".into() }),
        Box::new(Setting::SYNC_PORTS.validate(&3.into()).unwrap_err()),
        Box::new(SettingError::from(Setting::SYNC_PORTS.validate(&3.into()).unwrap_err())),
        Box::new(SettingError::from(ProcfsError::MayNotEnter)),
        Box::new(SettingError::Absent { setting: Setting::EST_NICE, any: true }),
        Box::new(SettingError::Refused { setting: Setting::EST_NICE, value: 19.into(), errno: 22 }),
        Box::new(ForeignServices { services: vec![web()] }),
        Box::new(ThroughError::NoAddress(web())),
        #[cfg(feature = "health")]
        Box::new(WatchError::Through { service: web(), error: ThroughError::NoMarks }),
        #[cfg(feature = "health")]
        Box::new(WatchError::Ended { service: web() }),
        #[cfg(feature = "health")]
        Box::new(StatusError::TimedOut),
    ]
}

#[test]
fn no_text_repeats_that_of_a_source() {
    for error in samples() {
        let text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            assert!(!text.contains(&cause.to_string()), "{text:?} has its source {cause}");
            source = cause.source();
        }
    }
}

/// Returns the names of the error types that `code` defines.
fn error_types(code: &str) -> Vec<String> {
    let name = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        text[..end].to_owned()
    };
    let written = code.split("Error for ").skip(1).map(name);
    let derived = code.split("thiserror::Error)]").skip(1).map(|rest| {
        let declared = ["pub struct ", "pub enum "].map(|word| (rest.find(word), word.len()));
        let first = declared.into_iter().filter_map(|(at, length)| Some(at? + length)).min();
        name(&rest[first.unwrap()..])
    });
    written.chain(derived).collect()
}

fn error_types_below(folder: &Path) -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                types.extend(error_types_below(&path));
            }
        } else if !path.ends_with("error_texts.rs") {
            types.extend(error_types(&fs::read_to_string(path).unwrap()));
        }
    }
    types
}

fn type_name<T: ?Sized>(value: &T) -> String {
    type_name_of_val(value).rsplit("::").next().unwrap().to_owned()
}

#[test]
fn there_is_a_sample_of_every_type() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut types = error_types_below(&sources);
    // A conversion between errors defines no type.
    types.retain(|name| name != "io" && (cfg!(feature = "fake") || name != "Errno"));
    types.retain(|name| {
        cfg!(feature = "health") || !["StatusError", "WatchError"].contains(&name.as_str())
    });
    // These stay within the files that define them.
    types.retain(|name| !["Ours", "Refusal"].contains(&name.as_str()));
    let sampled: BTreeSet<String> = samples()
        .iter()
        .map(|error| {
            let error = error.as_ref();
            macro_rules! name_of {
                ($($type:ty),*) => {
                    $(if let Some(it) = error.downcast_ref::<$type>() { return type_name(it); })*
                };
            }
            #[cfg(feature = "fake")]
            name_of!(crate::fake::Errno);
            #[cfg(feature = "health")]
            name_of!(StatusError, WatchError);
            name_of!(
                crate::model::InvalidValue,
                crate::ipvsadm::CommandError,
                crate::ipvsadm::TextError,
                crate::model::CountersReset,
                NameError,
                Error,
                ForeignServices,
                ThroughError,
                PlanError,
                ProcfsError,
                SettingError,
                SettingsError,
                crate::model::InvalidSetting,
                ReconcileError,
                Incomplete,
                Unsaid
            );
            "io".to_owned()
        })
        .filter(|name| name != "io")
        .collect();
    assert_eq!(types, sampled);
}
