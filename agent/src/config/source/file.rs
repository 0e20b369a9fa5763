//! Files: `/etc/trempe/agent.yml`, which is the image's, then `/etc/trempe/agent.d/*.yml` (and `*.yaml`) in the order of their names.

use std::path::Path;

use anyhow::{Result, bail};

use super::{Said, Source};
use crate::config::written::Written;
use crate::config::{DIRECTORY, FILE};
use crate::system::{FileKind, System};
use crate::trust;

/// The image's own file.
pub fn image(system: &System) -> Vec<Source> {
    source(system, Path::new(FILE)).into_iter().collect()
}

/// The files laid over it.
pub fn further(system: &System) -> Vec<Source> {
    let paths = [".yml", ".yaml"].map(|suffix| system.drop_ins(DIRECTORY, suffix));
    let paths = paths.into_iter().collect::<Result<Vec<_>>>().map(|paths| paths.concat());
    match paths {
        Ok(mut paths) => {
            paths.sort();
            paths.iter().filter_map(|path| source(system, path)).collect()
        }
        Err(error) => vec![Source::bad(DIRECTORY, &error)],
    }
}

fn source(system: &System, path: &Path) -> Option<Source> {
    let name = path.display().to_string();
    let read = || trusted(system, path)?.map(|text| Written::parse(&text, &name)).transpose();
    let source = Source::new(&name, read())?;
    // These are there for all to read. One that is not decides nothing silently.
    match source.said {
        Said::Unseen => Some(Source { said: Said::Bad(format!("reading {name}: only root may")), name }),
        _ => Some(source),
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
    system.read_text(path)
}
