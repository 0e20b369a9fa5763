//! The ssh daemon's configuration, checked by `sshd -t`: a daemon that does not start shuts everybody out.
//!
//! The daemon reads many files as one, so a new text is checked among copies of all the others, with every `Include`
//! led to the copies.

use std::path::Path;

use anyhow::{Result, bail};

use super::staging::Staging;
use crate::setting::sshd::config::{Files, MAIN, redirected};
use crate::system::sshd::{not_ready, with_runtime_directory};
use crate::system::{Output, System, Tool};

/// Checks the new text of a file below `/etc/ssh`. The daemon of another machine may know other keywords, so only the
/// machine's own is asked.
///
/// # Errors
/// When the daemon would refuse its configuration with it.
pub fn staged(system: &System, path: &Path, content: &str) -> Result<()> {
    if system.is_running() && system.has_tool(Tool::Sshd) { check(system, path, content) } else { Ok(()) }
}

fn check(system: &System, path: &Path, content: &str) -> Result<()> {
    if path != Path::new(MAIN) && !system.exists(MAIN)? {
        return Ok(());
    }
    let mut files = Files::new(system);
    files.edited.insert(path.to_owned(), content.to_owned());
    let texts = files.texts()?;
    if !texts.contains_key(path) {
        return Ok(());
    }
    let staging = Staging::new(system)?;
    for (file, text) in &texts {
        staging.put(file, &redirected(file, text, |path| staging.copy_of(path))?)?;
    }
    let main = staging.copy_of(Path::new(MAIN)).display().to_string();
    let output = with_runtime_directory(|| system.run_on_host(Tool::Sshd, &["-t", "-f", &main], None))?;
    match accepted(output) {
        Err(error) => bail!("{}", staging.told(&format!("{error:#}"))),
        Ok(()) => Ok(()),
    }
}

/// Checks everything that is in place; to be asked on the running machine only.
///
/// # Errors
/// When the daemon refuses it.
pub fn in_place(system: &System, _: &[&Path]) -> Result<()> {
    accepted(with_runtime_directory(|| system.run_on_host(Tool::Sshd, &["-t"], None))?)
}

fn accepted(output: Output) -> Result<()> {
    if not_ready(&output) { Ok(()) } else { output.success().map(drop) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::Scripted;
    use super::*;
    use crate::setting::testing::Tree;

    const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-trempe.conf";

    /// A daemon that follows one `Include` and refuses the keyword `Bogus` wherever it reads it.
    fn sshd(args: &[&str], _: Option<&str>) -> Output {
        assert_eq!(args[..2], ["-t", "-f"]);
        let main = fs::read_to_string(args[2]).unwrap();
        let pattern = main.lines().find_map(|line| line.strip_prefix("Include ")).unwrap().trim_matches('"');
        let mut files = vec![args[2].to_owned()];
        files.extend(glob::glob(pattern).unwrap().map(|path| path.unwrap().display().to_string()));
        let bad = files.iter().find(|file| fs::read_to_string(file).unwrap().contains("Bogus"));
        let said = |file: &String| format!("{file}: line 1: Bad configuration option: Bogus");
        Output {
            code: Some(if bad.is_some() { 255 } else { 0 }),
            stderr: bad.map(said).unwrap_or_default(),
            ..Output::default()
        }
    }

    fn tree() -> Tree {
        Tree::new()
            .file(MAIN, "# main\nInclude sshd_config.d/*.conf\nUsePAM yes\n")
            .file("/etc/ssh/sshd_config.d/50-other.conf", "Port 22\n")
            .file("/etc/ssh/ssh_config", "Host *\n")
    }

    #[test]
    fn a_new_text_is_checked_among_copies_of_the_others() {
        let tree = tree();
        let before = tree.snapshot();
        let system = Scripted::on(&tree, sshd);
        check(&system, Path::new(DROP_IN), "PermitRootLogin no\n").unwrap();
        for (path, text) in [(DROP_IN, "Bogus yes\n"), (MAIN, "Bogus yes\nInclude sshd_config.d/*.conf\n")] {
            let error = check(&system, Path::new(path), text).unwrap_err().to_string();
            assert!(error.contains(&format!(": {path}: line 1: Bad configuration option")), "{error}");
        }
        // Read by nothing, so nothing to refuse.
        check(&system, Path::new("/etc/ssh/ssh_config"), "Bogus\n").unwrap();
        check(&system, Path::new("/etc/ssh/sshd_config.d/x.disabled"), "Bogus\n").unwrap();
        assert_eq!(tree.snapshot(), before, "something stays or was written");
    }

    #[test]
    fn what_is_wrong_in_another_file_refuses_too() {
        let tree = tree().file("/etc/ssh/sshd_config.d/60-bad.conf", "Bogus yes\n");
        let error = check(&Scripted::on(&tree, sshd), Path::new(DROP_IN), "UsePAM yes\n").unwrap_err();
        assert!(error.to_string().contains("sshd_config.d/60-bad.conf: line 1"), "{error}");
    }

    #[test]
    fn a_daemon_without_keys_has_understood_its_configuration() {
        let keyless = |_: &[&str], _: Option<&str>| Output {
            code: Some(1),
            stderr: "sshd: no hostkeys available -- exiting.".into(),
            ..Output::default()
        };
        check(&Scripted::on(&tree(), keyless), Path::new(DROP_IN), "UsePAM yes\n").unwrap();
    }
}
