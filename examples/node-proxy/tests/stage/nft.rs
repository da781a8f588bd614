//! Debian's nft, which `fetch-nft` has put below the target directory.

use std::path::{Path, PathBuf};

use node_proxy::firewall::FirewallOptions;

/// The options of a firewall that uses this nft.
pub(crate) fn options() -> FirewallOptions {
    FirewallOptions { nft: Some(program()), ..FirewallOptions::default() }
}

pub(crate) fn program() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_node-proxy")).ancestors().nth(2).unwrap();
    target.join("kernel/nft/nft").canonicalize().expect("nft, which the runner fetches")
}
