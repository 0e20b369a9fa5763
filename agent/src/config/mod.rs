//! The machine's own configuration: `/etc/trempe/agent.yml`, then `/etc/trempe/agent.d/*.yml` in the order of their names.
//!
//! A later source outdoes an earlier one; lists add up. [`Config::read`] is strict, for people who can mend what is wrong;
//! [`gather`] never fails, for a machine that boots: when a source is bad, what the image says by itself counts.

mod written;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::system::{FileKind, System};
use crate::trust;
pub use written::Written;

/// The configuration file: that of the image.
pub const FILE: &str = "/etc/trempe/agent.yml";
/// The directory of further configuration files, `*.yml`.
pub const DIRECTORY: &str = "/etc/trempe/agent.d";
/// The directory of tailoring files, `*.xml`, that always apply.
pub const TAILORING: &str = "/etc/trempe/tailoring.d";

/// How long a phase of the first boot may take where nobody says so: far longer than any takes, and a time that somebody waits who
/// wonders why the machine cannot be reached.
const TIME_LIMIT: Duration = Duration::from_secs(15 * 60);

/// What the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The tier to hold the machine to.
    pub tier: Option<String>,
    /// Tailoring files, as paths on the machine, in the order they apply.
    pub tailoring: Vec<PathBuf>,
    /// Who must keep access.
    pub access: Access,
    /// What becomes of cloud-init after the first boot.
    pub cloud_init: CloudInit,
    /// What happens at the first boot.
    pub firstboot: Firstboot,
}

/// Who must keep access.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The accounts; `None` for those that can log in and become root now.
    pub keep: Option<Vec<String>>,
}

/// What becomes of cloud-init after the first boot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudInit {
    /// How much of it stays.
    pub afterwards: Afterwards,
    /// Whether the account it makes by itself is removed.
    pub remove_default_user: bool,
    /// The data sources it may look for; empty for those it is set to.
    pub datasource: Vec<String>,
    /// How many seconds it waits for VMware's customization; `None` for as long as it is set to.
    pub vmware_wait: Option<u16>,
}

/// How much of cloud-init stays after the first boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Afterwards {
    /// All of it.
    #[default]
    Keep,
    /// What must run at every boot.
    Trim,
    /// Nothing.
    Disable,
}

/// What happens at the first boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firstboot {
    /// Whether the machine hardens itself.
    pub enabled: bool,
    /// How long each phase of it may take.
    pub time_limit: Duration,
}

impl Default for Firstboot {
    fn default() -> Firstboot {
        Firstboot { enabled: true, time_limit: TIME_LIMIT }
    }
}

/// What the sources say, and which of them count.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// What counts: all sources together, or that of the image alone when one of them is bad.
    pub config: Config,
    /// Every source that is there, in the order of precedence, the weakest first.
    pub sources: Vec<Source>,
    /// Why not all of them count; empty when all do.
    pub problems: Vec<String>,
}

/// Something that configures the machine.
#[derive(Debug, Clone)]
pub struct Source {
    /// What messages call it: a path, or the way it comes in.
    pub name: String,
    /// What it says, or what is wrong with it.
    pub said: Result<Written, String>,
}

/// Gathers the configuration of a machine from all its sources. Never fails: a bad source is a problem, and then the image's
/// own configuration counts.
pub fn gather(system: &System) -> Gathered {
    let mut gathered = Gathered::default();
    let mut paths = vec![PathBuf::from(FILE)];
    match system.drop_ins(DIRECTORY, ".yml") {
        Ok(further) => paths.extend(further),
        Err(error) => gathered.bad(DIRECTORY, &error),
    }
    for path in paths {
        let name = path.display().to_string();
        let read =
            trusted(system, &path).and_then(|text| text.map(|text| Written::parse(&text, &name)).transpose());
        match read {
            Ok(None) => {}
            Ok(Some(said)) => gathered.sources.push(Source { name, said: Ok(said) }),
            Err(error) => gathered.bad(&name, &error),
        }
    }
    let tailoring = system.drop_ins(TAILORING, ".xml").unwrap_or_else(|error| {
        gathered.bad(TAILORING, &error);
        Vec::new()
    });
    let fine = gathered.problems.is_empty();
    for source in gathered.sources.iter().filter(|source| fine || source.name == FILE) {
        if let Ok(written) = &source.said {
            gathered.config.lay(written.clone());
        }
    }
    gathered.config.tailoring.extend(tailoring);
    gathered
}

impl Gathered {
    fn bad(&mut self, name: &str, error: &anyhow::Error) {
        self.problems.push(format!("{error:#}"));
        self.sources.push(Source { name: name.to_owned(), said: Err(format!("{error:#}")) });
    }
}

impl Config {
    /// Reads the configuration of a machine, and finds its tailoring files.
    ///
    /// # Errors
    /// When a source cannot be read or understood, or somebody else than root and the user could have written it.
    pub fn read(system: &System) -> Result<Config> {
        let gathered = gather(system);
        match gathered.problems.is_empty() {
            true => Ok(gathered.config),
            false => bail!("{}", gathered.problems.join("\n")),
        }
    }

    /// Reads one configuration file by itself.
    ///
    /// # Errors
    /// When it is not understood, with file, line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Config> {
        let mut config = Config::default();
        config.lay(Written::parse(text, &path.display().to_string())?);
        Ok(config)
    }

    /// Lays a source over what the ones before say.
    fn lay(&mut self, written: Written) {
        self.tier = written.tier.or(self.tier.take());
        self.tailoring.extend(written.tailoring);
        if let Some(keep) = written.access.keep {
            self.access.keep.get_or_insert_default().extend(keep);
        }
        let own = &mut self.cloud_init;
        own.afterwards = written.cloud_init.afterwards.unwrap_or(own.afterwards);
        own.remove_default_user = written.cloud_init.remove_default_user.unwrap_or(own.remove_default_user);
        own.vmware_wait = written.cloud_init.vmware_wait.or(own.vmware_wait);
        // An order to try them in, not a collection: a later one outdoes it whole.
        if let Some(datasource) = written.cloud_init.datasource {
            own.datasource = datasource;
        }
        self.firstboot.enabled = written.firstboot.enabled.unwrap_or(self.firstboot.enabled);
        if let Some(limit) = written.firstboot.time_limit {
            self.firstboot.time_limit = limit.unsigned_abs();
        }
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
    fn a_bad_source_leaves_the_image_alone_to_decide() {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("agent.yml", "tier: standard\naccess: {keep: [ops]}\n"),
            ("agent.d/10.yml", "tier: light\naccess: {keep: [robot]}\nfirstboot: {time_limit: 10m}\n"),
            ("tailoring.d/x.xml", ""),
        ] {
            let path = dir.path().join("etc/trempe").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let keep = |gathered: &Gathered| gathered.config.access.keep.clone().unwrap().join(" ");
        let system = System::open(dir.path()).unwrap();
        let good = gather(&system);
        assert_eq!((good.config.tier.as_deref(), keep(&good).as_str()), (Some("light"), "ops robot"));
        assert_eq!(good.config.firstboot.time_limit, Duration::from_secs(600));
        assert_eq!(good.problems, [""; 0]);
        fs::write(dir.path().join("etc/trempe/agent.d/20.yml"), "teir: strict\n").unwrap();
        let bad = gather(&system);
        assert_eq!((bad.config.tier.as_deref(), keep(&bad).as_str()), (Some("standard"), "ops"));
        assert_eq!(bad.config.tailoring, [PathBuf::from("/etc/trempe/tailoring.d/x.xml")]);
        assert!(bad.problems.concat().contains("agent.d/20.yml:1:1: unknown field `teir`"));
        assert_eq!(
            bad.sources.iter().map(|source| source.said.is_ok()).collect::<Vec<_>>(),
            [true, true, false]
        );
        assert!(Config::read(&system).is_err());
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
            ("cloud_init: {afterwards: trimm}\n", "a.yml:1:26: unknown variant `trimm`"),
            ("cloud_init: {datasource: ['VMware, None']}\n", "no name of a data source"),
            ("firstboot: {time_limit: -10m}\n", "such as \"10m\""),
            ("firstboot: {time_limit: soon}\n", "a.yml:1:25: "),
            ("access: {keep: ops}\n", "a.yml:1:16: "),
        ] {
            let error = format!("{:#}", Config::parse(text, Path::new("a.yml")).unwrap_err());
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
