//! The audit rules: those the kernel has now, and those it gets at boot.
//!
//! At boot one of two programs loads them, and a unit says which: `augenrules` puts the files of `/etc/audit/rules.d`
//! together in the order of `ls -v`, with the last `-e` moved to the end; `auditctl -R` reads one file as it stands.

pub mod rule;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::units::UNIT_DIRS;
use super::{System, Tool};
pub use rule::{AuditLine, AuditRule};

/// Where `augenrules` takes the rules from.
pub const RULES_DIR: &str = "/etc/audit/rules.d";

/// The units that load the rules, by release: the daemon's own, or one before it.
const UNITS: [&str; 3] = ["audit-rules.service", "augenrules.service", "auditd.service"];

/// What loads the rules at boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loader {
    /// `augenrules`, from [`RULES_DIR`].
    Augenrules,
    /// `auditctl -R`, from this file.
    Auditctl(PathBuf),
    /// No unit does.
    Nothing,
}

/// A line and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub number: usize,
    /// As it is written.
    pub text: String,
    /// What it says.
    pub line: AuditLine,
}

/// The rules for the next boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFiles {
    /// What loads them.
    pub loader: Loader,
    /// The lines, in the order in which they take effect.
    pub lines: Vec<Placed>,
}

/// The rules that are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditKernel {
    /// Whether they can be changed only by a reboot.
    pub locked: bool,
    /// As `auditctl -l` tells them: the text and what it says.
    pub rules: Vec<(String, AuditRule)>,
}

impl AuditFiles {
    pub(super) fn learn(system: &System) -> Result<AuditFiles> {
        let loader = loader(system)?;
        let mut lines = Vec::new();
        match &loader {
            Loader::Augenrules => {
                let mut files = system.drop_ins(RULES_DIR, ".rules")?;
                files.sort_by_cached_key(|file| version_key(&file.to_string_lossy()));
                for file in files {
                    lines.extend(read(system, &file)?);
                }
            }
            Loader::Auditctl(file) => {
                for placed in read(system, file)? {
                    if placed.line == AuditLine::Option("-D".to_owned(), None) {
                        lines.clear();
                    }
                    lines.push(placed);
                }
            }
            Loader::Nothing => {}
        }
        refuse_repeated(&lines)?;
        Ok(AuditFiles { loader, lines })
    }
}

impl AuditKernel {
    /// Asks the kernel; `None` when there is no program to ask with.
    pub(super) fn learn(system: &System) -> Result<Option<AuditKernel>> {
        if !system.is_booted() || !system.has_tool(Tool::Auditctl) {
            return Ok(None);
        }
        let status = system.run(Tool::Auditctl, &["-s"])?.success()?.stdout;
        let listing = system.run(Tool::Auditctl, &["-l"])?.success()?.stdout;
        Ok(Some(AuditKernel::parse(&status, &listing)?))
    }

    fn parse(status: &str, listing: &str) -> Result<AuditKernel> {
        let locked = status.lines().any(|line| line.split_whitespace().eq(["enabled", "2"]));
        let mut rules = Vec::new();
        for line in listing.lines().filter(|line| line.starts_with('-')) {
            let said =
                rule::parse(line).with_context(|| format!("reading the line '{line}' of auditctl -l"))?;
            if let Some(AuditLine::Rule(rule)) = said {
                rules.push((line.trim().to_owned(), rule));
            }
        }
        Ok(AuditKernel { locked, rules })
    }
}

fn read(system: &System, file: &Path) -> Result<Vec<Placed>> {
    let text = system.read_text(file)?.unwrap_or_default();
    let mut lines = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let number = index + 1;
        let said = rule::parse(text).with_context(|| format!("{}:{number}", file.display()))?;
        if let Some(line) = said {
            lines.push(Placed { file: file.to_owned(), number, text: text.trim().to_owned(), line });
        }
    }
    Ok(lines)
}

/// The kernel refuses a rule that it has, and `auditctl` loads nothing behind a line that was refused, unless told to go on.
fn refuse_repeated(lines: &[Placed]) -> Result<()> {
    let mut before: BTreeMap<Vec<&str>, &Placed> = BTreeMap::new();
    for placed in lines {
        match &placed.line {
            AuditLine::Option(option, _) if ["-i", "-c"].contains(&option.as_str()) => return Ok(()),
            AuditLine::Option(..) => {}
            AuditLine::Rule(_) => {
                if let Some(first) = before.insert(words(&placed.text), placed) {
                    bail!(
                        "{}:{}: '{}' stands in {}:{} already; auditctl refuses it and loads no line behind it: remove one",
                        placed.file.display(),
                        placed.number,
                        placed.text,
                        first.file.display(),
                        first.number
                    );
                }
            }
        }
    }
    Ok(())
}

/// The words of a rule; a slash at the end of a path makes no difference.
fn words(text: &str) -> Vec<&str> {
    let path = |word: &str| word.len() > 1 && word.starts_with('/');
    text.split_whitespace().map(|word| if path(word) { word.trim_end_matches('/') } else { word }).collect()
}

fn loader(system: &System) -> Result<Loader> {
    for unit in UNITS {
        for text in unit_texts(system, unit)? {
            let commands = text.lines().map(str::trim).filter(|line| line.starts_with("ExecStart"));
            for command in commands {
                if command.contains("augenrules") {
                    return Ok(Loader::Augenrules);
                }
                if let Some((_, file)) = command.split_once("auditctl -R") {
                    return Ok(Loader::Auditctl(PathBuf::from(file.trim())));
                }
            }
        }
    }
    Ok(Loader::Nothing)
}

/// The text of a unit and of its drop-ins, the drop-ins first: what they say counts.
fn unit_texts(system: &System, unit: &str) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    let mut main = None;
    for dir in UNIT_DIRS {
        for path in system.drop_ins(format!("{dir}/{unit}.d"), ".conf")? {
            texts.extend(system.read_text(path)?);
        }
        if main.is_none() {
            main = system.read_text(format!("{dir}/{unit}"))?;
        }
    }
    texts.extend(main);
    Ok(texts)
}

/// A key that sorts as `ls -v` does: numbers by their value.
fn version_key(name: &str) -> Vec<(String, u64)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits_at = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, tail) = rest.split_at(digits_at);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (digits, after) = tail.split_at(end);
        key.push((text.to_owned(), digits.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const AUGENRULES: &str = "[Service]\nExecStart=/sbin/auditd\nExecStartPost=-/sbin/augenrules --load\n";

    fn texts(files: &AuditFiles) -> Vec<&str> {
        files.lines.iter().map(|placed| placed.text.as_str()).collect()
    }

    #[test]
    fn augenrules_takes_the_files_in_version_order() {
        let tree = Tree::new()
            .file("/usr/lib/systemd/system/auditd.service", AUGENRULES)
            .file("/etc/audit/rules.d/100-a.rules", "-w /c\n")
            .file("/etc/audit/rules.d/20-b.rules", "# first\n-w /a\n\n-w /b\n")
            .file("/etc/audit/rules.d/audit.rules", "-D\n-e 2\n")
            .file("/etc/audit/rules.d/notes.txt", "not read\n")
            .file("/etc/audit/audit.rules", "-w /stale\n");
        let files = tree.system().audit_files().unwrap().clone();
        assert_eq!(files.loader, Loader::Augenrules);
        assert_eq!(texts(&files), ["-w /a", "-w /b", "-w /c", "-D", "-e 2"]);
        assert_eq!(files.lines[1].number, 4);
    }

    #[test]
    fn auditctl_reads_one_file_and_forgets_what_came_before_a_deletion() {
        let unit = "[Service]\n#ExecStartPost=-/sbin/augenrules --load\nExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules\n";
        let tree = Tree::new()
            .file("/usr/lib/systemd/system/auditd.service", AUGENRULES)
            .file("/etc/systemd/system/auditd.service", unit)
            .file("/etc/audit/rules.d/20-b.rules", "-w /a\n")
            .file("/etc/audit/audit.rules", "-w /lost\n-D\n-w /kept\n");
        let files = tree.system().audit_files().unwrap().clone();
        assert_eq!(files.loader, Loader::Auditctl("/etc/audit/audit.rules".into()));
        assert_eq!(texts(&files), ["-D", "-w /kept"]);
    }

    #[test]
    fn without_a_unit_nothing_is_loaded() {
        let tree = Tree::new().file("/etc/audit/rules.d/20-b.rules", "-w /a\n");
        let files = tree.system().audit_files().unwrap().clone();
        assert_eq!(files, AuditFiles { loader: Loader::Nothing, lines: vec![] });
    }

    #[test]
    fn a_line_that_auditctl_refuses_is_an_error_with_its_place() {
        let tree = Tree::new()
            .file(
                "/usr/lib/systemd/system/audit-rules.service",
                "[Service]\nExecStart=/usr/sbin/augenrules --load\n",
            )
            .file("/etc/audit/rules.d/20-b.rules", "-w /a\n-a always -S chmod\n");
        let error = format!("{:#}", tree.system().audit_files().unwrap_err());
        assert!(error.contains("/etc/audit/rules.d/20-b.rules:2"), "{error}");
    }

    #[test]
    fn a_repeated_rule_ends_the_loading() {
        for (a, b, refused) in [
            ("-w /etc/sudoers.d/ -p wa -k x\n", "  -w /etc/sudoers.d  -p wa -k x\n", true),
            ("-w /etc/sudoers.d -p wa -k x\n", "-w /etc/sudoers.d -p wa -k y\n", false),
            ("-w /var/run/x -p wa\n", "-w /run/x -p wa\n", false),
            ("-w / -p wa\n", "-w // -p wa\n", false),
            ("-c\n-w /a -p wa\n", "-w /a -p wa\n", false),
            ("-D\n", "-D\n", false),
        ] {
            let tree = Tree::new()
                .file("/usr/lib/systemd/system/auditd.service", AUGENRULES)
                .file("/etc/audit/rules.d/10-a.rules", a)
                .file("/etc/audit/rules.d/20-b.rules", b);
            let said = tree.system().audit_files().map(drop).map_err(|error| format!("{error:#}"));
            assert_eq!(said.is_err(), refused, "{a}{b}{said:?}");
            let places = "/etc/audit/rules.d/20-b.rules:1: '-w /etc/sudoers.d  -p wa -k x' stands in /etc/audit/rules.d/10-a.rules:1 already";
            assert!(said.as_ref().map_or_else(|error| error.contains(places), |()| true), "{said:?}");
        }
    }

    #[test]
    fn the_kernel_is_asked_for_rules_and_the_lock() {
        let kernel =
            AuditKernel::parse("enabled 2\nfailure 1\npid 300\n", "-w /etc/group -p wa -k id\n").unwrap();
        assert!(kernel.locked);
        assert_eq!(kernel.rules[0].0, "-w /etc/group -p wa -k id");
        let kernel = AuditKernel::parse("enabled 1\n", "No rules\n").unwrap();
        assert_eq!(kernel, AuditKernel { locked: false, rules: vec![] });
    }
}
