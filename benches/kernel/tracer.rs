//! Counts the system calls between the points that a child marks.

use std::process::{Command, Stdio};

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::kernel::Result;

/// How many system calls a traced child makes between its second and its third
/// stop, less those between its first and its second.
pub(crate) fn count(mut command: Command) -> Result<u64> {
    let child = command.stdout(Stdio::null()).spawn()?;
    let pid = Pid::from_raw(child.id().try_into()?);
    let mut stops = 0_usize;
    // Every call stops it twice.
    let mut halves = [0_u64; 2];
    loop {
        match waitpid(pid, None)? {
            WaitStatus::PtraceSyscall(_) => {
                if let Some(halves) = halves.get_mut(stops.saturating_sub(1)) {
                    *halves += 1;
                }
                ptrace::syscall(pid, None)?;
            }
            WaitStatus::Stopped(_, Signal::SIGSTOP) => {
                stops += 1;
                match stops {
                    1 => ptrace::setoptions(pid, Options::PTRACE_O_TRACESYSGOOD)?,
                    3 => {
                        ptrace::cont(pid, None)?;
                        continue;
                    }
                    _ => {}
                }
                ptrace::syscall(pid, None)?;
            }
            WaitStatus::Stopped(_, signal) => ptrace::cont(pid, signal)?,
            WaitStatus::Exited(_, 0) if stops == 3 => break,
            status => return Err(format!("a traced child ended with {status:?}").into()),
        }
    }
    let [telling, working] = halves;
    Ok((working - telling) / 2)
}
