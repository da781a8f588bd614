use crate::health::through::Marks;

/// How a [`Runner`](crate::health::probe::Runner) works.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct RunnerOptions {
    /// The most checks that run at the same time, without those by programs, 16384 by default, 1 at
    /// least.
    ///
    /// Each takes a file descriptor, so the runner also stays below three quarters of the soft limit
    /// of descriptors (`RLIMIT_NOFILE`) at its start. A target is never checked twice at the same
    /// time: with as many descriptors as targets no check waits for another, also while all servers
    /// hang. With fewer, checks that hang until their timeout can make others late.
    /// [`RunnerStats`](crate::health::probe::RunnerStats) tells how late.
    pub concurrency: usize,
    /// The most programs that run at the same time, 16 by default, 1 at least. Each takes a thread.
    /// A program that cannot be killed keeps its place until it ends. A program that waits for its turn
    /// makes no other check wait, and its time does not run yet. While all of
    /// [`concurrency`](Self::concurrency) is in use, no program begins either.
    pub commands: usize,
    /// The seed of the times of checks, 0 by default.
    pub seed: u64,
    /// The firewall marks of checks [through](crate::health::probe::Probe::through) virtual
    /// addresses, none by default.
    pub marks: Option<Marks>,
}

impl RunnerOptions {
    /// Creates the default options.
    pub const fn new() -> Self {
        Self { concurrency: 16_384, commands: 16, seed: 0, marks: None }
    }

    /// Sets the most checks that run at the same time.
    pub const fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets the most programs that run at the same time.
    pub const fn commands(mut self, commands: usize) -> Self {
        self.commands = commands;
        self
    }

    /// Sets the seed of the times of checks.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the firewall marks of checks through virtual addresses.
    pub fn marks(mut self, marks: Marks) -> Self {
        self.marks = Some(marks);
        self
    }
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self::new()
    }
}
