//! Our drop-in for cloud-init, which says everything that it is to do otherwise from now on.

use std::fmt::Write;

use anyhow::Result;

use super::settings::{Module, Settings};
use super::{MARK, Part, seal, write};
use crate::config::{Afterwards, CloudInit};
use crate::system::System;

/// The file. cloud-init reads it after those of distributions, installers and clouds, which begin with lower numbers.
pub const FILE: &str = "/etc/cloud/cloud.cfg.d/99-trempe.cfg";

/// The modules that stay in a trimmed cloud-init: those that do their work at every boot.
///
/// The others do theirs once for an instance, and have done it. Left in the lists they would do it again as soon as the machine has
/// another instance id, and that happens where nobody made another machine of it: on vSphere before 7, with cloud-init before
/// 24.2, the data of a customization is gone at the second boot. Then host keys are made anew, the default user is back, passwords
/// and `PasswordAuthentication` are set, `/etc/fstab` is written.
const EVERY_BOOT: [&str; 8] = [
    "bootcmd",
    "growpart",
    "resizefs",
    "update_hostname",
    "update_etc_hosts",
    "disable_ec2_metadata",
    "scripts_per_boot",
    "final_message",
];

/// The keys that the drop-in may set.
const KEYS: [&str; 7] = [
    "cloud_init_modules",
    "cloud_config_modules",
    "cloud_final_modules",
    "network",
    "datasource_list",
    "datasource",
    "users",
];

/// The keys of ours that a text sets, too.
pub fn keys_in(text: &str) -> Vec<&'static str> {
    let sets = |key: &&str| {
        let rest =
            |line: &str| line.strip_prefix(*key).is_some_and(|rest| rest.trim_start().starts_with(':'));
        text.lines().any(rest)
    };
    KEYS.into_iter().filter(sets).collect()
}

/// The drop-in as it is to be; nothing is written where it would say nothing.
pub fn changes(system: &System, settings: &Settings, wanted: &CloudInit, part: &mut Part) -> Result<()> {
    let text = text(settings, wanted)?;
    if text.is_empty() {
        return Ok(());
    }
    let set = keys_in(&text);
    for (path, keys) in &settings.stronger {
        for key in keys.iter().filter(|key| set.contains(key)) {
            part.refused.push(format!(
                "cloud-init reads {} after {FILE} and takes '{key}' from it; take that out, or give the file another name",
                path.display()
            ));
        }
    }
    let head = format!(
        "{MARK} for the time after the first boot ('cloud_init' in /etc/trempe/agent.yml). Taken away by 'cloud-init clean'.\n"
    );
    write(system, FILE, head + &text, 0o644, part)?;
    seal::changes(system, part)
}

fn text(settings: &Settings, wanted: &CloudInit) -> Result<String> {
    let mut text = String::new();
    if wanted.afterwards == Afterwards::Trim {
        text.push_str("# What is to be done at every boot. What is done once for a machine was done.\n");
        for (key, modules) in [
            ("cloud_init_modules", &settings.cloud_init_modules),
            ("cloud_config_modules", &settings.cloud_config_modules),
            ("cloud_final_modules", &settings.cloud_final_modules),
        ] {
            let every_boot = |module: &&Module| EVERY_BOOT.contains(&module.name().as_str());
            let stay: Vec<&Module> = modules.iter().flatten().filter(every_boot).collect();
            writeln!(text, "{key}: {}", serde_json::to_string(&stay)?)?;
        }
    }
    if wanted.afterwards != Afterwards::Keep {
        text.push_str("# The network stays as it was set up.\nnetwork: {config: disabled}\n");
    }
    if !wanted.datasource.is_empty() {
        // On one line: ds-identify reads no other form.
        writeln!(text, "datasource_list: [ {} ]", wanted.datasource.join(", "))?;
    }
    if let Some(seconds) = wanted.vmware_wait {
        // Up to 22.4 it is the data source OVF that waits.
        let wait = format!("{{vmware_cust_file_max_wait: {seconds}}}");
        writeln!(text, "datasource: {{VMware: {wait}, OVF: {wait}}}")?;
    }
    if wanted.remove_default_user {
        text.push_str("users: []\n");
    }
    Ok(text)
}
