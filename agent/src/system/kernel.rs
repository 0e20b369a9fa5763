//! What the running kernel says of itself: `/proc/sys` and `/proc/modules`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::System;

impl System {
    /// The file below `/proc/sys` of a kernel parameter, which may be written with dots or slashes (`sysctl(8)`).
    pub fn sysctl_path(key: &str) -> PathBuf {
        let slashes = key.contains('/') && key.find('/') < key.find('.').or(Some(usize::MAX));
        let below = if slashes {
            key.to_owned()
        } else {
            key.chars()
                .map(|c| {
                    if c == '.' {
                        '/'
                    } else if c == '/' {
                        '.'
                    } else {
                        c
                    }
                })
                .collect()
        };
        PathBuf::from("/proc/sys").join(below)
    }

    /// The running value of a kernel parameter; `None` when this kernel has no such parameter, or when the
    /// files are not those of the running machine.
    ///
    /// # Errors
    /// When the parameter is there and cannot be read.
    pub fn sysctl(&self, key: &str) -> Result<Option<String>> {
        if let Some(value) = self.overlay.sysctl(key) {
            return Ok(Some(value.to_owned()));
        }
        if !self.is_running() {
            return Ok(None);
        }
        let bytes = self.root.read(&System::sysctl_path(key), 1 << 16);
        let bytes = bytes.with_context(|| format!("reading the kernel parameter {key}"))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    /// Whether a kernel module is loaded; `None` when the files are not those of the running machine.
    ///
    /// # Errors
    /// When `/proc/modules` cannot be read.
    pub fn module_loaded(&self, name: &str) -> Result<Option<bool>> {
        Ok(self.module_users(name)?.map(|users| users.is_some()))
    }

    /// How many users a kernel module has, and `Some(None)` when it is not loaded; `None` when the files are not
    /// those of the running machine.
    ///
    /// # Errors
    /// When `/proc/modules` cannot be read.
    pub fn module_users(&self, name: &str) -> Result<Option<Option<u32>>> {
        if !self.is_running() {
            return Ok(None);
        }
        if self.overlay.module_unloaded(name) {
            return Ok(Some(None));
        }
        let text = self.read_text("/proc/modules")?.unwrap_or_default();
        Ok(Some(users(&text, name)))
    }

    /// The release of the running kernel, as `uname -r` tells.
    pub fn kernel_release(&self) -> String {
        nix::sys::utsname::uname().map(|u| u.release().to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The number of users of a module in the text of `/proc/modules`; a module that cannot be unloaded (`-`) has one.
fn users(text: &str, name: &str) -> Option<u32> {
    let wanted = name.replace('-', "_");
    let mut rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.first() == Some(&wanted.as_str()))?;
    Some(row.get(2).and_then(|count| count.parse().ok()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_of_a_module_are_counted() {
        let text = "usb_storage 81920 2 uas, Live 0x0\nudf 1 0 - Live 0x0\nfixed 1 - - Live 0x0\n";
        for (name, expected) in
            [("usb-storage", Some(2)), ("udf", Some(0)), ("fixed", Some(1)), ("hfs", None)]
        {
            assert_eq!(users(text, name), expected, "{name}");
        }
    }

    #[test]
    fn parameter_names_become_paths() {
        for (key, path) in [
            ("kernel.randomize_va_space", "/proc/sys/kernel/randomize_va_space"),
            ("net/ipv4/conf/eth0.1/forwarding", "/proc/sys/net/ipv4/conf/eth0.1/forwarding"),
            ("net.ipv4.conf.eth0/1.forwarding", "/proc/sys/net/ipv4/conf/eth0.1/forwarding"),
        ] {
            assert_eq!(System::sysctl_path(key), PathBuf::from(path), "{key}");
        }
    }
}
