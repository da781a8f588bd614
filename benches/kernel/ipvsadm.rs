//! The workloads with `ipvsadm`, a process each.

use std::fs::File;
use std::io::{Seek, Write};
use std::process::{Command, Stdio};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::kernel::Result;
use crate::kernel::meter::{Meter, Sample};
use crate::kernel::table::{Size, Workload};

pub(crate) fn is_there() -> bool {
    let version = Command::new("ipvsadm").arg("--version").stdout(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

pub(crate) fn run(workload: Workload, size: Size) -> Result<Sample> {
    let mut command = Command::new("ipvsadm");
    command.stdout(Stdio::null());
    match workload {
        Workload::Program => command.arg("-R").stdin(rules(size, workload)?),
        Workload::List => command.args(["-L", "-n", "--stats"]),
        _ => return Err("ipvsadm is measured in programming and listing only".into()),
    };
    Meter::measure_child(|| match command.status()? {
        status if status.success() => Ok(()),
        status => Err(format!("ipvsadm: {status}").into()),
    })
}

/// The changes as `ipvsadm -R` reads them.
fn rules(size: Size, workload: Workload) -> Result<File> {
    let mut rules = String::new();
    for change in size.changes(workload) {
        rules += change.to_string().trim_start_matches("ipvsadm ");
        rules.push('\n');
    }
    let mut file = File::from(memfd_create("rules", MemfdFlags::CLOEXEC)?);
    file.write_all(rules.as_bytes())?;
    file.rewind()?;
    Ok(file)
}
