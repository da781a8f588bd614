//! The README shows screens as they are. `SCREENS=write cargo test -p top screens` writes them anew, too.

use std::fs;
use std::path::Path;

use super::DOWN;
use crate::keys::Key;
use crate::stage::{Stage, WEB, id};

/// The screen without the empty part.
fn full_lines(drawn: &str) -> String {
    drawn.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

/// All services, one of them, and the keys.
fn pictures() -> [String; 3] {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    stage.weight(WEB, "10.0.0.3:8080", 2);
    stage.read();
    let overview = stage.draw(80, 24);
    stage.state.service.select(&[id(WEB)], 0);
    stage.key(Key::Enter);
    stage.pass(8);
    stage.keys("jj");
    let service = stage.draw(80, 24);
    stage.keys("?");
    // All keys, and all that is said of them.
    [overview, service, stage.draw(90, 70)].map(|drawn| full_lines(&drawn))
}

#[test]
fn the_readme_shows_the_screens() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&file).unwrap();
    let mut expected = String::new();
    let mut pictures = pictures().into_iter();
    let mut rest = readme.as_str();
    while let Some((before, after)) = rest.split_once("```text\n") {
        let (_, after) = after.split_once("```").unwrap();
        let picture = pictures.next().expect("three pictures");
        expected += &format!("{before}```text\n{picture}```");
        rest = after;
    }
    assert_eq!(pictures.next(), None, "three pictures");
    expected += rest;
    if std::env::var_os("SCREENS").is_some_and(|it| it == "write") {
        fs::write(&file, &expected).unwrap();
    }
    let readme = fs::read_to_string(&file).unwrap();
    assert!(readme == expected, "{} shows other screens:\n{expected}", file.display());
}
