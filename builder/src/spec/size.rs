//! Sizes of disks, partitions and memory.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A size in whole mebibytes, written as `512 MiB` or `20 GiB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Size(u64);

/// What a unit is worth in mebibytes. `M` and `G` are what Packer, kickstart and QEMU mean by them.
const UNITS: [(&str, u64); 6] =
    [("MiB", 1), ("GiB", 1 << 10), ("TiB", 1 << 20), ("M", 1), ("G", 1 << 10), ("T", 1 << 20)];
/// 64 TiB: more than any disk here has.
const LARGEST: u64 = 64 << 20;

impl Size {
    /// A size in mebibytes.
    pub const fn mebibytes(count: u64) -> Size {
        Size(count)
    }

    /// A size in gibibytes.
    pub const fn gibibytes(count: u64) -> Size {
        Size(count << 10)
    }

    /// In mebibytes.
    pub fn in_mebibytes(self) -> u64 {
        self.0
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Size, String> {
        let wanted = || format!("{text:?} is no size: write it as 512 MiB or 20 GiB");
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wanted())?;
        if number == 0 && unit.trim().is_empty() {
            return Ok(Size(0));
        }
        let worth = UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wanted)?.1;
        let size = number.checked_mul(worth).filter(|size| *size <= LARGEST);
        size.map(Size).ok_or_else(|| format!("{text:?} is more than 64 TiB"))
    }
}

impl From<Size> for String {
    fn from(size: Size) -> String {
        size.to_string()
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            size if size % 1024 == 0 => write!(f, "{} GiB", size / 1024),
            size => write!(f, "{size} MiB"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        let table = [
            ("512 MiB", Some((512, "512 MiB"))),
            ("20GiB", Some((20 << 10, "20 GiB"))),
            ("2 TiB", Some((2 << 20, "2048 GiB"))),
            ("2048M", Some((2048, "2 GiB"))),
            ("0", Some((0, "0"))),
            ("20", None),
            ("20 GB", None),
            ("-1 GiB", None),
            ("", None),
            ("1.5 GiB", None),
            ("99999999999999999999 GiB", None),
            ("18446744073709551615 TiB", None),
        ];
        for (text, expected) in table {
            let found = Size::try_from(text.to_owned()).ok();
            let found = found.map(|size| (size.in_mebibytes(), size.to_string()));
            assert_eq!(found, expected.map(|(count, shown)| (count, shown.to_owned())), "{text}");
        }
    }
}
