//! `fstab(5)`, checked by `findmnt --verify`: a machine that cannot mount what is listed does not boot.
//!
//! What was wrong before is not for this change to mend (a device that is not plugged in, a mount point to come), so only
//! an error that the present file does not have refuses the new one.

use std::path::Path;

use anyhow::{Result, bail};

use super::needed;
use super::staging::Staging;
use crate::system::{Output, System, Tool};

const FSTAB: &str = "/etc/fstab";

/// Checks the new text.
///
/// # Errors
/// When `findmnt` finds an error in it that the present text does not have.
pub fn check(system: &System, content: &str) -> Result<()> {
    needed(system, Tool::Findmnt)?;
    let mut before = match system.read_text(FSTAB)? {
        Some(text) => findings(system, &text)?,
        None => Vec::new(),
    };
    for finding in findings(system, content)? {
        match before.iter().position(|old| *old == finding) {
            Some(at) => drop(before.swap_remove(at)),
            None => bail!("findmnt: {finding}"),
        }
    }
    Ok(())
}

/// What `findmnt` finds wrong with a text.
fn findings(system: &System, content: &str) -> Result<Vec<String>> {
    let staging = Staging::new(system)?;
    let copy = staging.put(Path::new(FSTAB), content)?.display().to_string();
    let output = system.run_on_host(Tool::Findmnt, &["--verify", "--tab-file", &copy], None)?;
    let mut found = errors(&output, content);
    if found.is_empty()
        && let Err(error) = output.success()
    {
        bail!("{}", staging.told(&error.to_string()));
    }
    if !system.is_running() {
        // Devices and directories are those of the host, which says nothing of the machine below the root.
        found.retain(|finding| !finding.contains("unreachable"));
    }
    Ok(found)
}

/// The errors that `findmnt` tells, warnings left out: each with the mount point or the line it is about. Line numbers are
/// left out, since they move.
fn errors(output: &Output, content: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut target = "";
    for line in output.stdout.lines().chain(output.stderr.lines()) {
        if let Some((_, number)) = line.split_once("parse error at line ") {
            let digits = number.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            let at = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let text = at.and_then(|at| content.lines().nth(at)).unwrap_or_default();
            found.push(format!("'{}' is no entry", text.trim()));
        } else if let Some(error) = line.trim_start().strip_prefix("[E]") {
            found.push(format!("{target}: {}", error.trim()));
        } else if !line.starts_with(' ') {
            target = line.trim();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::Scripted;
    use super::*;
    use crate::setting::testing::Tree;

    const OLD: &str = "/dev/gone /data ext4 defaults 0 2\n";

    /// What `findmnt` says of a text: its own words for lines that are known here.
    fn findmnt(args: &[&str], _: Option<&str>) -> Output {
        let text = std::fs::read_to_string(args[2]).unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        for (index, line) in text.lines().enumerate() {
            match line.split_whitespace().count() {
                6 if line.starts_with("/dev/gone") => {
                    stdout +=
                        "/data\n   [W] unreachable source: /dev/gone\n   [E] no final newline at the end\n";
                }
                6 => {}
                _ => {
                    stderr += &format!("findmnt: {}: parse error at line {} -- ignored\n", args[2], index + 1)
                }
            }
        }
        if text.contains("/nowhere") {
            stdout += "/nowhere\n   [E] unreachable on boot required target: No such file or directory\n";
        }
        let code = i32::from(!stdout.is_empty() || !stderr.is_empty());
        Output { code: Some(code), stdout, stderr, command: "findmnt --verify".into() }
    }

    fn checked(before: &str, after: &str) -> Result<()> {
        let tree = Tree::new().file(FSTAB, before);
        check(&Scripted::on(&tree, findmnt), after)
    }

    #[test]
    fn what_was_wrong_before_does_not_refuse_and_what_is_new_does() {
        let good = "tmpfs /tmp tmpfs nodev 0 0\n";
        checked(OLD, &format!("{OLD}{good}")).unwrap();
        checked("broken\n", &format!("{good}broken\n")).unwrap();
        checked(OLD, &format!("{OLD}tmpfs /nowhere tmpfs nodev 0 0\n")).unwrap();
        for (before, after, said) in [
            ("", "tmpfs /tmp tmpfs nodev 0\n", "findmnt: 'tmpfs /tmp tmpfs nodev 0' is no entry"),
            ("broken\n", "broken\nbroken\n", "'broken' is no entry"),
            ("", OLD, "/data: no final newline"),
        ] {
            let error = checked(before, after).unwrap_err().to_string();
            assert!(error.contains(said), "{after}: {error}");
        }
    }

    #[test]
    fn a_checker_that_cannot_tell_refuses() {
        let tree = Tree::new().file(FSTAB, OLD);
        let broken = |args: &[&str], _: Option<&str>| Output {
            code: Some(1),
            stderr: format!("findmnt: can't read {}", args[2]),
            ..Output::default()
        };
        let error = check(&Scripted::on(&tree, broken), OLD).unwrap_err().to_string();
        assert!(error.contains("can't read /etc/fstab"), "{error}");
        assert!(!tree.has("/var"), "the staged copy stays");
    }
}
