use crate::model::InvalidValue;
use crate::model::name::{Name, name_traits};

const MAX: usize = 16;

/// The names of the kernel.
const NAMES: &[&str] = &[
    "NONE",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "SYNACK",
    "UDP",
    "INIT1",
    "INIT",
    "C-SENT",
    "C-REPLIED",
    "C-WAIT",
    "COOKIE",
    "C-ECHOED",
    "S-SENT",
    "S-RECEIVED",
    "S-ACK-SENT",
    "REJECTED",
    "CLOSED",
    "ASSURED",
    "ERR!",
];
const RULE: &str = "must be 1 to 16 printable ASCII characters without blanks";

/// The state of a connection: the kernel's name of the state.
///
/// Which states there are depends on the protocol. States that this crate does not know are kept, so
/// every word is read as a state. The case of letters matters for those alone.
///
/// | protocol | states |
/// | --- | --- |
/// | TCP | `NONE`, `ESTABLISHED`, `SYN_SENT`, `SYN_RECV`, `FIN_WAIT`, `TIME_WAIT`, `CLOSE`, `CLOSE_WAIT`, `LAST_ACK`, `LISTEN`, `SYNACK` |
/// | UDP | `UDP` |
/// | SCTP | `NONE`, `INIT1`, `INIT`, `C-SENT`, `C-REPLIED`, `C-WAIT`, `COOKIE`, `C-ECHOED`, `ESTABLISHED`, `S-SENT`, `S-RECEIVED`, `S-ACK-SENT`, `REJECTED`, `CLOSED` |
/// | templates of persistence | `NONE`; `ASSURED` from Linux 4.19 on |
/// | others | `NONE`, `ERR!` |
///
/// ```
/// use ipvs_netlink::procfs::ConnectionState;
///
/// assert_eq!("ESTABLISHED".parse(), Ok(ConnectionState::ESTABLISHED));
/// assert_eq!("established".parse(), Ok(ConnectionState::ESTABLISHED));
/// assert_eq!(ConnectionState::SYN_RECV.to_string(), "SYN_RECV");
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionState(Name<MAX>);

impl ConnectionState {
    /// `NONE`: no packet has decided the state. The state of most templates of persistence.
    pub const NONE: Self = Self::known("NONE");
    /// `ESTABLISHED`: TCP and SCTP.
    pub const ESTABLISHED: Self = Self::known("ESTABLISHED");
    /// `SYN_SENT`: TCP, of a connection that the destination opened.
    pub const SYN_SENT: Self = Self::known("SYN_SENT");
    /// `SYN_RECV`: TCP. The client has sent a SYN, and has not acknowledged the answer. With
    /// direct routing and tunnels, where the answers do not pass through this host, the state
    /// stays until the client's next packet.
    pub const SYN_RECV: Self = Self::known("SYN_RECV");
    /// `FIN_WAIT`: TCP. One side has closed.
    pub const FIN_WAIT: Self = Self::known("FIN_WAIT");
    /// `TIME_WAIT`: TCP. Both sides have closed.
    pub const TIME_WAIT: Self = Self::known("TIME_WAIT");
    /// `CLOSE`: TCP. The connection was reset.
    pub const CLOSE: Self = Self::known("CLOSE");
    /// `CLOSE_WAIT`: TCP.
    pub const CLOSE_WAIT: Self = Self::known("CLOSE_WAIT");
    /// `LAST_ACK`: TCP.
    pub const LAST_ACK: Self = Self::known("LAST_ACK");
    /// `UDP`: the one state of UDP.
    pub const UDP: Self = Self::known("UDP");
    /// `ASSURED`: a template of persistence whose client has had an established connection. Linux
    /// 4.19.
    pub const ASSURED: Self = Self::known("ASSURED");

    const fn known(name: &str) -> Self {
        Self(Name::known(name))
    }

    /// Takes the name in a line. `None` if there is none, or if the name is too long.
    #[inline]
    pub(super) fn reported(name: &[u8]) -> Option<Self> {
        let known = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        known.then(|| Name::reported(name).map(Self)).flatten()
    }

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(text));
        Self::reported(known.map_or(text, |known| known).as_bytes())
            .ok_or_else(|| InvalidValue::new("connection state", format!("{text:?}"), RULE))
    }
}

name_traits!(ConnectionState, ConnectionState::parse);
