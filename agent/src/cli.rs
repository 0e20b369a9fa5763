//! The command line. Doc comments are the help texts.

mod selection;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::firstboot::Phase;
use crate::fleet;
pub use selection::{Fixes, Foreign, Output, Selection};

/// Hardens a Linux machine to a CIS tier, audits it, shows what it would change, and takes changes back.
#[derive(Debug, Parser)]
#[command(name = "agent", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  agent audit --tier standard          what this machine meets and what it does not
  agent plan --tier standard           every change that would be made, as a diff
  agent apply --tier standard --yes    make the changes
  agent rollback                       take the last run back
  agent explain sshd_disable_root_login

Exit codes: 0 compliant or done, 2 something deviates, 1 the work could not be done.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell which rules are met, what was found and what was wanted. Changes nothing.
    Audit(Audit),
    /// Show every change that would be made, with its diff. Changes nothing.
    Plan(PlanArgs),
    /// Make the changes, with an undo log.
    Apply(Apply),
    /// Take back a run, or some rules of it.
    Rollback(Rollback),
    /// List the runs that changed this machine.
    History(History),
    /// Keep a run that waits to be confirmed (see 'apply --confirm-within').
    Confirm(Confirm),
    /// Tell who gets in, how, and who becomes root: keys and sudo are tried, passwords judged.
    Door(Door),
    /// Tell how this machine stands: the last run, its verdicts, expired exceptions, whether it must be rebooted.
    Status(Status),
    /// List what there is: rules, tiers, profiles, values or kinds of settings.
    List(List),
    /// Explain a rule: why, how it is checked, what it would change here, how to except it.
    Explain(Explain),
    /// Write a tailoring file: rules excepted with a reason, values set, rules added to a tier.
    Tailor(Tailor),
    /// Tell whether tailoring, configuration and benchmark files are good, with the place of every mistake.
    Check(Check),
    /// Do one phase of the first boot, as the configuration says; run by systemd.
    Firstboot(FirstBoot),
    /// Merge the results of many machines into one report, the worst first; or tell what has changed between two.
    Report(Merge),
    /// Tell what this machine has become since it was hardened, and do about it what the configuration says; run by a timer.
    Drift(DriftArgs),
    /// Write the catalogue as an XCCDF 1.2 benchmark, the tiers as its profiles.
    Export(Export),
    /// Write the completions for a shell.
    Completions(Completions),
    /// Write the manual pages into a directory.
    Man(Man),
}

/// How what is no report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Notation {
    /// For people.
    Text,
    /// For programs.
    Json,
}

const AUDIT: &str = "Examples:
  agent audit --tier standard
  agent audit --tier strict --rule sshd_disable_root_login --verbose
  agent audit --root /mnt --tier standard --format json
  agent audit --tier standard --report html=audit.html --report junit=audit.xml
  agent audit --content ssg-rhel9 --profile cis_server_l1 --tailoring site.xml";

/// Arguments of `audit`.
#[derive(Debug, Args)]
#[command(after_help = AUDIT)]
pub struct Audit {
    /// SCAP content of others instead of the catalogue: a data stream (also .xz and .bz2), an XCCDF benchmark, or the name of an
    /// installed one (ssg-rhel9).
    #[arg(long, value_name = "FILE|NAME")]
    pub content: Option<String>,
    /// As --report xccdf=FILE, by oscap's name.
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// As --report arf=FILE, by oscap's name.
    #[arg(long, value_name = "FILE")]
    pub results_arf: Option<PathBuf>,
    /// Which machine, which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How to tell.
    #[command(flatten)]
    pub output: Output,
}

const PLAN: &str = "Examples:
  agent plan --tier standard
  agent plan --tier strict --tailoring site.xml --rule sshd_disable_root_login
  agent plan --content ssg-rhel9 --profile cis --fixes content";

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = PLAN)]
pub struct PlanArgs {
    /// Which content.
    #[command(flatten)]
    pub foreign: Foreign,
    /// Which machine, which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How to tell.
    #[command(flatten)]
    pub output: Output,
}

const APPLY: &str = "Examples:
  agent apply --tier standard              shows the plan and asks
  agent apply --tier standard --yes        for scripts
  agent apply --tier strict --confirm-within 10m
                                           takes itself back unless 'agent confirm' comes in time
  agent apply --tier light --rule banner_etc_issue_cis --yes
  agent apply --content ssg-debian12 --profile cis_level1_server --fixes content --yes";

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(after_help = APPLY)]
pub struct Apply {
    /// Which content.
    #[command(flatten)]
    pub foreign: Foreign,
    /// Which machine, which rules.
    #[command(flatten)]
    pub selection: Selection,
    /// How to tell.
    #[command(flatten)]
    pub output: Output,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    /// Take all of it back by itself, across a reboot too, unless 'agent confirm' comes within this time after the end, as 10m.
    #[arg(long, value_name = "TIME")]
    pub confirm_within: Option<String>,
}

/// Arguments of `confirm`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  agent apply --tier strict --confirm-within 10m\n  agent confirm")]
pub struct Confirm {}

const DOOR: &str = "Examples:
  agent door                               those that get in and become root
  agent door ann deploy --format json";

/// Arguments of `door`.
#[derive(Debug, Args)]
#[command(after_help = DOOR)]
pub struct Door {
    /// The accounts; those of the configuration when left out, else those that get in and become root.
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// Leave out the machine's own configuration below /etc/trempe.
    #[arg(long)]
    pub no_config: bool,
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Notation,
}

const ROLLBACK: &str = "Examples:
  agent rollback                           the last run that changed something
  agent rollback 2026-11-25T00-00-00Z      that run ('agent history' lists them)
  agent rollback --rule sshd_disable_root_login
  agent rollback --dry-run                 what would be taken back";

/// Arguments of `rollback`.
#[derive(Debug, Args)]
#[command(after_help = ROLLBACK)]
pub struct Rollback {
    /// The run; the last one that changed something when left out.
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// Only the changes for this rule; may be given several times.
    #[arg(long, value_name = "RULE")]
    pub rule: Vec<String>,
    /// Of a run that was interrupted, leave as it is what cannot be taken back, and let other runs begin again.
    #[arg(long)]
    pub keep_rest: bool,
    /// The run that waits to be confirmed, if there is one.
    #[arg(long, conflicts_with_all = ["run", "rule"])]
    pub unconfirmed: bool,
    /// Change nothing: tell what would be taken back.
    #[arg(long, conflicts_with_all = ["unconfirmed", "keep_rest"])]
    pub dry_run: bool,
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Notation,
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  agent history --format json")]
pub struct History {
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Notation,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  agent status --format json\n  agent status --config")]
pub struct Status {
    /// Tell what configures this machine instead: every source, what it says, what counts and what is wrong.
    #[arg(long)]
    pub config: bool,
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Notation,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// The rules of the catalogue.
    Rules,
    /// The tiers of each operating system.
    Tiers,
    /// The profiles a tailoring can extend.
    Profiles,
    /// The values a tailoring can set.
    Values,
    /// The kinds of settings a rule can ensure.
    Settings,
    /// The fixes that content of others has for the rules of a profile.
    Fixes,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  agent list rules | grep sshd\n  agent list values --format json\n  agent list profiles --content ssg-rhel9\n  agent list fixes --content ssg-rhel9 --profile cis --system ansible > playbook.yml"
)]
pub struct List {
    /// What to list.
    #[arg(value_enum, default_value = "rules")]
    pub subject: Subject,
    /// List what is in SCAP content of others: a file, or the name of an installed data stream.
    #[arg(long, value_name = "FILE|NAME")]
    pub content: Option<String>,
    /// Of fixes: for the rules of this profile.
    #[arg(long, value_name = "ID", requires = "content", conflicts_with = "tier")]
    pub profile: Option<String>,
    /// Of fixes: for the rules of the content's CIS profile for this tier.
    #[arg(long, value_name = "TIER", requires = "content")]
    pub tier: Option<String>,
    /// Of fixes: XCCDF tailoring files, each laid over the ones before.
    #[arg(long, value_name = "FILE", requires = "content")]
    pub tailoring: Vec<PathBuf>,
    /// Of fixes: only for this rule; may be given several times.
    #[arg(long, value_name = "RULE", requires = "content")]
    pub rule: Vec<String>,
    /// Of fixes: their kind, a URI such as urn:xccdf:fix:script:sh or the last part of one: sh, ansible, bootc, kickstart, blueprint.
    #[arg(long, value_name = "URI", default_value = "sh")]
    pub system: String,
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Notation,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  agent explain sshd_disable_root_login --tier standard\n  agent explain sshd_disable_root_login --content ssg-rhel9"
)]
pub struct Explain {
    /// The rule.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Explain a rule of SCAP content of others: a file, or the name of an installed data stream.
    #[arg(long, value_name = "FILE|NAME")]
    pub content: Option<String>,
    /// With --content: the profile whose values count.
    #[arg(long, value_name = "ID", requires = "content", conflicts_with = "tier")]
    pub profile: Option<String>,
    /// The tier whose values count; that of the configuration when left out, else strict.
    #[arg(long, value_name = "TIER")]
    pub tier: Option<String>,
    /// XCCDF tailoring files, each laid over the ones before.
    #[arg(long, value_name = "FILE")]
    pub tailoring: Vec<PathBuf>,
    /// Leave out the machine's own configuration and tailoring below /etc/trempe.
    #[arg(long)]
    pub no_config: bool,
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// For which operating system.
#[derive(Debug, Args)]
pub struct Product {
    /// The operating system, as debian12; that of this machine when left out.
    #[arg(long, value_name = "OS")]
    pub product: Option<String>,
    /// The directory that holds the machine.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

const TAILOR: &str = "Examples:
  agent tailor --tier standard --except sshd_disable_root_login \\
      --reason 'backup server logs in as root' --owner ops@example.org \\
      --until 2027-06-30 -o site.xml
  agent tailor --extends site.xml --set var_accounts_tmout=1800 \\
      --reason 'long maintenance sessions' -o site.xml
  agent audit --tailoring site.xml";

/// Arguments of `tailor`.
#[derive(Debug, Args)]
#[command(after_help = TAILOR)]
pub struct Tailor {
    /// The tier to build on.
    #[arg(long, value_name = "TIER", required_unless_present = "extends")]
    pub tier: Option<String>,
    /// Tailoring files whose content the new one takes over; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub extends: Vec<PathBuf>,
    /// A rule not to ask for; may be given several times.
    #[arg(long, value_name = "RULE", requires = "reason")]
    pub except: Vec<String>,
    /// A value to set otherwise than the tier does; may be given several times.
    #[arg(long, value_name = "VALUE=CONTENT", requires = "reason")]
    pub set: Vec<String>,
    /// A rule to ask for though the tier does not; may be given several times.
    #[arg(long, value_name = "RULE")]
    pub select: Vec<String>,
    /// Why the exceptions are made.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who answers for the exceptions.
    #[arg(long, value_name = "WHO", default_value = "")]
    pub owner: String,
    /// The last day on which the exceptions hold; without end when left out.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub until: Option<String>,
    /// The last part of the new profile's id.
    #[arg(long, value_name = "NAME", default_value = "site")]
    pub name: String,
    /// For which operating system. With --product, the file is for that one alone.
    #[command(flatten)]
    pub product: Product,
    /// The file to write; standard output when left out.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  agent check /etc/trempe/agent.yml site.xml")]
pub struct Check {
    /// The files: tailoring (.xml), configuration (.yml) or benchmark (.xml).
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The operating system; what a tailoring says it is for, else that of this machine, when left out.
    #[command(flatten)]
    pub product: Product,
}

/// Arguments of `firstboot`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  agent firstboot --phase 2 --again      do it again, though it was done for this instance\n  systemctl status trempe-firstboot trempe-provisioned"
)]
pub struct FirstBoot {
    /// 1: before logins; 2: after provisioning.
    #[arg(long, value_enum, required_unless_present = "before_cloud_init")]
    pub phase: Option<Phase>,
    /// Instead of a phase: have cloud-init begin anew where a power cut ended its first stages.
    #[arg(long, conflicts_with_all = ["phase", "again"])]
    pub before_cloud_init: bool,
    /// Also when it was done for this instance.
    #[arg(long)]
    pub again: bool,
}

const DRIFT: &str = "Examples:
  agent drift
  systemctl list-timers trempe-drift.timer

The configuration says what is done: drift: {action: record|warn|reapply}; nothing is where it says nothing.";

/// Arguments of `drift`.
#[derive(Debug, Args)]
#[command(after_help = DRIFT)]
pub struct DriftArgs {
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Notation,
}

const REPORT: &str = "Examples:
  agent report results/ --format html --output fleet.html
  agent report web1.json web2-arf.xml --format csv > fleet.csv
  agent report --compare monday/ tuesday/

Results are reports of this agent (--format json) and XCCDF results or ARFs, ours or oscap's.
Exit codes: 2 a machine deviates, or is worse than before; 1 a file could not be read.";

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = REPORT)]
pub struct Merge {
    /// Files with results, or directories of them (*.json, *.xml, *.arf).
    #[arg(value_name = "FILE|DIR", required_unless_present = "compare")]
    pub results: Vec<PathBuf>,
    /// Tell what has changed from the first to the second instead, each a file or a directory.
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with = "results")]
    pub compare: Vec<PathBuf>,
    /// The format; with --compare text or json.
    #[arg(long, value_enum, default_value = "text")]
    pub format: fleet::Format,
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  agent export -o trempe-xccdf.xml && oscap xccdf validate trempe-xccdf.xml"
)]
pub struct Export {
    /// The file to write; standard output when left out.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  agent completions bash > /etc/bash_completion.d/agent")]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  agent man /usr/local/share/man/man1")]
pub struct Man {
    /// The directory.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_has_help_with_an_example_that_fits_a_terminal() {
        for mut command in Cli::command().get_subcommands().cloned() {
            let help = command.render_long_help().to_string();
            let wide = help.lines().find(|line| line.chars().count() > 100);
            assert_eq!(wide, None, "{}", command.get_name());
            assert!(help.contains("Example"), "{} has no example", command.get_name());
        }
    }
}
