//! Validators: what is about to take effect is first checked by the program that will read it.
//!
//! A file's new content is checked as a staged copy before it is put in place; what makes sense only as a whole is checked once
//! more in place, before daemons are told. To add one, add a line to [`staged`], and a file here when the program does not
//! read a single file from its standard input.

mod audit;
mod fstab;
mod packet_filter;
pub(super) mod sshd;
mod staging;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::system::{System, Tool};

/// Checks a file's new content before it is put in place.
///
/// # Errors
/// When its reader would refuse it, with what the reader said.
pub fn staged(system: &System, path: &Path, content: &str) -> Result<()> {
    let checked = match path {
        path if path == Path::new("/etc/sudoers") || path.starts_with("/etc/sudoers.d") => {
            check(system, Tool::Visudo, &["-c", "-q", "-f", "-"], Some(content))
        }
        path if path == Path::new("/etc/nftables.conf") || path.starts_with("/etc/nftables.d") => {
            check(system, Tool::Nft, &["-c", "-f", "-"], Some(content))
        }
        path if path.starts_with("/etc/iptables") || path.starts_with("/etc/ufw") => {
            packet_filter::staged(system, path, content)
        }
        path if path == Path::new("/etc/fstab") => fstab::check(system, content),
        path if path.starts_with("/etc/audit") => audit::check(system, path, content),
        path if path.starts_with("/etc/ssh") => sshd::staged(system, path, content),
        path if path.starts_with("/etc/pam.d") => crate::apply::pam::check(system, path, content),
        // The stacks of Red Hat's family are links to these.
        path if system.is_running() && AUTHSELECT.iter().any(|own| path == Path::new(own)) => {
            let stack = Path::new("/etc/pam.d").join(path.file_name().unwrap_or_default());
            crate::apply::pam::check(system, &stack, content)
        }
        _ => Ok(()),
    };
    checked.with_context(|| format!("{} was left as it is", path.display()))
}

fn check(system: &System, tool: Tool, args: &[&str], input: Option<&str>) -> Result<()> {
    needed(system, tool)?;
    system.run_on_host(tool, args, input.map(str::as_bytes))?.success().map(drop)
}

/// Fails when a checker is not there: what cannot be checked is not written.
fn needed(system: &System, tool: Tool) -> Result<()> {
    if !system.has_tool(tool) {
        let here = if system.is_running() { "here" } else { "on the machine that the agent runs on" };
        bail!("{} is needed to check what it would become, and is not installed {here}", tool.name());
    }
    Ok(())
}

/// The stacks that authselect writes and that everybody passes who logs in.
const AUTHSELECT: [&str; 2] = ["/etc/authselect/system-auth", "/etc/authselect/password-auth"];

/// A check of what is in place.
type Check = fn(&System, &[&Path]) -> Result<()>;

/// Which paths call for a check in place, the program it needs, and the check.
const IN_PLACE: [(&str, Tool, Check); 2] =
    [("/etc/ssh", Tool::Sshd, sshd::in_place), ("/etc/sudoers", Tool::Visudo, sudoers_in_place)];

/// Checks, before daemons are told, everything that changes to `paths` touched. Returns the paths that must be taken back
/// and what the checker said of them.
pub fn in_place(system: &System, paths: &[&Path]) -> Vec<(&'static str, String)> {
    if !system.is_running() {
        return Vec::new();
    }
    let touched = |prefix: &str| paths.iter().any(|path| path.to_string_lossy().starts_with(prefix));
    let mut refused = Vec::new();
    for (prefix, tool, check) in IN_PLACE {
        if !touched(prefix) || !system.has_tool(tool) {
            continue;
        }
        if let Err(error) = check(system, paths) {
            refused.push((prefix, format!("{error:#}")));
        }
    }
    refused
}

/// What is wrong in other files was so before.
fn sudoers_in_place(system: &System, touched: &[&Path]) -> Result<()> {
    let checked = system.run(Tool::Visudo, &["-c"])?;
    let ours = |line: &str| touched.iter().any(|path| line.contains(&*path.to_string_lossy()));
    let said = [checked.stderr.as_str(), &checked.stdout].concat();
    if said.lines().any(|line| ours(line) && !line.ends_with("parsed OK")) {
        checked.success().map(drop)
    } else {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn a_stack_of_authselect_is_looked_at_as_one_of_pam() {
        let good = "auth required pam_unix.so\naccount required pam_unix.so\n";
        let tree = Tree::new()
            .file("/etc/authselect/system-auth", good)
            .link("/etc/pam.d/system-auth", "/etc/authselect/system-auth")
            .file("/usr/lib64/security/pam_unix.so", "")
            .file("/usr/lib64/security/pam_deny.so", "")
            .running();
        let stage = |text: &str| staged(&tree.system(), Path::new(AUTHSELECT[0]), text);
        assert!(stage(good).is_ok());
        let error =
            format!("{:#}", stage("auth required pam_deny.so\naccount required pam_unix.so\n").unwrap_err());
        assert!(error.contains("nobody would get through its auth stack"), "{error}");
        assert!(stage("auth required pam_none.so\n").is_err(), "a module that is not there");
    }
}
