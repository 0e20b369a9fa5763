//! Names that end up in files of many syntaxes: nothing in them needs quoting in any.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name of letters, digits and `. _ - + : @ / ^ =`, which starts with a letter, a digit or `@`.
///
/// Packages, groups of packages (`@core`), accounts, locales and time zones are written so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Name(String);

/// The longest name.
const LONGEST: usize = 128;

impl Name {
    /// A name of our own, which is known to be one.
    pub(crate) fn known(name: &str) -> Name {
        Name(name.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Name, String> {
        let odd = |c: char| !c.is_ascii_alphanumeric() && !"._-+:@/^=".contains(c);
        if let Some(found) = text.chars().find(|c| odd(*c)) {
            return Err(format!("{text:?} has a {found:?}, which no name here has"));
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@') || text.len() > LONGEST {
            return Err(format!(
                "{text:?} is no name: it must start with a letter or a digit, and be of {LONGEST} characters at most"
            ));
        }
        Ok(Name(text))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
