//! Files that no table can be read from.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;

use ipvs_netlink::Service;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{Folder, WEB, run, there};
use crate::examples::example;
use crate::namespace::fresh;

#[test]
fn bad_files_are_refused_precisely_and_change_nothing() {
    let mut ipvs = fresh();
    ipvs.add_service(&Service::tcp(([192, 0, 2, 1], 80).into())).unwrap();
    let before = there(&mut ipvs);
    let folder = Folder::new("bad");
    let laughs = "services:\n- {fwmark: 1, flags: &a [ops,ops,ops,ops,ops,ops,ops,ops]}\n\
        - {fwmark: 2, flags: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]}\n\
        - {fwmark: 3, flags: [*b,*b,*b,*b,*b,*b,*b,*b,*b]}\n";
    let twice = "services: [{tcp: 1.2.3.4:80}, {tcp: 1.2.3.4:80}]";
    let cases: &[(&str, &[u8], &str)] = &[
        ("unknown.yaml", b"services:\n  - tcp: 1.2.3.4:80\n    wieght: 3\n", "line 3, column 5: unknown field `wieght`"),
        ("unknown.toml", b"[[services]]\ntcp = \"1.2.3.4:80\"\nwieght = 3\n", "line 3, column 1: unknown field `wieght`"),
        ("twice.toml", b"# Web\n[[services]]\ntcp = \"1.2.3.4:80\"\n[[services]]\ntcp = \"1.2.3.4:80\"\n", "line 4: service TCP 1.2.3.4:80: must not be given twice"),
        ("second.toml", b"[[services]]\nfwmark = 1\n\n[[services]]\ntcp = \"x\"\n", "line 5, column 7: service address"),
        ("unknown.json", b"{\"services\": [{\"tcp\": \"1.2.3.4:80\",\n\"wieght\": 3}]}", "line 2"),
        ("twice.yaml", twice.as_bytes(), "TCP 1.2.3.4:80"),
        ("key.yaml", b"services: [{tcp: 1.2.3.4:80, tcp: 1.2.3.4:81}]", "duplicate"),
        ("type.yaml", b"services: 5", "line 1"),
        ("weight.yaml", b"services: [{tcp: 1.2.3.4:80, forward: direct, destinations: [{address: 10.0.0.1:80, weight: -1}]}]", "weight"),
        ("range.yaml", b"services: [{tcp: 1.2.3.4:80, forward: direct, destinations: [{address: 10.0.0.1:80, weight: 4294967295}]}]", "at most 2147483647"),
        ("empty.yaml", b"", "line 1"),
        ("utf8.yaml", b"services:\n  - tcp: \xff\n", "line 2: not UTF-8"),
        ("nul.toml", b"\0", "line 1"),
        ("laughs.yaml", laughs.as_bytes(), "line 3, column 26: invalid type: sequence, expected a flag"),
        ("word.ipvsadm", b"-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w x\n", "line 2, column 41"),
        ("order.ipvsadm", b"-a -t 192.0.2.1:80 -r 10.0.0.1:80\n", "line 1"),
        ("flush.ipvsadm", b"-C\n", "line 1"),
        ("empty.ipvsadm", b"# nothing\n", "no service; to ask for an empty table"),
        (
            "method.yaml",
            b"services:\n  - tcp: 10.0.0.1:80\n    destinations:\n      - address: 10.0.0.1:80\n        forward: direct\n      - weight: 1\n        address: 10.0.0.2:080\n",
            "method.yaml: line 7, column 18: service TCP 10.0.0.1:80: destination 10.0.0.2:80: forward must be given",
        ),
        ("merge.yaml", b"services:\n  - &w {tcp: 1.2.3.4:80}\n  - <<: *w\n", "line 3, column 5: merge keys (<<) are not read; aliases"),
        ("two.yaml", b"services: []\n---\nservices: []\n", "a second document"),
        ("port.yaml", b"services: [{fwmark: 5, forward: direct, destinations: [{address: 10.0.0.2}]}]", "or port 0 in a service of a firewall mark"),
        ("high.json", b"{\"services\": [{\"tcp\": \"1.2.3.4:65536\"}]}", "line 1, column 37: service address \"1.2.3.4:65536\": the port must be at most 65535"),
        ("octal.yaml", b"services: [{tcp: 1.2.3.4:80, forward: direct, destinations: [{address: 10.0.0.1:80, weight: 010}]}]", "leading zeros"),
        ("names.ipvsadm", b"-A -t www.example.com:80\n", "--names looks them up"),
        ("toml.yaml", b"# Web\n[[services]]\ntcp = \"1.2.3.4:80\"\n", "; this looks like --format toml"),
        ("yaml.toml", b"services:\n  - tcp: 1.2.3.4:80\n", "; this looks like --format yaml"),
        ("yaml.json", b"services:\n  - tcp: 1.2.3.4:80\n", "; this looks like --format yaml"),
        ("saved.yaml", b"-A -t 1.2.3.4:80 -s rr\n", "; this looks like --format ipvsadm"),
        ("json.rules", b"{\"services\": []}\n", "; this looks like --format json"),
    ];
    for (name, text, expected) in cases {
        let file = folder.write(name, text);
        for command in [&["plan", "--all"][..], &["apply", "--all", "-y"], &["validate"]] {
            let (code, _, errors) = run(command, &file);
            assert_eq!(code, 5, "{name}: {errors}");
            assert!(errors.contains(expected), "{name}: {errors}");
            assert_eq!(errors.trim_end().lines().count(), 1, "{name}: {errors}");
            assert_eq!(errors.matches(name).count(), 1, "{name}: {errors}");
            assert!(errors.len() < 3000, "{name}: {}", errors.len());
        }
    }
    for (name, piece) in
        [("deep.yaml", "["), ("deep.json", "["), ("deep.toml", "a=["), ("long.ipvsadm", "x")]
    {
        let file = folder.write(name, piece.repeat(100_000));
        assert_eq!(run(&["apply", "--all", "-y"], &file).0, 5, "{name}");
    }
    // More than is read of any file.
    let long = folder.write("long", "");
    File::options().write(true).open(&long).unwrap().set_len((32 << 20) + 1).unwrap();
    for format in ["yaml", "toml", "json", "ipvsadm"] {
        let (code, _, errors) = run(&["apply", "-y", "--format", format], &long);
        assert_eq!(code, 5, "{errors}");
        assert!(errors.contains("longer than 32 MiB"), "{errors}");
    }
    assert_eq!(there(&mut ipvs), before);
}

/// A FIFO, whose opening waits for whoever opens the other end, a device and a folder.
#[test]
fn only_regular_files_are_read_and_nothing_blocks() {
    fresh();
    let folder = Folder::for_fifos("kinds");
    let fifo = folder.join("fifo.yaml");
    mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    symlink("web.yaml", folder.join("link.yaml")).unwrap();
    symlink(&fifo, folder.join("to-fifo.yaml")).unwrap();
    let web = folder.write("web.yaml", WEB);
    for (odd, expected) in [
        (fifo.as_path(), "not a regular file"),
        (&folder.join("to-fifo.yaml"), "not a regular file"),
        (Path::new("/dev/zero"), "not a regular file"),
        (folder.path(), "Is a directory"),
    ] {
        for arguments in [
            &["validate", "--format", "yaml"][..],
            &["plan", "--format", "yaml"],
            &["apply", "-y", "--format", "yaml"],
            &["apply", "-y", "--watch", "--format", "yaml"],
        ] {
            let (code, _, errors) = run(arguments, odd);
            assert_eq!(code, 1, "{odd:?}: {errors}");
            assert!(errors.contains(expected), "{odd:?}: {errors}");
        }
        let formerly = format!("--formerly={}", odd.display());
        assert_eq!(run(&["plan", &formerly, "--format", "yaml"], &web).0, 1);
    }
    assert_eq!(run(&["validate"], &folder.join("link.yaml")).0, 0);
}

/// What the caller has opened is waited for: it is as standard input is.
#[test]
fn what_a_shell_puts_in_place_of_a_command_is_read() {
    fresh();
    let script = "$0 plan --format yaml <(sleep 0.3; echo 'services: []')";
    let table = example("table");
    let printed = crate::namespace::run("bash", &["-c", script, table.to_str().unwrap()]);
    assert_eq!(printed, "no changes\n");
}

#[test]
fn what_a_file_says_does_not_lead_the_eye_astray() {
    let folder = Folder::new("eye");
    let directing = "\u{1b}\u{9b}\u{200f}\u{2028}\u{202e}\u{2069}\u{61c}";
    let unseen = "\u{200b}\u{2060}\u{feff}\u{ad}\u{e0001}\u{e0041}\u{e007f}";
    for odd in directing.chars().chain(unseen.chars()) {
        for (name, text) in [
            ("odd.yaml", format!("services:\n- tcp: x  # {odd}\n")),
            ("odd.toml", format!("[[services]] # {odd}\ntcp = \"x\"\n")),
            ("odd.json", format!("{{\"services\": [{{\"tcp\": \"{odd}\"}}]}}")),
            ("odd.ipvsadm", format!("-A -t {odd}\n")),
            (&format!("{odd}.yaml"), String::new()),
        ] {
            let (code, _, errors) = run(&["validate"], &folder.write(name, text));
            assert_eq!(code, 5, "{errors}");
            assert!(!errors.contains(odd), "{name}: {errors:?}");
        }
    }
}
