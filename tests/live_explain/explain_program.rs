//! The program `explain`.

use std::process::{Command, Output};

use ipvs_netlink::{Client, Destination, Persistence, Scheduler, Service};

use crate::examples::example;
use crate::namespace::{fresh, ip};

fn explain(arguments: &[&str]) -> Output {
    Command::new(example("explain")).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn table(scheduler: Scheduler) -> (Client, Service) {
    let mut ipvs = fresh();
    ip("addr add 192.0.2.10/32 dev lo");
    let web = Service::tcp("192.0.2.10:80".parse().unwrap()).scheduler(scheduler);
    ipvs.add_service(&web).unwrap();
    for host in 2..=4 {
        let server = Destination::masquerade(([10, 0, 0, host], 8080).into()).weight(host.into());
        ipvs.add_destination(web.id, &server).unwrap();
    }
    (ipvs, web)
}

const QUESTION: [&str; 2] = ["198.51.100.7", "TCP 192.0.2.10:80"];

#[test]
fn the_readme_shows_what_the_program_prints() {
    table(Scheduler::SOURCE_HASHING);
    let readme = include_str!("../../README.md");
    let session = readme.split("```text\n").find(|block| block.starts_with("$ explain ")).unwrap();
    let session = session.split("```").next().unwrap();
    for shown in session.split("$ explain ").skip(1) {
        let (line, expected) = shown.split_once('\n').unwrap();
        let words: Vec<&str> = line.split('"').collect();
        let mut arguments = Vec::new();
        for (at, part) in words.iter().enumerate() {
            match at % 2 {
                0 => arguments.extend(part.split_whitespace()),
                _ => arguments.push(part),
            }
        }
        assert_eq!(text(&explain(&arguments)), expected, "{line}");
    }
    assert!(session.contains("--if"));
}

#[test]
fn the_exit_code_says_what_kind_of_answer_there_is() {
    let (mut ipvs, web) = table(Scheduler::MAGLEV_HASHING);
    let code = |more: &[&str]| {
        let output = explain(&[&QUESTION[..], more].concat());
        (output.status.code().unwrap(), text(&output))
    };
    let (exit, told) = code(&["--default-tables"]);
    assert_eq!(exit, 0, "{told}");
    ipvs.set_weight(web.id, "10.0.0.2:8080".parse().unwrap(), 0).unwrap();
    let (exit, told) = code(&["--default-tables"]);
    assert_eq!(exit, 3, "{told}");
    assert!(told.contains("unknown: the last weight of 10.0.0.2:8080"), "{told}");
    let (exit, told) = code(&["--mh-index", "12", "--last-weight", "10.0.0.2:8080=2"]);
    assert!(exit == 0 || exit == 4, "{told}");
    ip("addr del 192.0.2.10/32 dev lo");
    let (exit, told) = code(&[]);
    assert_eq!(exit, 4, "{told}");
    assert!(told.contains("192.0.2.10 is not an address of this host"), "{told}");
    ip("addr add 192.0.2.10/32 dev lo");
    ipvs.flush().unwrap();
    let (exit, told) = code(&[]);
    assert_eq!(exit, 4, "{told}");
    assert!(told.contains("nowhere: no service takes its packets"), "{told}");
}

#[test]
fn an_unknown_table_size_is_told() {
    table(Scheduler::SOURCE_HASHING);
    let output = explain(&QUESTION);
    let told = text(&output);
    // A host may have the configuration of its kernel.
    if output.status.code() == Some(3) {
        assert!(told.contains("unknown: the size of the table of sh"), "{told}");
        assert!(told.contains("with the default table size (--default-tables): 10.0.0."), "{told}");
    } else {
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.contains(" slots"), "{told}");
    }
}

#[test]
fn hostile_arguments_are_refused() {
    let long = "1".repeat(100_000);
    let wrong: &[&[&str]] = &[
        &[],
        &["198.51.100.7"],
        &["client.example", "TCP 192.0.2.10:80"],
        &["198.51.100.7:0", "TCP 192.0.2.10:80"],
        &["198.51.100.7", "TCP"],
        &["198.51.100.7", "TCP 192.0.2.10:99999"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--sh-bits", "40"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--mh-index", "7"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--if", "rm -rf /"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--last-weight", "10.0.0.2:80"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--protocol", "ESP"],
        &[&long, &long],
    ];
    for arguments in wrong {
        let output = explain(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    let elsewhere = explain(&[&QUESTION[..], &["--namespace", "/no/such/namespace"]].concat());
    assert_eq!(elsewhere.status.code(), Some(1), "{elsewhere:?}");
}

#[test]
fn the_program_finds_a_template() {
    let mut ipvs = fresh();
    let sticky = Persistence::new(std::time::Duration::from_secs(300));
    let to = "127.0.0.80:80".parse().unwrap();
    let web = Service::tcp(to).scheduler(Scheduler::ROUND_ROBIN).persistence(sticky);
    ipvs.add_service(&web).unwrap();
    let listeners: Vec<_> =
        (0..3).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    for listener in &listeners {
        let server = Destination::masquerade(listener.local_addr().unwrap());
        ipvs.add_destination(web.id, &server).unwrap();
    }
    let ask = |client: &str| text(&explain(&[client, "TCP 127.0.0.80:80"]));
    assert!(ask("127.0.0.1").contains("one of"));
    let stream = std::net::TcpStream::connect(to).unwrap();
    let told = ask("127.0.0.1");
    assert!(told.contains("a template of persistence for 127.0.0.1 ("), "{told}");
    let told = ask(&stream.local_addr().unwrap().to_string());
    assert!(told.contains("a connection of this client and port (ESTABLISHED, "), "{told}");
    assert!(ask("127.0.0.2").contains("one of"));
}
