//! The file systems of a machine that scripts see, and how.

use std::path::{Path, PathBuf};

/// File systems that an overlay can lie on and that hold something of the machine's own.
const OWN: [&str; 9] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "tmpfs", "overlay"];
/// What every script gets anew.
const ANEW: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// Where the machine's own file systems are mounted, as the machine sees it: `/` first, each before those below it. `table` is
/// `/proc/self/mountinfo` (`proc(5)`).
pub fn own(table: &str, root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = table.lines().filter_map(|line| mounted(line, root)).collect();
    found.push(PathBuf::from("/"));
    found.sort();
    found.dedup();
    found
}

fn mounted(line: &str, root: &Path) -> Option<PathBuf> {
    let (before, after) = line.split_once(" - ")?;
    let kind = after.split(' ').next()?;
    let place = PathBuf::from(unescaped(before.split(' ').nth(4)?));
    let path = Path::new("/").join(place.strip_prefix(root).ok()?);
    let anew =
        ANEW.iter().any(|own| path.starts_with(own)) || path.starts_with(crate::apply::journal::STATE_DIR);
    (OWN.contains(&kind) && !anew && place.is_dir()).then_some(path)
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
                     26 22 7:1 / /snap/x ro - squashfs /dev/loop1 ro\n\
                     27 22 8:3 / /no\\040such rw - ext4 /dev/sda3 rw\n";
        assert_eq!(own(table, Path::new("/")), [Path::new("/"), Path::new("/usr")]);
        assert_eq!(own(table, Path::new("/usr")), [Path::new("/")]);
        assert_eq!(unescaped("/no\\040such\\134"), "/no such\\");
    }
}
