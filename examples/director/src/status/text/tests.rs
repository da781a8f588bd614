use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::status::example;

fn view(width: Option<usize>) -> View {
    let clock = Clock { now: example::at(12, 30, 0), zone: TimeZone::UTC };
    View { clock, width, is_coloured: false, only_troubles: false }
}

#[test]
fn a_terminal_of_80_columns_shows_all() {
    let mut status = example::status();
    status.troubles.push("the reload of 12:01 was refused: line 3: unknown key `servces`".into());
    let expected = "\
director since 08:00, file of 11:00: 2 services, 4 destinations, 1 down, 1 kept,
1 drained, 1 up
! the reload of 12:01 was refused: line 3: unknown key `servces`

FWM 5 IPv6 (wlc): serving, not available, 0 of 1 live, quorum 1, withdrawn
  DESTINATION          WEIGHT TABLE ACTIVE INACTIVE  STATE
  [2001:db8::1:2]:8080      1     1      3        4  kept though dead since
                                                     2026-11-27 12:03:04: too
                                                     few are live; 3 of 3
                                                     failed, timed out after 2 s

TCP 192.0.2.10:80 (wlc): serving, 1 of 3 live, quorum 1
  DESTINATION   WEIGHT TABLE ACTIVE INACTIVE  STATE
  10.0.0.3:8080      1     -      -        -  down since 12:03:04: 3 of 3
                                              failed, connection refused
  10.0.0.2:8080     10     0     12      340  drained by alice until 14:00;
                                              weight by order
  10.0.0.1:8080      1     1      3        4  up since 09:00
";
    assert_eq!(text(&status, &view(Some(80))), expected);
}

#[test]
fn a_file_has_one_line_for_each_destination() {
    let shown = text(&example::status(), &view(None));
    let down = "  10.0.0.3:8080      1     -      -        -  down since 12:03:04: 3 of 3 failed, \
                connection refused\n";
    assert!(shown.contains(down), "{shown}");
    assert_eq!(shown.lines().count(), 1 + 4 + 6);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut status = example::status();
    let long = &mut status.services[0].destinations[2];
    long.reason = format!("{} \u{1f600}服务器 \x1b]0;title\x07", "x".repeat(300));
    long.weight = i32::MAX.unsigned_abs();
    for width in 60..200 {
        let shown = text(&status, &view(Some(width)));
        for line in shown.lines() {
            assert!(line.width() <= width, "{width}: {line}");
        }
        assert!(!shown.contains(['\x1b', '\x07']));
    }
    // Narrower ones lose the alignment, and nothing else.
    for width in 0..60 {
        assert!(text(&status, &view(Some(width))).contains("10.0.0.3:8080"));
    }
}

#[test]
fn only_troubles_can_be_shown() {
    let mut only = view(None);
    only.only_troubles = true;
    let shown = text(&example::status(), &only);
    assert!(shown.contains("10.0.0.3:8080") && !shown.contains("10.0.0.1:8080"), "{shown}");
}

#[test]
fn states_have_colours_on_request() {
    let mut coloured = view(Some(80));
    coloured.is_coloured = true;
    let shown = text(&example::status(), &coloured);
    assert!(shown.contains("  \x1b[32mup since 09:00\x1b[0m\n"), "{shown}");
    let plain = shown.replace("\x1b[31m", "").replace("\x1b[32m", "").replace("\x1b[33m", "");
    assert_eq!(plain.replace("\x1b[0m", ""), text(&example::status(), &view(Some(80))));
}
