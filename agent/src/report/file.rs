//! A document in a file: whole, or not at all.

use std::fs::File;
use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Has `write` write a document, readable by all, and puts it in the place of what was at `path`. A device or a pipe is written to.
///
/// # Errors
/// When it cannot be written; what was there before is there still.
pub fn put(path: &Path, write: &dyn Fn(&mut dyn Write) -> Result<()>) -> Result<()> {
    let failed = || format!("writing {}", path.display());
    // `/dev/stdout` may lead to a regular file; its place is not ours to give to another.
    let special = ["/dev", "/proc"].iter().any(|directory| path.starts_with(directory));
    if special || path.metadata().is_ok_and(|there| !there.is_file()) {
        let file = File::options().write(true).create(true).truncate(true).open(path).with_context(failed)?;
        let mut out = BufWriter::new(file);
        return write(&mut out).and_then(|()| Ok(out.flush()?)).with_context(failed);
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || -> Result<()> {
        directory.metadata()?;
        let readable = Permissions::from_mode(0o644);
        let mut out = BufWriter::new(
            tempfile::Builder::new().permissions(readable).tempfile_in(directory).map_err(nameless)?,
        );
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    written().with_context(failed)
}

/// An error without the name of the file that only was to become the document.
fn nameless(error: io::Error) -> io::Error {
    error.kind().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_half_way_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.xml");
        put(&path, &|out| Ok(out.write_all(b"first")?)).unwrap();
        let half = |out: &mut dyn Write| Ok(out.write_all(b"half").and(Err(io::Error::other("full")))?);
        assert!(format!("{:#}", put(&path, &half).unwrap_err()).contains("r.xml: full"));
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn an_error_names_the_document() {
        let path = Path::new("/nonexistent/r.html");
        let error = format!("{:#}", put(path, &|_| Ok(())).unwrap_err());
        assert_eq!(error, "writing /nonexistent/r.html: No such file or directory (os error 2)");
    }

    #[test]
    fn a_device_stays_one() {
        put(Path::new("/dev/null"), &|out| Ok(out.write_all(b"gone")?)).unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }
}
