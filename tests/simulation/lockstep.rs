//! The same inputs and times give the same tasks and events.

use std::time::Duration;

use ipvs_netlink::table::controller::{Controller, Event, Next, Work};

use crate::kernel::Kernel;
use crate::profile::Profile;
use crate::universe::Universe;
use crate::user::{Input, User};

/// What a controller says at one step.
#[derive(Debug, PartialEq)]
enum Said {
    Work(Work),
    Wait(Option<std::time::Instant>),
}

/// Two controllers side by side. The answers to the first are given to both.
struct Twins {
    twins: [Controller; 2],
}

impl Twins {
    fn both(&mut self, mut act: impl FnMut(&mut Controller)) {
        self.twins.iter_mut().for_each(&mut act);
    }

    /// Steps both until they wait.
    fn step(&mut self, kernel: &mut Kernel) -> u32 {
        let mut tasks = 0;
        loop {
            let now = kernel.now();
            let nexts = self.twins.each_mut().map(|twin| twin.next(now));
            let said = nexts.each_ref().map(|next| match next {
                Next::Do(task) => Said::Work(task.work().clone()),
                Next::Wait(until) => Said::Wait(*until),
            });
            assert_eq!(said[0], said[1]);
            let [Next::Do(first), Next::Do(second)] = nexts else { return tasks };
            let answer = kernel.perform(&first, first.work());
            let now = kernel.now();
            assert!(self.twins[0].answer(first.number(), answer.clone(), now));
            assert!(self.twins[1].answer(second.number(), answer, now));
            let events = self.twins.each_mut().map(|twin| twin.events().collect::<Vec<Event>>());
            assert_eq!(events[0], events[1]);
            tasks += 1;
        }
    }
}

#[test]
fn controllers_with_the_same_inputs_do_the_same() {
    let mut tasks = 0;
    for seed in 1..=12 {
        let mut profile = Profile::new(seed);
        (profile.large, profile.controllers) = (seed == 12, 1);
        let universe = Universe::new(1, profile.large);
        let options = profile.options(&universe, 0);
        let mut kernel = Kernel::new(&profile);
        let mut user = User::new(&profile, &universe, &options, 0);
        let mut wishes = crate::judge::wishes::Wishes::default();
        let mut twins = Twins { twins: [(); 2].map(|()| Controller::new(options.clone())) };
        let mut input = user.begin();
        for _ in 0..60 {
            twins.both(|twin| match &input {
                Input::Wish(wish) => twin.wish((**wish).clone()),
                Input::Forget(id) => twin.forget(*id),
                Input::WishAll(all) => twin.wish_all(all.iter().cloned()),
                Input::Resynchronize => twin.resynchronize(),
            });
            match &input {
                Input::Wish(wish) => {
                    wishes.put((**wish).clone());
                }
                Input::Forget(id) => {
                    wishes.forget(*id);
                }
                Input::WishAll(all) => {
                    wishes.current.clear();
                    for wish in all {
                        wishes.put(wish.clone());
                    }
                }
                Input::Resynchronize => {}
            }
            tasks += twins.step(&mut kernel);
            let pause = user.pause(20_000);
            for _ in 0..4 {
                kernel.wait_until(kernel.now() + pause / 4 + Duration::from_millis(1));
                tasks += twins.step(&mut kernel);
            }
            input = user.act(&wishes);
        }
    }
    assert!(tasks > 1000, "{tasks} tasks");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 5, 8] {
        let runs = [(); 2].map(|()| {
            let statistics = crate::world::run(&Profile::new(seed), None, 0);
            let statistics = statistics.unwrap_or_else(|failure| panic!("{}", failure.broken));
            statistics.to_string()
        });
        assert_eq!(runs[0], runs[1]);
    }
}
