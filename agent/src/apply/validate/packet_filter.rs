//! The files of iptables and ufw, checked by `iptables-restore --test`: rules that do not load leave a machine open.
//!
//! Only the running kernel can tell whether it takes rules, so there is nothing to ask below another root.

use std::path::Path;

use anyhow::Result;

use super::check;
use crate::system::{System, Tool};

/// Checks the new text of a file below `/etc/iptables` or `/etc/ufw`, where a kernel can be asked.
///
/// # Errors
/// When `iptables-restore` refuses it.
pub fn staged(system: &System, path: &Path, content: &str) -> Result<()> {
    if system.is_booted() { rules(system, path, content) } else { Ok(()) }
}

fn rules(system: &System, path: &Path, content: &str) -> Result<()> {
    match path.to_str() {
        // ufw loads its files beside what is there.
        Some("/etc/ufw/user.rules") => {
            check(system, Tool::IptablesRestore, &["--test", "--noflush"], Some(content))
        }
        Some("/etc/ufw/user6.rules") => {
            check(system, Tool::Ip6tablesRestore, &["--test", "--noflush"], Some(content))
        }
        Some("/etc/iptables/rules.v4") => check(system, Tool::IptablesRestore, &["--test"], Some(content)),
        Some("/etc/iptables/rules.v6") => check(system, Tool::Ip6tablesRestore, &["--test"], Some(content)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Scripted;
    use super::*;
    use crate::setting::testing::Tree;
    use crate::system::Output;

    #[test]
    fn rules_that_do_not_load_are_refused() {
        let restore = |args: &[&str], input: Option<&str>| {
            let good = args[0] == "--test" && input.is_some_and(|text| text.trim_end().ends_with("COMMIT"));
            Output { code: Some(i32::from(!good)), stderr: "line 2 failed".into(), ..Output::default() }
        };
        let tree = Tree::new();
        let system = Scripted::on(&tree, restore);
        for path in [
            "/etc/ufw/user.rules",
            "/etc/ufw/user6.rules",
            "/etc/iptables/rules.v4",
            "/etc/iptables/rules.v6",
        ] {
            rules(&system, Path::new(path), "*filter\nCOMMIT\n").unwrap();
            let error = rules(&system, Path::new(path), "*filter\n-A INPUT\n").unwrap_err().to_string();
            assert!(error.contains("line 2 failed"), "{path}: {error}");
        }
        rules(&system, Path::new("/etc/ufw/ufw.conf"), "ENABLED=yes\n").unwrap();
    }
}
