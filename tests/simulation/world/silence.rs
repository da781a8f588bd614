//! The time after a storm: the controllers must finish, and then keep still.

use std::time::{Duration, Instant};

use ipvs_netlink::{Connections, ServiceSnapshot, Snapshot, Stats};

use crate::bug::Bug;
use crate::connections::ended;
use crate::health::Program;
use crate::judge::convergence::{self, CONNECTIONS_END};
use crate::judge::{Broken, Promise};
use crate::keeper::{Keeper, Notes};
use crate::world::World;

impl World {
    /// Everybody falls silent: the controllers must finish, and then keep still.
    pub(super) fn silence(&mut self) -> Result<(), Broken> {
        self.armed = None;
        self.kernel.heal();
        self.recover()?;
        let begin = self.kernel.now();
        self.trace.note(begin, || "silence".to_owned());
        for index in 0..self.keepers.len() {
            let keeper = &mut self.keepers[index];
            for input in keeper.user.come_to_reason(&keeper.court.wishes) {
                keeper.input(
                    &input,
                    begin,
                    &mut Notes { statistics: &mut self.statistics, trace: &mut self.trace },
                )?;
            }
        }
        let outside = self.outside(&self.kernel.truth());
        self.settle(begin)?;
        for keeper in &mut self.keepers {
            if keeper.bug == Some(Bug::Deaf) {
                let input = keeper.user.begin();
                keeper.hears_nothing(&input, self.kernel.now());
            }
        }
        let truth = self.kernel.truth();
        for keeper in &self.keepers {
            keeper.program.iter().try_for_each(Program::is_as_desired)?;
            convergence::judge(&keeper.court, &truth)
                .map_err(|how| Broken::new(Promise::Convergence, how))?;
            keeper.court.settled()?;
            keeper.agrees_on_serving(&truth)?;
        }
        if self.outside(&truth) != outside {
            return Err(Broken::new(Promise::Scope, "what is outside every scope has changed"));
        }
        self.stillness()
    }

    /// All servers work again: steps until the programs know.
    fn recover(&mut self) -> Result<(), Broken> {
        let now = self.kernel.now();
        let programs = self.keepers.iter_mut().filter_map(|keeper| keeper.program.as_mut());
        let Some(end) = programs.map(|program| program.heal(now)).max() else { return Ok(()) };
        loop {
            let busy = self.step(false)?;
            let now = self.kernel.now();
            let mut programs = self.keepers.iter().filter_map(|keeper| keeper.program.as_ref());
            if programs.all(|program| program.is_at_rest(now)) {
                return Ok(());
            }
            if now > end {
                return Err(Broken::new(Promise::Health, "servers work, and are not back"));
            }
            if !busy {
                let next = self.waits().min();
                self.kernel.wait_until(next.map_or(end, |next| next.min(end)));
            }
        }
    }

    /// Steps until all controllers have settled, or one of them is too late.
    fn settle(&mut self, begin: Instant) -> Result<(), Broken> {
        let before: Vec<u64> = self.keepers.iter().map(|keeper| keeper.tasks).collect();
        let mut open: Vec<usize> = (0..self.keepers.len()).collect();
        let mut connections_end = Some(begin + CONNECTIONS_END);
        while !open.is_empty() {
            let now = self.kernel.now();
            if connections_end.is_some_and(|end| end <= now) {
                self.kernel.traffic(&ended(&self.kernel.truth()));
                connections_end = None;
            }
            let busy = self.step(false)?;
            let now = self.kernel.now();
            for index in std::mem::take(&mut open) {
                let keeper = &self.keepers[index];
                let options = &keeper.court.options;
                // What others did last shows in the next reading of everything.
                let noticed = now > begin + options.resync.mul_f64(1.1);
                if noticed && keeper.controller.is_settled() {
                    continue;
                }
                let most = convergence::most_tasks(options, self.universe.len());
                if now > begin + convergence::longest(options)
                    || keeper.tasks - before[index] > most
                {
                    let (after, tasks) = (now - begin, keeper.tasks - before[index]);
                    let how = format!(
                        "controller {index} is not settled after {after:?} and {tasks} tasks"
                    );
                    return Err(Broken::new(Promise::Convergence, how));
                }
                open.push(index);
            }
            if !busy {
                let next = self.waits().chain(connections_end).min();
                let latest = now + Duration::from_secs(1);
                self.kernel.wait_until(next.map_or(latest, |next| next.min(latest)));
            }
        }
        Ok(())
    }

    /// Nothing but resynchronizations may happen for a while.
    fn stillness(&mut self) -> Result<(), Broken> {
        let begin = self.kernel.now();
        let resync = self.keepers.iter().map(|keeper| keeper.court.options.resync).max();
        let end = begin + resync.unwrap_or_default().mul_f64(2.5);
        for keeper in &mut self.keepers {
            keeper.watch_stillness();
        }
        while self.kernel.now() < end {
            if !self.step(false)? {
                let next = self.waits().min();
                self.kernel.wait_until(next.map_or(end, |next| next.min(end)));
            }
            for keeper in &mut self.keepers {
                if keeper.bug == Some(Bug::Nosy) {
                    keeper.controller.resynchronize();
                    keeper.wait = None;
                }
                keeper.is_still(self.kernel.now() - begin)?;
            }
        }
        Ok(())
    }

    /// The services that no controller may change.
    fn outside(&self, truth: &Snapshot) -> Vec<ServiceSnapshot> {
        let mut outside = Vec::new();
        for present in truth {
            let may = |keeper: &Keeper| {
                keeper.court.wishes.may_change(&keeper.court.options, present.id())
            };
            if !self.keepers.iter().any(may) {
                let mut present = present.clone();
                present.entry.stats = Stats::default();
                for entry in &mut present.destinations {
                    entry.stats = Stats::default();
                    entry.connections = Connections::default();
                }
                outside.push(present);
            }
        }
        outside
    }
}
