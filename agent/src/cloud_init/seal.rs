//! A machine that an image is made of gets cloud-init back whole: `cloud-init clean` runs what is in `/etc/cloud/clean.d`
//! (`cloudinit.cmd.clean`, from 22.3 on). Without that, machines made of the image would get neither keys nor network of their own.

use anyhow::Result;

use super::{DISABLED, MARK, Part, drop_in, write};
use crate::system::System;

/// Names of scripts there must have no dot.
const FILE: &str = "/etc/cloud/clean.d/99-trempe";

/// The script.
pub fn changes(system: &System, part: &mut Part) -> Result<()> {
    let text = format!(
        "#!/bin/sh\n\
         {MARK}: an image is made of this machine, and machines made of it need cloud-init whole.\n\
         rm -f {drop_in}\n\
         if grep -qs '^{MARK}' {DISABLED}; then rm -f {DISABLED}; fi\n",
        drop_in = drop_in::FILE
    );
    write(system, FILE, text, 0o755, part)
}
