//! The machine's own configuration: `/etc/trempe/agent.yml`, then `/etc/trempe/agent.d/*.yml` in the order of their names.
//!
//! A later file outdoes an earlier one; lists add up. Unknown keys are errors: a misspelt `tier` must not harden to another.
//! To add a key, add a field to [`Written`] and to [`Config`] and say in [`Config::lay`] how they add up.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::system::{FileKind, System};
use crate::trust;

/// The configuration file.
pub const FILE: &str = "/etc/trempe/agent.yml";
/// The directory of further configuration files, `*.yml`.
pub const DIRECTORY: &str = "/etc/trempe/agent.d";
/// The directory of tailoring files, `*.xml`, that always apply.
pub const TAILORING: &str = "/etc/trempe/tailoring.d";

/// What the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The tier to hold the machine to.
    pub tier: Option<String>,
    /// Tailoring files, as paths on the machine, in the order they apply.
    pub tailoring: Vec<PathBuf>,
}

/// A file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    tier: Option<String>,
    #[serde(default)]
    tailoring: Vec<PathBuf>,
}

impl Config {
    /// Reads the configuration of a machine, and finds its tailoring files.
    ///
    /// # Errors
    /// When a file cannot be read or understood, or somebody else than root and the user could have written it.
    pub fn read(system: &System) -> Result<Config> {
        let mut config = Config::default();
        let further = system.drop_ins(DIRECTORY, ".yml")?;
        for path in std::iter::once(PathBuf::from(FILE)).chain(further) {
            if let Some(text) = trusted(system, &path)? {
                config.lay(Written::parse(&text, &path)?, &path)?;
            }
        }
        config.tailoring.extend(system.drop_ins(TAILORING, ".xml")?);
        Ok(config)
    }

    /// Reads one configuration file by itself.
    ///
    /// # Errors
    /// When it is not understood, with file, line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Config> {
        let mut config = Config::default();
        config.lay(Written::parse(text, path)?, path)?;
        Ok(config)
    }

    /// Lays a file over what the ones before say.
    fn lay(&mut self, written: Written, path: &Path) -> Result<()> {
        if let Some(relative) = written.tailoring.iter().find(|path| path.is_relative()) {
            bail!("{}: tailoring {relative:?} must be written as an absolute path", path.display());
        }
        self.tier = written.tier.or(self.tier.take());
        self.tailoring.extend(written.tailoring);
        Ok(())
    }
}

impl Written {
    fn parse(text: &str, path: &Path) -> Result<Written> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#')) {
            return Ok(Written::default());
        }
        serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column()));
            let message = error.without_snippet().to_string();
            anyhow::anyhow!("{}{}: {message}", path.display(), place.unwrap_or_default())
        })
    }
}

/// The text of a file on the machine that only root and the user can write; `None` when there is no such file.
///
/// # Errors
/// When it cannot be read, or others could have written it.
pub fn trusted(system: &System, path: &Path) -> Result<Option<String>> {
    let Some(meta) = system.meta(path)? else { return Ok(None) };
    if meta.kind == FileKind::Symlink && !system.is_running() {
        bail!("{}: a symbolic link is not followed with --root; put the file itself there", path.display());
    }
    trust::check(&system.host_path(path))?;
    system.read_text(path).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_add_up_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("agent.yml", "# ours\ntier: standard\ntailoring: [/etc/a.xml]\n"),
            ("agent.d/20.yml", "tier: strict\n"),
            ("agent.d/10.yml", "tier: light\ntailoring: [/etc/b.xml]\n"),
            ("agent.d/readme", "not a configuration"),
            ("tailoring.d/x.xml", ""),
        ] {
            let path = dir.path().join("etc/trempe").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let config = Config::read(&System::open(dir.path()).unwrap()).unwrap();
        assert_eq!(config.tier.as_deref(), Some("strict"));
        let tailoring = ["/etc/a.xml", "/etc/b.xml", "/etc/trempe/tailoring.d/x.xml"];
        assert_eq!(config.tailoring, tailoring.map(PathBuf::from));
    }

    #[test]
    fn nothing_configured_is_nothing_said() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Config::read(&System::open(dir.path()).unwrap()).unwrap(), Config::default());
        assert_eq!(Config::parse("# nothing yet\n", Path::new("a.yml")).unwrap(), Config::default());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, said) in [
            ("tier: strict\ntiers: light\n", "a.yml:2:1: unknown field `tiers`"),
            ("tier: [strict]\n", "a.yml:1:7: "),
            ("tier: strict\ntier: light\n", "a.yml:2:1: "),
            ("tailoring: [etc/x.xml]\n", "absolute path"),
            ("tier: \"strict\n", "a.yml:"),
        ] {
            let error = format!("{:#}", Config::parse(text, Path::new("a.yml")).unwrap_err());
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
