//! The records that a path selects in a YAML file (`yaml_path_query` of OpenSCAP 1.3.7): each mapping is one, with its keys, and so is each
//! sequence of scalars, or a scalar, under the name `#`. Structures inside them are an error.
//!
//! Aliases are not followed, as there: they have no value, and a mapping that has one goes out of step. So nothing grows while it is read.

use super::filter::{Event, Filter};
use super::path::Path;
use super::scalar;
use crate::item::Part;
use granit_parser::{Event as Parsed, Parser, ScalarStyle, Tag, options};

/// The most values that are selected in one file.
const MAX_VALUES: usize = 100_000;

/// How deep a file may nest, as in libyaml.
const MAX_DEPTH: usize = 1000;

/// What a path selects.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selected {
    /// The fields of each record.
    pub records: Vec<Vec<Part>>,
    /// The line of the first value, from 1.
    pub line: Option<usize>,
}

/// What a path selects in a text; the error says what is wrong with the text, or why it cannot be a record.
pub(super) fn select(path: &Path, text: &str) -> Result<Selected, String> {
    let options = options! {
        // What libyaml does.
        block_scalar_eof_without_line_feed: true,
        bom_inside_document_as_content: true,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut reader = Reader { filter: Filter::new(path), records: Records::default() };
    let mut parser = Parser::new_from_str_with_options(text, options).peekable();
    while let Some(next) = parser.next() {
        let (event, span) = next.map_err(|error| error.to_string())?;
        // The name of a node's anchor comes behind the node.
        let anchor = match parser.peek() {
            Some(Ok((Parsed::Anchor(_, name), _))) => Some(name.clone()),
            _ => None,
        };
        reader.take(&event, anchor.as_deref(), span.start.line())?;
    }
    Ok(reader.records.finish())
}

struct Reader<'a> {
    filter: Filter<'a>,
    records: Records,
}

impl Reader<'_> {
    fn take(&mut self, event: &Parsed<'_>, anchor: Option<&str>, line: usize) -> Result<(), String> {
        let plain = match event {
            Parsed::StreamStart | Parsed::StreamEnd => Event::Stream,
            Parsed::DocumentStart(..) => Event::Document,
            Parsed::DocumentEnd => Event::DocumentEnd,
            Parsed::Alias(_) | Parsed::UnresolvedAlias(_) => Event::Alias,
            Parsed::Scalar(text, ..) => Event::Scalar(anchor, text),
            Parsed::SequenceStart(..) => Event::Sequence(anchor),
            Parsed::SequenceEnd => Event::SequenceEnd,
            Parsed::MappingStart(..) => Event::Mapping(anchor),
            Parsed::MappingEnd => Event::MappingEnd,
            // An anchor was looked at with its node.
            _ => return Ok(()),
        };
        if !self.filter.selects(plain)? {
            return Ok(());
        }
        let deep = |what: &str| format!("line {line}: the path leads to {what}: no record holds that");
        match (plain, event) {
            (Event::Sequence(_), _) => self.records.sequence().map_err(deep),
            (Event::Mapping(_), _) => self.records.mapping().map_err(deep),
            (Event::SequenceEnd, _) => {
                self.records.sequence_end();
                Ok(())
            }
            (Event::MappingEnd, _) => {
                self.records.mapping_end();
                Ok(())
            }
            (_, Parsed::Scalar(text, style, _, tag)) => {
                let tag = tag.as_deref().map(full);
                self.records.scalar(text, tag.as_deref(), *style == ScalarStyle::Plain, line)
            }
            _ => Ok(()),
        }
    }
}

/// A tag as libyaml hands it on: in full.
fn full(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

/// Records while they are made.
#[derive(Default)]
struct Records {
    done: Vec<Vec<Part>>,
    open: Option<Vec<Part>>,
    /// The name of the next value; stays when a mapping ends.
    key: Option<String>,
    in_sequence: bool,
    in_mapping: bool,
    /// Whether a sequence inside a sequence is being read, which is a record of its own.
    inner: bool,
    /// How many keys and values of the mapping went by.
    index: usize,
    values: usize,
    line: Option<usize>,
}

impl Records {
    fn sequence(&mut self) -> Result<(), &'static str> {
        if !self.in_sequence {
            self.in_sequence = true;
            self.index += usize::from(self.in_mapping);
            return Ok(());
        }
        if self.in_mapping || self.inner {
            return Err("sequences inside a mapping or a sequence");
        }
        self.inner = true;
        self.open = Some(Vec::new());
        Ok(())
    }

    fn sequence_end(&mut self) {
        if !self.in_sequence {
            return;
        }
        match self.inner {
            true => self.close(),
            false => self.in_sequence = false,
        }
        self.inner = false;
    }

    fn mapping(&mut self) -> Result<(), &'static str> {
        if self.in_mapping || self.open.is_some() {
            return Err("a mapping inside another, or beside values");
        }
        if self.inner {
            return Err("a mapping inside sequences");
        }
        (self.in_mapping, self.in_sequence, self.index) = (true, false, 0);
        self.open = Some(Vec::new());
        Ok(())
    }

    fn mapping_end(&mut self) {
        if self.in_mapping {
            self.in_mapping = false;
            self.close();
        }
    }

    /// Ends a record; one without fields is none.
    fn close(&mut self) {
        self.done.extend(self.open.take().filter(|parts| !parts.is_empty()));
    }

    fn scalar(&mut self, text: &str, tag: Option<&str>, plain: bool, line: usize) -> Result<(), String> {
        if self.in_mapping && !self.in_sequence {
            let is_key = self.index.is_multiple_of(2);
            self.index += 1;
            if is_key {
                self.key = Some(written(text));
                return Ok(());
            }
        }
        let name = self.key.as_deref().unwrap_or("#");
        let part = scalar::part(name, text, tag, plain);
        let part = part.ok_or_else(|| format!("line {line}: {text:?} is not what its tag says"))?;
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(format!("the path selects more than {MAX_VALUES} values"));
        }
        self.line.get_or_insert(line);
        self.open.get_or_insert_default().push(part);
        Ok(())
    }

    fn finish(mut self) -> Selected {
        // What was not ended is a record even without fields.
        self.done.extend(self.open.take());
        Selected { records: self.done, line: self.line }
    }
}

/// A key as OVAL can have it, where names of fields are in small letters: `fooBar` is `foo^bar`.
fn written(key: &str) -> String {
    let letter = |c: char| match c {
        'A'..='Z' => vec!['^', c.to_ascii_lowercase()],
        '^' => vec!['^', '^'],
        c => vec![c],
    };
    key.chars().flat_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(path: &str, text: &str) -> Result<Vec<String>, String> {
        let records = select(&Path::parse(path).unwrap(), text)?.records;
        let told = |part: &Part| format!("{} {}", part.name, part.text);
        Ok(records.iter().map(|parts| parts.iter().map(told).collect::<Vec<_>>().join(", ")).collect())
    }

    /// What oscap 1.3.7 wrote into its results; for the last two it crashes.
    #[test]
    fn records_are_made_as_oscap_makes_them() {
        for (path, text, expected) in [
            (".a", "a: {fooBar: 1, x^Y: 2}", Some(&["foo^bar 1, x^^^y 2"][..])),
            (".a", "a: [[1, 2], [3]]", Some(&["# 1, # 2", "# 3"])),
            (".a", "a: [{b: 1, c: 2}, {b: 3}]", Some(&["b 1, c 2", "b 3"])),
            (".a", "a: [{b: 1}, 2]", Some(&["b 1", "b 2"])),
            (".a", "a: {b: *x, c: 1}", Some(&["b c"])),
            (".a", "a: {b: [1, 2], c: 3}", Some(&["b 1, b 2, c 3"])),
            (".a.*", "a: {b: 1, c: 2}", Some(&["b 1, c 2"])),
            (".a", "a: 1\n---\na: 2\n", Some(&["# 1, # 2"])),
            (".a", "a: {b: {c: 1}}", None),
            (".a", "a: [[[1]]]", None),
            (".a", "a: [[{b: 1}]]", None),
            (".a", "? [1]\n: 2\n", None),
            (".a", "? *x\n: 2\n", None),
        ] {
            assert_eq!(
                selected(path, text).ok().as_deref(),
                expected.map(|lines| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>()).as_deref(),
                "{path} {text}"
            );
        }
    }

    #[test]
    fn files_that_mean_harm() {
        // Aliases of aliases: nothing grows.
        let mut laughs = "a0: &a0 [x]\n".to_owned();
        for n in 1..50 {
            let ten = vec![format!("*a{}", n - 1); 10].join(", ");
            laughs += &format!("a{n}: &a{n} [{ten}]\n");
        }
        assert_eq!(selected(".a49", &laughs), Ok(Vec::new()));
        assert_eq!(selected("&a0", "x: &a0 {y: &a0 1, z: *a0}"), Ok(vec!["y 1".to_owned()]));
        for deep in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(100_000)]
        {
            assert!(selected("$", &deep).is_err(), "{}", &deep[..4]);
        }
        let deepest = format!("{}1{}", "[".repeat(900), "]".repeat(900));
        assert_eq!(selected("a", &deepest), Ok(Vec::new()));
        let many = "- 1\n".repeat(MAX_VALUES + 1);
        assert!(selected("$", &many).unwrap_err().contains("more than"));
        for odd in [
            "\0",
            "a: \u{1}",
            "%YAML 9.9\n---\na",
            "\u{feff}a: 1",
            "!<",
            "!<x> {",
            "&",
            "*",
            "@",
            "`",
            "\t-",
            "--- |",
            "'",
        ] {
            let _ = selected(".a", odd);
        }
    }
}
