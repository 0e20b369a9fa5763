//! Passes over a document type declaration: what it declares is not read, so an entity that it defines is an error where it is used.

/// The text with the declaration blanked out, so that places in it stay the same; the error says that it does not end.
pub(super) fn without_declaration(mut text: String) -> Result<String, String> {
    let Some(start) = declaration(&text) else { return Ok(text) };
    let rest = text.get(start..).unwrap_or_default();
    let length = end(rest).ok_or("the document type declaration does not end")?;
    let blank: String = rest.bytes().take(length).map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(start..start + length, &blank);
    Ok(text)
}

/// Where it starts: only comments, instructions and blanks come before it.
fn declaration(text: &str) -> Option<usize> {
    let mut at = usize::from(text.starts_with('\u{feff}')) * '\u{feff}'.len_utf8();
    loop {
        let rest = text.get(at..)?;
        let blanks = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        at += blanks;
        if rest.starts_with("<!DOCTYPE") {
            return Some(at);
        }
        let close = [("<!--", "-->"), ("<?", "?>")].into_iter().find(|(open, _)| rest.starts_with(open))?.1;
        at += rest.find(close)? + close.len();
    }
}

/// How long the declaration is that a text starts with: up to the `>` outside of quotes, comments and the internal subset.
fn end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut subset) = ("<!DOCTYPE".len(), false);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        if subset && rest.starts_with("<!--") {
            at += rest.find("-->")? + 3;
            continue;
        }
        match *bytes.get(at)? {
            quote @ (b'"' | b'\'') => at += memchr::memchr(quote, bytes.get(at + 1..)?)? + 1,
            b'[' => subset = true,
            b']' => subset = false,
            b'>' if !subset => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_passed_over() {
        for (text, expected) in [
            ("<a/>", Some("<a/>")),
            ("<?xml version='1.0'?>\n<!DOCTYPE a>\n<a/>", Some("<?xml version='1.0'?>\n            \n<a/>")),
            ("<!DOCTYPE a PUBLIC \"x>\" 'y'><a/>", Some("                            <a/>")),
            ("<!-- <!DOCTYPE b> --><!DOCTYPE a [<!ENTITY x \"]>\"><!-- ]> ' -->]><a/>", None),
            ("<!DOCTYPE a [", None),
            ("<!DOCTYPE a \"", None),
            ("<a><!DOCTYPE a></a>", Some("<a><!DOCTYPE a></a>")),
        ] {
            let found = without_declaration(text.to_owned());
            match expected {
                Some(expected) => assert_eq!(found.as_deref(), Ok(expected), "{text}"),
                None if text.ends_with("<a/>") => assert!(found.unwrap().ends_with(" <a/>"), "{text}"),
                None => assert!(found.is_err(), "{text}"),
            }
        }
    }
}
