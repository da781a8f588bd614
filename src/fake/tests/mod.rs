//! The fake kernel against captured bytes, and the rules of sockets, dumps and the trash.

mod captures;
mod counters;
mod dumps;
mod hostile;
mod ipvsadm;
mod raw;
mod sockets;
mod trash;
