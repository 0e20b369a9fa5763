//! The two databases beside this file hold the same five headers, which rpm made: `db5.3_load -t hash` laid them out in little-endian order
//! with pages of 8192 bytes and four buckets, and in big-endian order with pages of 512, where all values are too long for a page. What is
//! expected is what `rpm --dbpath DIRECTORY -qa` lists.

use super::super::{Header, MAX_HEADER};
use std::fs;

const LITTLE: &[u8] = include_bytes!("little.Packages");
const BIG: &[u8] = include_bytes!("big.Packages");

const LISTED: [&str; 5] = [
    "alpha-1-1.x86_64",
    "beta-9.16-2.el8.x86_64",
    "delta-4-4.x86_64",
    "epsilon-5-5.x86_64",
    "gamma-3.0~rc1-1.noarch",
];

/// The packages that a database has, and how many files those have.
fn read(database: &[u8]) -> Result<(Vec<String>, usize), String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("Packages");
    fs::write(&path, database).unwrap();
    let (mut names, mut files) = (Vec::new(), 0);
    super::each(&path, &mut |blob| {
        let header = Header::parse(blob).ok_or("no header")?;
        files += header.files().len();
        let (version, release) = (header.version(), header.release());
        names.push(format!("{}-{version}-{release}.{}", header.name(), header.architecture()));
        Ok(true)
    })
    .map_err(|why| why.replace(&*directory.path().to_string_lossy(), ""))?;
    names.sort();
    Ok((names, files))
}

#[test]
fn headers_are_those_that_rpm_lists() {
    for database in [LITTLE, BIG] {
        let (names, files) = read(database).unwrap();
        assert_eq!(names, LISTED);
        assert_eq!(files, 121, "120 files and their directory");
    }
}

#[test]
fn reading_ends_when_enough_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("Packages");
    fs::write(&path, LITTLE).unwrap();
    let mut seen = 0;
    super::each(&path, &mut |_| {
        seen += 1;
        Ok(false)
    })
    .unwrap();
    assert_eq!(seen, 1);
}

/// A database with some bytes of it replaced.
fn spoilt(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut database = LITTLE.to_vec();
    database[at..at + bytes.len()].copy_from_slice(bytes);
    database
}

#[test]
fn what_is_wrong_is_told() {
    let (page, long) = (8192, 5 * 8192);
    let place =
        |item: usize| u16::from_le_bytes([LITTLE[page + 26 + 2 * item], LITTLE[page + 27 + 2 * item]]);
    assert_eq!(LITTLE[long + 25], 7, "a page of a long value");
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("nothing", Vec::new(), "cannot be read"),
        ("cut off", LITTLE[..long].to_vec(), "cut off"),
        ("no table", spoilt(12, b"abcd"), "no hash table"),
        ("another version", spoilt(16, &[7]), "version 7"),
        ("encrypted", spoilt(24, &[1]), "encryption"),
        ("checksums", spoilt(26, &[1]), "checksums"),
        ("pages of three bytes", spoilt(20, &[3, 0, 0, 0]), "pages of 3 bytes"),
        ("more buckets than numbers", spoilt(72, &[0xff; 4]), "damaged"),
        ("more buckets than pages", spoilt(72, &[0xff, 0xff, 0, 0]), "damaged"),
        ("a chain that bites its tail", spoilt(page + 16, &[1, 0, 0, 0]), "circle"),
        ("a page of another kind", spoilt(page + 25, &[5]), "damaged"),
        ("more items than a page has", spoilt(page + 20, &[0xff, 0xff]), "damaged"),
        ("an item behind the page", spoilt(page + 26, &[0xff, 0xff]), "damaged"),
        ("values that share a key", spoilt(page + usize::from(place(3)), &[2]), "damaged"),
    ];
    for (what, database, why) in cases {
        let error = read(&database).expect_err(what);
        assert!(error.starts_with("/Packages ") && error.contains(why), "{what}: {error}");
    }
}

#[test]
fn long_values_are_bounded() {
    let item = LITTLE.windows(12).position(|item| item[0] == 3 && item[4..8] == [5, 0, 0, 0]).unwrap();
    let length = |bytes: usize| spoilt(item + 8, &u32::try_from(bytes).unwrap().to_le_bytes());
    for (bytes, why) in [(MAX_HEADER + 1, "a header of"), (MAX_HEADER, "damaged"), (1, "damaged")] {
        let error = read(&length(bytes)).unwrap_err();
        assert!(error.contains(why), "{bytes}: {error}");
    }
    let circle = spoilt(5 * 8192 + 16, &[5, 0, 0, 0]);
    assert!(read(&circle).is_err());
}

/// No byte of a page's head or of what follows it can make reading break down.
#[test]
fn any_byte_may_be_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("Packages");
    for at in (0..BIG.len()).filter(|at| at % 512 < 32 || (512..600).contains(at)) {
        let mut database = BIG.to_vec();
        database[at] ^= 0xff;
        fs::write(&path, database).unwrap();
        let _ = super::each(&path, &mut |blob| Ok(Header::parse(blob).is_some()));
    }
}
