//! The fake kernel against captured bytes, and the rules of sockets, dumps and the trash.

mod captures;
mod dumps;
mod raw;
mod sockets;
mod trash;
