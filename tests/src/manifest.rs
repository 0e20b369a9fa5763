//! All that a rollback must restore: files with owner, mode, attributes and content; units; kernel parameters.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::machine::Machine;

/// What a running system changes by itself, and what keeps a record of what was done: not compared.
pub const LEFT_OUT: [&str; 18] = [
    "/boot/initrd.img*",           // made anew whenever a package asks; never twice the same
    "/etc/audit/audit.rules.prev", // auditd's copy of what it had before the last boot
    "/etc/ld.so.cache",            // made anew by every library
    "/root/lab",                   // the laboratory's own
    "/tmp",
    "/usr/share/info/dir",
    "/usr/share/mime/*",
    "/var/backups",
    "/var/cache",
    "/var/lib/apt",
    "/var/lib/cloud", // cloud-init writes at every boot
    "/var/lib/dhcp",
    "/var/lib/dpkg",
    "/var/lib/systemd",
    "/var/lib/trempe", // the record of the runs
    "/var/lib/ucf",
    "/var/log",
    "/var/tmp",
];

/// Kernel parameters that count or measure, or change by themselves.
const SYSCTLS_LEFT_OUT: &str = "^(fs\\.(dentry|file-nr|inode|quota\\.|aio-nr|epoll)|kernel\\.(ns_last_pid|random\\.|pty\\.nr|\
    sched_domain|tainted)|net\\..*(nf_conntrack_count|neigh|stable_secret|mtu|flush)|net\\.netfilter|vm\\.(stat|user_reserve)|net\\.nf_conntrack)";

/// Modules that the kernel loads when a packet filter is first asked, and keeps.
const MODULES_LEFT_OUT: &str = "^(ip6?t|ip6?_tables|nf|nft|xt)_|^(ip6?_tables|nfnetlink|libcrc32c)$";

/// Logs of which mode and owner count, though what is in them does not.
const LOGS: &str = "-name btmp -o -name faillog -o -name lastlog -o -name wtmp";

/// Extended attributes, access control lists among them.
const ATTRIBUTES: &str = r#"
import os
for top in ("/etc", "/home", "/root"):
    for place, _, files in os.walk(top):
        for path in [place] + [os.path.join(place, name) for name in files]:
            for name in os.listxattr(path, follow_symlinks=False):
                value = os.getxattr(path, name, follow_symlinks=False)
                print("attribute %s %s\t%s" % (path, name, value.hex()))
"#;

/// The state of a machine: what is there, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest(BTreeMap<String, String>);

impl Manifest {
    /// Looks at everything. Content below `/usr` counts by its size alone, all other by its digest.
    pub fn of(machine: &dyn Machine) -> Result<Self> {
        let left_out = LEFT_OUT.map(|path| format!("-path '{path}'")).join(" -o ");
        let script = format!(
            "set -o pipefail
            walk() {{ find / -xdev \\( {left_out} \\) -prune -o \"$@\"; }}
            walk -type d -printf 'file %p\\t%y %m %U:%G\\n'
            walk -type f -printf 'file %p\\t%y %m %U:%G %s\\n'
            walk ! -type d ! -type f -printf 'file %p\\t%y %m %U:%G %l\\n'
            walk -path /usr -prune -o -type f -print0 | xargs -0 md5sum | sed 's/^\\([^ ]*\\)  \\(.*\\)/content \\2\\t\\1/'
            find /var/log -maxdepth 1 -type f \\( {LOGS} \\) -printf 'log %p\\t%m %U:%G\\n'
            if command -v python3 > /dev/null; then python3 -c '{ATTRIBUTES}'; fi
            systemctl list-unit-files --no-legend --plain | awk '$2 != \"transient\" {{ print \"unit \" $1 \"\\t\" $2 }}'
            systemctl list-units --all --no-legend --plain --type=service,socket,timer,path |
                awk '$3 != \"inactive\" {{ print \"state \" $1 \"\\t\" $3 }}'
            sysctl -a 2>/dev/null | grep -Ev '{SYSCTLS_LEFT_OUT}' | sed 's/^/sysctl /; s/ = /\\t/'
            dpkg-query -W -f 'package ${{Package}}\\t${{Version}} ${{Status}}\\n'
            lsmod | awk 'NR > 1 && $1 !~ /{MODULES_LEFT_OUT}/ {{ print \"module \" $1 \"\\t\" \"loaded\" }}'"
        );
        let lines = machine.shell(&script).context("taking stock of the machine")?;
        let named = lines.lines().filter_map(|line| line.split_once('\t'));
        Ok(Self(named.map(|(name, what)| (name.to_owned(), what.to_owned())).collect()))
    }

    /// What differs in the other: `name: here -> there`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<&String> = self.0.keys().chain(other.0.keys()).collect();
        names.sort();
        names.dedup();
        let says =
            |manifest: &Self, name| manifest.0.get(name).cloned().unwrap_or_else(|| "absent".to_owned());
        names
            .into_iter()
            .map(|name| (name, says(self, name), says(other, name)))
            .filter(|(_, here, there)| here != there)
            .map(|(name, here, there)| format!("{name}: {here} -> {there}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_what_changed_came_and_went() {
        let manifest = |pairs: &[(&str, &str)]| {
            Manifest(pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect())
        };
        let before = manifest(&[("file /a", "f 644"), ("file /b", "f 644"), ("unit x", "enabled")]);
        let after = manifest(&[("file /a", "f 600"), ("file /c", "f 644"), ("unit x", "enabled")]);
        assert_eq!(
            before.differences(&after),
            ["file /a: f 644 -> f 600", "file /b: f 644 -> absent", "file /c: absent -> f 644"]
        );
    }
}
