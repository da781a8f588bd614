//! The tables of the schedulers that hash an address: `sh`, `dh` and `mh`.

pub(super) mod fold;
pub(super) mod maglev;
pub(super) mod plain;
mod siphash;
