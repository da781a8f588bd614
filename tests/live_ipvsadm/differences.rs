//! Where ours is not as the original, as the example's head comment says.

use crate::namespace::{fresh, ipvsadm};
use crate::places::with_names;
use crate::programs::Program;

/// How ours ends, and how the original.
#[track_caller]
fn codes(words: &str, input: &str, expected: [i32; 2]) {
    let codes = [Program::Ours, Program::Original].map(|program| program.fed(words, input).code);
    assert_eq!(codes, expected.map(Some), "ipvsadm {words} {input}");
}

#[test]
fn what_could_be_misread_is_refused() {
    fresh();
    with_names();
    ipvsadm("-A -t 10.0.0.1:80");
    for words in [
        "-L -t 10.1:80",
        "-L -t 0xa000001:80",
        "-L -t 10.0.0.1:+80",
        "-L --syncid 5",
        "-A -t 10.0.0.1:81 -p +5",
        "-A -t 10.0.0.1:82 -p 5 -M 24",
        "-A -t [2001:db8::1]:80 -p 5 -M 64x",
        "-A -t 10.0.0.1:83 -M 255.0.0.0",
        "-a -t 10.0.0.1:80 -r 10.0.1.1 -m -w +1",
    ] {
        codes(words, "", [2, 0]);
    }
    // The kernel would count its timeout in ticks, which are too many.
    codes("-A -t 10.0.0.1:84 -p 2592000", "", [255, 0]);
}

#[test]
fn what_is_clear_is_accepted() {
    fresh();
    with_names();
    for words in [
        "-A -f 5 -6",
        "-L -n -f 5 -6",
        "-A -t 10.0.0.1:80",
        "-A -t [2001:db8::1]:80",
        "-A -t [six]:81",
        "-a -t [2001:db8::1]:80 -r [2001:db8::2] -m",
        "-a -t 10.0.0.1:80 -r 10.0.1.1 -m -w 65536",
    ] {
        let code = Program::Ours.run(words).code;
        assert_eq!(code, Some(0), "ipvsadm {words}");
    }
}

#[test]
fn nothing_is_restored_from_input_that_is_not_right() {
    let mut ipvs = fresh();
    let good = "-A -t 10.0.0.1:80\n";
    for (bad, code) in [("-A -t 10.0.0.1\n", 2), ("-Q\n", 255), ("-L\n", 2), ("foo\n", 255)] {
        let end = Program::Ours.fed("-R", &format!("{good}{bad}"));
        assert_eq!((end.code, end.complained), (Some(code), true), "{bad}");
        assert!(ipvs.services().unwrap().is_empty());
    }
    // What the kernel refuses does not keep it from the rest, but is not forgotten.
    let end = Program::Ours.fed("-R", &format!("{good}{good}# comment\n-A -f 5\n"));
    assert_eq!((end.code, end.complained), (Some(255), true));
    assert_eq!(ipvs.services().unwrap().len(), 2);
}

#[test]
fn what_the_original_misprints_is_printed() {
    fresh();
    ipvsadm("-A -f 4294967295 -s rr");
    ipvsadm("-A -t 10.0.0.1:80 -s sh -b sh-port,flag-3");
    let saved = Program::Ours.run("-S -n").output;
    assert_eq!(saved, "-A -f 4294967295 -s rr\n-A -t 10.0.0.1:80 -s sh -b sh-port,flag-3\n");
    let list = Program::Ours.run("-L -n").output;
    assert!(list.contains("\nFWM  4294967295 rr\n"), "{list}");
    assert!(list.contains("\nTCP  10.0.0.1:80 sh (sh-port,flag-3)\n"), "{list}");
}
