//! The manifest beside an image: what it is, what is in it, and what it was made from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::digest;
use super::process::Program;
use super::progress::Stage;
use super::workspace::Workspace;
use crate::render::Version;
use crate::spec::{Family, Spec, Target};

/// The version of the manifest's structure: fields are added, never renamed or removed.
const SCHEMA: u32 = 1;

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// 1.
    pub schema: u32,
    /// The builder's version.
    pub builder: String,
    /// The image's name.
    pub name: String,
    /// The operating system, as `debian12`.
    pub os: String,
    /// What it was made from: `bootstrap`, `iso` or `image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The digest of the disc or image it was made from, as `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_checksum: Option<String>,
    /// The firmware it starts on.
    pub firmware: String,
    /// Where machines of it run: `qcow2`, `nutanix`, `vsphere`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// The tier that machines harden themselves to.
    pub tier: Option<String>,
    /// The image.
    pub image: Image,
    /// SHA-256 of the specification with all it names, and of the templates.
    pub spec_sha256: String,
    /// The agent's package.
    pub agent: AgentPackage,
    /// What it was made with.
    pub tools: Tools,
    /// When it was finished: RFC 3339.
    pub built: String,
    /// How long each stage took.
    pub stages: Vec<Stage>,
}

/// The image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its file's name, beside the manifest.
    pub file: String,
    /// `qcow2`.
    pub format: String,
    /// Its size in bytes.
    pub size: u64,
    /// The size of the disk in it, in bytes.
    pub virtual_size: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// What is installed: name, version and architecture of each package.
    pub packages: Vec<[String; 3]>,
}

/// A package of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPackage {
    /// Its version.
    pub version: String,
    /// Its SHA-256.
    pub sha256: String,
    #[serde(skip)]
    path: PathBuf,
    #[serde(skip)]
    kind: Kind,
}

/// The programs of a build, as they name themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// Packer.
    #[serde(with = "version")]
    pub packer: Version,
    /// QEMU.
    pub qemu: String,
    /// mmdebstrap, where the disk was made from packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mmdebstrap: Option<String>,
}

mod version {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::render::Version;

    pub fn serialize<S: Serializer>(version: &Version, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(version)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Version, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl AgentPackage {
    /// The package at that path or in that directory, or the one that lies where packages are built or installed; of the kind that an
    /// operating system takes.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(path: Option<&Path>, family: Family) -> Result<AgentPackage> {
        let kind = Kind::of(family);
        let path = match path {
            Some(path) if path.is_dir() => among(&[path], kind)?,
            Some(path) => path.to_owned(),
            None => among(&PLACES.map(Path::new), kind)?,
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(version) = kind.version(&name) else {
            bail!("{}: no package for this operating system, {}", path.display(), kind.called());
        };
        Ok(AgentPackage { version, sha256: digest::file(&path)?, path, kind })
    }

    /// Puts it where Packer looks for it.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn place(&self, directory: &Path) -> Result<()> {
        let to = directory.join(self.kind.placed());
        fs::copy(&self.path, &to).with_context(|| format!("copying {}", self.path.display()))?;
        Ok(())
    }
}

/// A kind of package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// Debian's and Ubuntu's.
    #[default]
    Deb,
    /// That of Red Hat's family.
    Rpm,
}

impl Kind {
    fn of(family: Family) -> Kind {
        match family {
            Family::Rhel => Kind::Rpm,
            Family::Debian | Family::Ubuntu => Kind::Deb,
        }
    }

    /// The version in a file's name; `None` when it is no such package's.
    fn version(self, name: &str) -> Option<String> {
        let version = match self {
            Kind::Deb => name.strip_suffix(".deb")?.split('_').nth(1)?,
            Kind::Rpm => {
                let (start, _architecture) = name.strip_suffix(".rpm")?.rsplit_once('.')?;
                let digit = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_digit());
                start.match_indices('-').map(|(at, _)| &start[at + 1..]).find(digit)?
            }
        };
        (!version.is_empty()).then(|| version.to_owned())
    }

    /// How its files are called.
    fn called(self) -> &'static str {
        match self {
            Kind::Deb => "which are called NAME_VERSION_ARCHITECTURE.deb",
            Kind::Rpm => "which are called NAME-VERSION.ARCHITECTURE.rpm",
        }
    }

    /// Whether a file is the agent's package, for the machines that are built here.
    fn ours(self, name: &str) -> bool {
        match self {
            Kind::Deb => name.starts_with("trempe-agent_") && name.ends_with("_amd64.deb"),
            Kind::Rpm => name.starts_with("trempe-agent-") && name.ends_with(".x86_64.rpm"),
        }
    }

    /// What Packer's template calls it.
    fn placed(self) -> &'static str {
        match self {
            Kind::Deb => "trempe-agent.deb",
            Kind::Rpm => "trempe-agent.rpm",
        }
    }
}

/// Where packages are when nobody says so: here, where `packaging/build` leaves them, where a package of the builder has them.
const PLACES: [&str; 3] = [".", "target/packages", "/usr/share/trempe"];

/// The package that is in one of these directories.
fn among(places: &[&Path], kind: Kind) -> Result<PathBuf> {
    let packages = |directory: &&Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let named = entries.filter(|entry| kind.ours(&entry.file_name().to_string_lossy()));
        named.map(|entry| entry.path()).collect()
    };
    let listed = |paths: &[PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let found: Vec<PathBuf> = places.iter().flat_map(packages).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let places: Vec<PathBuf> = places.iter().map(PathBuf::from).collect();
            bail!(
                "no package of the agent, {}, in {}: build one with packaging/build, or name it with --agent-package",
                kind.called(),
                listed(&places)
            )
        }
        several => {
            bail!("which package of the agent? {}: name one with --agent-package", listed(several))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Info {
    virtual_size: u64,
    format: String,
    format_specific: Specific,
}

#[derive(Deserialize)]
struct Specific {
    data: Qcow2,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Qcow2 {
    compat: String,
    compression_type: Option<String>,
}

impl Image {
    /// Looks whether an image is sound and of the form that every hypervisor's import takes, and puts it in its place.
    ///
    /// # Errors
    /// When it is not, or cannot be moved.
    pub async fn finish(image: &Path, space: &Workspace) -> Result<Image> {
        let qemu_img = |words: [&str; 2]| Program::new("qemu-img").args(words).args([image]);
        qemu_img(["check", "-q"]).output().await.context("checking the image")?;
        let told = qemu_img(["info", "--output=json"]).output().await?;
        let info: Info = serde_json::from_str(&told).context("reading what qemu-img says of the image")?;
        let Qcow2 { compat, compression_type } = info.format_specific.data;
        if info.format != "qcow2"
            || compat != "1.1"
            || compression_type.as_deref().unwrap_or("zlib") != "zlib"
        {
            bail!("the image is {} {compat} {compression_type:?}, not qcow2 1.1 with zlib", info.format);
        }
        let listed = space.files().join("packages.tsv");
        let text = fs::read_to_string(&listed).with_context(|| format!("reading {}", listed.display()))?;
        let path = space.image();
        fs::create_dir_all(space.image_directory()).context("creating the image's directory")?;
        let sha256 = digest::file(image)?;
        let size = fs::metadata(image).context("looking at the image")?.len();
        fs::rename(image, &path).with_context(|| format!("putting the image at {}", path.display()))?;
        Ok(Image {
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            format: info.format,
            size,
            virtual_size: info.virtual_size,
            sha256,
            packages: text.lines().filter_map(package).collect(),
        })
    }
}

/// Name, version and architecture in a line of `packages.tsv`.
fn package(line: &str) -> Option<[String; 3]> {
    let mut words = line.split('\t').map(str::to_owned);
    Some([words.next()?, words.next()?, words.next()?])
}

impl Manifest {
    /// The manifest of an image.
    ///
    /// # Errors
    /// None that can happen; a moment can always be written.
    pub fn new(
        spec: &Spec,
        spec_sha256: String,
        agent: &AgentPackage,
        tools: Tools,
        image: Image,
        stages: Vec<Stage>,
    ) -> Result<Manifest> {
        Ok(Manifest {
            schema: SCHEMA,
            builder: env!("CARGO_PKG_VERSION").to_owned(),
            name: spec.name.value.to_string(),
            os: spec.os.value.id.to_owned(),
            source: Some(spec.source.value.word().to_owned()),
            source_checksum: spec.source.value.checksum().map(|checksum| checksum.as_str().to_owned()),
            firmware: spec.firmware.value.word().to_owned(),
            targets: spec.targets.clone(),
            tier: spec.agent.tier.map(|tier| tier.word().to_owned()),
            image,
            spec_sha256,
            agent: agent.clone(),
            tools,
            built: jiff::Timestamp::now().round(jiff::Unit::Second)?.to_string(),
            stages,
        })
    }

    /// The manifest of an image that is there, whole, and made of the same.
    pub fn kept(space: &Workspace, spec_sha256: &str, agent: &AgentPackage) -> Option<Manifest> {
        let text = fs::read_to_string(space.manifest()).ok()?;
        let manifest: Manifest = serde_json::from_str(&text).ok()?;
        let same = manifest.spec_sha256 == spec_sha256 && manifest.agent.sha256 == agent.sha256;
        let whole = same && digest::file(&space.image()).is_ok_and(|found| found == manifest.image.sha256);
        whole.then_some(manifest)
    }

    /// The manifest beside an image, when there is one.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn beside(image: &Path) -> Result<Option<Manifest>> {
        let path = image.with_extension("manifest.json");
        let reading = || format!("reading {}", path.display());
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).with_context(reading),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(reading),
        }
    }

    /// Writes it beside its image.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, space: &Workspace) -> Result<()> {
        let path = space.manifest();
        let unfinished = path.with_extension("unfinished");
        let writing = || format!("writing {}", path.display());
        fs::write(&unfinished, self.json()?).with_context(writing)?;
        fs::rename(&unfinished, &path).with_context(writing)
    }

    /// As it is written.
    ///
    /// # Errors
    /// None that can happen.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
