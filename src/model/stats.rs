/// What a service or a destination has carried.
///
/// The kernel brings the numbers up to date every two seconds, and not at all
/// while the sysctl `net.ipv4.vs.run_estimation` is 0. They count from the
/// creation of the object or from the last zeroing. Objects may be brought up to date
/// at different moments, so a sum over destinations need not be the service's number.
///
/// All are 64 bits wide. Linux before 4.1 reports all but the bytes in 32 bits;
/// there they wrap at 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_SVC_ATTR_STATS64")]
pub struct Stats {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub incoming_packets: u64,
    /// Packets to clients. Direct routing and tunnels answer past this host, so
    /// theirs are 0.
    pub outgoing_packets: u64,
    /// Bytes from clients.
    pub incoming_bytes: u64,
    /// Bytes to clients.
    pub outgoing_bytes: u64,
    /// The same per second.
    pub rates: Rates,
}

/// What a service or a destination carries per second, averaged over about eight
/// seconds and rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rates {
    /// Connections scheduled per second.
    pub connections: u64,
    /// Packets from clients per second.
    pub incoming_packets: u64,
    /// Packets to clients per second.
    pub outgoing_packets: u64,
    /// Bytes from clients per second.
    pub incoming_bytes: u64,
    /// Bytes to clients per second.
    pub outgoing_bytes: u64,
}
