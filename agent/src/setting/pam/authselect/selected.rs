//! authselect writes the stacks, from a profile of the machine's own that has what it should.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CONFIG, PROFILES, STACKS, Selection, WRITTEN, parsed, plain, stack_of};
use crate::finding::Finding;
use crate::setting::Setting;
use crate::setting::pam::stack;
use crate::system::System;

/// The stacks that every profile has.
const WANTED: [&str; 5] = ["system-auth", "password-auth", "fingerprint-auth", "smartcard-auth", "postlogin"];

/// What is asked of authselect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Authselect {
    /// The stacks are links to what it wrote.
    Selected {},
    /// They are, and come from a profile of the machine's own whose stacks for people call these modules.
    Modules(Vec<String>),
}

impl Setting for Authselect {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        for name in WANTED {
            let path = stack::path(name);
            let is = stack_of(system, &path)?.is_some();
            let found = match system.read_link(&path)? {
                Some(target) => format!("a link to {}", target.display()),
                None => "no link".to_owned(),
            };
            let wanted = format!("a link to {WRITTEN}/{name}");
            finding.persistent(is, found, wanted, path.display().to_string());
        }
        if !finding.is_compliant() {
            finding.manual(
                "somebody wrote the stacks by hand, and authselect would drop what they wrote: look at them, then \
                 authselect select sssd --force",
            );
            return Ok(finding);
        }
        if let Authselect::Modules(modules) = self {
            judge(modules, system, &mut finding)?;
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        match self {
            Authselect::Selected {} => "authselect writes the stacks of /etc/pam.d".to_owned(),
            Authselect::Modules(modules) => {
                format!("authselect writes the stacks from a profile of its own with {}", modules.join(", "))
            }
        }
    }
}

fn judge(modules: &[String], system: &System, finding: &mut Finding) -> Result<()> {
    let profile =
        system.read_text(CONFIG)?.unwrap_or_default().lines().next().unwrap_or_default().trim().to_owned();
    let own = profile.starts_with("custom/");
    finding.persistent(own, &profile, "a profile custom/…", CONFIG);
    let directory = if own { format!("{WRITTEN}/{profile}") } else { format!("{}/{profile}", PROFILES[1]) };
    for name in ["system-auth", "password-auth"] {
        let path = format!("{directory}/{name}");
        let text = system.read_text(&path)?.unwrap_or_default();
        for module in modules {
            let calls = |line: &str| parsed(&plain(line)).is_some_and(|line| line.module_name() == module);
            let is = text.lines().any(calls);
            finding.persistent(
                is,
                if is { "calls it" } else { "does not call it" },
                format!("calls {module}"),
                &path,
            );
        }
    }
    if finding.is_compliant() {
        return Ok(());
    }
    match Selection::read(system)? {
        Err(reason) => drop(finding.manual(reason)),
        Ok(mut selection) => {
            selection.own();
            bring(modules, &mut selection);
            finding.changes = selection.changes(system)?;
        }
    }
    Ok(())
}

/// Brings modules of the password stack that no template has; the others come with their features.
fn bring(modules: &[String], selection: &mut Selection) {
    for name in STACKS.into_iter().filter(|name| ["system-auth", "password-auth"].contains(name)) {
        for module in modules {
            let there = selection
                .template(name)
                .lines()
                .any(|line| parsed(&plain(line)).is_some_and(|line| line.module_name() == module));
            let (new, behind) = match module.as_str() {
                "pam_pwquality.so" => ("requisite", None),
                "pam_pwhistory.so" => ("requisite", Some("pam_pwquality.so")),
                _ => continue,
            };
            if !there {
                let new = format!("password    {new}    {module} use_authtok");
                let new = if behind.is_none() { new.replace(" use_authtok", "") } else { new };
                selection.bring(name, "password", module, &new, behind);
            }
        }
    }
}
