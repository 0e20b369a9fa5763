//! The mask of new files that shells set in their start files.
//!
//! Every `umask` command of the files must keep at least the asked bits: which of them runs last depends on the shell and the
//! person. A mask that is computed, or symbolic with `+` or `-`, is not known to be good.

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::must::octal;
use super::{Setting, shell};
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

/// The mask that start files set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Umask {
    /// The files; `DIR/*.sh` for all of a directory.
    pub files: Vec<String>,
    /// The bits that must be kept away from new files, octal.
    pub mask: Text,
    /// Where it is set when no file does; without this, no mask is good enough.
    #[serde(default)]
    pub set_in: Option<String>,
}

impl Setting for Umask {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mask =
            octal(self.mask.as_str()).with_context(|| format!("'{}' is not an octal mask", self.mask))?;
        let wanted = format!("umask {} or stricter", self.mask);
        let mut finding = Finding::new();
        for path in shell::files(system, &self.files)? {
            let Some(text) = system.read_text(&path)? else { continue };
            let mut mended = text.clone();
            for command in shell::commands(&text).iter().rev() {
                let [name, rest @ ..] = command.words.as_slice() else { continue };
                let operand = rest.iter().find(|word| !word.text.starts_with('-'));
                let (true, Some(operand)) = (name.text == "umask", operand) else { continue };
                let good = value(&operand.text).is_some_and(|value| value & mask == mask);
                let place = format!("{}:{}", path.display(), command.line);
                finding.persistent(good, format!("umask {}", operand.text), &wanted, place);
                if !good {
                    mended.replace_range(operand.span.clone(), self.mask.as_str());
                }
            }
            if mended != text {
                finding.change(Change::write(path, mended));
            }
        }
        if finding.evidence.is_empty() {
            let holds = self.set_in.is_none();
            finding.persistent(holds, "not set", &wanted, self.files.join(", "));
            if let Some(path) = &self.set_in {
                let line = format!("umask {}", self.mask);
                finding.change(Change::write(path, shell::with_line(system, path, &line)?));
            }
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("every umask in {} is {} or stricter", self.files.join(", "), self.mask)
    }
}

/// The mask that an operand means; `None` when only the shell knows.
fn value(operand: &str) -> Option<u32> {
    if let Some(mask) = octal(operand) {
        return Some(mask);
    }
    let mut allowed = [None; 3];
    for clause in operand.split(',') {
        let (who, permissions) = clause.split_once('=')?;
        let mut bits = 0;
        for permission in permissions.chars() {
            bits |= match permission {
                'r' => 4,
                'w' => 2,
                'x' => 1,
                _ => return None,
            };
        }
        for who in if who.is_empty() { "a" } else { who }.chars() {
            match who {
                'u' => allowed[0] = Some(bits),
                'g' => allowed[1] = Some(bits),
                'o' => allowed[2] = Some(bits),
                'a' => allowed = [Some(bits); 3],
                _ => return None,
            }
        }
    }
    let [user, group, other] = allowed;
    Some(0o777 & !(user? << 6 | group? << 3 | other?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn profile() -> Umask {
        let files = shell::LOGIN_FILES.iter().map(|file| (*file).to_owned()).collect();
        Umask { files, mask: "027".into(), set_in: Some(shell::DROP_IN.to_owned()) }
    }

    #[test]
    fn operands_are_masks() {
        for (operand, mask) in [
            ("027", Some(0o027)),
            ("0077", Some(0o077)),
            ("u=rwx,g=rx,o=", Some(0o027)),
            ("a=rx", Some(0o222)),
            ("g-w", None),
            ("$MASK", None),
            ("u=rwx", None),
            ("9", None),
        ] {
            assert_eq!(value(operand), mask, "{operand}");
        }
    }

    #[test]
    fn loose_masks_are_tightened_where_they_stand() {
        let tree = Tree::new()
            .file("/etc/profile", "if [ x ]; then\n  umask 022 # loose\nfi\numask 077\n")
            .file("/etc/profile.d/a.sh", "umask 002\n")
            .file("/etc/profile.d/a.csh", "umask 000\n");
        tree.round_trip(&profile());
        tree.applied(&profile());
        assert_eq!(tree.text("/etc/profile"), "if [ x ]; then\n  umask 027 # loose\nfi\numask 077\n");
        assert_eq!(tree.text("/etc/profile.d/a.sh"), "umask 027\n");
        assert!(!tree.has(shell::DROP_IN));
    }

    #[test]
    fn a_missing_mask_is_set_or_not_needed() {
        let tree = Tree::new().file("/etc/profile", "# umask 022\nPATH=/bin\n");
        tree.round_trip(&profile());
        tree.applied(&profile());
        assert!(tree.text(shell::DROP_IN).ends_with("\numask 027\n"));
        let root = Umask { files: vec!["/root/.profile".into()], mask: "027".into(), set_in: None };
        assert!(root.examine(&tree.system()).unwrap().is_compliant());
    }
}
