//! The command line. Doc comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::render::Version;
use crate::spec::os::KNOWN;
use crate::spec::{Firmware, Tier};
use crate::verify::MEMORY;
use crate::verify::machine::Bus;
use crate::verify::seed::Source;

/// Builds a plain machine image with the agent in it, from one specification.
#[derive(Debug, Parser)]
#[command(name = "builder", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  builder init --os debian12 -o image.yml      a commented specification to start from
  builder check image.yml                      what is wrong with it, before anything is built
  builder render image.yml --out build         what Packer and the installers are given
  builder build image.yml                      images/NAME/NAME.qcow2, and a manifest beside it
  builder verify images/web/web.qcow2          boots it at each tier, and judges it by its own agent
  builder check ks.cfg image.pkr.hcl           what is wrong with files you already have
  builder targets --check                      whether every place that images go to lets you in
  builder upload debian12 --to paris --to lyon the image that was built, to both at once

Exit codes: 0 done, nothing to object to; 2 something should be otherwise; 1 the work could not be done.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented specification that says every default.
    Init(Init),
    /// Tell what makes builds fail or images useless, in specifications and in files of Packer and installers.
    Check(Check),
    /// Show or write the files that Packer, installers and the guest read.
    Render(Render),
    /// Build the image on this machine, with Packer and QEMU.
    Build(Build),
    /// Boot an image at each tier, and have its own agent judge it.
    Verify(Verify),
    /// Put an image where machines are made of it: several Prism Centrals and vCenters at once.
    Upload(Upload),
    /// Make one file of an image that VMware imports.
    Ova(Ova),
    /// Show the targets of uploads, or try them.
    Targets(Targets),
    /// Write the JSON schema of specifications, for editors.
    Schema(Schema),
    /// Write the completions for a shell.
    Completions(Completions),
    /// Write the manual pages into a directory.
    Man(Man),
}

/// How to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  builder init > image.yml\n  builder init --os rhel9 --output image.yml")]
pub struct Init {
    /// The operating system.
    #[arg(long, value_name = "OS", default_value = "debian12", value_parser = os_names())]
    pub os: String,
    /// The file to write, which must not exist; standard output when left out.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

fn os_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(KNOWN.iter().map(|os| os.id))
}

const CHECK: &str = "Examples:
  builder check image.yml
  builder check ks.cfg image.pkr.hcl scripts/*.sh
  builder check --format json image.yml
  builder check --list                         everything that is looked for, and why";

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK)]
pub struct Check {
    /// Specifications (.yml), kickstarts, Packer templates (.pkr.hcl), preseeds, cloud-configs, scripts.
    #[arg(value_name = "FILE", required_unless_present = "list")]
    pub files: Vec<PathBuf>,
    /// List what is looked for instead.
    #[arg(long, conflicts_with = "files")]
    pub list: bool,
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

const RENDER: &str = "Examples:
  builder render image.yml                     to standard output, one file after the other
  builder render image.yml --out build         into build/qemu/ and build/vsphere/
  builder render image.yml --file ks.cfg       one file alone
  builder render image.yml --packer 1.15.0     for another Packer than the one that is installed";

/// Arguments of `render`.
#[derive(Debug, Args)]
#[command(after_help = RENDER)]
pub struct Render {
    /// The specification.
    #[arg(value_name = "SPEC")]
    pub spec: PathBuf,
    /// The directory to write into; standard output when left out.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Only the files of that name.
    #[arg(long, value_name = "NAME", conflicts_with = "out")]
    pub file: Option<String>,
    /// The version of Packer that is to read them; that of the installed one, else the oldest, when left out.
    #[arg(long, value_name = "VERSION")]
    pub packer: Option<Version>,
    /// The public half of the key that the build user gets; a placeholder when left out.
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// The format of standard output.
    #[arg(long, value_enum, default_value = "text", conflicts_with = "out")]
    pub format: Format,
}

const BUILD: &str = "Examples:
  builder build image.yml                      into images/NAME/, and proves it at each tier
  builder build image.yml --format json        the manifest, then the record of the proof
  builder build image.yml --no-verify          without proving it at each tier
  builder build image.yml --fresh              with the newest packages, whatever is there already
  builder build image.yml --to paris --to lyon builds, then uploads; both are logged in to before the build";

/// Arguments of `build`.
#[derive(Debug, Args)]
#[command(after_help = BUILD)]
pub struct Build {
    /// The specification.
    #[arg(value_name = "SPEC")]
    pub spec: PathBuf,
    /// The directory that images go to.
    #[arg(long, value_name = "DIR", default_value = "images")]
    pub out: PathBuf,
    /// The agent's package, trempe-agent_VERSION_amd64.deb, or the directory that it is in; the one that is here, in
    /// target/packages or in /usr/share/trempe when left out.
    #[arg(long, value_name = "PATH")]
    pub agent_package: Option<PathBuf>,
    /// Make everything anew, though nothing has changed.
    #[arg(long)]
    pub fresh: bool,
    /// Emulate the machine though there is KVM.
    #[arg(long)]
    pub emulate: bool,
    /// Do not boot the image at each tier afterwards, as 'builder verify' does.
    #[arg(long)]
    pub no_verify: bool,
    /// Upload it to these targets afterwards; they are logged in to before anything is built.
    #[arg(long, value_name = "TARGET")]
    pub to: Vec<String>,
    /// The file of targets; $TREMPE_TARGETS or ~/.config/trempe/targets.yml when left out.
    #[arg(long, value_name = "FILE", requires = "to")]
    pub targets: Option<PathBuf>,
    /// Say nothing while it runs.
    #[arg(long, short)]
    pub quiet: bool,
    /// The format of what is said at the end.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

const VERIFY: &str = "Examples:
  builder verify images/web/web.qcow2          at the three tiers, on the firmware it promises
  builder verify web.qcow2 --tier strict --firmware uefi --seed configdrive
  builder verify web.qcow2 --user-data site.yml --allow grub2_uefi_password

Exit codes: 0 proved; 2 a rule fails that neither a person must mend nor --allow names, or the
first boot had problems; 1 a machine did not come up, let nobody in, or has a rule in error.
Results are in NAME.verify beside NAME.qcow2.";

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY)]
pub struct Verify {
    /// The image, qcow2 or any other form that QEMU knows. It is never written to.
    #[arg(value_name = "IMAGE")]
    pub image: PathBuf,
    /// A tier; several may be given. All when left out.
    #[arg(long, value_name = "TIER", value_enum)]
    pub tier: Vec<Tier>,
    /// What to start it with; several may be given. What the manifest beside the image promises when left out.
    #[arg(long, value_name = "FIRMWARE", value_enum)]
    pub firmware: Vec<Firmware>,
    /// How the machines get their user-data.
    #[arg(long, value_enum, default_value = "nocloud")]
    pub seed: Source,
    /// What the disk hangs on.
    #[arg(long, value_enum, default_value = "virtio-scsi")]
    pub disk: Bus,
    /// A cloud-config that the machines get too: proxies, users, exceptions. The tier is set by --tier.
    #[arg(long, value_name = "FILE")]
    pub user_data: Option<PathBuf>,
    /// A rule that may fail; several may be given.
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// How many rules may fail beside those.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub max_fail: usize,
    /// The least score, 0 to 100.
    #[arg(long, value_name = "SCORE")]
    pub min_score: Option<f64>,
    /// How many minutes a machine may take; 30, and 120 where it is emulated, when left out.
    #[arg(long, value_name = "MINUTES")]
    pub time_limit: Option<u64>,
    /// Memory of a machine, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = MEMORY)]
    pub memory: u64,
    /// How many machines run at once; as many as memory and processors allow when left out.
    #[arg(long, value_name = "NUMBER")]
    pub jobs: Option<usize>,
    /// Let the machines reach nothing: no mirror, no name server.
    #[arg(long)]
    pub offline: bool,
    /// The directory for results; NAME.verify beside NAME.qcow2 when left out.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Prove everything anew, though nothing has changed.
    #[arg(long)]
    pub fresh: bool,
    /// Emulate the machines though there is KVM.
    #[arg(long)]
    pub emulate: bool,
    /// Say nothing while it runs.
    #[arg(long, short)]
    pub quiet: bool,
    /// The format of what is said at the end.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

const UPLOAD: &str = "Examples:
  builder upload debian12 --to paris --to lyon the image that was built here, to both at once
  builder upload web.qcow2 --to paris          any qcow2 file
  builder upload web.qcow2 --to paris --format json

An image that is there already, by its name and digest, is not sent again. Exit code 1: it is not at all targets.";

/// Arguments of `upload`.
#[derive(Debug, Args)]
#[command(after_help = UPLOAD)]
pub struct Upload {
    /// A qcow2 file, or the name of an image that was built here.
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// A target; several may be given.
    #[arg(long, value_name = "TARGET", required = true)]
    pub to: Vec<String>,
    /// What it is called there; the name in its manifest, else that of its file, when left out.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The directory that images were built in.
    #[arg(long, value_name = "DIR", default_value = "images")]
    pub out: PathBuf,
    /// The file of targets; $TREMPE_TARGETS or ~/.config/trempe/targets.yml when left out.
    #[arg(long, value_name = "FILE")]
    pub targets: Option<PathBuf>,
    /// Say nothing while it runs.
    #[arg(long, short)]
    pub quiet: bool,
    /// The format of what is said at the end.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

const OVA: &str = "Examples:
  builder ova debian12                         images/debian12/debian12.ova of the image that was built here
  builder ova web.qcow2 --output /srv/web.ova
  govc import.ova -name web /srv/web.ova       what takes it; so does the vSphere Client";

/// Arguments of `ova`.
#[derive(Debug, Args)]
#[command(after_help = OVA)]
pub struct Ova {
    /// A qcow2 file, or the name of an image that was built here.
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// The file to write; NAME.ova beside the image when left out.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What the machine is called; the name in its manifest, else that of its file, when left out.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The directory that images were built in.
    #[arg(long, value_name = "DIR", default_value = "images")]
    pub out: PathBuf,
}

const TARGETS: &str = "Examples:
  builder targets --example > ~/.config/trempe/targets.yml
  builder targets                              what there is
  builder targets --check paris                whether it lets you in, and by which API

Exit code 2: a target that was tried does not let you in.";

/// Arguments of `targets`.
#[derive(Debug, Args)]
#[command(after_help = TARGETS)]
pub struct Targets {
    /// These targets; all when none is named.
    #[arg(value_name = "TARGET")]
    pub names: Vec<String>,
    /// Log in to them, and look for the clusters and categories that they name. Nothing is changed there.
    #[arg(long)]
    pub check: bool,
    /// Write a commented file of targets to start from.
    #[arg(long, conflicts_with_all = ["names", "check", "schema"])]
    pub example: bool,
    /// Write the JSON schema of files of targets, for editors.
    #[arg(long, conflicts_with_all = ["names", "check"])]
    pub schema: bool,
    /// The file of targets; $TREMPE_TARGETS or ~/.config/trempe/targets.yml when left out.
    #[arg(long, value_name = "FILE")]
    pub targets: Option<PathBuf>,
    /// The format.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  builder schema > image.schema.json
  # first line of image.yml: # yaml-language-server: $schema=image.schema.json")]
pub struct Schema {}

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  builder completions bash > /etc/bash_completion.d/builder")]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  builder man /usr/local/share/man/man1")]
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
