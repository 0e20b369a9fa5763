//! A sanity check of PAM stacks (`pam.d(5)`) before they are put in place: what would lock everybody out, or let everybody
//! in, is refused.
//!
//! Beside the shape of each line, the stacks of the new file are run twice, includes followed: once for somebody with the right
//! password, who must get in where that was so before, and once for somebody with a wrong one, who must not.

use std::path::Path;

use anyhow::{Result, bail};

use crate::setting::pam::line::{Entry, parse};
use crate::setting::pam::stack::{Step, of_text, opens_for_the_right, opens_for_the_wrong};
use crate::system::System;

/// Where PAM modules are.
const MODULE_DIRS: [&str; 4] = [
    "/lib/x86_64-linux-gnu/security",
    "/lib/aarch64-linux-gnu/security",
    "/lib64/security",
    "/usr/lib64/security",
];

/// Checks the new text of a file below `/etc/pam.d`.
///
/// # Errors
/// When a line is not understood, a module that is required is not installed, nobody could get in any more, or a wrong
/// password would do.
pub fn check(system: &System, path: &Path, content: &str) -> Result<()> {
    for entry in parse(path, content)? {
        if let Entry::Module(line) = entry
            && !line.optional
            && !installed(system, &line.module)?
        {
            bail!("{}:{}: the module {} is not installed", path.display(), line.number, line.module);
        }
    }
    let before = system.read_text(path)?;
    for facility in ["auth", "account"] {
        let new = of_text(system, path, content, facility)?;
        // A file that is not understood now cannot be a measure.
        let old = before.as_ref().and_then(|text| of_text(system, path, text, facility).ok());
        let opened = |steps: &[Step]| !steps.is_empty() && opens_for_the_right(steps);
        if !new.is_empty() && !opened(&new) && old.as_ref().is_none_or(|old| old.is_empty() || opened(old)) {
            bail!("{}: nobody would get through its {facility} stack", path.display());
        }
        let wrong = |steps: &[Step]| opens_for_the_wrong(steps) == Some(true);
        if facility == "auth" && wrong(&new) && !old.as_ref().is_some_and(|old| wrong(old)) {
            bail!("{}: a wrong password would do", path.display());
        }
    }
    Ok(())
}

fn installed(system: &System, module: &str) -> Result<bool> {
    if module.starts_with('/') {
        return system.exists(module);
    }
    for dir in MODULE_DIRS {
        if system.exists(format!("{dir}/{module}"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn machine() -> Tree {
        let modules = ["unix", "deny", "permit", "faillock", "env"];
        modules.iter().fold(Tree::new(), |tree, name| {
            tree.file(&format!("/lib/x86_64-linux-gnu/security/pam_{name}.so"), "")
        })
    }

    #[test]
    fn refuses_what_is_no_pam_file() {
        let tree = machine().file("/etc/pam.d/common-auth", "auth required pam_unix.so\n");
        let tree = tree.file("/etc/pam.d/other", "auth optional pam_env.so\n");
        let check = |text: &str| check(&tree.system(), Path::new("/etc/pam.d/x"), text);
        check("# comment\nauth optional pam_env.so\n@include common-auth\n").unwrap();
        check("-session optional pam_missing.so\nauth include other\n").unwrap();
        for (text, said) in [
            ("auth required pam_missing.so\n", "/etc/pam.d/x:1: the module pam_missing.so is not installed"),
            ("auht required pam_unix.so\n", "'auht' is no PAM facility"),
            ("auth required\n", "needs a facility, a control and a module"),
            ("@include gone\n", "there is no /etc/pam.d/gone"),
        ] {
            let error = format!("{:#}", check(text).unwrap_err());
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn refuses_what_locks_out_or_lets_in() {
        let stock = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n";
        let tree =
            machine().file("/etc/pam.d/x", stock).file("/etc/pam.d/other", "auth required pam_deny.so\n");
        let check = |name: &str, text: &str| check(&tree.system(), Path::new(name), text);
        let early = stock.replace("[success=1", "[success=2");
        for (text, said) in [
            (format!("auth requisite pam_deny.so\n{stock}"), "nobody would get through its auth stack"),
            (early.replace("auth required pam_permit.so\n", ""), "nobody would get through"),
            (
                stock.replace("auth requisite pam_deny.so\n", "auth optional pam_env.so\n"),
                "a wrong password would do",
            ),
            ("account required pam_deny.so\n".to_owned(), "its account stack"),
        ] {
            let error = check("/etc/pam.d/x", &text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        check("/etc/pam.d/x", &stock.replace("pam_unix.so", "pam_unix.so nullok")).unwrap();
        check("/etc/pam.d/other", "# still closed\nauth required pam_deny.so\n").unwrap();
    }
}
