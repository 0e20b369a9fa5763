//! When a rule applies to a machine at all.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Text;
use crate::system::{System, UnitFileState};

/// One name or several of which one is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Names {
    /// One name.
    One(String),
    /// Any of these.
    Several(Vec<String>),
}

impl Names {
    /// The names.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Names::One(name) => std::slice::from_ref(name),
            Names::Several(names) => names,
        }
    }
}

/// A condition on the machine. Where a list of conditions is written, all must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The operating system is one of these products (`debian12`) or families (`debian`, `ubuntu`, `rhel`).
    Os(Names),
    /// One of these packages is installed.
    Package(Names),
    /// There is such a unit, and it is not masked: `rsyslog.service`.
    Unit(String),
    /// A file system of its own is mounted there, or will be at boot.
    Mount(String),
    /// Something is at this path.
    Path(String),
    /// The processor is one of these, as `uname -m` tells.
    Machine(Names),
    /// The kernel is started with this argument: now, or at boot as `/etc/default/grub` says.
    BootArgument(String),
    /// A value of the policy, once bound, is one of these words: rules that exclude each other are told apart by it.
    Choice {
        /// The value: `${value_id}`.
        of: Text,
        /// The words.
        is: Names,
    },
    /// All of these hold.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
}

/// Whether a condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not; what is missing, in words.
    No(String),
    /// It will, once a package that a plan installs is there; its name.
    Later(String),
}

impl Condition {
    /// Whether the condition holds on a system.
    ///
    /// # Errors
    /// When what it asks about cannot be read.
    pub fn holds(&self, system: &System) -> Result<Applies> {
        let yes_or = |holds: bool, missing: String| if holds { Applies::Yes } else { Applies::No(missing) };
        Ok(match self {
            Condition::Os(names) => {
                let (product, family) = (system.os()?.product(), family(&system.os()?.product()));
                let is = names.as_slice().iter().any(|name| *name == product || *name == family);
                yes_or(is, format!("the system is {product}, not {}", names.as_slice().join(" or ")))
            }
            Condition::Package(names) => package(names, system)?,
            Condition::Unit(unit) => {
                let state = system.units()?.state(unit).file;
                let starts = !matches!(state, UnitFileState::Absent | UnitFileState::Masked);
                yes_or(starts, format!("{unit} is not there, or masked"))
            }
            Condition::Mount(target) => {
                let mounts = system.mounts()?;
                let is = mounts.now_at(target).is_some() || mounts.boot_at(target).is_some();
                yes_or(is, format!("{target} is not a file system of its own"))
            }
            Condition::Path(path) => yes_or(system.exists(path)?, format!("there is no {path}")),
            Condition::Machine(names) => {
                let machine = nix::sys::utsname::uname()?.machine().to_string_lossy().into_owned();
                let is = names.as_slice().contains(&machine);
                yes_or(is, format!("the processor is {machine}, not {}", names.as_slice().join(" or ")))
            }
            Condition::BootArgument(argument) => {
                yes_or(boot_argument(argument, system)?, format!("the kernel is started without {argument}"))
            }
            Condition::Choice { of, is } => {
                let words = is.as_slice();
                let chosen = words.iter().any(|word| word == of.as_str());
                yes_or(chosen, format!("{of} is chosen, not {}", words.join(" or ")))
            }
            Condition::All(conditions) => all(conditions, system)?,
            Condition::Any(conditions) => any(conditions, system)?,
            Condition::Not(condition) => match condition.holds(system)? {
                Applies::Yes | Applies::Later(_) => Applies::No(format!("{condition} does hold")),
                Applies::No(_) => Applies::Yes,
            },
        })
    }
}

/// Whether all conditions hold: the first that does not decides.
///
/// # Errors
/// As [`Condition::holds`].
pub fn all(conditions: &[Condition], system: &System) -> Result<Applies> {
    let mut later = None;
    for condition in conditions {
        match condition.holds(system)? {
            Applies::Yes => {}
            Applies::Later(package) => later = Some(package),
            no @ Applies::No(_) => return Ok(no),
        }
    }
    Ok(later.map_or(Applies::Yes, Applies::Later))
}

fn any(conditions: &[Condition], system: &System) -> Result<Applies> {
    let mut missing = Vec::new();
    let mut later = None;
    for condition in conditions {
        match condition.holds(system)? {
            Applies::Yes => return Ok(Applies::Yes),
            Applies::Later(package) => later = Some(package),
            Applies::No(reason) => missing.push(reason),
        }
    }
    Ok(later.map_or_else(|| Applies::No(missing.join(", and ")), Applies::Later))
}

fn package(names: &Names, system: &System) -> Result<Applies> {
    let packages = system.packages()?;
    let installed = |name: &&String| packages.has(name);
    Ok(match names.as_slice().iter().find(installed) {
        Some(name) if packages.is_planned(name) => Applies::Later(name.clone()),
        Some(_) => Applies::Yes,
        None => Applies::No(format!("package {} is not installed", names.as_slice().join(" or "))),
    })
}

fn boot_argument(argument: &str, system: &System) -> Result<bool> {
    let has = |words: &str| words.split([' ', '\t', '\n', '"', '\'']).any(|word| word == argument);
    if system.is_running() && has(&system.read_text("/proc/cmdline")?.unwrap_or_default()) {
        return Ok(true);
    }
    let text = system.read_text("/etc/default/grub")?.unwrap_or_default();
    let lines = text.lines().map(str::trim_start).filter(|line| line.starts_with("GRUB_CMDLINE_LINUX"));
    Ok(lines.filter_map(|line| line.split_once('=')).any(|(_, words)| has(words)))
}

fn family(product: &str) -> String {
    product.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let join = |conditions: &[Condition], word: &str| {
            conditions.iter().map(Condition::to_string).collect::<Vec<_>>().join(word)
        };
        match self {
            Condition::Os(names) => write!(f, "the system is {}", names.as_slice().join(" or ")),
            Condition::Package(names) => write!(f, "package {} is installed", names.as_slice().join(" or ")),
            Condition::Unit(unit) => write!(f, "{unit} is there and not masked"),
            Condition::Mount(target) => write!(f, "{target} is a file system of its own"),
            Condition::Path(path) => write!(f, "there is {path}"),
            Condition::Machine(names) => write!(f, "the processor is {}", names.as_slice().join(" or ")),
            Condition::BootArgument(argument) => write!(f, "the kernel is started with {argument}"),
            Condition::Choice { is, .. } => write!(f, "{} is chosen", is.as_slice().join(" or ")),
            Condition::All(conditions) => f.write_str(&join(conditions, " and ")),
            Condition::Any(conditions) => f.write_str(&join(conditions, " or ")),
            Condition::Not(condition) => write!(f, "not: {condition}"),
        }
    }
}
