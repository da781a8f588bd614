//! The facts about each setting, in one table. The documentation, the checks and the tests use it.

use crate::model::{KnownSetting, Setting, SettingDefault, SettingRange, SettingWritable};

/// The seconds that fit into the kernel's ticks at 100 ticks a second. Other kernels refuse less.
const MOST_SECONDS: i64 = 21_474_836;
const MOST_INT: i64 = i32::MAX as i64;

const ANY_INT: Option<&str> = Some("every number of 32 bits");
const SWITCH: Option<&str> = Some("every number of 32 bits; others than 0 count as 1");
const SECONDS: Option<&str> =
    Some("negative numbers, but at most 2147483647 ticks: 8589934 s at 250 ticks a second");

/// Defines the constants of the names, and the table.
macro_rules! known {
    ($($constant:ident $name:literal $meaning:literal {
        range: $range:expr, beyond: $beyond:expr, default: $default:expr
        $(, unit: $unit:literal)? $(, since: $since:expr)? $(, needs: $needs:literal)?
        $(, writable: $writable:expr)?
    })*) => {
        impl Setting {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning, ".")]
                pub const $constant: Self = Self::named($name);
            )*

            /// All settings that this crate knows, those of Linux 7.2, in the order of their names.
            /// The slice grows with new kernels. A kernel may lack some of them.
            ///
            #[doc = include_str!("settings.md")]
            pub const KNOWN: &[KnownSetting] = &[$(KnownSetting {
                setting: Self::$constant,
                meaning: $meaning,
                unit: known!(@option $($unit)?),
                range: $range,
                beyond: $beyond,
                default: $default,
                since: known!(@option $($since)?),
                needs: known!(@option $($needs)?),
                writable: known!(@writable $($writable)?),
            }),*];
        }
    };
    (@option $value:expr) => { Some($value) };
    (@option) => { None };
    (@writable $value:expr) => { $value };
    (@writable) => { SettingWritable::Everywhere };
}

use SettingDefault::{ByNamespace, Computed, Number, Pair};
use SettingRange::{PowerOfTwo, Processors, Switch, Threshold};
use SettingWritable::{InitialNetworkNamespace, InitialUserNamespace};

const fn numbers(least: i64, most: i64) -> SettingRange {
    SettingRange::numbers(least, most)
}

known! {
    AM_DROPRATE "am_droprate"
    "mode 3 of `drop_packet` drops one of so many new connections, 0 for none" {
        range: numbers(0, MOST_INT), beyond: ANY_INT, default: Number(10)
    }
    AMEMTHRESH "amemthresh"
    "free memory below which the automatic modes of `drop_entry`, `drop_packet` and `secure_tcp` act" {
        range: numbers(0, MOST_INT), beyond: ANY_INT, default: Number(1024), unit: "pages"
    }
    BACKUP_ONLY "backup_only"
    "forwards nothing while the backup daemon of synchronization runs, so that directors with direct \
     routing or tunnels do not send packets in a circle" {
        range: Switch, beyond: SWITCH, default: Number(0)
    }
    CACHE_BYPASS "cache_bypass"
    "sends packets to their original destination if a service has no usable destination, for \
     transparent caches" {
        range: Switch, beyond: SWITCH, default: Number(0)
    }
    CONN_LFACTOR "conn_lfactor"
    "size of the connection table: the binary logarithm of connections per bucket at which it grows" {
        range: numbers(-8, 8), beyond: None, default: ByNamespace { initial: -4, others: -2 },
        since: (7, 1), writable: InitialUserNamespace
    }
    CONN_MAX "conn_max"
    "limit to the number of connections; at the limit new ones are dropped" {
        range: numbers(0, 1 << 30), beyond: None, default: Number(1 << 30), unit: "connections",
        since: (7, 2)
    }
    CONN_REUSE_MODE "conn_reuse_mode"
    "a new connection with the address and port of an old one: 0 goes where the old one went; 1 is \
     scheduled again if the old one has been closed (masquerading); 2 and 3 also if the old one is \
     closing (direct routing)" {
        range: numbers(0, 3), beyond: ANY_INT, default: Number(1)
    }
    CONNTRACK "conntrack"
    "keeps entries of netfilter's connection tracking for balanced connections, for firewall rules \
     with states" {
        range: Switch, beyond: SWITCH, default: Number(0), needs: "`CONFIG_IP_VS_NFCT`"
    }
    DEBUG_LEVEL "debug_level"
    "detail of messages in the kernel's log, for the whole host" {
        range: numbers(0, 12), beyond: Some("every number of 32 bits; more than 12 count as 12"),
        default: Number(0), needs: "`CONFIG_IP_VS_DEBUG`", writable: InitialNetworkNamespace
    }
    DROP_ENTRY "drop_entry"
    "drops half-open connections at random: 0 never, 1 or 2 when memory is scarce, 3 always" {
        range: numbers(0, 3), beyond: None, default: Number(0)
    }
    DROP_PACKET "drop_packet"
    "drops some of the packets that would open a connection: 0 never, 1 or 2 when memory is scarce, \
     3 always" {
        range: numbers(0, 3), beyond: None, default: Number(0)
    }
    EST_CPULIST "est_cpulist"
    "processors of the threads that count rates; an empty list freezes all counters" {
        range: Processors,
        beyond: Some("other forms, such as `all`, but no processor that the machine cannot have"),
        default: Computed("the housekeeping processors"), since: (6, 2),
        writable: InitialUserNamespace
    }
    EST_NICE "est_nice"
    "niceness of the threads that count rates" {
        range: numbers(-20, 19), beyond: None, default: Number(0), since: (6, 2),
        writable: InitialUserNamespace
    }
    EXPIRE_NODEST_CONN "expire_nodest_conn"
    "ends a connection at its next packet if its destination was deleted, in place of dropping its \
     packets" {
        range: Switch, beyond: SWITCH, default: Number(0)
    }
    EXPIRE_QUIESCENT_TEMPLATE "expire_quiescent_template"
    "sends persistent clients of a destination with weight 0 to another one" {
        range: Switch, beyond: SWITCH, default: Number(0)
    }
    IGNORE_TUNNELED "ignore_tunneled"
    "lets packets of protocols that IPVS does not balance pass by IPVS after a tunnel" {
        range: Switch, beyond: SWITCH, default: Number(0), since: (4, 4)
    }
    LBLC_EXPIRATION "lblc_expiration"
    "time after which the scheduler `lblc` forgets an unused address" {
        range: numbers(0, MOST_SECONDS), beyond: SECONDS, default: Number(86_400), unit: "seconds",
        needs: "the module `ip_vs_lblc` and the initial user namespace"
    }
    LBLCR_EXPIRATION "lblcr_expiration"
    "time after which the scheduler `lblcr` forgets an unused address" {
        range: numbers(0, MOST_SECONDS), beyond: SECONDS, default: Number(86_400), unit: "seconds",
        needs: "the module `ip_vs_lblcr` and the initial user namespace"
    }
    NAT_ICMP_SEND "nat_icmp_send"
    "answers packets of masqueraded servers that belong to no connection with ICMP `port unreachable`" {
        range: Switch, beyond: SWITCH, default: Number(0)
    }
    PMTU_DISC "pmtu_disc"
    "answers packets that are too long and may not be fragmented with ICMP `fragmentation needed`; 0 \
     fragments those for tunnels" {
        range: Switch, beyond: SWITCH, default: Number(1)
    }
    RUN_ESTIMATION "run_estimation"
    "counts rates; 0 freezes all counters that the kernel shows over netlink" {
        range: Switch, beyond: SWITCH, default: Number(1), since: (5, 15),
        writable: InitialUserNamespace
    }
    SCHEDULE_ICMP "schedule_icmp"
    "schedules ICMP messages that belong to no connection" {
        range: Switch, beyond: SWITCH, default: Number(0), since: (4, 4)
    }
    SECURE_TCP "secure_tcp"
    "uses shorter timeouts of TCP states against floods of SYN: 0 never, 1 or 2 when memory is \
     scarce, 3 always" {
        range: numbers(0, 3), beyond: None, default: Number(0)
    }
    SLOPPY_SCTP "sloppy_sctp"
    "opens an SCTP connection for any packet, not only for INIT" {
        range: Switch, beyond: SWITCH, default: Number(0)
    }
    SLOPPY_TCP "sloppy_tcp"
    "opens a TCP connection for any packet, not only for SYN" {
        range: Switch, beyond: SWITCH, default: Number(0)
    }
    SNAT_REROUTE "snat_reroute"
    "routes answers of masqueraded servers again, from the virtual address" {
        range: Switch, beyond: SWITCH, default: Number(1)
    }
    SVC_LFACTOR "svc_lfactor"
    "size of the service table: the binary logarithm of services per bucket at which it grows" {
        range: numbers(-8, 8), beyond: None, default: ByNamespace { initial: -3, others: -2 },
        since: (7, 1), writable: InitialUserNamespace
    }
    SYNC_PERSIST_MODE "sync_persist_mode"
    "connections of persistent services that are synchronized: 0 all, 1 only what binds a client" {
        range: numbers(0, 1), beyond: ANY_INT, default: Number(0)
    }
    SYNC_PORTS "sync_ports"
    "threads of a synchronization daemon, each with a UDP port of its own; read when the first daemon \
     starts" {
        range: PowerOfTwo { most: 64 }, beyond: Some("greater powers of two; it uses 64"),
        default: Number(1)
    }
    SYNC_QLEN_MAX "sync_qlen_max"
    "limit to the synchronization messages that wait to be sent" {
        range: numbers(0, i64::MAX), beyond: Some("every number of a word without a sign"),
        default: Computed("1/32 of the pages of memory that were free"), unit: "messages",
        writable: InitialUserNamespace
    }
    SYNC_REFRESH_PERIOD "sync_refresh_period"
    "sends an unchanged connection again when its timer has moved by this time; 0 by `sync_threshold` \
     alone" {
        range: numbers(0, MOST_SECONDS), beyond: SECONDS, default: Number(0), unit: "seconds"
    }
    SYNC_RETRIES "sync_retries"
    "repetitions of a synchronization message, each after an eighth of `sync_refresh_period`" {
        range: numbers(0, 3), beyond: None, default: Number(0)
    }
    SYNC_SOCK_SIZE "sync_sock_size"
    "buffer of the socket of a synchronization daemon, 0 for the system's default" {
        range: numbers(0, MOST_INT), beyond: ANY_INT, default: Number(0), unit: "bytes",
        writable: InitialUserNamespace
    }
    SYNC_THRESHOLD "sync_threshold"
    "packets of a client after which a connection is synchronized, and again after each so many \
     packets; with 0 as the second number only once" {
        range: Threshold, beyond: Some("one number, and keeps the second"), default: Pair(3, 50)
    }
    SYNC_VERSION "sync_version"
    "version of synchronization messages that are sent; 0 is for Linux before 2.6.39" {
        range: numbers(0, 1), beyond: None, default: Number(1)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::model::SettingValue;

    /// The table of the documentation.
    fn markdown() -> String {
        let mut text = "| setting | what it does | range | default | Linux |\n".to_owned();
        text += "| --- | --- | --- | --- | --- |\n";
        for known in Setting::KNOWN {
            let unit = known.unit.map(|unit| format!(" {unit}")).unwrap_or_default();
            let beyond = known
                .beyond
                .map_or_else(String::new, |beyond| format!(" (the kernel also takes {beyond})"));
            let since = known.since.map(|(major, minor)| format!("from {major}.{minor}"));
            let needs = known.needs.map(|needs| format!("needs {needs}"));
            let writable = match known.writable {
                SettingWritable::Everywhere => None,
                InitialUserNamespace => Some("read-only in other user namespaces".to_owned()),
                InitialNetworkNamespace => Some("read-only in other network namespaces".to_owned()),
            };
            let kernel: Vec<String> = [since, needs, writable].into_iter().flatten().collect();
            writeln!(
                text,
                "| `{}` | {} | {}{unit}{beyond} | {} | {} |",
                known.setting,
                known.meaning,
                known.range,
                known.default,
                kernel.join("; "),
            )
            .unwrap();
        }
        text
    }

    #[test]
    fn the_documentation_is_the_table() {
        assert_eq!(include_str!("settings.md"), markdown(), "\n{}", markdown());
    }

    #[test]
    fn each_setting_is_known_once_and_its_default_is_in_its_range() {
        assert!(Setting::KNOWN.is_sorted_by(|one, next| one.setting < next.setting));
        for known in Setting::KNOWN {
            let setting = known.setting;
            assert_eq!(setting.known(), Some(known));
            assert_eq!(Setting::new(setting.as_str().unwrap()), Ok(setting));
            let defaults: Vec<SettingValue> = match known.default {
                Number(number) => vec![number.into()],
                Pair(first, second) => vec![(first, second).into()],
                ByNamespace { initial, others } => vec![initial.into(), others.into()],
                Computed(_) => Vec::new(),
            };
            for default in defaults {
                assert_eq!(setting.validate(&default), Ok(()));
            }
        }
    }
}
