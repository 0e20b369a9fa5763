//! Digests: of files, and of what a specification says.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256, Sha512};

use crate::spec::Spec;

/// SHA-256 of a file, in hexadecimal, without the file in memory.
///
/// # Errors
/// When it cannot be read.
pub fn file(path: &Path) -> Result<String> {
    let mut digest = Sha256::new();
    let mut reader = Reader::open(path)?;
    while let Some(piece) = reader.next()? {
        digest.update(piece);
    }
    Ok(hexadecimal(&digest.finalize()))
}

/// The digest of a file by `sha256` or `sha512`. A file may be large: whoever waits for a signal gets a turn after each piece.
///
/// # Errors
/// When it cannot be read.
pub async fn by(algorithm: &str, path: &Path) -> Result<String> {
    use sha2::digest::DynDigest;

    let mut digest: Box<dyn DynDigest> =
        if algorithm == "sha512" { Box::new(Sha512::default()) } else { Box::new(Sha256::default()) };
    let mut reader = Reader::open(path)?;
    while let Some(piece) = reader.next()? {
        digest.update(piece);
        tokio::task::yield_now().await;
    }
    Ok(hexadecimal(&digest.finalize()))
}

/// A file, piece by piece.
struct Reader {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
}

impl Reader {
    fn open(path: &Path) -> Result<Reader> {
        let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Reader { path: path.to_owned(), file, buffer: vec![0; 1 << 20] })
    }

    fn next(&mut self) -> Result<Option<&[u8]>> {
        let read = self.file.read(&mut self.buffer);
        let count = read.with_context(|| format!("reading {}", self.path.display()))?;
        Ok(self.buffer.get(..count).filter(|piece| !piece.is_empty()))
    }
}

/// SHA-256 of texts, told apart from each other.
pub fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    }
    hexadecimal(&digest.finalize())
}

/// The digest of a specification: its text, the tailoring files it names, and the version of the builder that reads it.
///
/// # Errors
/// When one of them cannot be read.
pub fn spec(path: &Path, spec: &Spec) -> Result<String> {
    let mut parts = vec![env!("CARGO_PKG_VERSION").to_owned(), crate::spec::text(path)?];
    for tailoring in &spec.agent.tailoring {
        parts.push(file(&path.parent().unwrap_or(Path::new(".")).join(&tailoring.value))?);
    }
    parts.extend(crate::render::template::TEMPLATES.iter().map(|(_, text)| (*text).to_owned()));
    Ok(texts(parts.iter().map(String::as_str)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
