//! The SCAP data streams both tools read: the SCAP Security Guide's, for the systems we test.
//!
//! They are in the directory that `$TREMPE_CONTENT` names; without it in a directory `shared/content` beside the checkout;
//! without that in Debian's own packages of the newest suite (stable releases carry no CIS profile). They are fetched with the mirror and keys
//! this machine's apt uses, in a state directory of its own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use xccdf::{Benchmark, Choice, Limits, SourceContent};

use crate::cache;
use crate::command::Program;

/// The data stream of one operating system, unpacked.
#[derive(Debug, Clone)]
pub struct Content {
    /// The XML file.
    pub path: PathBuf,
    /// Stands for its bytes in cache keys.
    pub hash: String,
}

impl Content {
    /// `os` is the name in the file name: `debian12`.
    pub fn find(os: &str) -> Result<Self> {
        let file = format!("ssg-{os}-ds.xml");
        let directory = directory()?;
        let plain = directory.join(&file);
        if plain.exists() {
            return Self::read(plain);
        }
        let packed = directory.join(format!("{file}.xz"));
        let packed_bytes = fs::metadata(&packed)
            .with_context(|| format!("looking for {file} or {file}.xz in {}", directory.display()))?;
        let recipe = format!("{} {:?}", packed_bytes.len(), packed_bytes.modified()?);
        let path = cache::entry(&format!("content-{os}"), &[&packed.to_string_lossy(), &recipe], |path| {
            let unpacked = Program::new("xz").args(["-dkc"]).args([&packed]).run()?;
            fs::File::create(path)?.write_all(&unpacked.stdout).context("writing the unpacked content")
        })?;
        Self::read(path)
    }

    /// The operating systems that there is content for, by name.
    pub fn products() -> Result<Vec<String>> {
        let directory = directory()?;
        let files = fs::read_dir(&directory).with_context(|| format!("listing {}", directory.display()))?;
        let names = files.filter_map(|file| Some(file.ok()?.file_name().to_string_lossy().into_owned()));
        let product = |name: String| {
            let name = name.strip_suffix(".xz").unwrap_or(&name);
            Some(name.strip_prefix("ssg-")?.strip_suffix("-ds.xml")?.to_owned())
        };
        let mut products: Vec<String> = names.filter_map(product).collect();
        products.sort();
        products.dedup();
        Ok(products)
    }

    /// The benchmark inside, with everything in it.
    pub fn benchmark(&self) -> Result<Benchmark> {
        let bytes = fs::read(&self.path).with_context(|| format!("reading {}", self.path.display()))?;
        let content = SourceContent::new(bytes, &self.path.to_string_lossy(), &Limits::default());
        let content = content.map_err(|errors| anyhow!("{errors}"))?;
        content.checklist(Choice::default())?.whole_benchmark().map_err(|errors| anyhow!("{errors}"))
    }

    fn read(path: PathBuf) -> Result<Self> {
        let bytes = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self { hash: cache::hash(&[&bytes]), path })
    }
}

/// Debian's packages of content: for itself, for Ubuntu, for others.
const PACKAGES: [&str; 3] = ["ssg-debian", "ssg-debderived", "ssg-nondebian"];

/// Where the data streams are.
fn directory() -> Result<PathBuf> {
    given().map_or_else(packaged, Ok)
}

fn given() -> Option<PathBuf> {
    if let Some(directory) = std::env::var_os("TREMPE_CONTENT") {
        return Some(directory.into());
    }
    let beside = cache::main_checkout().parent()?.join("shared/content");
    beside.is_dir().then_some(beside)
}

fn packaged() -> Result<PathBuf> {
    let mirror = mirror()?;
    let unpacked =
        cache::entry("ssg", &[&PACKAGES.join(" "), &mirror], |path| fetch_packages(&mirror, path))?;
    Ok(unpacked.join("usr/share/xml/scap/ssg/content"))
}

fn fetch_packages(mirror: &str, target: &Path) -> Result<()> {
    let state = tempfile::tempdir()?;
    let at = |name: &str| state.path().join(name).display().to_string();
    for directory in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(at(directory))?;
    }
    fs::write(at("sources.list"), format!("deb {mirror} sid main\n"))?;
    let options = [
        format!("Dir::State::lists={}", at("lists")),
        format!("Dir::Cache={}", at("cache")),
        format!("Dir::Etc::sourcelist={}", at("sources.list")),
        "Dir::Etc::sourceparts=/dev/null".to_owned(),
        "APT::Sandbox::User=root".to_owned(),
    ];
    let apt = || Program::new("apt-get").args(options.iter().flat_map(|option| ["-o", option.as_str()]));
    apt().args(["-q", "update"]).run()?;
    apt().args(["-q", "-y", "--download-only", "install"]).args(PACKAGES).run()?;
    let archives = fs::read_dir(at("cache/archives"))?;
    let packages: Vec<PathBuf> = archives
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ssg-")))
        .collect();
    ensure!(packages.len() == PACKAGES.len(), "apt downloaded not all of {}", PACKAGES.join(", "));
    for package in packages {
        Program::new("dpkg-deb").args(["-x".as_ref(), package.as_os_str(), target.as_os_str()]).run()?;
    }
    Ok(())
}

/// The Debian mirror this machine's apt takes its packages from.
pub fn mirror() -> Result<String> {
    let format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
    let targets = Program::new("apt-get").args(["indextargets", "--format", format]).output()?;
    targets
        .lines()
        .find_map(|line| line.strip_prefix("Debian|Debian|"))
        .map(str::to_owned)
        .context("apt names no Debian mirror: run `apt-get update`")
}
