//! The key `trempe` of user-data and vendor-data, as cloud-init merged them.
//!
//! cloud-init keeps what it made of all parts in `/var/lib/cloud/instances/ID/cloud-config.txt` and `vendor-cloud-config.txt`,
//! for root alone (`cloudinit.helpers.Paths`, `cloudinit.handlers.cloud_config`; the same from 20.4 to 26.2). That directory may be
//! another machine's, left in an image that was not cleaned: it counts when cloud-init says so at this boot, or when the machine
//! was hardened as that instance before. So what user-data says holds on when cloud-init is disabled or its seed taken away.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Deserialize;

use super::{Source, parts, trusted};
use crate::config::written::{Written, document, valued};
use crate::config::{DIRECTORY, FILE};
use crate::system::System;

/// The instance that cloud-init is at work for, told anew at each boot (`cloudinit.helpers`, `lookups`).
const AT_WORK: &str = "/run/cloud-init/.instance-id";
/// A directory for each instance.
const INSTANCES: &str = "/var/lib/cloud/instances";
/// The instance cloud-init was last at work for.
const LAST: &str = "/var/lib/cloud/data/instance-id";
/// What it calls a machine for which it finds no data source: that says nothing of the machine.
const NO_DATASOURCE: &str = "iid-datasource-none";
const MACHINE_ID: &str = "/etc/machine-id";
/// What the first boot was done for.
const FIRST_BOOT: &str = "/var/lib/trempe/firstboot.json";

#[derive(Deserialize)]
struct Record {
    instance: Instance,
}

#[derive(Deserialize)]
struct Instance {
    instance_id: Option<String>,
    machine_id: String,
}

/// cloud-config, as far as it is about the agent.
#[derive(Debug, Default, Deserialize)]
pub struct CloudConfig {
    /// The agent's configuration.
    #[serde(default, deserialize_with = "valued")]
    trempe: Option<Written>,
}

impl CloudConfig {
    /// The first line of a file that is cloud-config.
    pub const MARK: &str = "#cloud-config";

    /// Reads what cloud-config says to the agent. `source` is what messages call it.
    ///
    /// # Errors
    /// When it is not understood, with source, line and column.
    pub fn parse(text: &str, source: &str) -> Result<Option<Written>> {
        document::<CloudConfig>(text, source)?.trempe.map(|written| written.checked(source)).transpose()
    }

    /// The configuration files of ours that cloud-config has written (`write_files`), with their content. What is written in another
    /// encoding is left out.
    ///
    /// # Errors
    /// When it is not understood, with source, line and column.
    pub fn writes(text: &str, source: &str) -> Result<Vec<(PathBuf, String)>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Writes {
            write_files: Vec<File>,
        }
        #[derive(Deserialize)]
        struct File {
            path: PathBuf,
            #[serde(default)]
            content: String,
            #[serde(default)]
            encoding: String,
        }
        let files = document::<Writes>(text, source)?.write_files.into_iter();
        let plain = |file: &File| ["", "text/plain"].contains(&file.encoding.as_str());
        let ours = |file: &File| file.path.starts_with(DIRECTORY) || file.path == Path::new(FILE);
        Ok(files.filter(|file| ours(file) && plain(file)).map(|file| (file.path, file.content)).collect())
    }
}

/// What the platform asks for. cloud-init lets the second kind of it outdo the first.
pub(super) fn vendor_data(system: &System) -> Vec<Source> {
    let first = read(system, "vendor-cloud-config.txt", "vendor-data.txt.i");
    let second = read(system, "vendor2-cloud-config.txt", "vendor-data2.txt.i");
    [("vendor-data", first), ("vendor-data2", second)]
        .into_iter()
        .filter_map(|(name, read)| Source::new(name, read))
        .collect()
}

/// What the user asks for.
pub(super) fn user_data(system: &System) -> Vec<Source> {
    Source::new("user-data", read(system, "cloud-config.txt", "user-data.txt.i")).into_iter().collect()
}

/// What a merged cloud-config says to the agent. `given` has the parts that it was merged from.
fn read(system: &System, merged: &str, given: &str) -> Result<Option<Written>> {
    let Some(directory) = instance_directory(system)? else { return Ok(None) };
    let path = directory.join(merged);
    let Some(text) = trusted(system, &path)? else { return Ok(None) };
    let source = path.display().to_string();
    let said = CloudConfig::parse(&text, &source)?;
    if said.is_none() && is_lost(system, &text, &directory.join(given))? {
        bail!("{source}: cloud-init did not understand what it was given (/var/log/cloud-init.log says why)");
    }
    Ok(said)
}

/// Whether cloud-init passed over a part that it could not read: the part may have been about the agent. Newer versions say so; all of
/// them say how many parts they read.
fn is_lost(system: &System, merged: &str, given: &Path) -> Result<bool> {
    let head: Vec<&str> = merged.lines().take_while(|line| *line != "---").collect();
    if head.iter().any(|line| line.contains("SCHEMA_ERROR")) {
        return Ok(true);
    }
    let read =
        head.iter().find_map(|line| line.strip_prefix("# from ")?.strip_suffix(" files")?.parse().ok());
    let given = system.read(given)?.map_or(0, |message| parts::of_cloud_config(&message));
    Ok(given > read.unwrap_or(0))
}

/// The directory of the instance this machine is.
///
/// # Errors
/// When what tells it cannot be read.
pub fn instance_directory(system: &System) -> Result<Option<PathBuf>> {
    let word = |path: &str| -> Result<Option<String>> {
        let text = system.read_text(path)?.map(|text| text.trim().to_owned());
        Ok(text.filter(|text| !text.is_empty() && text != NO_DATASOURCE))
    };
    let (last, at_work) = (word(LAST)?, word(AT_WORK)?);
    let id =
        if last.is_some() && last == at_work { last } else { hardened_as(system, last, word(MACHINE_ID)?)? };
    // `cloudinit.helpers.Paths._get_ipath`
    Ok(id.map(|id| Path::new(INSTANCES).join(id.replace('/', "_"))))
}

/// The instance that the first boot was done for, when that was on this machine and cloud-init was at work for no other since.
fn hardened_as(system: &System, last: Option<String>, machine: Option<String>) -> Result<Option<String>> {
    let Some(text) = system.read_text(FIRST_BOOT)? else { return Ok(None) };
    let Ok(record) = serde_json::from_str::<Record>(&text) else { return Ok(None) };
    let Instance { instance_id, machine_id } = record.instance;
    let same =
        machine.is_some_and(|machine| machine == machine_id) && (last.is_none() || last == instance_id);
    Ok(instance_id.filter(|_| same))
}
