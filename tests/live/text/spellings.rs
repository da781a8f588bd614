//! Spellings of commands.

/// The table before the commands.
pub(super) const BEFORE: &str = "\
-A -t 10.0.0.1:80 -s rr
-a -t 10.0.0.1:80 -r 10.0.1.9:80 -m -w 7
-a -t 10.0.0.1:80 -r 10.0.1.10:80 -m -w 7
-A -t [2001:db8::1]:80 -s rr
-A -f 5 -s rr -p 60
-A -f 5 -6 -s rr
";

/// Spellings that this crate and `ipvsadm` read alike. `ipvsadm -R` runs all lines of one text, which
/// is faster than one process for each line. No command stops a daemon: `ipvsadm` would wait for an
/// answer that the kernel may not send.
pub(super) const ACCEPTED: &[&str] = &[
    "\
-At 10.0.0.9:1
-A -t10.0.0.9:2
-A -t=10.0.0.9:3 -s=wrr
--add-service --tcp-service=10.0.0.9:4 --scheduler rr
-A -t 10.0.0.9:05 --
-A -t 10.0.0.9:6 --sort
-A -u 10.0.0.9:domain
-A -t localhost:https
-A --sctp-service 10.0.0.9:9
-A -t 10.0.0.9:10 -p
-A -t 10.0.0.9:11 -p60
-A -t 10.0.0.9:12 -p=060
-A -t 10.0.0.9:13 --persistent 60
-A -t 10.0.0.9:14 --persistent=60
-A -t 10.0.0.9:15 --persistent --scheduler rr
-A -t 10.0.0.9:16 -p --
-A -p -t 10.0.0.9
-A -t 10.0.0.10:0 -p
-A -u 10.0.0.9:19 -op
-A -u 10.0.0.9:20 -op 60
-A -u 10.0.0.9:21 --ops
-A -M 255.255.255.0 -t 10.0.0.9:22 -p 60
-A -t 10.0.0.9:23 -p 60 -M 255.255.255.255
-A -t 10.0.0.9:24 -p 60 --netmask=255.0.255.0
-A -t [2001:db8::9]:25 -p 60 -M 64
-A -t [2001:db8::9]:26 -p 60 -M 128
-A -t 2001:db8::9 -p
-A -t 2001:db8::9:80 -p
-A -f 029 --ipv6 -p 60 -M 64
-A --fwmark-service 4294967295
-A -f 31 -o
-A -t 10.0.0.9:32 -b sh-port -s sh
-A -t 10.0.0.9:33 -s sh -b flag-1,sh-port,sh-port
-A -t 10.0.0.9:34 -s sh -b flag-3
-A -t 10.0.0.9:35 -s mh --sched-flags=mh-fallback
-A -t 10.0.0.9:36 -b flag-1,flag-2,flag-3
-A -u 10.0.0.9:37 --pe=sip -p
-A -u 10.0.0.9:38 --pe sip
-A -t 10.0.0.9:39 -s= -b= --pe= -p
-A -t 10.0.0.9:40 --scheduler= --sched-flags=
-A -t 10.0.0.9:41 -s sh -b ,sh-port,,sh-fallback,
-A -t 10.0.0.9:42 -M 255.255.255.0
-A -t [2001:db8::9]:43 -M 64
",
    "\
-E -t 10.0.0.1:80 -s wrr
--edit-service -f 5
-E -f 5 -6 --scheduler=wrr
-e -t 10.0.0.1:80 -r 10.0.1.9 -m
--edit-server -t 10.0.0.1:80 -r 10.0.1.10:80 -i -w 5
-e -t 10.0.0.1:80 -r 10.0.1.10:81 -g -w 6
-Z
-Z -f 5 --ipv6
--zero --tcp-service 10.0.0.1:80
--set 901 0 07
",
    "\
-d -t 10.0.0.1:80 -r 10.0.1.9
--delete-server -t 10.0.0.1:80 --real-server 10.0.1.10:http
-D -f 5
--delete-service -f 5 -6
--delete-service --tcp-service [2001:db8::1]:http
902 --set -- 121 301
",
    "\
-C
-A -t 10.0.0.9:80
--clear
",
    "\
-a -t 10.0.0.1:80 -r 10.0.2.1
-a -t 10.0.0.1:80 -r localhost -m
-a -r 10.0.2.3 -t 10.0.0.1:80
-a -t 10.0.0.1:80 -r 10.0.2.4:http -m
-a -t 10.0.0.1:80 -r 10.0.2.5:0 -m
-at 10.0.0.1:80 -r10.0.2.6 -mw=3
-amt 10.0.0.1:80 -r 10.0.2.7
--add-server --tcp-service 10.0.0.1:80 --real-server=10.0.2.8 --masquerading --weight 0
-a -t 10.0.0.1:80 -r 10.0.2.9 --gatewaying -w 2147483647
-a -t 10.0.0.1:80 -r 10.0.2.10 --ipip -x 5 -y 3
-a -t 10.0.0.1:80 -r 10.0.2.11 --u-threshold=2147483647 --l-threshold 0
-a -f 5 -r 10.0.2.12
-a -f 5 -r 10.0.2.13:http -m
-a -f 5 -6 -r 2001:db8::2
-a -f 5 -r [2001:db8::2]:80 -i
-a -t [2001:db8::1]:80 -r 2001:db8::2 -m
-a -t [2001:db8::1]:80 -r [2001:db8::2]:90 -m
-a -t 10.0.0.1:80 -r 10.0.2.18 -i --tun-type ipip
-a -t 10.0.0.1:80 -r 10.0.2.19 -i --tun-type gue --tun-port 6080
-a -t 10.0.0.1:80 -r 10.0.2.20 --tun-csum --tun-type=gue --tun-port=06080 -i
-a -t 10.0.0.1:80 -r 10.0.2.21 -i --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 10.0.0.1:80 -r 10.0.2.22 -i --tun-type gre
-a -t 10.0.0.1:80 -r 10.0.2.23 -i --tun-type gre --tun-csum
-a -t 10.0.0.1:80 -r 10.0.2.24:8080 -g
-a -t 10.0.0.1:80 -r 10.0.2.25:8080
-a -t 10.0.0.1:80 -r 10.0.2.26:0 -i
-a -t 10.0.0.1:80 -r [2001:db8::2]:8080 -i --tun-type gue --tun-port 6080
-a -r 10.0.2.27:8080 -g -t 10.0.0.1:80
-a -t [2001:db8::1]:80 -r [2001:db8::3]:8080 -g
-a -f 5 -r 10.0.2.28:8080
-a -f 5 -r 10.0.2.29:8080 -i
",
    "\
--start-daemon master --mcast-interface d0
--start-daemon=backup --mcast-interface=d0 --syncid=7 --sync-maxlen 1300
",
    "\
--start-daemon backup --mcast-interface d0 --mcast-group 239.1.2.3 --mcast-port 5 --mcast-ttl 2
--start-daemon master --mcast-group ff02::5 --mcast-interface d0
",
];

/// Spellings that this crate and `ipvsadm` refuse.
pub(super) const REFUSED: &[&str] = &[
    "-A",
    "-t 10.0.0.9:80 -A",
    "-A -t 10.0.0.9:80 -A",
    "-A -t 10.0.0.9:80 extra",
    "-A -- -t 10.0.0.9:80",
    "-A -t -- 10.0.0.9:80",
    "-A -t",
    "-A -tcp-service 10.0.0.9:80",
    "-A --tcp-serv 10.0.0.9:80",
    "-add-service -t 10.0.0.9:80",
    "-A -t 10.0.0.9:80 -u 10.0.0.9:80",
    "-A -t 10.0.0.9:80 -s rr -s rr",
    "-A -t 10.0.0.9:80 -6",
    "-A -t 10.0.0.9:80 -w 5",
    "-A -u 10.0.0.9:80 -o=1",
    "-A -t 10.0.0.9:80 -ps rr",
    "-A -t 10.0.0.9:80 -p -1",
    "-A -t 10.0.0.9:80 --persistent=",
    "-A -t [2001:db8::9]:80 -p 60 -M 0",
    "-A -t [2001:db8::9]:80 -p 60 -M 129",
    "-A -t [10.0.0.9]:80",
    "-A -t [fe80::1%lo]:80",
    "-A -t 10.0.0.9: -p",
    "-A -t 10.0.0.9:65536",
    "-A -t 10.0.0.9:no-such-service",
    "-A -f 0",
    "-A -f 0x9",
    "-A -f 4294967296",
    "-A -t 10.0.0.9:80 -s rr -b sh-port",
    "-A -t 10.0.0.9:80 -s sh -b SH-PORT",
    "-a -t 10.0.0.1:80",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -s rr",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -mg",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -w 2147483648",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -w -1",
    "-a -t 10.0.0.1:80 -r [2001:db8::2]:80 -m",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 --tun-type ipip",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type GRE",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type gue",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type gue --tun-port 0",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type gue --tun-port 5 --tun-csum --tun-nocsum",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type gre --tun-remcsum",
    "-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-csum",
    "-d -t 10.0.0.1:80 -r 10.0.1.9 -m",
    "-D -t 10.0.0.1:80 -r 10.0.1.9",
    "-C -t 10.0.0.1:80",
    "--set 900 120",
    "--set 900 120 300 1",
    "--set=900 120 300",
    "--set 900 -1 300",
    "--start-daemon",
    "--start-daemon Master --mcast-interface d0",
    "--start-daemon backup --mcast-interface d0 --syncid 256",
    "--start-daemon backup --mcast-interface d0 --sync-maxlen 0",
    "--start-daemon backup --mcast-interface d0 --mcast-group 10.0.0.1",
    "--start-daemon backup --mcast-interface d0 --mcast-port 0",
    "--start-daemon backup --mcast-interface d0 --mcast-ttl 256",
    "--stop-daemon foo",
];
