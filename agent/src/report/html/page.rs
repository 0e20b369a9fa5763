//! The frame of every page: its policy, style and script.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::Escaped;

const STYLE: &str = include_str!("page.css");

/// A page.
pub struct Page<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its script.
    pub script: &'static str,
}

impl Page<'_> {
    /// Writes what comes before the content.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(
            out,
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\
             <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src '{}'; script-src '{}'; \
             base-uri 'none'; form-action 'none'\">\
             <meta name=viewport content=\"width=device-width, initial-scale=1\"><meta name=color-scheme content=\"light dark\">\
             <meta name=referrer content=no-referrer><meta name=generator content=\"Trempe {}\">\n<title>{}</title>\n\
             <style>{STYLE}</style></head>\n<body><main>\n",
            source(STYLE),
            source(self.script),
            env!("CARGO_PKG_VERSION"),
            Escaped(self.title)
        )
    }

    /// Writes what comes after it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "</main><script>{}</script></body></html>", self.script)
    }
}

/// A time as HTML, for people.
pub fn time(time: &str) -> String {
    let plain = time.replace('T', " ").replace('Z', " UTC");
    format!("<time datetime=\"{}\">{}</time>", Escaped(time), Escaped(&plain))
}

/// What the page's policy calls a text that may run, or style.
fn source(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

/// Base64 (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, n| bits << 8 | u32::from(chunk.get(n).copied().unwrap_or(0)));
        for n in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * n)) as usize & 63).copied().unwrap_or(b'=');
            text.push(char::from(if n <= chunk.len() { letter } else { b'=' }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{7ff}?", "378/"),
        ] {
            assert!(base64(text.as_bytes()).starts_with(expected), "{text:?}");
        }
    }
}
