use proptest::prelude::*;

use crate::ipvsadm::{Command, CommandError, NumericNames};
use crate::model::Change;

/// Parses `words` and prints the command in its usual spelling.
fn meaning(words: &[&str]) -> Result<String, CommandError> {
    let command = Command::parse(words, &NumericNames)?;
    let text = command.to_string();
    Ok(text.strip_prefix("ipvsadm ").unwrap().to_owned())
}

fn split(words: &str) -> Vec<&str> {
    words.split(' ').collect()
}

#[test]
fn every_spelling_is_read() {
    let cases = [
        // Letters and names.
        ("-At 10.0.0.9:80", "-A -t 10.0.0.9:80 -s wlc"),
        ("-A -t10.0.0.9:80", "-A -t 10.0.0.9:80 -s wlc"),
        ("-A -t=10.0.0.9:80 -s=wrr", "-A -t 10.0.0.9:80 -s wrr"),
        ("--add-service --tcp-service=10.0.0.9:80", "-A -t 10.0.0.9:80 -s wlc"),
        ("--add-service --tcp-service 10.0.0.9:80 --", "-A -t 10.0.0.9:80 -s wlc"),
        ("-A -s rr -u 10.0.0.9:80 -n --sort", "-A -u 10.0.0.9:80 -s rr"),
        ("-at 10.0.0.1:80 -r10.0.1.1 -mw=3", "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m -w 3"),
        ("-amt 10.0.0.1:80 -r 10.0.1.1", "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m"),
        // Commands.
        ("-E -t 10.0.0.1:80", "-E -t 10.0.0.1:80 -s wlc"),
        ("--delete-service --fwmark-service 5 --ipv6", "-D -f 5 -6"),
        ("-D -6 -f 05", "-D -f 5 -6"),
        ("-Z", "-Z"),
        ("--zero --sctp-service 10.0.0.1:80", "-Z --sctp-service 10.0.0.1:80"),
        ("--clear", "-C"),
        ("--edit-server -t 10.0.0.1:80 -r 10.0.1.1", "-e -t 10.0.0.1:80 -r 10.0.1.1:80 -g"),
        ("-d -t 10.0.0.1:80 -r 10.0.1.1", "-d -t 10.0.0.1:80 -r 10.0.1.1:80"),
        ("--set 900 0 007", "--set 900 0 7"),
        ("900 --set -- 120 300", "--set 900 120 300"),
        ("--start-daemon=master", "--start-daemon master --mcast-interface eth0 --syncid 0"),
        (
            "--start-daemon backup --mcast-ttl 2 --mcast-port 5 --mcast-group ff02::5 \
             --sync-maxlen 1300 --syncid 7 --mcast-interface lo",
            "--start-daemon backup --mcast-interface lo --syncid 7 --sync-maxlen 1300 \
             --mcast-group ff02::5 --mcast-port 5 --mcast-ttl 2",
        ),
        ("--stop-daemon backup --syncid 7", "--stop-daemon backup"),
        // Services.
        ("-A -t 10.0.0.9", "-A -t 10.0.0.9:0 -s wlc"),
        ("-A -t 2001:db8::9:80 -p", "-A -t '[2001:db8::9:80]:0' -s wlc -p 360"),
        ("-A -t [2001:db8::9]", "-A -t '[2001:db8::9]:0' -s wlc"),
        ("-A -f 4294967295", "-A -f 4294967295 -s wlc"),
        ("-A -f -1", "-A -f 4294967295 -s wlc"),
        ("-A -f -2147483648", "-A -f 2147483648 -s wlc"),
        // Settings of a service.
        ("-A -t 10.0.0.9:80 -p", "-A -t 10.0.0.9:80 -s wlc -p 360"),
        ("-A -t 10.0.0.9:80 -p60", "-A -t 10.0.0.9:80 -s wlc -p 60"),
        ("-A -t 10.0.0.9:80 -p=060", "-A -t 10.0.0.9:80 -s wlc -p 60"),
        ("-A -t 10.0.0.9:80 --persistent=60", "-A -t 10.0.0.9:80 -s wlc -p 60"),
        ("-A -t 10.0.0.9:80 --persistent 60", "-A -t 10.0.0.9:80 -s wlc -p 60"),
        ("-A -p -t 10.0.0.9:80", "-A -t 10.0.0.9:80 -s wlc -p 360"),
        ("-A -u 10.0.0.9:80 -op 60", "-A -u 10.0.0.9:80 -s wlc -p 60 -o"),
        ("-A -M 255.0.255.0 -t 10.0.0.9:80 -p 0", "-A -t 10.0.0.9:80 -s wlc -p 0 -M 255.0.255.0"),
        ("-A -M 64 -t [::1]:80 -p", "-A -t '[::1]:80' -s wlc -p 360 -M 64"),
        ("-A -f 9 -p 60 -M 128 -6", "-A -f 9 -6 -s wlc -p 60 -M 128"),
        ("-A -u 10.0.0.9:80 --pe sip", "-A -u 10.0.0.9:80 -s wlc"),
        ("-A -u 10.0.0.9:80 -M 255.0.0.0", "-A -u 10.0.0.9:80 -s wlc"),
        ("-A -u 10.0.0.9:80 --pe=sip -p", "-A -u 10.0.0.9:80 -s wlc -p 360 --pe sip"),
        (
            "-A -t 10.0.0.9:80 -b flag-1,sh-port -s sh",
            "-A -t 10.0.0.9:80 -s sh -b sh-fallback,sh-port",
        ),
        ("-A -t 10.0.0.9:80 -b flag-3,flag-3", "-A -t 10.0.0.9:80 -s wlc -b flag-3"),
        ("-A -t 10.0.0.9:80 -s= -b= --pe= -p", "-A -t 10.0.0.9:80 -s wlc -p 360"),
        ("-A -t 10.0.0.9:80 -s sh -b ,sh-port,,", "-A -t 10.0.0.9:80 -s sh -b sh-port"),
        ("-A -t 10.0.0.9:80 -b ,", "-A -t 10.0.0.9:80 -s wlc"),
        // Destinations.
        ("-a -r 10.0.1.1 -t 10.0.0.1:80 -m", "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -m"),
        ("-a -t 10.0.0.1:80 -r 10.0.1.1:90", "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -g"),
        ("-e -t 10.0.0.1:80 -r 10.0.1.1:0 -g", "-e -t 10.0.0.1:80 -r 10.0.1.1:80 -g"),
        ("-a -r 10.0.1.1:90 -i -t 10.0.0.1", "-a -t 10.0.0.1:0 -r 10.0.1.1:0 -i"),
        ("-a -t 10.0.0.1:80 -r 10.0.1.1:90 -m", "-a -t 10.0.0.1:80 -r 10.0.1.1:90 -m"),
        ("-d -t 10.0.0.1:80 -r 10.0.1.1:90", "-d -t 10.0.0.1:80 -r 10.0.1.1:90"),
        ("-a -f 5 -r 10.0.1.1:90", "-a -f 5 -r 10.0.1.1:90 -g"),
        ("-a -f 5 -r 10.0.1.1:90 -i", "-a -f 5 -r 10.0.1.1:90 -i"),
        ("-a -f 5 -r 10.0.1.1", "-a -f 5 -r 10.0.1.1:0 -g"),
        ("-a -f 5 -6 -r 2001:db8::2", "-a -f 5 -6 -r '[2001:db8::2]:0' -g"),
        ("-a -f 5 -r [2001:db8::2]:80 -i", "-a -f 5 -r '[2001:db8::2]:80' -i"),
        ("-a -f 5 -r 10.0.1.1 -x 0 -y 00 -w 2147483647", "-a -f 5 -r 10.0.1.1:0 -g -w 2147483647"),
        (
            "-a -f 5 -r 10.0.1.1 --u-threshold=5 --l-threshold 3",
            "-a -f 5 -r 10.0.1.1:0 -g -x 5 -y 3",
        ),
        ("-a -f 5 -r 10.0.1.1 -i --tun-type ipip", "-a -f 5 -r 10.0.1.1:0 -i"),
        (
            "-a -f 5 -r 10.0.1.1 -i --tun-type=gue --tun-port=6080",
            "-a -f 5 -r 10.0.1.1:0 -i --tun-type gue --tun-port 6080 --tun-nocsum",
        ),
        (
            "-a -f 5 -r 10.0.1.1 --tun-remcsum --tun-type gue --tun-port 1 -i",
            "-a -f 5 -r 10.0.1.1:0 -i --tun-type gue --tun-port 1 --tun-remcsum",
        ),
        (
            "-a -f 5 -r 10.0.1.1 -i --tun-type gre --tun-csum",
            "-a -f 5 -r 10.0.1.1:0 -i --tun-type gre --tun-csum",
        ),
    ];
    for (words, expected) in cases {
        assert_eq!(meaning(&split(words)).as_deref(), Ok(expected), "{words}");
    }
}

#[test]
fn every_error_has_its_place_and_says_what_was_expected() {
    let cases = [
        (
            "-t 10.0.0.1:80 -A",
            0,
            0,
            "a command that changes something, such as -A, as the first option, found \"-t\"",
        ),
        (
            "extra",
            0,
            0,
            "a command that changes something, such as -A, as the first option, found \"extra\"",
        ),
        (
            "-L -n",
            0,
            0,
            "a command that changes something, such as -A, as the first option, found \"-L\"",
        ),
        ("-AL", 0, 2, "an option of -A, found \"-L\""),
        ("-A --stats", 1, 0, "an option of -A, found \"--stats\""),
        ("-AQ", 0, 2, "an option of ipvsadm, found \"-Q\""),
        ("-A --tcp-serv x", 1, 0, "an option of ipvsadm, found \"--tcp-serv\""),
        ("-add-service", 0, 4, "an option of ipvsadm, found \"--\""),
        ("-A", 1, 0, "a service: -t, -u, --sctp-service or -f, found the end of the command"),
        ("-A -t", 2, 0, "an argument of -t, found the end of the command"),
        ("-A -t -- 10.0.0.9:80", 3, 0, "an option of -A, found \"10.0.0.9:80\""),
        ("-A -t --", 2, 0, "an IPv4 address, found \"--\""),
        ("-A -t 10.0.0.9:80 extra", 3, 0, "an option of -A, found \"extra\""),
        ("-A -t 10.0.0.9:80 -A", 3, 0, "an option of -A, found \"-A\""),
        ("-A -t 10.0.0.9:80 -w 5", 3, 0, "an option of -A, found \"-w\""),
        ("-A -t 10.0.0.9:80 -u 10.0.0.9:80", 3, 0, "only one of -t and -u, found \"-u\""),
        ("-A -t 10.0.0.9:80 -s rr -s wrr", 5, 0, "-s only once, found \"-s\""),
        ("-A -t 10.0.0.9:80 -6", 3, 0, "-6 with -f only, found \"-6\""),
        ("-A -t 10.0.0.9:80 -ps", 3, 2, "a number of seconds of 0 to 4294967295, found \"s\""),
        ("-A -t 10.0.0.9:80 -p -1", 4, 0, "an option of ipvsadm, found \"-1\""),
        ("-A -t 10.0.0.9:80 -p=-1", 3, 3, "a number of seconds of 0 to 4294967295, found \"-1\""),
        (
            "-A -t 10.0.0.9:80 --persistent=",
            3,
            13,
            "a number of seconds of 0 to 4294967295, found \"\"",
        ),
        ("-A -t 10.0.0.9:80 -M 24", 4, 0, "a mask such as 255.255.255.0, found \"24\""),
        ("-A -t 10.0.0.9:80 -p -M 24", 5, 0, "a mask such as 255.255.255.0, found \"24\""),
        ("-A -t [::9]:80 -p -M 64x", 5, 0, "a prefix length of 1 to 128, found \"64x\""),
        ("-A -f 9 -b flag-1,foo", 4, 7, "a flag of scheduler wlc, found \"foo\""),
        ("-A -f 9 -s mh -b sh-port", 6, 0, "a flag of scheduler mh, found \"sh-port\""),
        ("-A -f 9 -b ,flag-1,,foo", 4, 9, "a flag of scheduler wlc, found \"foo\""),
        ("-A -f 9 -b", 4, 0, "an argument of -b, found the end of the command"),
        ("-A -f 9 -b ops", 4, 0, "a flag of scheduler wlc, found \"ops\""),
        ("-A -f 9 -o=1", 3, 3, "no argument of -o, found \"1\""),
        ("-A -f 9 --ops=1", 3, 6, "no argument of --ops, found \"1\""),
        ("-A -f 0", 2, 0, "a firewall mark of 1 to 4294967295, found \"0\""),
        ("-A -f -2147483649", 2, 0, "a firewall mark of 1 to 4294967295, found \"-2147483649\""),
        ("-A -t http:80", 2, 0, "an IPv4 address, found \"http\" (names are not looked up)"),
        ("-Z -6", 2, 0, "a service: -t, -u, --sctp-service or -f, found the end of the command"),
        ("-C -t 10.0.0.1:80", 1, 0, "an option of -C, found \"-t\""),
        ("-a -f 5", 3, 0, "-r with a destination, found the end of the command"),
        ("-a -f 5 -r 10.0.1.1 -mg", 5, 2, "only one of -m and -g, found \"-g\""),
        ("-a -f 5 -r [::1]:80 -m", 4, 0, "an IPv4 address, or -i, found \"[::1]:80\""),
        (
            "-a -f 5 -r 10.0.1.1 -w 2147483648",
            6,
            0,
            "a weight of 0 to 2147483647, found \"2147483648\"",
        ),
        ("-a -f 5 -r 10.0.1.1 -w +3", 6, 0, "a weight of 0 to 2147483647, found \"+3\""),
        (
            "-a -f 5 -r 10.0.1.1 --tun-type gue",
            5,
            0,
            "--tun-type with -i only, found \"--tun-type\"",
        ),
        ("-a -f 5 -r 10.0.1.1 -i --tun-type GUE", 7, 0, "ipip, gue or gre, found \"GUE\""),
        (
            "-a -f 5 -r 10.0.1.1 -i --tun-type gue",
            8,
            0,
            "--tun-port with the UDP port of the tunnel, found the end of the command",
        ),
        (
            "-a -f 5 -r 10.0.1.1 -i --tun-port 5",
            6,
            0,
            "--tun-port with --tun-type gue only, found \"--tun-port\"",
        ),
        (
            "-a -f 5 -r 10.0.1.1 -i --tun-csum",
            6,
            0,
            "--tun-csum with --tun-type gue or gre only, found \"--tun-csum\"",
        ),
        (
            "-a -f 5 -r 10.0.1.1 -i --tun-type gre --tun-remcsum",
            8,
            0,
            "--tun-remcsum with --tun-type gue only, found \"--tun-remcsum\"",
        ),
        (
            "-a -f 5 -r 10.0.1.1 -i --tun-type gue --tun-port 0",
            9,
            0,
            "a port of 1 to 65535, found \"0\"",
        ),
        (
            "-a -f 5 -r 10.0.1.1 -i --tun-csum --tun-nocsum",
            7,
            0,
            "only one of --tun-csum and --tun-nocsum, found \"--tun-nocsum\"",
        ),
        ("--set 900 120", 3, 0, "three timeouts after --set, found the end of the command"),
        ("--set 900 120 300 1", 4, 0, "no more than three timeouts after --set, found \"1\""),
        ("--set=900 120 300", 0, 6, "no argument of --set, found \"900\""),
        (
            "--start-daemon Master",
            1,
            0,
            "a role of the daemon, found \"Master\" (must be master or backup)",
        ),
        (
            "--start-daemon backup --syncid 256",
            3,
            0,
            "a synchronization id of 0 to 255, found \"256\"",
        ),
        (
            "--start-daemon backup --mcast-group 10.0.0.1",
            3,
            0,
            "a multicast address, found \"10.0.0.1\"",
        ),
        (
            "--stop-daemon backup --mcast-ttl 1",
            2,
            0,
            "an option of --stop-daemon, found \"--mcast-ttl\"",
        ),
    ];
    for (words, word, offset, message) in cases {
        let error = meaning(&split(words)).unwrap_err();
        assert_eq!(error.to_string(), format!("expected {message}"), "{words}");
        assert_eq!((error.word(), error.offset()), (word, offset), "{words}");
    }
    let empty = meaning(&[]).unwrap_err();
    assert_eq!((empty.word(), empty.found()), (0, None));
    let odd = ["-A", "-f", "5", "-s", "a b"];
    assert!(meaning(&odd).unwrap_err().to_string().contains("must be 1 to 15 characters"));
}

#[test]
fn text_from_outside_is_escaped_and_shortened() {
    let error = meaning(&["-A", "-f", "5", "-s", "\u{1b}[31m"]).unwrap_err();
    assert_eq!(error.found(), Some("\u{1b}[31m"));
    assert!(error.to_string().contains(r#"found "\u{1b}[31m" ("#), "{error}");
    let long = "\u{e9}".repeat(5000);
    let error = meaning(&["-A", "-f", "5", "-s", &long]).unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

/// Words from which commands are made, so that random words are often commands.
fn words() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        8 => "-[AEDCZaedtufspMrmigwxybo6n]{1,3}=?",
        4 => "--(set|start-daemon|tcp-service|tun-type|tun-port|persistent|pe)=?",
        4 => r"10\.0\.0\.1(:80)?|\[::1\]:?80?|::1|5|rr|gue|60|255\.0\.0\.0",
        2 => ".{0,5}",
    ];
    prop::collection::vec(word, 0..8)
}

proptest! {
    #[test]
    fn any_words_are_read_back_or_give_an_error_at_a_word(words in words()) {
        match Command::parse(&words, &NumericNames) {
            Ok(command) => prop_assert_eq!(command.to_string().parse(), Ok(command.change)),
            Err(error) => {
                let word = words.get(error.word()).map_or("", String::as_str);
                prop_assert!(word.get(error.offset()..).is_some(), "{:?} {}", error, word);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_gives_an_error_in_a_line(text in ".{0,60}", words in words()) {
        for text in [text, words.join(" "), words.join("\n")] {
            if let Err(error) = text.parse::<Change>() {
                let line = text.split('\n').nth(error.line() - 1).unwrap();
                prop_assert!((1..=line.chars().count() + 1).contains(&error.column()));
            }
        }
    }
}
