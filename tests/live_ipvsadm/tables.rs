//! Tables, as commands that add services and destinations.

use crate::namespace::ipvsadm;

/// A table with everything that the original can add.
pub(crate) const EVERYTHING: &[&str] = &[
    "-A -t 10.0.0.1:80 -s wlc",
    "-a -t 10.0.0.1:80 -r 10.0.1.1:8080 -m -w 3",
    "-a -t 10.0.0.1:80 -r 10.0.1.2:80 -g -w 0",
    "-a -t 10.0.0.1:80 -r 10.0.1.3:80 -i -w 65535",
    "-a -t 10.0.0.1:80 -r 10.0.1.4:80 -i --tun-type gue --tun-port 1 --tun-nocsum",
    "-a -t 10.0.0.1:80 -r 10.0.1.5:80 -i --tun-type gue --tun-port 6080 --tun-csum",
    "-a -t 10.0.0.1:80 -r 10.0.1.6:80 -i --tun-type gue --tun-port 65535 --tun-remcsum",
    "-a -t 10.0.0.1:80 -r 10.0.1.7:80 -i --tun-type gre --tun-csum",
    "-a -t 10.0.0.1:80 -r 10.0.1.8:80 -i --tun-type gre",
    "-a -t 10.0.0.1:80 -r [2001:db8::9]:80 -i",
    "-a -t 10.0.0.1:80 -r 127.0.0.1:80 -m",
    "-A -t 10.0.0.1:443 -s rr -p 300 -M 255.255.255.0",
    "-A -t 10.0.0.1:0 -s rr -p",
    "-A -t 10.0.0.9:8080 -s wrr",
    "-a -t 10.0.0.9:8080 -r 10.0.1.1:0 -m",
    "-a -t 10.0.0.9:8080 -r 10.0.1.2:8080 -m",
    "-a -t 10.0.0.9:8080 -r 10.0.1.3:8080 -m",
    "-A -t 10.0.0.3:80 -s rr -b flag-1,flag-2,flag-3",
    "-A -t [2001:db8::1]:80 -s sh -b sh-fallback,sh-port",
    "-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -m",
    "-a -t [2001:db8::1]:80 -r [2001:db8::3]:8080 -m",
    "-a -t [2001:db8::1]:80 -r [::1.2.3.4]:80 -m",
    "-a -t [2001:db8::1]:80 -r [2f00:db8:1:2:3:4:5:6]:80 -i",
    "-A -t [2001:db8::1]:443 -s mh -p 60 -M 64 -b mh-fallback,mh-port",
    "-A -t [fe80::1:2:3:4]:65535 -s lc",
    "-A -u 10.0.0.3:5060 -s rr -p 60 --pe sip",
    "-A -u 10.0.0.3:5061 -s rr -p 60 --pe sip -M 255.0.0.0 -o",
    "-A -u 10.0.0.3:53 -s rr -o",
    "-A --sctp-service 10.0.0.4:3868 -s wrr",
    "-A -f 5 -s lc",
    "-a -f 5 -r 10.0.1.1:0 -g",
    "-a -f 5 -r 10.0.1.1:80 -g",
    "-A -f 5 -6 -s nq -p 5",
    "-a -f 5 -6 -r [2001:db8::2]:53 -g",
    "-A -f 2147483647 -s sed",
];

/// A table with addresses that differ by more than 31 bits. Some form circles in the order of the
/// original.
pub(crate) const FAR_APART: &[&str] = &[
    "-A -t 192.0.2.1:80",
    "-A -t 10.0.0.1:80",
    "-A -t 172.16.0.1:80",
    "-A -t 1.0.0.1:80",
    "-A -t 127.0.0.1:80",
    "-A -t 100.64.0.1:80",
    "-A -t 223.0.0.1:80",
    "-A -t [1::1]:80",
    "-A -t [fe80::1]:80",
    "-A -t [8000::1]:80",
    "-A -t [8000::8000:0]:80",
    "-A -t [8000::1]:81",
    "-A -t [4000::1]:80",
    "-a -t 10.0.0.1:80 -r 192.0.2.1:80 -m",
    "-a -t 10.0.0.1:80 -r 10.0.0.1:81 -m",
    "-a -t 10.0.0.1:80 -r 10.0.0.1:80 -m",
    "-a -t 10.0.0.1:80 -r 100.64.0.1:80 -m",
    "-a -t 10.0.0.1:80 -r 1.64.0.1:80 -m",
    "-a -t 10.0.0.1:80 -r 223.64.0.1:80 -m",
    "-a -t 10.0.0.1:80 -r [2001:db8::1]:80 -i",
    "-a -t 10.0.0.1:80 -r [f000::1]:80 -i",
    "-a -t 10.0.0.1:80 -r [c000::1]:80 -i",
];

pub(crate) fn make(table: &[&str]) {
    table.iter().for_each(|line| drop(ipvsadm(line)));
}
