use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::Backend;

use crate::Moment;
use crate::doing::Doer;
use crate::keys::{Effect, Input, Key, press};
use crate::manners::Manners;
use crate::program::Failure;
use crate::reading::{Bell, ConnectionsReader, Desk, Source, read_director, read_table};
use crate::remembered::{Place, Remembering};
use crate::screens;
use crate::state::steering;
use crate::state::{Mode, News, Settings, State, View};

/// How long the end of the program waits for an order that is being carried out. The director is asked
/// twice, for at most 20 s each time.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long the end of the program waits for the file that remembers the view.
const SHORT: Duration = Duration::from_secs(1);

/// How often the end of the program looks whether a signal came.
const GLANCE: Duration = Duration::from_millis(100);

/// The state, with the threads that feed it and obey it. It has no terminal.
#[derive(Debug)]
pub struct Session {
    /// What is known.
    pub state: State,
    manners: Manners,
    news: Receiver<News>,
    readers: Vec<SyncSender<()>>,
    connections: ConnectionsReader,
    doer: Doer,
    remembering: Option<Remembering>,
}

/// What a session begins with.
#[derive(Debug)]
pub struct Beginning {
    /// The kernel.
    pub source: Source,
    /// The director's socket, if it is to be asked.
    pub director: Option<PathBuf>,
    /// What the user said.
    pub settings: Settings,
    /// How it looks.
    pub manners: Manners,
    /// How the overview is sorted and filtered.
    pub view: View,
    /// Where that is remembered.
    pub remembered: Option<Place>,
}

/// What the program does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on.
    Continue,
    /// It ends.
    Quit,
    /// It is suspended.
    Suspend,
    /// It draws everything anew.
    Redraw,
}

impl Session {
    /// Begins to read. `bell` rings when there is news.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn begin(beginning: Beginning, bell: Bell) -> io::Result<Self> {
        let Beginning { source, director, settings, manners, view, remembered } = beginning;
        let (desk, news) = Desk::new(bell);
        let interval = settings.interval;
        let mut readers = vec![read_table(source.clone(), interval, desk.clone())?];
        if let Some(path) = director.clone() {
            readers.push(read_director(path, source.clone(), interval, desk.clone())?);
        }
        let connections = ConnectionsReader::start(source.clone(), desk.clone())?;
        let write = |place: Place| Remembering::start(move |view| place.write(view), desk.clone());
        let remembering = remembered.map(write).transpose()?;
        let doer = Doer::start(source, director, desk)?;
        let state = State::new(settings, view, Moment::now());
        Ok(Self { state, manners, news, readers, connections, doer, remembering })
    }

    /// Takes all news that has come. Returns whether there was any.
    pub fn learn(&mut self) -> bool {
        self.state.now = Moment::now();
        let mut any = false;
        while let Ok(news) = self.news.try_recv() {
            any = true;
            let is_done = matches!(news, News::Done { .. });
            self.state.learn(news);
            if is_done {
                // What was done is to be seen at once.
                self.read_now();
            }
        }
        self.connections.want(self.state.wanted_connections());
        any
    }

    /// Takes all that the user did since the last reading of the terminal. What follows the key that ends
    /// the program is for the shell.
    pub fn take_all(&mut self, inputs: impl IntoIterator<Item = Input>) -> Vec<Next> {
        let mut nexts = Vec::new();
        for input in inputs {
            nexts.push(self.take(input));
            if nexts.last() == Some(&Next::Quit) {
                break;
            }
        }
        nexts
    }

    /// Takes what the user did.
    pub fn take(&mut self, input: Input) -> Next {
        self.state.now = Moment::now();
        let keys = match input {
            Input::Key(key) => vec![key],
            // Pasted text is for input lines alone.
            Input::Paste(text) => match self.state.mode {
                Mode::Filter(_) | Mode::Weight(..) => {
                    text.chars().filter(|it| !it.is_control()).map(Key::Char).collect()
                }
                _ => Vec::new(),
            },
            Input::Wheel { up } => vec![if up { Key::Up } else { Key::Down }; 3],
            Input::Click { line } => {
                self.state.click(line);
                Vec::new()
            }
        };
        let mut next = Next::Continue;
        for key in keys {
            if let Some(effect) = press(&mut self.state, key) {
                next = self.obey(effect);
            }
        }
        self.connections.want(self.state.wanted_connections());
        next
    }

    fn obey(&mut self, effect: Effect) -> Next {
        match effect {
            Effect::Quit => return Next::Quit,
            Effect::Suspend => return Next::Suspend,
            Effect::Redraw => return Next::Redraw,
            Effect::ReadNow => self.read_now(),
            Effect::Order(errand) => {
                if let Err(errand) = self.doer.send(errand) {
                    let text = "the last order is still being carried out".to_owned();
                    let result = Err(steering::Failure::Unchanged(text));
                    self.state.learn(News::Done { errand, result });
                }
            }
            Effect::Remember => {
                if let Some(remembering) = &self.remembering {
                    remembering.remember(&self.state.view);
                }
            }
        }
        Next::Continue
    }

    fn read_now(&self) {
        for reader in &self.readers {
            // A reader that was asked already needs no second wish.
            let _ = reader.try_send(());
        }
    }

    /// Draws the state.
    ///
    /// # Errors
    ///
    /// The terminal fails.
    pub fn draw<B: Backend>(&mut self, terminal: &mut Terminal<B>) -> Result<(), B::Error> {
        let Self { state, manners, .. } = self;
        terminal.draw(|frame| screens::draw(state, *manners, frame))?;
        Ok(())
    }

    /// Ends, once the order that was given is carried out, or `is_ended` tells that somebody ends the program
    /// by a signal.
    ///
    /// # Errors
    ///
    /// The order failed, or it is not known what came of it.
    pub fn end(self, mut is_ended: impl FnMut() -> bool) -> Result<(), Failure> {
        let Self { state, news, remembering, .. } = self;
        if let Some(remembering) = remembering {
            remembering.finish(SHORT);
        }
        let deadline = Instant::now() + PATIENCE;
        if !state.is_busy {
            return Ok(());
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match news.recv_timeout(left.min(GLANCE)) {
                Ok(News::Done { result: Ok(_), .. }) => return Ok(()),
                Ok(News::Done { result: Err(failure), .. }) => {
                    return Err(Failure::Order(failure.to_string()));
                }
                // Readers hand over what they had begun.
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) if !left.is_zero() && !is_ended() => {}
                Err(_) => return Err(Failure::OrderUnknown),
            }
        }
    }
}
