use crate::uapi::{
    IPVS_CMD_DEL_DAEMON, IPVS_CMD_DEL_DEST, IPVS_CMD_DEL_SERVICE, IPVS_CMD_FLUSH,
    IPVS_CMD_GET_CONFIG, IPVS_CMD_GET_DAEMON, IPVS_CMD_GET_DEST, IPVS_CMD_GET_INFO,
    IPVS_CMD_GET_SERVICE, IPVS_CMD_NEW_DAEMON, IPVS_CMD_NEW_DEST, IPVS_CMD_NEW_SERVICE,
    IPVS_CMD_SET_CONFIG, IPVS_CMD_SET_DEST, IPVS_CMD_SET_SERVICE, IPVS_CMD_ZERO,
};

/// How a command may be requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variants {
    Do,
    Dump,
    Both,
}

impl Variants {
    pub(super) fn has(self, dump: bool) -> bool {
        match self {
            Self::Do => !dump,
            Self::Dump => dump,
            Self::Both => true,
        }
    }
}

/// All commands of the family.
///
/// Source: `ip_vs_ctl.c:ip_vs_genl_ops`.
pub(super) const COMMANDS: [(u8, Variants); 16] = [
    (IPVS_CMD_NEW_SERVICE, Variants::Do),
    (IPVS_CMD_SET_SERVICE, Variants::Do),
    (IPVS_CMD_DEL_SERVICE, Variants::Do),
    (IPVS_CMD_GET_SERVICE, Variants::Both),
    (IPVS_CMD_NEW_DEST, Variants::Do),
    (IPVS_CMD_SET_DEST, Variants::Do),
    (IPVS_CMD_DEL_DEST, Variants::Do),
    (IPVS_CMD_GET_DEST, Variants::Dump),
    (IPVS_CMD_NEW_DAEMON, Variants::Do),
    (IPVS_CMD_DEL_DAEMON, Variants::Do),
    (IPVS_CMD_GET_DAEMON, Variants::Dump),
    (IPVS_CMD_SET_CONFIG, Variants::Do),
    (IPVS_CMD_GET_CONFIG, Variants::Do),
    (IPVS_CMD_GET_INFO, Variants::Do),
    (IPVS_CMD_ZERO, Variants::Do),
    (IPVS_CMD_FLUSH, Variants::Do),
];

/// The first command for which the kernel checks the header.
pub(super) const FIRST_CHECKED: u8 = IPVS_CMD_FLUSH + 1;

pub(super) fn variants(command: u8) -> Option<Variants> {
    COMMANDS.iter().find(|(known, _)| *known == command).map(|(_, variants)| *variants)
}
