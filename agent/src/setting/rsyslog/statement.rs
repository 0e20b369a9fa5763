//! The statements of rsyslog's configuration that settings ask about: legacy directives (`$Name value`) and RainerScript
//! objects (`name(parameter="value" …)`), wherever they stand, over as many lines as they take. Filters, templates' bodies
//! and expressions are passed over.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::system::System;

/// The objects that are read.
const OBJECTS: [&str; 5] = ["module", "input", "action", "global", "include"];

/// How deep files may include each other.
const MAX_DEPTH: usize = 8;

/// A statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is.
    pub kind: Kind,
    /// The file.
    pub file: PathBuf,
    /// Its first line, from 1.
    pub first: usize,
    /// Its last line.
    pub last: usize,
}

/// What a statement is. Names are in lower case: rsyslog does not mind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `$Name value`
    Directive {
        /// The name, without the dollar.
        name: String,
        /// The rest of the line.
        value: String,
    },
    /// `name(parameter="value")`
    Object {
        /// The name.
        name: String,
        /// The parameters, in order.
        parameters: Vec<(String, String)>,
    },
}

impl Statement {
    /// The value of a directive of that name, or of a parameter of that name.
    pub fn value(&self, name: &str) -> Option<&str> {
        match &self.kind {
            Kind::Directive { name: own, value } => own.eq_ignore_ascii_case(name).then_some(value),
            Kind::Object { parameters, .. } => parameters
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str()),
        }
    }

    /// Where it stands, for people.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.first)
    }

    /// The statement in short, for people.
    pub fn text(&self) -> String {
        match &self.kind {
            Kind::Directive { name, value } => format!("${name} {value}").trim_end().to_owned(),
            Kind::Object { name, parameters } => {
                let list: Vec<String> =
                    parameters.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
                format!("{name}({})", list.join(" "))
            }
        }
    }

    /// Whether it includes the files of a directory.
    pub fn includes(&self, dir: &str) -> bool {
        self.included().is_some_and(|path| Path::new(path).parent() == Some(Path::new(dir)))
    }

    fn included(&self) -> Option<&str> {
        match &self.kind {
            Kind::Directive { name, value } if name == "includeconfig" => Some(value),
            Kind::Object { name, .. } if name == "include" => self.value("file"),
            _ => None,
        }
    }
}

/// Every statement of a file and of what it includes, in the order in which they are read.
///
/// # Errors
/// When a file cannot be read, an object is not closed, or files include each other without end.
pub fn read(system: &System, file: &Path) -> Result<Vec<Statement>> {
    let mut found = Vec::new();
    read_into(system, file, 0, &mut found)?;
    Ok(found)
}

fn read_into(system: &System, file: &Path, depth: usize, found: &mut Vec<Statement>) -> Result<()> {
    if depth > MAX_DEPTH {
        bail!("{}: files include each other more than {MAX_DEPTH} deep", file.display());
    }
    let text = system.read_text(file)?.unwrap_or_default();
    for statement in parse(file, &text)? {
        let included = statement.included().map(PathBuf::from);
        found.push(statement);
        if let Some(pattern) = included {
            for path in matching(system, &pattern)? {
                read_into(system, &path, depth + 1, found)?;
            }
        }
    }
    Ok(())
}

/// A file and every file it includes.
///
/// # Errors
/// As [`read`].
pub fn files(system: &System, file: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![file.to_owned()];
    for statement in read(system, file)? {
        if let Some(pattern) = statement.included() {
            found.extend(matching(system, Path::new(pattern))?);
        }
    }
    Ok(found)
}

/// The files that a pattern in the last part of a path stands for, by name.
fn matching(system: &System, pattern: &Path) -> Result<Vec<PathBuf>> {
    let (Some(dir), Some(name)) = (pattern.parent(), pattern.file_name()) else { return Ok(Vec::new()) };
    let name = name.to_string_lossy();
    let names = system.list(dir)?;
    Ok(names.iter().filter(|other| fits(&name, other)).map(|other| dir.join(other)).collect())
}

/// Whether a name fits a pattern with stars and question marks, as `glob(7)`: a hidden file only when the pattern says so.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // The last star, and where in the name what follows it was tried.
    let mut star = None;
    while n < name.len() {
        match (pattern.get(p), star) {
            (Some('*'), _) => {
                star = Some((p, n));
                p += 1;
            }
            (Some(c), _) if *c == '?' || Some(c) == name.get(n) => {
                p += 1;
                n += 1;
            }
            (_, Some((at, from))) => {
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
            (_, None) => return false,
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// The statements of a text.
///
/// # Errors
/// When an object is not closed, with its place.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Statement>> {
    let mut scanner = Scanner { text, at: 0, line: 1 };
    let mut found = Vec::new();
    let mut begins_line = true;
    while let Some(c) = scanner.peek() {
        let first = scanner.line;
        match c {
            '\n' | ' ' | '\t' | '\r' => {
                begins_line |= c == '\n';
                scanner.step();
                continue;
            }
            '#' => scanner.skip_line(),
            '$' if begins_line => {
                let line = scanner.rest_of_line();
                let (name, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
                let kind = Kind::Directive {
                    name: name.trim_start_matches('$').to_ascii_lowercase(),
                    value: value.split('#').next().unwrap_or_default().trim().to_owned(),
                };
                found.push(Statement { kind, file: file.to_owned(), first, last: first });
            }
            '"' | '\'' => drop(scanner.quoted(c)),
            '/' if scanner.text.get(scanner.at..).is_some_and(|rest| rest.starts_with("/*")) => {
                scanner.skip_comment()
            }
            c if c.is_ascii_alphabetic() => {
                let name = scanner.word().to_ascii_lowercase();
                if OBJECTS.contains(&name.as_str()) && scanner.opens() {
                    let Some(parameters) = scanner.parameters() else {
                        bail!("{}:{first}: {name}( is not closed with a ')'", file.display());
                    };
                    let kind = Kind::Object { name, parameters };
                    found.push(Statement { kind, file: file.to_owned(), first, last: scanner.line });
                }
            }
            _ => scanner.step(),
        }
        begins_line = false;
    }
    Ok(found)
}

/// A place in a text.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn step(&mut self) {
        if let Some(c) = self.peek() {
            self.at += c.len_utf8();
            self.line += usize::from(c == '\n');
        }
    }

    fn rest_of_line(&mut self) -> &'a str {
        let line = self.rest().split('\n').next().unwrap_or_default();
        self.at += line.len();
        line
    }

    fn skip_line(&mut self) {
        self.rest_of_line();
    }

    fn skip_comment(&mut self) {
        while self.peek().is_some() && !self.rest().starts_with("*/") {
            self.step();
        }
        self.step();
        self.step();
    }

    /// A word of letters, digits and what names of parameters have besides.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                '#' => self.skip_line(),
                '/' if self.rest().starts_with("/*") => self.skip_comment(),
                c if c.is_whitespace() || c == ',' => self.step(),
                _ => return,
            }
        }
    }

    /// Steps over an opening parenthesis, if one comes next.
    fn opens(&mut self) -> bool {
        let blanks = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        let opens = self.rest().get(blanks..).is_some_and(|rest| rest.starts_with('('));
        if opens {
            self.at += blanks + 1;
        }
        opens
    }

    /// A text in quotes; a backslash takes the next character as it is.
    fn quoted(&mut self, quote: char) -> String {
        let mut value = String::new();
        self.step();
        while let Some(mut c) = self.peek() {
            self.step();
            if c == quote {
                break;
            }
            if c == '\\' {
                let Some(escaped) = self.peek() else { break };
                self.step();
                c = escaped;
            }
            value.push(c);
        }
        value
    }

    /// The parameters up to the closing parenthesis; `None` when the text ends before it.
    fn parameters(&mut self) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek()? {
                ')' => {
                    self.at += 1;
                    return Some(found);
                }
                c if c.is_ascii_alphabetic() => {
                    let name = self.word().to_ascii_lowercase();
                    self.skip_blanks();
                    if self.peek()? != '=' {
                        continue;
                    }
                    self.step();
                    self.skip_blanks();
                    let value = match self.peek()? {
                        quote @ ('"' | '\'') => self.quoted(quote),
                        _ => self.word().to_owned(),
                    };
                    found.push((name, value));
                }
                quote @ ('"' | '\'') => drop(self.quoted(quote)),
                _ => self.step(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<String> {
        parse(Path::new("f"), text)
            .unwrap()
            .iter()
            .map(|one| format!("{} {}", one.first, one.text()))
            .collect()
    }

    #[test]
    fn both_syntaxes_are_read() {
        let text = "# $ModLoad imtcp\n$ModLoad imudp # why\n  $FileCreateMode 0640\n\
            module(load=\"imuxsock\") module( load = 'imtcp' )\n*.* action(type=\"omfwd\"\n   Target=\"a(b)\" # c\n Port=514)\n\
            /* input(type=\"imtcp\") */\nif $msg contains \"input(type=\" then { action(type=\"x\") }\n*.emerg :omusrmsg:*\n";
        assert_eq!(
            texts(text),
            [
                "2 $modload imudp",
                "3 $filecreatemode 0640",
                "4 module(load=\"imuxsock\")",
                "4 module(load=\"imtcp\")",
                "5 action(type=\"omfwd\" target=\"a(b)\" port=\"514\")",
                "9 action(type=\"x\")",
            ]
        );
        let lines = parse(Path::new("f"), text).unwrap();
        assert_eq!((lines[4].first, lines[4].last), (5, 7));
    }

    #[test]
    fn an_open_object_is_an_error_with_its_place() {
        let error = parse(Path::new("/etc/rsyslog.conf"), "\nmodule(load=\"x\"\n").unwrap_err().to_string();
        assert_eq!(error, "/etc/rsyslog.conf:2: module( is not closed with a ')'");
    }

    #[test]
    fn names_fit_patterns() {
        for (pattern, name, holds) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.conf", true),
            ("*.conf", "a.confx", false),
            ("*.conf", ".a.conf", false),
            ("5*-x*", "50-xyz", true),
            ("5*-x*", "40-xyz", false),
            ("x.conf", "x.conf", true),
            ("x.conf", "x.conff", false),
            ("*", "any", true),
        ] {
            assert_eq!(fits(pattern, name), holds, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "([$#\"'()/*=\\\\ a-z\n]|action\\(|é)*", pattern in "[a*]*", name in "[a.]*") {
            drop(parse(Path::new("f"), &text));
            fits(&pattern, &name);
        }
    }
}
