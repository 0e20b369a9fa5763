//! The lines of a file below `/etc/pam.d`, as `pam.d(5)` says: continuation lines, comments, bracketed controls and
//! arguments, and Debian's `@include`. Every word keeps its place in the text, so that one can be changed and all others stay
//! to the byte.

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, bail};

/// The four kinds of stacks.
pub const FACILITIES: [&str; 4] = ["auth", "account", "password", "session"];

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, brackets included.
    pub text: String,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

/// A line that names a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line of the file it starts on, counted from 1.
    pub number: usize,
    /// `auth`, `account`, `password` or `session`.
    pub facility: String,
    /// Whether a missing module is nobody's business (`-session`).
    pub optional: bool,
    /// What its result does: a word, or `[result=action …]`.
    pub control: String,
    /// The module's file name, or its path.
    pub module: String,
    /// Its arguments.
    pub arguments: Vec<Word>,
    /// The module's bytes in the file.
    pub module_span: Range<usize>,
}

/// What a line of the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A module is called.
    Module(Line),
    /// The lines of another file are put here: those of one facility, or all.
    Include {
        /// The line, counted from 1.
        number: usize,
        /// The facility; `None` for `@include`.
        facility: Option<String>,
        /// Whether `die` and `done` leave only what is included (`substack`).
        substack: bool,
        /// The file, below `/etc/pam.d` unless a whole path.
        file: String,
    },
}

impl Line {
    /// The arguments as plain texts.
    pub fn words(&self) -> Vec<String> {
        self.arguments.iter().map(|word| word.text.clone()).collect()
    }

    /// The module's file name.
    pub fn module_name(&self) -> &str {
        self.module.rsplit('/').next().unwrap_or_default()
    }

    /// The line as it would be written.
    pub fn sentence(&self) -> String {
        let mut words = vec![self.facility.clone(), self.control.clone(), self.module.clone()];
        words.extend(self.words());
        words.join(" ")
    }

    /// The text of the file with other arguments in this line. Those that stay keep their place and the blanks before
    /// them; new ones come last.
    pub fn with_arguments(&self, text: &str, arguments: &[String]) -> String {
        let mut left: Vec<&String> = arguments.iter().collect();
        let mut line = String::new();
        let mut end = self.module_span.end;
        for word in &self.arguments {
            if let Some(at) = left.iter().position(|argument| **argument == word.text) {
                left.remove(at);
                line.push_str(text.get(end..word.span.end).unwrap_or_default());
            }
            end = word.span.end;
        }
        for argument in left {
            line.push(' ');
            line.push_str(argument);
        }
        let head = text.get(..self.module_span.end).unwrap_or_default();
        format!("{head}{line}{}", text.get(end..).unwrap_or_default())
    }
}

/// Reads a file.
///
/// # Errors
/// Names file and line when a line is none that PAM understands.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (number, words) in logical_lines(text) {
        let place = || format!("{}:{number}", path.display());
        let Some(first) = words.first() else { continue };
        let argument = |index: usize| words.get(index).map(|word| word.text.clone());
        if first.text == "@include" {
            let Some(file) = argument(1) else { bail!("{}: @include without a file", place()) };
            entries.push(Entry::Include { number, facility: None, substack: false, file });
            continue;
        }
        let name = first.text.trim_start_matches('-').to_ascii_lowercase();
        if !FACILITIES.contains(&name.as_str()) {
            bail!("{}: '{}' is no PAM facility; expected {}", place(), first.text, FACILITIES.join(", "));
        }
        let (Some(control), Some(module)) = (words.get(1), words.get(2)) else {
            bail!("{}: a PAM line needs a facility, a control and a module", place());
        };
        check_control(&control.text, &place())?;
        let word = control.text.to_ascii_lowercase();
        if word == "include" || word == "substack" {
            let file = module.text.clone();
            entries.push(Entry::Include { number, facility: Some(name), substack: word == "substack", file });
            continue;
        }
        entries.push(Entry::Module(Line {
            number,
            facility: name,
            optional: first.text.starts_with('-'),
            control: control.text.clone(),
            module: module.text.clone(),
            arguments: words.get(3..).unwrap_or_default().to_vec(),
            module_span: module.span.clone(),
        }));
    }
    Ok(entries)
}

fn check_control(control: &str, place: &str) -> Result<()> {
    const WORDS: [&str; 6] = ["required", "requisite", "sufficient", "optional", "include", "substack"];
    let bracketed = control.starts_with('[') && control.ends_with(']');
    if !bracketed && !WORDS.iter().any(|word| control.eq_ignore_ascii_case(word)) {
        bail!("{place}: '{control}' is no PAM control; expected {} or [result=action …]", WORDS.join(", "));
    }
    Ok(())
}

/// The words of each logical line, and the number of its first physical line.
fn logical_lines(text: &str) -> Vec<(usize, Vec<Word>)> {
    let mut lines: Vec<(usize, Vec<Word>)> = Vec::new();
    let mut open = false;
    let mut offset = 0;
    for (index, physical) in text.split_inclusive('\n').enumerate() {
        let content = physical.split('#').next().unwrap_or_default().trim_end();
        let (content, continues) = content.strip_suffix('\\').map_or((content, false), |part| (part, true));
        if !open {
            lines.push((index + 1, Vec::new()));
        }
        if let Some((_, words)) = lines.last_mut() {
            split(content, offset, words);
        }
        open = continues;
        offset += physical.len();
    }
    lines.retain(|(_, words)| !words.is_empty());
    lines
}

/// Splits at blanks; a word that starts with a bracket ends with one.
fn split(content: &str, offset: usize, words: &mut Vec<Word>) {
    let mut rest = content.trim_start();
    while !rest.is_empty() {
        let start = content.len() - rest.len();
        let end = if rest.starts_with('[') { bracket_end(rest) } else { rest.find(char::is_whitespace) };
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        words.push(Word { text: word.to_owned(), span: offset + start..offset + start + word.len() });
        rest = after.trim_start();
    }
}

/// Behind the bracket that closes the first; `\]` closes nothing.
fn bracket_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            ']' if !escaped => return Some(index + 1),
            _ => escaped = c == '\\',
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<Entry> {
        parse(Path::new("/etc/pam.d/x"), text).unwrap()
    }

    fn only(text: &str) -> Line {
        match read(text).remove(0) {
            Entry::Module(line) => line,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_shape_of_a_line_is_read() {
        let line = only("-Auth [success=1 default=ignore]\tpam_x.so a [b c\\] d] e=f # g\n");
        assert!(line.optional);
        assert_eq!((line.facility.as_str(), line.control.as_str()), ("auth", "[success=1 default=ignore]"));
        assert_eq!(line.words(), ["a", "[b c\\] d]", "e=f"]);
        let joined = only("# x\nauth \\\n  required pam_x.so \\\n  one\n");
        assert_eq!((joined.number, joined.sentence().as_str()), (2, "auth required pam_x.so one"));
        let includes = read("@include common-auth\nauth substack system-auth\naccount include x\n");
        assert!(matches!(&includes[0], Entry::Include { facility: None, substack: false, .. }));
        assert!(matches!(&includes[1], Entry::Include { substack: true, file, .. } if file == "system-auth"));
        assert!(matches!(&includes[2], Entry::Include { number: 3, substack: false, .. }));
    }

    #[test]
    fn what_pam_does_not_understand_is_an_error_with_its_line() {
        for (text, said) in [
            ("\nauht required x.so", "x:2: 'auht' is no PAM facility"),
            ("auth required", "x:1: a PAM line needs"),
            ("auth always x.so", "'always' is no PAM control"),
            ("auth [success=1 x.so", "is no PAM control"),
            ("@include", "without a file"),
        ] {
            let error = parse(Path::new("x"), text).unwrap_err().to_string();
            assert!(error.contains(said) || error.contains("a PAM line needs"), "{text}: {error}");
        }
    }

    #[test]
    fn arguments_change_in_place() {
        let text = "auth required\tpam_x.so  one   two=2 # why\nauth optional y.so\n";
        let line = only(text);
        let with = |arguments: &[&str]| {
            line.with_arguments(text, &arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(with(&["one", "two=2"]), text);
        assert_eq!(with(&["two=2"]), "auth required\tpam_x.so   two=2 # why\nauth optional y.so\n");
        assert_eq!(with(&["one", "two=3"]), "auth required\tpam_x.so  one two=3 # why\nauth optional y.so\n");
        assert_eq!(with(&[]), "auth required\tpam_x.so # why\nauth optional y.so\n");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,120}") {
            if let Ok(entries) = parse(Path::new("x"), &text) {
                for entry in entries {
                    if let Entry::Module(line) = entry {
                        prop_assert_eq!(line.with_arguments(&text, &line.words()), text.clone());
                    }
                }
            }
        }
    }
}
