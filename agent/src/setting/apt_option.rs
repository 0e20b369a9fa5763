//! Switches of APT.
//!
//! As `apt.conf(5)` says: the files of `apt.conf.d` are read in the order of their names, `apt.conf` after them, and the last
//! assignment counts. Names do not mind their case, and may be written whole (`APT::Install-Recommends "0";`) or as blocks.

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OWNED_HEADER, Setting};
use crate::change::Change;
use crate::finding::Finding;
use crate::system::System;

const MAIN: &str = "/etc/apt/apt.conf";
const DIR: &str = "/etc/apt/apt.conf.d";
/// Our own drop-in. A file without an extension is read like one that ends in `.conf`.
const DROP_IN: &str = "/etc/apt/apt.conf.d/99-zz-trempe";

/// Switches of APT that are off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AptOption {
    /// The full names of the switches: `APT::Install-Recommends`.
    pub off: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Assignment {
    name: String,
    value: String,
    line: usize,
}

impl Setting for AptOption {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut finding = Finding::new();
        let mut all: Vec<(String, Assignment)> = Vec::new();
        for file in files(system)? {
            let text = system.read_text(&file)?.unwrap_or_default();
            let found = parse(&text).with_context(|| format!("reading {file}"))?;
            all.extend(found.into_iter().map(|assignment| (file.clone(), assignment)));
        }
        let mut own = system.read_text(DROP_IN)?.unwrap_or_else(|| OWNED_HEADER.to_owned());
        let before = own.clone();
        let mut late = None;
        for name in &self.off {
            let wanted = format!("{name} \"0\"");
            match all.iter().rfind(|(_, found)| found.name.eq_ignore_ascii_case(name)) {
                Some((file, found)) => {
                    let place = format!("{file}:{}", found.line);
                    finding.persistent(
                        is_off(&found.value),
                        format!("{name} \"{}\"", found.value),
                        wanted,
                        place,
                    );
                    if !is_off(&found.value) && file == MAIN {
                        late = Some(format!("{file}:{}", found.line));
                    }
                    if !is_off(&found.value) {
                        own = set(&own, name);
                    }
                }
                None => {
                    finding.persistent(false, "not set", wanted, DIR);
                    own = set(&own, name);
                }
            }
        }
        if own != before {
            finding.change(Change::write(DROP_IN, own));
        }
        if let Some(place) = late {
            finding.manual(format!("{place} is read after all drop-ins: take that line out"));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        format!("APT has switched off: {}", self.off.join(", "))
    }
}

/// The files APT reads, in its order.
fn files(system: &System) -> Result<Vec<String>> {
    let allowed = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && name.rsplit_once('.').is_none_or(|(_, extension)| extension == "conf")
    };
    let names = system.list(DIR)?;
    let parts = names.iter().filter(|name| allowed(name)).map(|name| format!("{DIR}/{name}"));
    Ok(parts.chain([MAIN.to_owned()]).collect())
}

/// The words APT takes for no (`StringToBool` of its library).
fn is_off(value: &str) -> bool {
    ["0", "no", "false", "without", "off", "disable"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// A piece of `apt.conf(5)`.
#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Mark(char),
}

fn parse(text: &str) -> Result<Vec<Assignment>> {
    let mut found = Vec::new();
    let mut scopes: Vec<String> = Vec::new();
    let mut name = String::new();
    let mut value: Option<String> = None;
    for (token, line) in tokens(text)? {
        match token {
            Token::Word(word) if name.is_empty() => name = word,
            Token::Word(word) | Token::Quoted(word) => value = Some(word),
            Token::Mark('{') => scopes.push(std::mem::take(&mut name)),
            Token::Mark('}') => {
                if scopes.pop().is_none() {
                    bail!("line {line}: a closing brace without an opening one");
                }
            }
            Token::Mark(_) => {
                if let Some(value) = value.take().filter(|_| !name.is_empty()) {
                    let parts: Vec<&str> = scopes.iter().map(String::as_str).chain([name.as_str()]).collect();
                    found.push(Assignment { name: parts.join("::"), value, line });
                }
                name.clear();
                value = None;
            }
        }
    }
    if !scopes.is_empty() {
        bail!("the block of {} is not closed", scopes.join("::"));
    }
    Ok(found)
}

fn tokens(text: &str) -> Result<Vec<(Token, usize)>> {
    let mut found = Vec::new();
    let mut rest = text;
    let line = |rest: &str| 1 + text.len().checked_sub(rest.len()).map_or(0, |at| newlines(text, at));
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(found) };
        if rest.starts_with("//") || first == '#' {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let Some((_, after)) = comment.split_once("*/") else {
                bail!("line {}: the comment is not closed", line(rest));
            };
            rest = after;
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let Some((inner, after)) = quoted.split_once('"') else {
                bail!("line {}: the quotation mark is not closed", line(rest));
            };
            found.push((Token::Quoted(inner.to_owned()), line(rest)));
            rest = after;
        } else if "{};".contains(first) {
            found.push((Token::Mark(first), line(rest)));
            rest = rest.get(1..).unwrap_or_default();
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || "{};\"".contains(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            found.push((Token::Word(word.to_owned()), line(rest)));
            rest = after;
        }
    }
}

fn newlines(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The text of our drop-in with a switch off; others keep their lines.
fn set(text: &str, name: &str) -> String {
    let ours =
        |line: &&str| line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(name));
    let mut lines: Vec<String> = text.lines().filter(|line| !ours(line)).map(str::to_owned).collect();
    lines.push(format!("{name} \"0\";"));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    fn setting() -> AptOption {
        AptOption { off: vec!["APT::Install-Recommends".into(), "APT::Install-Suggests".into()] }
    }

    #[test]
    fn both_ways_of_writing_are_read() {
        for (text, expected) in [
            ("APT::Install-Recommends \"0\";\n", vec![("APT::Install-Recommends", "0", 1)]),
            (
                "APT {\n  Install-Recommends \"false\"; // why\n};\n",
                vec![("APT::Install-Recommends", "false", 2)],
            ),
            ("# x\n/* APT::A \"1\";\n*/ APT::B 1;\n", vec![("APT::B", "1", 3)]),
            ("DPkg::Post-Invoke { \"rm -f x || true\"; };\n", vec![]),
        ] {
            let found = parse(text).unwrap();
            let found: Vec<(&str, &str, usize)> =
                found.iter().map(|one| (one.name.as_str(), one.value.as_str(), one.line)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_closed_is_an_error_with_its_line() {
        for text in ["APT {\n", "a \"b\n", "/* x", "};\n"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let tree = Tree::new().file("/etc/apt/apt.conf.d/10x", "\nAPT::A \"1;\n");
        let error = format!("{:#}", setting().examine(&tree.system()).unwrap_err());
        assert!(error.contains("/etc/apt/apt.conf.d/10x") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn the_last_file_decides_and_our_own_comes_last() {
        let tree = Tree::new()
            .file("/etc/apt/apt.conf.d/10x", "APT::Install-Recommends \"1\";\n")
            .file("/etc/apt/apt.conf.d/20y.conf.disabled", "nonsense {");
        tree.round_trip(&setting());
        let text = tree.applied(&setting()).text(DROP_IN);
        let lines = "APT::Install-Recommends \"0\";\nAPT::Install-Suggests \"0\";\n";
        assert_eq!(text, format!("{OWNED_HEADER}{lines}"));
    }

    #[test]
    fn the_main_file_is_left_to_a_person() {
        let tree = Tree::new().file(MAIN, "APT::Install-Suggests \"true\";\n");
        let finding = setting().examine(&tree.system()).unwrap();
        assert!(finding.manual.unwrap().contains("apt.conf:1"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_read(text: String) {
            drop(parse(&text));
        }
    }
}
