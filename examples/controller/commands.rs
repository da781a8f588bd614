//! Commands of ipvsadm that change a wished table.

use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{Change, Command, NumericNames, Object, ServiceId};

/// What a command has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Service(ServiceId),
    Everything,
}

/// Changes a table as the commands of a text say, and returns what each has changed, or why it
/// cannot be used. Such a command changes nothing.
pub(crate) fn run(text: &[u8], table: &mut Table) -> impl Iterator<Item = Result<Changed, String>> {
    Command::parse_lines(text, &NumericNames).map(|command| {
        let (line, command) = command.map_err(|error| error.to_string())?;
        let change = command.change;
        change
            .validate()
            .map_err(|error| error.to_string())
            .and_then(|()| edit(table, change))
            .map_err(|error| format!("line {line}: {error}"))
    })
}

fn edit(table: &mut Table, change: Change) -> Result<Changed, String> {
    let object = change.object();
    let done = match change {
        Change::AddService(service) => {
            let vacant = table.get(service.id).is_none();
            if vacant {
                table.insert(TableService::new(service));
            }
            vacant
        }
        Change::UpdateService(service) => {
            let id = service.id;
            table.edit(id, |there| there.update(|settings| *settings = service)).is_some()
        }
        Change::DeleteService(id) => table.remove(id).is_some(),
        Change::AddDestination(id, destination) => {
            let add = |service: &mut TableService| {
                let vacant = service.destination(destination.id).is_none();
                if vacant {
                    service.insert(destination);
                }
                vacant
            };
            table.edit(id, add).unwrap_or(false)
        }
        Change::UpdateDestination(id, destination) => {
            let update = |service: &mut TableService| {
                service.remove(destination.id).is_some_and(|_| {
                    service.insert(destination);
                    true
                })
            };
            table.edit(id, update).unwrap_or(false)
        }
        Change::DeleteDestination(id, destination) => {
            let delete = |service: &mut TableService| service.remove(destination).is_some();
            table.edit(id, delete).unwrap_or(false)
        }
        Change::Flush => {
            *table = Table::new();
            return Ok(Changed::Everything);
        }
        other => return Err(format!("a controller does not keep this: {other}")),
    };
    match object {
        Some(Object::Service(id) | Object::Destination(id, _)) if done => Ok(Changed::Service(id)),
        Some(object) => Err(format!("{object}: {}", refusal(table, object))),
        None => Err("a command without an object".to_owned()),
    }
}

/// Says why a command about an object changes nothing.
fn refusal(table: &Table, object: Object) -> &'static str {
    let (service, destination) = match object {
        Object::Service(id) => (table.get(id), None),
        Object::Destination(id, destination) => (table.get(id), Some(destination)),
        _ => (None, None),
    };
    match (service, destination) {
        (None, _) => "no such service is wished",
        (Some(_), None) => "this service is wished already",
        (Some(service), Some(destination)) => match service.destination(destination) {
            None => "no such destination is wished",
            Some(_) => "this destination is wished already",
        },
    }
}
