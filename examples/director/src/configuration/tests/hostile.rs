use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::{Format, LoadError, load};
use super::{read, refused};

/// The first line about a text that is not valid.
fn first(text: &str, format: Format) -> String {
    refused(text, format).swap_remove(0)
}

#[test]
fn aliases_that_grow_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        writeln!(text, "a{level}: &a{level} [{before}]").unwrap();
    }
    assert!(first(&text, Format::Yaml).ends_with("more than 1000000 values"));
    assert!(first("a: &a [*a]", Format::Yaml).ends_with("1:8: an alias inside of its own anchor"));
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..40 {
        writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(first(&text, Format::Yaml).contains("inside each other"));
}

#[test]
fn deep_texts_are_refused_at_once() {
    let begin = Instant::now();
    for (opening, format) in
        [("[", Format::Yaml), ("{a: ", Format::Yaml), ("- ", Format::Yaml), ("[a, ", Format::Yaml)]
    {
        let line = first(&opening.repeat(100_000), format);
        assert!(line.contains("24 lists and mappings inside each other"), "{line}");
    }
    let lines = refused(&format!("a={}", "[".repeat(100_000)), Format::Toml);
    assert!(!lines.is_empty());
    let lines = refused(&format!("{}=1", "a.".repeat(100_000)), Format::Toml);
    assert!(!lines.is_empty());
    assert!(refused(&"? ".repeat(100_000), Format::Yaml)[0].contains("expected a key"));
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_is_not_read_is_told_as_such() {
    for (text, expected) in [
        ("", "f:1:1: the file is empty"),
        ("# nothing\n", "f:1:1: the file is empty"),
        ("5", "f:1:1: found 5, expected a mapping with the keys namespace"),
        ("{}", "f:1:1: the key services is missing"),
        ("services:", "f:1:9: found nothing, expected services, a list"),
        ("a: 1\n<<: {b: 2}", "f:2:1: merge keys (<<) are not read"),
        ("services: !!seq []", "f:1:17: tags (!) are not read"),
        ("services: []\n---\nservices: []", "f:2:1: a second document"),
        (
            "services: []\nservices: []",
            "f:2:1: key \"services\" is given twice; the first is in line 1",
        ),
        ("? [a]\n: b", "f:1:3: expected a key"),
        ("services: [", "f:1:11: unclosed bracket"),
    ] {
        let line = first(text, Format::Yaml);
        assert!(line.starts_with(expected), "\nfound    {line}\nexpected {expected}");
    }
}

#[test]
fn huge_numbers_are_no_numbers_of_a_setting() {
    for (number, expected) in [
        ("99999999999999999999", "found a number of more than 64 bits"),
        ("-99999999999999999999", "found a number of more than 64 bits"),
        ("1e400", "found"),
        ("0x10000000000000000", "found a number of more than 64 bits"),
        ("010", "found a number with leading zeros"),
        (".inf", "found a number that is not finite"),
        ("4294967296", "found 4294967296"),
        ("1.5", "found 1.5"),
    ] {
        let text = format!("services: [{{tcp: 192.0.2.10:80, policy: {{quorum: {number}}}}}]");
        let line = first(&text, Format::Yaml);
        assert!(line.contains(&format!("f:1:50: {expected}")), "{line}");
        assert!(line.contains("expected quorum, 1 to 4294967295"), "{line}");
    }
}

#[test]
fn no_message_moves_the_cursor_of_a_terminal() {
    let odd = "\\e[2J\\u202e\\nx";
    for text in [
        format!("\"{odd}\": 1\nservices: []"),
        format!("services: [{{tcp: \"{odd}\"}}]"),
        format!("services: [{{\"{odd}\": 1}}]"),
        format!("services: [{{tcp: 192.0.2.10:80, scheduler: \"{odd}\"}}]"),
        format!("services: [{{tcp: 192.0.2.10:80, checks: [{{http: {{path: \"{odd}\"}}}}]}}]"),
        format!("services: [{{tcp: 192.0.2.10:80, commands: {{available: {{\"{odd}\": 1}}}}}}]"),
        format!("namespace: \"a/{odd}\"\nservices: []"),
        format!("synchronization: [{{role: \"{odd}\", interface: \"{odd}\"}}]\nservices: []"),
        format!("drain: {{until: \"{odd}\"}}\nservices: []"),
        format!("resync: \"{odd}\"\nservices: []"),
    ] {
        for line in refused(&text, Format::Yaml) {
            let is_odd = |c: char| c.is_control() || c == '\u{202e}';
            assert!(!line.contains(is_odd), "{line:?}");
            assert!(line.starts_with("f:"), "{line:?}");
            assert!(line.len() < 700, "{line:?}");
        }
    }
}

#[test]
fn long_texts_are_not_repeated() {
    let long = "x".repeat(1_000_000);
    for text in [
        format!("{long}: 1\nservices: []"),
        format!("services: [{{tcp: {long}}}]"),
        format!("services: [{{? {long} : 1}}]"),
        format!("namespace: {long}\nservices: []"),
        format!("services: [{{tcp: 192.0.2.10:80, checks: [{long}]}}]"),
    ] {
        let lines = refused(&text, Format::Yaml);
        assert!(lines.iter().all(|line| line.len() < 700), "{}", lines[0].len());
    }
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    let parse =
        |bytes| super::super::parse(bytes, Format::Yaml, "f".as_ref()).unwrap_err().to_string();
    assert_eq!(parse(b"a: b\nc: \xff\n"), "f:2:4: not UTF-8");
    let long = vec![b'\n'; (16 << 20) + 1];
    assert!(parse(&long).ends_with("longer than 16 MiB"));
    let many = "[[a]]\n".repeat(200_000);
    assert!(first(&many, Format::Toml).contains("too many tables for TOML"));
}

/// A service with many settings and many wrong destinations must not be read again for each of them.
#[test]
fn the_work_on_a_wrong_file_is_bounded() {
    let begin = Instant::now();
    let flags = "ops, ".repeat(20_000);
    let wrong = "{address: 10.0.0.2:80, weight: -1, wieght: 2},".repeat(15_000);
    let text = format!(
        "services: [{{tcp: 192.0.2.10:80, forward: direct, flags: [{flags}], destinations: [{wrong}]}}]"
    );
    let lines = refused(&text, Format::Yaml);
    assert!(lines.last().unwrap().contains("at least"), "{lines:?}");
    let keys: String = (0..50_000).map(|number| format!("k{number}: 1, ")).collect();
    let text = format!("services: [{{tcp: 192.0.2.10:80, {keys}}}]");
    assert!(refused(&text, Format::Yaml).len() > 1);
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

#[test]
fn only_regular_files_are_opened() {
    let folder = std::env::temp_dir().join(format!("director-files-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name);
    rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo.yaml"), rustix::fs::Mode::RWXU).unwrap();
    fs::create_dir_all(path("folder.yaml")).unwrap();
    let told = |path: PathBuf| load(&path, None).unwrap_err();
    for (name, expected) in [
        ("fifo.yaml", "not a regular file"),
        ("folder.yaml", "Is a directory"),
        ("missing.yaml", "No such file"),
    ] {
        let error = told(path(name));
        assert!(matches!(error, LoadError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(matches!(told("/dev/zero".into()), LoadError::UnknownFormat(_)));
    let zero = load("/dev/zero".as_ref(), Some(Format::Yaml)).unwrap_err();
    assert!(zero.to_string().ends_with("not a regular file"), "{zero}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_text_of_the_other_format_is_refused_in_few_lines() {
    let yaml = include_str!("../../../director.yaml");
    assert!(refused(yaml, Format::Toml).len() <= 101);
    assert!(read("[[services]]\ntcp = '192.0.2.10:80'\n", Format::Yaml).is_err());
}
