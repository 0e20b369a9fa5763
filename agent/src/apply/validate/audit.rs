//! Audit rules: the kernel gets them line by line, and loading stops at the first that is refused.
//!
//! `auditctl` has no dry run, so the lines are checked against its syntax (`auditctl(8)`) here. Lines that are in the present
//! file were somebody else's decision and are not judged.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::system::System;
use crate::system::audit::rule::{self, AuditLine};

/// The options that stand on a line of their own.
const OPTIONS: [&str; 15] = [
    "-D",
    "-b",
    "-c",
    "-d",
    "-e",
    "-f",
    "-i",
    "-q",
    "-r",
    "-t",
    "-W",
    "--backlog_wait_time",
    "--loginuid-immutable",
    "--reset-lost",
    "--signal",
];

/// What conditions can be about.
const FIELDS: [&str; 41] = [
    "a0",
    "a1",
    "a2",
    "a3",
    "arch",
    "auid",
    "devmajor",
    "devminor",
    "dir",
    "egid",
    "euid",
    "exe",
    "exit",
    "filetype",
    "fsgid",
    "fstype",
    "fsuid",
    "gid",
    "inode",
    "key",
    "loginuid",
    "msgtype",
    "obj_gid",
    "obj_lev_high",
    "obj_lev_low",
    "obj_role",
    "obj_type",
    "obj_uid",
    "obj_user",
    "path",
    "perm",
    "pers",
    "pid",
    "ppid",
    "saddr_fam",
    "sessionid",
    "sgid",
    "subj_type",
    "success",
    "suid",
    "uid",
];

/// Checks the new text of a file that rules are loaded from.
///
/// # Errors
/// When a line that is not in the present file would be refused; names the line.
pub fn check(system: &System, path: &Path, content: &str) -> Result<()> {
    if path.extension().is_none_or(|extension| extension != "rules") {
        return Ok(());
    }
    let present = system.read_text(path)?.unwrap_or_default();
    let present: Vec<&str> = present.lines().map(str::trim).collect();
    for (index, line) in content.lines().enumerate() {
        if !present.contains(&line.trim()) {
            understood(line).with_context(|| format!("{}:{}", path.display(), index + 1))?;
        }
    }
    Ok(())
}

fn understood(line: &str) -> Result<()> {
    match rule::parse(line)? {
        Some(AuditLine::Option(option, _)) if !OPTIONS.contains(&option.as_str()) => {
            bail!("'{option}' is no option of auditctl")
        }
        Some(AuditLine::Rule(rule)) => rule.fields.iter().try_for_each(|field| condition(field)),
        _ => Ok(()),
    }
}

/// Whether a condition in normal form, `auid>=1000` or `euid!=uid (compared)`, is about something there is.
fn condition(text: &str) -> Result<()> {
    let (said, compared) = match text.strip_suffix(" (compared)") {
        Some(said) => (said, true),
        None => (text, false),
    };
    let words = said.split(['!', '<', '>', '&', '=']).filter(|word| !word.is_empty());
    match words.take(if compared { 2 } else { 1 }).find(|word| !FIELDS.contains(word)) {
        Some(wrong) => bail!("'{wrong}' is no field of an audit rule"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    const RULES: &str = "/etc/audit/rules.d/60-x.rules";

    #[test]
    fn new_lines_must_be_understood_and_old_ones_need_not() {
        let tree = Tree::new().file(RULES, "-a sometimes,exit\n  --odd thing\n-w /a\n");
        let check = |path: &str, text: &str| check(&tree.system(), Path::new(path), text);
        check(RULES, "-w /b -p wa -k x\n--odd thing\n-a sometimes,exit\n# note\n\n-e 2\n-D\n").unwrap();
        check(RULES, "-a always,exit -F arch=b64 -S execve -C euid!=uid -F auid!=unset -F a0&=0x2 -k x\n")
            .unwrap();
        for (line, said) in [
            ("-a never", "is not a list and an action"),
            ("-z 3", "'-z' is no option of auditctl"),
            ("-a always,exit -S chmod -F aiud>=1000", "'aiud' is no field"),
            ("-a always,exit -S chmod -C euid!=everybody", "'everybody' is no field"),
            ("-w /etc -p wz", "'z' is no access"),
        ] {
            let error = format!("{:#}", check(RULES, &format!("-w /a\n{line}\n")).unwrap_err());
            assert!(error.contains(said) && error.starts_with(&format!("{RULES}:2")), "{line}: {error}");
            assert!(check("/etc/audit/audit.rules", line).is_err(), "{line}");
            check("/etc/audit/auditd.conf", line).unwrap();
        }
    }

    #[test]
    fn every_rule_of_the_catalogue_is_understood() {
        let mut count = 0;
        let catalogue = crate::content::Catalogue::embedded().unwrap();
        for rule in catalogue.rules() {
            let json = serde_json::to_string(&rule.ensure).unwrap();
            for line in json.split('"').filter(|text| text.starts_with("-a ") || text.starts_with("-w ")) {
                count += 1;
                understood(line).unwrap_or_else(|error| panic!("{}: {line}: {error:#}", rule.id));
            }
        }
        assert!(count > 50, "{count}");
    }
}
