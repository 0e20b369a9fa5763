//! Which file is meant by what a user calls content: a path, or the name of a data stream that a package has installed.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xccdf::id::did_you_mean;

/// Where the packages of the SCAP Security Guide put their data streams: Debian's and Red Hat's.
const PLACES: [&str; 2] = ["/usr/share/xml/scap/ssg/content", "/usr/share/scap-security-guide"];

/// The file: `content` itself, or `ssg-rhel9-ds.xml` for `ssg-rhel9` or `rhel9`.
///
/// # Errors
/// When there is no such file, with what is installed.
pub fn find(content: &str) -> Result<PathBuf> {
    find_among(content, &PLACES.map(Path::new))
}

fn find_among(content: &str, places: &[&Path]) -> Result<PathBuf> {
    let path = Path::new(content);
    if path.components().count() > 1 || path.exists() {
        return Ok(path.to_owned());
    }
    let bare = content.trim_start_matches("ssg-").trim_end_matches("-ds.xml").trim_end_matches("-ds");
    for place in places {
        let file = place.join(format!("ssg-{bare}-ds.xml"));
        if file.exists() {
            return Ok(file);
        }
    }
    let installed = installed(places);
    let near = did_you_mean(bare, installed.iter().map(String::as_str));
    let remedy = match (near.is_empty(), installed.is_empty()) {
        (false, _) => near,
        (_, true) => "none is installed: give the path of a data stream".to_owned(),
        (_, false) => format!("installed are: {}", installed.join(", ")),
    };
    bail!("no file and no installed content {content:?} ({remedy})");
}

/// The names of the data streams that packages have installed.
fn installed(places: &[&Path]) -> Vec<String> {
    let files = places.iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten().flatten();
    let name = |file: std::fs::DirEntry| {
        let name = file.file_name().into_string().ok()?;
        Some(name.strip_prefix("ssg-")?.strip_suffix("-ds.xml")?.to_owned())
    };
    let mut names: Vec<String> = files.filter_map(name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_path_and_a_name_is_looked_up() {
        let dir = tempfile::tempdir().unwrap();
        let installed = dir.path().join("ssg-rhel9-ds.xml");
        std::fs::write(&installed, "").unwrap();
        let find = |content: &str| find_among(content, &[dir.path()]);
        for name in ["rhel9", "ssg-rhel9", "ssg-rhel9-ds", "ssg-rhel9-ds.xml"] {
            assert_eq!(find(name).unwrap(), installed, "{name}");
        }
        assert_eq!(find("/no/such.xml").unwrap(), Path::new("/no/such.xml"));
        assert!(find("rhel8").unwrap_err().to_string().contains("did you mean rhel9?"));
        assert!(find("zzzzzz").unwrap_err().to_string().contains("installed are: rhel9"));
        let none = find_among("rhel9", &[]).unwrap_err().to_string();
        assert!(none.contains("none is installed"), "{none}");
    }
}
