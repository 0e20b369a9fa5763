//! Whose key signed a package: the issuer in an OpenPGP signature (RFC 4880, sections 4.2, 5.2 and 5.2.3.5).

/// The tag of a signature packet.
const SIGNATURE: u8 = 2;

/// The type of the subpacket that names the issuer's key.
const ISSUER: u8 = 16;

/// The id of the key, 16 hexadecimal digits in lower case; `None` when this is no signature, or one that names no key.
pub(super) fn key_id(signature: &[u8]) -> Option<String> {
    let body = packet(signature)?;
    let id = match body.first()? {
        // Version, length of what is hashed, type, four bytes of time.
        3 => body.get(7..15)?,
        // Version, type, two algorithms; then subpackets that are hashed, and others.
        4 => {
            let (hashed, rest) = counted(body.get(4..)?)?;
            issuer(hashed).or_else(|| issuer(counted(rest)?.0))?
        }
        _ => return None,
    };
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The body of the first packet, when it is a signature.
fn packet(bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    let (tag, length, rest) = match first {
        0xc0.. => {
            let (length, rest) = length(rest)?;
            (first & 0x3f, length, rest)
        }
        0x80.. => {
            let width = match first & 3 {
                3 => return None,
                width => 1 << width,
            };
            let (length, rest) = rest.split_at_checked(width)?;
            (first >> 2 & 0xf, number(length), rest)
        }
        _ => return None,
    };
    rest.get(..length).filter(|_| tag == SIGNATURE)
}

/// The key that subpackets name.
fn issuer(mut subpackets: &[u8]) -> Option<&[u8]> {
    while !subpackets.is_empty() {
        let (length, rest) = length(subpackets)?;
        let (own, rest) = rest.split_at_checked(length)?;
        match own.split_first()? {
            // The highest bit says that it must be understood.
            (kind, id) if kind & 0x7f == ISSUER && id.len() == 8 => return Some(id),
            _ => subpackets = rest,
        }
    }
    None
}

/// What two bytes count, and what follows it.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_at_checked(2)?;
    rest.split_at_checked(number(count))
}

/// A length of one, two or five bytes, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match first {
        0..192 => Some((usize::from(*first), rest)),
        192..255 => {
            let (second, rest) = rest.split_first()?;
            Some((((usize::from(*first) - 192) << 8) + usize::from(*second) + 192, rest))
        }
        255 => {
            let (length, rest) = rest.split_at_checked(4)?;
            Some((number(length), rest))
        }
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |value, byte| value << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 8] = [0x47, 0xfd, 0xeb, 0x9e, 0x3c, 0xf7, 0x67, 0x22];

    fn old(body: &[u8]) -> Vec<u8> {
        [&[0x88, body.len() as u8][..], body].concat()
    }

    #[test]
    fn signatures_name_their_key() {
        let third = old(&[&[3, 5, 0, 1, 2, 3, 4][..], &ID, &[1, 8, 0, 0]].concat());
        let issuer = [&[9, 16][..], &ID].concat();
        // A time in what is hashed, the issuer in what is not, and the other way round; long forms of lengths.
        let time = [5, 2, 1, 2, 3, 4];
        let open = [&[4, 0, 1, 8, 0, 6][..], &time, &[0, 10], &issuer, &[0, 0]].concat();
        let hashed = [&[4, 0, 1, 8, 0, 10][..], &issuer, &[0, 6], &time, &[0, 0]].concat();
        let long = [&[0x89, 0, open.len() as u8][..], &open].concat();
        let new = [&[0xc2, open.len() as u8][..], &open].concat();
        let five = [&[0xc2, 255, 0, 0, 0, open.len() as u8][..], &open].concat();
        for signature in [third, old(&open), old(&hashed), long, new, five] {
            assert_eq!(key_id(&signature).as_deref(), Some("47fdeb9e3cf76722"), "{signature:x?}");
        }
    }

    #[test]
    fn what_is_no_signature_names_none() {
        let nobody = [4, 0, 1, 8, 0, 6, 5, 2, 1, 2, 3, 4, 0, 0, 0, 0];
        for bytes in
            [&[][..], &[0x88], &[0x88, 200, 4], &[0x99, 0, 3, 4, 0, 1], &[0x88, 3, 4, 0, 1], &[0xff; 9]]
        {
            assert_eq!(key_id(bytes), None, "{bytes:x?}");
        }
        assert_eq!(key_id(&old(&nobody)), None);
    }
}
