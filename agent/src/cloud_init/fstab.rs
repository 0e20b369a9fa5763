//! Mounts that cloud-init wrote to `/etc/fstab` and that start it.
//!
//! Up to 24.2 each has the option `x-systemd.requires=cloud-init.service` (`cloudinit.config.cc_mounts`). The file that keeps
//! cloud-init from starting is looked at where it is made part of the boot; whoever requires its unit starts it all the same.

use anyhow::Result;

use super::{Part, write};
use crate::system::System;

const FILE: &str = "/etc/fstab";
const OPTION: &str = "x-systemd.requires=cloud-init";

/// The mounts without that option.
pub fn changes(system: &System, part: &mut Part) -> Result<()> {
    let Some(text) = system.read_text(FILE)? else { return Ok(()) };
    write(system, FILE, text.split_inclusive('\n').map(without).collect(), 0o644, part)
}

/// A line without the option; everything else of it is kept to the byte.
fn without(line: &str) -> String {
    let kept = |field: &str| {
        let options: Vec<&str> = field.split(',').filter(|option| !option.starts_with(OPTION)).collect();
        if options.is_empty() { "defaults".to_owned() } else { options.join(",") }
    };
    if line.trim_start().starts_with('#') {
        return line.to_owned();
    }
    let fields = line.split_inclusive(char::is_whitespace).map(|part| {
        let field = part.trim_end();
        let blank = part.get(field.len()..).unwrap_or_default();
        if field.contains(OPTION) { kept(field) + blank } else { part.to_owned() }
    });
    fields.collect()
}
