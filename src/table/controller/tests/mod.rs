//! Steps controllers against a model of the kernel's table, with a clock of their own.

mod draining;
mod failures;
mod hostile;
mod numbers;
mod others;
mod serving;
mod wishes;
mod world;
