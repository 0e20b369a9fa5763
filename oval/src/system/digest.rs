//! Digests of files.

use super::Files;
use md5::Md5;
use nix::fcntl::OFlag;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The largest file that a digest is made of, in bytes. A file with holes may be larger than any disk.
const MAX_FILE: u64 = 16 << 30;

/// A way to make a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Files {
    /// The digest of everything in a regular file, in hexadecimal; pipes and devices are not waited for.
    pub(crate) fn digest(&self, path: &Path, flags: OFlag, algorithm: Algorithm) -> io::Result<String> {
        let flags = flags | OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = File::from(self.open(path, flags)?);
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
        }
        if meta.len() > MAX_FILE {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                format!("larger than {} GiB", MAX_FILE >> 30),
            ));
        }
        match algorithm {
            Algorithm::Md5 => self.of_content::<Md5>(file),
            Algorithm::Sha1 => self.of_content::<Sha1>(file),
            Algorithm::Sha224 => self.of_content::<Sha224>(file),
            Algorithm::Sha256 => self.of_content::<Sha256>(file),
            Algorithm::Sha384 => self.of_content::<Sha384>(file),
            Algorithm::Sha512 => self.of_content::<Sha512>(file),
        }
    }

    fn of_content<D: Digest>(&self, mut file: File) -> io::Result<String> {
        let mut digest = D::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                n => {
                    self.count(n)?;
                    digest.update(buffer.get(..n).unwrap_or_default());
                }
            }
        }
        Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
