//! The database of installed rpm packages: headers, in `rpmdb.sqlite` or, on RHEL 8 and older, in `Packages`.
//!
//! Other formats (`ndb`) are not read; a system that has one of those is an error and not a system without packages. To read another
//! one, add a line to [`FORMATS`].

mod berkeley;
mod header;
mod signature;
mod sqlite;

pub(crate) use header::{Header, RpmFile};

use super::System;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the database may be.
const DIRECTORIES: [&str; 2] = ["/var/lib/rpm", "/usr/lib/sysimage/rpm"];

/// What takes the header of each package in turn and says whether to go on.
type Blobs<'a> = &'a mut dyn FnMut(&[u8]) -> Result<bool, String>;

/// Reads the headers of a database at a path on the host.
type Read = fn(&Path, Blobs<'_>) -> Result<(), String>;

/// Files of each format, in the order they are looked for, which is librpm's; `None` is not read.
const FORMATS: [(&str, Option<Read>); 3] =
    [("rpmdb.sqlite", Some(sqlite::each)), ("Packages", Some(berkeley::each)), ("Packages.db", None)];

/// What librpm cannot work without: where this is missing, rpm packages mean nothing.
const CONFIGURATION: &str = "/usr/lib/rpm/rpmrc";

/// The largest header read, in bytes, as in rpm.
const MAX_HEADER: usize = 256 << 20;

/// Whether the system has rpm's configuration.
pub(super) fn is_configured(system: &System) -> bool {
    system.stat(Path::new(CONFIGURATION)).is_ok()
}

/// Whether the system has a database of rpm.
pub(super) fn is_there(system: &System) -> Result<bool, String> {
    Ok(database(system)?.is_some())
}

/// Calls `each` with the header of every installed package; it says whether to go on.
pub(super) fn each_package(system: &System, each: &mut dyn FnMut(&Header<'_>) -> bool) -> Result<(), String> {
    let Some((path, read)) = database(system)? else { return Ok(()) };
    read(&path, &mut |blob| {
        let header = Header::parse(blob).filter(|_| blob.len() <= MAX_HEADER);
        let senseless = || format!("{}: a header makes no sense: run rpm --rebuilddb", path.display());
        Ok(each(&header.ok_or_else(senseless)?))
    })
}

/// The path of the database on the host, and what reads it; `None` when there is none of any format.
fn database(system: &System) -> Result<Option<(PathBuf, Read)>, String> {
    for directory in DIRECTORIES {
        for (file, read) in FORMATS {
            let path = Path::new(directory).join(file);
            match (system.real_path(&path), read) {
                (Ok(real), Some(read)) => return Ok(Some((system.host_path(&real), read))),
                (Ok(_), None) => return Err(format!("{} is in a format that is not read", path.display())),
                (Err(error), _) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                }
                (Err(error), _) => return Err(format!("{} cannot be opened: {error}", path.display())),
            }
        }
    }
    Ok(None)
}
