//! Writes a configuration as YAML, in the form that the reader takes.

use std::path::Path;
use std::time::Duration;

use ipvs_netlink::health::{Combination, Pace, PoolPolicy};
use ipvs_netlink::table::{DrainPolicy, DrainUntil, Table, TableService};
use ipvs_netlink::{SyncDaemon, Timeouts};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Checks, Commands, Configuration, OnSign, PassiveSigns, ServiceConfiguration, SharedAddress,
};

/// Why a configuration cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A setting has no form in a file, such as the private key of a client, which stays secret.
    #[error("{what}: {reason}")]
    NoForm {
        /// Where the setting is.
        what: String,
        /// Why it has no form.
        reason: String,
    },
    /// The YAML writer refused the configuration.
    #[error("as YAML: {0}")]
    Yaml(String),
}

/// Writes a configuration as YAML. Each service is written with all of its settings: the text has
/// no `defaults`.
///
/// # Errors
///
/// A setting has no form in a file: a client's private key, a check of the program's own, a
/// duration with a fraction of a millisecond, or a path that is not UTF-8.
pub fn to_yaml(configuration: &Configuration) -> Result<String, WriteError> {
    let Configuration {
        namespace,
        timeouts,
        settings,
        write_settings,
        synchronization,
        drain,
        resync,
        passive_signs,
        marks,
        services,
    } = configuration;
    let mut all = Map::new();
    let mut set = |key: &str, value: Value| all.insert(key.to_owned(), value);
    if let Some(path) = namespace {
        set("namespace", json!(text_of("namespace", path)?));
    }
    if *timeouts != Timeouts::default() {
        set("timeouts", value_of("timeouts", timeouts)?);
    }
    if !settings.is_empty() {
        set("settings", value_of("settings", settings)?);
    }
    if *write_settings {
        set("write_settings", json!(true));
    }
    if let Some(daemons) = synchronization {
        set("synchronization", daemons.iter().map(synchronization_value).collect());
    }
    if let Some(policy) = drain {
        set("drain", drain_value(policy)?);
    }
    if let Some(time) = resync {
        set("resync", duration_value("resync", *time)?);
    }
    if *passive_signs != PassiveSigns::default() {
        set("passive_signs", passive_signs_value(passive_signs)?);
    }
    if let Some(range) = marks {
        let (from, to) = range.marks().into_inner();
        set("marks", json!({"from": from, "to": to}));
    }
    let services: Result<Vec<_>, _> = services.values().map(service_value).collect();
    set("services", Value::Array(services?));
    serde_saphyr::to_string(&all).map_err(|error| WriteError::Yaml(error.to_string()))
}

fn no_form(what: &str, reason: impl ToString) -> WriteError {
    WriteError::NoForm { what: what.to_owned(), reason: reason.to_string() }
}

fn value_of(what: &str, value: impl Serialize) -> Result<Value, WriteError> {
    serde_json::to_value(value).map_err(|error| no_form(what, error))
}

fn text_of<'p>(what: &str, path: &'p Path) -> Result<&'p str, WriteError> {
    path.to_str().ok_or_else(|| no_form(what, "the path is not UTF-8"))
}

fn duration_value(what: &str, duration: Duration) -> Result<Value, WriteError> {
    match duration.subsec_nanos() {
        0 => Ok(json!(format!("{}s", duration.as_secs()))),
        nanos if nanos % 1_000_000 == 0 => Ok(json!(format!("{}ms", duration.as_millis()))),
        _ => Err(no_form(what, "a duration with a fraction of a millisecond")),
    }
}

fn passive_signs_value(signs: &PassiveSigns) -> Result<Value, WriteError> {
    let PassiveSigns { on_sign, interval, most_connections } = signs;
    let on_sign = match on_sign {
        OnSign::Ignore => json!(false),
        OnSign::Tell => json!("tell"),
        OnSign::Check => json!("check"),
    };
    let interval = duration_value("interval", *interval)?;
    Ok(json!({"on_sign": on_sign, "interval": interval, "most_connections": most_connections}))
}

fn drain_value(policy: &DrainPolicy) -> Result<Value, WriteError> {
    let until = match policy.until {
        DrainUntil::NoTraffic => "no-traffic",
        DrainUntil::NoActive => "no-active",
        DrainUntil::NoConnections => "no-connections",
        DrainUntil::NoClients => "no-clients",
        _ => return Err(no_form("drain", "an end of draining without a name")),
    };
    let deadline = match policy.deadline {
        Some(deadline) => duration_value("deadline", deadline)?,
        None => json!("none"),
    };
    Ok(json!({
        "until": until,
        "quiet": duration_value("quiet", policy.quiet)?,
        "deadline": deadline,
        "interval": duration_value("interval", policy.interval)?,
    }))
}

fn synchronization_value(daemon: &SyncDaemon) -> Value {
    let mut all = Map::new();
    let mut set = |key: &str, value: Value| all.insert(key.to_owned(), value);
    set("role", json!(daemon.role.to_string()));
    set("interface", json!(daemon.interface.to_string()));
    if daemon.sync_id != 0 {
        set("id", json!(daemon.sync_id));
    }
    if let Some(group) = daemon.group {
        set("group", json!(group));
    }
    if let Some(port) = daemon.port {
        set("port", json!(port));
    }
    if let Some(ttl) = daemon.ttl {
        set("ttl", json!(ttl));
    }
    if let Some(length) = daemon.max_length {
        set("max_length", json!(length));
    }
    Value::Object(all)
}

fn service_value(configuration: &ServiceConfiguration) -> Result<Value, WriteError> {
    let ServiceConfiguration { table, checks, checks_of, policy, commands } = configuration;
    let id = table.id().to_string();
    let mut all = table_value(&id, table)?;
    let destinations = all.remove("destinations");
    set_checks(&mut all, &id, checks)?;
    if *policy != PoolPolicy::new() {
        all.insert("policy".to_owned(), value_of(&id, policy)?);
    }
    if let Some(commands) = commands {
        all.insert("commands".to_owned(), commands_value(&id, commands)?);
    }
    if let Some(Value::Array(mut destinations)) = destinations {
        // The library writes the destinations in the order of the service.
        for (written, destination) in destinations.iter_mut().zip(table.destinations()) {
            let own = checks_of.get(&destination.id()).filter(|own| *own != checks);
            if let (Some(own), Some(written)) = (own, written.as_object_mut()) {
                set_own_checks(written, &format!("{id}: {}", destination.id()), own)?;
            }
        }
        all.insert("destinations".to_owned(), Value::Array(destinations));
    }
    Ok(Value::Object(all))
}

/// Returns the settings of the service that the table has.
fn table_value(id: &str, table: &TableService) -> Result<Map<String, Value>, WriteError> {
    let whole: Table = std::iter::once(table.clone()).collect();
    let mut written = value_of(id, &whole)?;
    let service = written.pointer_mut("/services/0").map(Value::take);
    match service {
        Some(Value::Object(service)) => Ok(service),
        _ => Err(no_form(id, "a service that is not written as a mapping")),
    }
}

fn set_checks(all: &mut Map<String, Value>, what: &str, checks: &Checks) -> Result<(), WriteError> {
    if checks.combination != Combination::default() {
        all.insert("combination".to_owned(), value_of(what, checks.combination)?);
    }
    // A pace that all checks share is written once.
    let shared = match checks.checks.as_slice() {
        [(_, first), rest @ ..] if rest.iter().all(|(_, pace)| pace == first) => Some(*first),
        _ => None,
    };
    if let Some(pace) = shared.filter(|pace| *pace != Pace::new()) {
        all.insert("pace".to_owned(), value_of(what, pace)?);
    }
    if !checks.checks.is_empty() {
        let own_paces = shared.is_none();
        all.insert("checks".to_owned(), list_value(what, checks, own_paces)?);
    }
    Ok(())
}

/// Sets the checks of a destination. Everything is written, so that nothing of the service's
/// settings is merged into it.
fn set_own_checks(
    all: &mut Map<String, Value>,
    what: &str,
    checks: &Checks,
) -> Result<(), WriteError> {
    all.insert("combination".to_owned(), value_of(what, checks.combination)?);
    all.insert("checks".to_owned(), list_value(what, checks, true)?);
    Ok(())
}

fn list_value(what: &str, checks: &Checks, own_paces: bool) -> Result<Value, WriteError> {
    let list: Result<Vec<_>, _> = checks
        .checks
        .iter()
        .map(|(probe, pace)| {
            let mut probe = value_of(what, probe)?;
            if let Some(probe) = probe.as_object_mut().filter(|_| own_paces) {
                probe.insert("pace".to_owned(), pace_value(what, *pace)?);
            }
            Ok(probe)
        })
        .collect();
    list.map(Value::Array)
}

/// Returns a pace with all of its keys, so that no key of an outer level counts.
fn pace_value(what: &str, pace: Pace) -> Result<Value, WriteError> {
    let damping = match pace.damping {
        Some(damping) => json!({
            "window": duration_value(what, damping.window)?,
            "free": damping.free,
            "most": damping.most,
        }),
        None => json!(false),
    };
    Ok(json!({
        "interval": duration_value(what, pace.interval)?,
        "changing": duration_value(what, pace.changing)?,
        "down": duration_value(what, pace.down)?,
        "rise": pace.rise,
        "fall": pace.fall,
        "first_rise": pace.first_rise,
        "damping": damping,
    }))
}

fn commands_value(what: &str, commands: &Commands) -> Result<Value, WriteError> {
    let Commands { available, unavailable, timeout, retry, shared_address } = commands;
    let mut all = Map::new();
    for (key, command) in [("available", available), ("unavailable", unavailable)] {
        if !command.is_empty() {
            all.insert(key.to_owned(), json!(command));
        }
    }
    all.insert("timeout".to_owned(), duration_value(what, *timeout)?);
    all.insert("retry".to_owned(), duration_value(what, *retry)?);
    let shared = match shared_address {
        SharedAddress::Any => "any",
        SharedAddress::All => "all",
        SharedAddress::Ignore => "ignore",
    };
    if *shared_address != SharedAddress::default() {
        all.insert("shared_address".to_owned(), json!(shared));
    }
    Ok(Value::Object(all))
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::health::probe::Probe;
    use ipvs_netlink::{Destination, Service};

    use super::*;

    #[test]
    fn a_service_is_written_with_its_checks_beside_its_settings() {
        let (first, second) = ("10.0.0.2:80".parse().unwrap(), "10.0.0.3:80".parse().unwrap());
        let table = TableService::new(Service::tcp("192.0.2.10:80".parse().unwrap()))
            .with(Destination::masquerade(first))
            .with(Destination::masquerade(second));
        let pace = Pace::new().rise(5);
        let checks = Checks { checks: vec![(Probe::tcp(), pace)], ..Checks::default() };
        let service = ServiceConfiguration {
            checks_of: [(second.into(), Checks::default())].into(),
            checks,
            policy: PoolPolicy::new().quorum(2),
            commands: None,
            table,
        };
        let services = [(service.table.id(), service)].into();
        let text = to_yaml(&Configuration { services, ..Configuration::default() }).unwrap();
        let expected = "\
services:
- tcp: 192.0.2.10:80
  pace:
    rise: 5
  checks:
  - tcp: {}
  policy:
    quorum: 2
  destinations:
  - address: 10.0.0.2:80
    forward: masquerade
    weight: 1
  - address: 10.0.0.3:80
    forward: masquerade
    weight: 1
    combination: all
    checks: []
";
        assert_eq!(text, expected);
    }
}
