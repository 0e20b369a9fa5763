//! The system-wide choice of ciphers: `crypto-policies(7)`.
//!
//! `/etc/crypto-policies/config` names a policy and the modules laid over it; `update-crypto-policies` makes the configuration of every
//! library from them. Modules of the machine's own are in `policies/modules`. A machine that has chosen another policy (`FIPS`,
//! `FUTURE`) keeps it, with the modules added.

use std::collections::BTreeMap;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::content::Text;
use crate::finding::Finding;
use crate::system::{System, Tool};

const DIR: &str = "/etc/crypto-policies";
const CONFIG: &str = "/etc/crypto-policies/config";
/// Present where rpm takes its choice from here too.
const RPM: &str = "/etc/crypto-policies/back-ends/rpm-sequoia.config";
/// Weaker than any rule would have it.
const WEAK: &str = "LEGACY";

/// A policy with modules over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CryptoPolicy {
    /// The policy, with modules of the vendor behind colons, where none better is chosen.
    pub policy: Text,
    /// Modules of our own: their names and their lines.
    pub modules: BTreeMap<String, Text>,
    /// Further modules where rpm takes its choice from here too.
    #[serde(default)]
    pub for_rpm: BTreeMap<String, Text>,
}

impl Setting for CryptoPolicy {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let mut modules: Vec<(&String, &Text)> = self.modules.iter().collect();
        if system.exists(RPM)? {
            modules.extend(&self.for_rpm);
        }
        for (name, line) in &modules {
            let path = format!("{DIR}/policies/modules/{name}.pmod");
            let text = system.read_text(&path)?;
            let has =
                text.as_ref().is_some_and(|text| text.lines().any(|own| own.trim_end() == line.as_str()));
            let found = if has { line.as_str() } else { "no such line" };
            finding.persistent(has, found, line.as_str(), &path);
            if !has {
                let text = text.unwrap_or_else(|| OWNED_HEADER.to_owned());
                let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                finding.change(Change::write(path, format!("{text}{end}{line}\n")));
            }
        }
        let chosen = chosen(&system.read_text(CONFIG)?.unwrap_or_default());
        let wanted = self.wanted(&chosen, &modules);
        finding.persistent(chosen == wanted, &chosen, &wanted, CONFIG);
        if finding.is_compliant() {
            return Ok(finding);
        }
        if system.is_running() && system.has_tool(Tool::UpdateCryptoPolicies) {
            let outputs = outputs(system)?;
            let args = vec!["--set".to_owned(), wanted];
            finding.change(Change::Generate { tool: Tool::UpdateCryptoPolicies, args, outputs });
        } else if chosen != wanted {
            // The libraries get it when the program next runs, which every update of the package has it do.
            finding.change(Change::write(CONFIG, format!("{wanted}\n")));
        }
        finding.effect(Effect::Reboot);
        Ok(finding)
    }

    fn describe(&self) -> String {
        let names: Vec<&str> = self.modules.keys().map(String::as_str).collect();
        format!(
            "the system-wide crypto policy is {} or a stronger one, with {}",
            self.policy,
            names.join(", ")
        )
    }
}

impl CryptoPolicy {
    /// What is to be chosen: what is, and what it lacks.
    fn wanted(&self, chosen: &str, modules: &[(&String, &Text)]) -> String {
        let mut ours = self.policy.as_str().split(':');
        let base = ours.next().unwrap_or_default();
        let mut parts: Vec<&str> = chosen.split(':').filter(|part| !part.is_empty()).collect();
        match parts.first_mut() {
            Some(first) if *first == WEAK => *first = base,
            Some(_) => {}
            None => parts.push(base),
        }
        let needed: Vec<&str> = ours.chain(modules.iter().map(|(name, _)| name.as_str())).collect();
        let missing: Vec<&str> = needed.into_iter().filter(|name| !parts.contains(name)).collect();
        parts.extend(missing);
        parts.join(":")
    }
}

/// The line that counts.
fn chosen(text: &str) -> String {
    let mut lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// What the program writes.
fn outputs(system: &System) -> Result<Vec<std::path::PathBuf>> {
    let mut outputs: Vec<std::path::PathBuf> = vec![CONFIG.into()];
    for dir in ["state", "back-ends"] {
        let dir = format!("{DIR}/{dir}");
        outputs.extend(system.list(&dir)?.into_iter().map(|name| format!("{dir}/{name}").into()));
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn policy() -> CryptoPolicy {
        serde_json::from_str(
            r#"{"policy": "DEFAULT:NO-SHA1", "modules": {"NO-WEAKMAC": "mac = -*-128*"},
                "for_rpm": {"NO-RPMSHA1": "hash@rpm = -SHA1"}}"#,
        )
        .unwrap()
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let tree = Tree::new().file(CONFIG, "# system-wide\nDEFAULT\n");
        tree.round_trip(&policy());
        tree.applied(&policy());
        assert_eq!(tree.text(CONFIG), "DEFAULT:NO-SHA1:NO-WEAKMAC\n");
        assert!(tree.text(&format!("{DIR}/policies/modules/NO-WEAKMAC.pmod")).ends_with("\nmac = -*-128*\n"));
    }

    #[test]
    fn a_stronger_choice_stays_and_a_weak_one_goes() {
        let modules = policy();
        let modules: Vec<(&String, &Text)> = modules.modules.iter().collect();
        for (chosen, wanted) in [
            ("FIPS:OSPP", "FIPS:OSPP:NO-SHA1:NO-WEAKMAC"),
            ("LEGACY", "DEFAULT:NO-SHA1:NO-WEAKMAC"),
            ("", "DEFAULT:NO-SHA1:NO-WEAKMAC"),
            ("FUTURE:NO-WEAKMAC:NO-SHA1", "FUTURE:NO-WEAKMAC:NO-SHA1"),
        ] {
            assert_eq!(policy().wanted(chosen, &modules), wanted);
        }
    }

    #[test]
    fn what_rpm_asks_for_counts_where_it_asks() {
        let tree = Tree::new().file(CONFIG, "DEFAULT\n").file(RPM, "");
        tree.round_trip(&policy());
        assert!(tree.applied(&policy()).text(CONFIG).contains(":NO-RPMSHA1"));
    }
}
