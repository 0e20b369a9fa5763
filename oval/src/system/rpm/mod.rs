//! The database of installed rpm packages: `rpmdb.sqlite`, a table of headers.
//!
//! The older formats (Berkeley DB of RHEL 8, `ndb`) are not read; a system that has one of those is an error and not a system without
//! packages.

mod header;

pub(crate) use header::{Header, RpmFile};

use super::System;
use rusqlite::{Connection, OpenFlags};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the database may be.
const DIRECTORIES: [&str; 2] = ["/var/lib/rpm", "/usr/lib/sysimage/rpm"];

/// Files of formats that are not read.
const OLDER: [&str; 2] = ["Packages", "Packages.db"];

/// What librpm cannot work without: where this is missing, rpm packages mean nothing.
const CONFIGURATION: &str = "/usr/lib/rpm/rpmrc";

/// The largest header read, in bytes, as in rpm.
const MAX_HEADER: usize = 256 << 20;

/// Whether the system has rpm's configuration.
pub(super) fn is_configured(system: &System) -> bool {
    system.stat(Path::new(CONFIGURATION)).is_ok()
}

/// Calls `each` with the header of every installed package; it says whether to go on.
pub(super) fn each_package(system: &System, each: &mut dyn FnMut(&Header<'_>) -> bool) -> Result<(), String> {
    let Some(path) = database(system)? else { return Ok(()) };
    let shown = path.display().to_string();
    let failed = |error: rusqlite::Error| format!("{shown} cannot be read: {error}");
    let connection = open(&path).map_err(failed)?;
    let mut statement = connection.prepare("SELECT blob FROM Packages ORDER BY hnum").map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let blob = row.get_ref(0).map_err(failed)?.as_blob().map_err(|error| format!("{shown}: {error}"))?;
        let header = Header::parse(blob).filter(|_| blob.len() <= MAX_HEADER);
        let header =
            header.ok_or_else(|| format!("{shown}: a header makes no sense: run rpm --rebuilddb"))?;
        if !each(&header) {
            break;
        }
    }
    Ok(())
}

/// The path of the database on the host; `None` when there is none of any format.
fn database(system: &System) -> Result<Option<PathBuf>, String> {
    for directory in DIRECTORIES {
        let path = Path::new(directory).join("rpmdb.sqlite");
        match system.real_path(&path) {
            Ok(real) => return Ok(Some(system.host_path(&real))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(format!("{} cannot be opened: {error}", path.display())),
        }
        if let Some(older) = OLDER.iter().find(|name| system.stat(&Path::new(directory).join(name)).is_ok()) {
            return Err(format!(
                "{directory}/{older} is in a format that is not supported: rpmdb.sqlite alone is read"
            ));
        }
    }
    Ok(None)
}

/// Opens it without writing anything. Where no other process has left a log of changes, the file is taken to stay as it is, so that not
/// even a lock is needed.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let still = std::fs::metadata(log).map_or(true, |log| log.len() == 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !still {
        return Connection::open_with_flags(path, flags);
    }
    let special = |c: char| match c {
        '?' | '#' | '%' => format!("%{:02x}", c as u32),
        c => c.to_string(),
    };
    let name: String = path.to_string_lossy().chars().map(special).collect();
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags | OpenFlags::SQLITE_OPEN_URI)
}
