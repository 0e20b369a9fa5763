//! What is never told: hashes of passwords, and lines of the files that hold them.

use crate::item::{Field, Item};
use std::borrow::Cow;

/// Files whose lines are nobody's business.
const FILES: [&str; 6] = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/security/opasswd",
    "/boot/grub2/user.cfg",
];

/// Names of the methods between the first two `$` of a hash (`crypt(5)`).
const METHODS: [&str; 15] =
    ["1", "2", "2a", "2b", "2x", "2y", "3", "5", "6", "7", "gy", "md5", "sha1", "sm3", "y"];

/// What GRUB's hashes begin with.
const GRUB: &str = "grub.pbkdf2.";

/// The fewest characters of a hash behind its method.
const SHORTEST: usize = 8;

const MASK: &str = "***";

/// Whether a field of an item is a secret as a whole.
pub(crate) fn hides(item: &Item, field: &Field) -> bool {
    let holds = || item.place.as_ref().is_some_and(|place| FILES.contains(&place.path.as_str()));
    match field.name {
        "password" => true,
        "text" | "subexpression" | "value" | "value_of" => holds(),
        _ => false,
    }
}

/// A text with stars in the place of hashes; borrowed when there are none.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    let (mut out, mut done, mut at) = (String::new(), 0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['$', 'g'])) {
        at += found;
        let length = text.get(at..).map_or(0, hash);
        if length > 0 {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push_str(MASK);
            done = at + length;
        }
        at += length.max(1);
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// The length of the hash that a text begins with; 0 when it begins with none.
fn hash(text: &str) -> usize {
    let head = match text.strip_prefix('$').and_then(|rest| rest.split_once('$')) {
        Some((method, _)) if METHODS.contains(&method) => method.len() + 2,
        _ if text.starts_with(GRUB) => GRUB.len(),
        _ => return 0,
    };
    let part = |c: char| c.is_ascii_alphanumeric() || "./$=,+-".contains(c);
    let body = text.get(head..).map_or(0, |body| body.find(|c| !part(c)).unwrap_or(body.len()));
    if body < SHORTEST { 0 } else { head + body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_masked_and_nothing_else() {
        for (text, expected) in [
            ("", ""),
            ("root:$6$salt$3kd/oqwerty.ABC:19000:0", "root:***:19000:0"),
            ("root:$y$j9T$salt$hash:1 u:$2b$12$abcdefgh", "root:***:1 u:***"),
            ("GRUB2_PASSWORD=grub.pbkdf2.sha512.10000.0A1B.22FF\n", "GRUB2_PASSWORD=***\n"),
            ("$5$rounds=5000$salt$hash", "***"),
            ("echo $1$2 and $HOME$PATH/long/enough", "echo $1$2 and $HOME$PATH/long/enough"),
            ("é$6$short é$$ g$", "é$6$short é$$ g$"),
            ("grub.pbkdf2.x", "grub.pbkdf2.x"),
            ("x ENCRYPT_METHOD SHA512", "x ENCRYPT_METHOD SHA512"),
        ] {
            assert_eq!(masked(text), expected);
            assert_eq!(matches!(masked(text), Cow::Owned(_)), text != expected, "{text}");
        }
    }
}
