//! Compares lists and saved tables.

use crate::namespace::{fresh, ip, ipvsadm};
use crate::places::{LONG, with_names};
use crate::programs::{Program, same};
use crate::tables::{EVERYTHING, FAR_APART, make};

/// Options that choose the columns of a list.
const COLUMNS: &[&str] = &[
    "",
    " --stats",
    " --rate",
    " --thresholds",
    " --persistent-conn",
    " --tun-info",
    " --exact",
    " -X --stats",
    " --rate --exact",
    " --tun-info --stats",
    " --stats --rate",
    " --persistent-conn --thresholds",
    " --tun-info --persistent-conn",
    " --nosort",
    " --sort --sort",
    " --nosort --stats --sort",
];

/// Compares lists with these options, and the saved table.
fn compare(columns: &[&str]) {
    for columns in columns {
        same(&format!("-L -n{columns}"));
        same(&format!("-l{columns}"));
    }
    same("");
    same("-S -n");
}

#[test]
fn empty_tables_are_listed_alike() {
    fresh();
    with_names(LONG);
    compare(&COLUMNS[..6]);
    for words in ["-L --timeout", "-L --daemon", "-L -c", "-L -c -n --persistent-conn"] {
        assert_eq!(same(words).code, Some(0));
    }
}

#[test]
fn full_tables_are_listed_alike() {
    fresh();
    with_names(LONG);
    make(EVERYTHING);
    compare(COLUMNS);
    let list = same("-L").output;
    for name in
        ["10.0.0.1:http", "[six]:http", "server:a-service", "10.0.0.4:diameter", "localhost:"]
    {
        assert!(list.contains(name), "{name}: {list}");
    }
    // The original cuts long names in saved tables, which the example does not.
    let saved = [Program::Ours, Program::Original].map(|program| program.run("-S").output);
    let [ours, original] = saved.each_ref().map(|text| text.split(' ').collect::<Vec<_>>());
    assert_eq!(ours.len(), original.len());
    for (ours, original) in ours.into_iter().zip(original) {
        assert!(ours == original || original.len() == 59 && ours.starts_with(original), "{ours}");
    }
}

#[test]
fn circles_are_sorted_alike() {
    fresh();
    with_names(LONG);
    make(FAR_APART);
    compare(&["", " --nosort"]);
    same("-S");
    // The kernel lists entries in another order if they are added in another order.
    ipvsadm("-C");
    let mut table = FAR_APART.to_vec();
    table.sort_by_key(|line| line.starts_with("-a"));
    let services = table.partition_point(|line| line.starts_with("-A"));
    table[..services].reverse();
    table[services..].reverse();
    make(&table);
    compare(&["", " --nosort"]);
}

#[test]
fn single_services_are_listed_alike() {
    fresh();
    with_names(LONG);
    make(EVERYTHING);
    let services = EVERYTHING.iter().filter_map(|line| line.strip_prefix("-A "));
    for (words, columns) in services.zip(COLUMNS.iter().cycle()) {
        let name = words.split(" -s ").next().unwrap();
        assert_eq!(same(&format!("-L {name} -n{columns}")).code, Some(0));
        // The same service in another spelling.
        let name = name.replace("-t ", "--tcp-service=").replace("-u ", "-u");
        assert_eq!(same(&format!("-l {name}")).code, Some(0));
    }
    for words in [
        "-L -t 10.0.0.2:80",
        "-L -u 10.0.0.1:80",
        "-L -t [2001:db8::5]:80",
        "-L -f 7",
        "-L -f 2147483647 -6",
        "--list --sctp-service 10.0.0.1:80 --stats",
    ] {
        assert_eq!(same(words).code, Some(1), "{words}");
    }
}

#[test]
fn thresholds_are_listed_alike_and_kept_when_saved() {
    fresh();
    ipvsadm("-A -t 10.0.0.1:80 -s rr");
    ipvsadm("-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m -x 2147483647 -y 1000");
    ipvsadm("-a -t 10.0.0.1:80 -r 10.0.1.2:80 -i -x 5");
    same("-L -n --thresholds");
    let saved = Program::Ours.run("-S -n").output;
    let lines: Vec<_> = saved.lines().collect();
    assert_eq!(
        lines,
        [
            "-A -t 10.0.0.1:80 -s rr",
            "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m -w 1 -x 2147483647 -y 1000",
            "-a -t 10.0.0.1:80 -r 10.0.1.2:80 -i -w 1 --tun-type ipip -x 5",
        ]
    );
}

#[test]
fn timeouts_and_daemons_are_listed_alike() {
    fresh();
    ip("link add d0 type dummy");
    ip("address add 10.9.0.1/24 dev d0");
    ip("link set d0 up");
    ipvsadm("--set 0 60 0");
    assert_eq!(same("-L --timeout").output, "Timeout (tcp tcpfin udp): 900 60 300\n");
    ipvsadm("--start-daemon backup --mcast-interface d0");
    same("-L --daemon");
    ipvsadm("--start-daemon master --mcast-interface d0 --syncid 6 --mcast-group ff02::5");
    for words in ["-L --daemon", "--list --daemon -n", "-l --daemon --exact --nosort"] {
        assert_eq!(same(words).output.lines().count(), 2);
    }
    ipvsadm("--stop-daemon backup");
    same("-L --daemon");
}

#[test]
fn lists_end_alike_whatever_their_options() {
    fresh();
    with_names(LONG);
    let short = |line: &&&str| line.starts_with("-A") && !line.contains("10.0.0.9");
    make(&EVERYTHING.iter().filter(short).copied().collect::<Vec<_>>());
    SPELLINGS.split(';').for_each(|words| drop(same(words.trim())));
}

/// Command lines with semicolons between them. Some of them are wrong.
const SPELLINGS: &str = "\
    -Ln; -ln; -nL; -LnX; -L -n -n; -L -X --exact; -L --; -L -- -n; -- -L; -L -; -L foo; foo;
    foo -L; foo -L -Q; -Q; -V; --lis; -list; -L -Q; -LQ; -Ln=; --list=foo; -L --numeric=1; -L=foo;
    -n; --stats; -t 10.0.0.1:80; --sctp-service 10.0.0.1:80; -L -S; -S -L; -L -L; -L -l; -L -A;
    -L -h; -L -v; -L --set; -L --start-daemon master; -L --start-daemon; -S -R; -S -h; ''; -L '';

    -L -t; -L -f; -L -t 10.0.0.1:80 -t 10.0.0.1:80; -L -t 10.0.0.1:80 -f 5; -L -f 5 -f 5;
    -L -u 10.0.0.3:53 -u; -Lnt 10.0.0.1:80; -Lt10.0.0.1:80; -L -t=10.0.0.1:80;
    -L --tcp-service=10.0.0.1:80; -L --fwmark-service 5; -L -f5; -L --fwmark-service=5 -6n;

    -L -t 10.0.0.1:http; -L -t 10.0.0.1:www; -L -t 10.0.0.1:web; -L -u 10.0.0.3:domain;
    -L --sctp-service 10.0.0.4:diameter; -L -u 10.0.0.1:http; -L -t localhost:80; -L -t six:80;
    -L -t server:80; -L -t 10.0.0.1:nosuch; -L -t nosuch:80; -L -t 10.0.0.1:65536;
    -L -t 10.0.0.1:-1; -L -t 10.0.0.1:0x50; -L -t 10.0.0.1:; -L -t :80; -L -t 80; -L -t '';
    -L -t 10.0.0.1; -L -t [2001:db8::1]:80; -L -t 2001:db8::1; -L -t [2001:db8::2]:80;
    -L -t [2001:db8::1]80; -L -t [2001:db8::1:80; -L -t []:80; -L -t [::1]:http;

    -L -f 0; -L -f abc; -L -f 5x; -L -f 4294967296; -L -f 4294967295; -L -f '';
    -L -f 5 -6; -L -f 5 --ipv6; -L -f 5 -6 -6; -L -6; -L -t 10.0.0.1:80 -6;

    -L -c -t 10.0.0.1:80; -L --timeout --daemon; -L -c --timeout; -L --daemon -c;
    -L -f 5 --daemon; -L -c -c; -L --timeout --timeout; -L --timeout --stats; -L --timeout --rate;
    -L --daemon --thresholds; -L --daemon --persistent-conn; -L --timeout --tun-info;
    -L --timeout -n -X --nosort; -L -c --stats; -L -c --rate; -L -c --thresholds;
    -L -c --tun-info; -L -c -X; -L --nosort --nosort; -L --stats --stats;

    -L -s rr; -L -s; -L -p; -L -p 5; -L -p -n; -L -M 255.0.0.0; -L -o; -L --ops; -L -b flag-1;
    -L --pe sip; -L -r 10.0.1.1:80; -L -g; -L -i; -L -m; -L -w 1; -L -x 1; -L -y 1;
    -L --tun-type gue; -L --tun-port 5; -L --tun-csum; -L --mcast-interface lo;
    -L --sync-maxlen 5; -L --mcast-group 224.0.0.1; -L --mcast-port 5; -L --mcast-ttl 5;
    -L -w 1 -Q;

    -S -n -n; -S -N; -Sn; -S foo; -S --sort; -S --nosort; -S --stats; -S -t 10.0.0.1:80; -S -c;
    -S -X; --save --numeric; --save=1; -S --; -S -- -n; -S -w 1 -Q";
