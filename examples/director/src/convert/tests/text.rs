//! Comments, words, braces, parameters, sequences and conditions.

use crate::convert::convert;
use crate::convert::lexer::{self, OpenQuote};
use crate::convert::sequences;
use crate::convert::tests::{Folder, convert_text, remarks, try_text};

fn bare(line: &str) -> Result<(String, bool), OpenQuote> {
    lexer::without_comment(line).map(|bare| (bare.text, bare.continues))
}

/// Returns the ids and destinations of the services.
fn table(text: &str) -> Vec<String> {
    let services = convert_text(text).configuration.services;
    let of = |destinations: ipvs_netlink::table::Table| {
        let all = destinations.destinations();
        all.map(|(_, it)| it.destination().id.to_string()).collect::<Vec<_>>().join(" ")
    };
    let line = |(id, service): (_, crate::configuration::ServiceConfiguration)| {
        format!("{id}: {}", of(std::iter::once(service.table).collect()))
    };
    services.into_iter().map(line).collect()
}

#[test]
fn comments_begin_with_either_character_and_not_in_quotes() {
    for (line, text, continues) in [
        ("  weight 1 ! one", "weight 1", false),
        ("weight 1#one", "weight 1", false),
        (r#"path "/#!" # x"#, r##"path "/#!""##, false),
        (r"path /\#x", "path /#x", false),
        (r"path /\!x \", "path /!x", true),
        (r"x # comment \", "x", true),
        ("! all", "", false),
        (r#"x # "open"#, "x", false),
        (r"a\b", r"a\b", false),
    ] {
        assert_eq!(bare(line), Ok((text.to_owned(), continues)), "{line}");
    }
    assert_eq!(bare(r#"path "open # x"#), Err(OpenQuote));
}

#[test]
fn quotes_hold_words_together() {
    let words = |text| lexer::words(text).unwrap();
    assert_eq!(words(r#"a "b c" d"#), ["a", "b c", "d"]);
    assert_eq!(words(r#"a"b c"d"#), ["a", "b c", "d"]);
    assert_eq!(words(r#"a "" 'b c'"#), ["a", "", "'b", "c'"]);
    assert_eq!(lexer::words(r#"a "b"#), Err(OpenQuote));
}

#[test]
fn words_of_scripts_are_read_as_a_shell_does() {
    let words = |text| lexer::shell_words(text).unwrap();
    assert_eq!(words(r#"a'b 'c "d\"e" f\ g"#), ["ab c", "d\"e", "f g"]);
    assert_eq!(words(r"\x41\102\cC\n\E."), ["AB\u{3}\n\u{1b}."]);
    assert_eq!(words(r"\8 \x \c"), ["8", "x", "c"]);
    assert_eq!(words("\\\u{e9}"), ["\u{e9}"]);
    for broken in ["'a", "\"a", "a\\", r"\xff", r"\377"] {
        assert_eq!(lexer::shell_words(broken), None, "{broken}");
    }
}

#[test]
fn braces_may_be_anywhere() {
    let expected = ["TCP 192.0.2.1:80: 10.0.0.2:80 10.0.0.3:80"];
    for text in [
        "virtual_server 192.0.2.1 80 { protocol TCP\n real_server 10.0.0.2 80 { weight 1 }\n real_server 10.0.0.3 80 {} }",
        "virtual_server 192.0.2.1 80\n{\nprotocol TCP\nreal_server 10.0.0.2 80\n{ weight 1\n}\nreal_server 10.0.0.3 80{\n}\n}",
        "virtual_server 192.0.2.1 80 {real_server 10.0.0.2 80{weight 1}real_server 10.0.0.3 80{} protocol TCP}",
        "virtual_server 192.0.2.1 \\\n 80 {\nprotocol # the usual \\\nTCP\nreal_server 10.0.0.2\nreal_server 10.0.0.3 }",
    ] {
        assert_eq!(table(text), expected, "{text}");
    }
}

#[test]
fn broken_braces_and_quotes_are_errors_with_their_line() {
    for (text, message) in [
        ("a {\nb {\n}\n", ":1: the block that begins here is not closed"),
        ("a {\nb {\n", ":2: the block that begins here is not closed"),
        ("a {\n}\n}\n", ":3: \"}\" closes a block that is not open"),
        ("\n{\n", ":2: \"{\" opens a block without a keyword before it"),
        ("a { {\n", ":1: \"{\" opens a block without a keyword before it"),
        ("a {} {}\n", ":1: \"{\" opens a block without a keyword before it"),
        ("x\ny \"z\n", ":2: a double quote has no end"),
    ] {
        let error = try_text(text).unwrap_err().to_string();
        assert!(error.ends_with(&format!("keepalived.conf{message}")), "{text:?}: {error}");
    }
}

#[test]
fn parameters_are_replaced_where_they_are_used() {
    let text = "
$NET=10.0.${SUB}
$SUB=7
$REAL= \\
    real_server ${NET}.$LAST 80 { \\
        weight 3 \\
    }

$VIP=192.0.2.1
virtual_server $VIP 80 {
    protocol TCP
    $LAST=2
    real_server ${NET}.2 80 {}
    $SUB=8
    real_server ${NET}.${LAST} 80 {}
}
$VS= \\
virtual_server 192.0.2.${N} 80 { \\
    protocol TCP \\
    $RS \\
}
$RS= \\
real_server 10.9.0.${N} 80 {} \\
real_server 10.9.1.${N} 80 {}
$N=5
$VS
$N=6
$VS
";
    assert_eq!(
        table(text),
        [
            "TCP 192.0.2.1:80: 10.0.7.2:80 10.0.8.2:80",
            "TCP 192.0.2.5:80: 10.9.0.5:80 10.9.1.5:80",
            "TCP 192.0.2.6:80: 10.9.0.6:80 10.9.1.6:80",
        ]
    );
}

#[test]
fn parameters_that_nobody_defines_stay() {
    let text = "virtual_server 192.0.2.1 80 {\nreal_server 10.0.0.2 80 {}\n\
                quorum_up \"/bin/sh -c 'echo $HOME ${UNKNOWN} ${_HASH} ${_PWD}'\"\n}\n";
    let folder = Folder::new();
    let configuration = convert(&folder.with("k", text), None).unwrap().configuration;
    let commands = configuration.services.into_values().next().unwrap().commands.unwrap();
    let here = folder.path().canonicalize().unwrap();
    let script = format!("echo $HOME ${{UNKNOWN}} # {}", here.display());
    assert_eq!(commands.available, ["/bin/sh".to_owned(), "-c".to_owned(), script]);
}

#[test]
fn sequences_are_expanded() {
    let text = "
virtual_server 192.0.2.1 80 {
    ~SEQ(A, 1, 2) ~SEQx(B, 0x9, 1, 0xa) real_server 2001:db8::${A}:${B} 80 { lvs_method TUN }
    ~LST({C, D}, {4, 5}, {6, 7}) real_server 10.0.${C}.${D} 80
    ~SEQ(E, 3, -1, 2) real_server 10.1.0.$E 80 { weight 2 }
}
";
    assert_eq!(
        table(text),
        ["UDP 192.0.2.1:80: 10.0.4.5:80 10.0.6.7:80 10.1.0.2:80 10.1.0.3:80 [2001:db8::1:9]:80 \
         [2001:db8::1:a]:80 [2001:db8::2:9]:80 [2001:db8::2:a]:80",]
    );
    for broken in [
        "~SEQ(A)",
        "~SEQ(A, 1, 0, 3) x",
        "~SEQ(A, 1, 2",
        "~SEQ(A, 1, 999999999) x",
        "~SEQ(A, 9223372036854775806, 9223372036854775807, 9223372036854775807) x",
        "~SEQ(, 3) x",
        "~SEQy(A, 3) x",
        "~LST(A) x",
        "~LST({A, B}, 1, 2) x",
        "~LST({A, B}, {1, 2) x",
    ] {
        assert_eq!(sequences::read(broken), None, "{broken}");
    }
}

#[test]
fn an_id_chooses_among_conditions() {
    let text = "
virtual_server 192.0.2.1 80 {
    real_server 10.0.0.2 80
    @one weight 3
    @two weight 4
    @^one retry 7
    @one
    $IF=@two
    $IF real_server 10.0.0.4 80
}
";
    let folder = Folder::new();
    let path = folder.with("keepalived.conf", text);
    let weights = |id| {
        let conversion = convert(&path, id).unwrap();
        let service = conversion.configuration.services.values().next().unwrap().clone();
        let weights = service.table.destinations().map(|it| it.destination().weight);
        (weights.collect::<Vec<_>>(), remarks(&conversion))
    };
    assert_eq!(weights(Some("one")), (vec![3], vec![]));
    let unused = vec!["6: retry: not needed: nothing uses it".to_owned()];
    assert_eq!(weights(Some("two")), (vec![4, 4], unused.clone()));
    assert_eq!(weights(Some("else")), (vec![1], unused));
    let (found, told) = weights(None);
    let lines: Vec<&str> =
        told.iter().filter_map(|line| line.split_once(':')).map(|it| it.0).collect();
    assert_eq!((found, lines), (vec![1], vec!["4", "5", "6", "7", "9"]));
    assert!(told[0].starts_with("4: @one weight 3: left out: "), "{}", told[0]);
}
