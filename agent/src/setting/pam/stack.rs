//! A stack: the lines that one facility of a service runs, includes followed; and what it decides.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::line::{Entry, Line, parse};
use crate::system::System;

/// Where services are configured.
pub const DIR: &str = "/etc/pam.d";

/// Includes deeper than this are a circle (libpam has the same limit).
const MAX_DEPTH: usize = 16;

/// A line and the file it is in, or a stack within the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A module is called.
    Call(PathBuf, Line),
    /// `die` and `done` leave only this.
    Substack(Vec<Step>),
}

/// The path of a service's file.
pub fn path(service: &str) -> PathBuf {
    Path::new(DIR).join(service)
}

/// The stack of a service. `None` when there is no such file.
///
/// # Errors
/// When a file cannot be read or understood, or an included file is missing.
pub fn read(system: &System, service: &str, facility: &str) -> Result<Option<Vec<Step>>> {
    let path = path(service);
    let Some(text) = system.read_text(&path)? else { return Ok(None) };
    of_text(system, &path, &text, facility).map(Some)
}

/// The stack that a text would be, if it were in that file.
///
/// # Errors
/// As [`read`].
pub fn of_text(system: &System, path: &Path, text: &str, facility: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    collect(system, path, text, facility, 0, &mut steps)?;
    Ok(steps)
}

fn collect(
    system: &System,
    path: &Path,
    text: &str,
    facility: &str,
    depth: usize,
    steps: &mut Vec<Step>,
) -> Result<()> {
    if depth > MAX_DEPTH {
        bail!("{}: includes go deeper than {MAX_DEPTH}: a circle", path.display());
    }
    for entry in parse(path, text)? {
        let (number, substack, file) = match entry {
            Entry::Module(line) => {
                if line.facility == facility {
                    steps.push(Step::Call(path.to_owned(), line));
                }
                continue;
            }
            Entry::Include { facility: Some(other), .. } if other != facility => continue,
            Entry::Include { number, substack, file, .. } => (number, substack, file),
        };
        let place = || format!("{}:{number}", path.display());
        let included = Path::new(DIR).join(&file);
        let Some(text) = system.read_text(&included)? else {
            bail!("{}: there is no {}", place(), included.display());
        };
        let mut inner = Vec::new();
        collect(system, &included, &text, facility, depth + 1, &mut inner).with_context(place)?;
        match substack {
            true => steps.push(Step::Substack(inner)),
            false => steps.extend(inner),
        }
    }
    Ok(())
}

/// Every line of a stack, in order.
pub fn lines(steps: &[Step]) -> Vec<(&Path, &Line)> {
    let mut found = Vec::new();
    for step in steps {
        match step {
            Step::Call(path, line) => found.push((path.as_path(), line)),
            Step::Substack(inner) => found.extend(lines(inner)),
        }
    }
    found
}

/// What a module says, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// `success`
    Success,
    /// `auth_err` and its like
    Failure,
}

/// What the stack decides when each module says what `said` tells: true lets in. The way of libpam's dispatcher: the first
/// failure that counts stays, and without a success that counts nobody gets in.
pub fn decides(steps: &[Step], said: &dyn Fn(&Line) -> Said) -> bool {
    let mut verdict = None;
    run(steps, said, &mut verdict);
    verdict == Some(true)
}

/// Runs a stack on a verdict so far; true when the whole is decided.
fn run(steps: &[Step], said: &dyn Fn(&Line) -> Said, verdict: &mut Option<bool>) -> bool {
    let mut skip = 0;
    for step in steps {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        match step {
            Step::Substack(inner) => drop(run(inner, said, verdict)),
            Step::Call(_, line) => {
                let said = said(line);
                let good = said == Said::Success;
                match action(&line.control, said) {
                    Action::Ignore => {}
                    Action::Jump(count) => skip = count,
                    Action::Reset => *verdict = None,
                    Action::Count { end } => {
                        // A failure that counted before is not made good, and the end comes only for the decided.
                        *verdict = Some(good && *verdict != Some(false));
                        if end && (*verdict == Some(true) || !good) {
                            return true;
                        }
                    }
                }
            }
        }
    }
    false
}

#[derive(Debug, PartialEq, Eq)]
enum Action {
    Ignore,
    Jump(usize),
    Reset,
    Count { end: bool },
}

/// What a control does with a result.
fn action(control: &str, said: Said) -> Action {
    let good = said == Said::Success;
    match control.to_ascii_lowercase().as_str() {
        "required" => return Action::Count { end: false },
        "requisite" => return Action::Count { end: !good },
        "sufficient" if good => return Action::Count { end: true },
        "optional" if good => return Action::Count { end: false },
        "sufficient" | "optional" => return Action::Ignore,
        _ => {}
    }
    let inside = control.trim_start_matches('[').trim_end_matches(']');
    let pairs: Vec<(&str, &str)> =
        inside.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
    let of = |name: &str| pairs.iter().find(|(result, _)| *result == name).map(|(_, action)| *action);
    let named = if good { of("success") } else { of("auth_err") };
    match named.or(of("default")).unwrap_or("bad") {
        "ignore" => Action::Ignore,
        "reset" => Action::Reset,
        "done" | "die" => Action::Count { end: true },
        "ok" | "bad" => Action::Count { end: false },
        number => number.parse().map_or(Action::Ignore, Action::Jump),
    }
}

/// Whether somebody with the right password gets in. Modules that only ever refuse do; all others are content.
pub fn opens_for_the_right(steps: &[Step]) -> bool {
    decides(steps, &|line| if refuses(line) { Said::Failure } else { Said::Success })
}

/// Whether somebody with a wrong password gets in; `None` when no line of the stack asks for one.
pub fn opens_for_the_wrong(steps: &[Step]) -> Option<bool> {
    let asks = |line: &Line| PASSWORD_MODULES.contains(&line.module_name());
    if !lines(steps).iter().any(|(_, line)| asks(line)) {
        return None;
    }
    Some(decides(steps, &|line| if refuses(line) || asks(line) { Said::Failure } else { Said::Success }))
}

/// Modules that judge a password or another proof of who one is.
const PASSWORD_MODULES: [&str; 9] = [
    "pam_unix.so",
    "pam_sss.so",
    "pam_ldap.so",
    "pam_krb5.so",
    "pam_winbind.so",
    "pam_fprintd.so",
    "pam_systemd_home.so",
    "pam_u2f.so",
    "pam_pkcs11.so",
];

/// Whether the line says no to whoever is not root already.
fn refuses(line: &Line) -> bool {
    let fails = line.module_name() == "pam_faillock.so" && line.words().iter().any(|word| word == "authfail");
    fails || matches!(line.module_name(), "pam_deny.so" | "pam_rootok.so")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const STOCK: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
                         auth required pam_permit.so\nauth optional pam_cap.so\n";
    const LOCKED: &str = "auth required pam_faillock.so preauth\nauth [success=3 default=ignore] pam_unix.so\n\
                          auth [default=die] pam_faillock.so authfail\nauth sufficient pam_faillock.so authsucc\n\
                          auth requisite pam_deny.so\nauth required pam_permit.so\n";

    fn stack(text: &str) -> Vec<Step> {
        let tree = Tree::new()
            .file("/etc/pam.d/common-auth", STOCK)
            .file("/etc/pam.d/circle", "auth include circle\n");
        of_text(&tree.system(), Path::new("/etc/pam.d/x"), text, "auth").unwrap()
    }

    #[test]
    fn the_right_get_in_and_the_wrong_do_not() {
        for (text, right, wrong) in [
            (STOCK, true, Some(false)),
            (LOCKED, true, Some(false)),
            ("@include common-auth\n", true, Some(false)),
            ("auth substack common-auth\n", true, Some(false)),
            ("auth sufficient pam_rootok.so\nauth include common-auth\n", true, Some(false)),
            ("auth requisite pam_deny.so\n@include common-auth\n", false, Some(false)),
            ("auth [success=2 default=ignore] pam_unix.so\nauth required pam_permit.so\n", false, Some(true)),
            ("auth sufficient pam_unix.so\nauth required pam_deny.so\n", true, Some(false)),
            ("auth required pam_env.so\n", true, None),
        ] {
            assert_eq!(opens_for_the_right(&stack(text)), right, "right: {text}");
            assert_eq!(opens_for_the_wrong(&stack(text)), wrong, "wrong: {text}");
        }
    }

    #[test]
    fn a_circle_and_a_missing_file_are_errors() {
        let tree = Tree::new()
            .file("/etc/pam.d/circle", "auth include circle\n")
            .file("/etc/pam.d/y", "@include gone\n");
        let error = format!("{:#}", read(&tree.system(), "circle", "auth").unwrap_err());
        assert!(error.contains("a circle"), "{error}");
        let error = format!("{:#}", read(&tree.system(), "y", "auth").unwrap_err());
        assert!(error.contains("/etc/pam.d/y:1: there is no /etc/pam.d/gone"), "{error}");
        assert_eq!(read(&tree.system(), "none", "auth").unwrap(), None);
    }
}
