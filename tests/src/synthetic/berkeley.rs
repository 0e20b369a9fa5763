//! The rpm database as RHEL 8 has it: hash tables of Berkeley DB, which Debian's rpm reads and does not write.
//!
//! Made from what that rpm tells of the other format, by Berkeley DB's own `db5.3_load`: the headers, and the two tables by which librpm finds
//! packages and files (`Name`, `Basenames`: number of the header and place in it, for each name).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::command::Program;

/// A table's keys and values.
type Table = BTreeMap<Vec<u8>, Vec<u8>>;

/// What stands before each header that rpm exports.
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

/// Puts the database in a tree into this format.
pub fn convert(tree: &Path) -> Result<()> {
    let directory = tree.join("var/lib/rpm");
    let tables = [
        ("Packages", packages(&directory)?),
        ("Name", index(&directory, "%{DBINSTANCE} %{NAME}\n", |_| 0)?),
        ("Basenames", index(&directory, "[%{=DBINSTANCE} %{BASENAMES}\n]", |place| place)?),
    ];
    fs::remove_dir_all(&directory)?;
    fs::create_dir(&directory)?;
    tables.iter().try_for_each(|(name, table)| load(&directory.join(name), table))
}

/// The headers by their numbers; under 0 is the highest number.
fn packages(directory: &Path) -> Result<Table> {
    let exported = Program::new("rpmdb").args(["--exportdb", "--dbpath"]).args([directory]).run()?.stdout;
    let (mut rest, mut table, mut count) = (exported.as_slice(), Table::new(), 0_u32);
    while let Some(header) = rest.strip_prefix(&MAGIC) {
        let number = |at: usize| {
            let bytes =
                header.get(at..).and_then(|rest| rest.first_chunk()).context("a header is cut off")?;
            anyhow::Ok(u32::from_be_bytes(*bytes) as usize)
        };
        let (blob, next) =
            header.split_at_checked(8 + 16 * number(0)? + number(4)?).context("a header is cut off")?;
        count += 1;
        table.insert(count.to_le_bytes().to_vec(), blob.to_vec());
        rest = next;
    }
    ensure!(rest.is_empty() && count > 0, "rpmdb exports something else than headers");
    table.insert(vec![0; 4], count.to_le_bytes().to_vec());
    Ok(table)
}

/// What rpm says in this format, `NUMBER NAME` in each line: for each name the numbers, each with the place of the line among that number's.
fn index(directory: &Path, format: &str, place: impl Fn(u32) -> u32) -> Result<Table> {
    let said = Program::new("rpm").args(["-qa", "--qf", format, "--dbpath"]).args([directory]).output()?;
    let (mut table, mut lines) = (Table::new(), BTreeMap::new());
    for line in said.lines() {
        let (number, name) = line.split_once(' ').with_context(|| format!("rpm says {line}"))?;
        let line: &mut u32 = lines.entry(number).or_default();
        let value = table.entry(name.as_bytes().to_vec()).or_default();
        value.extend(number.parse::<u32>()?.to_le_bytes());
        value.extend(place(*line).to_le_bytes());
        *line += 1;
    }
    Ok(table)
}

/// Makes the file of a table.
fn load(path: &Path, table: &Table) -> Result<()> {
    let mut dump = "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=4096\nHEADER=END\n".to_owned();
    for bytes in table.iter().flat_map(|(key, value)| [key, value]) {
        dump.push(' ');
        for byte in bytes {
            let _ = write!(dump, "{byte:02x}");
        }
        dump.push('\n');
    }
    dump.push_str("DATA=END\n");
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), dump)?;
    Program::new("db5.3_load").args(["-t", "hash", "-f"]).args([file.path(), path]).run()?;
    Ok(())
}
