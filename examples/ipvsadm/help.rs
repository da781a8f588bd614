//! `-h` and `--version`.

/// Begins as the original's does, for scripts that look for the number.
pub(crate) const VERSION: &str =
    concat!("ipvsadm v1.31 (as spoken by ipvs-netlink ", env!("CARGO_PKG_VERSION"), ")\n");

pub(crate) const HELP: &str = "\
Services and their destinations:
  -A, --add-service SERVICE [SETTINGS]
  -E, --edit-service SERVICE [SETTINGS]     replaces all settings
  -D, --delete-service SERVICE
  -a, --add-server SERVICE -r SERVER [SETTINGS]
  -e, --edit-server SERVICE -r SERVER [SETTINGS]
  -d, --delete-server SERVICE -r SERVER
  -Z, --zero [SERVICE]                      sets counters to 0
  -C, --clear                               deletes everything

Whole tables:
  -S, --save [-n]                           writes commands that make this table
  -R, --restore                             reads commands from standard input

The rest:
  --set TCP TCPFIN UDP                      timeouts in seconds, 0 for as it is
  --start-daemon master|backup [OPTIONS]    synchronization of connections
  --stop-daemon master|backup
  -L, -l, --list [SERVICE] [COLUMNS]        without a command, too
  -h, --help
  -v, --version

SERVICE is one of
  -t, --tcp-service HOST:PORT               an IPv6 address stands in brackets
  -u, --udp-service HOST:PORT
      --sctp-service HOST:PORT
  -f, --fwmark-service MARK [-6, --ipv6]    packets with this firewall mark

SETTINGS of a service:
  -s, --scheduler NAME                      wlc if none is given
  -p, --persistent [SECONDS]                360 if none are given
  -M, --netmask MASK                        persistent by network, for IPv6 a prefix
      --pe NAME                             persistence engine
  -b, --sched-flags FLAG,...                flags of the scheduler
  -o, --ops                                 every UDP packet by itself

SETTINGS of a destination:
  -r, --real-server HOST[:PORT]             the port of the service if none is given
  -g, --gatewaying                          direct routing, if nothing else is given
  -m, --masquerading
  -i, --ipip                                tunnel, with
      --tun-type ipip|gue|gre
      --tun-port PORT
      --tun-nocsum, --tun-csum, --tun-remcsum
  -w, --weight NUMBER                       1 if none is given
  -x, --u-threshold NUMBER                  most connections, 0 for no limit
  -y, --l-threshold NUMBER                  with so few it gets new ones again

COLUMNS of a list:
  --stats, --rate                           counters, or the same per second
  --thresholds, --persistent-conn, --tun-info
  -X, --exact                               numbers in full
  -n, --numeric                             no names of hosts and ports
  --nosort, --sort                          as the kernel tells them, or sorted

Other lists:
  -c, --connection [--persistent-conn]      connections
  --timeout
  --daemon

OPTIONS of a daemon:
  --mcast-interface NAME                    eth0 if none is given
  --syncid NUMBER, --sync-maxlen BYTES
  --mcast-group ADDRESS, --mcast-port PORT, --mcast-ttl NUMBER
";
