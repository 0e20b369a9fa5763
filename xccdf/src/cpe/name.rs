//! Names of platforms: CPE URIs (`cpe:/o:debian:debian_linux:12`, CPE 2.2) and formatted strings
//! (`cpe:2.3:o:…`, NISTIR 7695 section 6.2).

/// Fields of a name: part, vendor, product, version, update, edition, language, and the four that CPE 2.3
/// added.
const FIELDS: usize = 11;
/// Place of the edition, which in a URI can hold the added fields too.
const EDITION: usize = 5;
/// Fields a URI can have.
const URI_FIELDS: usize = 7;

/// The name of a platform. Letters of either case are alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// The fields in lower case; those that are not said are `None`.
    fields: [Option<String>; FIELDS],
}

impl Name {
    /// Reads a name; `None` for what is not one.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("cpe:2.3:") {
            Some(rest) => string(rest),
            None => uri(text),
        }
    }

    /// Whether another name is this one or a narrower one: it says all that this one says.
    pub fn covers(&self, other: &Name) -> bool {
        let said = self.fields.iter().zip(&other.fields);
        said.into_iter().all(|(own, other)| own.is_none() || own == other)
    }

    fn set(&mut self, field: usize, value: String) {
        if let Some(place) = self.fields.get_mut(field) {
            *place = (!value.is_empty()).then(|| value.to_lowercase());
        }
    }
}

fn uri(text: &str) -> Option<Name> {
    let (scheme, rest) = text.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case("cpe:/") {
        return None;
    }
    let fields: Vec<&str> = rest.split(':').collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '%');
    let part = fields.first().is_some_and(|part| part.is_empty() || is_part(part, "ahoAHO"));
    if !part || fields.len() > URI_FIELDS || !fields.iter().all(|field| field.chars().all(plain)) {
        return None;
    }
    let mut name = Name::default();
    for (n, field) in fields.into_iter().enumerate() {
        match field.strip_prefix('~').filter(|_| n == EDITION) {
            Some(packed) => {
                let mut parts = packed.split('~');
                name.set(EDITION, decoded(parts.next().unwrap_or_default())?);
                for (added, part) in (URI_FIELDS..FIELDS).zip(parts) {
                    name.set(added, decoded(part)?);
                }
            }
            None => name.set(n, decoded(field)?),
        }
    }
    Some(name)
}

fn string(rest: &str) -> Option<Name> {
    let fields: Vec<&str> = rest.split(':').collect();
    let part = fields.first().is_some_and(|part| is_part(part, "aho*-"));
    if !part || fields.len() != FIELDS || fields.iter().any(|field| !is_value(field)) {
        return None;
    }
    let mut name = Name::default();
    for (n, field) in fields.into_iter().enumerate() {
        name.set(n, decoded(field)?);
    }
    Some(name)
}

fn is_part(text: &str, known: &str) -> bool {
    text.len() == 1 && known.contains(text)
}

/// Whether a field of a formatted string is well-formed: anything but letters, digits, `-`, `.`, `_` and the
/// wild cards has a backslash before it.
fn is_value(field: &str) -> bool {
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        let fine = match c {
            '\\' => chars.next().is_some_and(|c| c.is_ascii_punctuation()),
            '*' | '?' | '-' | '.' | '_' => true,
            c => c.is_ascii_alphanumeric(),
        };
        if !fine {
            return false;
        }
    }
    !field.is_empty()
}

/// A field with its `%41` written out.
fn decoded(field: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = more;
            continue;
        }
        let digits = more.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        let value = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if value == 0 {
            return None;
        }
        bytes.push(value);
        rest = more.get(2..)?;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_covers_itself_and_narrower_ones() {
        for (wide, narrow, covers) in [
            ("cpe:/o:debian:debian_linux:12", "cpe:/o:debian:debian_linux:12", true),
            ("cpe:/o:debian:debian_linux", "cpe:/o:debian:debian_linux:12", true),
            ("cpe:/o:debian:debian_linux:12", "cpe:/o:debian:debian_linux", false),
            ("cpe:/o:debian:debian_linux:1", "cpe:/o:debian:debian_linux:12", false),
            ("cpe:/o:Debian:debian_linux:12", "cpe:/o:debian:Debian_linux:12", true),
            ("cpe:/o::debian_linux", "cpe:/o:x:debian_linux:12", true),
            ("cpe:/a:debian", "cpe:/o:debian", false),
            ("cpe:/", "cpe:/o:debian", true),
            ("cpe:/o:a:b:%31", "cpe:/o:a:b:1", true),
            ("cpe:/o:a:b:1::~e~s~t", "cpe:2.3:o:a:b:1:x:e:y:s:t:z:z", true),
            ("cpe:2.3:o:a:b:*:*:*:*:*:*:*:*", "cpe:2.3:o:a:b:1:*:*:*:*:*:*:*", false),
        ] {
            let [own, other] =
                [wide, narrow].map(|text| Name::parse(text).unwrap_or_else(|| panic!("{text}")));
            assert_eq!(own.covers(&other), covers, "{wide} {narrow}");
        }
    }

    #[test]
    fn what_is_no_name() {
        for text in [
            "",
            "#sshd",
            "sshd",
            "cpe:/x:y",
            "cpe:/o:a b",
            "cpe:/o:%zz",
            "cpe:/o:%00",
            "cpe:/o:1:2:3:4:5:6:7",
            "cpe:2.3:o:a",
            "cpe:2.3:o:a:b:1:*:*:*:*:*:*",
            "cpe:2.3:o:a:b:1 2:*:*:*:*:*:*:*",
        ] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
