//! One run: cluster, agent, kernel and the other program in one simulated time.

use std::time::{Duration, Instant};

use ipvs_netlink::table::controller::Work;

use crate::agent::{Agent, longest};
use crate::broken::Bug;
use crate::cluster::Cluster;
use crate::judge;
use crate::kernel::Kernel;
use crate::random::Random;
use crate::statistics::Statistics;

/// The most tasks of the agent between two events of a storm.
const TASKS: u32 = 12;

struct World {
    random: Random,
    cluster: Cluster,
    agent: Agent,
    kernel: Kernel,
    /// The watches are broken: what happens is not told.
    outage: bool,
    /// When the agent wants to go on. `None` means now.
    wait: Option<Instant>,
    statistics: Statistics,
}

/// Runs a seed with an agent that is sound or has a bug.
pub(crate) fn run(seed: u64, bug: Option<Bug>) -> Result<Statistics, String> {
    let mut kernel = Kernel::new(seed);
    let mut random = Random::fork(seed, "world");
    for _ in 0..4 {
        kernel.others_write();
    }
    let cluster = Cluster::new(seed);
    let agent = Agent::new(seed, &cluster, bug);
    let storms = random.between(1, 3);
    let mut world = World {
        random,
        cluster,
        agent,
        kernel,
        outage: false,
        wait: None,
        statistics: Statistics::default(),
    };
    for _ in 0..storms {
        world.storm()?;
        world.silence()?;
    }
    world.statistics.runs = 1;
    world.statistics.requests = world.kernel.requests();
    world.statistics.simulated = world.kernel.elapsed();
    Ok(world.statistics)
}

impl World {
    fn storm(&mut self) -> Result<(), String> {
        for _ in 0..self.random.between(20, 120) {
            let name = self.act();
            self.statistics.count(name, 1);
            for _ in 0..self.random.below(TASKS) {
                if !self.step()? {
                    break;
                }
            }
            let pause = self.random.pause(1, 3_000);
            self.kernel.wait_until(self.kernel.now() + pause);
        }
        Ok(())
    }

    /// Lets something happen, and returns its name.
    fn act(&mut self) -> &'static str {
        match self.random.below(100) {
            0..45 => self.events(1),
            45..55 => {
                let count = self.random.between(2, 20);
                self.events(count)
            }
            55..58 => {
                self.outage = true;
                "outage"
            }
            58..63 => self.relist(),
            63..65 => {
                self.agent.restart(&self.cluster);
                self.outage = false;
                self.wait = None;
                "restart"
            }
            65..75 => {
                self.kernel.others_write();
                "foreign"
            }
            75..80 => {
                self.kernel.change_connections();
                "connections"
            }
            _ => self.kernel.break_something(),
        }
    }

    fn events(&mut self, count: u32) -> &'static str {
        let events = (0..count).map(|_| self.cluster.event()).collect();
        if !self.outage {
            self.agent.apply(events);
            self.wait = None;
        }
        if count > 1 { "batch" } else { "event" }
    }

    fn relist(&mut self) -> &'static str {
        self.agent.relist(&self.cluster);
        self.outage = false;
        self.wait = None;
        "relist"
    }

    /// Does one task of the agent. Returns `false` if it waits.
    fn step(&mut self) -> Result<bool, String> {
        let now = self.kernel.now();
        if self.wait.is_some_and(|wait| wait > now) {
            return Ok(false);
        }
        match self.agent.next(now) {
            Ok(task) => {
                self.statistics.tasks += 1;
                let answer = self.kernel.perform(&task)?;
                let taken = self.agent.controller.answer(task.number(), answer, self.kernel.now());
                if taken { Ok(true) } else { Err("refuses the answer to its task".to_owned()) }
            }
            Err(until) => {
                self.wait = Some(until.unwrap_or(now + Duration::from_secs(100_000)));
                Ok(false)
            }
        }
    }

    /// Lets the agent work until a time.
    fn work_until(&mut self, end: Instant) -> Result<(), String> {
        while self.kernel.now() < end {
            if !self.step()? {
                self.kernel.wait_until(self.wait.map_or(end, |wait| wait.min(end)));
            }
        }
        Ok(())
    }

    /// Everybody falls silent: the table must be right in time, and stay as it is.
    fn silence(&mut self) -> Result<(), String> {
        self.kernel.heal();
        if self.outage {
            self.relist();
        }
        let expected = self.cluster.converted();
        judge::sum(&self.agent, &expected)?;
        let (_, foreign) = self.kernel.tables();
        let limit = longest(&self.agent.options);
        self.work_until(self.kernel.now() + limit)?;
        let (own, after) = self.kernel.tables();
        if let Some(how) = judge::difference(&own, &expected.table) {
            return Err(format!("{} s after all fell silent: {how}", limit.as_secs_f64()));
        }
        if foreign != after {
            return Err("a service of another program has changed".to_owned());
        }
        self.statistics.compared[0] += own.len() as u64;
        self.statistics.compared[1] += own.destinations().count() as u64;
        self.statistics.skipped += expected.skipped.len() as u64;
        self.stillness()
    }

    /// Nothing is written while nothing happens.
    fn stillness(&mut self) -> Result<(), String> {
        let end = self.kernel.now() + self.agent.options.resync.mul_f64(2.5);
        while self.kernel.now() < end {
            let now = self.kernel.now();
            match self.agent.next(now) {
                Ok(task) => {
                    if let Work::Write(changes) = task.work() {
                        return Err(format!("writes in stillness: {}", changes[0]));
                    }
                    let answer = self.kernel.perform(&task)?;
                    self.agent.controller.answer(task.number(), answer, self.kernel.now());
                }
                Err(until) => self.kernel.wait_until(until.map_or(end, |until| until.min(end))),
            }
        }
        if self.agent.controller.is_settled() {
            self.wait = None;
            Ok(())
        } else {
            Err("is not settled in stillness".to_owned())
        }
    }
}
