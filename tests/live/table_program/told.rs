//! Output of the program: exit codes, JSON, warnings, standard error.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use ipvs_netlink::Service;
use serde_json::{Value, json};

use super::{Folder, LESS, WEB, run, table, there};
use crate::namespace::fresh;

#[test]
fn what_cannot_be_told_is_done_all_the_same() {
    let mut ipvs = fresh();
    let folder = Folder::new("full");
    let web = folder.write("web.yaml", WEB);
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut apply = table(&["apply", "-y"]);
    let status = apply.arg(&web).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let less = folder.write("less.yaml", LESS);
    let partly = folder.write("partly.yaml", WEB.replace("10.0.0.3:8080", "127.255.255.255:80"));
    // Everything was changed: neither the code for "nothing" nor the one for "a part" is right.
    for (words, last, code, left) in [
        (&["apply", "-y", "--json"][..], less.clone(), 8, 1),
        // Nothing was.
        (&["apply", "-y", "--json"], less.clone(), 1, 1),
        (&["plan"], web, 1, 1),
        // A part was.
        (&["apply", "-y", "--json"], partly, 4, 1),
        (&["drain", "-y", "TCP 192.0.2.10:80"], "10.0.0.2:8080".into(), 8, 0),
    ] {
        let status = table(words).arg(last).stdout(full()).stderr(Stdio::null()).status();
        assert_eq!(status.unwrap().code(), Some(code), "{words:?}");
        let servers = there(&mut ipvs).services().next().unwrap().destinations().len();
        assert_eq!(servers, left, "{words:?}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut ipvs = fresh();
    for port in 1..=2000 {
        ipvs.add_service(&Service::tcp(([192, 0, 2, 10], port).into())).unwrap();
    }
    let mut child =
        table(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn differences_are_in_colour_if_wanted() {
    fresh();
    let folder = Folder::new("colour");
    let web = folder.write("web.yaml", WEB);
    let (_, plan, _) = run(&["plan"], &web);
    assert!(!plan.contains('\x1b'), "{plan:?}");
    let (_, plan, _) = run(&["plan", "--color", "always"], &web);
    assert!(plan.starts_with("\x1b[32m+ TCP 192.0.2.10:80 wrr\x1b[0m\n"), "{plan:?}");
    let (_, diff, errors) = run(&["--color", "always", "apply", "-y"], &web);
    assert_eq!((diff, errors.as_str()), (plan, "table: 3 done\n"));
    let other = LESS.replace("wrr", "lc").replace("weight: 3", "weight: 4");
    let (_, plan, _) = run(&["plan", "--color=always"], &folder.write("other.yaml", other));
    let colours: Vec<_> = plan.lines().map(|line| &line[..line.find('m').unwrap()]).collect();
    assert_eq!(colours, ["\x1b[1;31", "\x1b[33", "\x1b[31"], "{plan:?}");
}

#[test]
fn programs_get_json() {
    fresh();
    let folder = Folder::new("json");
    let web = folder.write("web.yaml", WEB);
    let json = |arguments: &[&str], file: &Path| -> (i32, Value) {
        let (code, text, _) = run(arguments, file);
        (code, serde_json::from_str(&text).unwrap())
    };
    let server = |address: &str, weight: u32| {
        json!({
            "phase": "add",
            "service": "TCP 192.0.2.10:80",
            "destination": address,
            "command": format!("ipvsadm -a -t 192.0.2.10:80 -r {address} -m -w {weight}"),
            "before": null,
            "after": {"address": address, "forward": "masquerade", "weight": weight},
            "connections": null,
            "disruption": null,
        })
    };
    let service = json!({
        "phase": "add",
        "service": "TCP 192.0.2.10:80",
        "destination": null,
        "command": "ipvsadm -A -t 192.0.2.10:80 -s wrr",
        "before": null,
        "after": {"tcp": "192.0.2.10:80", "scheduler": "wrr"},
        "connections": null,
        "disruption": null,
    });
    let steps = json!([service, server("10.0.0.2:8080", 3), server("10.0.0.3:8080", 1)]);
    assert_eq!(json(&["plan", "--json"], &web), (3, json!({ "steps": steps })));

    let (code, applied) = json(&["apply", "-y", "--json"], &web);
    assert_eq!((code, &applied["done"], &applied["unverified"]), (3, &json!(true), &json!(null)));
    for (step, planned) in
        applied["steps"].as_array().unwrap().iter().zip(steps.as_array().unwrap())
    {
        assert_eq!(step["command"], planned["command"]);
        assert_eq!((&step["outcome"], &step["done"]), (&json!("done"), &json!(true)));
    }
    assert_eq!(json(&["plan", "--json"], &web), (0, json!({ "steps": [] })));

    let less = LESS.replace("wrr", "lc").replace("weight: 3", "weight: 4");
    let (_, plan) = json(&["plan", "--json", "--no-drain"], &folder.write("less.yaml", less));
    let server = |address: &str, weight: u32| json!({"address": address, "forward": "masquerade", "weight": weight});
    let changes = plan["steps"].as_array().unwrap().iter().map(|step| {
        assert_eq!(step["connections"], json!({"active": 0, "inactive": 0, "persistent": 0}));
        (step["before"].clone(), step["after"].clone())
    });
    assert_eq!(
        changes.collect::<Vec<_>>(),
        [
            (server("10.0.0.2:8080", 3), server("10.0.0.2:8080", 4)),
            (
                json!({"tcp": "192.0.2.10:80", "scheduler": "wrr"}),
                json!({"tcp": "192.0.2.10:80", "scheduler": "lc"}),
            ),
            (server("10.0.0.3:8080", 1), json!(null)),
        ]
    );
    let none = json!({ "steps": [], "done": true, "unverified": null });
    assert_eq!(json(&["apply", "-y", "--json"], &web), (0, none));

    // 127.255.255.255 is a broadcast address.
    let partly = WEB.replace("10.0.0.3:8080", "127.255.255.255:80").replace("wrr", "lc");
    let (code, applied) = json(&["apply", "-y", "--json"], &folder.write("partly.yaml", partly));
    assert_eq!((code, &applied["done"]), (4, &json!(false)));
    let failed = |step: &&Value| step["outcome"] == "failed";
    let failed = applied["steps"].as_array().unwrap().iter().find(failed).unwrap();
    assert_eq!(
        (&failed["destination"], &failed["done"]),
        (&json!("127.255.255.255:80"), &json!(false))
    );
    assert!(failed["text"].as_str().unwrap().contains("127.255.255.255:80"), "{failed}");
}

#[test]
fn a_scheduler_that_no_kernel_has_is_told_with_a_status_of_its_own() {
    let mut ipvs = fresh();
    let folder = Folder::new("schedulers");
    for (name, meant) in [("roundrobin", "; did you mean rr?"), ("fastest", "")] {
        let odd = folder.write("odd.yaml", WEB.replace("wrr", name));
        let told =
            format!("table: TCP 192.0.2.10:80: no known kernel has a scheduler {name}{meant}\n");
        let (code, text, errors) = run(&["validate"], &odd);
        assert_eq!((code, text.as_str()), (7, "1 service, 2 destinations\n"));
        assert_eq!(errors, told);
        let (code, _, errors) = run(&["plan"], &odd);
        assert_eq!((code, errors), (3, told.clone()));
        for command in [&["validate"][..], &["plan"], &["apply", "-y"]] {
            let (code, text, errors) = run(&[command, &["--strict"]].concat(), &odd);
            assert_eq!((code, text.as_str()), (5, ""), "{errors}");
            assert!(errors.starts_with(&told) && errors.ends_with("(--strict)\n"), "{errors}");
        }
    }
    let engine = "services: [{tcp: 192.0.2.9:80, persistence: {timeout: 60, engine: sipp}}]";
    let (code, _, errors) = run(&["validate"], &folder.write("engine.yaml", engine));
    assert_eq!(code, 7, "{errors}");
    assert!(errors.contains("no known kernel has a persistence engine sipp"), "{errors}");
    // Other warnings leave exit code 0, unless --strict is given.
    let idle = folder.write(
        "idle.yaml",
        WEB.replace("weight: 3", "weight: 0")
            .replace("\"10.0.0.3:8080\"", "\"10.0.0.3:8080\", weight: 0"),
    );
    assert_eq!(run(&["validate"], &idle).0, 0);
    assert_eq!(run(&["validate", "--strict"], &idle).0, 5);
    assert_eq!(run(&["validate", "--strict"], &folder.write("web.yaml", WEB)).0, 0);
    assert!(there(&mut ipvs).is_empty());
}

#[test]
fn what_is_hardly_meant_is_done_but_told() {
    fresh();
    let folder = Folder::new("doubts");
    let web = WEB.replace("masquerade", "direct").replace("10.0.0.3:8080", "10.0.0.3:80");
    let file = folder.write("web.yaml", web);
    for (command, done) in [("validate", 0), ("plan", 3)] {
        let (code, _, errors) = run(&[command], &file);
        assert_eq!(code, done, "{errors}");
        let told = "10.0.0.2:8080: the port of the destination has no effect: connections keep the \
                    port that the client chose\n";
        assert!(errors.ends_with(told), "{errors}");
        assert_eq!(errors.matches("has no effect").count(), 1, "{errors}");
    }
    let (code, _, errors) = run(&["plan", "--allow", "add-service"], &file);
    assert_eq!(code, 3, "{errors}");
    let (code, _, errors) = run(&["plan", "--allow", "add-destination"], &file);
    assert_eq!(code, 5, "{errors}");
    assert!(errors.contains("add-service is not allowed, but needed: ipvsadm -A"), "{errors}");
}

#[test]
fn what_is_planned_can_be_done_by_a_shell() {
    fresh();
    let folder = Folder::new("commands");
    let six = "  - tcp: \"[2001:db8::1]:81\"\n    forward: masquerade\n    destinations:\n\
               \x20     - {address: \"[2001:db8::2]:81\"}\n";
    let web = folder.write("web.yaml", format!("{WEB}{six}"));
    let (code, commands, _) = run(&["plan", "--commands"], &web);
    assert_eq!((code, commands.lines().count()), (3, 5));
    // A shell would take `[2001:db8::1]:81` for a pattern, which matches this file.
    folder.write("1:81", "");
    let script = format!("cd '{}'\n{commands}", folder.path().display());
    crate::namespace::run("bash", &["-e", "-c", &script]);
    assert_eq!(run(&["plan"], &web).0, 0);
}
