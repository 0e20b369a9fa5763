//! Stage 1, spec: what the image is to be, one YAML file.
//!
//! The types here are the file's shape: `schema.json` is made of them, and unknown keys are errors. A value that can be wrong by
//! itself has a type of its own, one file each, that refuses it with its place. What can only be judged together (an operating system
//! that this source does not have, say) is judged by [`Spec::read`], so that later stages check nothing again.
//!
//! To add a key, add a field with its default, and show it in [`example`].

pub mod checksum;
pub mod cloud_init;
pub mod example;
pub mod firmware;
pub mod name;
pub mod os;
mod possible;
mod read;
pub mod size;
pub mod source;
pub mod storage;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

pub use cloud_init::CloudInit;
pub use firmware::Firmware;
pub use name::Name;
pub use os::{Family, Os};
pub use read::{Problem, document, text};
pub use size::Size;
pub use source::Source;
pub use storage::Storage;

/// The image to build.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Trempe image specification")]
pub struct Spec {
    /// What the image is called: small letters, digits, dots and dashes.
    #[schemars(with = "Name")]
    pub name: Spanned<Name>,
    /// The operating system.
    #[schemars(with = "Os")]
    pub os: Spanned<Os>,
    /// What the image is made from.
    #[serde(default = "source")]
    #[schemars(with = "Source")]
    pub source: Spanned<Source>,
    /// The firmware that machines of this image have.
    #[serde(default = "firmware")]
    #[schemars(with = "Firmware")]
    pub firmware: Spanned<Firmware>,
    /// The machine that the image is built on.
    #[serde(default)]
    pub hardware: Hardware,
    /// The disk and what is on it.
    #[serde(default)]
    pub storage: Storage,
    /// Language, keyboard and time zone.
    #[serde(default)]
    pub locale: Locale,
    /// The software on it.
    #[serde(default)]
    pub packages: Packages,
    /// What the agent finds on a machine of this image.
    #[serde(default)]
    pub agent: Agent,
    /// How cloud-init is set up on it.
    #[serde(default)]
    pub cloud_init: CloudInit,
    /// Where the image is to run.
    #[serde(default = "qcow2")]
    pub targets: Vec<Target>,
}

fn source() -> Spanned<Source> {
    storage::unwritten(Source::default())
}

fn firmware() -> Spanned<Firmware> {
    storage::unwritten(Firmware::default())
}

fn qcow2() -> Vec<Target> {
    vec![Target::Qcow2]
}

/// The machine that the image is built on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hardware {
    /// How many processors.
    pub cpus: u8,
    /// How much memory.
    pub memory: Size,
    /// How its disk is attached.
    pub controller: Controller,
}

impl Default for Hardware {
    fn default() -> Hardware {
        Hardware { cpus: 2, memory: Size::mebibytes(2048), controller: Controller::default() }
    }
}

/// How the disk of the building machine is attached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Controller {
    /// As on Nutanix AHV: `/dev/sda`.
    #[default]
    VirtioScsi,
    /// `/dev/vda`.
    VirtioBlk,
}

/// Language, keyboard and time zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Locale {
    /// The locale, as `en_US.UTF-8`.
    pub language: Name,
    /// The keyboard, as `us`.
    pub keyboard: Name,
    /// The time zone, as `Etc/UTC`.
    pub timezone: Name,
}

impl Default for Locale {
    fn default() -> Locale {
        Locale {
            language: Name::known("en_US.UTF-8"),
            keyboard: Name::known("us"),
            timezone: Name::known("Etc/UTC"),
        }
    }
}

/// The software on the image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Packages {
    /// Whether what people reach for when a network does not work is there: a telnet client, DNS and route tools.
    pub troubleshooting: bool,
    /// Further packages, by the names that the distribution gives them.
    pub install: Vec<Name>,
}

impl Default for Packages {
    fn default() -> Packages {
        Packages { troubleshooting: true, install: Vec::new() }
    }
}

/// What the agent finds on a machine of this image. Nothing is hardened while it is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// The tier that a machine hardens itself to at its first boot when nobody tells it otherwise; none when left out.
    pub tier: Option<Tier>,
    /// XCCDF tailoring files that go into the image, beside the spec or by an absolute path.
    #[schemars(with = "Vec<PathBuf>")]
    pub tailoring: Vec<Spanned<PathBuf>>,
    /// Accounts that must keep access, whatever the tier.
    pub keep: Vec<Name>,
}

/// A tier of the agent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// What can neither cut access nor break a workload.
    Light,
    /// CIS Level 1 Server.
    Standard,
    /// CIS Level 2 Server.
    Strict,
}

impl Tier {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Tier::Light => "light",
            Tier::Standard => "standard",
            Tier::Strict => "strict",
        }
    }
}

/// Where an image is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A file for KVM, OpenStack, Proxmox …
    Qcow2,
    /// Nutanix AHV.
    Nutanix,
    /// VMware vSphere: a template that a vCenter installs, or this image in a content library.
    Vsphere,
}

/// What builds a machine. `qcow2` and `nutanix` are the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// QEMU on this machine.
    Qemu,
    /// A vCenter.
    Vsphere,
}

impl Platform {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Platform::Qemu => "qemu",
            Platform::Vsphere => "vsphere",
        }
    }
}

impl Spec {
    /// What builds the targets, each once. A vCenter builds from an installer's disc alone; what begins otherwise is built here, and goes
    /// there as a file.
    pub fn platforms(&self) -> Vec<Platform> {
        let installer = matches!(self.source.value, Source::Iso(_));
        let on = |target: &Target| match target {
            Target::Vsphere if installer => Platform::Vsphere,
            Target::Qcow2 | Target::Nutanix | Target::Vsphere => Platform::Qemu,
        };
        let all = [Platform::Qemu, Platform::Vsphere].into_iter();
        all.filter(|platform| self.targets.iter().map(on).any(|found| found == *platform)).collect()
    }
}

#[cfg(test)]
mod tests;
