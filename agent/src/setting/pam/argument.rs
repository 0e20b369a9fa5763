//! What an argument of a PAM module must be.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::setting::must::Must;

/// What is asked of the arguments of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Argument {
    /// This word is there.
    Flag(String),
    /// This word is there, unless the line is the first of its stack.
    LaterFlag(String),
    /// Neither this word nor `word=…` is there.
    Absent(String),
    /// `name=value`, with a good value.
    Value {
        /// The name.
        name: String,
        /// What its value must be.
        must: Must,
    },
    /// Exactly one of several words is there, and it is a good one.
    Choice {
        /// The words of which only one may be there.
        among: Vec<String>,
        /// Which of them are good.
        must: Must,
    },
}

impl Argument {
    /// Whether the arguments of a line are as asked.
    ///
    /// # Errors
    /// When the bound of a value is wrong.
    pub fn holds(&self, words: &[String], first: bool) -> Result<bool> {
        Ok(match self {
            Argument::Flag(flag) => words.contains(flag),
            Argument::LaterFlag(flag) => first || words.contains(flag),
            Argument::Absent(name) => !words.iter().any(|word| is(word, name)),
            Argument::Value { name, must } => {
                let mut values = words.iter().filter_map(|word| value(word, name)).peekable();
                let set = values.peek().is_some();
                set && values
                    .map(|value| must.accepts(value))
                    .collect::<Result<Vec<_>>>()?
                    .iter()
                    .all(|holds| *holds)
            }
            Argument::Choice { among, must } => match &chosen(words, among)[..] {
                [one] => must.accepts(one)?,
                _ => false,
            },
        })
    }

    /// Makes the arguments of a line as asked.
    ///
    /// # Errors
    /// When nothing is asked of a value.
    pub fn make(&self, words: &mut Vec<String>, first: bool) -> Result<()> {
        if self.holds(words, first)? {
            return Ok(());
        }
        match self {
            Argument::Flag(flag) | Argument::LaterFlag(flag) => words.push(flag.clone()),
            Argument::Absent(name) => words.retain(|word| !is(word, name)),
            Argument::Value { name, must } => {
                words.retain(|word| !is(word, name));
                words.push(format!("{name}={}", must.aim()?));
            }
            Argument::Choice { among, must } => {
                words.retain(|word| !among.contains(word));
                words.push(must.aim()?.to_owned());
            }
        }
        Ok(())
    }

    /// What is asked, in words.
    pub fn sentence(&self) -> String {
        match self {
            Argument::Flag(flag) => flag.clone(),
            Argument::LaterFlag(flag) => format!("{flag} (unless it comes first)"),
            Argument::Absent(name) => format!("no {name}"),
            Argument::Value { name, must } => format!("{name}={must}"),
            Argument::Choice { must, .. } => format!("{must}, alone"),
        }
    }
}

fn is(word: &str, name: &str) -> bool {
    word == name || value(word, name).is_some()
}

fn value<'a>(word: &'a str, name: &str) -> Option<&'a str> {
    word.strip_prefix(name)?.strip_prefix('=')
}

fn chosen<'a>(words: &'a [String], among: &[String]) -> Vec<&'a str> {
    words.iter().filter(|word| among.contains(word)).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_judged_and_made() {
        let hashes =
            r#"{"choice": {"among": ["sha512", "yescrypt", "md5"], "must": {"one_of": "yescrypt|sha512"}}}"#;
        let remember = r#"{"value": {"name": "remember", "must": {"at_least": 24}}}"#;
        for (yaml, words, first, holds, made) in [
            (r#"{"flag": "use_uid"}"#, "a", false, false, "a use_uid"),
            (r#"{"later_flag": "use_authtok"}"#, "a", true, true, "a"),
            (r#"{"later_flag": "use_authtok"}"#, "a", false, false, "a use_authtok"),
            (r#"{"absent": "remember"}"#, "remember=5 remembers", false, false, "remembers"),
            (r#"{"absent": "nullok"}"#, "nullok_secure", false, true, "nullok_secure"),
            (remember, "use_authtok remember=30", false, true, "use_authtok remember=30"),
            (remember, "remember=30 remember=5 x", false, false, "x remember=24"),
            (remember, "", false, false, "remember=24"),
            (hashes, "obscure md5 sha512", false, false, "obscure yescrypt"),
            (hashes, "sha512", false, true, "sha512"),
        ] {
            let argument: Argument = serde_json::from_str(yaml).unwrap();
            let mut words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            assert_eq!(argument.holds(&words, first).unwrap(), holds, "{yaml} {words:?}");
            argument.make(&mut words, first).unwrap();
            assert_eq!(words.join(" "), made, "{yaml}");
            assert!(argument.holds(&words, first).unwrap());
        }
    }
}
