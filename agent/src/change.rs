//! The closed set of changes the agent can make to a machine.
//!
//! A change is a goal, as data: it can be printed, compared and stored, and making it twice does nothing more than once. It
//! does not know how it is done or undone; that is [`crate::apply`]. Everything a setting wants done must be said with these
//! words. To add one, add a variant here, its way and its way back in `apply/perform.rs` and `apply/undo.rs`, and what a plan sees of it in
//! `system/overlay.rs`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::system::Tool;

/// What a unit shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitGoal {
    /// Unmasked, started at boot, running now.
    Enabled,
    /// Not started at boot, stopped now.
    Disabled,
    /// Impossible to start, stopped now.
    Masked,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A regular file with this content. A file that is there keeps its mode, owner, label and extended attributes;
    /// a new one gets `mode` and belongs to root.
    WriteFile {
        /// The file.
        path: PathBuf,
        /// Its whole new content.
        content: String,
        /// The mode of a new file.
        mode: u32,
    },
    /// A symbolic link, in place of whatever file or link is there.
    Link {
        /// The link.
        path: PathBuf,
        /// Where it leads, as written in it.
        target: PathBuf,
    },
    /// No file there.
    RemoveFile {
        /// The file or symbolic link.
        path: PathBuf,
    },
    /// A directory, with the mode and owner it gets when it is new.
    MakeDirectory {
        /// The directory.
        path: PathBuf,
        /// The mode of a new directory.
        mode: u32,
    },
    /// Mode, owner or group of something that is there. `None` leaves as it is.
    SetMeta {
        /// What to change; a symbolic link is changed itself, not followed.
        path: PathBuf,
        /// Permission bits, the lower twelve.
        mode: Option<u32>,
        /// Owner.
        uid: Option<u32>,
        /// Group.
        gid: Option<u32>,
    },
    /// The running value of a kernel parameter.
    Sysctl {
        /// The parameter, with dots.
        key: String,
        /// The value.
        value: String,
    },
    /// The options of a file system that is mounted: a remount.
    Mount {
        /// Where it is mounted.
        target: String,
        /// Options that must be in force, in addition to those that are.
        options: Vec<String>,
    },
    /// The state of a systemd unit.
    Unit {
        /// The unit's full name.
        unit: String,
        /// What it shall be.
        goal: UnitGoal,
    },
    /// A kernel module that is not loaded.
    UnloadModule {
        /// The module.
        module: String,
    },
    /// Packages that are, and are not, installed.
    Packages {
        /// To be installed.
        install: Vec<String>,
        /// To be removed.
        remove: Vec<String>,
    },
    /// Files that only a program of the machine can write, from sources that other changes have set
    /// (`update-grub`, `augenrules`).
    Generate {
        /// The program.
        tool: Tool,
        /// Its arguments.
        args: Vec<String>,
        /// The files it may write: saved before it runs.
        outputs: Vec<PathBuf>,
    },
}

impl Change {
    /// A new or changed file of the usual kind: owned by root, readable by all.
    pub fn write(path: impl Into<PathBuf>, content: impl Into<String>) -> Change {
        Change::WriteFile { path: path.into(), content: content.into(), mode: 0o644 }
    }

    /// The one path this change is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Change::WriteFile { path, .. }
            | Change::Link { path, .. }
            | Change::RemoveFile { path }
            | Change::MakeDirectory { path, .. }
            | Change::SetMeta { path, .. } => Some(path),
            _ => None,
        }
    }

    /// The change in a sentence, for plans and reports.
    pub fn sentence(&self) -> String {
        match self {
            Change::WriteFile { path, .. } => format!("write {}", path.display()),
            Change::Link { path, target } => format!("link {} to {}", path.display(), target.display()),
            Change::RemoveFile { path } => format!("remove {}", path.display()),
            Change::MakeDirectory { path, mode } => {
                format!("create directory {} with mode {mode:04o}", path.display())
            }
            Change::SetMeta { path, mode, uid, gid } => {
                let mode = mode.map(|mode| format!("mode {mode:04o}"));
                let uid = uid.map(|uid| format!("owner {uid}"));
                let gid = gid.map(|gid| format!("group {gid}"));
                let parts: Vec<String> = [mode, uid, gid].into_iter().flatten().collect();
                format!("set {} of {}", parts.join(", "), path.display())
            }
            Change::Sysctl { key, value } => format!("set kernel parameter {key} = {value} now"),
            Change::Mount { target, options } => format!("remount {target} with {}", options.join(",")),
            Change::Unit { unit, goal: UnitGoal::Enabled } => format!("enable and start {unit}"),
            Change::Unit { unit, goal: UnitGoal::Disabled } => format!("stop and disable {unit}"),
            Change::Unit { unit, goal: UnitGoal::Masked } => format!("stop and mask {unit}"),
            Change::UnloadModule { module } => format!("unload kernel module {module} now"),
            Change::Packages { install, remove } => {
                let install = (!install.is_empty()).then(|| format!("install {}", install.join(", ")));
                let remove = (!remove.is_empty()).then(|| format!("remove {}", remove.join(", ")));
                [install, remove].into_iter().flatten().collect::<Vec<_>>().join("; ")
            }
            Change::Generate { tool, args, .. } => {
                format!("run {} {}", tool.name(), args.join(" ")).trim_end().to_owned()
            }
        }
    }
}

/// What must be told after changes, once at the end of a run however many changes ask for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
pub enum Effect {
    /// systemd reads its unit files again.
    DaemonReload,
    /// AppArmor profiles that are switched off leave the kernel: loading the others does not do that everywhere.
    UnloadProfiles,
    /// The kernel gets the audit rules of `/etc/audit/rules.d`.
    LoadAuditRules,
    /// A running unit reads its configuration again; one that cannot reload is restarted.
    ReloadUnit {
        /// The unit.
        unit: String,
    },
    /// A running unit is restarted, because a reload does not make it read this.
    RestartUnit {
        /// The unit.
        unit: String,
    },
    /// The change holds from the next boot on.
    Reboot,
}

impl Effect {
    /// Shorthand for [`Effect::ReloadUnit`].
    pub fn reload(unit: &str) -> Effect {
        Effect::ReloadUnit { unit: unit.to_owned() }
    }

    /// Shorthand for [`Effect::RestartUnit`].
    pub fn restart(unit: &str) -> Effect {
        Effect::RestartUnit { unit: unit.to_owned() }
    }

    /// The effect in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Effect::DaemonReload => "reload systemd's unit files".to_owned(),
            Effect::UnloadProfiles => {
                "take AppArmor profiles that are switched off out of the kernel".to_owned()
            }
            Effect::LoadAuditRules => "load the audit rules into the kernel".to_owned(),
            Effect::ReloadUnit { unit } => format!("reload {unit} if it runs"),
            Effect::RestartUnit { unit } => format!("restart {unit} if it runs"),
            Effect::Reboot => "effective after the next reboot".to_owned(),
        }
    }
}
