//! Three services under load: one whose servers live, one with a dead server, and one whose servers
//! are all dead, with a sorry server.

use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use director::status::{DestinationState, DestinationStatus};
use ipvs_netlink::health::Pace;

use crate::stage::{
    Crowd, Daemon, PACE, Server, Stage, Watcher, at, file, id, ms, service, there, vip, wait_for,
};

const PORT: u16 = 9000;
pub(crate) const HOSTS: [u8; 3] = [0, 1, 2];
/// A host whose server is dead from the start.
pub(crate) const DEAD_HOST: u8 = 3;
/// The host of the sorry server.
const SORRY_HOST: u8 = 4;

/// All servers live.
pub(crate) fn steady() -> SocketAddr {
    vip(0, 8001)
}

/// One of three servers is dead.
pub(crate) fn faulty() -> SocketAddr {
    vip(0, 8002)
}

/// All servers are dead, and the sorry server serves.
pub(crate) fn sorry() -> SocketAddr {
    vip(0, 8003)
}

/// The pace of all checks.
pub(crate) fn pace() -> Pace {
    serde_saphyr::from_str(PACE).unwrap()
}

fn servers(hosts: &[u8]) -> Vec<SocketAddr> {
    hosts.iter().map(|host| at(*host, PORT)).collect()
}

pub(crate) fn destination(host: u8) -> ipvs_netlink::DestinationId {
    there(host, PORT)
}

/// The file, with these servers of the steady service.
pub(crate) fn file_with(hosts: &[u8]) -> String {
    let policy = format!(
        "policy: {{sorry: {{address: \"{}\", forward: masquerade}}}}",
        at(SORRY_HOST, PORT)
    );
    file(&[
        service(steady(), &servers(hosts), &[]),
        service(faulty(), &servers(&[0, 1, DEAD_HOST]), &[]),
        // The policy of the sorry server, with servers that are dead on another port.
        service(sorry(), &[at(0, 9999), at(1, 9999)], &[&policy]),
    ])
}

/// The network, the servers, the daemon, clients and the eye on the table.
pub(crate) struct Scene {
    _stage: Stage,
    pub(crate) servers: Vec<Server>,
    pub(crate) daemon: Daemon,
    pub(crate) watcher: Watcher,
    crowd: Crowd,
}

impl Scene {
    /// Starts all, and waits until the table is as the servers are.
    pub(crate) fn begin(name: &str) -> Self {
        let stage = Stage::with_hosts(5);
        let mut servers: Vec<_> = (0..5).map(|host| stage.serve(host, PORT)).collect();
        servers[usize::from(DEAD_HOST)].kill();
        let daemon = Daemon::start(&stage, name, &file_with(&HOSTS));
        let watcher = stage.watch(&[steady(), faulty(), sorry()].map(id));
        let begin = Instant::now();
        for host in HOSTS {
            watcher.back(id(steady()), destination(host), begin);
        }
        for host in [0, 1] {
            watcher.back(id(faulty()), destination(host), begin);
        }
        watcher.back(id(sorry()), destination(SORRY_HOST), begin);
        // Until nothing is unknown any more.
        for (vip, host) in [(steady(), 0), (faulty(), DEAD_HOST), (faulty(), 0)] {
            let is_known = |it: DestinationStatus| it.state != DestinationState::Unknown;
            wait_for("a verdict", || {
                daemon.destination(id(vip), destination(host)).filter(|it| is_known(it.clone()))
            });
        }
        let crowd = stage.crowd(&[steady(), faulty(), sorry()], 30);
        sleep(ms(300));
        Self { _stage: stage, servers, daemon, watcher, crowd }
    }

    /// Asserts that no service of the table has changed since a time.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, since: Instant, what: &str) {
        for vip in [steady(), faulty(), sorry()] {
            let changes = self.watcher.changes_since(id(vip), since);
            assert!(
                changes.is_empty(),
                "{what}: {vip} changed: {changes:#?}\n{}",
                self.daemon.log()
            );
        }
    }

    /// Asserts that all live servers are in rotation, and no dead one.
    #[track_caller]
    pub(crate) fn assert_live_rotation(&self) {
        let of = |vip| {
            let now = self.watcher.now(id(vip)).unwrap();
            now.into_iter().filter(|(_, weight)| *weight > 0).map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(of(steady()), HOSTS.map(destination));
        assert_eq!(of(faulty()), [0, 1].map(destination));
        assert_eq!(of(sorry()), [destination(SORRY_HOST)]);
    }

    /// Calls the clients back, and asserts that each was answered, save those of the address between
    /// the two times.
    #[track_caller]
    pub(crate) fn end(self, what: &str, except: &[(SocketAddr, Instant, Instant)]) {
        let tallies = self.crowd.stop();
        for (vip, tally) in tallies {
            let is_excused = |begin: Instant, end: Instant| {
                except.iter().any(|(of, from, to)| *of == vip && begin <= *to && end >= *from)
            };
            let failed: Vec<_> =
                tally.failed.iter().filter(|it| !is_excused(it.begin, it.end)).collect();
            let all = tally.failed.len();
            println!(
                "{what}: {vip}: {} of {} connections failed where none is promised, {all} in all",
                failed.len(),
                tally.count
            );
            assert!(tally.count > 40, "{what}: {vip}: {}", tally.count);
            assert!(failed.is_empty(), "{what}: {vip}: {failed:#?}\n{}", self.daemon.log());
        }
    }
}

/// Asserts that checks came at the rhythm of the pace: no pause of two intervals, and none too often.
/// A busy machine adds to both.
#[track_caller]
pub(crate) fn assert_rhythm(checks: &[Instant], from: Instant, to: Instant, watchers: u32) {
    let passed = to - from;
    let expected = passed.as_secs_f64() / pace().interval.as_secs_f64() * f64::from(watchers);
    let count = f64::from(u32::try_from(checks.len()).unwrap());
    assert!(count <= 1.5 * expected + 3.0, "{count} checks in {passed:?}, expected {expected}");
    let mut all = vec![from];
    all.extend(checks);
    all.push(to);
    let longest = all.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(Duration::ZERO);
    assert!(longest < 3 * pace().interval + ms(500), "a pause of {longest:?} between checks");
}
