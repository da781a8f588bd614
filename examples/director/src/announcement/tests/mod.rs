//! The machine, stepped with a clock of the test.

mod addresses;
mod decisions;
mod many;
mod random;
mod running;
mod world;
