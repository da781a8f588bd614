//! Orders and files that arrive at the daemon.

use std::path::Path;
use std::time::{Duration, Instant};

use director::control::protocol::Order;
use ipvs_netlink::health::MaintenanceKind;
use rustix::process::Signal;

use crate::chance::Chance;
use crate::soak::{ORDERED_HOSTS, PORT, calm, file_of};
use crate::stage::{Daemon, Pulse, id, there};

/// How many there were of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) orders: usize,
    pub(crate) reloads: usize,
    pub(crate) broken: usize,
}

fn end_maintenance(host: u8) -> Order {
    Order::EndMaintenance { service: None, destination: there(host, PORT) }
}

fn drain(host: u8, lasts: Option<Duration>) -> Order {
    let (kind, by) = (MaintenanceKind::Drain, "the soak".to_owned());
    let destination = there(host, PORT);
    Order::Maintain { service: Some(id(calm())), destination, kind, by, lasts }
}

fn weight(host: u8, weight: Option<u32>) -> Order {
    Order::Weight { service: Some(id(calm())), destination: there(host, PORT), weight }
}

/// Gives one order for a server that never fails. At most one of these is out of the rotation.
pub(crate) fn order(daemon: &Daemon, chance: &mut Chance, counts: &mut Counts) {
    let host = chance.one(&ORDERED_HOSTS);
    let lasts = match chance.below(2) {
        0 => None,
        _ => Some(Duration::from_secs(1 + chance.below(3))),
    };
    let order = match chance.below(5) {
        0 => {
            for host in ORDERED_HOSTS {
                // Refused where there is none.
                let _ = daemon.order(&end_maintenance(host));
            }
            drain(host, lasts)
        }
        1 => weight(host, Some(1 + u32::try_from(chance.below(9)).unwrap())),
        2 => weight(host, None),
        3 => Order::CheckNow(there(host, PORT)),
        _ => {
            assert!(daemon.status().services.len() > 2);
            counts.orders += 1;
            return;
        }
    };
    let answer = daemon.order(&order);
    let is_done = answer.is_ok() || matches!(order, Order::Weight { weight: None, .. });
    assert!(is_done, "{order:?}: {answer:?}\n{}", daemon.log());
    counts.orders += 1;
}

/// Ends what orders have begun.
pub(crate) fn end(daemon: &Daemon) {
    for host in ORDERED_HOSTS {
        let _ = daemon.order(&end_maintenance(host));
        let _ = daemon.order(&weight(host, None));
    }
}

/// Leaves a maintenance and a weight for the state file.
pub(crate) fn leave_some(daemon: &Daemon) {
    daemon.order(&drain(0, None)).unwrap();
    daemon.order(&weight(1, Some(7))).unwrap();
}

/// Reloads a file, sometimes a broken one.
pub(crate) fn reload(
    daemon: &Daemon,
    folder: &Path,
    pulse: &Pulse,
    chance: &mut Chance,
    counts: &mut Counts,
) {
    let text = file_of(folder, chance.below(4));
    let broken = match chance.below(8) {
        0 => Some(text[..text.len() / 2].trim_end_matches('}').to_owned() + "\n  - {"),
        1 => Some(format!("{text}\nno_such_key: 1\n")),
        2 => Some(text.replacen("interval: 200ms", "interval: 0", 1)),
        3 => Some(String::new()),
        _ => None,
    };
    daemon.write(broken.as_deref().unwrap_or(&text));
    let begin = Instant::now();
    match (chance.below(2), &broken) {
        (0, _) => daemon.signal(Signal::HUP),
        (_, None) => drop(daemon.reload().unwrap()),
        (_, Some(broken)) => {
            let refused = daemon.reload();
            assert!(refused.is_err(), "{broken}\nwas taken over: {refused:?}");
        }
    }
    let (took, delay) = (begin.elapsed(), pulse.delay(begin, Instant::now()));
    // A busy machine stops everything now and then.
    assert!(took < Duration::from_secs(10) + 2 * delay, "a reload took {took:?}, delays {delay:?}");
    counts.reloads += 1;
    counts.broken += usize::from(broken.is_some());
    if broken.is_some() {
        // A restart needs a good file.
        daemon.write(&text);
    }
}
