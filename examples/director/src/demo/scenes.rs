//! What is played.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Result;
use super::director::Director;
use super::files::{Folder, WEB};
use super::greeting::Connection;
use super::network::{Network, client_addresses};
use super::stage::{Millis, Stage, Weights, heading, say, server, web};
use crate::configuration::{self, ServiceConfiguration};

const THREE: [&str; 3] = ["alice", "bob", "carol"];

/// How long the clients are watched after a change.
const A_WHILE: Duration = Duration::from_millis(700);
/// The time to wait for an answer, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a reload adds to the file.
const CAROL: &str = "      - {address: \"10.2.3.2:8080\", weight: 10}    # carol\n";

/// The scenes, with what they need.
#[derive(Debug)]
pub(super) struct Play<'n> {
    network: &'n Network,
    folder: &'n Folder,
    pub(super) stage: Stage<'n>,
    times: Times,
}

/// The longest times that the file allows.
#[derive(Debug)]
struct Times {
    /// Until a dead server is out.
    down: Millis,
    /// Until a server that works again is in.
    up: Millis,
    /// Until that server has its whole weight.
    slow: Millis,
}

impl Times {
    fn of(service: &ServiceConfiguration) -> Result<Self> {
        let (probe, pace) = service.checks.checks.first().ok_or("the file has no check")?;
        let slow = service.policy.slow_start.ok_or("the file has no slow start")?.time;
        Ok(Self {
            down: Millis(pace.down_within(probe.timeout)),
            up: Millis(pace.up_within(probe.timeout)),
            slow: Millis(slow),
        })
    }
}

impl<'n> Play<'n> {
    /// Writes the first file.
    pub(super) fn new(network: &'n Network, folder: &'n Folder, stage: Stage<'n>) -> Result<Self> {
        folder.write(WEB)?;
        let configuration = configuration::load(&folder.configuration(), None)?.configuration;
        let service = configuration.services.values().next().ok_or("the file has no service")?;
        Ok(Self { network, folder, stage, times: Times::of(service)? })
    }

    /// Shows the network and the file, and starts the daemon.
    pub(super) fn introduce(&mut self) -> Result<Director<'n>> {
        say("Four clients connect all the time, and each asks a server for its name:\n")?;
        say(format_args!("                                  +-- alice  {}", server(0)))?;
        say(format_args!("   clients ------- director ------+-- bob    {}", server(1)))?;
        say(format_args!("   10.1.0.11       192.0.2.10     +-- carol  {}", server(2)))?;
        say(format_args!("     to .14                       +-- sorry  {}", server(3)))?;
        say(
            "\nThe file of the director, web.yaml, has alice and bob. Sorry serves while nobody else does.\n",
        )?;
        for line in WEB.lines() {
            say(format_args!("  {line}"))?;
        }
        say("\n$ director run web.yaml &")?;
        let begin = Instant::now();
        let director = Director::start(self.network, self.folder, "keep")?;
        let took = self.wait_for(begin, [Some(10), Some(10), None, None])?;
        say(format_args!(
            "The daemon has started, and both are checked and in the table, after {took}."
        ))?;
        Ok(director)
    }

    /// Plays one scene after the other. Returns the daemon as it runs at the end.
    pub(super) fn play(&mut self, director: Director<'n>) -> Result<Director<'n>> {
        self.both_work()?;
        self.reload_adds_carol(&director)?;
        self.bob_is_restarted(&director)?;
        self.weight_is_ordered(&director)?;
        self.bob_dies(&director)?;
        self.broken_file_is_refused(&director)?;
        let director = self.daemon_restarts(director)?;
        self.bob_comes_back()?;
        self.all_die()?;
        self.all_come_back()?;
        self.reload_removes_carol(&director)?;
        Ok(director)
    }

    fn both_work(&mut self) -> Result<()> {
        heading("ALICE AND BOB WORK")?;
        let begin = Instant::now();
        sleep(A_WHILE);
        self.stage.none_fails("in turn", begin)
    }

    fn reload_adds_carol(&mut self, director: &Director<'_>) -> Result<()> {
        heading("A RELOAD ADDS CAROL")?;
        self.folder.write(&format!("{WEB}{CAROL}"))?;
        let begin = Instant::now();
        director.obeyed(&["reload"])?;
        let took = self.wait_for(begin, [Some(10), Some(10), Some(10), None])?;
        sleep(A_WHILE);
        self.stage.none_fails(&format!("checked, and weight 10 after {took}"), begin)
    }

    /// An operator decides about bob, and the checks go on: they see that he is stopped. So he is
    /// put back when he works again, although his maintenance ends at once.
    fn bob_is_restarted(&mut self, director: &Director<'_>) -> Result<()> {
        heading("BOB IS DRAINED, RESTARTED AND PUT BACK")?;
        let bob = server(1).to_string();
        let begin = Instant::now();
        director.obeyed(&["drain", &bob])?;
        let took = self.stage.wait_for(begin, |[_, bob, ..]| bob == Some(0))?;
        self.stage.wait_until_idle(1)?;
        self.stage.stop(&["bob"]);
        sleep(A_WHILE);
        self.stage.none_fails(&format!("weight 0 after {took}"), begin)?;
        let begin = Instant::now();
        self.stage.start(&["bob"])?;
        director.obeyed(&["maintenance", "off", &bob])?;
        let took = self.stage.wait_for(begin, |[_, bob, ..]| bob == Some(10))?;
        let whole = Millis(self.times.up.0 + self.times.slow.0);
        self.stage.none_fails(&format!("weight 10 after {took} of at most {whole}"), begin)
    }

    fn weight_is_ordered(&mut self, director: &Director<'_>) -> Result<()> {
        heading("ALICE GETS MORE, FOR A WHILE")?;
        let alice = server(0).to_string();
        let begin = Instant::now();
        director.obeyed(&["weight", &alice, "30"])?;
        let took = self.stage.wait_for(begin, |[alice, ..]| alice == Some(30))?;
        sleep(A_WHILE);
        self.stage.none_fails(&format!("weight 30 after {took}"), begin)?;
        let begin = Instant::now();
        director.obeyed(&["weight", &alice, "file"])?;
        let took = self.stage.wait_for(begin, |[alice, ..]| alice == Some(10))?;
        self.stage.none_fails(&format!("weight 10 after {took}"), begin)
    }

    /// Until the checks have noticed, every third connection goes to bob and fails.
    fn bob_dies(&mut self, director: &Director<'_>) -> Result<()> {
        heading("BOB DIES")?;
        let begin = Instant::now();
        self.stage.stop(&["bob"]);
        let took = self.stage.wait_for(begin, |[_, bob, ..]| bob == Some(0))?;
        let down = &self.times.down;
        self.stage.some_fail(&format!("weight 0 after {took} of at most {down}"), begin)?;
        let begin = Instant::now();
        director.obeyed(&["status"])?;
        sleep(A_WHILE);
        self.stage.none_fails("from then on", begin)
    }

    fn broken_file_is_refused(&mut self, director: &Director<'_>) -> Result<()> {
        heading("A RELOAD IS REFUSED")?;
        let begin = Instant::now();
        let weights = self.stage.weights()?;
        self.folder.write(&format!("{WEB}{}", CAROL.replace("weight: 10", "weight: ten")))?;
        if director.order(&["reload"])? {
            return Err("the daemon has taken a broken file".into());
        }
        while begin.elapsed() < A_WHILE {
            if self.stage.weights()? != weights {
                return Err("the broken file has changed the table".into());
            }
        }
        self.folder.write(&format!("{WEB}{CAROL}"))?;
        self.stage.none_fails("the table stays as it is", begin)
    }

    /// The next daemon leaves the table as it is until its checks have decided.
    fn daemon_restarts(&mut self, director: Director<'n>) -> Result<Director<'n>> {
        heading("THE DAEMON RESTARTS")?;
        let (begin, weights) = (Instant::now(), self.stage.weights()?);
        director.terminate()?;
        let ended = director.wait(begin)?;
        sleep(A_WHILE);
        let director = Director::start(self.network, self.folder, "withdraw")?;
        let started = Instant::now();
        while !director.says_down(server(1)) {
            if started.elapsed() > PATIENCE {
                return Err("the next daemon has not noticed that bob is down".into());
            }
            if self.stage.weights()? != weights {
                return Err("the restart has changed the table".into());
            }
        }
        self.stage.none_fails(&format!("ended after {ended}, the table stays"), begin)?;
        Ok(director)
    }

    /// Bob begins with a fifth of his weight: his caches are empty.
    fn bob_comes_back(&mut self) -> Result<()> {
        heading("BOB COMES BACK")?;
        let begin = Instant::now();
        self.stage.start(&["bob"])?;
        let took = self.stage.wait_for(begin, |[_, bob, ..]| bob > Some(0))?;
        let up = &self.times.up;
        self.stage.none_fails(&format!("weight 2 after {took} of at most {up}"), begin)?;
        let begin = Instant::now();
        let took = self.stage.wait_for(begin, |[_, bob, ..]| bob == Some(10))?;
        let slow = &self.times.slow;
        self.stage.none_fails(&format!("weight 10 after {took} of at most {slow}"), begin)
    }

    /// The sorry server is there before the last of the three is out, and it leaves when the first
    /// is back. So the service always has a server.
    fn all_die(&mut self) -> Result<()> {
        heading("ALL THREE DIE")?;
        let begin = Instant::now();
        self.stage.stop(&THREE);
        let took = self.wait_for(begin, [Some(0), Some(0), Some(0), Some(1)])?;
        let down = &self.times.down;
        self.stage.some_fail(&format!("sorry in after {took} of at most {down}"), begin)?;
        let begin = Instant::now();
        sleep(A_WHILE);
        self.stage.none_fails("from then on", begin)
    }

    fn all_come_back(&mut self) -> Result<()> {
        heading("ALL THREE COME BACK")?;
        let begin = Instant::now();
        self.stage.start(&THREE)?;
        let took = self.stage.wait_for(begin, |[.., sorry]| sorry != Some(1))?;
        sleep(A_WHILE);
        let up = &self.times.up;
        self.stage.none_fails(&format!("sorry out after {took} of at most {up}"), begin)
    }

    fn reload_removes_carol(&mut self, director: &Director<'_>) -> Result<()> {
        heading("A RELOAD REMOVES CAROL")?;
        self.folder.write(WEB)?;
        let begin = Instant::now();
        director.obeyed(&["reload"])?;
        let took = self.stage.wait_for(begin, |[_, _, carol, _]| carol.is_none())?;
        sleep(A_WHILE);
        self.stage.none_fails(&format!("drained and gone after {took}"), begin)
    }

    /// Ends the daemon while some connections are still open.
    pub(super) fn end(&mut self, director: Director<'_>) -> Result<()> {
        heading("THE DAEMON ENDS, AND WITHDRAWS THE SERVICE")?;
        let open = |n| {
            let from = client_addresses(n).v4;
            Connection::open(&self.network.client, from, web(), PATIENCE)
        };
        let held = (0..4).map(open).collect::<std::io::Result<Vec<_>>>()?;
        let begin = Instant::now();
        director.terminate()?;
        let drained = self.stage.wait_for(begin, |[alice, bob, ..]| {
            ![alice, bob].iter().any(|weight| *weight > Some(0))
        })?;
        let attempted = held.len();
        let served = |connection: &mut Connection| {
            connection.ask()?;
            connection.close()
        };
        let results = held.into_iter().map(|mut connection| served(&mut connection));
        let failed = results.filter(std::io::Result::is_err).count();
        self.stage.promised += attempted;
        self.stage.broken += failed;
        let took = director.wait(begin)?;
        say(format_args!(
            "  weight 0 after {drained}, gone after {took}; of {attempted} open connections {failed} failed"
        ))?;
        match self.stage.weights()? {
            [None, None, None, None] => Ok(()),
            weights => Err(format!("the daemon leaves {weights:?}").into()),
        }
    }

    /// Waits until the table has these weights. Returns the time since `begin`.
    fn wait_for(&mut self, begin: Instant, weights: Weights) -> Result<Millis> {
        self.stage.wait_for(begin, |now| now == weights)
    }
}
