//! What cloud-init was asked for that the policy refuses: told, with who asked, so that nobody has to search.
//!
//! To add a wish, add a line to [`WISHES`].

use serde::Deserialize;

use crate::config::source::cloud_init::instance_directory;
use crate::inspect::Verdict;
use crate::policy::{Policy, PolicyRule};
use crate::report::Report;
use crate::system::System;

/// Who can ask: cloud-init's merged cloud-config of each, in the directory of the instance (`cloudinit.helpers`, `Paths.lookups`).
const ASKERS: [(&str, &str); 3] = [
    ("user-data", "cloud-config.txt"),
    ("vendor-data", "vendor-cloud-config.txt"),
    ("vendor-data2", "vendor2-cloud-config.txt"),
];

/// The keys of cloud-config that a policy can stand against.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    /// Passwords over ssh: a truth value, or `unchanged`.
    #[serde(default)]
    ssh_pwauth: Option<Word>,
    /// Whether root's keys are disabled.
    #[serde(default)]
    disable_root: Option<Word>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Word {
    Truth(bool),
    Text(String),
}

impl Word {
    /// Whether it is true as cloud-init sees it (`cloudinit.util.is_true`).
    fn is(&self, truth: bool) -> bool {
        let (yes, no) = (["true", "1", "on", "yes"], ["false", "0", "off", "no"]);
        match self {
            Word::Truth(value) => *value == truth,
            Word::Text(text) => {
                let text = text.to_lowercase();
                if truth { yes.contains(&text.as_str()) } else { no.contains(&text.as_str()) }
            }
        }
    }
}

/// A wish: how it is written, how it is recognised, and the rule that refuses it.
type Wish = (&'static str, fn(&Asked) -> bool, &'static str);

const WISHES: [Wish; 2] = [
    (
        "ssh_pwauth: true",
        |asked| asked.ssh_pwauth.as_ref().is_some_and(|word| word.is(true)),
        "sshd_disable_password_authentication",
    ),
    (
        "disable_root: false",
        |asked| asked.disable_root.as_ref().is_some_and(|word| word.is(false)),
        "sshd_disable_root_login",
    ),
];

/// The wishes that the policy refuses, in sentences. Those whose rule could not be had, as the report of the run tells, are not refused.
pub fn refused(system: &System, policy: &Policy, report: &Report) -> Vec<String> {
    let given_up = |id: &str| report.rules.iter().any(|row| row.id == id && row.result == Verdict::Error);
    let mut refused = Vec::new();
    // What cannot be read or is no YAML was cloud-init's to complain of.
    let Ok(Some(directory)) = instance_directory(system) else { return refused };
    for (asker, file) in ASKERS {
        let Ok(Some(text)) = system.read_text(directory.join(file)) else { continue };
        let asked: Asked = serde_saphyr::from_str(&text).unwrap_or_default();
        for (wish, wanted, id) in WISHES {
            let counts = |rule: &&PolicyRule| rule.id == id && rule.not_selected.is_none() && !given_up(id);
            let rule = policy.rules.iter().find(counts);
            if wanted(&asked)
                && let Some(rule) = rule
            {
                refused.push(format!(
                    "{asker} asks for '{wish}', and the policy refuses it ({}: {}); except that rule to allow it",
                    rule.id, rule.title
                ));
            }
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{policy, zero};
    use crate::report::testing::{report, row};
    use crate::setting::testing::Tree;

    #[test]
    fn a_wish_against_the_policy_is_told_with_who_has_it() {
        let mut rule = zero("sshd_disable_password_authentication");
        rule.title = "Only keys".into();
        let with =
            |verdict| report("web", "2026", vec![row("sshd_disable_password_authentication", verdict)]);
        let (met, given_up) = (with(Verdict::Fixed), with(Verdict::Error));
        let strict = policy(vec![rule.clone()]);
        rule.not_selected = Some("excepted".into());
        let excepted = policy(vec![rule]);
        for (text, told) in [
            ("#cloud-config\nssh_pwauth: true\nusers: [default]\n", true),
            ("ssh_pwauth: \"yes\"\n", true),
            ("ssh_pwauth: unchanged\n", false),
            ("ssh_pwauth: false\n", false),
            ("ssh_pwauth: [\n", false),
            ("hostname: x\n", false),
        ] {
            let tree = Tree::new()
                .file("/var/lib/cloud/data/instance-id", "i-1\n")
                .file("/run/cloud-init/.instance-id", "i-1\n")
                .file("/var/lib/cloud/instances/i-1/cloud-config.txt", text);
            let said = refused(&tree.system(), &strict, &met);
            assert_eq!(!said.is_empty(), told, "{text}: {said:?}");
            assert!(
                refused(&tree.system(), &strict, &given_up).is_empty(),
                "a rule that was taken back refuses nothing"
            );
            assert!(said.iter().all(|line| line.starts_with("user-data asks for 'ssh_pwauth: true'")));
            assert!(refused(&tree.system(), &excepted, &met).is_empty(), "{text}");
            let other = tree.file("/run/cloud-init/.instance-id", "i-2\n");
            assert!(
                refused(&other.system(), &strict, &met).is_empty(),
                "left in the image by another machine"
            );
        }
    }
}
