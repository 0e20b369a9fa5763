//! Text of a machine made fit for a document: what a file says must not end an element, move the cursor of a terminal or fill a disk.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// So much of one text is shown to people, in characters.
pub const SHOWN: usize = 4_000;
/// So many pieces of evidence of one rule are shown to people.
pub const PIECES: usize = 100;

/// Whether a character stands for nothing that can be read: it steers a terminal, turns the direction of writing, or is none that
/// XML 1.0 has (section 2.2). Line ends and tabs are no such characters.
pub fn steers(c: char) -> bool {
    let direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && !matches!(c, '\n' | '\t')) || direction || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// The text, with a sign in the place of every character that [`steers`].
pub fn clean(text: &str) -> Cow<'_, str> {
    match text.contains(steers) {
        true => Cow::Owned(text.replace(steers, "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

/// The first `most` characters, and how many more there are.
pub fn bounded(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let (shown, rest) = text.split_at_checked(end).unwrap_or((text, ""));
            Cow::Owned(format!("{shown}… ({} more characters)", rest.chars().count()))
        }
    }
}

/// [`clean`] and [`bounded`] to what people are shown.
pub fn shown(text: &str) -> String {
    clean(&bounded(text, SHOWN)).into_owned()
}

/// [`shown`] on one line: whoever may name a file must not be able to write a line of a report.
pub fn line(text: &str) -> String {
    shown(text).replace('\n', "\u{fffd}")
}

/// A text in HTML or XML, as content or in an attribute between double quotes: [`shown`], and escaped.
pub struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in bounded(self.0, SHOWN).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c if steers(c) => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_shown_as_a_sign() {
        for (text, expected) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("\u{1b}[2Jgone\r", "\u{fffd}[2Jgone\u{fffd}"),
            ("a\u{202e}b\u{0}", "a\u{fffd}b\u{fffd}"),
            ("\u{ffff}é", "\u{fffd}é"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
        assert_eq!(line("a\nset mode\u{1b}[31m"), "a\u{fffd}set mode\u{fffd}[31m");
    }

    #[test]
    fn long_texts_say_how_much_is_left_out() {
        assert_eq!(bounded("éé", 2), "éé");
        assert_eq!(bounded("ééé", 1), "é… (2 more characters)");
        assert_eq!(bounded("", 0), "");
    }

    #[test]
    fn markup_of_others_is_text() {
        let escaped = Escaped("<script>alert(\"1\" & '2')</script>\u{1}").to_string();
        assert_eq!(escaped, "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;\u{fffd}");
        assert!(Escaped(&"<".repeat(1 << 20)).to_string().len() < 5 * SHOWN);
    }
}
