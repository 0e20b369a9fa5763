//! A password for changing what GRUB boots.
//!
//! It is a secret of people: a machine that sets one by itself has either told somebody or shut everybody out.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MENUS;
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::System;

/// Where Red Hat's tools keep the password, read by the menu.
const USER_FILES: [&str; 2] = ["/boot/grub/user.cfg", "/boot/grub2/user.cfg"];
/// How a hashed password begins.
const HASH: &str = "grub.pbkdf2.sha512";

/// GRUB asks for a name and a password before it lets anybody edit an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BootPassword {}

impl Setting for BootPassword {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut menu = String::new();
        for path in MENUS {
            menu.push_str(&system.read_text(path)?.unwrap_or_default());
        }
        let mut user = String::new();
        for path in USER_FILES {
            user.push_str(&system.read_text(path)?.unwrap_or_default());
        }
        let mut finding = Finding::new();
        let superuser = menu.lines().find_map(superuser);
        let named = superuser.is_some();
        let found = superuser.map_or("nobody".to_owned(), |name| format!("superuser {name}"));
        finding.persistent(named, found, "a superuser", MENUS[0]);
        let hashed = menu.lines().any(sets_password) || user.lines().any(sets_user_password);
        let found = if hashed { "a hashed password" } else { "no password" };
        finding.persistent(hashed, found, "a hashed password", MENUS[0]);
        if !finding.is_compliant() {
            finding.manual(
                "the password is a secret of people: make one with grub-mkpasswd-pbkdf2, name it and a superuser in \
                 /etc/grub.d/40_custom, then run update-grub",
            );
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        "GRUB's menu names a superuser and has a hashed password".to_owned()
    }
}

/// The name in `set superusers="name"`.
fn superuser(line: &str) -> Option<&str> {
    let value = line.trim().strip_prefix("set")?.trim_start().strip_prefix("superusers=")?;
    let name = value.trim().trim_matches('"');
    (!name.is_empty()).then_some(name)
}

/// `password_pbkdf2 NAME HASH`.
fn sets_password(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    matches!(words.as_slice(), ["password_pbkdf2", _, hash, ..] if hash.starts_with(HASH))
}

fn sets_user_password(line: &str) -> bool {
    line.trim().strip_prefix("GRUB2_PASSWORD=").is_some_and(|hash| hash.starts_with(HASH))
}
