//! An image as VMware takes it: a stream-optimized VMDK with a description of the machine it belongs to, as two files for a content library
//! or in one archive (OVA) for whatever imports those.
//!
//! | file | what it is |
//! |---|---|
//! | [`descriptor`] | the machine: firmware, controllers, processors, memory (OVF 1.1, DMTF DSP0243) |
//! | this one | the disk, and the archive: a tar with the descriptor first (DSP0243, 6.4), then digests, then the disk |

pub mod descriptor;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::build::manifest::Manifest;
use crate::build::process::Program;
use descriptor::Machine;

/// How directories of conversions begin; the number of the process follows.
const WORK: &str = ".vmdk~";

/// An image as VMware takes it, in a directory that goes when this goes.
#[derive(Debug)]
pub struct Appliance {
    directory: TempDir,
    name: String,
    /// The description of the machine.
    pub descriptor: String,
    /// The disk.
    pub disk: Disk,
}

/// A disk of an appliance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Its file.
    pub path: PathBuf,
    /// The file's size in bytes.
    pub size: u64,
    /// SHA-1, which every vCenter knows.
    pub sha1: String,
    /// SHA-256.
    pub sha256: String,
}

impl Appliance {
    /// Converts an image. The disk is put beside it, in a directory that goes with what is returned.
    ///
    /// # Errors
    /// When there is no room for it, or `qemu-img` fails.
    pub async fn of(image: &Path, name: &str) -> Result<Appliance> {
        let manifest = Manifest::beside(image)?;
        let beside = image.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sweep(beside);
        let prefix = format!("{WORK}{}~", std::process::id());
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir_in(beside);
        let directory = directory.with_context(|| format!("creating a directory in {}", beside.display()))?;
        let path = directory.path().join(format!("{name}-disk1.vmdk"));
        let convert = ["convert", "-O", "vmdk", "-o", "subformat=streamOptimized,adapter_type=lsilogic"];
        let convert = Program::new("qemu-img").args(convert).args([image, &path]);
        convert.output().await.context("converting the image to a VMDK")?;
        let disk = Disk::of(path).await?;
        let capacity = capacity(image).await?;
        let machine = Machine::of(name, manifest.as_ref(), capacity, &disk);
        Ok(Appliance { directory, name: name.to_owned(), descriptor: machine.ovf()?, disk })
    }

    /// What the description's file is called.
    pub fn descriptor_name(&self) -> String {
        format!("{}.ovf", self.name)
    }

    /// What the disk's file is called.
    pub fn disk_name(&self) -> String {
        format!("{}-disk1.vmdk", self.name)
    }

    /// Puts both and their digests into one archive, which appears when it is whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn archive(&self, to: &Path) -> Result<()> {
        let writing = || format!("writing {}", to.display());
        let unfinished = self.directory.path().join("unfinished.ova");
        let mut archive = tar::Builder::new(File::create(&unfinished).with_context(writing)?);
        let ovf = self.descriptor_name();
        let digests = format!(
            "SHA256({ovf})= {}\nSHA256({})= {}\n",
            hexadecimal(&Sha256::digest(&self.descriptor)),
            self.disk_name(),
            self.disk.sha256
        );
        for (name, text) in [(ovf.clone(), &self.descriptor), (format!("{}.mf", self.name), &digests)] {
            let mut header = header(text.len() as u64);
            archive.append_data(&mut header, name, text.as_bytes()).with_context(writing)?;
        }
        let disk = File::open(&self.disk.path).with_context(writing)?;
        archive.append_data(&mut header(self.disk.size), self.disk_name(), disk).with_context(writing)?;
        let mut file = archive.into_inner().with_context(writing)?;
        file.flush().and_then(|()| file.sync_all()).with_context(writing)?;
        match fs::rename(&unfinished, to) {
            // On another file system.
            Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
                let near = to.with_extension("ova.unfinished");
                fs::copy(&unfinished, &near).and_then(|_| fs::rename(&near, to)).with_context(writing)
            }
            done => done.with_context(writing),
        }
    }
}

/// Takes away what a conversion left that was killed: its process is no more.
fn sweep(beside: &Path) {
    for entry in fs::read_dir(beside).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(WORK).and_then(|rest| rest.split('~').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Another builder may be faster.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A file's entry in an archive: the same for the same content.
fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    header
}

impl Disk {
    /// A file of it, digested.
    async fn of(path: PathBuf) -> Result<Disk> {
        let reading = || format!("reading {}", path.display());
        let mut file = tokio::fs::File::open(&path).await.with_context(reading)?;
        let (mut sha1, mut sha256, mut size) = (Sha1::new(), Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = tokio::io::AsyncReadExt::read(&mut file, &mut buffer).await.with_context(reading)?;
            let piece = buffer.get(..count).unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            sha1.update(piece);
            sha256.update(piece);
            size += count as u64;
        }
        Ok(Disk { path, size, sha1: hexadecimal(&sha1.finalize()), sha256: hexadecimal(&sha256.finalize()) })
    }
}

/// The size of the disk in an image, in bytes.
async fn capacity(image: &Path) -> Result<u64> {
    let info = Program::new("qemu-img").args(["info", "--output=json"]).args([image]).output().await?;
    let info: serde_json::Value = serde_json::from_str(&info).context("reading what qemu-img says")?;
    match info.get("virtual-size").and_then(serde_json::Value::as_u64) {
        Some(size) => Ok(size),
        None => bail!("{}: qemu-img does not say how large its disk is", image.display()),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
