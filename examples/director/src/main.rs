//! The program `director`.

fn main() {}
