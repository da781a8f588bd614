//! Runs the program `nft`.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use crate::firewall::FirewallOptions;
use crate::firewall::ruleset::{self, Transaction};

/// Where distributions have `nft`.
const PLACES: [&str; 5] = [
    "/usr/sbin/nft",
    "/sbin/nft",
    "/usr/bin/nft",
    "/usr/local/sbin/nft",
    "/run/current-system/sw/bin/nft",
];

/// The oldest version that this program was written for. kube-proxy's nftables mode needs it too.
const OLDEST: (u32, u32, u32) = (1, 0, 1);

/// How long a run may take. The kernel needs some seconds for a table of very many services.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long the checks at the start may take. A program that takes longer counts as busy.
const LONGEST_CHECK: Duration = Duration::from_secs(5);

/// How much of an output is read. What comes after it counts for nothing.
const LONGEST: u64 = 64 * 1024;

/// What the kernel and the system say when the same may succeed later, as `nft` prints it.
const PASSING: [&str; 5] = [
    "Device or resource busy",
    "No buffer space available",
    "Cannot allocate memory",
    "Resource temporarily unavailable",
    "Interrupted system call",
];

/// Why `nft` did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum NftError {
    /// No folder of the system has the program.
    #[error("nft is missing: install nftables, or give its path by --nft")]
    Missing,
    /// The path is not that of a program which only its owner may change.
    #[error("{}: {rule}", path.display())]
    Refused {
        /// The path of the program.
        path: PathBuf,
        /// What it must be.
        rule: &'static str,
    },
    /// The program could not be run, or its output could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program is too old, or it is none of nftables.
    #[error("{}: version 1.0.1 or later of nftables is needed, but it says {said:?}", path.display())]
    Version {
        /// The path of the program.
        path: PathBuf,
        /// The beginning of its output.
        said: String,
    },
    /// The program did not end in time. It was killed.
    #[error("{}: did not end within {} s", path.display(), DEADLINE.as_secs())]
    Deadline {
        /// The path of the program.
        path: PathBuf,
    },
    /// The program, or the kernel by it, refused.
    #[error("nft: {said}")]
    Failed {
        /// What the program said, its first line.
        said: String,
    },
}

impl NftError {
    /// Returns `true` if the table is not there.
    pub(crate) fn is_absence(&self) -> bool {
        // Without a locale in its environment, nft speaks English.
        matches!(self, Self::Failed { said } if said.contains("No such file or directory"))
    }

    /// Returns `true` if the same may succeed later, without anybody doing anything: the host was busy or short of
    /// memory.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Missing | Self::Refused { .. } | Self::Version { .. } => false,
            Self::Deadline { .. } => true,
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::WouldBlock
                    | io::ErrorKind::OutOfMemory
                    | io::ErrorKind::Interrupted
                    | io::ErrorKind::ExecutableFileBusy
            ),
            // A program that was killed says nothing, and the exit status is shown.
            Self::Failed { said } => {
                said.starts_with("signal: ") || PASSING.iter().any(|reason| said.contains(reason))
            }
        }
    }
}

/// The program `nft`, found once and checked.
#[derive(Clone, Debug)]
pub struct Nft {
    path: PathBuf,
}

impl Nft {
    /// Finds the program, checks its version, and checks that the kernel takes the chains and rules of the
    /// table. Changes nothing.
    ///
    /// # Errors
    ///
    /// The program is missing, may be changed by others than its owner, or is older than 1.0.1; or the kernel
    /// refuses the table, which user-mode Linux does; or `CAP_NET_ADMIN` is missing.
    pub async fn find(options: &FirewallOptions) -> Result<Self, NftError> {
        let nft = Self::at_its_path(options)?;
        nft.check(options).await?;
        Ok(nft)
    }

    /// As [`find`](Self::find), but takes a program also if its checks take longer than 5 s, or fail with what [may
    /// pass](NftError::may_pass).
    ///
    /// # Errors
    ///
    /// As for [`find`](Self::find).
    pub(crate) async fn find_busy(options: &FirewallOptions) -> Result<Self, NftError> {
        let nft = Self::at_its_path(options)?;
        match timeout(LONGEST_CHECK, nft.check(options)).await {
            Ok(Err(error)) if !error.may_pass() => Err(error),
            _ => Ok(nft),
        }
    }

    fn at_its_path(options: &FirewallOptions) -> Result<Self, NftError> {
        let path = match &options.nft {
            Some(path) => path.clone(),
            None => {
                let there = |path: &&Path| path.exists();
                let found = PLACES.iter().map(Path::new).find(there);
                found.ok_or(NftError::Missing)?.to_owned()
            }
        };
        check_file(&path)?;
        Ok(Self { path })
    }

    async fn check(&self, options: &FirewallOptions) -> Result<(), NftError> {
        self.check_version().await?;
        let nothing = crate::firewall::Rules::of(options, [], [], []);
        let transaction = self.text(&ruleset::replacement(options, &nothing))?;
        self.run(&["-j", "-c", "-f", "-"], &transaction).await.map(drop)
    }

    /// Applies a transaction.
    ///
    /// # Errors
    ///
    /// The program cannot be run, does not end within 60 s, or refuses. After a deadline it is not known
    /// whether the transaction was applied; in all other cases it was not.
    pub async fn apply(&self, transaction: &Transaction) -> Result<(), NftError> {
        self.run(&["-j", "-f", "-"], &self.text(transaction)?).await.map(drop)
    }

    /// Returns `true` if the table is there with a chain to which a rule leads. It does not see anything else.
    ///
    /// It is cheap: `nft` reads all elements of all sets when it lists anything, but here it checks, without
    /// doing it, whether a chain could be deleted to which rules jump.
    ///
    /// # Errors
    ///
    /// As for [`apply`](Self::apply).
    pub async fn is_intact(&self, options: &FirewallOptions) -> Result<bool, NftError> {
        let transaction = self.text(&ruleset::deletion_of_used_chain(options))?;
        match self.run(&["-j", "-c", "-f", "-"], &transaction).await {
            Ok(_) => Ok(false),
            Err(NftError::Failed { said }) if said.contains("Device or resource busy") => Ok(true),
            Err(NftError::Failed { said }) if said.contains("No such file or directory") => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn text(&self, transaction: &Transaction) -> Result<Vec<u8>, NftError> {
        let failed =
            |error| NftError::Io { path: self.path.clone(), source: io::Error::from(error) };
        serde_json::to_vec(transaction).map_err(failed)
    }

    async fn check_version(&self) -> Result<(), NftError> {
        let said = self.run(&["--version"], b"").await?;
        if version(&said).is_some_and(|version| version >= OLDEST) {
            return Ok(());
        }
        Err(NftError::Version { path: self.path.clone(), said: excerpt(&said) })
    }

    /// Runs the program and returns what it prints.
    async fn run(&self, arguments: &[&str], input: &[u8]) -> Result<String, NftError> {
        let ended = timeout(DEADLINE, self.run_to_end(arguments, input)).await;
        let deadline = || NftError::Deadline { path: self.path.clone() };
        let (status, output, errors) = ended
            .map_err(|_| deadline())?
            .map_err(|source| NftError::Io { path: self.path.clone(), source })?;
        if status.success() {
            return Ok(output);
        }
        let said = if errors.trim().is_empty() { &output } else { &errors };
        let said = match said.trim().is_empty() {
            true => status.to_string(),
            false => excerpt(said),
        };
        Err(NftError::Failed { said })
    }

    async fn run_to_end(
        &self,
        arguments: &[&str],
        input: &[u8],
    ) -> io::Result<(ExitStatus, String, String)> {
        let mut command = Command::new(&self.path);
        command.args(arguments).env_clear().kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that has refused reads no more, and says why by its exit code.
                let _ = stdin.write_all(input).await;
            }
        };
        let ((), output, errors, status) =
            tokio::join!(write, beginning(stdout), beginning(stderr), child.wait());
        Ok((status?, output?, errors?))
    }
}

/// Reads a stream to its end and keeps the beginning.
async fn beginning(stream: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut stream) = stream else { return Ok(String::new()) };
    let mut kept = Vec::new();
    (&mut stream).take(LONGEST).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

/// The first line, of at most 200 characters, without control characters.
fn excerpt(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().filter(|character| !character.is_control()).take(200).collect()
}

/// Reads the version in `nftables v1.0.6 (Lester Gooch #5)`.
fn version(said: &str) -> Option<(u32, u32, u32)> {
    let number = said.strip_prefix("nftables v")?.split_whitespace().next()?;
    let mut parts = number.split('.').map(|part| part.parse().ok());
    let (major, minor) = (parts.next()??, parts.next()??);
    Some((major, minor, parts.next().unwrap_or(Some(0))?))
}

fn check_file(path: &Path) -> Result<(), NftError> {
    let refused = |rule| NftError::Refused { path: path.to_owned(), rule };
    if !path.is_absolute() {
        return Err(refused("must be an absolute path"));
    }
    let metadata =
        path.metadata().map_err(|source| NftError::Io { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode();
    if !metadata.is_file() || mode & 0o111 == 0 {
        return Err(refused("must be a program"));
    }
    if mode & 0o022 != 0 {
        return Err(refused("must be writable by its owner only"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What does not pass refuses services until the program ends.
    #[test]
    fn a_busy_host_is_told_from_a_host_without_nftables() {
        let path = || PathBuf::from("/usr/sbin/nft");
        let io = |errno| NftError::Io { path: path(), source: io::Error::from_raw_os_error(errno) };
        let failed = |said: &str| NftError::Failed { said: said.to_owned() };
        for (error, may_pass) in [
            (NftError::Missing, false),
            (NftError::Refused { path: path(), rule: "must be a program" }, false),
            (NftError::Version { path: path(), said: "nftables v0.9.8".to_owned() }, false),
            (NftError::Deadline { path: path() }, true),
            (io(nix::libc::ENOENT), false),
            (io(nix::libc::ENOEXEC), false),
            (io(nix::libc::EAGAIN), true),
            (io(nix::libc::ENOMEM), true),
            (failed("netlink: Error: cache initialization failed: Protocol not supported"), false),
            (failed("Error: Could not process rule: Operation not permitted"), false),
            (failed("Error: Could not process rule: No buffer space available"), true),
            (failed("Error: Could not process rule: Device or resource busy"), true),
            (failed("signal: 9 (SIGKILL)"), true),
            (failed("exit status: 1"), false),
        ] {
            assert_eq!(error.may_pass(), may_pass, "{error}");
        }
    }
}
