//! SMBIOS OEM strings (type 11): text that a hypervisor gives a virtual machine (`qemu -smbios type=11,value=…`).
//!
//! `trempe.tier=TIER` and `trempe.config=YAML` are the agent's own. `io.systemd.credential:trempe.config=YAML` and
//! `io.systemd.credential.binary:trempe.config=BASE64` are for systemd, which makes a credential of them from version 251 on; where
//! it did not, they are read here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Source, base64, credential, text};
use crate::config::written::Written;
use crate::system::System;

/// One directory for each structure, named by type and number; `raw` in it is for root alone. There where the module `dmi-sysfs` is
/// loaded, which systemd does from version 252 on.
const ENTRIES: &str = "/sys/firmware/dmi/entries";
/// All structures, one after the other, as the firmware has them; for root alone.
const TABLE: &str = "/sys/firmware/dmi/tables/DMI";
/// The type of a structure of OEM strings (SMBIOS 3.7, 7.12).
const OEM_STRINGS: u8 = 11;
/// The type of the last structure (SMBIOS 3.7, 7.45): what follows is nobody's.
const END_OF_TABLE: u8 = 127;
/// The strings the agent knows, by their beginnings. Others are somebody else's.
const KEYS: [&str; 4] = [
    "trempe.tier",
    "trempe.config",
    "io.systemd.credential:trempe.config",
    "io.systemd.credential.binary:trempe.config",
];

/// Every string that is about the agent, in the order of the firmware.
pub fn look(system: &System) -> Vec<Source> {
    match strings(system) {
        Ok(strings) => strings.iter().filter_map(|string| source(system, string)).collect(),
        Err(error) => Source::new("SMBIOS", Err(error)).into_iter().collect(),
    }
}

fn source(system: &System, string: &[u8]) -> Option<Source> {
    let at = string.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (std::str::from_utf8(string.get(..at)?).ok()?, string.get(at + 1..)?);
    let name = format!("SMBIOS {key}");
    let imported = || system.exists(Path::new(credential::IMPORTED).join(credential::NAME));
    let read = || -> Result<Option<Written>> {
        if key.starts_with("io.systemd") && imported()? {
            return Ok(None);
        }
        let value = text(value.to_vec(), &name)?;
        match key {
            "trempe.tier" => Written::tier(&value).checked(&name),
            "io.systemd.credential.binary:trempe.config" => {
                let bytes = base64::decode(&value).with_context(|| format!("{name}: not base64"))?;
                Written::parse(&text(bytes, &name)?, &name)
            }
            _ => Written::parse(&value, &name),
        }
        .map(Some)
    };
    if !KEYS.contains(&key) {
        // A misspelt key of ours must not be passed over.
        let unknown = || bail!("{name}: there are trempe.tier and trempe.config");
        return key.starts_with("trempe.").then(|| Source::new(&name, unknown())).flatten();
    }
    Source::new(&name, read())
}

fn strings(system: &System) -> Result<Vec<Vec<u8>>> {
    if !system.exists(ENTRIES)? {
        return Ok(system.read(TABLE)?.map(|table| of_table(&table)).unwrap_or_default());
    }
    let mut entries: Vec<(u32, PathBuf)> = Vec::new();
    for name in system.list(ENTRIES)? {
        let number = name.strip_prefix("11-").and_then(|number| number.parse().ok());
        entries.extend(number.map(|number| (number, Path::new(ENTRIES).join(&name).join("raw"))));
    }
    entries.sort();
    let mut strings = Vec::new();
    for (_, path) in entries {
        strings.extend(system.read(&path)?.iter().flat_map(|raw| oem_strings(raw)));
    }
    Ok(strings)
}

/// The OEM strings of a table of structures. Each begins with its type and the length of its fixed part, and ends with two zeros after
/// its strings (SMBIOS 3.7, 6.1).
fn of_table(mut table: &[u8]) -> Vec<Vec<u8>> {
    let mut strings = Vec::new();
    while let [kind, fixed, ..] = *table
        && kind != END_OF_TABLE
    {
        let rest = table.get(usize::from(fixed).max(4)..).unwrap_or_default();
        let Some(end) = rest.windows(2).position(|pair| pair == [0, 0]) else { break };
        let whole = table.len() - rest.len() + end + 2;
        let (structure, others) = table.split_at(whole);
        if kind == OEM_STRINGS {
            strings.extend(oem_strings(structure));
        }
        table = others;
    }
    strings
}

/// The strings of a structure: they follow its fixed part, whose length is its second byte, each ends with a zero, and an empty one
/// ends them all.
fn oem_strings(raw: &[u8]) -> Vec<Vec<u8>> {
    let fixed = raw.get(1).map_or(usize::MAX, |length| usize::from(*length));
    let strings = raw.get(fixed..).unwrap_or_default().split(|byte| *byte == 0);
    strings.take_while(|string| !string.is_empty()).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Said;
    use crate::setting::testing::Tree;

    fn raw(strings: &[&str]) -> String {
        format!("\x0b\x05\x01\x02\x03{}\0\0", strings.join("\0"))
    }

    fn machine(strings: &[&str]) -> Tree {
        Tree::new()
            .file("/sys/firmware/dmi/entries/1-0/raw", "\x01\x05ab\x01trempe.tier=light\0\0")
            .file("/sys/firmware/dmi/entries/11-0/raw", &raw(strings))
    }

    fn told(tree: &Tree) -> Vec<(String, Said)> {
        look(&tree.system()).into_iter().map(|source| (source.name, source.said)).collect()
    }

    #[test]
    fn our_strings_are_found_among_others() {
        let tree = machine(&["Default string", "vendor=x", "trempe.tier=strict"])
            .file("/sys/firmware/dmi/entries/11-10/raw", &raw(&["trempe.config=access: {keep: [c]}"]))
            .file("/sys/firmware/dmi/entries/11-2/raw", &raw(&["trempe.config=\naccess:\n  keep: [b]\n"]));
        let keep = |text: &str| Said::Written(Box::new(Written::parse(text, "").unwrap()));
        let config = "SMBIOS trempe.config".to_owned();
        assert_eq!(
            told(&tree),
            [
                ("SMBIOS trempe.tier".to_owned(), Said::Written(Box::new(Written::tier("strict")))),
                (config.clone(), keep("\naccess:\n  keep: [b]\n")),
                (config, keep("access: {keep: [c]}")),
            ]
        );
        assert_eq!(told(&Tree::new()), []);
    }

    #[test]
    fn credentials_are_read_where_systemd_did_not() {
        let tree = machine(&[
            "io.systemd.credential:trempe.config=tier: strict",
            "io.systemd.credential.binary:trempe.config=dGllcjogbGlnaHQK",
            "io.systemd.credential:other=tier: strict",
        ]);
        let tier = |(_, said): (String, Said)| match said {
            Said::Written(written) => written.tier.map(|tier| tier.value),
            _ => None,
        };
        let tiers: Vec<_> = told(&tree).into_iter().filter_map(tier).collect();
        assert_eq!(tiers, ["strict", "light"]);
        let tree = tree.file("/run/credentials/@system/trempe.config", "tier: strict");
        assert_eq!(told(&tree), []);
    }

    #[test]
    fn mistakes_are_told_with_the_string() {
        for (string, said) in [
            ("trempe.tier=strickt", "SMBIOS trempe.tier: unknown tier \"strickt\" (did you mean strict?)"),
            ("trempe.config=tiers: x", "SMBIOS trempe.config:1:1: unknown field `tiers`"),
            ("trempe.teir=strict", "SMBIOS trempe.teir: there are trempe.tier and trempe.config"),
            ("io.systemd.credential.binary:trempe.config=?", "not base64"),
        ] {
            let told = told(&machine(&[string]));
            assert!(matches!(told.as_slice(), [(_, Said::Bad(bad))] if bad.contains(said)), "{told:?}");
        }
    }

    #[test]
    fn the_table_is_read_where_nobody_took_it_apart() {
        let structure =
            |kind: char, strings: &[&str]| format!("{kind}\x05\x01\x02\x03{}\0\0", strings.join("\0"));
        let table = [
            structure('\x01', &["maker", "trempe.tier=light"]),
            "\x7e\x04\x01\x02\0\0".to_owned(), // without strings
            structure('\x0b', &["Default string", "trempe.tier=strict"]),
            structure('\x0b', &["trempe.config=access: {keep: [b]}"]),
            structure('\x7f', &[]),
            structure('\x0b', &["trempe.tier=light"]),
        ];
        let names = |tree: &Tree| told(tree).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let tree = Tree::new().file(TABLE, &table.concat());
        assert_eq!(names(&tree), ["SMBIOS trempe.tier", "SMBIOS trempe.config"]);
        assert_eq!(told(&tree)[0].1, Said::Written(Box::new(Written::tier("strict"))));
        for length in 0..table.concat().len() {
            of_table(&table.concat().as_bytes()[..length]); // a firmware may say what it wants
        }
        assert_eq!(names(&machine(&[]).file(TABLE, &table.concat())), [""; 0], "taken apart already");
    }

    #[test]
    fn structures_cut_short_have_no_strings() {
        for raw in [&b""[..], b"\x0b", b"\x0b\xff\x00", b"\x0b\x05\x00\x00\x00", b"\x0b\x05\x00\x00\x00\0\0"]
        {
            assert!(oem_strings(raw).is_empty(), "{raw:?}");
        }
        assert_eq!(oem_strings(b"\x0b\x05\x00\x00\x01a=b"), [b"a=b"]);
    }
}
