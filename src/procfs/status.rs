use std::io::Read;

use crate::procfs::ProcfsError;
use crate::procfs::fields::{decimal, word};
use crate::procfs::text::Text;

/// The sizes of the kernel's tables. Linux 7.1.
///
/// A value is `None` if the kernel does not write it. The kernel leaves out how full the buckets
/// are when a table is empty.
///
/// This crate was built from a sample of Linux 7.3, and no test has read the file of a running
/// kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TableStatus {
    /// The number of connections and templates. The one count of connections that costs no walk
    /// through all of them.
    pub connections: Option<u64>,
    /// The table of connections.
    pub connection_table: Option<HashTable>,
    /// The number of services.
    pub services: Option<u64>,
    /// The table of services.
    pub service_table: Option<HashTable>,
    /// The number of threads that estimate rates.
    pub estimator_threads: Option<u64>,
    /// The largest number of threads that estimate rates.
    pub most_estimator_threads: Option<u64>,
    /// The largest number of estimators in a chain.
    pub longest_estimator_chain: Option<u64>,
    /// The number of estimators: one for each service, each destination, and the namespace.
    pub estimators: Option<u64>,
}

/// A hash table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HashTable {
    /// The number of buckets.
    pub buckets: u64,
    /// The load factor, a binary logarithm: the setting `conn_lfactor` or `svc_lfactor`.
    pub load_factor: Option<i64>,
    /// The number of empty buckets.
    pub empty_buckets: Option<u64>,
    /// The numbers of buckets by their number of entries: 1 entry first, then 2, and at last 7 or
    /// more.
    pub buckets_by_length: [u64; 7],
}

/// Reads `/proc/net/ip_vs_status`. Skips lines that this crate does not know, because newer kernels
/// may add some.
pub(super) fn read_status(path: &str, source: impl Read) -> Result<TableStatus, ProcfsError> {
    let mut status = TableStatus::default();
    let mut text = Text::new(path, source);
    while text.next(|line| take(&mut status, line))?.is_some() {}
    Ok(status)
}

/// Takes a line, such as `Conn buckets len-1: 110 (84%)`.
fn take(status: &mut TableStatus, line: &[u8]) -> Result<(), &'static str> {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Err("the line has no colon");
    };
    let (name, rest) = line.split_at_checked(colon).unwrap_or_default();
    let mut rest = rest.strip_prefix(b":").unwrap_or(rest);
    let number = || decimal(word(&mut { rest })).ok_or("the value is not a number");
    match name {
        b"Conns" => status.connections = Some(number()?),
        b"Services" => status.services = Some(number()?),
        b"Stats chain max len" => status.longest_estimator_chain = Some(number()?),
        b"Stats thread ests" => status.estimators = Some(number()?),
        b"Stats thread slots" => {
            status.estimator_threads = Some(number()?);
            word(&mut rest);
            status.most_estimator_threads = after(rest, b"(max").and_then(decimal);
        }
        _ => {
            let (table, of) = if let Some(of) = name.strip_prefix(b"Conn buckets") {
                (&mut status.connection_table, of)
            } else if let Some(of) = name.strip_prefix(b"Service buckets") {
                (&mut status.service_table, of)
            } else {
                return Ok(());
            };
            let table = table.get_or_insert_default();
            match of {
                b"" => {
                    table.buckets = number()?;
                    table.load_factor = after(rest, b"lfactor").and_then(signed);
                }
                b" empty" => table.empty_buckets = Some(number()?),
                _ => {
                    let length = of.strip_prefix(b" len-").and_then(decimal);
                    let at = length.and_then(|it| usize::try_from(it.checked_sub(1)?).ok());
                    if let Some(slot) = at.and_then(|at| table.buckets_by_length.get_mut(at)) {
                        *slot = number()?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Returns the word that follows `marker`, without the bracket at its end.
fn after<'l>(mut rest: &'l [u8], marker: &[u8]) -> Option<&'l [u8]> {
    loop {
        match word(&mut rest) {
            b"" => return None,
            it if it == marker => break,
            _ => {}
        }
    }
    let value = word(&mut rest);
    Some(value.strip_suffix(b")").unwrap_or(value))
}

fn signed(text: &[u8]) -> Option<i64> {
    match text.strip_prefix(b"-") {
        Some(digits) => i64::try_from(decimal(digits)?).ok()?.checked_neg(),
        None => decimal(text)?.try_into().ok(),
    }
}
