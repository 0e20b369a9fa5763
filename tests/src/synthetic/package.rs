//! Installed packages of a synthetic tree: `name [epoch:]version-release [architecture]`, one a line.
//!
//! They are built and put into the tree's database by Debian's rpm. Their files are those entries of the tree that name them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::entry::{Entry, Kind};
use crate::command::Program;

/// What a package is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    name: String,
    epoch: Option<String>,
    version: String,
    release: String,
    architecture: String,
}

/// Reads a list of packages; lines that start with `#` are remarks.
pub fn parse(text: &str) -> Result<Vec<Package>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| package(line).with_context(|| format!("not a package: {line}"))).collect()
}

fn package(line: &str) -> Option<Package> {
    let mut words = line.split_whitespace().map(str::to_owned);
    let (name, evr) = (words.next()?, words.next()?);
    let (version, release) = evr.rsplit_once('-')?;
    let (epoch, version) = match version.split_once(':') {
        Some((epoch, version)) => (Some(epoch.to_owned()), version),
        None => (None, version),
    };
    let architecture = words.next().unwrap_or_else(|| "x86_64".to_owned());
    Some(Package { name, epoch, version: version.to_owned(), release: release.to_owned(), architecture })
}

/// The last of every name.
pub fn last_of_each(packages: Vec<Package>) -> Vec<Package> {
    let by_name: BTreeMap<String, Package> =
        packages.into_iter().map(|package| (package.name.clone(), package)).collect();
    by_name.into_values().collect()
}

/// Puts packages into the tree's rpm database; without any there is none.
pub fn install(tree: &Path, packages: &[Package], entries: &[Entry]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let work = tempfile::tempdir()?;
    let files = work.path().join("files");
    fs::create_dir(&files)?;
    let mut packed: Vec<&Entry> = entries.iter().filter(|entry| entry.kind != Kind::Gone).collect();
    packed.retain(|entry| entry.package.is_some());
    for entry in &packed {
        let plain = Entry { owner: ("root".to_owned(), "root".to_owned()), ..(*entry).clone() };
        plain.make(&files)?; // whose they are is said in the recipe
    }
    let recipe = work.path().join("all.spec");
    fs::write(&recipe, spec(packages, &packed, &files))?;
    Program::new("rpmbuild")
        .args(["-bb", "--quiet", "--nodeps", "--target", "x86_64-linux"])
        .args(["--define".to_owned(), format!("_topdir {}", work.path().display())])
        .args([&recipe])
        .run()?;
    configure(tree)?;
    let mut built = Vec::new();
    for architecture in fs::read_dir(work.path().join("RPMS"))? {
        let packages = fs::read_dir(architecture?.path())?;
        built.extend(packages.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?);
    }
    Program::new("rpm")
        .args(["-i", "--justdb", "--nodeps", "--noscripts", "--nosignature", "--ignorearch", "--ignoreos"])
        .args(["--dbpath", "/var/lib/rpm", "--root"])
        .args([tree])
        .args(built)
        .run()?;
    Ok(())
}

/// rpm's own configuration, without which there is no rpm on a system; the database is where Red Hat has it.
fn configure(tree: &Path) -> Result<()> {
    let (here, there) = (Path::new("/usr/lib/rpm"), tree.join("usr/lib/rpm"));
    fs::create_dir_all(&there)?;
    fs::create_dir_all(tree.join("var/lib/rpm"))?;
    fs::copy(here.join("rpmrc"), there.join("rpmrc"))?;
    let macros = fs::read_to_string(here.join("macros"))?;
    let line = |line: &str| match line.starts_with("%_dbpath\t") {
        true => "%_dbpath\t\t/var/lib/rpm\n".to_owned(),
        false => format!("{line}\n"),
    };
    fs::write(there.join("macros"), macros.lines().map(line).collect::<String>())?;
    Ok(())
}

/// One recipe for all packages.
fn spec(packages: &[Package], entries: &[&Entry], files: &Path) -> String {
    let mut spec = format!(
        "%global debug_package %{{nil}}\n%global __os_install_post %{{nil}}\n%global _binary_payload w0.gzdio\n\
         %global _unpackaged_files_terminate_build 0\n%global _build_id_links none\n\
         Name: synthetic\nVersion: 1\nRelease: 1\nSummary: all\nLicense: none\nAutoReqProv: no\n\
         %description\nall\n%install\nmkdir -p %{{buildroot}}\ncp -a {}/. %{{buildroot}}\n",
        files.display()
    );
    for Package { name, epoch, version, release, architecture } in packages {
        let _ = write!(spec, "%package -n {name}\nSummary: {name}\nVersion: {version}\nRelease: {release}\n");
        if let Some(epoch) = epoch {
            let _ = writeln!(spec, "Epoch: {epoch}");
        }
        if architecture != "x86_64" {
            let _ = writeln!(spec, "BuildArch: {architecture}");
        }
        let _ = write!(spec, "AutoReqProv: no\n%description -n {name}\n{name}\n%files -n {name}\n");
        let own = entries.iter().filter(|entry| entry.package.as_ref() == Some(name));
        own.for_each(|entry| spec.push_str(&listed(entry)));
    }
    spec
}

fn listed(entry: &Entry) -> String {
    let (user, group) = &entry.owner;
    let flag = entry.flag.as_ref().map(|flag| format!("%{flag} ")).unwrap_or_default();
    let kind = if entry.kind == Kind::Directory { "%dir " } else { "" };
    match entry.kind {
        Kind::Link(_) => format!("{flag}\"{}\"\n", entry.path),
        _ => format!("%attr({:o},{user},{group}) {flag}{kind}\"{}\"\n", entry.mode, entry.path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_with_their_epoch() {
        let packages =
            parse("# remark\naudit 3.1.5-1.el9\n\nbind 32:9.16.23-1.el9 noarch\naudit 3-2\n").unwrap();
        assert_eq!(packages.len(), 3);
        assert_eq!(packages[1].epoch.as_deref(), Some("32"));
        assert_eq!((packages[1].version.as_str(), packages[1].architecture.as_str()), ("9.16.23", "noarch"));
        assert_eq!(last_of_each(packages)[0].version, "3");
        assert!(parse("audit").is_err() && parse("audit 3").is_err());
    }
}
