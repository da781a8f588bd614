//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use ipvs_netlink::table::{
    Actions, DrainPolicy, Network, OnFailure, Plan, PlanOptions, Scope, Table,
};
use ipvs_netlink::{Client, DestinationId, ServiceId, Snapshot};

use crate::exit::{Failure, Status};
use crate::file;
use crate::kernel::Kernel;
use crate::screen::Screen;
use crate::values::{Action, Color, Deadline, Format, Range, Until};

macro_rules! exit_codes {
    () => {
        "\
Exit codes:
   0  done: nothing differed, everything was changed, or the plan is made
   1  nothing was changed: no kernel, file, lock or consent, or no room for the output
   2  wrong usage
   4  some changes failed, or the work was ended before it was complete
   5  the file, or what it asks for, was refused
   6  others kept writing the table: something may be missing in what was read
   7  `validate`, `export`: no kernel known here takes what the file asks for
   8  everything was changed, but standard output did not take the result
With --detailed-exitcode also:
   3  instead of 0: something was changed; `plan`: something would be
   9  instead of 0: everything was changed, and connections were cut
  10  instead of 4: nothing failed, but the work was ended before it was complete"
    };
}

/// Keep the IPVS table as a file says
#[derive(Debug, Parser)]
#[command(
    name = "table",
    version,
    after_help = concat!(exit_codes!(), "

Only services that the file names are touched, unless --own-*, --formerly or --all say
more. The table is never flushed. Several of these programs take turns: `apply` and `drain`
lock the file of the network namespace. What FILE says by then is applied.")
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

impl Arguments {
    /// Whether exit codes tell more than success and failure.
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
    #[command(after_help = exit_codes!())]
    Plan(Show),
    /// Change the table, without losing traffic
    #[command(after_help = exit_codes!())]
    Apply(Apply),
    /// Print the table that is there
    Export(Export),
    /// Take a destination out of its service: weight 0, wait for its connections, delete
    #[command(after_help = exit_codes!())]
    Drain(Drain),
    /// Check a file, without a kernel
    #[command(after_help = concat!(exit_codes!(), "

What is marked `unchecked: true`, or a protocol that IPVS does not balance, is told and no
error: a kernel that has it already keeps it. In ipvsadm text it is an error."))]
    Validate(Validate),
}

#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The desired table: .yaml, .toml, .json or .ipvsadm; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) path: PathBuf,
    /// What is in the file, whatever its name; and in that of --formerly, if its name does
    /// not tell
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Look up names of hosts and ports in ipvsadm text, such as www.example.com:http
    #[arg(long)]
    pub(crate) names: bool,
}

impl Source {
    /// The file at `path`, which held an earlier table. Its name tells the format, or else
    /// that of `now` does: distributions keep both without an extension.
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
    /// Delete at once what is not wanted any more, breaking connections
    #[arg(long)]
    no_drain: bool,
    /// Destinations without a weight in the file keep the one they have, 0 too
    #[arg(long)]
    keep_weights: bool,
    /// Refuse a plan that needs anything else
    #[arg(long, value_name = "ACTION", value_enum, value_delimiter = ',')]
    allow: Vec<Action>,
    /// When a change fails, make no other; else only its service is left alone
    #[arg(long)]
    stop_on_failure: bool,
    /// Print JSON; what `apply` asks about goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Refuse a file that would be applied with a warning
    #[arg(long)]
    pub(crate) strict: bool,
    /// Tell by the exit code whether something changed, was cut or is not complete
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Planning {
    /// `formerly` are services that were ours the last time.
    fn options(&self, formerly: &Table) -> Result<PlanOptions, Failure> {
        let allowed = self.allow.iter().copied().map(Actions::from);
        let allowed = if self.allow.is_empty() { Actions::all() } else { allowed.collect() };
        let on_failure = match self.stop_on_failure {
            true => OnFailure::Stop,
            false => OnFailure::KeepService,
        };
        Ok(PlanOptions::new()
            .on_failure(on_failure)
            .scope(self.scope.scope(&self.file)?.formerly(formerly))
            .keep_weights(self.keep_weights)
            .allowed(allowed)
            .drain((!self.no_drain).then(|| self.draining.policy())))
    }

    /// Compares the table that is there with the desired one. The status is
    /// [`Status::Inconsistent`] where something may be missing in what was read.
    pub(crate) fn plan(
        &self,
        ipvs: &mut Client,
        desired: &Table,
        formerly: &Table,
        screen: &Screen,
    ) -> Result<(Plan, Status, Snapshot), Failure> {
        let snapshot = ipvs.snapshot().map_err(Failure::kernel)?;
        let (plan, status) = self.compare(&snapshot, desired, formerly, screen)?;
        Ok((plan, status, snapshot))
    }

    /// The same with what was read already.
    pub(crate) fn compare(
        &self,
        snapshot: &Snapshot,
        desired: &Table,
        formerly: &Table,
        screen: &Screen,
    ) -> Result<(Plan, Status), Failure> {
        let plan = Plan::new(snapshot, desired, &self.options(formerly)?).map_err(Failure::plan)?;
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
    "others kept writing the table while it was read; something may be missing";

/// Which services may be touched beside those in the file.
#[derive(Debug, Args)]
struct Scoping {
    /// Services at these addresses are ours: those that the file does not name are deleted
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    own_networks: Vec<Network>,
    /// Services at these ports are ours, such as 8000-8999
    #[arg(long, value_name = "RANGE", value_delimiter = ',')]
    own_ports: Vec<Range<u16>>,
    /// Services of these firewall marks are ours
    #[arg(long, value_name = "RANGE", value_delimiter = ',')]
    own_marks: Vec<Range<u32>>,
    /// Services of this file are ours: what was applied the last time. --names holds for it
    #[arg(long, value_name = "FILE")]
    formerly: Option<PathBuf>,
    /// All services are ours
    #[arg(long)]
    all: bool,
    /// Services at these addresses are never ours
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    except_networks: Vec<Network>,
}

impl Scoping {
    /// `file` says how to read the file of `--formerly`, where its name does not.
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
        Ok(scope.except(networks(Scope::new(), &self.except_networks)))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Draining {
    /// How long connections are waited for: 30s, 5m, 1h, or `forever`
    #[arg(long, value_name = "TIME", default_value = "30s")]
    drain_deadline: Deadline,
    /// Which connections are waited for
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
    /// Print commands of ipvsadm
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
    /// Apply again whenever the file is written or SIGHUP comes, until interrupted; needs
    /// --yes. What others change in the table stays until then, or see --every. A file that
    /// cannot be used at the start ends it with exit code 1 or 5, later it is reported
    #[arg(long, requires = "yes")]
    pub(crate) watch: bool,
    /// With --watch, apply again at least so often, which undoes what others change: 60s, 5m
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
    /// As what
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// The service, such as "TCP 192.0.2.10:80" or "FWM 5"
    pub(crate) service: ServiceId,
    /// The destination, such as 10.0.0.2:8080
    pub(crate) destination: DestinationId,
    #[command(flatten)]
    pub(crate) kernel: Kernel,
    #[command(flatten)]
    pub(crate) draining: Draining,
    /// Tell by the exit code whether connections were cut, or the work is not complete
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
