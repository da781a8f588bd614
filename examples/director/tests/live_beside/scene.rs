//! What befalls the servers of both daemons at the same time, and what came of it for each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::{DestinationId, ServiceId};

use crate::sides::Side;
use crate::stage::{Crowd, Server, Stage, Watcher, id, ms, there, vip};

/// The port of servers.
pub(crate) const SERVER_PORT: u16 = 9000;
/// The port of services.
const SERVICE_PORT: u16 = 8000;
/// The hosts of servers, of the sorry server, and of one that is always dead.
pub(crate) const HOSTS: [u8; 3] = [0, 1, 2];
pub(crate) const SORRY_HOST: u8 = 3;
pub(crate) const DEAD_HOST: u8 = 4;

const CLIENTS_A_SECOND: u32 = 50;

/// The virtual address of a side.
pub(crate) fn address(side: u8) -> SocketAddr {
    vip(side, SERVICE_PORT)
}

pub(crate) fn destination(host: u8) -> DestinationId {
    there(host, SERVER_PORT)
}

/// The servers, clients and the eye on the table.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) stage: Arc<Stage>,
    pub(crate) watcher: Watcher,
    servers: Vec<Server>,
    crowd: Option<Crowd>,
    /// The interval of checks.
    unit: Duration,
}

/// What was measured of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// From each kill on.
    pub(crate) out: Vec<Duration>,
    pub(crate) failed: Vec<usize>,
    pub(crate) back: Vec<Duration>,
    pub(crate) silent: Vec<Duration>,
    /// From the death of all on.
    pub(crate) sorry: Vec<Duration>,
    pub(crate) failed_until_sorry: Vec<usize>,
    /// For how long the service was without a usable destination, in each trial.
    pub(crate) empty_at_death: Vec<Duration>,
    pub(crate) empty_at_recovery: Vec<Duration>,
    pub(crate) failed_at_recovery: Vec<usize>,
    pub(crate) failed_at_reload: usize,
    pub(crate) failed_at_restart: usize,
    pub(crate) failed_at_kill: usize,
    pub(crate) connections: usize,
    pub(crate) failed_in_all: usize,
}

impl Scene {
    /// Builds the network and the servers.
    pub(crate) fn build(unit: Duration) -> Self {
        let stage = Arc::new(Stage::with_hosts(5));
        let servers = (0..4).map(|host| stage.serve(host, SERVER_PORT)).collect();
        let watcher = stage.watch(&[id(address(0)), id(address(1))]);
        Self { stage, watcher, servers, crowd: None, unit }
    }

    /// Waits until all servers are in rotation on all sides, and starts the clients.
    pub(crate) fn begin(&mut self, sides: &[Box<dyn Side>]) {
        self.all_back(sides, Instant::now());
        let addresses: Vec<_> = sides.iter().map(|side| side.address()).collect();
        self.crowd = Some(self.stage.crowd(&addresses, CLIENTS_A_SECOND));
        sleep(self.unit);
    }

    fn all_back(&self, sides: &[Box<dyn Side>], since: Instant) -> Vec<Instant> {
        let back = |service: ServiceId| {
            let each = HOSTS.map(|host| self.watcher.back(service, destination(host), since));
            each.into_iter().max().unwrap()
        };
        sides.iter().map(|side| back(id(side.address()))).collect()
    }

    fn failed(&self, side: &dyn Side, from: Instant, to: Instant) -> usize {
        let crowd = self.crowd.as_ref().unwrap();
        crowd.so_far(side.address()).failed_between(from, to)
    }

    /// How many connections failed that began since a time. A client of a server that has died waits
    /// for its answer until after that.
    fn failed_since(&self, side: &dyn Side, what: &str, since: Instant, event: Instant) -> usize {
        let crowd = self.crowd.as_ref().unwrap();
        let failed = crowd.so_far(side.address()).failed;
        let began: Vec<_> = failed.iter().filter(|visit| visit.begin >= since).collect();
        for visit in began.iter().take(5) {
            let after = visit.begin.saturating_duration_since(event);
            let took = visit.end - visit.begin;
            println!(
                "{}: {after:.2?} after the {what}, for {took:.2?}: {}",
                side.name(),
                visit.why
            );
        }
        began.len()
    }

    /// Waits for another part of the interval each time.
    fn pause(&self, n: u64) {
        sleep(self.unit.mul_f64(0.3 + (n * 37 % 100) as f64 / 100.0));
    }

    /// Kills one server after the other, each at another time between two checks.
    pub(crate) fn deaths(&mut self, sides: &[Box<dyn Side>], to: &mut [Measured], count: u64) {
        for n in 0..count {
            let host = HOSTS[usize::try_from(n).unwrap() % HOSTS.len()];
            self.pause(n);
            let fault = Instant::now();
            self.servers[usize::from(host)].kill();
            let outs: Vec<_> = sides
                .iter()
                .map(|side| self.watcher.out(id(side.address()), destination(host), fault))
                .collect();
            sleep(ms(300));
            for ((side, out), to) in sides.iter().zip(outs).zip(&mut *to) {
                to.out.push(out - fault);
                to.failed.push(self.failed(&**side, fault, out));
            }
            self.servers[usize::from(host)].revive();
            let again = Instant::now();
            for (side, to) in sides.iter().zip(&mut *to) {
                let back = self.watcher.back(id(side.address()), destination(host), again);
                to.back.push(back - again);
            }
        }
    }

    /// Lets a server fall silent.
    pub(crate) fn silence(&mut self, sides: &[Box<dyn Side>], to: &mut [Measured], count: u64) {
        for n in 0..count {
            self.pause(n);
            let fault = Instant::now();
            self.stage.silence(2, true);
            for (side, to) in sides.iter().zip(&mut *to) {
                let out = self.watcher.out(id(side.address()), destination(2), fault);
                to.silent.push(out - fault);
            }
            self.stage.silence(2, false);
            self.all_back(sides, Instant::now());
            // Clients try again for some time.
            sleep(Duration::from_secs(4));
        }
    }

    /// Reloads a file that adds a server, which is dead.
    pub(crate) fn reload(&mut self, sides: &mut [Box<dyn Side>], to: &mut [Measured]) {
        let settled = Instant::now();
        sleep(ms(200));
        let begin = Instant::now();
        sides.iter_mut().for_each(|side| side.reload(&[0, 1, 2, DEAD_HOST]));
        sleep(5 * self.unit);
        for (side, to) in sides.iter().zip(&mut *to) {
            to.failed_at_reload = self.failed_since(&**side, "reload", settled, begin);
        }
        sides.iter_mut().for_each(|side| side.reload(&HOSTS));
        sleep(self.unit);
    }

    /// Ends and starts the daemons while a server is dead.
    pub(crate) fn restart(&mut self, sides: &mut [Box<dyn Side>], to: &mut [Measured]) {
        for with_kill in [false, true] {
            let fault = Instant::now();
            self.servers[1].kill();
            for side in sides.iter() {
                self.watcher.out(id(side.address()), destination(1), fault);
            }
            sleep(ms(100));
            let settled = Instant::now();
            sleep(ms(200));
            let begin = Instant::now();
            sides.iter_mut().for_each(|side| side.end(with_kill));
            sleep(ms(200));
            sides.iter_mut().for_each(|side| side.start_again());
            sleep(5 * self.unit);
            for (side, to) in sides.iter().zip(&mut *to) {
                let failed = self.failed_since(&**side, "restart", settled, begin);
                *(if with_kill { &mut to.failed_at_kill } else { &mut to.failed_at_restart }) =
                    failed;
            }
            self.servers[1].revive();
            self.all_back(sides, Instant::now());
            sleep(ms(300));
        }
    }

    /// Kills all servers, and revives them.
    pub(crate) fn all_die(&mut self, sides: &[Box<dyn Side>], to: &mut [Measured], count: u64) {
        for n in 0..count {
            self.pause(n);
            let fault = Instant::now();
            HOSTS.iter().for_each(|host| self.servers[usize::from(*host)].kill());
            let sorry = destination(SORRY_HOST);
            let ins: Vec<_> = sides
                .iter()
                .map(|side| self.watcher.back(id(side.address()), sorry, fault))
                .collect();
            for side in sides {
                for host in HOSTS {
                    self.watcher.out(id(side.address()), destination(host), fault);
                }
            }
            sleep(self.unit);
            let served = Instant::now();
            for ((side, sorry_in), to) in sides.iter().zip(ins).zip(&mut *to) {
                to.sorry.push(sorry_in - fault);
                // The last of the dead ones may leave after the sorry server has come.
                to.failed_until_sorry.push(self.failed(&**side, fault, served));
                to.empty_at_death.push(self.watcher.without(id(side.address()), fault).0);
            }
            HOSTS.iter().for_each(|host| self.servers[usize::from(*host)].revive());
            let again = Instant::now();
            self.all_back(sides, again);
            for side in sides {
                self.watcher.out(id(side.address()), sorry, again);
            }
            sleep(ms(500));
            for (side, to) in sides.iter().zip(&mut *to) {
                to.empty_at_recovery.push(self.watcher.without(id(side.address()), served).0);
                to.failed_at_recovery.push(self.failed_since(&**side, "recovery", served, again));
            }
        }
    }

    /// Calls the clients back.
    pub(crate) fn end(&mut self, sides: &[Box<dyn Side>], to: &mut [Measured]) {
        let tallies = self.crowd.take().unwrap().stop();
        for (side, to) in sides.iter().zip(to) {
            let tally = &tallies[&side.address()];
            to.connections = tally.count;
            to.failed_in_all = tally.failed.len();
        }
    }
}
