//! systemd's credential `trempe.config`: given to the agent's unit (`LoadCredential=`, `$CREDENTIALS_DIRECTORY`), or to the whole
//! machine by its hypervisor, boot loader or container manager (`/run/credentials/@system`).

use std::path::{Path, PathBuf};

use super::{Source, trusted};
use crate::config::written::Written;
use crate::system::System;

/// The credential's name.
pub const NAME: &str = "trempe.config";
/// Where systemd puts what the machine was given.
pub const IMPORTED: &str = "/run/credentials/@system";

/// The machine's, then the unit's.
pub fn look(system: &System) -> Vec<Source> {
    let unit = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from).filter(|path| path.is_absolute());
    among(system, &[Some(PathBuf::from(IMPORTED)), unit])
}

fn among(system: &System, directories: &[Option<PathBuf>]) -> Vec<Source> {
    let mut texts: Vec<String> = Vec::new();
    let mut read = |path: &Path| {
        let name = path.display().to_string();
        let Some(text) = trusted(system, path)? else { return Ok(None) };
        // A unit that imports the machine's credential has a copy of it.
        if texts.contains(&text) {
            return Ok(None);
        }
        let written = Written::parse(&text, &name)?;
        texts.push(text);
        Ok(Some(written))
    };
    let paths = directories.iter().flatten().map(|directory| directory.join(NAME));
    paths.filter_map(|path| Source::new(path.display().to_string(), read(&path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Said;
    use crate::setting::testing::Tree;

    #[test]
    fn a_copy_of_the_machines_credential_counts_once() {
        let unit = "/run/credentials/trempe.service";
        let directories = [Some(PathBuf::from(IMPORTED)), Some(PathBuf::from(unit))];
        let tree = Tree::new().file("/run/credentials/@system/trempe.config", "tier: strict\n");
        let names = |tree: &Tree| -> Vec<String> {
            among(&tree.system(), &directories).into_iter().map(|source| source.name).collect()
        };
        assert_eq!(names(&tree), ["/run/credentials/@system/trempe.config"]);
        let tree = tree.file(&format!("{unit}/trempe.config"), "tier: strict\n");
        assert_eq!(names(&tree).len(), 1);
        let tree = tree.file(&format!("{unit}/trempe.config"), "tier: light\n");
        assert_eq!(names(&tree).len(), 2);
        let tree = tree.file(&format!("{unit}/trempe.config"), "tear: light\n");
        let sources = among(&tree.system(), &directories);
        assert!(
            matches!(&sources[1].said, Said::Bad(bad) if bad.contains("trempe.config:1:1: unknown field"))
        );
    }
}
