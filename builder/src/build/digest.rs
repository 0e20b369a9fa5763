//! Digests: of files, and of what a specification says.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::spec::Spec;

/// SHA-256 of a file, in hexadecimal, without the file in memory.
///
/// # Errors
/// When it cannot be read.
pub fn file(path: &Path) -> Result<String> {
    let reading = || format!("reading {}", path.display());
    let mut from = File::open(path).with_context(reading)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = from.read(&mut buffer).with_context(reading)?;
        if count == 0 {
            return Ok(hexadecimal(&digest.finalize()));
        }
        digest.update(buffer.get(..count).unwrap_or_default());
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
