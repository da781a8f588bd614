//! BIRD and ExaBGP as processes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::daemon::hooks;
use crate::lab::Lab;
use crate::network::Namespace;

/// A process that ends with this value.
pub(crate) struct Router(Child);

impl Drop for Router {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where `fetch` has put the programs.
fn programs() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_director")).ancestors().nth(2).unwrap();
    let folder = target.join("kernel/routers");
    assert!(folder.exists(), "run examples/director/tests/live_announce/fetch on the host");
    folder
}

fn bird(lab: &Lab, namespace: &Namespace, name: &str, text: &str) -> Router {
    let file = lab.folder.join(name);
    fs::write(&file, text).unwrap();
    let programs = programs();
    let libraries = ["lib", "usr/lib"].map(|it| programs.join(it).join("x86_64-linux-gnu"));
    let log = File::create(lab.folder.join(format!("{name}.log"))).unwrap();
    let started = namespace.run(|| {
        let mut command = Command::new("/lib64/ld-linux-x86-64.so.2");
        let [one, other] = libraries.each_ref().map(|it| it.display());
        command.arg("--library-path").arg(format!("{one}:{other}"));
        command.arg(programs.join("usr/sbin/bird")).arg("-f").arg("-c").arg(&file);
        command.arg("-s").arg(lab.folder.join(format!("{name}.ctl")));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
    });
    Router(started.unwrap())
}

/// The router whose routes the clients use.
pub(crate) fn peer(lab: &Lab) -> Router {
    let text = "
        router id 10.1.0.11;
        log stderr all;
        protocol device {}
        protocol kernel { ipv4 { import none; export all; }; }
        protocol bgp director {
            local 10.1.0.11 as 65000;
            neighbor 10.1.0.1 as 65001;
            connect delay time 1;
            connect retry time 1;
            error wait time 1, 1;
            ipv4 { import all; export none; };
        }
    ";
    bird(lab, &lab.network.client, "peer", text)
}

/// BIRD beside the director, which announces the addresses of an interface.
pub(crate) fn speaker(lab: &Lab) -> Router {
    let text = "
        router id 10.1.0.1;
        log stderr all;
        protocol device {}
        protocol direct vips { ipv4; interface \"vip*\"; }
        protocol bgp upstream {
            local 10.1.0.1 as 65001;
            neighbor 10.1.0.11 as 65000;
            connect delay time 1;
            connect retry time 1;
            error wait time 1, 1;
            ipv4 { import none; export where proto = \"vips\"; next hop self; };
        }
    ";
    bird(lab, &lab.network.director, "speaker", text)
}

/// ExaBGP beside the director, which announces the addresses that a folder names.
pub(crate) fn exabgp(lab: &Lab) -> Router {
    let programs = programs();
    let python = fs::read_to_string(programs.join("python"));
    let python = python.expect("python3 with pip: install it, and remove target/kernel/routers");
    let (hooks, folder) = (hooks(), lab.folder.display());
    let (hook, python) = (hooks.join("exabgp-routes"), python.trim());
    let text = format!(
        "
        process director {{
            run {python} {} {folder}/routes;
            encoder text;
        }}
        neighbor 10.1.0.11 {{
            router-id 10.1.0.1;
            local-address 10.1.0.1;
            local-as 65001;
            peer-as 65000;
            family {{ ipv4 unicast; }}
            api {{ processes [ director ]; }}
        }}
        ",
        hook.display()
    );
    let file = lab.folder.join("exabgp.conf");
    fs::write(&file, text).unwrap();
    let log =
        File::options().create(true).append(true).open(lab.folder.join("exabgp.log")).unwrap();
    let started = lab.network.director.run(|| {
        let mut command = Command::new(python);
        command.args(["-m", "exabgp", "server"]).arg(file);
        command.env("PYTHONPATH", programs.join("exabgp"));
        command.env("exabgp_daemon_user", "root").env("exabgp_api_cli", "false");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
    });
    Router(started.unwrap())
}
