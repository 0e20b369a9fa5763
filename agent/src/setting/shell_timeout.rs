//! The time after which an idle shell ends: `TMOUT`, which bash and ksh heed (`bash(1)`).
//!
//! It holds for login shells when every assignment in their start files is short enough and one of them makes the variable
//! read only, so that nobody lifts it. Other shells do not know the option that does so in one line; they are told to pass
//! over it.

use std::path::PathBuf;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use super::shell::{self, Command, Word};
use crate::change::Change;
use crate::content::Text;
use crate::finding::Finding;
use crate::system::System;

/// The time after which an idle shell ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShellTimeout {
    /// The most seconds.
    pub seconds: Text,
}

impl Setting for ShellTimeout {
    fn examine(&self, system: &System) -> Result<Finding> {
        let most = self.seconds.number()?;
        let wanted = format!("TMOUT between 1 and {most}, read only");
        let mut finding = Finding::new();
        let mut kept = false;
        for path in shell::files(system, &shell::LOGIN_FILES)? {
            let Some(text) = system.read_text(&path)? else { continue };
            kept |= self.examine_file(path, &text, most, &wanted, &mut finding);
        }
        if !kept {
            finding.persistent(false, "not read only", &wanted, "/etc/profile, /etc/profile.d/*.sh");
            let line = format!("typeset -xr TMOUT={} 2>/dev/null || :", self.seconds);
            finding.change(Change::write(shell::DROP_IN, shell::with_line(system, shell::DROP_IN, &line)?));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("login shells end after at most {} idle seconds, and nobody can change that", self.seconds)
    }
}

impl ShellTimeout {
    /// Judges one file; true when it makes the variable read only.
    fn examine_file(
        &self,
        path: PathBuf,
        text: &str,
        most: i64,
        wanted: &str,
        finding: &mut Finding,
    ) -> bool {
        let mut mended = text.to_owned();
        let mut kept = false;
        for command in shell::commands(text).iter().rev() {
            kept |= makes_read_only(command);
            for (word, value) in command.words.iter().filter_map(assigned) {
                let good = value.parse::<i64>().is_ok_and(|seconds| (1..=most).contains(&seconds));
                let place = format!("{}:{}", path.display(), command.line);
                finding.persistent(good, &word.text, wanted, place);
                if !good {
                    mended.replace_range(word.span.clone(), &format!("TMOUT={}", self.seconds));
                }
            }
        }
        if mended != text {
            finding.change(Change::write(path, mended));
        }
        kept
    }
}

fn assigned(word: &Word) -> Option<(&Word, &str)> {
    Some((word, word.text.strip_prefix("TMOUT=")?))
}

/// Whether a command makes `TMOUT` read only: `readonly TMOUT…`, `typeset -xr TMOUT=…`, `declare -r TMOUT`.
fn makes_read_only(command: &Command) -> bool {
    let [name, arguments @ ..] = command.words.as_slice() else { return false };
    let of_it = arguments.iter().any(|word| word.text == "TMOUT" || assigned(word).is_some());
    let option = arguments.iter().any(|word| word.text.starts_with('-') && word.text.contains('r'));
    of_it && (name.text == "readonly" || (matches!(name.text.as_str(), "typeset" | "declare") && option))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn timeout() -> ShellTimeout {
        ShellTimeout { seconds: "900".into() }
    }

    #[test]
    fn both_ways_of_writing_it_hold() {
        for text in [
            "typeset -xr TMOUT=900\n",
            "TMOUT=600\nreadonly TMOUT\nexport TMOUT\n",
            "readonly TMOUT=1; export TMOUT",
        ] {
            let tree = Tree::new().file("/etc/profile.d/t.sh", text);
            assert!(timeout().examine(&tree.system()).unwrap().is_compliant(), "{text}");
        }
        for text in [
            "TMOUT=900\n",
            "typeset -xr TMOUT=0\n",
            "typeset -xr TMOUT=$X\n",
            "# typeset -xr TMOUT=900\n",
            "typeset -x TMOUT=9",
        ] {
            let tree = Tree::new().file("/etc/profile", text);
            tree.round_trip(&timeout());
        }
    }

    #[test]
    fn it_shares_the_drop_in_and_mends_others_in_place() {
        let tree = Tree::new()
            .file("/etc/profile", "export TMOUT=3600 # an hour\n")
            .file(shell::DROP_IN, "umask 027\n");
        tree.applied(&timeout());
        assert_eq!(tree.text("/etc/profile"), "export TMOUT=900 # an hour\n");
        assert_eq!(tree.text(shell::DROP_IN), "umask 027\ntypeset -xr TMOUT=900 2>/dev/null || :\n");
    }
}
