//! Machines that are none: small scripts in place of QEMU, ssh and what makes their disks. They live in a home directory, `$HOME`.
//!
//! | file there | what it is |
//! |---|---|
//! | `status`, `audit`, `plan` | what the machine's agent answers; `TIER` in it stands for the tier that the machine was made for |
//! | `locked`, `nosudo` | while it is there, nobody gets in, or has no sudo |
//! | `machines`, `pids` | the command line and the process of each machine that was switched on |
//! | `user-data` | what the last machine was told |
#![allow(dead_code, reason = "each of the tests that share it uses a part")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

/// Writes to its console and runs on. `$MACHINE` may have it do otherwise.
pub const QEMU: &str = r#"
for word; do case $word in
    trempe-verify-*) tier=${word#trempe-verify-}; tier=${tier%%-*};;
    *hostfwd=tcp:127.0.0.1:*) port=${word#*127.0.0.1:}; port=${port%%-*};;
    file,id=console,path=*) console=${word#file,id=console,path=};;
esac; done
echo "$*" >> "$HOME/machines"
echo "$tier" > "$HOME/tier-$port"
echo "[1.0] host agent[7]: trempe: phase 1, before logins: begun" > "$console"
eval "$MACHINE"
echo $$ >> "$HOME/pids"
exec sleep 300
"#;
pub const KEYGEN: &str =
    "while [ $# -gt 1 ]; do shift; done; echo secret > \"$1\"; echo 'ssh-ed25519 AAAA trempe' > \"$1.pub\"";
pub const XORRISO: &str =
    "while [ $# -gt 1 ]; do shift; done; cat \"$1\"/user-data > \"$HOME/user-data\" 2> /dev/null || true";
/// Answers as the machine would, from the files of the home directory.
pub const SSH: &str = r#"
for word; do [ "$before" != -p ] || port=$word; before=$word; done
[ -e "$HOME/locked" ] && { echo 'trempe-verify@127.0.0.1: Permission denied (publickey).' >&2; exit 255; }
say() { sed "s/TIER/$(cat "$HOME/tier-$port")/" "$HOME/$1"; }
case $word in
    *status*) say status;;
    *audit*) say audit; exit 2;;
    *plan*) say plan; exit 2;;
    *sudo*) [ ! -e "$HOME/nosudo" ] || { echo 'sudo: a password is required' >&2; exit 1; };;
esac
"#;

/// Puts a program into a directory.
pub fn program(directory: &Path, name: &str, script: &str) {
    let path = directory.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The first boot of machines ends well.
pub fn hardens(home: &Path) {
    let first_boot = json!({"phase": "after-provisioning", "state": "done", "problems": [], "notes": []});
    say(home, "status", &json!({ "first_boot": first_boot }));
}

/// What machines find, judged by a tier: two rules that are met, one that a person must mend, and these that fail.
pub fn audits(home: &Path, tier: &str, failing: &[&str]) {
    let rule = |id: &str, result: &str| json!({"id": id, "result": result, "evidence": [{"found": "1", "wanted": "2", "where": "/etc/x:1", "holds": result == "pass"}]});
    let failing: Vec<&str> = [&["partition_for_home"], failing].concat();
    let rules: Vec<Value> = [rule("a", "pass"), rule("b", "pass")]
        .into_iter()
        .chain(failing.iter().map(|id| rule(id, "fail")))
        .collect();
    let summary = json!({"pass": 2, "fail": failing.len(), "fixed": 0, "error": 0, "unknown": 0, "notapplicable": 0, "notchecked": 0, "notselected": 0});
    let audit = json!({"schema": 1, "policy": {"tier": tier}, "score": {"value": 66.7}, "summary": summary, "rules": rules});
    say(home, "audit", &audit);
    let manual = json!({"rule": "partition_for_home", "reason": "disks are laid out at installation"});
    say(home, "plan", &json!({"plan": {"manual": [manual]}}));
}

/// Writes a file of the home directory.
pub fn say(home: &Path, name: &str, value: &Value) {
    fs::write(home.join(name), value.to_string()).unwrap();
}
