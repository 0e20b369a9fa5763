//! The image that is sent: found, looked at, digested once for all targets, and read in parts without ever being in memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::build::manifest::Manifest;

/// How much is read at a time.
const PIECE: usize = 256 << 10;
/// How many pieces are read ahead.
const AHEAD: usize = 4;
/// The longest name of an image; Prism Central's is 256, and ours gets a digest behind it.
const LONGEST: usize = 200;

/// An image on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its file.
    pub path: PathBuf,
    /// What it is called where it goes.
    pub name: String,
    /// The file's size in bytes.
    pub size: u64,
    /// The size of the disk in it, in bytes.
    pub virtual_size: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// What people are told of it: operating system, when it was built.
    pub about: String,
}

impl Image {
    /// Finds the image that is meant: a file, or `DIRECTORY/NAME/NAME.qcow2` of an image that was built here.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(what: &str, directory: &Path) -> Result<PathBuf> {
        let path = Path::new(what);
        let built = directory.join(what).join(format!("{what}.qcow2"));
        if path.is_file() {
            return Ok(path.to_owned());
        }
        if !what.contains('/') && built.is_file() {
            return Ok(built);
        }
        bail!("there is no image {what}: neither a file of that name nor {}", built.display())
    }

    /// Looks at an image and digests it. `name` replaces the name that its manifest or its file has; `read` is told of bytes as they go.
    ///
    /// # Errors
    /// When it is no image that can be imported, or not the one that its manifest speaks of.
    pub fn open(path: &Path, name: Option<&str>, mut read: impl FnMut(u64)) -> Result<Image> {
        let shown = path.display();
        let reading = || format!("reading {shown}");
        let mut file = File::open(path).with_context(reading)?;
        let size = file.metadata().with_context(reading)?.len();
        let virtual_size = virtual_size(&mut file).with_context(|| format!("looking at {shown}"))?;
        file.seek(SeekFrom::Start(0)).with_context(reading)?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = file.read(&mut buffer).with_context(reading)?;
            if count == 0 {
                break;
            }
            digest.update(buffer.get(..count).unwrap_or_default());
            read(count as u64);
        }
        let sha256: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let manifest = Manifest::beside(path)?;
        if let Some(manifest) = manifest.as_ref().filter(|manifest| manifest.image.sha256 != sha256) {
            bail!(
                "{shown} is not the image that {}.manifest.json speaks of (sha256 {}): build it again, or remove the manifest",
                manifest.name,
                manifest.image.sha256
            );
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let known = manifest.as_ref().map_or(stem, |manifest| manifest.name.clone());
        let about = manifest.as_ref().map_or(String::new(), |of| format!("{}, built {}. ", of.os, of.built));
        Ok(Image {
            path: path.to_owned(),
            name: valid(name.unwrap_or(&known))?,
            size,
            virtual_size,
            sha256,
            about,
        })
    }

    /// The digest's beginning: what tells versions of an image apart.
    pub fn short(&self) -> &str {
        self.sha256.get(..12).unwrap_or(&self.sha256)
    }

    /// A stretch of the file as the body of a request. `moved` grows with the bytes that are taken from it.
    ///
    /// A thread reads ahead, a few pieces at most, so that disk and network work at the same time.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn body(&self, from: u64, length: u64, moved: Arc<AtomicU64>) -> std::io::Result<reqwest::Body> {
        body(&self.path, from, length, moved)
    }
}

/// A stretch of any file, as [`Image::body`].
///
/// # Errors
/// When the file cannot be opened.
pub fn body(path: &Path, from: u64, length: u64, moved: Arc<AtomicU64>) -> std::io::Result<reqwest::Body> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let (ahead, pieces) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || read_ahead(file, length, &ahead));
    let taken = futures_util::stream::unfold((pieces, moved), async |(mut pieces, moved)| {
        let piece: std::io::Result<Bytes> = pieces.recv().await?;
        if let Ok(bytes) = &piece {
            moved.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Some((piece, (pieces, moved)))
    });
    Ok(reqwest::Body::wrap_stream(taken))
}

/// Reads a file in pieces, until it ends or nobody takes them. One that ends too early is an error: the server would wait for the rest.
fn read_ahead(mut file: File, mut left: u64, ahead: &mpsc::Sender<std::io::Result<Bytes>>) {
    while left > 0 {
        let most = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        let mut buffer = vec![0; most];
        let read = file.read_exact(&mut buffer);
        let piece = read
            .map(|()| Bytes::from(buffer))
            .map_err(|error| std::io::Error::other(format!("the image cannot be read to its end: {error}")));
        let failed = piece.is_err();
        if ahead.blocking_send(piece).is_err() || failed {
            return;
        }
        left -= most as u64;
    }
}

/// A name that Prism Central, Terraform and people can use.
fn valid(name: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(plain) {
        bail!(
            "{name:?} cannot be an image's name: letters, digits, '.', '_' and '-', {LONGEST} at most; give another with --name"
        );
    }
    Ok(name.to_owned())
}

/// The size of the disk in a qcow2 file of the form that imports take: nothing outside of it, not encrypted, compressed by zlib.
/// The header is described in QEMU's `docs/interop/qcow2.txt`.
fn virtual_size(file: &mut File) -> Result<u64> {
    let mut header = Vec::new();
    file.take(112).read_to_end(&mut header).context("reading its header")?;
    let number = |at: usize| Some(u64::from_be_bytes(header.get(at..at + 8)?.try_into().ok()?));
    let word = |at: usize| Some(u64::from(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?)));
    let convert = "qemu-img convert -O qcow2 -c IN OUT makes one";
    if header.get(..4) != Some(b"QFI\xfb") {
        bail!("it is no qcow2 file: {convert}");
    }
    let (Some(version), Some(backing), Some(size), Some(encryption), Some(snapshots)) =
        (word(4), number(8), number(24), word(32), word(60))
    else {
        bail!("it ends within its header");
    };
    let incompatible = if version >= 3 { number(72).unwrap_or_default() } else { 0 };
    let odd = [
        (!(2..=3).contains(&version), "is of an unknown version"),
        (backing != 0, "has a backing file, which stays behind"),
        (encryption != 0, "is encrypted"),
        (snapshots != 0, "has internal snapshots"),
        (incompatible & 1 != 0, "was not closed properly"),
        (incompatible & 2 != 0, "is marked as damaged"),
        (incompatible & 4 != 0, "has its data in another file"),
        (incompatible & 8 != 0, "is compressed by another method than zlib"),
        (incompatible & !0xf != 0, "has features that imports do not know"),
        (size == 0, "has no disk in it"),
    ];
    if let Some((_, what)) = odd.into_iter().find(|(found, _)| *found) {
        bail!("it {what}: {convert}");
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u32, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = b"QFI\xfb".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.resize(112, 0);
        bytes[24..32].copy_from_slice(&(20u64 << 30).to_be_bytes());
        change(&mut bytes);
        bytes
    }

    fn opened(bytes: &[u8], name: Option<&str>) -> Result<Image> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("web 1.qcow2");
        std::fs::write(&path, bytes).unwrap();
        Image::open(&path, name, |_| ())
    }

    #[test]
    fn an_image_has_the_size_of_its_disk_and_the_digest_of_its_file() {
        let image = opened(&header(3, |_| ()), Some("web")).unwrap();
        assert_eq!((image.size, image.virtual_size), (112, 20 << 30));
        let wanted = Sha256::digest(header(3, |_| ())).iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(image.sha256, wanted);
        assert_eq!(opened(&header(2, |_| ()), Some("web")).unwrap().virtual_size, 20 << 30);
    }

    #[test]
    fn what_no_import_takes_is_refused_with_the_way_out() {
        let cases: [(Vec<u8>, &str); 9] = [
            (b"KDMV".to_vec(), "no qcow2"),
            (b"QFI\xfb\0\0\0\x03".to_vec(), "ends within"),
            (header(3, |b| b[15] = 1), "backing file"),
            (header(3, |b| b[35] = 1), "encrypted"),
            (header(3, |b| b[63] = 1), "snapshots"),
            (header(3, |b| b[79] = 8), "zlib"),
            (header(3, |b| b[79] = 16), "features"),
            (header(9, |_| ()), "unknown version"),
            (header(3, |b| b[24..32].fill(0)), "no disk"),
        ];
        for (bytes, wanted) in cases {
            let error = format!("{:#}", opened(&bytes, Some("web")).unwrap_err());
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
        assert!(opened(&header(3, |_| ()), None).unwrap_err().to_string().contains("--name"));
    }

    #[test]
    fn every_beginning_of_a_header_is_refused_or_read() {
        let whole = header(3, |_| ());
        for end in 0..whole.len() {
            assert_eq!(opened(&whole[..end], Some("web")).is_ok(), end >= 64, "{end}");
        }
    }
}
