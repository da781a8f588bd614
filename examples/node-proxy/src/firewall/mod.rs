//! What kube-proxy's ipvs mode does by iptables and ipset, by nftables: masquerading, source ranges, the policy
//! `Local` on nodes without endpoints, and no way to programs of the host through addresses of services.
//!
//! One table belongs to this program. Its chains and rules are always the same; services are elements of its
//! sets ([`Purpose`]), so that the number of rules does not grow with them.
//!
//! - [`Entry`] says what the firewall does for one virtual service, [`Rules`] what the table holds, and
//!   [`ruleset`] makes commands for `nft` of it. All of this is pure.
//! - [`Schedule`] decides when the table is written, and which virtual services wait for it. It is pure, too.
//! - [`Nft`] runs `nft`, and `generation` asks the kernel whether anybody has changed a table, by `netfilter`.

mod entry;
mod generation;
mod keeper;
mod netfilter;
mod networks;
mod nft;
mod options;
mod presence;
mod preview;
mod rules;
pub mod ruleset;
mod schedule;
mod set;
#[cfg(test)]
mod tests;

pub use entry::{Entry, Need, SourceAddress};
pub(crate) use keeper::Firewall;
pub use keeper::remove;
pub use nft::{Nft, NftError};
pub use options::{FirewallOptions, InvalidTableName, TableName};
pub(crate) use presence::is_there;
pub(crate) use preview::Preview;
pub use rules::Rules;
pub use schedule::{Admission, Schedule, Sight, Step};
pub use set::{Element, Purpose, SetName};
