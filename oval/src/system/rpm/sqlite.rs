//! `rpmdb.sqlite`, the database of RHEL 9 and newer: a table of headers.

use super::Blobs;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Calls `each` with the header of every package.
pub(super) fn each(path: &Path, each: Blobs<'_>) -> Result<(), String> {
    let failed = |error: rusqlite::Error| format!("{} cannot be read: {error}", path.display());
    let connection = open(path).map_err(failed)?;
    let mut statement = connection.prepare("SELECT blob FROM Packages ORDER BY hnum").map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let blob = row.get_ref(0).map_err(failed)?.as_blob();
        if !each(blob.map_err(|error| format!("{}: {error}", path.display()))?)? {
            break;
        }
    }
    Ok(())
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
