//! The language for paths into YAML files, as the library `yaml-filter` has it that OpenSCAP 1.3.7 is built with (`yaml_path_parse_impl` of
//! its `src/yaml-path.c`, definition 1.0.0 in its `docs/yaml_path_v1.md`): `$`, `.key`, `['key','key']`, `.*`, `[0]`, `[0,1]`, `[:]`, and
//! `&anchor` at the start.

/// The most steps of a path. Each event of a file is put to all of them.
const MAX_STEPS: usize = 256;

/// The most keys or indices of a step, as there.
const MAX_MEMBERS: usize = 256;

/// A path: never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(pub Vec<Step>);

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The document.
    Root,
    /// The node with an anchor.
    Anchor(String),
    /// An entry of a sequence, from 0.
    Index(u64),
    /// Some entries of a sequence; all when none is named.
    Indices(Vec<u64>),
    /// The value of a key.
    Key(String),
    /// Keys and their values; all when none is named.
    Keys(Vec<String>),
}

impl Path {
    /// The error says what is not understood.
    pub fn parse(text: &str) -> Result<Path, String> {
        let mut parser = Parser { rest: text, steps: Vec::new() };
        while let Some(first) = parser.rest.chars().next() {
            match first {
                '.' | '[' => {
                    parser.implicit_root();
                    let step = if first == '.' { parser.dotted()? } else { parser.bracketed()? };
                    parser.steps.push(step);
                }
                '&' | '$' if !parser.steps.is_empty() => {
                    return Err(format!("{first} is for the start of a path"));
                }
                '&' => {
                    parser.rest = parser.rest.get(1..).unwrap_or_default();
                    let anchor = parser.word();
                    if anchor.is_empty() {
                        return Err("an anchor without a name".to_owned());
                    }
                    parser.steps.push(Step::Anchor(anchor));
                }
                '$' => {
                    parser.skip(first);
                    parser.steps.push(Step::Root);
                }
                _ if parser.steps.is_empty() => {
                    parser.implicit_root();
                    let key = parser.word();
                    parser.steps.push(Step::Key(key));
                }
                // Not looked at there either.
                other => parser.skip(other),
            }
            if parser.steps.len() > MAX_STEPS {
                return Err(format!("a path of more than {MAX_STEPS} steps"));
            }
        }
        if parser.steps.is_empty() { Err("a path of nothing".to_owned()) } else { Ok(Path(parser.steps)) }
    }
}

struct Parser<'a> {
    rest: &'a str,
    steps: Vec<Step>,
}

impl<'a> Parser<'a> {
    fn implicit_root(&mut self) {
        if self.steps.is_empty() {
            self.steps.push(Step::Root);
        }
    }

    fn skip(&mut self, c: char) {
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
    }

    /// Takes what is up to the next step.
    fn word(&mut self) -> String {
        let (word, rest) = self.rest.split_at(self.rest.find(['.', '[']).unwrap_or(self.rest.len()));
        self.rest = rest;
        word.to_owned()
    }

    /// `.key`, or `.*` with whatever follows the star.
    fn dotted(&mut self) -> Result<Step, String> {
        self.skip('.');
        let word = self.word();
        match word.as_str() {
            "" => Err("a dot without a key".to_owned()),
            all if all.starts_with('*') => Ok(Step::Keys(Vec::new())),
            _ => Ok(Step::Key(word)),
        }
    }

    fn bracketed(&mut self) -> Result<Step, String> {
        self.skip('[');
        for (all, step) in [("*]", Step::Keys(Vec::new())), (":]", Step::Indices(Vec::new()))] {
            if let Some(rest) = self.rest.strip_prefix(all) {
                self.rest = rest;
                return Ok(step);
            }
        }
        match self.rest.starts_with(['\'', '"']) {
            true => self.keys(),
            false => self.indices(),
        }
    }

    fn keys(&mut self) -> Result<Step, String> {
        let mut keys = Vec::new();
        loop {
            let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let quote = quote.ok_or("a key in quotes was expected")?;
            self.skip(quote);
            let (key, rest) = self.rest.split_once(quote).ok_or("a key without its closing quote")?;
            if key.is_empty() {
                return Err("an empty key".to_owned());
            }
            keys.push(key.to_owned());
            if keys.len() > MAX_MEMBERS {
                return Err(format!("more than {MAX_MEMBERS} keys"));
            }
            self.rest = rest;
            match rest.chars().next() {
                Some(']') => self.skip(']'),
                Some(',') => {
                    self.skip(',');
                    continue;
                }
                _ => return Err("] or , was expected behind a key".to_owned()),
            }
            let only = if keys.len() == 1 { keys.pop() } else { None };
            return Ok(only.map_or(Step::Keys(keys), Step::Key));
        }
    }

    fn indices(&mut self) -> Result<Step, String> {
        let mut indices = Vec::new();
        loop {
            let given = !self.rest.starts_with([',', ']']);
            indices.push(self.index()?);
            // Nothing is 0, but not among several.
            let several = indices.len() > 1 || self.rest.starts_with(',');
            if several && !given {
                return Err("an index is missing".to_owned());
            }
            if indices.len() > MAX_MEMBERS {
                return Err(format!("more than {MAX_MEMBERS} indices"));
            }
            match self.rest.chars().next() {
                Some(']') => self.skip(']'),
                Some(',') => {
                    self.skip(',');
                    continue;
                }
                _ => return Err("] was expected behind an index".to_owned()),
            }
            let only = if indices.len() == 1 { indices.pop() } else { None };
            return Ok(only.map_or(Step::Indices(indices), Step::Index));
        }
    }

    /// A number as `strtoul(3)` reads it: no digits are 0.
    fn index(&mut self) -> Result<u64, String> {
        let text = self.rest.trim_start_matches([' ', '\t']);
        if text.starts_with('-') {
            return Err("an index is not negative".to_owned());
        }
        let signless = text.strip_prefix('+').unwrap_or(text);
        let (digits, rest) =
            signless.split_at(signless.find(|c: char| !c.is_ascii_digit()).unwrap_or(signless.len()));
        self.rest = if digits.is_empty() { text } else { rest };
        Ok(if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is right and what is wrong as the unit tests of `yaml-filter` have it (`tests/test-path-segments.c`).
    #[test]
    fn paths_are_steps() {
        let key = |key: &str| Step::Key(key.to_owned());
        for (text, steps) in [
            ("$", vec![Step::Root]),
            (".a", vec![Step::Root, key("a")]),
            ("a.b", vec![Step::Root, key("a"), key("b")]),
            ("$['a.b']", vec![Step::Root, key("a.b")]),
            ("$[\"a'b\"]", vec![Step::Root, key("a'b")]),
            ("['a','b']", vec![Step::Root, Step::Keys(vec!["a".to_owned(), "b".to_owned()])]),
            (".*", vec![Step::Root, Step::Keys(Vec::new())]),
            ("[*].a", vec![Step::Root, Step::Keys(Vec::new()), key("a")]),
            ("a[0]", vec![Step::Root, key("a"), Step::Index(0)]),
            ("a[ 1, 22 ]", vec![]),
            ("a[ 1, 22]", vec![Step::Root, key("a"), Step::Indices(vec![1, 22])]),
            ("a[:]", vec![Step::Root, key("a"), Step::Indices(Vec::new())]),
            ("a[]", vec![Step::Root, key("a"), Step::Index(0)]),
            ("&x.y", vec![Step::Anchor("x".to_owned()), key("y")]),
            ("$x", vec![Step::Root]),
            ("", vec![]),
            ("a.", vec![]),
            ("..a", vec![]),
            ("a[-1]", vec![]),
            ("a[0,]", vec![]),
            ("a[,1]", vec![]),
            ("a[x]", vec![]),
            ("a[1", vec![]),
            ("a['b", vec![]),
            ("a['b'", vec![]),
            ("a['']", vec![]),
            ("a['b',c]", vec![]),
            ("&", vec![]),
            ("a&b", vec![Step::Root, key("a&b")]),
            ("a[0]&b", vec![]),
            ("a[0]$", vec![]),
        ] {
            assert_eq!(Path::parse(text).map(|path| path.0).unwrap_or_default(), steps, "{text}");
        }
        assert!(Path::parse(&"a.".repeat(MAX_STEPS + 1)).is_err() && Path::parse(&".a".repeat(200)).is_ok());
    }
}
