//! A sanity check of PAM stacks (`pam.d(5)`) before they are put in place: what would lock everybody out is refused.

use std::path::Path;

use anyhow::{Result, bail};

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
/// When a line is not understood, or a module that is required is not installed.
pub fn check(system: &System, path: &Path, content: &str) -> Result<()> {
    for (index, line) in logical_lines(content) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with('@') {
            continue;
        }
        let fields = fields(line);
        let (Some(facility), Some(control)) = (fields.first(), fields.get(1)) else {
            bail!(
                "{}:{index}: a PAM line needs a facility, a control and a module: '{line}'",
                path.display()
            );
        };
        let name = facility.trim_start_matches('-');
        if !matches!(name, "auth" | "account" | "password" | "session") {
            bail!("{}:{index}: '{facility}' is no PAM facility", path.display());
        }
        if matches!(control.as_str(), "include" | "substack") {
            continue;
        }
        let Some(module) = fields.get(2) else {
            bail!("{}:{index}: no module: '{line}'", path.display());
        };
        if !facility.starts_with('-') && !installed(system, module)? {
            bail!("{}:{index}: the module {module} is not installed", path.display());
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

/// Lines with continuations joined, and the number of the first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let (part, continues) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        match lines.last_mut() {
            Some((_, joined)) if open => joined.push_str(part),
            _ => lines.push((index + 1, part.to_owned())),
        }
        open = continues;
    }
    lines
}

/// The fields of a line; brackets keep blanks together.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut bracket = false;
    for c in line.chars() {
        match c {
            '[' => bracket = true,
            ']' => bracket = false,
            _ => {}
        }
        if c.is_whitespace() && !bracket {
            fields.push(String::new());
        } else if let Some(field) = fields.last_mut() {
            field.push(c);
        }
    }
    fields.retain(|field| !field.is_empty());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn refuses_what_would_lock_out() {
        let tree = Tree::new().file("/lib/x86_64-linux-gnu/security/pam_unix.so", "");
        let check = |text: &str| check(&tree.system(), Path::new("/etc/pam.d/x"), text);
        check("# comment\nauth [success=1 default=ignore] pam_unix.so nullok\n@include common-auth\n")
            .unwrap();
        check("-session optional pam_missing.so\nauth include other\n").unwrap();
        for (text, said) in [
            ("auth required pam_missing.so\n", "/etc/pam.d/x:1: the module pam_missing.so is not installed"),
            ("auht required pam_unix.so\n", "'auht' is no PAM facility"),
            ("auth required\n", "no module"),
            ("auth\n", "needs a facility"),
        ] {
            let error = check(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
