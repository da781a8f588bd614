//! The program `explain`.

use std::process::{Command, Output};

use ipvs_netlink::{AddressFamily, Client, Destination, Persistence, Scheduler, Service};

use crate::examples::example;
use crate::namespace::{fresh, ip, run};

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
    let _ipvs = fresh();
    let readme = include_str!("../../README.md");
    let (before, session) = readme.split_once("```text\n$ explain ").unwrap();
    let session = format!("$ explain {}", session.split("```").next().unwrap());
    let commands = before.rsplit("```sh\n").next().unwrap().split("```").next().unwrap();
    run("sh", &["-ec", commands]);
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
    assert!(told.contains("to give the last weight: --last-weight 10.0.0.2:8080=WEIGHT"), "{told}");
    let (exit, told) = code(&["--last-weight", "10.0.0.9:8080=2"]);
    assert_eq!((exit, told.as_str()), (2, ""));
    let (exit, told) = code(&["--last-weight", "10.0.0.3:8080=2"]);
    assert_eq!((exit, told.as_str()), (2, ""));
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
    assert!(told.contains("goes nowhere: no service takes its packets"), "{told}");
    ip("addr del 192.0.2.10/32 dev lo");
    let (_, told) = code(&[]);
    assert!(told.contains("note: there is no service TCP 192.0.2.10:80 either"), "{told}");
}

/// A rule of routing for the mark, which the program does not read, may deliver the packets here.
#[test]
fn an_address_that_marked_packets_go_to_need_not_be_of_this_host() {
    let mut ipvs = fresh();
    let marked = Service::fwmark(1, AddressFamily::Ipv4).scheduler(Scheduler::SOURCE_HASHING);
    ipvs.add_service(&marked).unwrap();
    let server = Destination::masquerade(([10, 0, 0, 2], 80).into());
    ipvs.add_destination(marked.id, &server).unwrap();
    let told = text(&explain(&["198.51.100.7", "FWM 1", "--to", "203.0.113.9:80"]));
    assert!(told.contains("goes to 10.0.0.2:80"), "{told}");
    assert!(told.contains("if 203.0.113.9 is not an address of this host"), "{told}");
}

#[test]
fn a_change_is_judged_as_the_kernel_would() {
    let (mut ipvs, web) = table(Scheduler::ROUND_ROBIN);
    let cases = [
        ("-d -t 192.0.2.10:80 -r 10.0.0.9:8080", 5, "refuses the change: the service has no dest"),
        ("-e -t 192.0.2.10:80 -r 10.0.0.9:8080", 5, "refuses the change: the service has no dest"),
        (
            "-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m",
            5,
            "refuses the change: the service already has",
        ),
        ("-A -t 192.0.2.10:80", 5, "refuses the change: there is such a service"),
        ("-D -t 192.0.2.11:80", 0, "nothing changes for the client: the change is about another"),
        ("-Z -t 192.0.2.10:80", 0, "nothing changes for the client: the service stays as it is"),
        ("-d -t 192.0.2.10:80 -r 10.0.0.2:8080", 0, "how many clients move is not known (rr)"),
        ("-D -t 192.0.2.10:80", 0, "so do all other new connections of the service"),
        ("-C", 0, "so do all other new connections of the service"),
    ];
    for (change, code, expected) in cases {
        let output = explain(&[&QUESTION[..], &["--if", change]].concat());
        let told = text(&output);
        assert_eq!(output.status.code(), Some(code), "{change}: {output:?}");
        assert!(told.contains(expected), "{change}: {told}");
        // The kernel says the same.
        let change: ipvs_netlink::Change = format!("ipvsadm {change}").parse().unwrap();
        if code == 5 {
            assert!(ipvs.submit(&[change]).into_result().is_err());
        }
    }
    let marked = Service::fwmark(5, AddressFamily::Ipv4);
    ipvs.add_service(&marked).unwrap();
    let question = ["198.51.100.7", "FWM 5", "--to", "192.0.2.10:80", "--if", "-D -f 5"];
    let told = text(&explain(&question));
    assert!(told.contains("then the service TCP 192.0.2.10:80 takes the packets"), "{told}");
    ipvs.delete_service(web.id).unwrap();
    let output = explain(&[&QUESTION[..], &["--if", "-A -t 192.0.2.10:80"]].concat());
    assert!(text(&output).contains("the client goes nowhere: the service has no destination"));
    let output = explain(&[&QUESTION[..], &["--if", "-D -t 192.0.2.10:80"]].concat());
    assert_eq!(output.status.code(), Some(5), "{output:?}");
}

#[test]
fn an_unknown_table_size_is_told() {
    table(Scheduler::SOURCE_HASHING);
    let output = explain(&QUESTION);
    let told = text(&output);
    // A host may have the configuration of its kernel.
    if output.status.code() == Some(3) {
        assert!(told.contains("unknown: the size of the table of sh"), "{told}");
        assert!(
            told.contains("with the default table size (--default-tables) it goes to 10.0.0."),
            "{told}"
        );
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
        &["0.0.0.0", "TCP 192.0.2.10:80"],
        &["198.51.100.7", "FWM 5", "--to", "192.0.2.10"],
        &["198.51.100.7", "TCP"],
        &["198.51.100.7", "TCP 192.0.2.10:99999"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--sh-bits", "40"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--mh-index", "7"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--if", "rm -rf /"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--last-weight", "10.0.0.2:80"],
        &["198.51.100.7", "FWM 5", "--protocol", "ESP"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--protocol", "UDP"],
        &["198.51.100.7", "TCP 192.0.2.10:80", "--to", "192.0.2.11:80"],
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

/// Files that cannot be read are told, and the answer says what is unknown.
#[test]
fn what_cannot_be_read_is_unknown() {
    let mut ipvs = fresh();
    let sticky = Persistence::new(std::time::Duration::from_secs(300));
    let web = Service::tcp("127.0.0.80:80".parse().unwrap()).persistence(sticky);
    ipvs.add_service(&web).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Destination::masquerade(listener.local_addr().unwrap());
    ipvs.add_destination(web.id, &server).unwrap();
    let stream = std::net::TcpStream::connect("127.0.0.80:80").unwrap();
    ipvs.set_weight(web.id, server.id, 0).unwrap();
    let port = stream.local_addr().unwrap().port();
    let without = |folder: &str| {
        let script = format!("mount -t tmpfs none {folder} && exec \"$0\" \"$@\"");
        let program = example("explain");
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script]).arg(program);
        command.arg(format!("127.0.0.1:{port}")).arg("TCP 127.0.0.80:80").output().unwrap()
    };
    let output = without("/proc/sys/net/ipv4/vs");
    let told = text(&output);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(told.contains("unknown: the setting net.ipv4.vs.expire_nodest_conn"), "{told}");
    let output = without("/proc");
    let told = text(&output);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(told.contains("unknown: the connections that the kernel keeps"), "{told}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("neither connections nor settings are known: /proc is not"),
        "{stderr}"
    );
}
