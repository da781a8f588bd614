//! The command line.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand};
use ipvs_netlink::table::{
    Actions, DrainPolicy, Network, OnFailure, Plan, PlanOptions, Scope, Table,
};
use ipvs_netlink::{Client, DestinationId, ServiceId, Snapshot};

use crate::exit::{Failure, Status};
use crate::file;
use crate::kernel::Kernel;
use crate::memory::Memory;
use crate::screen::Screen;
use crate::settings;
use crate::values::{Action, Color, Deadline, Format, Range, Until};

macro_rules! exit_codes {
    () => {
        "\
Exit codes:
   0  success: nothing differed, everything was changed, or the plan is made
   1  nothing was changed: no kernel, file, lock or consent, or no room for the output
   2  the arguments are wrong
   4  some changes failed, or the work was ended before it was complete
   5  the file, or what it asks for, was refused
   6  other programs kept writing the table: objects may be missing in what was read
   7  `validate`, `export`: no known kernel accepts what the file asks for
   8  everything was changed, but standard output did not take the result"
    };
    (detailed) => {
        concat!(
            exit_codes!(),
            "
With --detailed-exitcode:
   3  instead of 0: something was changed; `plan`: something would be changed
   9  instead of 0: everything was changed, and connections broke
  10  instead of 4: nothing failed, but the work was ended early"
        )
    };
}

/// Make the IPVS table of the kernel as a file says
#[derive(Debug, Parser)]
#[command(
    name = "table",
    version,
    after_help = concat!(exit_codes!(detailed), "

The program changes only services that the file names. With --own-*, --formerly or --all it
also deletes services that the file does not name. It never flushes the table. `apply` and
`drain` lock the file of the network namespace, so several of these programs take turns.
`apply` reads FILE again when it has the lock. Timeouts and settings of FILE belong to the whole
network namespace and are written only with --settings.")
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to print in colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

impl Arguments {
    /// Returns `true` with `--detailed-exitcode`.
    pub(crate) const fn detailed(&self) -> bool {
        match &self.command {
            Command::Plan(Show { planning, .. }) | Command::Apply(Apply { planning, .. }) => {
                planning.detailed_exitcode
            }
            Command::Drain(drain) => drain.detailed_exitcode,
            Command::Export(_) | Command::Validate(_) => false,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what would change
    #[command(after_help = exit_codes!(detailed))]
    Plan(Show),
    /// Change the table, without breaking connections where the kernel allows that
    #[command(after_help = exit_codes!(detailed))]
    Apply(Apply),
    /// Print the table of the kernel
    #[command(after_help = exit_codes!())]
    Export(Export),
    /// Take a destination out of its service: set weight 0, wait for its connections, delete it
    #[command(after_help = exit_codes!(detailed))]
    Drain(Drain),
    /// Check a file, without a kernel
    #[command(after_help = concat!(exit_codes!(), "

An entry that is marked `unchecked: true`, or has a protocol that IPVS does not balance, gets a
note and is no error, because a kernel that already has it keeps it. In ipvsadm text it is an
error."))]
    Validate(Validate),
}

#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The desired table: .yaml, .toml, .json or .ipvsadm; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) path: PathBuf,
    /// Format of FILE, whatever its extension
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Look up names of hosts and ports, such as www.example.com:http
    #[arg(long)]
    pub(crate) names: bool,
}

impl Source {
    /// Returns the source of an earlier table at `path`. If the extension does not say the
    /// format, the format of `now` holds: distributions keep both files without an extension.
    fn formerly(path: &Path, now: &Self) -> Self {
        let format = file::by_extension(path).or(now.format);
        Self { path: path.to_owned(), format, names: now.names }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Planning {
    #[command(flatten)]
    pub(crate) file: Source,
    #[command(flatten)]
    pub(crate) kernel: Kernel,
    #[command(flatten)]
    scope: Scoping,
    #[command(flatten)]
    draining: Draining,
    /// Do not drain: delete at once, which breaks connections
    #[arg(long)]
    no_drain: bool,
    /// Keep the weight that the kernel has, 0 too, for destinations without one in the file
    #[arg(long)]
    keep_weights: bool,
    /// Allow only these actions, and refuse a plan that needs others
    #[arg(long, value_name = "ACTION", value_enum, value_delimiter = ',')]
    allow: Vec<Action>,
    /// Also write the timeouts and settings of FILE; otherwise their differences are only shown
    #[arg(long)]
    settings: bool,
    /// Stop everything when a change fails; otherwise only its service is left alone
    #[arg(long)]
    stop_on_failure: bool,
    /// Print JSON on standard output; the question of `apply` goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Refuse a file that causes warnings
    #[arg(long)]
    pub(crate) strict: bool,
    /// Use more exit codes: whether something changed, connections broke, or work was ended early
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Planning {
    /// Returns the options of planning. `memory` has the services that were ours
    /// before.
    pub(crate) fn options(&self, memory: &Memory) -> Result<PlanOptions, Failure> {
        let allowed = self.allow.iter().copied().map(Actions::from);
        let allowed = if self.allow.is_empty() { Actions::all() } else { allowed.collect() };
        let on_failure = match self.stop_on_failure {
            true => OnFailure::Stop,
            false => OnFailure::KeepService,
        };
        Ok(PlanOptions::new()
            .on_failure(on_failure)
            .scope(self.scope.scope(&self.file)?.formerly(&memory.formerly))
            .drained_weights(memory.weights.clone())
            .keep_weights(self.keep_weights)
            .allowed(allowed)
            .drain((!self.no_drain).then(|| self.draining.policy())))
    }

    /// Reads the kernel's table, and timeouts and settings if the file declares any, and compares
    /// them with the desired ones. The status is
    /// [`Status::Inconsistent`] if objects may be missing in what was read.
    pub(crate) fn plan(
        &self,
        ipvs: &mut Client,
        desired: &Table,
        memory: &Memory,
        screen: &Screen,
    ) -> Result<(Plan, Status, Snapshot), Failure> {
        let snapshot = ipvs.snapshot().map_err(Failure::kernel)?;
        let (plan, mut status) = self.compare(&snapshot, desired, memory, screen)?;
        let plan = plan.with_settings(settings::plan(ipvs, desired, self.settings)?);
        if status == Status::NoChange && settings::are_to_be_written(&plan) {
            status = Status::Changed;
        }
        Ok((plan, status, snapshot))
    }

    /// Compares a snapshot with the desired table, as [`Planning::plan`] does.
    pub(crate) fn compare(
        &self,
        snapshot: &Snapshot,
        desired: &Table,
        memory: &Memory,
        screen: &Screen,
    ) -> Result<(Plan, Status), Failure> {
        let plan = Plan::new(snapshot, desired, &self.options(memory)?).map_err(Failure::plan)?;
        let status = match (snapshot.is_complete(), plan.is_empty()) {
            (false, _) => {
                screen.note(RESTLESS);
                Status::Inconsistent
            }
            (true, true) => Status::NoChange,
            (true, false) => Status::Changed,
        };
        Ok((plan, status))
    }
}

/// What is said when a snapshot is not consistent.
pub(crate) const RESTLESS: &str =
    "other programs kept writing the table while it was read; objects may be missing";

/// The options that say which services the program owns, beside those in the file.
#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("rules").args(["own_networks", "own_ports", "own_marks", "formerly"]).multiple(true),
))]
struct Scoping {
    /// Delete services at these addresses that the file does not name
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    own_networks: Vec<Network>,
    /// Delete services at these ports that the file does not name: 80, 8000-8999
    #[arg(long, value_name = "RANGE", value_delimiter = ',')]
    own_ports: Vec<Range<u16>>,
    /// Delete services of these firewall marks that the file does not name
    #[arg(long, value_name = "RANGE", value_delimiter = ',')]
    own_marks: Vec<Range<u32>>,
    /// Delete services of this file, which was applied before, that FILE does not name.
    /// --names holds for both, and so does --format if this file has no known extension
    #[arg(long, value_name = "FILE")]
    formerly: Option<PathBuf>,
    /// Delete all services that the file does not name
    #[arg(long)]
    all: bool,
    /// Refuse a file that names a service outside --own-networks, --own-ports, --own-marks and
    /// --formerly
    #[arg(long, requires = "rules", conflicts_with = "all")]
    only: bool,
    /// Never touch services at these addresses
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    except_networks: Vec<Network>,
}

impl Scoping {
    /// Returns the scope. `file` says how to read the file of `--formerly` if its extension
    /// does not.
    fn scope(&self, file: &Source) -> Result<Scope, Failure> {
        let networks = |scope: Scope, networks: &[Network]| {
            networks.iter().copied().fold(scope, Scope::network)
        };
        let mut scope = networks(Scope::new(), &self.own_networks);
        for ports in &self.own_ports {
            scope = scope.ports(ports.0.clone());
        }
        for marks in &self.own_marks {
            scope = scope.marks(marks.0.clone());
        }
        if let Some(path) = &self.formerly {
            scope = scope.formerly(&file::read(&Source::formerly(path, file))?);
        }
        if self.all {
            scope = scope.everything();
        }
        if self.only {
            scope = Scope::only(scope);
        }
        Ok(scope.except(networks(Scope::new(), &self.except_networks)))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Draining {
    /// How long to wait for connections to end: 30s, 5m, 1h, or `forever`
    #[arg(long, value_name = "TIME", default_value = "30s")]
    drain_deadline: Deadline,
    /// Which connections to wait for
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Until::Traffic)]
    drain_until: Until,
}

impl Draining {
    pub(crate) fn policy(&self) -> DrainPolicy {
        DrainPolicy::new().until(self.drain_until.into()).deadline(self.drain_deadline.0)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) planning: Planning,
    /// Print the plan as commands of ipvsadm
    #[arg(long, conflicts_with = "json")]
    pub(crate) commands: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) planning: Planning,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Apply the file again when it is written and on SIGHUP, until interrupted. Needs --yes.
    /// A new version is taken over while connections drain, and what fails is tried again.
    /// Changes that other programs make stay until the next time, or see --every. A file that
    /// cannot be used ends the program at the start (exit code 1 or 5), and is reported later
    #[arg(long, requires = "yes")]
    pub(crate) watch: bool,
    /// With --watch, also apply at this interval, which undoes changes of others: 60s, 5m
    #[arg(long, requires = "watch", value_name = "TIME")]
    pub(crate) every: Option<Deadline>,
    /// How long to wait while another program has the lock: 60s, 5m, or `forever`
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) wait: Deadline,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) kernel: Kernel,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// Service, such as "TCP 192.0.2.10:80" or "FWM 5"
    pub(crate) service: ServiceId,
    /// Destination, such as 10.0.0.2:8080
    pub(crate) destination: DestinationId,
    #[command(flatten)]
    pub(crate) kernel: Kernel,
    #[command(flatten)]
    pub(crate) draining: Draining,
    /// Use more exit codes: whether connections broke, or the work was ended early
    #[arg(long)]
    detailed_exitcode: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// How long to wait while another program has the lock: 60s, 5m, or `forever`
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) wait: Deadline,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    pub(crate) file: Source,
    /// Refuse a file with warnings: exit code 5
    #[arg(long)]
    pub(crate) strict: bool,
}
