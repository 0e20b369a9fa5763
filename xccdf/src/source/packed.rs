//! Compressed content, as the SCAP Security Guide and vulnerability feeds are delivered: `.xz` and `.bz2`.
//!
//! What a file is shows in its first bytes, whatever its name. A small file can unpack to any size: the
//! result is bounded by the limit of the caller, the working memory of the decoder by [`DECODER_MEMORY`].
//! The decoder of `xz -9` remembers as much as the content is long. So that not both are in memory at once,
//! what comes out is packed again, quickly, until the decoder is done.

use crate::error::Error;
use crate::read::too_large;
use bzip2::read::MultiBzDecoder;
use lzma_rust2::XzReader;
use std::io::{self, Read};

/// Most KiB that unpacking `.xz` may use beside its result: enough for `xz -9`, which needs 64 MiB.
const DECODER_MEMORY: u32 = 80 << 10;
/// Bytes that are unpacked at a time.
const STEP: usize = 2 << 20;

/// The content of a file, unpacked when it is packed; `source` is what messages call it, `max_bytes` the most that may come out.
///
/// # Errors
/// When more comes out, or the file is damaged.
pub fn unpacked(bytes: Vec<u8>, source: &str, max_bytes: u64) -> Result<Vec<u8>, Error> {
    let damaged = |kind: &str, error: &io::Error| {
        Error::new(source, format!("cannot be unpacked as {kind}: {error}"))
            .remedy("the file is damaged or cut short: fetch or write it again")
    };
    if bytes.starts_with(b"\xFD7zXZ\0") {
        let decoder = XzReader::new_mem_limit(bytes.as_slice(), true, DECODER_MEMORY);
        return bounded(decoder, source, max_bytes)
            .map_err(|fault| fault.told(|error| damaged("xz", &error)));
    }
    if bytes.starts_with(b"BZh") {
        let decoder = MultiBzDecoder::new(bytes.as_slice());
        return bounded(decoder, source, max_bytes)
            .map_err(|fault| fault.told(|error| damaged("bzip2", &error)));
    }
    if bytes.len() as u64 > max_bytes { Err(too_large(source, max_bytes)) } else { Ok(bytes) }
}

/// Why unpacking failed.
enum Fault {
    TooLarge(Error),
    Damaged(io::Error),
}

impl Fault {
    fn told(self, damaged: impl FnOnce(io::Error) -> Error) -> Error {
        match self {
            Fault::TooLarge(error) => error,
            Fault::Damaged(error) => damaged(error),
        }
    }
}

fn bounded(mut decoder: impl Read, source: &str, max_bytes: u64) -> Result<Vec<u8>, Fault> {
    let (mut blocks, mut block, mut length) = (Vec::new(), Vec::with_capacity(STEP), 0);
    loop {
        block.clear();
        (&mut decoder).take(STEP as u64).read_to_end(&mut block).map_err(Fault::Damaged)?;
        length += block.len();
        if length as u64 > max_bytes {
            return Err(Fault::TooLarge(too_large(source, max_bytes)));
        }
        if block.is_empty() {
            break;
        }
        blocks.push(lz4_flex::compress_prepend_size(&block));
    }
    drop((decoder, block));
    let mut out = Vec::with_capacity(length);
    for block in blocks {
        let plain = lz4_flex::decompress_size_prepended(&block);
        out.extend(plain.map_err(|error| Fault::Damaged(io::Error::other(error)))?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bzip2::Compression;
    use bzip2::read::BzEncoder;

    fn bz2(content: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        BzEncoder::new(content, Compression::best()).read_to_end(&mut packed).unwrap();
        packed
    }

    /// `<a/>`, as `xz -9 --check=crc32` packs it.
    const XZ: &[u8] = b"\xfd7zXZ\0\0\x01i\"\xde6\x02\0!\x01\x1c\0\0\0\x10\xcfX\xcc\x01\0\x03<a/>\0\xd4\x1c\xd1\x01\0\x01\x18\x04\
        k\xe9\xf0\xa5\x90B\x99\x0d\x01\0\0\0\0\x01YZ";

    #[test]
    fn unpacks_what_is_packed_and_nothing_else() {
        assert_eq!(unpacked(XZ.to_vec(), "a.xml.xz", 10).unwrap(), b"<a/>");
        assert_eq!(unpacked([XZ, XZ].concat(), "a.xml.xz", 10).unwrap(), b"<a/><a/>");
        assert!(unpacked([XZ, b"x"].concat(), "a.xml.xz", 10).is_err());
        assert_eq!(unpacked(b"<a/>".to_vec(), "a.xml", 10).unwrap(), b"<a/>");
        assert_eq!(unpacked(bz2(b"<a/>"), "a.xml.bz2", 10).unwrap(), b"<a/>");
        let two = [bz2(b"<a>"), bz2(b"</a>")].concat();
        assert_eq!(unpacked(two, "a.xml.bz2", 10).unwrap(), b"<a></a>");
    }

    #[test]
    fn bounds_what_comes_out() {
        let bomb = bz2(&vec![b' '; 5 << 20]);
        assert!(bomb.len() < 1000);
        let told = unpacked(bomb.clone(), "bomb", 4 << 20).unwrap_err().to_string();
        assert!(told.starts_with("bomb: larger than 4194304 bytes"), "{told}");
        assert_eq!(unpacked(bomb, "bomb", 5 << 20).unwrap().len(), 5 << 20);
        assert!(unpacked(vec![b'x'; 11], "plain", 10).is_err());
    }

    #[test]
    fn damage_is_told() {
        let packed = bz2(b"<a/>");
        for cut in [4, 10, packed.len() - 1] {
            let told = unpacked(packed[..cut].to_vec(), "cut.bz2", 100).unwrap_err().to_string();
            assert!(told.contains("cut.bz2: cannot be unpacked as bzip2"), "{told}");
        }
        let told = unpacked(b"\xFD7zXZ\0\0\0".to_vec(), "cut.xz", 100).unwrap_err().to_string();
        assert!(told.contains("cut.xz: cannot be unpacked as xz"), "{told}");
    }
}
