//! The modes of AppArmor profiles: in the kernel now, and in the files they are loaded from.
//!
//! A profile's flags decide (`apparmor.d(5)`): `complain` only logs, `kill` ends the program, `unconfined` confines nothing. A
//! profile that only complains, or kills, is made to enforce. One that is written to confine nothing has no rules to
//! enforce: enforcing it would stop its program, so it is not loaded any more, which confines as much as before.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::{Change, Effect};
use crate::finding::Finding;
use crate::system::{FileKind, System};

/// Where profiles are loaded from.
pub const DIR: &str = "/etc/apparmor.d";
/// A name in it keeps the profile file of that name from being loaded.
pub const DISABLE: &str = "/etc/apparmor.d/disable";
/// A name in it makes the profile file of that name complain whatever its flags say.
const FORCE_COMPLAIN: &str = "/etc/apparmor.d/force-complain";
/// The profiles in the kernel, `NAME (MODE)`.
const LOADED: &str = "/sys/kernel/security/apparmor/profiles";

/// Every profile is in a mode that confines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApparmorProfiles {
    /// Whether profiles that only log are good enough.
    pub complain: bool,
}

impl Setting for ApparmorProfiles {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        for file in system.list(DIR)? {
            self.examine_file(system, &file, &mut finding)?;
        }
        if finding.evidence.is_empty() {
            finding.persistent(true, "no other mode", self.wanted(), DIR);
        }
        let files_hold = finding.is_compliant();
        if system.is_running() {
            self.examine_kernel(system, &mut finding)?;
        }
        if !files_hold {
            finding.effect(Effect::reload("apparmor.service"));
        } else if !finding.is_compliant() {
            finding.manual(
                "the files are right and the kernel has other profiles: they are gone after a reboot",
            );
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("every AppArmor profile is in {}, in the kernel and in {DIR}", self.wanted())
    }
}

impl ApparmorProfiles {
    fn wanted(&self) -> &'static str {
        if self.complain { "enforce or complain mode" } else { "enforce mode" }
    }

    fn accepts(&self, mode: &str) -> bool {
        match mode {
            "kill" | "unconfined" => false,
            "complain" => self.complain,
            _ => true,
        }
    }

    /// Judges one profile file, and plans what makes it right.
    fn examine_file(&self, system: &System, file: &str, finding: &mut Finding) -> Result<()> {
        let path = format!("{DIR}/{file}");
        let regular = system.meta_followed(&path)?.is_some_and(|meta| meta.kind == FileKind::Regular);
        let left_out = file.contains(".dpkg-") || file.ends_with('~') || file == "README";
        if !regular || left_out || system.exists(format!("{DISABLE}/{file}"))? {
            return Ok(());
        }
        let forced = format!("{FORCE_COMPLAIN}/{file}");
        if !self.complain && system.exists(&forced)? {
            finding.persistent(false, "complain mode", self.wanted(), &forced);
            finding.change(Change::RemoveFile { path: forced.into() });
        }
        let text = system.read_text(&path)?.unwrap_or_default();
        let (mut bad, mut unconfined) = (false, false);
        for (index, line) in text.lines().enumerate() {
            for mode in flags(line).filter(|flag| !self.accepts(flag)) {
                finding.persistent(
                    false,
                    format!("{mode} mode"),
                    self.wanted(),
                    format!("{path}:{}", index + 1),
                );
                bad = true;
                unconfined |= mode == "unconfined";
            }
        }
        if unconfined {
            finding.change(Change::write(format!("{DISABLE}/{file}"), OWNED_HEADER));
            finding.effect(Effect::UnloadProfiles);
        } else if bad {
            let kept = text.split_inclusive('\n').map(|line| self.without_modes(line));
            finding.change(Change::write(path, kept.collect::<String>()));
        }
        Ok(())
    }

    fn examine_kernel(&self, system: &System, finding: &mut Finding) -> Result<()> {
        let Some(text) = system.read_text(LOADED)? else {
            // No profile is in a wrong mode then; but none logs or enforces either, which is what the weaker rule counts.
            if self.complain {
                finding.running(false, "the kernel has no profiles", self.wanted(), LOADED);
            }
            return Ok(());
        };
        let loaded = text.lines().filter_map(|line| line.strip_suffix(')')?.rsplit_once(" ("));
        let mut wrong = 0;
        for (name, mode) in loaded.filter(|(_, mode)| !self.accepts(mode)) {
            finding.running(false, format!("{name} in {mode} mode"), self.wanted(), LOADED);
            wrong += 1;
        }
        if wrong == 0 {
            finding.running(true, "no other mode", self.wanted(), LOADED);
        }
        Ok(())
    }

    /// A line without the flags that are not accepted; without any flags left, without the list.
    fn without_modes(&self, line: &str) -> String {
        let Some((start, inner, end)) = flag_list(line) else { return line.to_owned() };
        let kept: Vec<&str> = separate(inner).filter(|flag| self.accepts(flag)).collect();
        let (before, after) = (line.get(..start).unwrap_or_default(), line.get(end..).unwrap_or_default());
        if kept.is_empty() {
            format!("{}{after}", before.trim_end())
        } else {
            format!("{before}flags=({}){after}", kept.join(","))
        }
    }
}

/// The flags in the head of a profile: `profile NAME flags=(complain) {`.
fn flags(line: &str) -> impl Iterator<Item = &str> {
    separate(flag_list(line).map_or("", |(_, inner, _)| inner))
}

/// Flags are separated by commas or blanks.
fn separate(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ',' || c.is_whitespace()).filter(|flag| !flag.is_empty())
}

/// Where the list of flags begins, what is in it, and where it ends.
fn flag_list(line: &str) -> Option<(usize, &str, usize)> {
    let code = line.split('#').next().unwrap_or_default();
    if !code.trim_end().ends_with('{') {
        return None;
    }
    let start = code.find("flags=(").or_else(|| code.find("flags = ("))?;
    let open = start + code.get(start..)?.find('(')?;
    let close = open + code.get(open..)?.find(')')?;
    Some((start, code.get(open + 1..close)?, close + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::setting::testing::Tree;

    const ENFORCE: ApparmorProfiles = ApparmorProfiles { complain: false };

    fn machine(head: &str) -> Tree {
        Tree::new()
            .file("/etc/apparmor.d/x", &format!("# flags=(complain) {{\n{head} {{\n  /x r,\n}}\n"))
            .dir(DISABLE, 0o755)
    }

    #[test]
    fn heads_are_judged_and_mended() {
        for (head, mended) in [
            ("profile x /x flags=(complain)", Some("profile x /x")),
            (
                "/x flags=(complain,attach_disconnected mediate_deleted)",
                Some("/x flags=(attach_disconnected,mediate_deleted)"),
            ),
            ("/x flags=(attach_disconnected, kill, kill)", Some("/x flags=(attach_disconnected)")),
            ("/x flags=(attach_disconnected)", None),
            ("/x", None),
        ] {
            let tree = machine(head);
            assert_eq!(ENFORCE.examine(&tree.system()).unwrap().is_compliant(), mended.is_none(), "{head}");
            if let Some(mended) = mended {
                let text = tree.applied(&ENFORCE).text("/etc/apparmor.d/x");
                assert_eq!(text, format!("# flags=(complain) {{\n{mended} {{\n  /x r,\n}}\n"));
            }
        }
    }

    #[test]
    fn what_confines_nothing_is_not_loaded_any_more() {
        let tree = machine("profile x /x flags=(unconfined)");
        assert!(tree.applied(&ENFORCE).has("/etc/apparmor.d/disable/x"));
        assert!(ENFORCE.examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn complaining_may_be_good_enough() {
        let tree = machine("/x flags=(complain)");
        assert!(ApparmorProfiles { complain: true }.examine(&tree.system()).unwrap().is_compliant());
        let tree = machine("/x flags=(kill)");
        assert!(!ApparmorProfiles { complain: true }.examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn what_is_not_loaded_does_not_count() {
        let tree = machine("/x flags=(complain)").link("/etc/apparmor.d/disable/x", "/etc/apparmor.d/x");
        assert!(ENFORCE.examine(&tree.system()).unwrap().is_compliant());
    }

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        machine("profile x flags=(complain)").round_trip(&ENFORCE);
        machine("profile x flags=(unconfined)").round_trip(&ENFORCE);
        machine("profile x").link("/etc/apparmor.d/force-complain/x", "../x").round_trip(&ENFORCE);
    }

    proptest! {
        #[test]
        fn no_line_makes_the_reader_panic(line in "(flags=|[ (){},#é]|complain){0,30}") {
            drop(ENFORCE.without_modes(&line));
        }
    }
}
