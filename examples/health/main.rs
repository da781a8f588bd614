//! Health checks in half a minute: servers die and come back while clients connect all the time.
//! Each line says how long a change took, and how many connections failed.
//!
//! `cargo run --example health` needs neither root nor a host with IPVS: Cargo's runner boots a
//! kernel that has it. As root on a host with IPVS it uses the host's kernel. Everything happens in
//! network namespaces of this process, which end with it.
//!
//! `balancer.rs` is the part to copy into a program of your own.

mod balancer;
mod clients;
#[path = "../quickstart/greeting.rs"]
mod greeting;
#[path = "../quickstart/network.rs"]
mod network;
mod stage;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use balancer::{Balancer, PACE, SLOW_START, probe};
use clients::Clients;
use network::Network;
use stage::{Millis, Stage, heading, say, server, web};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const HELP: &str = "\
Health checks in half a minute: servers die and come back while clients connect all the time, in
network namespaces of its own. Prints how long each change took and how many connections failed.

usage: health

`cargo run --example health` needs neither root nor a kernel with IPVS.
Exit codes: 0 no connection failed that must not, 1 some did, 2 wrong arguments";

const THREE: [&str; 3] = ["alice", "bob", "carol"];

/// How long the clients are watched after a change.
const A_WHILE: Duration = Duration::from_millis(700);

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        None => {}
        Some(word) if word == "-h" || word == "--help" => {
            writeln!(io::stdout(), "{HELP}").ok();
            return ExitCode::SUCCESS;
        }
        Some(_) => {
            writeln!(io::stderr(), "{HELP}").ok();
            return ExitCode::from(2);
        }
    }
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // Nobody reads any further.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "health: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == ErrorKind::BrokenPipe)
}

/// Returns how many connections failed of which the policy promises that none does.
fn run() -> Result<usize> {
    let network = Network::with_servers(4)
        .map_err(|error| format!("cannot make a network of namespaces, as root can: {error}"))?;
    let clients = Clients::of(web());
    let mut stage = Stage::new(&network, &clients)?;
    let balancer = introduce(&mut stage, &network)?;
    let balancer = thread::scope(|scope| {
        for number in 0..4 {
            let (clients, network) = (&clients, &network);
            scope.spawn(move || clients.visit(network, number));
        }
        let played = play(&mut stage, &network, balancer);
        clients.go_home();
        played
    })?;
    balancer.stop();
    let (broken, promised) = (stage.broken, stage.promised);
    say(format_args!(
        "\n{broken} of {promised} connections failed where the policy promises none"
    ))?;
    Ok(broken)
}

fn introduce(stage: &mut Stage<'_>, network: &Network) -> Result<Balancer> {
    say("Four clients connect all the time, and each asks a server for its name:\n")?;
    say(format_args!("                                  +-- alice  {}", server(0)))?;
    say(format_args!("   clients ------- director ------+-- bob    {}", server(1)))?;
    say(format_args!("   10.1.0.11       192.0.2.10     +-- carol  {}", server(2)))?;
    say(format_args!("     to .14                       +-- sorry  {}", server(3)))?;
    say(format_args!(
        "\nThe director checks alice, bob and carol every {}, and every {} while\n\
         results differ. {} failures in a row take one out, {} successes bring it back.\n\
         The sorry server serves while all three are out.",
        Millis(PACE.interval),
        Millis(PACE.changing),
        PACE.fall,
        PACE.rise
    ))?;
    let begin = Instant::now();
    let balancer = Balancer::start(network)?;
    let took = stage.wait_for(begin, |weights| weights == [Some(10), Some(10), Some(10), None])?;
    let first = Millis(PACE.changing + probe().timeout);
    say(format_args!("The three are checked and in the table after {took} of at most {first}."))?;
    Ok(balancer)
}

/// Plays one scene after the other. Returns the program of the director as it runs at the end.
fn play(stage: &mut Stage<'_>, network: &Network, balancer: Balancer) -> Result<Balancer> {
    // The longest times that the pace and the timeout of the checks allow.
    let down = Millis(PACE.down_within(probe().timeout));
    let up = Millis(PACE.up_within(probe().timeout));
    let whole = Millis(up.0 + SLOW_START);

    heading("ALL THREE WORK")?;
    let begin = Instant::now();
    sleep(A_WHILE);
    stage.none_fails("in turn", begin)?;

    // An operator decides about bob, and the checks go on: they see that he is stopped. So he is
    // put back when he works again, although his maintenance ends at once.
    heading("BOB IS DRAINED, RESTARTED AND PUT BACK")?;
    let begin = Instant::now();
    balancer.drain(server(1));
    let took = stage.wait_for(begin, |[_, bob, ..]| bob == Some(0))?;
    stage.wait_until_idle(1)?;
    stage.stop(&["bob"]);
    sleep(A_WHILE);
    stage.none_fails(&format!("weight 0 after {took}"), begin)?;
    let begin = Instant::now();
    stage.start(&["bob"])?;
    balancer.undrain(server(1));
    let took = stage.wait_for(begin, |[_, bob, ..]| bob == Some(10))?;
    stage.none_fails(&format!("weight 10 after {took} of at most {whole}"), begin)?;

    // Until the checks have noticed, every third connection goes to bob and fails.
    heading("BOB DIES")?;
    let begin = Instant::now();
    stage.stop(&["bob"]);
    let took = stage.wait_for(begin, |[_, bob, ..]| bob == Some(0))?;
    stage.some_fail(&format!("weight 0 after {took} of at most {down}"), begin)?;
    let begin = Instant::now();
    sleep(A_WHILE);
    stage.none_fails("from then on", begin)?;

    // The next program knows nothing. It leaves the table as it is until its checks have decided.
    heading("THE PROGRAM OF THE DIRECTOR RESTARTS")?;
    let (begin, weights) = (Instant::now(), stage.weights()?);
    balancer.stop();
    sleep(A_WHILE);
    let balancer = Balancer::start(network)?;
    while begin.elapsed() < 3 * A_WHILE {
        if stage.weights()? != weights {
            return Err("the restart has changed the table".into());
        }
    }
    stage.none_fails("the table stays as it is", begin)?;

    // Bob begins with a fifth of his weight: his caches are empty.
    heading("BOB COMES BACK")?;
    let begin = Instant::now();
    stage.start(&["bob"])?;
    let took = stage.wait_for(begin, |[_, bob, ..]| bob > Some(0))?;
    stage.none_fails(&format!("weight 2 after {took} of at most {up}"), begin)?;
    let begin = Instant::now();
    let took = stage.wait_for(begin, |[_, bob, ..]| bob == Some(10))?;
    let slow = Millis(SLOW_START);
    stage.none_fails(&format!("weight 10 after {took} of at most {slow}"), begin)?;

    // The sorry server is there before the last of the three is out, and it leaves when the first
    // is back. So the service always has a server.
    heading("ALL THREE DIE")?;
    let begin = Instant::now();
    stage.stop(&THREE);
    let sorry_alone = [Some(0), Some(0), Some(0), Some(1)];
    let took = stage.wait_for(begin, |weights| weights == sorry_alone)?;
    stage.some_fail(&format!("sorry in after {took} of at most {down}"), begin)?;
    let begin = Instant::now();
    sleep(A_WHILE);
    stage.none_fails("from then on", begin)?;

    heading("ALL THREE COME BACK")?;
    let begin = Instant::now();
    stage.start(&THREE)?;
    let took = stage.wait_for(begin, |[.., sorry]| sorry != Some(1))?;
    sleep(A_WHILE);
    stage.none_fails(&format!("sorry out after {took} of at most {up}"), begin)?;
    Ok(balancer)
}
