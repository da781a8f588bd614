//! The loop: keys, news and signals in, the screen out.

mod session;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

pub use session::{Beginning, Next, Session};

use crate::arguments::Arguments;
use crate::keys::Decoder;
use crate::labels::{self, LabelsError};
use crate::manners::{Glyphs, Manners, Theme};
use crate::once;
use crate::reading::{Bell, Source};
use crate::remembered::Place;
use crate::state::{Filter, Settings, View};
use crate::terminal::{self, Panics, Signal, Signals, Taken};

/// How long a key Escape may be the beginning of another key.
const ESCAPE: Duration = Duration::from_millis(50);

/// How often the screen is drawn without news, for its clock.
const TICK: Duration = Duration::from_secs(1);

/// Why the program ends without success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The name of the namespace is none.
    #[error("--netns: {0}")]
    Namespace(String),
    /// The table file cannot be used.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// Input or output is no terminal.
    #[error("standard input and output are no terminal: use --once or --json")]
    NoTerminal,
    /// The terminal fails.
    #[error("the terminal: {0}")]
    Terminal(#[source] io::Error),
    /// The system gives no thread, descriptor or handler.
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    /// The table cannot be read.
    #[error("the table cannot be read: {0}")]
    Table(#[from] ipvs_netlink::Error),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[source] io::Error),
    /// A signal with this number ended the program.
    #[error("ended by signal {0}")]
    Signal(i32),
    /// A thread panicked, and has said so.
    #[error("ended after a panic")]
    Panicked,
    /// The user left while an order was being carried out, which failed.
    #[error("the last order: {0}")]
    Order(String),
    /// The user left while an order was being carried out.
    #[error("the last order may not have been carried out: see the table")]
    OrderUnknown,
}

/// Runs the program.
///
/// # Errors
///
/// See [`Failure`].
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    #[cfg(feature = "demo")]
    if arguments.demo {
        return crate::demo::run(arguments);
    }
    let source = match &arguments.netns {
        None => Source::own(),
        Some(name) => Source::named(name).map_err(Failure::Namespace)?,
    };
    run_on(arguments, source)
}

/// Runs the program on this kernel.
///
/// # Errors
///
/// See [`Failure`].
pub fn run_on(arguments: &Arguments, source: Source) -> Result<(), Failure> {
    let environment = |name: &str| std::env::var(name).ok();
    let remembered = match arguments.forget {
        true => None,
        false => {
            Place::of_environment(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"))
        }
    };
    let mut view = remembered.as_ref().and_then(Place::read).unwrap_or_default();
    if arguments.once || arguments.json {
        // Scripts get what they ask for, whatever a user looked at last.
        view = View::default();
    }
    if let Some(sort) = arguments.sort {
        (view.column, view.descending) = (sort.0, sort.0.descends());
    }
    if let Some(filter) = &arguments.filter {
        view.filter = Filter::new(filter);
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(environment);
    let glyphs = Glyphs::of_environment(locale.each_ref().map(Option::as_deref));
    let labels = arguments.table.as_deref().map(labels::read).transpose()?.unwrap_or_default();
    let settings = Settings {
        namespace: source.name().map(str::to_owned),
        interval: arguments.interval,
        read_only: arguments.read_only,
        labels: Arc::new(labels),
        zone: TimeZone::system(),
    };
    let director = arguments.socket();
    let source = source.trusting_director(arguments.director.is_some());
    if arguments.once || arguments.json {
        return once::run(&source, director.as_deref(), settings, view, glyphs, arguments.json);
    }
    if !Taken::is_possible() {
        return Err(Failure::NoTerminal);
    }
    let manners = Manners { theme: Theme::new(arguments.colors(environment)), glyphs };
    let beginning = Beginning { source, director, settings, manners, view, remembered };
    interact(beginning, arguments.mouse)
}

fn interact(beginning: Beginning, mouse: bool) -> Result<(), Failure> {
    let bell = Bell::new().map_err(Failure::Start)?;
    let signals = Signals::note(&bell).map_err(Failure::Start)?;
    let panics = Panics::notice(bell.clone());
    let (mut taken, mut terminal) = Taken::take(mouse).map_err(Failure::Terminal)?;
    let mut session = Session::begin(beginning, bell.clone()).map_err(Failure::Start)?;
    let ended = converse(&mut session, &bell, &signals, &panics, &mut taken, &mut terminal);
    taken.give_back();
    if panics.any() {
        return Err(Failure::Panicked);
    }
    let is_ended = || signals.take().any(|signal| matches!(signal, Signal::End(_)));
    let order = session.end(is_ended);
    match ended {
        // What came of the order is more than that a signal came.
        Err(Failure::Signal(number)) => order.and(Err(Failure::Signal(number))),
        Err(failure) => Err(failure),
        Ok(()) => order,
    }
}

type Terminal = ratatui::Terminal<terminal::Output>;

fn converse(
    session: &mut Session,
    bell: &Bell,
    signals: &Signals,
    panics: &Panics,
    taken: &mut Taken,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 1024];
    let mut drawn: Option<Instant> = None;
    let mut stale = true;
    loop {
        // The terminal is the shell's again.
        if panics.any() {
            return Ok(());
        }
        if stale || drawn.is_none_or(|at| at.elapsed() >= TICK) {
            session.learn();
            session.draw(terminal).map_err(Failure::Terminal)?;
            drawn = Some(Instant::now());
            stale = false;
        }
        let longest = if decoder.is_waiting() { ESCAPE } else { TICK };
        let woken = terminal::wait(bell, longest).map_err(Failure::Terminal)?;
        if panics.any() {
            return Ok(());
        }
        if woken.gone {
            return Err(Failure::Terminal(io::ErrorKind::UnexpectedEof.into()));
        }
        stale |= session.learn();
        let inputs = match woken.keys {
            true => decoder.feed(terminal::read(&mut buffer).map_err(Failure::Terminal)?),
            false if decoder.is_waiting() => decoder.flush().into_iter().collect(),
            false => Vec::new(),
        };
        let mut nexts = session.take_all(inputs);
        stale |= !nexts.is_empty();
        for signal in signals.take() {
            match signal {
                Signal::End(number) => return Err(Failure::Signal(number)),
                Signal::Suspend => nexts.push(Next::Suspend),
                Signal::Resized => stale = true,
                Signal::Continued => {
                    taken.again().map_err(Failure::Terminal)?;
                    nexts.push(Next::Redraw);
                }
            }
        }
        for next in nexts {
            match next {
                Next::Continue => {}
                Next::Quit => return Ok(()),
                Next::Suspend => {
                    taken.give_back();
                    let stopped = signals.stop();
                    // The signal that continued it says the same. One that ends it came, too, if
                    // somebody ended it while it was stopped.
                    for signal in signals.take() {
                        if let Signal::End(number) = signal {
                            return Err(Failure::Signal(number));
                        }
                    }
                    taken.again().map_err(Failure::Terminal)?;
                    if !stopped {
                        session
                            .state
                            .complain("not suspended: no shell would continue it".to_owned());
                    }
                    terminal.clear().map_err(Failure::Terminal)?;
                }
                Next::Redraw => terminal.clear().map_err(Failure::Terminal)?,
            }
        }
    }
}
