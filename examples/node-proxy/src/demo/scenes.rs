//! What is played.

use std::env::current_exe;
use std::error::Error;
use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::table::Table;
use ipvs_netlink::{Destination, Service};

use super::agent::Agent;
use super::cluster::{cluster_ip, put_objects};
use super::pods::Phase;
use super::stage::{Stage, address, name};
use super::traffic::{Load, Tally, Traffic};
use super::{Result, say};
use crate::api_server::ApiServer;

/// How many pods the deployment has.
const REPLICAS: u8 = 3;
/// How long the clients are watched after a change.
const A_WHILE: Duration = Duration::from_millis(300);
/// How long a pod serves after it was told to end.
const GRACE: Duration = Duration::from_millis(600);

/// The scenes, with what they need.
#[derive(Debug)]
pub(super) struct Play {
    // Fields are dropped in this order: the agent ends before its server.
    traffic: Option<Traffic>,
    agent: Option<Agent>,
    server: Option<ApiServer>,
    stage: Stage,
    /// What the last line has told.
    told: Tally,
}

impl Play {
    /// Builds the network, and starts the API server and the first pods.
    pub(super) fn new() -> Result<Self> {
        let mut stage = Stage::new(2 * REPLICAS)?;
        let server = stage.network.director.run(ApiServer::start)?;
        put_objects(&server)?;
        for n in 0..REPLICAS {
            stage.start(n)?;
        }
        stage.publish(&server)?;
        Ok(Self { traffic: None, agent: None, server: Some(server), stage, told: Tally::default() })
    }

    /// Shows the network, and starts the agent and the clients.
    pub(super) fn introduce(&mut self) -> Result<()> {
        say(format_args!(
            "Clients of the service web connect all the time. A short connection asks a pod for its name \
             once,\na long one until the pod says goodbye.\n"
        ))?;
        say(format_args!("                                 +-- {}  {}", name(0), address(0)))?;
        say(format_args!("   clients ------ node-a --------+-- {}  {}", name(1), address(1)))?;
        say(format_args!("                  10.96.0.10:80  +-- {}  {}", name(2), address(2)))?;
        say("\n$ node-proxy run --node-name node-a --api-server URL &")?;
        let begin = Instant::now();
        self.start_agent()?;
        let synchronized = self.agent.as_ref().map_or(Ok(()), Agent::synchronized);
        synchronized.map_err(|error| self.with_log(&*error))?;
        let took = Millis(begin.elapsed());
        say(format_args!("The agent has started, and the table is right, after {took}:\n"))?;
        let table = Table::from(&self.stage.ipvs.snapshot()?).to_string();
        for line in table.lines() {
            say(format_args!("  {line}"))?;
        }
        self.start_traffic()
    }

    /// Replaces all pods one by one, as a deployment does.
    pub(super) fn roll(&mut self) -> Result<()> {
        heading("THE DEPLOYMENT ROLLS")?;
        for old in 0..REPLICAS {
            self.replace(old, old + REPLICAS)?;
        }
        let begin = Instant::now();
        for old in 0..REPLICAS {
            self.stage.wait_for(old, begin, |weight| weight.is_none())?;
        }
        self.row("the old ones have drained, and are gone from the table")
    }

    /// Changes the deployment while the API server is away. The agent learns it from the next one.
    pub(super) fn lose_the_api_server(&mut self) -> Result<()> {
        heading("THE API SERVER IS AWAY")?;
        let address = self.server()?.address();
        self.server = None;
        sleep(3 * A_WHILE);
        self.row("the table stays")?;
        let gone = REPLICAS;
        self.stage.enter(gone, Phase::Terminating);
        let server = self.stage.network.director.run(|| ApiServer::start_at(address))?;
        put_objects(&server)?;
        self.stage.publish(&server)?;
        self.server = Some(server);
        let took = self.weight_of(gone, Some(0))?;
        sleep(A_WHILE);
        self.end_pod(gone)?;
        self.row(&format!("it is back: {} terminates, weight 0 after {took}", name(gone)))
    }

    /// Changes the deployment while no agent runs.
    pub(super) fn restart_the_agent(&mut self) -> Result<()> {
        heading("THE AGENT RESTARTS")?;
        let agent = self.agent.take().ok_or("there is no agent")?;
        agent.terminate()?;
        sleep(A_WHILE);
        self.row("it has ended, and the table stays")?;
        self.stage.start(0)?;
        self.stage.publish(self.server()?)?;
        self.start_agent()?;
        let took = self.weight_of(0, Some(1))?;
        sleep(A_WHILE);
        self.row(&format!("it is back: {} is new, and serves after {took}", name(0)))
    }

    /// Ends the clients and the agent. Returns what became of all connections.
    pub(super) fn stop(&mut self) -> Result<Tally> {
        let (tally, reasons) = self.stop_traffic()?;
        for reason in reasons {
            say(format_args!("  failed: {reason}"))?;
        }
        if let Some(agent) = self.agent.take() {
            agent.terminate()?;
        }
        Ok(tally)
    }

    /// Rolls the deployment once more, and deletes each destination when its pod is not ready any more.
    pub(super) fn roll_without_drain(&mut self) -> Result<Tally> {
        self.start_traffic()?;
        heading("FOR COMPARISON: DESTINATIONS ARE DELETED AT ONCE")?;
        let service = Service::tcp(cluster_ip()).id;
        for (old, new) in [(4, 1), (5, 2)] {
            self.stage.start(new)?;
            self.stage.ipvs.add_destination(service, &Destination::masquerade(address(new)))?;
            sleep(A_WHILE);
            self.stage.ipvs.delete_destination(service, address(old).into())?;
            self.stage.enter(old, Phase::Terminating);
            sleep(GRACE);
            self.stage.enter(old, Phase::Gone);
            self.row(&format!("{} takes the place of {}", name(new), name(old)))?;
        }
        Ok(self.stop_traffic()?.0)
    }

    /// Starts a pod, and ends another one when the first is ready.
    fn replace(&mut self, old: u8, new: u8) -> Result<()> {
        self.stage.start(new)?;
        self.stage.publish(self.server()?)?;
        let ready = self.weight_of(new, Some(1))?;
        sleep(A_WHILE);
        self.row(&format!("{} is ready, serves after {ready}", name(new)))?;
        self.stage.enter(old, Phase::Terminating);
        self.stage.publish(self.server()?)?;
        let drains = self.weight_of(old, Some(0))?;
        sleep(GRACE);
        self.end_pod(old)?;
        sleep(A_WHILE);
        self.row(&format!("{} terminates, weight 0 after {drains}", name(old)))
    }

    fn end_pod(&self, n: u8) -> Result<()> {
        self.stage.enter(n, Phase::Gone);
        self.stage.publish(self.server()?)
    }

    fn weight_of(&mut self, n: u8, weight: Option<u32>) -> Result<Millis> {
        // A destination that is gone has drained already.
        let waited = self.stage.wait_for(n, Instant::now(), |now| {
            now == weight || (weight == Some(0) && now.is_none())
        });
        waited.map(Millis).map_err(|error| self.with_log(&*error))
    }

    fn server(&self) -> Result<&ApiServer> {
        self.server.as_ref().ok_or_else(|| "the API server is away".into())
    }

    fn start_agent(&mut self) -> Result<()> {
        let url = self.server()?.url();
        let agent =
            Agent::start(&self.stage.network.director, &self.stage.state, &current_exe()?, &url)?;
        self.agent = Some(agent);
        Ok(())
    }

    fn start_traffic(&mut self) -> Result<()> {
        self.told = Tally::default();
        let load = Load { to: vec![cluster_ip()], rate: 40, long: 6, lifetime: Duration::MAX };
        self.traffic = Some(Traffic::start(&self.stage.network.client, load)?);
        Ok(())
    }

    /// Returns what became of all connections, and why the first of the failed ones failed.
    fn stop_traffic(&mut self) -> Result<(Tally, Vec<String>)> {
        Ok(self.traffic.take().ok_or("there are no clients")?.stop())
    }

    /// Prints what has become of the connections that ended since the last line.
    fn row(&mut self, what: &str) -> Result<()> {
        let now = self.traffic.as_ref().map(Traffic::so_far).unwrap_or_default();
        let before = std::mem::replace(&mut self.told, now);
        let short = now.short - before.short;
        let long = now.long - before.long;
        let failed = now.failed() - before.failed();
        say(format_args!("  {what:58}{short:>6}{long:>6}{failed:>8}"))
    }

    /// Adds what the agent has told last.
    fn with_log(&self, error: &dyn Error) -> Box<dyn Error> {
        let log = self.agent.as_ref().map(Agent::end_of_log).unwrap_or_default();
        format!("{error}\nThe agent's log ends with:\n{log}").into()
    }
}

/// A time in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0.as_millis())
    }
}

/// Prints the title of a scene, above the columns of its rows.
fn heading(title: &str) -> Result<()> {
    say(format_args!("\n{title:60}{:>6}{:>6}{:>8}", "short", "long", "failed"))
}
