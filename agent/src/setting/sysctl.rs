//! A kernel parameter: its running value and the one it has after the next boot.
//!
//! The value at boot is decided as `sysctl.d(5)` says: of files with the same name, the one in the first directory
//! counts; all are then read in the order of their names and the last assignment wins, except that a name written out
//! beats a pattern (`net.ipv4.conf.*.rp_filter`), and `-name` alone takes a name out of the patterns. `/etc/sysctl.conf` is
//! linked into `/etc/sysctl.d` on Debian and read last by `sysctl --system`. `ufw` starts later still and sets what
//! `/etc/ufw/sysctl.conf` says. Our own drop-in sorts behind the drop-ins a distribution or an administrator is likely to write;
//! other values left in files of the administrator's are mended too, so that no order of reading brings them back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

/// Our own drop-in: sorts behind everything a distribution or an administrator is likely to write.
const DROP_IN: &str = "/etc/sysctl.d/99-zz-trempe.conf";

/// Where drop-ins are, in the order in which one file hides another of the same name.
const DIRS: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// Directories whose files belong to the administrator and may be mended.
const ADMINISTRATOR: [&str; 2] = ["/etc", "/usr/local"];

/// The firewall front end that sets kernel parameters of its own when it starts, and its file of them.
const UFW: (&str, &str) = ("/usr/sbin/ufw", "/etc/ufw/sysctl.conf");

/// A kernel parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sysctl {
    /// The parameter, with dots.
    pub key: String,
    /// The value it must have.
    pub value: Text,
    /// Values that are as good or better.
    #[serde(default)]
    pub also: Vec<Text>,
}

/// An assignment in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assignment {
    /// The parameter, or a pattern of several, with dots.
    key: String,
    /// The value; `None` takes the parameter out of the patterns.
    value: Option<String>,
    file: PathBuf,
    line: usize,
}

impl Assignment {
    fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

impl Setting for Sysctl {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let wanted = format!("{} = {}", self.key, self.value);
        let mut missing = false;
        if system.is_running() {
            let place = System::sysctl_path(&self.key).display().to_string();
            match system.sysctl(&self.key)? {
                Some(value) => {
                    let holds = self.accepts(&value);
                    finding.running(holds, format!("{} = {value}", self.key), &wanted, place);
                    if !holds {
                        finding.change(Change::Sysctl { key: self.key.clone(), value: self.value.0.clone() });
                    }
                }
                None if self.key.starts_with("net.ipv6.") => {
                    return Ok(Finding::not_applicable("this kernel has no IPv6"));
                }
                None => {
                    // What the parameter would switch on is not in this kernel: the machine goes without the protection.
                    missing = true;
                    finding.running(false, "this kernel has no such parameter", &wanted, place);
                }
            }
        }
        self.examine_files(system, &wanted, &mut finding)?;
        if missing {
            finding.manual(format!("this kernel was built without {}: run one that has it", self.key));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!(
            "the kernel parameter {} is {} now and in the files read at boot (sysctl.d)",
            self.key, self.value
        )
    }
}

impl Sysctl {
    /// The kernel reads a number up to the blank behind it and passes over the rest (`proc_dointvec`), so that
    /// `1 # on` sets 1.
    fn accepts(&self, value: &str) -> bool {
        let same = |text: &Text| {
            let mut words = value.split_whitespace();
            match text.number() {
                Ok(_) => words.next() == Some(text.as_str().trim()),
                Err(_) => text.as_str().split_whitespace().eq(words),
            }
        };
        same(&self.value) || self.also.iter().any(same)
    }

    fn examine_files(&self, system: &System, wanted: &str, finding: &mut Finding) -> Result<()> {
        let assignments = assignments(system)?;
        let decides = decide(&assignments, &self.key);
        let holds = decides.is_some_and(|(_, value)| self.accepts(value));
        match decides {
            Some((found, value)) => {
                finding.persistent(holds, format!("{} = {value}", self.key), wanted, found.place())
            }
            None => finding.persistent(false, "not set", wanted, "/etc/sysctl.d"),
        };
        let ufw = ufw(system)?;
        let contradicting = assignments.iter().chain(&ufw).filter(|other| self.contradicts(other));
        let others: Vec<&Assignment> = contradicting.collect();
        for other in others.iter().filter(|other| decides.is_none_or(|(found, _)| found != **other)) {
            let value = other.value.as_deref().unwrap_or_default();
            finding.persistent(false, format!("{} = {value} as well", self.key), wanted, other.place());
        }
        self.mend_others(system, &others, finding)?;
        let own = system.read_text(DROP_IN)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
        let left = assignments.iter().filter(|other| !others.contains(other)).cloned().collect::<Vec<_>>();
        match decide(&left, &self.key) {
            Some((_, value)) if self.accepts(value) => {}
            Some((found, _)) if found.file.file_name() > Path::new(DROP_IN).file_name() => {
                let path = found.file.display();
                finding.manual(format!("{path} is read after all drop-ins of ours: rename it"));
            }
            _ => drop(finding.change(Change::write(DROP_IN, set(&own, &self.key, self.value.as_str())))),
        }
        Ok(())
    }

    /// Whether an assignment names this parameter, gives it another value and stands in a file that may be mended.
    fn contradicts(&self, other: &Assignment) -> bool {
        other.key == self.key
            && other.value.as_deref().is_some_and(|value| !self.accepts(value))
            && other.file != Path::new(DROP_IN)
            && ADMINISTRATOR.iter().any(|dir| other.file.starts_with(dir))
    }

    /// Takes contradicting lines out of force: commented out in drop-ins, set right where ufw reads them.
    fn mend_others(&self, system: &System, others: &[&Assignment], finding: &mut Finding) -> Result<()> {
        let mut files: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
        for other in others {
            files.entry(&other.file).or_default().push(other.line);
        }
        for (file, numbers) in files {
            let text = system.read_text(file)?.unwrap_or_default();
            let mend = |(index, line): (usize, &str)| match line.split_once('=') {
                Some((key, _)) if numbers.contains(&(index + 1)) && file == Path::new(UFW.1) => {
                    format!("{key}={}", self.value)
                }
                _ if numbers.contains(&(index + 1)) => format!("# {line}"),
                _ => line.to_owned(),
            };
            let lines: Vec<String> = text.split('\n').enumerate().map(mend).collect();
            finding.change(Change::write(file, lines.join("\n")));
        }
        Ok(())
    }
}

/// The assignment that decides about a parameter at boot, with its value.
fn decide<'a>(assignments: &'a [Assignment], key: &str) -> Option<(&'a Assignment, &'a str)> {
    let valued = |found: &'a Assignment| Some((found, found.value.as_deref()?));
    let named = assignments.iter().rev().filter(|found| found.key == key).find_map(valued);
    if named.is_some() || assignments.iter().any(|found| found.key == key) {
        return named;
    }
    assignments.iter().rev().filter(|found| matches(&found.key, key)).find_map(valued)
}

/// Whether a pattern with `*` fits a parameter; a `*` stands for any characters but a dot.
fn matches(pattern: &str, key: &str) -> bool {
    let (patterns, parts) = (pattern.split('.'), key.split('.'));
    pattern.contains('*')
        && patterns.clone().count() == parts.clone().count()
        && patterns.zip(parts).all(|(pattern, part)| match pattern.split_once('*') {
            Some((start, end)) => {
                part.len() >= start.len() + end.len() && part.starts_with(start) && part.ends_with(end)
            }
            None => pattern == part,
        })
}

/// Every assignment, in the order in which they are made at boot.
fn assignments(system: &System) -> Result<Vec<Assignment>> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for dir in DIRS {
        for path in system.drop_ins(dir, ".conf")? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.entry(name).or_insert(path);
        }
    }
    let mut found = Vec::new();
    for path in files.values() {
        found.extend(parse(path, &system.read_text(path)?.unwrap_or_default()));
    }
    let main = Path::new("/etc/sysctl.conf");
    let linked = files
        .values()
        .any(|path| system.read_link(path).ok().flatten().is_some_and(|to| to.ends_with("sysctl.conf")));
    if !linked && let Some(text) = system.read_text(main)? {
        // Only `sysctl --system` reads it then, and before our own drop-in nothing later does.
        let at = found.iter().position(|assignment: &Assignment| assignment.file == Path::new(DROP_IN));
        let rest = found.split_off(at.unwrap_or(found.len()));
        found.extend(parse(main, &text));
        found.extend(rest);
    }
    Ok(found)
}

/// What ufw sets when it starts, after everything else. That a value is right there is not enough: ufw can be switched off.
fn ufw(system: &System) -> Result<Vec<Assignment>> {
    if !system.exists(UFW.0)? {
        return Ok(Vec::new());
    }
    Ok(parse(Path::new(UFW.1), &system.read_text(UFW.1)?.unwrap_or_default()))
}

fn parse(file: &Path, text: &str) -> Vec<Assignment> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key, Some(value.trim().to_owned())),
            None if line.starts_with('-') => (line, None),
            None => continue,
        };
        // A leading dash before an assignment only says that failures are ignored.
        let key = key.trim().trim_start_matches('-').replace('/', ".");
        found.push(Assignment { key, value, file: file.to_owned(), line: index + 1 });
    }
    found
}

/// The text of our drop-in with one parameter set; others keep their lines.
fn set(text: &str, key: &str, value: &str) -> String {
    let ours = |line: &&str| line.split_once('=').is_none_or(|(found, _)| found.trim() != key);
    let mut lines: Vec<String> = text.lines().filter(ours).map(str::to_owned).collect();
    lines.push(format!("{key} = {value}"));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn forward() -> Sysctl {
        Sysctl { key: "net.ipv4.ip_forward".into(), value: "0".into(), also: vec![] }
    }

    #[test]
    fn the_last_name_wins_and_the_first_directory_hides() {
        let tree = Tree::new()
            .file("/usr/lib/sysctl.d/50-a.conf", "net.ipv4.ip_forward=0\n")
            .file("/etc/sysctl.d/50-a.conf", "# hides the vendor's\nnet/ipv4/ip_forward = 1\n");
        let finding = forward().examine(&tree.system()).unwrap();
        assert!(!finding.is_compliant());
        assert_eq!(finding.evidence[0].place, "/etc/sysctl.d/50-a.conf:2");
    }

    #[test]
    fn the_main_file_counts_before_our_drop_in() {
        let tree = Tree::new().file("/etc/sysctl.conf", "net.ipv4.ip_forward=0\n");
        assert!(forward().examine(&tree.system()).unwrap().is_compliant());
        let tree = tree.file(DROP_IN, "net.ipv4.ip_forward = 1\n");
        assert!(!forward().examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn other_parameters_of_the_drop_in_are_kept() {
        let tree = Tree::new().file(DROP_IN, "kernel.dmesg_restrict = 1\nnet.ipv4.ip_forward = 1\n");
        let changed = tree.applied(&forward());
        assert_eq!(changed.text(DROP_IN), "kernel.dmesg_restrict = 1\nnet.ipv4.ip_forward = 0\n");
    }

    #[test]
    fn a_name_beats_a_pattern_and_a_dash_takes_it_out() {
        let key = "net.ipv4.conf.all.rp_filter";
        for (text, expected) in [
            ("net.ipv4.conf.*.rp_filter = 2\n", Some("2")),
            ("net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n", None),
            ("net.ipv4.conf.all.rp_filter = 1\nnet.ipv4.conf.*.rp_filter = 2\n", Some("1")),
            ("-net.ipv4.conf.all.rp_filter = 1\n", Some("1")),
            ("net.ipv4.*.rp_filter = 2\n", None),
        ] {
            let assignments = parse(Path::new("x"), text);
            assert_eq!(decide(&assignments, key).map(|(_, value)| value), expected, "{text}");
        }
    }

    #[test]
    fn a_number_counts_as_the_kernel_reads_it() {
        for (text, expected) in
            [("0", true), ("0 # off", true), ("0# off", false), ("# 0", false), ("", false), ("00", false)]
        {
            assert_eq!(forward().accepts(text), expected, "{text}");
        }
        let ports = Sysctl { value: "32768 60999".into(), ..forward() };
        assert!(ports.accepts("32768\t60999") && !ports.accepts("32768"));
    }

    #[test]
    fn a_contradicting_line_is_commented_out_even_where_another_overrides_it() {
        let tree = Tree::new()
            .file("/etc/sysctl.d/10-x.conf", "vm.swappiness=1\nnet.ipv4.ip_forward=1\n")
            .file(DROP_IN, "net.ipv4.ip_forward = 0\n");
        tree.round_trip(&forward());
        let text = tree.applied(&forward()).text("/etc/sysctl.d/10-x.conf");
        assert_eq!(text, "vm.swappiness=1\n# net.ipv4.ip_forward=1\n");
    }

    #[test]
    fn the_vendors_other_value_is_only_overridden() {
        let vendor = "/usr/lib/sysctl.d/50-default.conf";
        let tree = Tree::new().file(vendor, "net.ipv4.ip_forward = 1\n");
        assert_eq!(tree.planned(&forward()).len(), 1);
        assert_eq!(tree.applied(&forward()).text(vendor), "net.ipv4.ip_forward = 1\n");
    }

    #[test]
    fn ufw_has_the_last_word_while_it_is_installed() {
        let tree = Tree::new()
            .file(DROP_IN, "net.ipv4.ip_forward = 0\n")
            .file(UFW.1, "# routers\nnet/ipv4/ip_forward=1\n");
        assert!(forward().examine(&tree.system()).unwrap().is_compliant());
        let tree = tree.file(UFW.0, "");
        tree.round_trip(&forward());
        assert_eq!(tree.applied(&forward()).text(UFW.1), "# routers\nnet/ipv4/ip_forward=0\n");
        let alone = Tree::new().file(UFW.0, "").file(UFW.1, "net/ipv4/ip_forward=0\n");
        assert!(!forward().examine(&alone.system()).unwrap().is_compliant(), "ufw can be switched off");
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_read(text: String, key: String) {
            let _ = decide(&parse(Path::new("x"), &text), &key);
        }
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let tree = || Tree::new().file("/etc/sysctl.d/10-x.conf", "net.ipv4.ip_forward=1\n");
        tree().round_trip(&forward());
        tree().running().file("/proc/sys/net/ipv4/ip_forward", "1").round_trip(&forward());
        let conf = |interface: &str| format!("/proc/sys/net/ipv4/conf/{interface}/rp_filter");
        let filter = Sysctl {
            key: "net.ipv4.conf.default.rp_filter".into(),
            value: "1".into(),
            also: vec!["2".into()],
        };
        let tree =
            tree().running().file(&conf("default"), "0").file(&conf("eth0.1"), "0").file(&conf("all"), "2");
        tree.round_trip(&filter);
    }
}
