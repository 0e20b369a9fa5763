//! The file systems of a machine that scripts see, and how.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// File systems that an overlay can lie on and that hold something of the machine's own.
const OWN: [&str; 9] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "tmpfs", "overlay"];
/// Those of the machine's own that no overlay can lie on, as names in them do not depend on case: firmware starts from such a one. Scripts
/// get a [copy](super::copy) of them.
const COPIED: [&str; 2] = ["vfat", "msdos"];
/// What every script gets anew.
const ANEW: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// A file system of the machine's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Where it is mounted, as the machine sees it.
    pub path: PathBuf,
    /// Whether scripts get a copy of it.
    pub copied: bool,
}

/// The machine's own file systems: `/` first, each before those below it, and of those at one place the last. `table` is
/// `/proc/self/mountinfo` (`proc(5)`).
pub fn own(table: &str, root: &Path) -> Vec<Mounted> {
    let mut found = BTreeMap::from([(PathBuf::from("/"), false)]);
    found.extend(table.lines().filter_map(|line| mounted(line, root)));
    found.into_iter().map(|(path, copied)| Mounted { path, copied }).collect()
}

/// Where what a line is about is mounted, and whether it is to be copied.
fn mounted(line: &str, root: &Path) -> Option<(PathBuf, bool)> {
    let (before, after) = line.split_once(" - ")?;
    let kind = after.split(' ').next()?;
    let place = PathBuf::from(unescaped(before.split(' ').nth(4)?));
    let path = Path::new("/").join(place.strip_prefix(root).ok()?);
    let anew =
        ANEW.iter().any(|own| path.starts_with(own)) || path.starts_with(crate::apply::journal::STATE_DIR);
    let copied = COPIED.contains(&kind);
    ((copied || OWN.contains(&kind)) && !anew && place.is_dir()).then_some((path, copied))
}

/// The text with `\040` and its like, which the table has for blanks, put back.
fn unescaped(text: &str) -> String {
    ["\\040 ", "\\011\t", "\\012\n", "\\134\\"].iter().fold(text.to_owned(), |text, pair| {
        let (code, sign) = pair.split_at(4);
        text.replace(code, sign)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_machine_s_own_is_laid_over() {
        let table = "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
                     23 22 0:5 / /proc rw - proc proc rw\n\
                     24 22 0:6 / /run rw - tmpfs tmpfs rw\n\
                     25 22 8:2 / /usr rw - xfs /dev/sda2 rw\n\
                     28 25 8:4 / /usr/share rw - vfat /dev/sda4 rw\n\
                     26 22 7:1 / /snap/x ro - squashfs /dev/loop1 ro\n\
                     27 22 8:3 / /no\\040such rw - ext4 /dev/sda3 rw\n";
        let own = |root: &str| {
            let found = own(table, Path::new(root));
            found.into_iter().map(|it| (it.path.display().to_string(), it.copied)).collect::<Vec<_>>()
        };
        let pairs = |list: &[(&str, bool)]| {
            list.iter().map(|(path, copied)| ((*path).to_owned(), *copied)).collect::<Vec<_>>()
        };
        assert_eq!(own("/"), pairs(&[("/", false), ("/usr", false), ("/usr/share", true)]));
        assert_eq!(own("/usr"), pairs(&[("/", false), ("/share", true)]));
        assert_eq!(unescaped("/no\\040such\\134"), "/no such\\");
    }
}
