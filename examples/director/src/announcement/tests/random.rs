//! Whatever happens in whatever order.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use proptest::prelude::*;

use crate::announcement::tests::world::{SECOND, SETTLES, commands, id};
use crate::announcement::{Action, Announcements, Outcome, Run, State, Watch};
use crate::configuration::SharedAddress;

/// The services: three at one address, and one at another.
const COUNT: usize = 4;
/// The most commands at a time.
const MOST: usize = 3;

fn service(n: usize) -> ServiceId {
    match n {
        3 => ServiceId::udp(([192, 0, 2, 11], 53).into()),
        _ => id(u16::try_from(n).unwrap() + 80),
    }
}

#[derive(Clone, Debug)]
enum Input {
    Available(usize),
    Dead(usize),
    Serving(usize),
    NotServing(usize),
    Watch(usize),
    Forget(usize),
    /// The command that has run longest ends: it succeeds, fails before its work, or after.
    End(u8),
    Wait(u16),
}

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        (0..COUNT).prop_map(Input::Available),
        (0..COUNT).prop_map(Input::Dead),
        (0..COUNT).prop_map(Input::Serving),
        (0..COUNT).prop_map(Input::NotServing),
        (0..COUNT).prop_map(Input::Watch),
        (0..COUNT).prop_map(Input::Forget),
        (0u8..3).prop_map(Input::End),
        (0u8..3).prop_map(Input::End),
        (0u16..8000).prop_map(Input::Wait),
    ]
}

/// What the test knows of a service, by the rules in the documentation only.
#[derive(Clone, Copy, Default)]
struct Known {
    is_watched: bool,
    is_available: bool,
    is_serving: bool,
    /// Since when the table has no usable destination.
    lost: Option<Instant>,
}

struct Checked {
    rule: SharedAddress,
    machine: Announcements,
    now: Instant,
    known: [Known; COUNT],
    running: Vec<Run>,
    /// What the last command of each service has done to the network, and of each address.
    services: BTreeMap<ServiceId, State>,
    addresses: BTreeMap<std::net::IpAddr, State>,
}

impl Checked {
    fn may_be_up(&self, n: usize) -> bool {
        let known = self.known[n];
        let serves = known.is_serving || known.lost.is_some_and(|lost| self.now < lost + SECOND);
        known.is_watched && known.is_available && serves
    }

    fn neighbours(&self, n: usize) -> Vec<usize> {
        match (self.rule, n) {
            (SharedAddress::Ignore, _) | (_, 3) => vec![n],
            _ => vec![0, 1, 2],
        }
    }

    fn act(&mut self, n: usize, state: State) {
        self.services.insert(service(n), state);
        self.addresses.insert(service(n).address().unwrap().ip(), state);
    }

    fn number(id: ServiceId) -> usize {
        (0..COUNT).find(|n| service(*n) == id).unwrap()
    }

    fn end(&mut self, at: usize, kind: u8) {
        let run = self.running.remove(at);
        let outcome = match kind {
            0 => Outcome::Succeeded(String::new()),
            1 => Outcome::Failed("before".to_owned()),
            _ => Outcome::Failed("after".to_owned()),
        };
        if kind != 1 {
            self.act(Self::number(run.service), run.state);
        }
        self.machine.ended(run.number, outcome, self.now);
    }

    fn step(&mut self) {
        while let Some(action) = self.machine.due(self.now) {
            match action {
                Action::Stop(number) => {
                    let at = self.running.iter().position(|run| run.number == number).unwrap();
                    let run = self.running.remove(at);
                    assert_eq!(run.state, State::Available);
                    self.act(Self::number(run.service), run.state);
                    self.machine.ended(number, Outcome::Stopped, self.now);
                }
                Action::Start(run) => {
                    let n = Self::number(run.service);
                    let neighbours = self.neighbours(n);
                    for other in &self.running {
                        assert_ne!(other.service, run.service, "two commands of one service");
                        let shares = neighbours.contains(&Self::number(other.service));
                        assert!(!shares || other.state == run.state, "one against the other");
                    }
                    self.running.push(run.clone());
                    assert!(self.running.len() <= MOST);
                    let up = neighbours.iter().filter(|n| self.may_be_up(**n)).count();
                    match run.state {
                        State::Available => assert!(self.may_be_up(n), "{n} serves nobody"),
                        State::Unavailable => match self.rule {
                            SharedAddress::All => assert!(!self.all_up(n), "all serve"),
                            _ => assert_eq!(up, 0, "one of the address serves"),
                        },
                    }
                }
            }
        }
        assert!(self.machine.next(self.now).is_none_or(|next| next > self.now));
    }

    fn all_up(&self, n: usize) -> bool {
        let mut watched = self.neighbours(n);
        watched.retain(|n| self.known[*n].is_watched);
        !watched.is_empty() && watched.iter().all(|n| self.may_be_up(*n))
    }

    fn input(&mut self, input: &Input) {
        let now = self.now;
        match *input {
            Input::Available(n) => {
                // Pools of services that nobody watches say nothing.
                if self.known[n].is_watched {
                    self.known[n].is_available = true;
                    self.machine.available(service(n), now);
                }
            }
            Input::Dead(n) => {
                if std::mem::take(&mut self.known[n].is_available) {
                    self.machine.unavailable(service(n), now, now);
                }
            }
            Input::Serving(n) => {
                (self.known[n].is_serving, self.known[n].lost) = (true, None);
                self.machine.serving(service(n), now);
            }
            Input::NotServing(n) => {
                if std::mem::take(&mut self.known[n].is_serving) {
                    self.known[n].lost = Some(now);
                    self.machine.not_serving(service(n), now);
                }
            }
            Input::Watch(n) => {
                let commands = Some(commands(self.rule));
                let (service, is_serving) = (service(n), self.known[n].is_serving);
                self.machine.watch(Watch { service, commands, settles: SETTLES, is_serving }, now);
                if !std::mem::replace(&mut self.known[n].is_watched, true) {
                    self.known[n].lost = None;
                }
            }
            Input::Forget(n) => {
                (self.known[n].is_watched, self.known[n].is_available) = (false, false);
                self.machine.forget(service(n), now);
                self.machine.pool_ended(service(n), now);
            }
            Input::End(kind) => {
                if !self.running.is_empty() {
                    self.end(0, kind);
                }
            }
            Input::Wait(time) => self.wait(Duration::from_millis(time.into())),
        }
        self.step();
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.machine.next(self.now).filter(|next| *next <= end) {
            self.now = next;
            self.step();
        }
        self.now = end;
        self.step();
    }

    /// Nothing happens any more, and commands succeed.
    fn finish(&mut self) {
        for _ in 0..50 {
            self.wait(10 * SECOND);
            while !self.running.is_empty() {
                self.end(0, 0);
                self.step();
            }
        }
        assert!(self.machine.is_settled() && self.machine.forgotten().next().is_none());
        for n in 0..COUNT {
            let announced = self.services.get(&service(n)).copied();
            let neighbours = self.neighbours(n);
            let any_up = neighbours.iter().any(|n| self.may_be_up(*n));
            match self.rule {
                SharedAddress::All => {
                    let state = match self.all_up(n) {
                        true => State::Available,
                        false => State::Unavailable,
                    };
                    if self.known[n].is_watched {
                        assert_eq!(announced, Some(state), "{n}");
                    }
                    self.address_is(n, state);
                }
                _ if self.may_be_up(n) => {
                    assert_eq!(announced, Some(State::Available), "{n}");
                    if self.rule == SharedAddress::Any {
                        self.address_is(n, State::Available);
                    }
                }
                _ if any_up => {}
                _ => {
                    // One that has left an address which others announced is nobody's business.
                    if self.known[n].is_watched || self.rule == SharedAddress::Ignore {
                        assert_ne!(announced, Some(State::Available), "{n}");
                    }
                    if self.rule == SharedAddress::Any {
                        self.address_is(n, State::Unavailable);
                    }
                }
            }
        }
    }

    /// The last command of an address was one for this state. Nothing has run where nobody was
    /// watched.
    fn address_is(&self, n: usize, state: State) {
        let address = service(n).address().unwrap().ip();
        if let Some(last) = self.addresses.get(&address) {
            assert_eq!(*last, state, "the address of {n}");
        }
    }
}

fn play(rule: SharedAddress, inputs: &[Input]) {
    let mut checked = Checked {
        rule,
        machine: Announcements::new(MOST),
        now: Instant::now(),
        known: Default::default(),
        running: Vec::new(),
        services: BTreeMap::new(),
        addresses: BTreeMap::new(),
    };
    for n in 0..COUNT {
        checked.input(&Input::Watch(n));
    }
    for input in inputs {
        checked.input(input);
    }
    checked.finish();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_announced_is_what_is_to_be_announced(
        rule in prop_oneof![
            Just(SharedAddress::Any), Just(SharedAddress::All), Just(SharedAddress::Ignore),
        ],
        inputs in prop::collection::vec(inputs(), 0..60),
    ) {
        play(rule, &inputs);
    }
}
