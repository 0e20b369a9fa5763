//! What becomes of cloud-init after the first boot: the section `cloud_init` of the configuration.
//!
//! It is carried out as changes like any others, with their undo in the journal. Everything that cloud-init itself is to know stands
//! in one drop-in of ours ([`drop_in`]), which it reads last; what it reads is known from [`settings`]. What cloud-init set up stays:
//! its network configuration is frozen where it is ([`network`]), its mounts no longer start it ([`fstab`]), and the account it made
//! by itself can go ([`account`]). A machine that is made an image of gets cloud-init back whole ([`seal`]).
//!
//! To add a wish, add a key to the configuration and a part to [`changes`]. They are carried out by [`crate::apply::besides`].

mod account;
mod drop_in;
mod fstab;
mod network;
mod seal;
mod settings;

use anyhow::Result;

use crate::change::Change;
use crate::config::{Afterwards, CloudInit};
use crate::system::System;
use settings::Settings;

/// The name of what is done about cloud-init itself, in the journal where rules have their ids.
pub const NAME: &str = "cloud_init";
/// The name of what is done about the account it made.
pub const ACCOUNT: &str = "cloud_init_default_user";
/// The names of all that is done.
pub const PARTS: [&str; 2] = [NAME, ACCOUNT];
/// The datasource that cloud-init set the machine up with (`cloudinit.stages`, `_write_to_cache`).
const DATASOURCE: &str = "/var/lib/cloud/instance/datasource";
/// The file that keeps cloud-init from starting.
const DISABLED: &str = "/etc/cloud/cloud-init.disabled";
/// How our files begin.
const MARK: &str = "# Written by trempe";

/// What is still to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Todo {
    /// The changes, by what they are about: what fails of one part leaves the other alone. Empty when all is done.
    pub parts: Vec<(&'static str, Vec<Change>)>,
    /// What is not done though it is asked for, and why, in sentences.
    pub refused: Vec<String>,
}

/// What is to be done about one thing.
#[derive(Debug, Default)]
struct Part {
    changes: Vec<Change>,
    refused: Vec<String>,
}

/// What is to be done about cloud-init once it has done its work for this machine. `keep` are the accounts that must keep access.
///
/// Where cloud-init is not installed there is nothing to do. What an earlier run did and the configuration no longer asks for
/// stays; it is taken back with `agent rollback --rule cloud_init`. A machine whose network was frozen may not find its address
/// again, so that is nothing to be done by itself.
///
/// # Errors
/// When cloud-init's configuration or the account files cannot be read or understood.
pub fn changes(system: &System, wanted: &CloudInit, keep: &[String]) -> Result<Todo> {
    if *wanted == CloudInit::default() || system.meta(settings::FILE)?.is_none() {
        return Ok(Todo::default());
    }
    let settings = Settings::read(system)?;
    let mut part = Part::default();
    let mut account = Part::default();
    itself(system, &settings, wanted, &mut part)?;
    if wanted.remove_default_user {
        account::changes(system, &settings, keep, &mut account)?;
    }
    let refused = part.refused.into_iter().chain(account.refused).collect();
    let parts = [(NAME, part.changes), (ACCOUNT, account.changes)];
    Ok(Todo { parts: parts.into_iter().filter(|(_, changes)| !changes.is_empty()).collect(), refused })
}

/// What is to be done about cloud-init itself.
fn itself(system: &System, settings: &Settings, wanted: &CloudInit, part: &mut Part) -> Result<()> {
    let mut afterwards = wanted.afterwards;
    if afterwards != Afterwards::Keep && !network::stays(system, settings)? {
        part.refused.push(format!(
            "'cloud_init: afterwards: {}' is not done: nothing but cloud-init says how the network of this machine is set up",
            afterwards.word()
        ));
        afterwards = Afterwards::Keep;
    }
    let mut datasource = wanted.datasource.clone();
    if afterwards == Afterwards::Keep
        && let Some(own) = datasource_left_out(system, &datasource)?
    {
        part.refused.push(format!(
            "'cloud_init: datasource' is not done: this machine was set up by {own}, which is not among {}; without it cloud-init \
             would take it for another machine",
            datasource.join(", ")
        ));
        datasource.clear();
    }
    drop_in::changes(system, settings, &CloudInit { afterwards, datasource, ..wanted.clone() }, part)?;
    if afterwards == Afterwards::Disable {
        fstab::changes(system, part)?;
    }
    // Last: cloud-init is told not to start when everything else is ready for that.
    marker(system, afterwards, part)
}

/// The datasource that set this machine up, where a list names others only. With the network not frozen, the next boot would set up
/// an instance without one: other host keys, another address.
fn datasource_left_out(system: &System, list: &[String]) -> Result<Option<String>> {
    let text = system.read_text(DATASOURCE)?.unwrap_or_default();
    // `DataSourceNoCloud: DataSourceNoCloud [seed=/dev/sr0]`; one that was found by network has `Net` behind.
    let class = text.split(':').next().unwrap_or_default().trim();
    let Some(own) = class.strip_prefix("DataSource").filter(|own| !own.is_empty() && *own != "None") else {
        return Ok(None);
    };
    let named = list.is_empty() || list.iter().any(|name| own == name || own == format!("{name}Net"));
    Ok((!named).then(|| own.to_owned()))
}

/// The file that keeps cloud-init from starting; there, or not when it is ours and cloud-init is to run.
fn marker(system: &System, afterwards: Afterwards, part: &mut Part) -> Result<()> {
    let text = system.read_text(DISABLED)?;
    match (afterwards, text) {
        (Afterwards::Disable, None) => part.changes.push(Change::write(
            DISABLED,
            format!(
                "{MARK}: cloud-init has done its work for this machine. Without this file it starts again.\n"
            ),
        )),
        (Afterwards::Trim, Some(text)) if text.starts_with(MARK) => {
            part.changes.push(Change::RemoveFile { path: DISABLED.into() });
        }
        _ => {}
    }
    Ok(())
}

/// Asks for a file with this content, if it does not have it.
fn write(system: &System, path: &str, content: String, mode: u32, part: &mut Part) -> Result<()> {
    if system.read_text(path)?.as_deref() != Some(content.as_str()) {
        part.changes.push(Change::WriteFile { path: path.into(), content, mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
