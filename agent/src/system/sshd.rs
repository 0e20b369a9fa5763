//! The configuration the ssh daemon itself makes of its files: `sshd -T`.
//!
//! It is a second opinion on what the settings read from the files. Where the daemon cannot answer for reasons that are not in
//! its configuration (no host keys yet, never started), there is no second opinion.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

use super::{Output, System, Tool};

/// What `sshd -T` says while the daemon could not run anyway, whatever its configuration.
const NOT_READY: [&str; 2] = ["no hostkeys available", "Missing privilege separation directory"];

/// Where services are told the daemon's options: file and variable, on Debian's family and on Red Hat's.
const OPTIONS: [(&str, &str); 2] = [("/etc/default/ssh", "SSHD_OPTS"), ("/etc/sysconfig/sshd", "OPTIONS")];

impl System {
    /// The options that the ssh daemon is started with, beside its configuration; they count before it. Those that are about how
    /// it runs are left out.
    pub fn sshd_options(&self) -> Vec<String> {
        let read = |(file, name): (&str, &str)| Some(options(&self.read_text(file).ok()??, name));
        OPTIONS.into_iter().filter_map(read).flatten().collect()
    }
}

/// The options in a file of variables.
fn options(text: &str, name: &str) -> Vec<String> {
    let value =
        text.lines().rev().find_map(|line| line.trim().strip_prefix(name)?.trim_start().strip_prefix('='));
    let value = value.unwrap_or_default().trim().trim_matches(['"', '\'']);
    let runs = |word: &&str| !["-D", "-d", "-e", "-i", "-q", "-t", "-T"].contains(word);
    value.split_whitespace().filter(runs).map(str::to_owned).collect()
}

/// Whether the daemon has understood its configuration and only could not run with it here: it looks at its keys and
/// directories last.
pub fn not_ready(output: &Output) -> bool {
    NOT_READY.iter().any(|reason| output.stderr.contains(reason))
}

/// Runs what asks sshd, which refuses to check anything when its privilege separation directory is missing, as it is until ssh
/// first ran.
pub fn with_runtime_directory<T>(run: impl FnOnce() -> T) -> T {
    let dir = Path::new("/run/sshd");
    let made = !dir.exists() && std::fs::create_dir(dir).is_ok();
    let result = run();
    if made {
        drop(std::fs::remove_dir(dir));
    }
    result
}

/// The daemon's view of its configuration outside of `Match` blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshdView(BTreeMap<String, String>);

impl SshdView {
    pub(super) fn learn(system: &System) -> Result<Option<SshdView>> {
        let pretended = system.overlay.touches(Path::new("/etc/ssh"));
        if !system.is_booted() || pretended || !system.has_tool(Tool::Sshd) {
            return Ok(None);
        }
        let output = system.run(Tool::Sshd, &["-T"])?;
        if output.code == Some(0) {
            return Ok(Some(SshdView::parse(&output.stdout)));
        }
        if not_ready(&output) {
            return Ok(None);
        }
        bail!("the ssh daemon refuses its configuration; mend it first: {}", output.stderr.trim())
    }

    /// Reads `keyword value` lines; of a keyword that is listed more than once, the first is kept.
    fn parse(text: &str) -> SshdView {
        let mut view = BTreeMap::new();
        for (keyword, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            view.entry(keyword.to_ascii_lowercase()).or_insert_with(|| value.trim().to_owned());
        }
        SshdView(view)
    }

    /// The value of a keyword, in the daemon's own spelling.
    pub fn value(&self, keyword: &str) -> Option<&str> {
        self.0.get(&keyword.to_ascii_lowercase()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_service_are_taken_over() {
        let text = "# SSHD_OPTS=-4\nSSHD_OPTS=\"-D -o Ciphers=aes256-gcm@openssh.com -6\"\n";
        assert_eq!(options(text, "SSHD_OPTS"), ["-o", "Ciphers=aes256-gcm@openssh.com", "-6"]);
        assert_eq!(options("SSHD_OPTS=\n", "SSHD_OPTS"), [""; 0]);
        assert_eq!(options("", "SSHD_OPTS"), [""; 0]);
    }

    #[test]
    fn keywords_are_found_in_any_case() {
        let view = SshdView::parse("port 22\nport 2222\npermitrootlogin without-password\n");
        assert_eq!(view.value("PermitRootLogin"), Some("without-password"));
        assert_eq!(view.value("Port"), Some("22"));
        assert_eq!(view.value("Banner"), None);
    }
}
