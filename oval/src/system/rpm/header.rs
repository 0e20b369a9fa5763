//! A package's header: tags with values, in rpm's binary form (`lib/header.c` of rpm; numbers are big-endian).

use super::signature;

/// The most entries of a header, as in rpm.
const MAX_ENTRIES: usize = 0xffff;

/// Signatures of header and files together, by DSA and by RSA; those of the header alone oscap does not look at.
const SIGNATURES: [u32; 2] = [262, 259];
const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCH: u32 = 1022;
const SIZES: u32 = 1028;
const STATES: u32 = 1029;
const MODES: u32 = 1030;
const DEVICES: u32 = 1033;
const TIMES: u32 = 1034;
const DIGESTS: u32 = 1035;
const LINKS: u32 = 1036;
const FLAGS: u32 = 1037;
const USERS: u32 = 1039;
const GROUPS: u32 = 1040;
const VERIFY: u32 = 1045;
const DIRECTORY_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIRECTORY_NAMES: u32 = 1118;
const LONG_SIZES: u32 = 5008;
const CAPABILITIES: u32 = 5010;
const DIGEST_KIND: u32 = 5011;

/// A header: where its entries and its data are.
pub(crate) struct Header<'a> {
    entries: Vec<Entry>,
    data: &'a [u8],
}

struct Entry {
    tag: u32,
    kind: u32,
    offset: usize,
    count: usize,
}

/// A file of a package, as the package has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RpmFile {
    pub path: String,
    pub size: u64,
    pub mode: u32,
    pub modified: u64,
    pub device: u64,
    pub digest: String,
    /// The kind of digest, by OpenPGP's number; 0 means MD5.
    pub digest_kind: u64,
    pub link: String,
    pub user: String,
    pub group: String,
    pub capabilities: String,
    /// What kind of file: configuration 1, documentation 2, missing is fine 8, ghost 64, license 128, readme 256.
    pub flags: u64,
    /// What is to be verified.
    pub verify: u64,
    /// Whether it was installed: 0; other numbers say why it was not.
    pub state: u64,
}

impl<'a> Header<'a> {
    /// `None` when it makes no sense.
    pub fn parse(blob: &'a [u8]) -> Option<Header<'a>> {
        let entries = usize::try_from(number(blob, 0)?).ok().filter(|entries| *entries <= MAX_ENTRIES)?;
        let length = usize::try_from(number(blob, 4)?).ok()?;
        let start = 8 + 16 * entries;
        let data = blob.get(start..start.checked_add(length)?)?;
        let entry = |n: usize| {
            let at = 8 + 16 * n;
            let size = |at| usize::try_from(number(blob, at)?).ok();
            Some(Entry {
                tag: number(blob, at)?,
                kind: number(blob, at + 4)?,
                offset: size(at + 8)?,
                count: size(at + 12)?,
            })
        };
        Some(Header { entries: (0..entries).map(entry).collect::<Option<_>>()?, data })
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.text(NAME)
    }

    /// Its version.
    pub fn version(&self) -> String {
        self.text(VERSION)
    }

    /// Its release.
    pub fn release(&self) -> String {
        self.text(RELEASE)
    }

    /// Its epoch; `(none)` when it has none.
    pub fn epoch(&self) -> String {
        self.numbers(EPOCH).first().map_or_else(|| "(none)".to_owned(), u64::to_string)
    }

    /// Its architecture; `(none)` when it has none.
    pub fn architecture(&self) -> String {
        let architecture = self.text(ARCH);
        if architecture.is_empty() { "(none)".to_owned() } else { architecture }
    }

    /// The id of the key that signed it; `0` when nobody did.
    pub fn signature_key(&self) -> String {
        let signature = SIGNATURES.into_iter().find_map(|tag| self.bytes(tag));
        signature.and_then(signature::key_id).unwrap_or_else(|| "0".to_owned())
    }

    /// Its files.
    pub fn files(&self) -> Vec<RpmFile> {
        let (directories, indexes) = (self.texts(DIRECTORY_NAMES), self.numbers(DIRECTORY_INDEXES));
        let long = self.numbers(LONG_SIZES);
        let sizes = if long.is_empty() { self.numbers(SIZES) } else { long };
        let numbers = |tag| self.numbers(tag);
        let (modes, times, devices, flags) =
            (numbers(MODES), numbers(TIMES), numbers(DEVICES), numbers(FLAGS));
        let (verify, states) = (numbers(VERIFY), numbers(STATES));
        let texts = |tag| self.texts(tag);
        let (digests, links, users, groups) = (texts(DIGESTS), texts(LINKS), texts(USERS), texts(GROUPS));
        let capabilities = texts(CAPABILITIES);
        let digest_kind = numbers(DIGEST_KIND).first().copied().unwrap_or(0);
        let text = |list: &[String], n: usize| list.get(n).cloned().unwrap_or_default();
        let number = |list: &[u64], n: usize| list.get(n).copied().unwrap_or(0);
        let file = |(n, name): (usize, String)| {
            let directory = usize::try_from(number(&indexes, n)).unwrap_or(usize::MAX);
            RpmFile {
                path: format!("{}{name}", text(&directories, directory)),
                size: number(&sizes, n),
                mode: number(&modes, n) as u32,
                modified: number(&times, n),
                device: number(&devices, n),
                digest: text(&digests, n),
                digest_kind,
                link: text(&links, n),
                user: text(&users, n),
                group: text(&groups, n),
                capabilities: text(&capabilities, n),
                flags: number(&flags, n),
                verify: verify.get(n).copied().unwrap_or(u64::from(u32::MAX)),
                state: number(&states, n),
            }
        };
        self.texts(BASE_NAMES).into_iter().enumerate().map(file).collect()
    }

    fn entry(&self, tag: u32) -> Option<(&Entry, &'a [u8])> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag)?;
        Some((entry, self.data.get(entry.offset..)?))
    }

    fn text(&self, tag: u32) -> String {
        self.texts(tag).into_iter().next().unwrap_or_default()
    }

    /// The values of a tag that are texts.
    fn texts(&self, tag: u32) -> Vec<String> {
        let Some((entry, data)) = self.entry(tag) else { return Vec::new() };
        // 6 is one text, 8 many, 9 one in several languages.
        if !matches!(entry.kind, 6 | 8 | 9) {
            return Vec::new();
        }
        let texts = data.split(|byte| *byte == 0).take(entry.count);
        texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    /// The value of a tag that is bytes.
    fn bytes(&self, tag: u32) -> Option<&'a [u8]> {
        let (entry, data) = self.entry(tag)?;
        data.get(..entry.count).filter(|_| entry.kind == 7)
    }

    /// The values of a tag that are numbers.
    fn numbers(&self, tag: u32) -> Vec<u64> {
        let Some((entry, data)) = self.entry(tag) else { return Vec::new() };
        let width = match entry.kind {
            1 | 2 | 7 => 1,
            3 => 2,
            4 => 4,
            5 => 8,
            _ => return Vec::new(),
        };
        let value = |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        data.chunks_exact(width).take(entry.count).map(value).collect()
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of tags with texts (kind 8) and numbers (kind 4).
    fn blob(texts: &[(u32, &[&str])], numbers: &[(u32, &[u32])]) -> Vec<u8> {
        let (mut index, mut data) = (Vec::new(), Vec::new());
        let mut entry = |tag: u32, kind: u32, offset: usize, count: usize| {
            for number in [tag, kind, offset as u32, count as u32] {
                index.extend(number.to_be_bytes());
            }
        };
        for (tag, values) in texts {
            entry(*tag, 8, data.len(), values.len());
            values.iter().for_each(|value| data.extend([value.as_bytes(), b"\0"].concat()));
        }
        for (tag, values) in numbers {
            entry(*tag, 4, data.len(), values.len());
            values.iter().for_each(|value| data.extend(value.to_be_bytes()));
        }
        let count = (texts.len() + numbers.len()) as u32;
        [&count.to_be_bytes()[..], &(data.len() as u32).to_be_bytes(), &index, &data].concat()
    }

    #[test]
    fn tags_are_read() {
        let texts: [(u32, &[&str]); 3] =
            [(NAME, &["bash"]), (BASE_NAMES, &["bash", "sh"]), (DIRECTORY_NAMES, &["/usr/bin/"])];
        let blob = blob(&texts, &[(EPOCH, &[2]), (DIRECTORY_INDEXES, &[0, 0]), (SIZES, &[5, 6])]);
        let header = Header::parse(&blob).unwrap();
        assert_eq!(
            (header.name(), header.epoch(), header.architecture()),
            ("bash".into(), "2".into(), "(none)".into())
        );
        let files: Vec<_> = header.files().into_iter().map(|file| (file.path, file.size)).collect();
        assert_eq!(files, [("/usr/bin/bash".to_owned(), 5), ("/usr/bin/sh".to_owned(), 6)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [&[][..], &[0, 0, 0, 1, 0, 0, 0, 0], &[255; 8], &[0, 0, 0, 0, 255, 255, 255, 255]] {
            assert!(Header::parse(bad).is_none(), "{bad:?}");
        }
    }
}
